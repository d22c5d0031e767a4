"""Every Python block of the README and the docs runs, in order, one namespace a file."""

import asyncio
import importlib
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app import app as reference_app
from framework import App, Context, fetching, public
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client, text_of
from routes.access import auth
from tests import reference

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def as_module(document: Path) -> str:
    """Return the Python blocks of *document* as one module, each line where it stands there."""
    text = document.read_text()
    lines = [""] * text.count("\n")
    for block in _BLOCK.finditer(text):
        start = text[: block.start(1)].count("\n")
        code = block[1].splitlines()
        lines[start : start + len(code)] = code
    return "\n".join(lines).rstrip() + "\n"


def run_blocks(document: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": document.stem}
    exec(compile(as_module(document), str(document), "exec"), names)
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_python_blocks_run(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(fetching, "_provided", None)  # what a block provides ends with it

    run_blocks(document)


@pytest.mark.parametrize(
    "document",
    [document for document in DOCUMENTS if document != reference.PATH],  # which only shows them
    ids=lambda document: document.name,
)
def test_what_a_document_checks_is_run(document: Path) -> None:
    module = as_module(document)

    declared = re.findall(r"^async def ((?:check|test)(?:_\w+)?)\(", module, re.MULTILINE)

    assert [name for name in declared if f"asyncio.run({name}())" not in module] == []


UNLIKE_A_MODULE = {
    "E402": "each block imports what it shows",
    "F811": "a later block shows the same route in another way",
    "PT017": "no pytest where a block says what is refused",
    "S101": "blocks say what holds",
    "T201": "a block may print",
}
"""What ruff is not asked for in documents, and why."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_ruff_finds_nothing_in_the_python_blocks(document: Path) -> None:
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    ruff += ["--extend-ignore", ",".join(UNLIKE_A_MODULE)]
    ruff += ["--stdin-filename", str(document.with_suffix(".py")), "-"]

    done = subprocess.run(ruff, input=as_module(document), text=True, capture_output=True)

    assert done.stdout == "All checks passed!\n", done.stdout + done.stderr


def test_mypy_finds_nothing_in_the_python_blocks(tmp_path: Path) -> None:
    for document in DOCUMENTS:
        name = document.stem.lower().replace("-", "_")
        (tmp_path / f"{name}.py").write_text(as_module(document))
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    mypy += ["--disable-error-code=no-redef", str(tmp_path)]  # as F811 above

    done = subprocess.run(mypy, cwd=ROOT, text=True, capture_output=True)

    assert done.stdout == "", done.stdout + done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", document.read_text())

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def anchors(document: Path) -> list[str]:
    """Return what links to headings of *document* may name, as GitHub derives it, in order."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_links_to_headings_lead_to_one(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", document.read_text())

    missing = [
        (target, anchor)
        for target, anchor in links
        if anchor not in anchors(document.parent / target if target else document)
    ]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_list_of_contents_is_in_the_order_of_the_page(document: Path) -> None:
    listed = re.findall(r"\]\(#([^)]+)\)", document.read_text().partition("\n## ")[0])

    assert listed == sorted(listed, key=anchors(document).index)


def test_the_readme_example_answers_as_it_says() -> None:
    app: App = run_blocks(ROOT / "README.md")["app"]
    assert app.access() == {
        ("GET", "/"): "public",
        ("GET", "/notes/:id{[0-9]+}"): "authorized & owns_note",
        ("PUT", "/notes/:id{[0-9]+}"): "authorized & owns_note",
    }

    @app.post("/sign-up/:name", guard=public)
    async def sign_up(c: Context, name: str) -> None:
        user = await auth.sign_up(c, name, "correct horse", created_at=0)  # the same tables
        await c.database().run(_INSERT, user.id, name)

    async def ask() -> list[tuple[int, str]]:
        database = SQLiteDatabase()
        database.apply_schema((ROOT / "schema.sql").read_text())
        alice, bob, nobody = (Client(app, env={"DB": database}) for _ in range(3))
        assert (await alice.post("/sign-up/alice")).status == 204
        assert (await bob.post("/sign-up/bob1")).status == 204
        answers = [
            await nobody.get("/"),
            await nobody.get("/notes/1"),
            await bob.get("/notes/1"),
            await bob.put("/notes/1", json={"title": "Mine"}),
            await alice.put("/notes/1", json={}),
            await alice.put("/notes/1", json={"title": "New"}),
            await alice.get("/notes/1"),
            await alice.delete("/notes/1"),
        ]
        database.close()
        return [(answer.status, text_of(answer)) for answer in answers]

    answers = asyncio.run(ask())
    assert [status for status, _ in answers] == [200, 401, 404, 404, 422, 204, 200, 405]
    assert '"title":"New"' in answers[6][1]


_INSERT = (
    "INSERT INTO note (user_id, title, body, created_at, updated_at) VALUES (?1, ?2, '', 0, 0)"
)


def test_the_guide_tests_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(fetching, "_provided", None)
    app: App = run_blocks(ROOT / "docs" / "guide.md")["app"]

    @app.get("/promise", guard=public)
    async def promise() -> int:
        return "text"  # type: ignore[return-value]  # what this is about

    assert asyncio.run(app.request("GET", "/promise")).status == 500


def test_the_readme_shows_what_curl_shows() -> None:
    text = (ROOT / "README.md").read_text()
    shown = text.partition("localhost:8787/notes/1")[2].partition("\n```")[0]
    head, _, body = shown.partition("\n...\n\n")
    _, status, *headers = head.splitlines()

    answer = asyncio.run(reference_app.request("GET", "/notes/1"))

    assert status == f"HTTP/1.1 {answer.status} Unauthorized"
    assert len(headers) == 2
    assert {tuple(line.split(": ")) for line in headers} <= set(answer.headers)
    assert body == text_of(answer)


def test_the_readme_fits_on_about_a_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100


def test_the_reference_is_what_the_docstrings_say() -> None:
    assert reference.PATH.read_text() == page(), "run: python -m tests.reference"


@cache
def page() -> str:
    """Return the reference as the docstrings say it."""
    return reference.render()


@cache
def section(name: str) -> str:
    """Return what the reference says of *name*."""
    return page().partition(f"\n### {name}\n")[2].partition("\n### ")[0]


CLASSES = {
    value: name
    for module in map(importlib.import_module, reference.MODULES)
    for name in reference.names_of(module)
    if inspect.isclass(value := getattr(module, name))
}


@pytest.mark.parametrize("value", CLASSES, ids=CLASSES.get)
def test_the_reference_has_what_a_class_inherits(value: type) -> None:
    members = {
        name
        for owner in value.__mro__
        if owner.__module__.startswith("framework")
        for name, member in vars(owner).items()
        if not name.startswith("_") and member.__doc__
        if inspect.isfunction(member) or isinstance(member, property)
    }

    internal = reference.INTERNAL.get(value.__name__, set())
    assert internal <= members | {*getattr(value, "__struct_fields__", ())}
    assert members - internal <= set(re.findall(r"`(\w+)", section(CLASSES[value])))


@pytest.mark.parametrize(
    ("entry", "attributes"),
    [
        ("Batch", {"queue", "messages"}),
        ("Meter", {"trips", "rows", "changes"}),
        ("Result", {"changes"}),
        ("UniqueViolation", {"table", "columns"}),
        ("Auth", {"session_slot", "user_slot"}),
    ],
)
def test_the_reference_has_the_attributes_that_init_sets(entry: str, attributes: set[str]) -> None:
    assert attributes <= set(re.findall(r"^- `(\w+)`: .", section(entry), re.MULTILINE))


def test_the_reference_says_what_a_method_raises() -> None:
    raising = {
        (entry, name)
        for value, entry in CLASSES.items()
        for name, member in vars(value).items()
        if inspect.isfunction(member) and not name.startswith("_")
        if name not in reference.INTERNAL.get(value.__name__, ())
        if "Raises" in (member.__doc__ or "")
    }
    told = {
        (entry, name)
        for entry in CLASSES.values()
        for name in re.findall(r"^- `(\w+)\(.*Raises", section(entry), re.MULTILINE)
    }

    assert len(raising) > 40
    assert raising <= told


def test_what_the_framework_uses_alone_is_in_no_reference() -> None:
    for name in ("check_header_name", "MeteredDatabase", "explain_fault", "renew_or_delete"):
        assert name not in page()


def test_what_an_auth_and_an_app_inherit() -> None:
    names = re.findall(r"^- `(\w+)", section("Auth"), re.MULTILINE)

    assert names[0] == "guard"
    assert names.index("sign_up") < names.index("sign_in") < names.index("reset_password")
    assert len(names) == len(set(names)) > 20
    assert "Also what `Router` has: `get`, `post`" in section("App")
    assert "with_traceback" not in page()


def test_code_in_a_docstring_stays_code() -> None:
    assert '\n    client = Client(app, env={"DB": database})\n' in section("Client")
    assert [line for line in section("Client").splitlines() if re.search(r"\S {4,}\S", line)] == []


def test_every_claim_of_the_comparison_names_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "comparison.md").read_text()
    claims = re.findall(r'\]\(\.\./(tests/[^ )]+\.py) "(\w+)"\)', text)

    missing = [
        (file, name) for file, name in claims if f"def {name}(" not in (ROOT / file).read_text()
    ]

    assert len(claims) > 30
    assert missing == []
