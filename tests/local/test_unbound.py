"""A database or a limiter that wrangler.toml binds nowhere keeps an app that asks for it from deployment."""

import shutil
import tomllib
from pathlib import Path

import pytest

import framework
from framework.cli import main
from framework.local.program import modules
from framework.local.scope import scopes_of
from framework.local.unbound import find_unbound
from tests.local.imported_app import LINES, import_app
from tests.test_cli import line_with, serving, url_of

ROOT = Path(framework.__file__).parents[1]

D1 = '[[d1_databases]]\nbinding = "DB"\n'
LIMITER = '[[ratelimits]]\nname = "LIMITER"\nsimple = { limit = 5, period = 10 }\n'
UNSAFE = '[[unsafe.bindings]]\nname = "LIMITER"\ntype = "ratelimit"\n'
NO_DB = '{}: wrangler.toml binds no D1 as DB: write [[d1_databases]] with binding = "DB"'
NO_LIMITER = (
    '{}: wrangler.toml binds no rate limiter as LIMITER: write [[ratelimits]] with name = "LIMITER"'
)

HANDLER = "@app.get('/')\nasync def show(c: Context):\n {}"
LOGS = "await c.database('LOGS').run('DELETE FROM log')"
HELPER = f"async def keep(c: Context):\n {LOGS}\n"
AUTH = "from framework.auth import Auth, RateLimiter\nauth = Auth()\n"
LIMITED = "from framework.auth import Auth, RateLimiter\nauth = Auth(rate_limiter='LIMITER')\n"
GUARDED = "@app.get('/', guard=auth.guard())\nasync def show(): ..."
ADMITTED = "admitted = {}.guard()\n@app.get('/', guard=admitted)\nasync def show(): ..."
BOUND = (
    "from framework.auth import RateLimiter\nclass Bound(Bindings):\n {}: {}\n"
    "@app.get('/')\nasync def show(bound: Bound): ..."
)
READS = "from framework.database import Result, statement\n" + (
    "@guard(reads=lambda c: statement('SELECT 1'), {})\nasync def may(c: Context, found: Result): ...\n"
    "@app.get('/', guard=may)\nasync def show(): ..."
)
STAGING = D1.replace("d1", "env.staging.d1")


def found(
    patch: pytest.MonkeyPatch, folder: Path, source: str, settings: str
) -> tuple[list[str], list[str]]:
    """Return what is refused in *source*, and what is only said."""
    app = import_app(patch, folder, source)
    shown = [*modules(folder)]
    return find_unbound(shown, scopes_of(shown, app), app, tomllib.loads(settings))


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        # bound
        (HANDLER.format("c.database()"), D1),
        (HANDLER.format("c.database('LOGS')"), D1.replace("DB", "LOGS")),
        (HANDLER.format("c.database('LOGS')"), '[[unsafe.bindings]]\nname = "LOGS"\ntype = "d1"'),
        (HANDLER.format("c.database(name='LOGS')"), D1.replace("DB", "LOGS")),
        (AUTH + GUARDED, D1),
        (AUTH.replace("()", "('LOGS')") + GUARDED, D1.replace("DB", "LOGS")),
        *((LIMITED + GUARDED, D1 + each) for each in (LIMITER, UNSAFE)),
        *((BOUND.format("LIMITER", "RateLimiter"), each) for each in (LIMITER, UNSAFE)),
        # Another Worker may be a limiter: a service has whatever methods that has.
        (BOUND.format("LIMITER", "RateLimiter"), '[[services]]\nbinding = "LIMITER"'),
        (BOUND.format("DB", "Database"), D1),
        # bound where it is deployed with --env, the top level being none that is
        (HANDLER.format("c.database()"), f"d1_databases = []\n{STAGING}"),
        (HANDLER.format("if c.env['KEEPS_LOGS']:\n  c.database()"), STAGING),
        # not known
        (HANDLER.format("name = 'LOGS'\n c.database(name)"), ""),
        ("NAMES = ['LOGS']\n" + HANDLER.format("c.database(*NAMES)"), ""),
        (HANDLER.format("c.database(c.env['NAME'])"), ""),
        (HANDLER.format("c.database('LO' + 'GS')"), ""),
        (HANDLER.format("print.database('LOGS')"), ""),
        (HANDLER.format("c = app\n c.database('LOGS')"), ""),
        (HANDLER.format("c.database(None)"), ""),
        (HANDLER.format("app.handle(c)"), ""),
        (
            "from framework import Job\nclass Purge:\n async def __call__(self, job: Job):\n"
            "  job.database('LOGS')\napp.cron('* * * * *')(Purge())",
            D1.replace("DB", "LOGS"),
        ),
        # asked for only if it is there
        (BOUND.format("logs", "Database | None = None"), ""),
        *((BOUND.format("a", f"{each} = None"), "") for each in ("Database", "RateLimiter")),
        (BOUND.format("limiter", "RateLimiter | None"), ""),
        (BOUND.format("logs", "Any"), ""),
        (
            "from framework.auth import Auth\nclass Own(Auth):\n def note(self, c): ...\n"
            "auth = Own('LOGS')\n" + HANDLER.format("auth.note(c)"),
            "",
        ),
        # not asked for
        (BOUND.format("DB", "Database").replace("@app.get('/')\n", ""), ""),
        (AUTH, ""),
        (AUTH + "async def purge(db: Database):\n await auth.purge(db)", ""),
        ("@guard\nasync def may(c: Context): ...\n" + GUARDED.replace("auth.guard()", "may"), ""),
        (READS.format("database='DB'").replace("guard=may", "guard=public"), ""),
    ],
)
def test_what_is_bound_or_cannot_be_known_is_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, settings: str
) -> None:
    source = f"from typing import Any\n{source}"

    assert found(monkeypatch, tmp_path, source, settings) == ([], [])


BUCKET = '[[r2_buckets]]\nbinding = "FILES"\nbucket_name = "files"\n'
STORED = (
    "from typing import Protocol\nclass Bucket(Protocol):\n async def get(self, key: str): ...\n"
)


def test_a_bucket_that_is_bound_by_nearly_that_name_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = STORED + BOUND.format("FILE", "Bucket")

    said = "wrangler.toml binds nothing as FILE, but FILES, which nothing asks for"
    line = LINES + len(source.splitlines())
    assert found(monkeypatch, tmp_path, source, BUCKET) == ([], [f"app.py:{line}: {said}"])


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        (BOUND.format("FILES", "Bucket"), BUCKET),
        (BOUND.format("FILE", "Bucket | None = None"), BUCKET),
        (BOUND.format("FILE", "Bucket"), BUCKET.replace("FILES", "IMAGES")),
        (
            BOUND.format("FILE", "Bucket")
            + "\n"
            + HANDLER.replace("'/'", "'/a'").format("c.env['FILES']"),
            BUCKET,
        ),
        (BOUND.format("FILE", "str"), BUCKET),
    ],
)
def test_a_bucket_that_may_be_bound_elsewhere_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, settings: str
) -> None:
    assert found(monkeypatch, tmp_path, STORED + source, settings) == ([], [])


@pytest.mark.parametrize(
    "source",
    [
        HANDLER.format(f"if c.env['KEEPS_LOGS']:\n  {LOGS}"),
        HANDLER.format(f"try:\n  {LOGS}\n except ConfigurationError:\n  pass"),
        HANDLER.format(f"if c.path == '/a':\n  return\n {LOGS}"),
        HELPER,
        HELPER + HANDLER.format("if c.env['KEEPS_LOGS']:\n  await keep(c)"),
        "logs = Router('/logs')\n" + HANDLER.replace("app", "logs").format(LOGS),
        HANDLER.format(f"if not c.env['KEEPS_LOGS']:\n  raise NotFound\n {LOGS}"),
        f"@guard\nasync def may(c: Context):\n {LOGS}",
        "def mount():\n pass\nif not mount:\n " + HANDLER.format(f" {LOGS}").replace("\n", "\n "),
        "async def layer(c: Context, call_next: Next):\n c.env = {'LOGS': c.database()}\n"
        " return await call_next()\napp.use(layer)\n" + HANDLER.format(LOGS),
        "@guard\nasync def may(c: Context):\n if 'LOGS' not in c.env: raise NotFound\n"
        + HANDLER.replace("'/'", "'/', guard=may").format(LOGS),
        HANDLER.format(f"while c.env.get('LOGS'):\n  {LOGS}"),
        "async def layer(c: Context, call_next: Next):\n c.env = c.app.env\n"
        " return await call_next()\napp.use(layer)\n" + HANDLER.format(LOGS),
        "class Site(App):\n async def handle(self, request, env, wait_until=None):\n"
        "  return await super().handle(request, {**env, 'LOGS': app}, wait_until)\n"
        "app = Site(guard=public)\n" + HANDLER.format(LOGS),
    ],
    ids=[
        *(
            "if",
            "try",
            "return",
            "unused",
            "used below if",
            "unmounted",
            "raise",
            "guard",
            "module",
        ),
        *("env", "asked by a guard", "asked by get", "another env", "given"),
    ],
)
def test_what_another_deployment_may_reach_is_only_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    line = LINES + source[: source.index("c.database('LOGS')")].count("\n") + 1

    assert found(monkeypatch, tmp_path, source, D1) == (
        [],
        [
            f"app.py:{line}: wrangler.toml binds no D1 as LOGS, only as DB: ask for what is bound, or"
            ' write [[d1_databases]] with binding = "LOGS"'
        ],
    )


@pytest.mark.parametrize(
    ("top", "none"),
    [("", ", or d1_databases = [] if none is meant"), (D1.replace("DB", "LOGS"), "")],
)
def test_a_database_of_an_environment_alone_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, top: str, none: str
) -> None:
    source = HANDLER.format("await c.database().run('DELETE FROM log')")

    assert found(monkeypatch, tmp_path, source, top + STAGING) == (
        [],
        [
            f"app.py:{LINES + 3}: only an environment binds the D1 DB, and without --env there is none:"
            f' write [[d1_databases]] with binding = "DB"{none}'
        ],
    )


def test_all_that_could_have_been_meant_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = D1 + D1.replace("DB", "NOTES")

    [said], _ = found(monkeypatch, tmp_path, HANDLER.format(LOGS), settings)

    assert "binds no D1 as LOGS, only as DB and NOTES: ask for what is bound" in said


@pytest.mark.parametrize(
    ("settings", "other"),
    [
        ("", ""),
        # That one is asked for elsewhere.
        *(
            (LIMITER.replace("LIMITER", name), f", only as {name}: ask for what is bound, or")
            for name in ("LIMITER_A", "LIMITER_B", "LIMITER_C")
        ),
        # No other is like it: it may be for a package.
        (LIMITER.replace("LIMITER", "API"), ", only as API: ask for what is bound, or"),
    ],
)
def test_an_auth_does_without_a_limiter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: str, other: str
) -> None:
    source = LIMITED + (
        "class Bound(Bindings):\n LIMITER_A: RateLimiter | None = None\n"
        "class Named(Bindings, rename='upper'):\n limiter_b: RateLimiter\n"
        "@app.get('/')\nasync def show(c: Context, bound: Bound, named: Named):\n"
        " return c.env['LIMITER_C']"
    )
    said = NO_LIMITER.format(f"app.py:{LINES + 2}")
    settings += '[[services]]\nbinding = "LIMITER_B"'

    assert found(monkeypatch, tmp_path, source, settings) == (
        [],
        [said.replace(": write", f"{other} write" if other else ": write")],
    )


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        (HANDLER.format("c.database()"), 3, NO_DB),
        (HANDLER.format("c.database('DB')"), 3, NO_DB),
        (HANDLER.format("c.database(name='DB')"), 3, NO_DB),
        (HANDLER.format("try:\n  c.database()\n finally:\n  pass"), 4, NO_DB),
        (HANDLER.format("if c.env['A']:\n  c.database()\n c.database()"), 5, NO_DB),
        (
            "async def layer(c, call_next):\n c.database()\n return await call_next()\napp.use(layer)",
            2,
            NO_DB,
        ),
        (
            "async def keep(c: Context):\n c.database()\n" + HANDLER.format("await keep(c)"),
            2,
            NO_DB,
        ),
        (
            "async def keep(c: Context):\n c.database()\n await tidy(c)\n"
            "async def tidy(c: Context):\n await keep(c)\n" + HANDLER.format("await keep(c)"),
            2,
            NO_DB,
        ),
        (
            "from framework import Job\n@app.cron('* * * * *')\nasync def purge(job: Job):\n job.database()",
            4,
            NO_DB,
        ),
        (
            "from framework import Batch\n@app.queue('a')\nasync def take(batch: Batch):\n batch.database()",
            4,
            NO_DB,
        ),
        (READS.format(""), 4, NO_DB),
        (AUTH + GUARDED, 2, NO_DB),
        (AUTH + GUARDED.replace("auth.guard()", "auth.guard() | auth.bearer_guard()"), 2, NO_DB),
        (
            GUARDED.replace("auth", "Auth()").join(("from framework.auth import Auth\n", "")),
            2,
            NO_DB,
        ),
        (AUTH + ADMITTED.format("auth"), 2, NO_DB),
        (AUTH + GUARDED + "\n" + READS.format("").replace("'/'", "'/other'"), 2, NO_DB),
        ("from framework.auth import Auth\n" + ADMITTED.format("Auth()"), 2, NO_DB),
        ("none = guard(lambda c: None)\n" + READS.format(""), 5, NO_DB),
        (AUTH + HANDLER.format("return await auth.user(c)"), 5, NO_DB),
        (AUTH + HANDLER.format("await auth.sign_in(c, 'ada', 'a')"), 5, NO_DB),
        (BOUND.format("DB", "Database"), 5, NO_DB),
        (BOUND.format("LIMITER", "RateLimiter"), 5, NO_LIMITER),
        (
            BOUND.format("LIMITER", "RateLimiter").replace("bound: Bound", "*, bound: Bound"),
            5,
            NO_LIMITER,
        ),
        (
            BOUND.format("LIMITER", "RateLimiter").replace(
                "bound: Bound): ...", "c: Context):\n c.bindings(Bound)"
            ),
            6,
            NO_LIMITER,
        ),
    ],
)
def test_what_is_bound_nowhere_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, line: int, said: str
) -> None:
    assert found(monkeypatch, tmp_path, source, "") == ([said.format(f"app.py:{LINES + line}")], [])


def test_a_limiter_that_is_misspelt_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = LIMITER.replace("LIMITER", "LIMITERS")

    assert found(monkeypatch, tmp_path, LIMITED, settings) == (
        [
            f"app.py:{LINES + 2}: wrangler.toml binds no rate limiter as LIMITER, only as LIMITERS:"
            ' ask for what is bound, or write [[ratelimits]] with name = "LIMITER"'
        ],
        [],
    )


# --- Through the command -------------------------------------------------------------------------

APP = """
from framework import App, Context, public
from framework.auth import Auth

auth = Auth(database="DB", rate_limiter="LIMITER")
app = App(guard=auth.guard())


@app.get("/")
async def show(c: Context) -> int:
    return await c.database("{}").run("DELETE FROM log")


@app.get("/archive")
async def archive(c: Context) -> None:
    if c.env["KEEPS_ARCHIVE"]:
        await c.database("ARCHIVE").run("DELETE FROM archive")
"""
REPORTS = """
from framework import Bindings
from framework.auth import RateLimiter
from framework.database import Database


class Bound(Bindings):
    COPY: Database
    REPORTS: RateLimiter


@app.get("/reports")
async def reports(bound: Bound) -> None: ...
"""
ARCHIVE = (
    "app.py:17: wrangler.toml binds no D1 as ARCHIVE, only as {}: ask for what is bound, or write"
    ' [[d1_databases]] with binding = "ARCHIVE"'
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    (tmp_path / "app.py").write_text(APP.format("DB"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_app.py").write_text("def test(c):\n    c.database('FAKE')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_app_with_what_it_asks_for_is_built(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "wrangler.toml").write_text(D1 + LIMITER)
    purge = "async def clean(database):\n    await auth.purge(database)\n"
    (project / "app.py").write_text(APP.format("DB") + purge)

    assert main(["build"]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == [ARCHIVE.format("DB")]


def test_without_settings_nothing_is_compared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "wrangler.jsonc").write_text("{}")

    assert main(["build"]) == 0

    assert [line[:31] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "wrangler.jsonc is not read, onl"
    ]


def test_an_app_that_asks_for_what_nothing_binds_is_not_built(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "app.py").write_text(APP.format("DB") + REPORTS)
    (project / "wrangler.toml").write_text(D1.replace("DB", "BD") + LIMITER)

    assert main(["build"]) == 1

    assert capsys.readouterr().err.splitlines() == [
        "kagari build: the app asks for what the Worker does not have",
        "app.py:5 and 1 more: wrangler.toml binds no D1 as DB, only as BD: ask for what is bound, or"
        ' write [[d1_databases]] with binding = "DB"',
        "app.py:30: wrangler.toml binds no D1 as COPY, only as BD: ask for what is bound, or write"
        ' [[d1_databases]] with binding = "COPY"',
        "app.py:30: wrangler.toml binds no rate limiter as REPORTS, only as LIMITER: ask for what is"
        ' bound, or write [[ratelimits]] with name = "REPORTS"',
    ]
    assert not (project / "build/worker").exists()


def test_the_local_server_says_so_and_serves(project: Path) -> None:
    (project / "app.py").write_text(APP.format("LOGS"))
    (project / "wrangler.toml").write_text(D1 + LIMITER)

    with serving(project) as process:
        assert url_of(process)
        said = line_with(process, "LOGS")
        assert "app.py:11: wrangler.toml binds no D1 as LOGS, only as DB: ask for" in said
        assert line_with(process, "ARCHIVE").endswith(f"{ARCHIVE.format('DB')}\n")
