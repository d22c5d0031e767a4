"""Every Python block of the README and the docs runs, in order, one namespace a file."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from framework import fetching
from tests import reference

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run_blocks(document: Path) -> dict[str, Any]:
    text = document.read_text()
    names: dict[str, Any] = {"__name__": document.stem}
    for block in _BLOCK.finditer(text):
        lines_before = text[: block.start(1)].count("\n")
        source = "\n" * lines_before + block[1]
        exec(compile(source, str(document), "exec"), names)
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_python_blocks_run(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_provided", None)  # what a block provides ends with it

    run_blocks(document)


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


def test_every_claim_of_the_comparison_names_a_test_that_is_there() -> None:
    page = ROOT / "docs" / "comparison.md"
    claims = re.findall(r'\]\(\.\./(tests/[^ )]+\.py) "(\w+)"\)', page.read_text())

    missing = [
        (file, name) for file, name in claims if f"def {name}(" not in (ROOT / file).read_text()
    ]

    assert len(claims) > 30
    assert missing == []
