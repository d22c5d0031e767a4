"""What is watched is the code, and nothing that other programs fill."""

from pathlib import Path

import pytest

from framework.local.reloader import changed_names, is_watched, watched_folders


def test_code_is_watched_and_what_is_made_is_not(tmp_path: Path) -> None:
    for name in ("routes/deep", "framework", ".venv/lib", "node_modules/x", "build/worker"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "routes/__pycache__").mkdir()
    (tmp_path / "app.py").touch()

    folders = [path.relative_to(tmp_path).as_posix() for path in watched_folders(tmp_path)]

    assert folders == [".", "framework", "routes", "routes/deep"]


@pytest.mark.parametrize(
    ("name", "watched"),
    [
        ("app.py", True),
        ("schema.sql", True),
        ("wrangler.toml", True),
        (".dev.vars", True),
        (".app.py.swp", False),
        (".#app.py", False),
        ("app.pyc", False),
        ("dev.sqlite3", False),
        ("README.md", False),
    ],
)
def test_a_file_is_watched_by_its_name(name: str, watched: bool) -> None:
    assert is_watched(None, f"/project/{name}") is watched


def test_of_many_changes_a_few_are_named() -> None:
    changes = {(1, f"/app/m{number}.py") for number in range(300)}

    assert (
        changed_names(changes, Path("/app"))
        == "m0.py, m1.py, m10.py, m100.py, m101.py and 295 more"
    )


def test_a_folder_that_went_away_while_it_was_listed_holds_nothing(tmp_path: Path) -> None:
    assert watched_folders(tmp_path / "gone") == [tmp_path / "gone"]
