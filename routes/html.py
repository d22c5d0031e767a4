"""Builds HTML whose every text and attribute is escaped, and answers with it. Knows no data."""

import base64
import hashlib
from html import escape

from framework import Context, Response

__all__ = ["Attribute", "Markup", "document", "element", "wants_html"]

_VOID = {"input", "meta", "hr", "br"}

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --accent: #c2410c; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 a { color: inherit; text-decoration: none; }
section { border-top: 1px solid var(--line); padding: 0.5rem 0 1rem; }
form { display: grid; gap: 0.5rem; max-width: 26rem; margin: 0.5rem 0; }
form.inline { display: inline; }
label { display: grid; gap: 0.2rem; }
input, textarea, button { font: inherit; padding: 0.4rem 0.6rem; }
button { cursor: pointer; width: fit-content; }
ul { padding-left: 1.2rem; }
table { border-collapse: collapse; }
td, th { border-bottom: 1px solid var(--line); padding: 0.3rem 0.8rem 0.3rem 0; text-align: left; }
code, pre { font-size: 0.9em; overflow-x: auto; }
.error { color: var(--accent); }
.quiet { opacity: 0.7; }
"""

_HEADERS = (
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
)


def _policy(*styles: str) -> str:
    """Return a Content-Security-Policy that allows *styles*, and no script at all."""
    allowed = " ".join(f"'sha256-{_digest(style)}'" for style in styles)
    return (
        f"default-src 'none'; style-src {allowed}; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_POLICY = _policy(_STYLE)


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
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def _text(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Markup) else escape(child)


def document(title: str, *body: Child, status: int = 200, style: str = "") -> Response:
    """Return a whole page, under a policy that lets no script run.

    *style* is CSS for this page alone, beside what all pages share.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} · Kagari"),
        Markup(f"<style>{_STYLE}</style>"),
        Markup(f"<style>{style}</style>") if style else None,
    )
    heading = element("h1", element("a", "Kagari", href="/"))
    page = element("html", head, element("body", heading, *body), lang="en")
    policy = _policy(_STYLE, style) if style else _POLICY
    response = Response.html(f"<!doctype html>{page}", status)
    response = response.with_header("content-security-policy", policy)
    for name, value in _HEADERS:
        response = response.with_header(name, value)
    return response


def wants_html(c: Context) -> bool:
    """Return whether a browser asks for a page: it names HTML, before JSON if it names both."""
    accepted = c.request.headers.get("accept") or ""
    html, json = accepted.find("text/html"), accepted.find("application/json")
    return html >= 0 and not 0 <= json < html
