"""All that is found says its place as the others do, and a check that fails ends nothing."""

from pathlib import Path

import pytest

from framework.local import mistakes
from framework.local.mistakes import find_mistakes
from tests.local.correct_programs import AUTH, HANDLER
from tests.local.imported_app import LINES, import_app


def test_places_are_those_of_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    router = "notes = Router('/notes')\n@notes.not_found\nasync def {0}(c: Context): ...\napp.mount(notes)\n"
    source = router.format("one") + router.format("other")
    app = import_app(monkeypatch, tmp_path, source)

    _, _, doubtful, _ = find_mistakes(app, tmp_path, tmp_path, None)

    first, second = LINES + 2, LINES + 6
    assert doubtful == [
        f"app.py:{second}: this not_found is never asked: app.py:{first} is, for all paths below /notes"
    ]


def test_what_nothing_purges_is_no_mistake_while_one_develops(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = import_app(monkeypatch, tmp_path, AUTH)

    *others, later = find_mistakes(app, tmp_path, tmp_path, {})

    assert others == [[], [], []]
    assert [said.partition(",")[0] for said in later] == [
        f"app.py:{LINES + 2}: nothing calls auth.purge"
    ]


def test_a_check_that_fails_says_so_and_the_others_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def find_nothing(*_: object) -> list[str]:
        raise RuntimeError("secret")

    monkeypatch.setattr(mistakes, "find_unescaped", find_nothing)
    app = import_app(monkeypatch, tmp_path, HANDLER.format("return NotFound()"))

    misused, _, doubtful, _ = find_mistakes(app, tmp_path, tmp_path, None)

    assert misused == [f"app.py:{LINES + 3}: this handler returns NotFound: raise it"]
    [said] = doubtful
    assert said.startswith("find_nothing of Kagari's ended with RuntimeError in ")
    assert said.endswith(": please report it")
