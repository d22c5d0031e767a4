"""What is staged is the app and nothing else, and only when it would start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from framework.local import stage as staging
from framework.local.stage import ENTRY, StageError, check_vendored, main, stage
from tests.startup_cases import ADVANCES

ROOT = Path(__file__).resolve().parents[2]

FRAMEWORK = '''
class ConfigurationError(Exception):
    """The program is wrong."""


class App:
    """As much of an app as staging asks for."""

    def __init__(self, unmarked: str = "") -> None:
        self.unmarked = unmarked
        self.crons = {}
        self.queues = {}

    def prepare(self) -> None:
        if self.unmarked:
            raise ConfigurationError(f"{self.unmarked} names no guard")
'''

FILES = {
    "app.py": "from framework import App\nfrom routes import notes\n\napp = App()\n",
    "framework/__init__.py": FRAMEWORK,
    "framework/auth/__init__.py": "",
    "framework/cli.py": "",
    "framework/local/__init__.py": "",
    "framework/local/asgi.py": "import uvicorn\n",
    "framework/py.typed": "",
    "framework/testing.py": "",
    "framework/workers/__init__.py": "def entrypoint(app): ...\n",
    "routes/__init__.py": "",
    "routes/notes.py": "",
    "routes/deep/er.py": "",
}

STAGED = (
    "app.py",
    "framework/__init__.py",
    "framework/workers/__init__.py",
    "routes/__init__.py",
    "routes/deep/er.py",
    "routes/notes.py",
    "worker.py",
)

JUNK = (
    ".venv/lib/thing.py",
    "bench/peer.py",
    "framework/__pycache__/__init__.cpython-311.pyc",
    "node_modules/thing/setup.py",
    "python_modules/msgspec/__init__.py",
    "routes/.hidden/notes.py",
    "routes/.notes.py",
    "routes/conftest.py",
    "routes/deep/notes_test.py",
    "routes/deep/test_notes.py",
    "routes/tests/helper.py",
    "tests/test_app.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        write(tmp_path, name, content)
    return tmp_path


def write(root: Path, name: str, content: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)


def staged_files(root: Path) -> tuple[str, ...]:
    folder = root / "build" / "worker"
    files = (file for file in folder.rglob("*") if file.is_file())
    return tuple(sorted(file.relative_to(folder).as_posix() for file in files))


def test_only_the_app_is_staged(root: Path) -> None:
    for name in JUNK:
        write(root, name, "")

    staged = stage(root)

    assert staged.files == STAGED
    assert staged_files(root) == STAGED
    assert (root / "build/worker/worker.py").read_text() == ENTRY


def test_a_folder_above_the_project_may_be_hidden_or_called_tests(tmp_path: Path) -> None:
    root = tmp_path / ".hidden" / "tests"
    for name, content in FILES.items():
        write(root, name, content)

    assert stage(root).files == STAGED


def test_what_the_import_check_says_is_read_whatever_the_terminal_has(root: Path) -> None:
    write(root, "app.py", 'raise ValueError("日本")\n')
    environ = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = subprocess.run(
        [sys.executable, staging.__file__, str(root)], env=environ, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.endswith(r"ValueError: \u65e5\u672c" + "\n")  # as it can be shown there


def test_the_app_is_staged_as_it_is_and_the_framework_without_comments(root: Path) -> None:
    app = '"""Kept."""\n' + FILES["app.py"] + "# kept\n"
    write(root, "app.py", app)

    stage(root)

    staged = (root / "build/worker/framework/__init__.py").read_text()
    assert (root / "build/worker/app.py").read_text() == app
    assert "The program is wrong" not in staged
    assert staged.count("\n") == FRAMEWORK.count("\n")


DESCRIBED = """
import sys
sys.path.insert(0, sys.argv[1])
import app, framework.openapi, msgspec
document = framework.openapi.describe(app.app, title="", version="")
print(framework.__file__, msgspec.json.encode(document).hex())
"""


def test_the_staged_app_describes_itself_as_the_app_does(tmp_path: Path) -> None:
    for name in ("framework", "routes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "app.py", tmp_path)
    folder = stage(tmp_path).folder

    places, documents = [], []
    for place in (tmp_path, folder):
        command = [sys.executable, "-I", "-B", "-c", DESCRIBED, str(place)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        file, document = ran.stdout.split()
        places.append(Path(file).parents[1])
        documents.append(document)

    assert places == [tmp_path, folder]
    assert documents[0] == documents[1]


def test_an_app_that_can_not_describe_itself_is_not_staged(root: Path) -> None:
    write(root, "framework/openapi.py", "def describe(app, title, version): raise ValueError(app)")
    stage(root)
    write(root, "routes/docs.py", "def show():\n    from framework.openapi import describe")

    with pytest.raises(StageError, match=r"ValueError: <framework\.App"):
        stage(root)


def test_what_is_staged_is_measured(root: Path) -> None:
    staged = stage(root)

    files = [root / "build/worker" / name for name in staged.files]
    assert staged.size == sum(file.stat().st_size for file in files)
    assert 0 < staged.compressed < staged.size


@pytest.mark.parametrize("name", ["app.py", "routes/notes.py"])
@pytest.mark.parametrize(
    "switch",
    ["", "# App(check_answers=True)\n", "\nfrom framework.answer_check import check\n"],
    ids=["off", "on", "imported"],
)
def test_what_checks_answers_is_staged_where_the_app_says_its_name(
    root: Path, name: str, switch: str
) -> None:
    late = "\ndef check():\n    from framework.answer_check import check\n"
    write(root, "framework/__init__.py", f"{FRAMEWORK}{late}")
    write(root, "framework/answer_check.py", "from framework.beside import check\n")
    write(root, "framework/beside.py", "check = print\n")
    write(root, name, f"{FILES[name]}{switch}")

    checking = {"framework/answer_check.py", "framework/beside.py"} if switch else set()
    assert {*stage(root).files} == {*STAGED} | checking


def test_what_is_no_module_is_left_out_and_said(root: Path) -> None:
    write(root, "routes/page.html", "")

    staged = stage(root)

    assert staged.left_out == ("routes/page.html",)
    assert staged.files == STAGED
    assert "routes/page.html" in str(staged)


def test_nothing_stays_of_the_stage_before(root: Path) -> None:
    for name in ("build/worker/old.py", "build/worker.new/older.py"):
        write(root, name, "")

    stage(root)

    assert staged_files(root) == STAGED
    assert [folder.name for folder in (root / "build").iterdir()] == ["worker"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("app.py", "app = App(", r'File "app.py", line 1(?s:.*)SyntaxError'),
        ("routes/unused.py", "def", r'File "routes/unused.py", line 1(?s:.*)SyntaxError'),
        (
            "routes/notes.py",
            "import bench",
            r'File "routes/notes.py", line 1(?s:.*)No module named',
        ),
        (
            "routes/notes.py",
            "import framework.local",
            r"No module named 'framework.local'|framework.local came from .* which is not staged",
        ),
        ("app.py", "", "app.py has nothing named app"),
        ("app.py", "class Router: ...\napp = Router()", "app in app.py is no App, but a Router"),
        ("app.py", "def app(): ...", "app in app.py is no App, but a function"),
        ("app.py", "from framework import App\napp = App('GET /oops')", "GET /oops names no guard"),
        ("routes/notes.py", "import import_check", "No module named 'import_check'"),
        ("routes/notes.py", "import os; os.urandom(8)", "randomness is not allowed"),
        ("routes/notes.py", "import random; random.random()", "randomness is not allowed"),
        ("routes/notes.py", "import random; random.choice('ab')", "randomness is not allowed"),
        ("routes/notes.py", "import secrets; secrets.token_hex()", "randomness is not allowed"),
        ("routes/notes.py", "import uuid; uuid.uuid4()", "randomness is not allowed"),
        ("routes/notes.py", "import time; time.time()", "the clock stands still"),
        ("routes/notes.py", "from time import monotonic; monotonic()", "the clock stands still"),
    ],
)
def test_an_app_that_would_not_start_is_not_staged(
    root: Path, name: str, content: str, reason: str
) -> None:
    stage(root)
    write(root, name, content)

    with pytest.raises(StageError, match=reason):
        stage(root)

    assert list((root / "build").iterdir()) == []


def test_a_module_that_is_no_utf8_is_not_staged(root: Path) -> None:
    (root / "routes" / "notes.py").write_bytes(b"\n\n\nname = '\xe9'\n")

    with pytest.raises(StageError, match=r'File "routes/notes.py"(?s:.*)SyntaxError'):
        stage(root)


def test_what_can_not_be_removed_is_not_staged_over(root: Path) -> None:
    write(root, "build/worker", "")

    with pytest.raises(StageError, match="worker can't be removed"):
        stage(root)


MAIN = (
    'wrangler.toml: {}main is "app.py", and wrangler would upload all that stands beside it:'
    ' write main = "build/worker/worker.py"'
)


@pytest.mark.parametrize(
    ("files", "heading", "last"),
    [
        (
            {"app.py": "import helper", "helper.py": ""},
            "the app does not import as it would in the Worker",
            "only app.py and routes/ are staged: move helper.py into routes/",
        ),
        (
            {"app.py": "import flask_pages", "flask_pages.py": ""},
            "the app does not import as it would in the Worker",
            "only app.py and routes/ are staged: move flask_pages.py into routes/",
        ),
        (
            {"routes/notes.py": "from lib.deep import x", "lib/deep.py": ""},
            "the app does not import as it would in the Worker",
            "only app.py and routes/ are staged: move lib/ into routes/",
        ),
        (
            {"routes/notes.py": "open('routes/page.html')", "routes/page.html": ""},
            "the app does not import as it would in the Worker",
            "only modules are uploaded: put what is in routes/page.html into one",
        ),
        (
            {
                "routes/notes.py": "import pathlib\npathlib.Path(__file__).with_name('a.txt').read_text()",
                "routes/a.txt": "",
            },
            "the app does not import as it would in the Worker",
            "only modules are uploaded: put what is in routes/a.txt into one",
        ),
        (
            {"routes/notes.py": "open('/absent')"},
            "the app does not import as it would in the Worker",
            "FileNotFoundError: [Errno 2] No such file or directory: '/absent'",
        ),
        (
            {"routes/notes.py": "from routes import nothing_here"},
            "the app does not import as it would in the Worker",
            "ImportError: cannot import name 'nothing_here' from 'routes' (routes/__init__.py)",
        ),
        (
            {"routes/notes.py": "import routes.tests.helper", "routes/tests/helper.py": ""},
            "the app does not import as it would in the Worker",
            "tests and what is hidden are not staged: give routes/tests/ another name",
        ),
        (
            {"app.py": "from routes import test_results", "routes/test_results.py": ""},
            "the app does not import as it would in the Worker",
            "tests and what is hidden are not staged: give routes/test_results.py another name",
        ),
        (
            {"app.py": "import absent"},
            "the app does not import as it would in the Worker",
            "ModuleNotFoundError: No module named 'absent'",
        ),
        (
            {"app.py": "raise ImportError('without a name')"},
            "the app does not import as it would in the Worker",
            "ImportError: without a name",
        ),
        (
            {"app.py": "raise SystemExit"},
            "the app does not import as it would in the Worker",
            "SystemExit",
        ),
        (
            {
                "framework/openapi.py": "def describe(app, title, version): raise ValueError('x')",
                "routes/docs.py": "def show():\n    from framework.openapi import describe",
            },
            "the app can't be described, as it would be when asked for its OpenAPI document",
            "ValueError: x",
        ),
        (
            {
                "framework/openapi.py": "def describe(app, title, version): ...",
                "routes/docs.py": "def show():\n    from framework.openapi import describe",
                "routes/notes.py": ADVANCES,
            },
            "the app does not import as it would in the Worker",
            "RuntimeError: random: randomness is not allowed while a Worker is starting: draw it in"
            " the request",
        ),
        (
            {"wrangler.toml": '[triggers]\ncrons = ["* * * * *"]'},
            "the app and wrangler.toml do not name the same crons and queues",
            "wrangler.toml triggers the cron '* * * * *', and no function runs at it:"
            " @app.cron('* * * * *')",
        ),
        (
            {"wrangler.toml": '[triggers]\ncrons = "* * * * *"'},
            'wrangler.toml: [triggers] crons is no list of schedules: write crons = ["* * * * *"]',
            'wrangler.toml: [triggers] crons is no list of schedules: write crons = ["* * * * *"]',
        ),
        ({"wrangler.toml": 'main = "app.py"'}, MAIN.format(""), MAIN.format("")),
        (
            {"wrangler.toml": 'main = "./build/worker/worker.py"\n[env.staging]\nmain = "app.py"'},
            MAIN.format("env.staging."),
            MAIN.format("env.staging."),
        ),
    ],
    ids=[
        "module",
        "module called as a package",
        "package",
        "file",
        "file beside a module",
        "file elsewhere",
        "name",
        "tests",
        "test",
        "absent",
        "unnamed",
        "exit",
        "OpenAPI",
        "chance, beside OpenAPI",
        "cron",
        "settings",
        "main",
        "main of an environment",
    ],
)
def test_what_is_wrong_has_its_own_heading(
    root: Path, files: dict[str, str], heading: str, last: str
) -> None:
    for name, content in files.items():
        write(root, name, content)

    with pytest.raises(StageError) as caught:
        stage(root)

    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1]) == (heading, last)


@pytest.mark.parametrize("cause", ["", " from cause", " from None"])
def test_what_was_raised_last_is_said(root: Path, cause: str) -> None:
    tries = f"try:\n  {{}}['canary']\nexcept KeyError as cause:\n  raise ValueError('x'){cause}"
    write(root, "app.py", tries)

    with pytest.raises(StageError) as caught:
        stage(root)

    assert str(caught.value).splitlines()[-1] == "ValueError: x"
    assert "KeyError: 'canary'" not in str(caught.value)


def test_routes_that_are_one_module_are_to_be_a_folder(root: Path) -> None:
    shutil.rmtree(root / "routes")
    write(root, "routes.py", "notes = 1")

    with pytest.raises(StageError) as caught:
        stage(root)

    last = str(caught.value).splitlines()[-1]
    assert last == "only app.py and routes/ are staged: move routes.py into routes/"


def test_a_linked_folder_is_said_to_be_one(root: Path) -> None:
    write(root, "shared/names.py", "")
    (root / "routes" / "shared").symlink_to(root / "shared", target_is_directory=True)
    write(root, "app.py", "import routes.shared.names")

    with pytest.raises(StageError) as caught:
        stage(root)

    last = str(caught.value).splitlines()[-1]
    assert (
        last == "folders that are links are not staged: put a copy in the place of routes/shared/"
    )


def test_syntax_that_this_python_may_lack_has_the_command_for_one_that_has_it(root: Path) -> None:
    write(root, "routes/notes.py", "def")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    advice = f"if that is newer than Python {here}: remove .venv, then `make dev PYTHON=python3.14`"

    with pytest.raises(StageError) as caught:
        stage(root)

    lines = str(caught.value).splitlines()
    said = [] if sys.version_info >= (3, 14) else [advice]  # the Worker's
    assert lines[lines.index("SyntaxError: invalid syntax") + 1 :] == said


def test_syntax_that_no_python_takes_has_no_command_for_another(root: Path) -> None:
    write(root, "routes/notes.py", "def show(c):\n return await c.request.bytes()")

    with pytest.raises(StageError) as caught:
        stage(root)

    assert str(caught.value).splitlines()[-1] == "SyntaxError: 'await' outside async function"


LACKS = "the app asks for what the Worker does not have"


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("from framework.local.asgi import serve", "framework.local.asgi is not staged"),
        ("from framework.local import asgi", "framework.local is not staged"),
        ("import framework.testing", "framework.testing is not staged"),
        ("from routes.tests import helper", "routes.tests is not staged"),
        ("from routes.gone import x", "there is no routes.gone"),
        ("from routes import gone", "there is no gone in routes"),
        ("from .gone import x", "there is no routes.gone"),
        ("from . import notes, gone", "there is no gone in routes"),
        ("from .arguments import unused", "there is no unused in routes.arguments"),
        ("from app import other", "there is no other in app"),
        ("with open('x'):\n  import routes.gone", "there is no routes.gone"),
        ("def inner():\n  import routes.gone", "there is no routes.gone"),
        ("try:\n  import routes.gone\n finally: ...", "there is no routes.gone"),
        ("if c is None:\n  raise ValueError\n import routes.gone", "there is no routes.gone"),
        ("from routes.deep import gone", "there is no gone in routes.deep"),
        ("from ..app import app", "..app is beyond the top-level package"),
        (
            "...\nif show:\n def choose():\n  return 1\ndef later():\n import routes.gone",
            "there is no routes.gone",
        ),
    ],
)
def test_what_a_function_imports_has_to_be_staged(root: Path, statement: str, fault: str) -> None:
    write(root, "routes/tests/helper.py", "")
    write(root, "routes/arguments.py", "def check(unused): ...\ncheck(unused=1)\n")
    write(root, "routes/notes.py", f"async def show(c):\n {statement}\n")

    with pytest.raises(StageError) as caught:
        stage(root)

    heading, line = str(caught.value).splitlines()
    assert heading == LACKS
    assert re.fullmatch(rf"routes/notes\.py:\d: {re.escape(fault)}", line)
    assert staged_files(root) == ()


@pytest.mark.parametrize(
    ("file", "statement", "fault"),
    [
        ("app.py", "from .routes import notes", ".routes is beyond the top-level package"),
        ("app.py", "from . import routes", ". is beyond the top-level package"),
        ("routes/deep/er.py", "from ....app import app", "....app is beyond the top-level package"),
        ("routes/deep/er.py", "from .. import gone", "there is no gone in routes"),
        ("routes/deep/er.py", "from ..notes import gone", "there is no gone in routes.notes"),
    ],
)
def test_what_a_function_imports_is_looked_for_from_its_folder(
    root: Path, file: str, statement: str, fault: str
) -> None:
    write(root, file, FILES[file] + f"def show():\n {statement}\n")
    line = FILES[file].count("\n") + 2

    with pytest.raises(StageError) as caught:
        stage(root)

    assert str(caught.value).splitlines() == [LACKS, f"{file}:{line}: {fault}"]


@pytest.mark.parametrize(
    "source",
    [
        "def show():\n from framework import App, ConfigurationError",
        "def show():\n from framework.auth import anything",
        "def show():\n from routes import deep\n import routes.deep.er",
        "def show():\n from .deep import er\n from .deep.er import x",
        "def show():\n from app import app",
        "from framework import *\nfrom routes.deep.names import *\nfrom .deep.names import *",
        "def show():\n import routes.notes",
        "def show():\n from routes.deep.made import made",
        "def show():\n from routes.deep.later import made",
        "def show():\n from routes.deep.names import os\n from routes.deep.names import settings\n"
        " from routes.deep.names import others\n from routes.deep.inside import made",
        "from .hashlib import scrypt\ndef show():\n scrypt()",
        "def show(c):\n if c:\n  import routes.gone",
        "def show(c):\n if c:\n  return 1\n import routes.gone",
        "def show(c):\n with c:\n  if c:\n   return 1\n  import routes.gone",
        "async def show(c):\n if c:\n  return 1\n import routes.gone\n"
        "def choose(c):\n with c:\n  with c:\n   if c:\n    return 1\n import routes.gone\n"
        "async def leave(c):\n async with c.suppress():\n  import routes.gone",
        "def show(c):\n with c:\n  if c:\n   return 1\n import routes.gone",
        "def show():\n try:\n  import routes.gone\n except ImportError: ...",
        "def show():\n try:\n  import routes.gone\n except* ImportError: ...",
        "def show():\n with suppress(ImportError):\n  import routes.gone",
        "def show(c):\n with c, suppress(ImportError):\n  import routes.gone",
        "def show(c):\n match c:\n  case 1:\n   import routes.gone",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n import framework.testing",
        "if __name__ == '__main__':\n from framework.local import asgi",
        "TEXT = " + " + ".join(["'a'"] * 1500),
    ],
)
def test_what_is_there_and_what_may_be_for_this_machine_alone_is_staged(
    root: Path, source: str
) -> None:
    write(root, "framework/auth/__init__.py", "from framework import *")
    write(root, "routes/deep/er.py", "def __getattr__(name): ...")
    write(root, "routes/deep/inside.py", "locals().update(made=1)")
    write(
        root,
        "routes/deep/names.py",
        "import os.path\nimport json as settings\nmatch {'a': 1}:\n case {**others}: pass\n",
    )
    write(root, "routes/deep/made.py", "vars().update(made=1)")
    write(root, "routes/deep/later.py", "globals().update(made=1)")
    write(root, "routes/hashlib.py", "def scrypt(): ...")
    write(root, "routes/notes.py", source)

    assert set(stage(root).files) >= {"routes/notes.py"}


NOT_UPLOADED = (
    "pytest is installed here and not in python_modules/, so it is not uploaded: add its package to"
    " dependencies in pyproject.toml, then `pywrangler sync`"
)
ZONES = (
    "the Worker has no time zones: add tzdata to dependencies in pyproject.toml, then"
    " `pywrangler sync`"
)
OPENSSL = (
    "the Worker's hashlib has no pbkdf2_hmac and no scrypt: for passwords, framework.auth has"
    " hash_password and verify_password"
)
THREADS = (
    "can't start new thread: the Worker has none, so await what takes long, or c.wait_until it"
)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import pytest", f"1: {NOT_UPLOADED}"),
        ("def show():\n import pytest.other as other", f"2: {NOT_UPLOADED}"),
        ("def show():\n from pytest import fail", f"2: {NOT_UPLOADED}"),
        ("def show():\n import curses", "2: the Worker's Python has no curses"),
        ("def show():\n import winreg", "2: the Worker's Python has no winreg"),
        ("def show():\n import cgi", "2: the Worker's Python has no cgi"),
        (
            "from zoneinfo import ZoneInfo as Zone\ndef show():\n return Zone('Europe/Berlin')",
            f"3: {ZONES}",
        ),
        ("import hashlib as h\ndef show():\n return h.scrypt(b'')", f"3: {OPENSSL}"),
        ("def show():\n import hashlib\n hashlib.pbkdf2_hmac('sha256')", f"3: {OPENSSL}"),
        ("from threading import Thread\ndef show():\n Thread().start()", f"3: {THREADS}"),
        (
            "from concurrent import futures\ndef show():\n futures.ThreadPoolExecutor()",
            f"3: {THREADS}",
        ),
        (
            "import subprocess\ndef show():\n subprocess.run(['ls'])",
            "3: the Worker starts no other program",
        ),
    ],
)
def test_what_the_worker_lacks_is_refused(root: Path, source: str, fault: str) -> None:
    write(root, "python_modules/msgspec/__init__.py", "")
    write(root, "routes/notes.py", source)

    with pytest.raises(StageError) as caught:
        stage(root)

    assert str(caught.value).splitlines() == [LACKS, f"routes/notes.py:{fault}"]
    assert staged_files(root) == ()


EARLY = """
import concurrent.futures
import concurrent.futures as pools

def early(c):
    if c:
        return 1

def show():
    import routes.gone
    concurrent.futures.ThreadPoolExecutor()
    pools.ThreadPoolExecutor()
"""


def test_what_stands_after_a_function_that_may_return_early_is_read(root: Path) -> None:
    write(root, "routes/notes.py", EARLY)

    with pytest.raises(StageError) as caught:
        stage(root)

    said = ["10: there is no routes.gone", f"11: {THREADS}", f"12: {THREADS}"]
    lines = str(caught.value).splitlines()
    assert lines == [LACKS, *(f"routes/notes.py:{each}" for each in said)]


@pytest.mark.parametrize(
    ("source", "last"),
    [
        ("from zoneinfo import ZoneInfo; ZoneInfo('Europe/Berlin')", ZONES),
        ("import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 1)", OPENSSL),
        ("from hashlib import scrypt", OPENSSL),
        ("from threading import Thread; Thread().start()", f"RuntimeError: {THREADS}"),
    ],
)
def test_what_the_worker_lacks_fails_at_import_as_it_would_there(
    root: Path, source: str, last: str
) -> None:
    write(root, "python_modules/msgspec/__init__.py", "")
    write(root, "routes/notes.py", source)

    with pytest.raises(StageError) as caught:
        stage(root)

    lines = str(caught.value).splitlines()
    assert lines[0] == "the app does not import as it would in the Worker"
    assert lines[-1] == last


@pytest.mark.parametrize(
    "source",
    [
        "import pytest",
        "import tzdata_is_there\nfrom zoneinfo import ZoneInfo\ndef show():\n ZoneInfo('UTC')",
        "try:\n import uvicorn\nexcept ImportError:\n uvicorn = None\ndef show():\n uvicorn.run()",
        "import asyncio, hashlib\ndef show():\n hashlib.sha256(); return asyncio.to_thread(print)",
        "import hashlib\ndef show():\n if hasattr(hashlib, 'scrypt'):\n  hashlib.scrypt(b'')",
        "import hashlib\ndef show(c):\n hashlib.scrypt(b'') if c else 0\n c and hashlib.scrypt(b'')",
    ],
)
def test_what_is_uploaded_or_may_be_for_this_machine_alone_may_be_asked_for(
    root: Path, source: str
) -> None:
    for name in ("msgspec", "pytest", "tzdata"):
        write(root, f"python_modules/{name}/__init__.py", "")
    write(root, "routes/notes.py", source.replace("import tzdata_is_there\n", ""))

    assert stage(root).files == STAGED


def test_packages_are_compared_where_there_is_something_to_compare_with(root: Path) -> None:
    write(
        root, "routes/notes.py", "import pytest, zoneinfo\ndef show():\n zoneinfo.ZoneInfo('UTC')"
    )

    assert stage(root).files == STAGED


def test_where_a_library_crashes_is_said(root: Path) -> None:
    write(root, "routes/notes.py", "import os, signal\n\nos.kill(os.getpid(), signal.SIGSEGV)\n")

    with pytest.raises(
        StageError, match=r"Fatal Python error: Segmentation fault[^$]*notes.py\", line 3"
    ):
        stage(root)


ANSWERS = """
from __future__ import annotations
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol, TypedDict
from uuid import UUID
import msgspec
from framework import App, Context, public
from framework.response import Reply, Response

app = App(guard=public)

class Note(msgspec.Struct): ...
class Plain: ...
class Base: ...
@dataclass
class Child(Base): ...
class Shown(Protocol): ...
class Page(Response): ...
class Number: shown_as = "1"
class Text(str): ...
class Kind(Enum): A = "a"
class Pair(NamedTuple): a: int
class Row(TypedDict): a: int
class Mine(UUID): ...
class Rate(Enum): LOW = 0.5
@dataclass
class Made: a: InitVar[int]
if TYPE_CHECKING:
    from decimal import Decimal
class Price(msgspec.Struct): amount: Decimal
"""


def test_a_handler_that_returns_what_can_not_be_sent_is_not_staged(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    source, said = ANSWERS, ["a handler returns what cannot be sent"]
    returned = (
        *("Plain", "Plain | None", "list[Plain]", "dict[str, Plain]", "Annotated[Plain, 'a note']"),
        *("list[Plain | None]", "tuple[Plain, ...]", "set[Plain]", "frozenset[Plain]"),
        *("list[Annotated[Plain, 'a note']]", "deque[int]", "deque[Note] | None"),
    )
    for number, annotation in enumerate(returned):
        kind = "deque" if "deque" in annotation else "Plain"
        said.append(
            f"app.py:{source.count(chr(10)) + 1}: show returns a {kind}, which cannot be sent as JSON:"
            " make it a msgspec.Struct or a dataclass, or return a dict or a Response"
        )
        source += f"@app.get('/{number}')\nasync def show(c: Context) -> {annotation}: ...\n"
    write(tmp_path, "app.py", source)

    with pytest.raises(StageError) as caught:
        stage(tmp_path)

    assert str(caught.value).splitlines() == said


def test_what_is_no_type_is_no_annotation_of_what_is_returned(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    handlers = [
        f"@app.get('/{number}')\nasync def show{number}(c: Context) -> {annotation}: ...\n"
        for number, annotation in enumerate(["[Note]", "{}", "{str: int}"])
    ]
    write(tmp_path, "app.py", ANSWERS + "".join(handlers))

    with pytest.raises(StageError) as caught:
        stage(tmp_path)

    for number in range(3):
        assert f"show{number} returns what is no type: write list" in str(caught.value)


def test_a_handler_that_returns_what_may_be_sent_is_staged(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    source = ANSWERS
    returned = (
        *("Note", "Base", "Child", "Shown", "Page", "Number", "Text", "Kind"),
        *("Pair", "Row", "UUID", "Any", "Mine", "Rate", "Made", "Price", "list[Price]"),
        *("Hashable", "Iterable[int]", "Mapping[str, int]"),
        *(
            "object",
            "None",
            "str | None",
            "list[Note | datetime]",
            "Response | Note",
            "type[Plain]",
            "Literal['a']",
        ),
        *("Annotated[Response, Reply(Plain, 201)]", "Annotated[Note, Plain]", "msgspec.Raw"),
    )
    for number, annotation in enumerate(returned):
        source += f"\n@app.get('/{number}')\nasync def show(c: Context) -> {annotation}: ...\n"
    write(tmp_path, "app.py", source)

    assert "app.py" in stage(tmp_path).files


LATE = """
import sys
from framework import App, Context, Response, Router, public
from framework.errors import NotFound

print("starting")
sys.stdout.reconfigure(line_buffering=True)
app = App(guard=public)
notes = Router("/notes")

@notes.get("/:id")
async def show(c: Context, id: str) -> dict:
    rows = {rows}
    return rows[0]

@app.get("/")
async def index(c: Context) -> Response:
    return {returned}
"""


def test_what_fails_in_every_request_is_not_staged(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    rows = 'c.database().all(dict, "SELECT 1")'
    write(tmp_path, "app.py", LATE.format(rows=rows, returned="NotFound()"))

    with pytest.raises(StageError) as caught:
        stage(tmp_path)

    assert str(caught.value).splitlines() == [
        "the app imports, but this fails or does nothing when a request comes",
        "app.py:13: c.database().all(...) is not awaited: write await c.database().all(...)",
        "app.py:18: this handler returns NotFound: raise it",
    ]


LIMITED = """
from framework import App, Bindings, guard
from framework.auth import Hasher, Mailer, RateLimiter
from framework.database import Database
from framework.errors import TooManyRequests

class Limiters(Bindings):
    LIMITER: RateLimiter

@guard
async def now_and_then(bound: Limiters) -> None:
    if not bound.LIMITER.allows("all"):
        raise TooManyRequests

app = App(guard=now_and_then)

async def do(hasher: Hasher, mailer: Mailer) -> None:
    if hasher.verify("a", "b"):
        mailer.send(None, None)

async def keep(hasher: Hasher, db: Database) -> None:
    hasher.hash("a")
    db.run("DELETE FROM note")
    db.first(dict, "SELECT 1")
    db.batch([])
"""


def test_what_protocols_promise_is_awaited_in_what_is_staged(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    write(tmp_path, "app.py", LIMITED)

    with pytest.raises(StageError) as caught:
        stage(tmp_path)

    assert str(caught.value).splitlines()[1:] == [
        f"app.py:{line}: {called}(...) is not awaited: write await {called}(...)"
        for line, called in [
            (12, "bound.LIMITER.allows"),
            (18, "hasher.verify"),
            (19, "mailer.send"),
            (22, "hasher.hash"),
            (23, "db.run"),
            (24, "db.first"),
            (25, "db.batch"),
        ]
    ]


def test_what_may_be_meant_is_said_of_what_is_staged(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    rows = 'await c.database().all(dict, "SELECT titel FROM note")'
    source = LATE.format(rows=rows, returned="Response()")
    write(tmp_path, "app.py", f"{source}import asyncio\nlock = asyncio.Lock()\n")
    write(tmp_path, "schema.sql", "CREATE TABLE note (title TEXT);")
    line = 1 + source[: source.index(rows)].count("\n")

    assert stage(tmp_path).notes[1:] == (
        "app.py:9: notes is mounted nowhere, so its routes are 404: app.mount(notes)",
        f"app.py:{len(source.splitlines()) + 2}: lock is shared by requests, and the Worker ends a request"
        " that waits for another: make it in the handler, or let the database decide (docs/routing.md,"
        " Between requests)",
        f"app.py:{line}: no such column: titel (schema.sql), in SELECT titel FROM note",
    )


def test_an_auth_that_nothing_purges_is_said_of_what_is_staged(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    source = (
        "from framework import App\nfrom framework.auth import Auth\napp = App()\nauth = Auth()\n"
    )
    write(tmp_path, "app.py", source)
    write(tmp_path, "wrangler.toml", '[build]\ncommand = "kagari build"\n')

    [said] = stage(tmp_path).notes

    assert said.startswith("app.py:4: nothing calls auth.purge, ")


@pytest.mark.parametrize(
    ("names", "note"),
    [
        ([], "there is no wrangler.toml: no cron and no queue was compared with it"),
        (
            ["wrangler.jsonc"],
            "wrangler.jsonc is not read, only wrangler.toml is:"
            " no cron and no queue was compared with it",
        ),
        (
            ["wrangler.json", "wrangler.toml"],
            "wrangler reads wrangler.json before wrangler.toml, and Kagari does not:"
            " keep one of them",
        ),
        (["wrangler.toml"], None),
    ],
)
def test_settings_that_are_not_read_are_said(
    root: Path, names: list[str], note: str | None
) -> None:
    for name in names:
        write(root, name, "")

    lines = str(stage(root)).splitlines()

    assert lines[1:] == ([] if note is None else [note])


def test_others_may_read_the_clock_at_import(root: Path) -> None:
    write(root, "routes/notes.py", "import logging; logging.makeLogRecord({})")

    assert stage(root).files == STAGED


def test_where_nothing_can_be_written_the_reason_is_said(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "build", "a file, where the folder should be")

    assert main([str(root)]) == 1

    said = capsys.readouterr().err
    assert said.startswith("kagari build: the app can't be staged: [Errno ")
    assert str(root / "build") in said
    assert said.count("\n") == 1


def test_a_project_without_an_app_is_not_staged(root: Path) -> None:
    (root / "app.py").unlink()

    with pytest.raises(StageError, match=r"there is no app\.py"):
        stage(root)


def test_a_project_without_the_framework_is_not_staged(root: Path) -> None:
    shutil.rmtree(root / "framework")

    with pytest.raises(StageError) as caught:
        stage(root)

    assert str(caught.value) == (
        f"there is no framework/ in {root}, and what is uploaded is the copy beside app.py:"
        f" cp -r {str(ROOT / 'framework')!r} {str(root)!r}"
    )
    assert not (root / "build").exists()


def test_another_python_is_tried_when_this_one_lacks_the_packages(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = root / "python"
    bare.write_text("#!/bin/sh\nexit 3\n")
    bare.chmod(0o755)
    pythons = [bare, Path(sys.executable)]
    monkeypatch.setattr(staging, "_pythons", lambda _root: pythons)

    assert stage(root).files == STAGED
    pythons.pop()
    with pytest.raises(StageError, match="no Python here has the app's dependencies"):
        stage(root)


def test_the_environments_of_the_project_are_tried(root: Path) -> None:
    for name in (".venv/bin/python", ".venv-workers/bin/python"):
        write(root, name, "")

    assert list(staging._pythons(root)) == [
        Path(sys.executable),
        root / ".venv/bin/python",
        root / ".venv-workers/bin/python",
    ]


def test_the_command_says_what_it_staged(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, "wrangler.toml", "")

    assert main([str(root)]) == 0

    out = capsys.readouterr().out
    assert re.fullmatch(r"kagari build: .*worker: 7 modules, [\d.]+ KiB, [\d.]+ KiB gzipped\n", out)


def test_the_command_says_in_one_message_what_is_wrong(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "app.py", "from framework import App\n\napp = App(bad=1)\n")

    assert main([str(root)]) == 1

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[:3] == [
        "kagari build: the app does not import as it would in the Worker",
        "Traceback (most recent call last):",
        '  File "app.py", line 3, in <module>',
    ]
    assert str(root) not in shown.err


def test_wrangler_is_told_when_the_vendored_packages_are_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WRANGLER_COMMAND", "deploy")
    write(root, "framework/auth/passwords.py", "")
    write(root, "routes/notes.py", "from framework.auth import passwords")
    write(root, "python_modules/msgspec/__init__.py", "")

    assert main([str(root)]) == 1

    assert "lacks argon2, workers: `pywrangler sync`" in capsys.readouterr().err
    for name in ("argon2", "workers"):
        write(root, f"python_modules/{name}/__init__.py", "")
    check_vendored(root)


def test_an_app_without_accounts_needs_no_package_that_hashes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRANGLER_COMMAND", "deploy")
    write(root, "framework/auth/passwords.py", "import argon2")
    for name in ("msgspec", "workers"):
        write(root, f"python_modules/{name}/__init__.py", "")

    assert main([str(root)]) == 0


LACKS_ARGON2 = """
import importlib.util as util, runpy, sys
find = util.find_spec
util.find_spec = lambda name: None if name == "argon2" else find(name)
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.mark.parametrize(("asks", "code"), [(False, 0), (True, 3)], ids=["without", "with"])
def test_only_accounts_are_tried_under_a_python_with_argon2(
    root: Path, asks: bool, code: int
) -> None:
    write(root, "framework/auth/passwords.py", "")
    if asks:
        write(root, "routes/notes.py", "from framework.auth import passwords")
    staged = stage(root).folder
    command = [sys.executable, "-c", LACKS_ARGON2, str(staging.IMPORT_CHECK), str(staged)]
    command += staging.packages_of(staged)

    assert subprocess.run(command, cwd=root, check=False).returncode == code
