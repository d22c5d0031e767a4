"""What wrangler.toml would deploy and no Worker could run with is refused; what may be meant is said."""

import re
import shutil
from pathlib import Path

import pytest

import framework
from framework.cli import main
from framework.local.stage import StageError, stage

ROOT = Path(__file__).parents[2]

D1 = '[[d1_databases]]\nbinding = "DB"\ndatabase_id = "1a"\n'
STAGED = (
    'main = "build/worker/worker.py"\ncompatibility_date = "2026-09-08"\n'
    'compatibility_flags = ["python_workers"]\n'
    'build.command = "node framework/local/stage.mjs"\n'
)
ROUTES = 'routes = [{ pattern = "notes.example.com", custom_domain = true }]\n'
STAGING_D1 = "[[env.staging.d1_databases]]\nbinding = "
LIMITER = 'name = "LIMITER"\nsimple = { limit = 5, period = 10 }\n'


# The least that is staged: what is looked at here is the settings.
APP = """
class App:
    crons, queues = (), ()

    def prepare(self): ...


app = App()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "framework/workers").mkdir(parents=True)
    (tmp_path / "framework/__init__.py").touch()
    (tmp_path / "framework/workers/__init__.py").write_text("def entrypoint(app): ...\n")
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"{D1}[env.staging]",
            "env.staging binds no D1 as DB, and environments inherit no binding: write"
            ' [[env.staging.d1_databases]] with binding = "DB", or d1_databases = [] for none',
        ),
        (f'{D1}[env.staging.vars]\nA = "1"', "env.staging binds no D1 as DB"),
        (f'{D1}{STAGING_D1}"BD"', "env.staging binds no D1 as DB"),
        (
            f'{D1}{STAGING_D1}"DB"\n[env.production]',
            "env.production binds no D1 as DB",
        ),
        (
            f"{ROUTES}[env.staging]",
            "env.staging inherits notes.example.com, and its deployment would take that away from"
            " the top level: write routes = [] below [env.staging], or its own",
        ),
        # Wrangler takes `routes` before `route`, the inherited before an environment's own.
        (f'{ROUTES}[env.staging]\nroute = "s.example.com/*"', "env.staging inherits notes.example"),
        (
            'compatibility_flags = ["nodejs_compat"]',
            "compatibility_flags lacks python_workers:"
            ' write compatibility_flags = ["python_workers", "nodejs_compat"]',
        ),
        (
            "env.staging.compatibility_flags = []",
            "env.staging.compatibility_flags lacks python_workers:"
            ' write compatibility_flags = ["python_workers"]',
        ),
        (
            'compatibility_date = "2026-09-07"',
            "compatibility_date is 2026-09-07, and until 2026-09-08 Workers have a Python older than"
            ' 3.14: write compatibility_date = "2026-09-08" or a later one',
        ),
        (
            'env.old.compatibility_date = "2025-09-29"',
            "env.old.compatibility_date is 2025-09-29, and until",
        ),
        (
            '[assets]\ndirectory = "."',
            '[assets] has directory = ".": wrangler would publish all of the project, .dev.vars and .git as'
            ' well. Write directory = "public", and move the files there',
        ),
        ('[assets]\ndirectory = "./routes/.."', '[assets] has directory = "./routes/.."'),
        ('[env.a.assets]\ndirectory = "../"', '[env.a.assets] has directory = "../"'),
    ],
)
def test_what_would_not_run_where_it_is_deployed_is_refused(
    project: Path, text: str, problem: str
) -> None:
    (project / "wrangler.toml").write_text(text)

    with pytest.raises(StageError) as caught:
        stage(project)

    assert str(caught.value).startswith(f"wrangler.toml: {problem}")
    assert not (project / "build/worker").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{STAGED}{ROUTES}{D1}",
        f"{STAGED}{ROUTES}{D1}[env.a]\nroutes = []\nd1_databases = []",
        'routes = ["notes.example.com/*", 5]\n[env.a]',
        'routes = [{ pattern = "notes.example.com/*", zone_name = "example.com" }]\n[env.a]',
        f'{STAGED}{D1}{STAGING_D1}"DB"\ndatabase_id = "2b"',
        f'{STAGED}[env.staging]\n{STAGING_D1}"DB"',
        'compatibility_date = "2025-01-01"\ncompatibility_flags = ["python_workers", "python_workers_314"]',
        'compatibility_flags = ["python_workers", "python_workers_314"]\n'
        'env.staging.compatibility_date = "2025-01-01"',
        # What Kagari has no use for may have any shape: wrangler says which it has to have.
        "compatibility_date = 2025-01-01\ncompatibility_flags = 5",
        "kv_namespaces = 5\nr2_buckets = [5]\nservices = [{}]\nsecrets = 5\n[env.a]\nsecrets = 5",
        "durable_objects = 5\n[env.a]\ndurable_objects = 5",
        f"[vars]\nA = 1\n[[ratelimits]]\n{LIMITER}[env.staging]\nvars = {{}}\nratelimits = []",
        '[[queues.producers]]\nqueue = "mails"\nbinding = "MAILS"\n'
        '[[env.staging.queues.producers]]\nqueue = "mails-staging"\nbinding = "MAILS"',
        '[vars]\nSECRETS = "a"\nPASSWORD_LENGTH = 8\nSITE_KEY = "public"',
        f'{D1.replace("1a", "0000-0000")}{STAGING_D1}"DB"\ndatabase_id = "0000-0000"',
        '[assets]\ndirectory = "../web"\n[env.a.assets]\ndirectory = "public"\n[env.b.assets]',
    ],
)
def test_what_is_right_is_staged_without_a_word(project: Path, text: str) -> None:
    (project / "wrangler.toml").write_text(text)

    assert stage(project).notes == ()


def test_a_project_may_be_published_but_for_what_is_named(project: Path) -> None:
    (project / "wrangler.toml").write_text('[assets]\ndirectory = "."')
    (project / ".assetsignore").write_text("*\n!index.html\n")

    assert stage(project).notes == ()


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            f'[vars]\nA = "1"\n[[ratelimits]]\n{LIMITER}[[send_email]]\nname = "EMAIL"\n'
            '[[queues.producers]]\nqueue = "mails"\nbinding = "MAILS"\n[env.staging]',
            "env.staging lacks LIMITER ([[ratelimits]]), EMAIL ([[send_email]]),"
            " MAILS ([[queues.producers]]), A ([vars]):"
            " environments inherit neither bindings nor variables",
        ),
        (
            '[[kv_namespaces]]\nbinding = "CACHE"\n[[r2_buckets]]\nbinding = "FILES"\n'
            '[[services]]\nbinding = "BILLING"\n[env.staging]',
            "env.staging lacks CACHE ([[kv_namespaces]]), FILES ([[r2_buckets]]),"
            " BILLING ([[services]]): environments inherit neither bindings nor variables",
        ),
        (
            '[[durable_objects.bindings]]\nname = "STOCK"\nclass_name = "Stock"\n'
            '[[vectorize]]\nbinding = "LIKE"\nindex_name = "like"\n[env.staging]',
            "env.staging lacks LIKE ([[vectorize]]), STOCK ([[durable_objects.bindings]]):"
            " environments inherit neither bindings nor variables",
        ),
        (
            f'{D1}[[d1_databases]]\nbinding = "LOGS"\n{STAGING_D1}"DB"',
            "env.staging lacks LOGS ([[d1_databases]]): environments inherit neither bindings nor variables",
        ),
        (
            '[vars]\nA = "1"\nB = "1"\n[env.staging.vars]\nA = "2"',
            "env.staging lacks B ([vars]): environments inherit neither bindings nor variables",
        ),
        (
            '[secrets]\nrequired = ["CODE_SECRET"]\n[env.staging]',
            "env.staging lacks [secrets]: environments inherit neither bindings nor variables",
        ),
        (
            f'{D1}{STAGING_D1}"DB"\ndatabase_id = "1a"',
            "env.staging and the top level have one database: DB is 1a",
        ),
        (
            'main = "build/worker/worker.py"',
            "the top level has no command below [build]: wrangler uploads what was staged last,"
            ' write command = "node framework/local/stage.mjs"',
        ),
        (
            f"{STAGED}[env.staging.build]\nwatch_dir = []",
            "env.staging has no command below [build]: wrangler uploads what was staged last,"
            ' write command = "node framework/local/stage.mjs"',
        ),
        (
            '[vars]\nCODE_SECRET = "a"',
            "the top level has CODE_SECRET among its [vars], where everybody with the project reads"
            " it: npx wrangler secret put CODE_SECRET",
        ),
        (
            '[env.staging.vars]\nmail_password = "a"',
            "env.staging has mail_password among its [vars], where everybody with the project reads"
            " it: npx wrangler secret put mail_password",
        ),
    ],
)
def test_what_may_be_meant_is_said(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    note: str,
) -> None:
    (project / "wrangler.toml").write_text(text)
    monkeypatch.chdir(project)

    assert main(["build"]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == [f"wrangler.toml: {note}"]


def test_the_environment_of_the_docs_needs_no_word(project: Path) -> None:
    docs = (ROOT / "docs/deploy.md").read_text("utf-8")
    (environment,) = re.findall(r"^```toml\n(\[env\..*?)^```$", docs, re.DOTALL | re.MULTILINE)
    settings = (ROOT / "wrangler.toml").read_text("utf-8")
    (project / "wrangler.toml").write_text(f"{settings}\n{environment}")
    (project / "app.py").write_text(
        APP.replace("crons, queues = ()", 'crons, queues = ["17 3 * * *"]')
    )

    assert stage(project).notes == ()


def test_consumers_of_one_environment_are_not_those_of_another(project: Path) -> None:
    shutil.copytree(Path(framework.__file__).parent, project / "framework", dirs_exist_ok=True)
    (project / "app.py").write_text(
        "from framework import App, Batch\n\napp = App()\n\n\n"
        '@app.queue("mails")\nasync def send(batch: Batch) -> None: ...\n'
    )
    (project / "wrangler.toml").write_text(
        '[[queues.consumers]]\nqueue = "mails"\n[env.staging.vars]\n'
        '[[env.production.queues.consumers]]\nqueue = "mails"'
    )

    assert stage(project).notes == (
        "wrangler.toml: env.staging lacks [[queues.consumers]]:"
        " environments inherit neither bindings nor variables",
    )
