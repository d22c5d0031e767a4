"""What is watched is the code, and nothing that other programs fill."""

import signal
import sys
from pathlib import Path

import pytest
from watchfiles import Change

from framework.cli import main
from framework.local.reloader import (
    _Filter,
    _Keeper,
    _KeeperOfPort,
    _stop,
    changed_names,
    is_watched,
    namesakes,
    watched_folders,
)
from framework.local.serve import bind


def test_code_is_watched_and_what_is_made_is_not(tmp_path: Path) -> None:
    for name in ("routes/docs", "framework", ".venv/lib", "node_modules/x", "build/worker"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "routes/__pycache__").mkdir()
    (tmp_path / "app.py").touch()
    (tmp_path / "env/lib").mkdir(parents=True)
    (tmp_path / "env/pyvenv.cfg").touch()

    folders = [path.relative_to(tmp_path).as_posix() for path in watched_folders(tmp_path)]

    assert folders == [".", "env", "framework", "routes", "routes/docs"]


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


@pytest.mark.parametrize(
    ("change", "name", "watched"),
    [
        (Change.added, "routes/new", True),
        (Change.added, "routes/tests", True),
        (Change.deleted, "routes/old", True),
        (Change.modified, "routes/new", False),
        (Change.added, "routes/__pycache__", False),
        (Change.added, "build", False),
        (Change.added, "routes/linked", False),
        (Change.added, "routes/notes", False),
        (Change.deleted, "routes/__pycache__", False),
        (Change.modified, "routes/a.py", True),
    ],
)
def test_a_folder_is_watched_as_it_comes_and_goes(
    tmp_path: Path, change: Change, name: str, watched: bool
) -> None:
    for folder in ("routes/new", "routes/tests", "routes/__pycache__", "build"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "routes/linked").symlink_to(tmp_path / "build")
    (tmp_path / "routes/notes").touch()
    lets_through = _Filter([tmp_path, tmp_path / "routes", tmp_path / "routes/old"])

    assert lets_through(change, str(tmp_path / name)) is watched


def test_what_is_called_as_a_module_of_python_is_named(tmp_path: Path) -> None:
    for name in ("app.py", "json.py", "email/__init__.py", "calendar/notes.txt", "types"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [said.partition(" ")[0] for said in namesakes(tmp_path)] == ["email", "json.py"]


def test_of_many_changes_a_few_are_named() -> None:
    changed = {f"/app/m{number}.py" for number in range(300)}

    assert (
        changed_names(changed, Path("/app"))
        == "m0.py, m1.py, m10.py, m100.py, m101.py and 295 more"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there it goes to the console's processes")
def test_ctrl_c_waits_until_the_server_can_take_it() -> None:
    source = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('here')"
    with bind(0) as listener:
        keeper = _Keeper(listener)
        child = keeper.start([sys.executable, "-c", source])
        assert child.wait(20) == 0
        keeper.close()

    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


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
