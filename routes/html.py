"""Builds HTML whose every text and attribute is escaped, and answers with it. Knows no data."""

import base64
import hashlib
from functools import cache

from framework import Context, Response
from framework.media_types import best_media_type

_VOID = {"input", "meta", "hr", "br"}

# As `html.escape` has it, with 2,231 entities that no cold start needs.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --edge: #888; --accent: #c2410c; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --accent: #fb923c; --on: #1c1917; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 1rem; }
h1 a { text-decoration: none; }
h2 { font-size: 1.3rem; margin: 0.8rem 0 0.5rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0; }
a { color: var(--accent); text-underline-offset: 0.2em; }
section { border-top: 1px solid var(--line); padding: 0.5rem 0 1.5rem; }
form { display: grid; gap: 0.8rem; max-width: 26rem; margin: 0.8rem 0; }
[hidden] { display: none; }
[hidden]:target { display: block; }
form.inline { display: block; margin: 0; }
label { display: grid; gap: 0.2rem; }
input, textarea, button { font: inherit; padding: 0.4rem 0.7rem; border-radius: 0.4rem;
  border: 1px solid var(--edge); }
input, textarea { background: none; color: inherit; box-sizing: border-box; width: 100%; }
input, textarea, h2, li a { unicode-bidi: plaintext; }
textarea { resize: vertical; }
button { cursor: pointer; width: fit-content; color: var(--on); background: var(--accent);
  border-color: transparent; }
.inline button { color: inherit; background: none; border-color: var(--edge); }
button:hover { filter: brightness(0.92); }
summary { cursor: pointer; margin-top: 1.2rem; }
ul { padding-inline-start: 1.2rem; }
.rows { list-style: none; padding: 0; }
.rows li { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; align-items: center;
  padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
.rows li > :first-child { flex: 1 1 16rem; min-width: 0; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid var(--line); padding: 0.4rem 0;
  padding-inline-end: 0.8rem; text-align: start; vertical-align: top; }
th, td:not(:first-child) { overflow-wrap: normal; }
@media (min-width: 30rem) { td:not(:first-child) { white-space: nowrap; } }
code { font-size: 0.9em; overflow-x: auto; }
.error { color: var(--accent); font-weight: 600; }
.quiet, label small { opacity: 0.75; }
"""


@cache
def _policy(*styles: str) -> str:
    """Return a Content-Security-Policy that allows *styles*, and no script at all."""
    digests = [hashlib.sha256(style.encode()).digest() for style in styles]
    allowed = " ".join([f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests])
    return (
        f"default-src 'none'; style-src {allowed}; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )


class Markup(str):
    """HTML that is ready. Anything else is text, and escaped where it is used."""

    __slots__ = ()


Child = Markup | str | None
Attribute = str | int | bool | None


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element. A trailing underscore lets an attribute be a keyword: ``class_``.

    True is an attribute without a value; False and None leave it out.
    """
    listed = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = "".join(_text(child) for child in children)
    return Markup(f"<{name}{listed}>" + ("" if name in _VOID else f"{inside}</{name}>"))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escape(str(value))}"'


def _text(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Markup) else _escape(child)


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def document(title: str, *body: Child, status: int = 200, style: str = "") -> Response:
    """Return a whole page, under a policy that lets no script run.

    *style* is CSS beside what all pages share.
    """
    styles = [_STYLE, style] if style else [_STYLE]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} · Kagari"),
        *[Markup(f"<style>{each}</style>") for each in styles],
    )
    header = element("header", element("h1", element("a", "Kagari", href="/")))
    page = element("html", head, element("body", header, element("main", *body)), lang="en")
    response = Response.html(f"<!doctype html>{page}", status)
    response = response.with_header("content-security-policy", _policy(*styles))
    return response.with_header("vary", "accept")  # a program gets JSON instead


def wants_html(c: Context) -> bool:
    """Return whether a browser asks for a page: it likes HTML, and not JSON rather than that."""
    return best_media_type(c, ["application/json", "text/html"]) == "text/html"
