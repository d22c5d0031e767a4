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

from framework import fetching
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", document.read_text())

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def test_the_readme_example_answers_as_it_says() -> None:
    app = run_blocks(ROOT / "README.md")["app"]

    async def statuses() -> list[int]:
        answers = [
            await app.request("GET", "/"),
            await app.request("GET", "/notes/1"),
            await app.request("POST", "/notes", json={"title": "Hello"}),
            await app.request("PUT", "/notes"),
        ]
        return [answer.status for answer in answers]

    assert asyncio.run(statuses()) == [200, 401, 401, 405]
    assert app.access() == {
        ("GET", "/"): "public",
        ("POST", "/notes"): "authorized & on_weekdays",
        ("GET", "/notes/:id{[0-9]+}"): "authorized",
    }


def test_the_readme_fits_on_about_a_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100


def test_the_reference_is_what_the_docstrings_say() -> None:
    assert reference.PATH.read_text() == reference.render(), "run: python -m tests.reference"


@cache
def section(name: str) -> str:
    """Return what the reference says of *name*."""
    return reference.render().partition(f"\n### {name}\n")[2].partition("\n### ")[0]


CLASSES = {
    value: name
    for module in map(importlib.import_module, reference.MODULES)
    for name in module.__all__
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

    assert members <= set(re.findall(r"`(\w+)", section(CLASSES[value])))


def test_what_an_auth_and_an_app_inherit() -> None:
    names = re.findall(r"^- `(\w+)", section("Auth"), re.MULTILINE)

    assert names[0] == "guard"
    assert names.index("sign_up") < names.index("sign_in") < names.index("reset_password")
    assert len(names) == len(set(names)) > 20
    assert "Also what `Router` has: `get`, `post`" in section("App")
    assert "with_traceback" not in reference.render()


def test_code_in_a_docstring_stays_code() -> None:
    assert '\n    client = Client(app, env={"DB": database})\n' in section("Client")
    assert [line for line in section("Client").splitlines() if re.search(r"\S {4,}\S", line)] == []


def test_every_claim_of_the_comparison_names_a_test_that_is_there() -> None:
    page = ROOT / "docs" / "comparison.md"
    claims = re.findall(r'\]\(\.\./(tests/[^ )]+\.py) "(\w+)"\)', page.read_text())

    missing = [
        (file, name) for file, name in claims if f"def {name}(" not in (ROOT / file).read_text()
    ]

    assert len(claims) > 30
    assert missing == []
