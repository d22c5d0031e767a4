"""What is watched is the code, and nothing that other programs fill."""

import sys
from pathlib import Path

import pytest

from framework.cli import main
from framework.local.reloader import (
    _KeeperOfPort,
    _stop,
    changed_names,
    is_watched,
    watched_folders,
)
from framework.local.serve import bind


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


# --- As on Windows, where a server is told to end by a connection ---------------------------------

SERVER = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[2].split(",")[2]))).recv(1)
except ConnectionError:
    sys.exit(7)
"""


def test_a_server_ends_itself_when_its_connection_does() -> None:
    keeper = _KeeperOfPort(bind(0))
    server = keeper.start([sys.executable, "-c", SERVER])

    _stop(server, keeper)

    assert server.returncode == 7


def test_a_server_that_comes_too_late_does_not_listen(capfd: pytest.CaptureFixture[str]) -> None:
    with bind(0) as ended:
        port = ended.getsockname()[1]

    assert main(["serve", "--supervised", f"ports,{port},{port}"]) == 0

    assert capfd.readouterr() == ("", "")
