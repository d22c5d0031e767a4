"""The command does what it says, and says in one sentence why it cannot."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from openapi_spec_validator import validate
from pywrangler.utils import MIN_UV_VERSION, MIN_WRANGLER_VERSION

from framework.cli import main
from framework.local import loading
from framework.local.doctor import tools

ROOT = Path(__file__).parents[1]
TIMEOUT = 20.0

APP = '''
from framework import App, Context, Router, guard, public
from framework.slots import Slot

app = App()

@guard(statements=1)
async def authorized(c: Context) -> None:
    """Let everybody pass."""

@app.get("/", guard=public)
async def index() -> str:
    return "first"

notes = Router("/notes", guard=authorized)

@notes.on(["GET", "PUT"], "/:id{[0-9]+}", name="note")
async def show(id: int) -> int:
    return id

@notes.get("")
async def count(c: Context) -> int:
    return len(await c.database().all(dict, "SELECT * FROM note"))

class Notes:
    @staticmethod
    @notes.post("")
    async def add(c: Context) -> int:
        return await c.database().run("INSERT INTO note (text) VALUES (?)", c.env["TEXT"])

app.mount(notes)
'''
CRON = """
from framework import Job

@app.cron("17 3 * * *")
async def purge(job: Job) -> None:
    await job.database().run("INSERT INTO note (text) VALUES ('purged')")
"""
SETTINGS = """
[[d1_databases]]
binding = "DB"

[vars]
TEXT = "from vars"
"""
SCHEMA = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an application, and the current one; nothing imported from it stays."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "wrangler.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("KAGARI_DATABASE", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if name.partition(".")[0] in {"app", "routes"}
    }
    yield tmp_path
    sys.modules.pop("app", None)
    sys.modules.update(before)


# --- Listings ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
def test_routes_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "METHOD  PATH                GUARD       GUARD'S STATEMENTS  HANDLER",
        "GET     /                   public      0                   app.index",
        "GET     /notes              authorized  1                   app.count",
        "POST    /notes              authorized  1                   app.Notes.add",
        "GET     /notes/:id{[0-9]+}  authorized  1                   app.show",
        "PUT     /notes/:id{[0-9]+}  authorized  1                   app.show",
    ]


@pytest.mark.usefixtures("project")
def test_routes_are_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", "--json"]) == 0

    last = json.loads(capsys.readouterr().out)[-1]
    assert re.fullmatch(r"app\.py:\d+", last.pop("place"))
    assert last == {
        "method": "PUT",
        "path": "/notes/:id{[0-9]+}",
        "name": "note",
        "guard": "authorized",
        "statements": 1,
        "handler": "app.show",
    }


@pytest.mark.usefixtures("project")
def test_access_is_a_line_a_route(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "GET /  public  0",
        "GET /notes  authorized  1",
        "GET /notes/:id{[0-9]+}  authorized  1",
        "POST /notes  authorized  1",
        "PUT /notes/:id{[0-9]+}  authorized  1",
    ]


@pytest.mark.usefixtures("project")
def test_the_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi", "--title", "Notes", "--api-version", "1.2"]) == 0

    document = json.loads(capsys.readouterr().out)
    validate(document)
    assert document["info"] == {"title": "Notes", "version": "1.2"}
    assert document["paths"]["/notes"]["post"]["x-guard"] == "authorized"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_programs_read_is_utf_8_whatever_the_terminal_has(
    project: Path, encoding: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "framework.cli", "openapi", "--title", "Zoë 日本"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout.decode())["info"]["title"] == "Zoë 日本"


def test_what_a_terminal_cannot_show_is_written_in_ascii(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "app.py").write_text(APP.replace("index", "größe"), "utf-8")
    shown = BytesIO()
    terminal = TextIOWrapper(shown, "ascii")
    monkeypatch.setattr(shown, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)

    assert main(["routes"]) == 0

    terminal.flush()
    assert rb"app.gr\xf6\xdfe" in shown.getvalue()


def test_a_document_that_cannot_be_made_is_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "import msgspec",
        "from framework import App, public",
        "class A(msgspec.Struct): ...",
        "class B(msgspec.Struct): ...",
        "app = App()",
        "@app.get('/', guard=public)",
        "def show() -> dict[str, A | B]: ...",
    ]
    (project / "app.py").write_text("\n".join(lines))

    assert main(["openapi"]) == 1
    written = capsys.readouterr().err
    assert written.startswith("kagari openapi: OpenAPI cannot describe an answer. ")
    assert "app.A | app.B" in written


# --- What is wrong with an application -----------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from framework import App\nx = (", r"app\.py:2: SyntaxError: '\(' was never closed"),
        ("import nothing_here", r"app\.py:1: ModuleNotFoundError: No module named 'nothing_here'"),
        ("def f():\n    1 / 0\nf()", r"app\.py:2: ZeroDivisionError: division by zero"),
        ("raise SystemExit('bye')", r"app\.py:1: SystemExit: bye"),
        ("x = 1\0", r".*(Syntax|Value)Error: source code string cannot contain null bytes"),
        ("app = 1", r"app\.py: app is no App"),
        ("", r"app\.py: app is no App"),
        (
            "from framework import App\napp = App()\n@app.get('/x')\ndef x(): ...",
            r"app\.py:3: GET /x names no guard: .*",
        ),
        (
            "from framework import App, Router\nRouter('x')",
            r"app\.py:2: the prefix 'x' has to start with / .*",
        ),
    ],
    ids=[
        "syntax",
        "import",
        "error",
        "exit",
        "null byte",
        "no App",
        "empty",
        "unmarked route",
        "no place named",
    ],
)
def test_an_app_that_does_not_import_is_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], source: str, message: str
) -> None:
    (project / "app.py").write_text(source)

    assert main(["routes"]) == 1
    assert re.fullmatch(f"kagari routes: {message}\n", capsys.readouterr().err)


@pytest.mark.parametrize("arguments", [["openapi"], ["routes", "--json"]])
def test_what_an_import_prints_is_no_part_of_the_json(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (project / "app.py").write_text(f"print('here I am')\n{APP}")

    assert main(arguments) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert said.err == "here I am\n"


def test_a_null_byte_is_placed_where_it_is_imported(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "zeros.py").write_text("\0")
    (project / "app.py").write_text("\nimport zeros")

    assert main(["routes"]) == 1
    said = capsys.readouterr().err
    assert re.match(r"kagari routes: (app\.py:2|zeros\.py:\d): (Syntax|Value)Error: ", said)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("app", "'app' names no application: write MODULE:NAME, such as app:app"),
        ("elsewhere:app", "there is no module elsewhere in .*: say which with --app MODULE:NAME"),
        ("app:application", r"app\.py: application is no App"),
    ],
)
def test_a_target_that_is_not_there_is_one_sentence(
    capsys: pytest.CaptureFixture[str], target: str, message: str
) -> None:
    assert main(["access", "--app", target]) == 1
    assert re.fullmatch(f"kagari access: {message}\n", capsys.readouterr().err)


def test_another_folder_than_the_apps_is_one_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "app.py").rename(project / "main.py")
    elsewhere = [
        path for path in sys.path if not Path(path, "app.py").exists()
    ]  # not the reference app
    monkeypatch.setattr(sys, "path", elsewhere)

    assert main(["routes"]) == 1
    said = f"there is no module app in {project}: run kagari where app.py is, or say which with"
    assert capsys.readouterr().err == f"kagari routes: {said} --app MODULE:NAME\n"


def test_where_an_error_came_from_is_shown_when_asked(project: Path) -> None:
    (project / "app.py").write_text("1 / 0")

    with pytest.raises(Exception, match="ZeroDivisionError") as caught:
        main(["routes", "--traceback"])

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_place_of_a_mistake_may_be_on_a_drive(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a path has a colon of its own."""
    monkeypatch.setattr(loading, "_place", lambda _error: r"C:\shop\app.py:3")
    mistake = "from framework import ConfigurationError\nraise ConfigurationError('Can it be?')"
    (project / "app.py").write_text(mistake)

    assert main(["routes"]) == 1
    assert capsys.readouterr().err == "kagari routes: C:\\shop\\app.py:3: Can it be?\n"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("port", ["x", "-1", "٣"])
def test_a_port_is_a_number(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    port: str,
) -> None:
    monkeypatch.setenv("PORT", port)

    assert main(["dev"]) == 1
    assert capsys.readouterr().err == f"kagari dev: PORT is {port!r}, which is not a number\n"


@pytest.mark.usefixtures("project")
def test_a_port_in_use_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        assert main(["dev"]) == 1

    err = capsys.readouterr().err
    assert err.startswith(f"kagari dev: port {port} is in use: ")
    assert err.count("\n") == 1


# --- Serving -------------------------------------------------------------------------------------

HERE = ("-m", "framework.cli")
AS_ON_WINDOWS = (
    "-c",
    "from framework import cli; from framework.local import reloader, serve;"
    "reloader._INHERITS = serve._REUSES = False; cli.sys.exit(cli.main())",
)
"""Develops as on Windows, where no process is handed a socket: the way of it, not the system."""


@contextmanager
def started(
    project: Path,
    *arguments: str,
    stderr: int = subprocess.STDOUT,
    how: tuple[str, ...] = HERE,
    **environ: str,
) -> Iterator["subprocess.Popen[str]"]:
    """Run the command in a process of its own, and end it as Ctrl-C does."""
    process = subprocess.Popen(
        [sys.executable, *how, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environ},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    alarm = Timer(3 * TIMEOUT, process.kill)  # a line that never comes would be waited for
    alarm.start()
    with process:
        try:
            yield process
        finally:
            alarm.cancel()
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def line_with(process: "subprocess.Popen[str]", text: str) -> str:
    """Return the next line that has *text* in it."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise EOFError(text)


def ask(url: str, data: bytes | None = None) -> str:
    """Return the body of the answer, whatever its status."""
    try:
        with urlopen(Request(url, data), timeout=TIMEOUT) as response:
            return str(response.read().decode())
    except HTTPError as error:
        with error:
            return error.read().decode()


def serving(project: Path, *arguments: str, stderr: int = subprocess.STDOUT) -> Any:
    """Serve on any port, saying where in JSON."""
    return started(project, "serve", "--port", "0", "--json-ready", *arguments, stderr=stderr)


def url_of(process: "subprocess.Popen[str]") -> str:
    """Return where *process* serves."""
    return str(json.loads(line_with(process, '{"url"'))["url"])


def test_data_survives_a_restart_and_variables_are_bound(project: Path) -> None:
    arguments = ("--database", "data/notes.sqlite3", "--var", "TEXT:from: the line")
    for count in (0, 1):
        with serving(project, *arguments) as process:
            url = url_of(process)
            assert ask(f"{url}/notes") == str(count)
            assert ask(f"{url}/notes", b"") == "1"
            process.terminate()
            assert process.wait(TIMEOUT) == 0

    assert texts(project / "data/notes.sqlite3") == ["from: the line"] * 2


def test_what_requests_print_is_no_standard_output(project: Path) -> None:
    refused = {"Origin": "https://elsewhere.example"}
    with serving(project, stderr=subprocess.DEVNULL) as process:
        url = url_of(process)
        for _ in range(400):  # more than a pipe that nobody reads would take
            with pytest.raises(HTTPError) as answer:
                urlopen(Request(f"{url}/notes", b"", refused), timeout=TIMEOUT)
            answer.value.close()
        process.terminate()

        assert process.stdout is not None
        assert process.stdout.read() == ""


def texts(path: Path) -> list[str]:
    """Return what the notes in *path* say."""
    connection = sqlite3.connect(path)
    try:
        return [text for (text,) in connection.execute("SELECT text FROM note")]
    finally:
        connection.close()


def test_a_server_that_cannot_start_says_why(project: Path) -> None:
    (project / "app.py").write_text("x = (")

    with serving(project) as process:
        assert process.wait(TIMEOUT) == 1
        assert "app.py:1: SyntaxError" in line_with(process, "kagari serve:")


def test_a_server_says_at_its_start_what_a_build_would_refuse(project: Path) -> None:
    source = APP.replace("    return id", "    return ValueError()")
    (project / "app.py").write_text(source)

    with serving(project) as process:
        assert url_of(process)
        line = source[: source.index("ValueError")].count("\n") + 1
        said = line_with(process, "returns ValueError")
        assert said.endswith(f"app.py:{line}: this handler returns ValueError: raise it\n")


def test_a_cron_runs_now(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "app.py").write_text(APP + CRON)

    with started(project, "cron", "--database", "cron.sqlite3") as process:
        assert line_with(process, "ran") == "17 3 * * * ran\n"

    assert texts(project / "cron.sqlite3") == ["purged"]
    assert main(["cron", "0 0 * * *"]) == 1
    assert "no function runs at the cron '0 0 * * *'" in capsys.readouterr().err


FAILING_CRONS = [
    (
        'job.database().run("DELETE FROM absent")',
        r"D1_ERROR: no such table: absent.* Create the tables of that database[.] .* <BINDING> --local .*",
    ),
    ("job.database().run('DELETE\\n\\nFROM')", r"D1_ERROR: incomplete input: .* \[DELETE FROM\]"),
    ('job.database("ARCHIVE").run("")', r"the binding ARCHIVE is missing: .*"),
]


@pytest.mark.parametrize(("work", "message"), FAILING_CRONS, ids=["table", "syntax", "binding"])
def test_a_cron_that_its_database_fails_is_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], work: str, message: str
) -> None:
    purge = CRON.replace(
        """job.database().run("INSERT INTO note (text) VALUES ('purged')")""", work
    )
    (project / "app.py").write_text(APP + purge)

    assert main(["cron"]) == 1
    assert re.fullmatch(f"kagari cron: 17 3 [*] [*] [*]: {message}\n", last_line(capsys))


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the last line of the errors, which is all of them but what is logged at the start."""
    lines = capsys.readouterr().err.splitlines(keepends=True)
    assert not any("Traceback" in line for line in lines)
    return lines[-1]


WRONG = [
    (
        SETTINGS.replace("binding", "bindng"),
        "[[d1_databases]] has bindng, which is not read: write binding",
    ),
    (
        SETTINGS.replace("databases", "database"),
        "[[d1_database]] is not read: write [[d1_databases]]",
    ),
    (
        'd1_databases = "x"',
        'd1_databases is no list of tables: write [[d1_databases]] with binding = "DB"',
    ),
    ("vars = 5", 'vars is no table: write [vars] with NAME = "value"'),
]


@pytest.mark.parametrize(("settings", "said"), WRONG, ids=["key", "table", "list", "vars"])
@pytest.mark.parametrize("command", ["serve", "cron", "check", "build"])
def test_settings_that_are_wrong_are_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, settings: str, said: str
) -> None:
    (project / "wrangler.toml").write_text(settings)

    assert main([command]) == 1
    assert capsys.readouterr().err == f"kagari {command}: wrangler.toml: {said}\n"


def test_settings_that_are_wrong_are_mended_while_developing(project: Path) -> None:
    file = project / "wrangler.toml"
    file.write_text("vars = 5")
    with started(project, "dev", PORT="0") as process:
        assert line_with(process, "wrangler.toml").startswith("wrangler.toml: vars is no table: ")
        assert line_with(process, "waiting") == "waiting for a change\n"
        sleep(0.2)  # as below

        file.write_text(SETTINGS)
        assert line_with(process, "ready") == "ready again\n"


def test_what_is_bound_without_settings_is_said(project: Path) -> None:
    (project / "wrangler.toml").rename(project / "wrangler.jsonc")

    with started(project, "serve", "--port", "0", "--database", "a.sqlite3") as process:
        assert line_with(process, "wrangler") == (
            "wrangler.jsonc is not read, only wrangler.toml is:"
            " the binding DB is a.sqlite3, as if [[d1_databases]] named it\n"
        )


NEEDY = """
from typing import Any

from framework import App, Bindings, Context, public
from framework.credentials import bearer

class Needed(Bindings):
    CACHE: Any
    TEXT: str

app = App()

@app.get("/text", guard=public)
async def text(needed: Needed) -> str:
    return needed.TEXT

@app.get("/cache", guard=public)
async def cache(needed: Needed) -> str:
    return await needed.CACHE.get("a")

@app.get("/secret", guard=bearer("TOKEN"))
async def secret() -> int:
    return 1

@app.get("/table", guard=public)
async def table(c: Context) -> int:
    return len(await c.database().all(dict, "SELECT * FROM absent"))
"""


@pytest.mark.parametrize(
    ("path", "remedies"),
    [
        ("/cache", ["binds CACHE under [[kv_namespaces]]", "make worker"]),
        ("/secret", ["a line TOKEN=… in .dev.vars", "npx wrangler secret put TOKEN"]),
        ("/table", ["kagari dev applies schema.sql", "wrangler d1 execute <BINDING>"]),
    ],
)
def test_what_is_missing_is_said_with_the_remedy_that_fits_here(
    project: Path, path: str, remedies: list[str]
) -> None:
    (project / "app.py").write_text(NEEDY)
    (project / "wrangler.toml").write_text(f'{SETTINGS}[[kv_namespaces]]\nbinding = "CACHE"')

    with serving(project) as process:
        note = line_with(process, "not on the local server")
        url = url_of(process)
        assert ask(f"{url}/text") == "from vars"
        ask_with_token(f"{url}{path}")
        said = line_with(process, remedies[0])

    assert "CACHE ([[kv_namespaces]])" in note
    assert all(remedy in said for remedy in remedies)


def ask_with_token(url: str) -> None:
    """Ask for *url*, where an error is answered."""
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(url, headers={"authorization": "Bearer abc"}), timeout=TIMEOUT)
    with caught.value:
        assert caught.value.code >= 500


# --- Developing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [HERE, AS_ON_WINDOWS], ids=["here", "windows"])
def test_changes_are_served_and_mistakes_survived(project: Path, how: tuple[str, ...]) -> None:
    app = project / "app.py"
    with started(project, "dev", how=how, PORT="0", KAGARI_DATABASE="dev.sqlite3") as process:
        assert line_with(process, "/notes/:id").split() == [
            "GET",
            "/notes/:id{[0-9]+}",
            "authorized",
            "1",
            "app.show",
        ]
        url = line_with(process, "is served at").split()[-1].replace("localhost", "127.0.0.1")
        assert ask(url) == "first"
        sleep(0.2)  # the watcher begins while the server starts; nothing tells when it has

        app.write_text(APP.replace("first", "second"))
        assert line_with(process, "ready") == "ready again\n"
        assert ask(url) == "second"
        assert re.fullmatch(r"GET / 200 \d+ ms\n", line_with(process, "GET"))

        app.write_text("x = (")
        assert line_with(process, "SyntaxError") == "app.py:1: SyntaxError: '(' was never closed\n"
        assert line_with(process, "waiting") == "waiting for a change\n"
        assert ask(url).startswith("The application does not start")

        app.write_text(APP.replace("first", "third"))
        assert line_with(process, "ready") == "ready again\n"
        assert ask(url) == "third"

        kept = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        kept.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert kept.recv(100).startswith(b"HTTP/1.1 200")
        begun = monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 0
        assert monotonic() - begun < 5
        kept.close()


@pytest.mark.parametrize("how", [HERE, AS_ON_WINDOWS], ids=["here", "windows"])
def test_nothing_is_left_behind_by_a_killed_server(project: Path, how: tuple[str, ...]) -> None:
    with started(project, "dev", how=how, PORT="0") as process:
        url = line_with(process, "is served at").split()[-1].replace("localhost", "127.0.0.1")
        port = int(url.rpartition(":")[2])

        process.kill()
        process.wait(TIMEOUT)

        deadline = monotonic() + TIMEOUT
        while monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except ConnectionRefusedError:
                break
            sleep(0.05)
        else:
            pytest.fail("the child still listens")


def test_an_app_hears_of_ctrl_c_and_of_crashes(project: Path) -> None:
    said = "print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), faulthandler.is_enabled())"
    (project / "app.py").write_text(f"import faulthandler, signal\n{said}\n{APP}")
    with started(project, "dev", PORT="0") as process:
        assert line_with(process, "set") == "set() True\n"


def test_folders_that_come_and_go_are_noticed(project: Path) -> None:
    (project / "app.py").write_text(f"from words.docs.texts import GREETING\n{APP}")
    texts = 'GREETING = "hello"'
    with started(project, "dev", PORT="0") as process:
        assert line_with(process, "Module").startswith("app.py:1: ModuleNotFoundError: ")
        line_with(process, "waiting")
        sleep(0.2)  # as above

        (project / "words").mkdir()
        sleep(0.1)
        (project / "words/docs").mkdir()
        (project / "words/docs/texts.py").write_text(texts)
        assert line_with(process, "changed") == "words/docs/texts.py changed\n"
        assert line_with(process, "ready") == "ready again\n"

        (project / "words/docs").rename(project / "words/old")
        assert line_with(process, "Module").startswith("app.py:1: ModuleNotFoundError: ")
        (project / "words/old").rename(project / "words/docs")
        assert line_with(process, "ready") == "ready again\n"
        (project / "words/docs/texts.py").write_text("1 / 0")
        assert line_with(process, "Zero").startswith("words/docs/texts.py:1: ZeroDivisionError")


def test_folders_that_an_app_makes_for_itself_start_nothing_again(project: Path) -> None:
    (project / "app.py").write_text(
        f"import os, tempfile\nos.rmdir(tempfile.mkdtemp(dir='.'))\ntempfile.mkdtemp(dir='.')\n{APP}"
    )
    with started(project, "dev", PORT="0") as process:
        line_with(process, "Ctrl-C")
        sleep(1.5)
        (project / "app.py").write_text(APP)

        assert line_with(process, "changed") == "app.py changed\n"
        assert line_with(process, "ready") == "ready again\n"
        assert len([*project.glob("tmp*")]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are UTF-8")
def test_files_whose_names_are_no_text_end_no_server(project: Path) -> None:
    with started(project, "dev", PORT="0") as process:
        url = line_with(process, "is served at").split()[-1].replace("localhost", "127.0.0.1")

        for number in range(100):
            (project / os.fsdecode(b"%d\xff.png" % number)).touch()
            sleep(0.01)
        (project / "app.py").write_text(APP.replace("first", "second"))
        assert line_with(process, "changed") == "app.py changed\n"
        line_with(process, "ready")
        assert ask(url) == "second"


def test_an_import_without_an_end_is_told_and_outlives_nobody(project: Path) -> None:
    (project / "app.py").write_text("import time\n\nwhile True:\n    time.sleep(0.01)\n")

    with started(project, "dev", PORT="0") as process:
        said = line_with(process, "the import has taken")
        assert re.fullmatch(r"the import has taken \d seconds so far: app.py:[34]\n", said)
        begun = monotonic()
        process.kill()
        process.wait(TIMEOUT)
        assert process.stdout is not None
        assert process.stdout.read() == ""  # once the server, which writes there, has ended
        assert monotonic() - begun < TIMEOUT


def test_a_module_in_the_place_of_pythons_own_is_named(project: Path) -> None:
    with started(project, "dev", PORT="0") as process:
        line_with(process, "is served at")
        sleep(0.2)  # as above

        (project / "logging.py").touch()
        said = line_with(process, "the server ended")
        assert "; logging.py stands in the place of Python's own: " in said


def test_who_has_seen_enough_of_the_output_ends_no_server(project: Path) -> None:
    with started(project, "dev", stderr=subprocess.DEVNULL, PORT="0") as process:
        url = line_with(process, "is served at").split()[-1].replace("localhost", "127.0.0.1")
        assert process.stdout is not None
        process.stdout.close()
        sleep(0.2)  # as above

        (project / "app.py").write_text(APP.replace("first", "second"))
        deadline = monotonic() + TIMEOUT
        while ask(url) != "second":
            assert monotonic() < deadline
            sleep(0.05)


# --- Tools ---------------------------------------------------------------------------------------


def test_the_doctor_says_how_to_mend(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = project / "tools"
    tools.mkdir()
    for name, version in (("uv", "uv 0.13.3 (x)"), ("node", "v22.0.0")):
        (tools / name).write_text(f"#!/bin/sh\necho {version!r}\n")
        (tools / name).chmod(0o755)
    (project / "node_modules/wrangler").mkdir(parents=True)
    (project / "node_modules/wrangler/package.json").write_text('{"version": "4.127.0"}')
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setattr(sys, "executable", str(project / "bin/python"))

    assert main(["doctor"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"FAIL  uv 0\.13\.3 is older than 0\.13\.4: .*pip install \"uv>=.*", lines[0]
    )
    assert lines[1] == "ok    node 22.0.0"
    assert lines[2] == "FAIL  wrangler 4.127.0 is older than 4.127.1: npm ci"


def test_the_doctor_looks_beside_its_own_python_before_the_path(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, name, version in (
        ("bin", "uv", "uv 0.13.9"),
        ("bin", "node", "v24.1.0"),
        ("path", "node", "v18.0.0"),
    ):
        (project / folder).mkdir(exist_ok=True)
        (project / folder / name).write_text(f"#!/bin/sh\necho {version!r}\n")
        (project / folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(project / "path"))
    monkeypatch.setattr(sys, "executable", str(project / "bin/python"))

    main(["doctor"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["ok    uv 0.13.9", "ok    node 24.1.0"]


def test_the_doctor_misses_what_is_not_there(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project))
    monkeypatch.setattr(sys, "executable", str(project / "bin/python"))

    assert main(["doctor"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAIL  uv is missing (0.13.4 or newer): ")
    assert lines[1].startswith("FAIL  node is missing (22 or newer): ")
    assert lines[2] == "FAIL  wrangler is missing (4.127.1 or newer): npm ci"


@pytest.mark.parametrize("command", ["build", "check"])
def test_staging_where_there_is_no_app_is_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([command]) == 1
    assert capsys.readouterr().err == f"kagari {command}: there is no app.py in {tmp_path}\n"


def test_what_would_be_uploaded_is_listed_with_sizes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(
        "framework.local.stage.stage", lambda _: FakeStage(ROOT / "framework", ("__init__.py",))
    )

    assert main(["check"]) == 0
    size = (ROOT / "framework/__init__.py").stat().st_size
    assert capsys.readouterr().out == f"{size}  __init__.py\n1 module\n"


class FakeStage:
    """What staging returns; the real thing takes seconds and writes into the project."""

    def __init__(self, folder: Path, files: tuple[str, ...]) -> None:
        self.folder = folder
        self.files = files

    def __str__(self) -> str:
        return "1 module"


def test_the_doctor_asks_for_what_pywrangler_asks_for() -> None:
    lowest = {tool.name: tool.lowest for tool in tools()}

    assert lowest["uv"] == MIN_UV_VERSION
    assert lowest["wrangler"] == MIN_WRANGLER_VERSION


# --- Hashing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "module", "importer", "package"),
    [
        ("hash-cost", "argon2.low_level", "hash_cost", "argon2-cffi"),
        ("serve", "uvicorn.server", "serve", "uvicorn"),
        ("dev", "watchfiles", "reloader", "watchfiles"),
    ],
)
def test_a_package_that_is_not_installed_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    module: str,
    importer: str,
    package: str,
) -> None:
    monkeypatch.setenv("PORT", "0")  # whoever serves on this machine has the usual one
    monkeypatch.setitem(sys.modules, module, None)
    for name in {f"framework.local.{importer}", "framework.local.launch"}:
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert main([command]) == 1
    said = (
        f"this Python lacks {package}: use .venv/bin/kagari, which `make dev` makes, or pip install"
    )
    assert capsys.readouterr().err == f"kagari {command}: {said} {package}\n"


def test_what_a_hash_costs_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hash-cost", "--rounds", "1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    rows = [re.fullmatch(r"m=(\d+) t=(\d) p=1 +([\d.]+) MiB +([\d.]+) ms( +Kagari)?", line)
            for line in lines[1:6]]  # fmt: skip
    assert [(int(row[1]), int(row[2])) for row in rows if row] == [
        (47_104, 1),
        (19_456, 2),
        (12_288, 3),
        (9_216, 4),
        (7_168, 5),
    ]
    assert [float(row[3]) for row in rows if row] == [46.0, 19.0, 12.0, 9.0, 7.0]
    assert [bool(row[5]) for row in rows if row] == [False, True, False, False, False]
    assert all(float(row[4]) > 1 for row in rows if row)
    assert "10 ms a request may take on the free plan" in "\n".join(lines[6:])


@pytest.mark.parametrize("rounds", ["0", "-1", "x", "1001", "٣", "1" * 5000])
def test_rounds_are_a_small_number(capsys: pytest.CaptureFixture[str], rounds: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hash-cost", "--rounds", rounds])

    assert ended.value.code == 2
    assert "write a number from 1 to 1000" in capsys.readouterr().err
