"""A text of a request that becomes HTML as it was sent is named, and none that may have been checked."""

from pathlib import Path

import pytest

from framework.local.program import modules
from framework.local.scope import scopes_of
from framework.local.unescaped import find_unescaped
from tests.local.correct_programs import CORRECT
from tests.local.imported_app import LINES, import_app

HEAD = """
from html import escape
from typing import Annotated, Literal
import msgspec
from framework import Cookie, Form, Header
PAGES = {"tea": "Tea"}
class New(msgspec.Struct):
    title: str
    kind: Literal["a", "b"] = "a"
class Checked(msgspec.Struct):
    title: str
    def __post_init__(self): ...
Word = Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]
def check(text): ...
"""

SHOW = "@app.get('/:name')\nasync def show(c: Context, {}):\n {}"
SEND = "@app.post('/')\nasync def show(c: Context, {}):\n {}"


def found(patch: pytest.MonkeyPatch, folder: Path, source: str) -> list[str]:
    app = import_app(patch, folder, HEAD + source)
    return find_unescaped(scopes_of(modules(folder), app), app)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (SHOW.format("name: str", "return Response.html(f'<b>{name}</b>')"), "name"),
        (SHOW.format("q: Query[str]", "return Response.html(f'<b>{q:>9}</b>', 404)"), "q"),
        (SHOW.format("q: Query[str] = ''", "return Response.html('<b>' + q + '</b>')"), "q"),
        (SHOW.format("q: Header[str | None]", "return Response.html('<b>%s' % q)"), "q"),
        (SHOW.format("q: Cookie[str]", "page = f'<b>{q}'; return Response.html(page)"), "q"),
        (SEND.format("q: Form[str]", "return Response.html(q)"), "q"),
        (SEND.format("new: Form[New]", "return Response.html(f'<b>{new.title}')"), "new.title"),
        (
            SHOW.format(
                "q: Query[str]",
                "a = await c.database().all(dict, '', q)\n return Response.html(f'{len(a)} {q}')",
            ),
            "q",
        ),
        (
            SHOW.format(
                "q: Query[str]",
                "a = await c.database().first(int, '', q)\n if not a: raise\n return Response.html(q)",
            ),
            "q",
        ),
        (
            SHOW.format("name: str", "if not name: raise\n return Response.html(f'<b>{name}</b>')"),
            "name",
        ),
    ],
)
def test_a_text_that_becomes_html_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, text: str
) -> None:
    line = LINES + HEAD.count("\n") + source.count("\n") + 1

    assert found(monkeypatch, tmp_path, source) == [
        f"app.py:{line}: {text} becomes HTML as it was sent: write escape({text}), of html"
    ]


@pytest.mark.parametrize(
    "source",
    [
        SHOW.format("name: str", "return Response.html(f'<b>{escape(name)}</b>')"),
        SHOW.format("name: str", "return Response.text(f'<b>{name}</b>')"),
        SHOW.format("name: str", "name = escape(name); return Response.html(name)"),
        SHOW.format("name: Word", "return Response.html(name)"),
        SHOW.format("q: Query[int]", "return Response.html(f'{q}')"),
        SHOW.format("q: Query[Word]", "return Response.html(q)"),
        SHOW.format("name: str", "if name not in PAGES: raise\n return Response.html(name)"),
        SHOW.format("name: str", "PAGES[name]; return Response.html(name)"),
        SHOW.format("name: str", "check(name); return Response.html(name)"),
        SHOW.format("name: str", "if not check(name): raise\n return Response.html(name)"),
        SHOW.format(
            "name: str", "known = check(name)\n if not known: raise\n return Response.html(name)"
        ),
        SHOW.format(
            "name: str", "at = name.find('<')\n if at >= 0: raise\n return Response.html(name)"
        ),
        "@guard\nasync def may(name: str):\n if name not in PAGES: raise\n"
        + SHOW.format("name: str", "return Response.html(name)").replace("')", "', guard=may)", 1),
        "from framework import Depends\nasync def find(name: str) -> int: ...\n"
        + SHOW.format("name: str, a: Annotated[int, Depends(find)]", "return Response.html(name)"),
        SHOW.format("name: str", "match name:\n  case 'tea': return Response.html(name)"),
        SHOW.format("name: str", "def html(x): ...\n return html(name)"),
        SHOW.format("name: str", "return Response.html(name)").replace("/:name", "/:name{[a-z]+}"),
        "@app.get('/a/:name{[a-z]+}', '/b/:name')\nasync def show(name: str): return Response.html(name)",
        SEND.format("new: Form[New]", "return Response.html(new.kind)"),
        SEND.format("new: Form[New]", "check(new); return Response.html(new.title)"),
        SEND.format("new: Form[Checked]", "return Response.html(new.title)"),
        "def show(name: str):\n return Response.html(name)",
        "@app.get('/')\nasync def show(c: Context):\n a = f'{b}'; b = f'{a}'; return Response.html(a)",
        *CORRECT,
    ],
)
def test_what_is_escaped_or_may_have_been_checked_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    assert found(monkeypatch, tmp_path, source) == []


JINJA = """
class Environment:
    __module__ = "jinja2.environment"
    def __init__(self, autoescape=False):
        self.autoescape = autoescape
    def get_template(self, name): ...

class Template:
    __module__ = "jinja2.environment"
    def __init__(self, environment):
        self.environment = environment
    def render(self, **values): ...

pages = Environment({})
page = Template(pages)
"""
RENDER = "async def render(name, **values):\n return Response.html({})"


@pytest.mark.parametrize(
    ("rendered", "name"),
    [
        ("pages.get_template(name).render(**values)", "pages"),
        ("await pages.get_template(name).render_async(**values)", "pages"),
        ("page.render()", "page"),
    ],
)
def test_templates_that_escape_nothing_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rendered: str, name: str
) -> None:
    source = JINJA.format("") + RENDER.format(rendered)

    [said] = found(monkeypatch, tmp_path, source)

    why = f": {name} of Jinja escapes nothing: write Environment(autoescape=True)"
    assert said.endswith(why)


@pytest.mark.parametrize("escapes", ["True", "lambda name: name != 'a.txt'"])
def test_templates_that_escape_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, escapes: str
) -> None:
    source = JINJA.format(escapes) + RENDER.format("pages.get_template(name).render()")

    assert found(monkeypatch, tmp_path, source) == []


def test_a_mail_may_be_rendered_without_escaping(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = JINJA.format("") + "def write(name):\n return pages.get_template(name).render()"

    assert found(monkeypatch, tmp_path, source) == []
