"""Starts what the suite talks to, and ends it: one server for each target and test run."""

import json
import logging
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from app import app
from framework.local.sqlite import SQLiteDatabase
from framework.local.stage import stage
from tests.e2e.backdoor import SQLiteBackdoor, WorkerBackdoor, open_backdoor
from tests.e2e.mailbox import HarnessMailbox, Outbox, Terminal
from tests.e2e.service import InProcess, OverHTTP, Service
from tests.wasm.launcher import serve as serve_worker

__all__ = ["CAPABLE", "TARGETS", "run_process", "start"]

_ROOT: Final = Path(__file__).parents[2]
_SOURCES: Final = ("app.py", "routes", "framework", "schema.sql", "wrangler.toml")


@contextmanager
def _in_process(folder: Path) -> Iterator[Service]:
    """The app in this process, with an SQLite file and everything that is logged."""
    path, log = folder / "in-process.sqlite3", folder / "in-process.log"
    database = SQLiteDatabase(path)
    database.apply_schema((_ROOT / "schema.sql").read_text())
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        outbox = Outbox()
        env = {"DB": database, "EMAIL": outbox}
        yield InProcess(app, env, SQLiteBackdoor(path), log.read_bytes, outbox)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
        database.close()


@contextmanager
def _local(folder: Path) -> Iterator[Service]:
    """The local server, as a process of its own."""
    path, log = folder / "local.sqlite3", folder / "local.log"
    command = [sys.executable, "-m", "framework.cli", "serve", "--port=0", "--json-ready"]
    command += [f"--database={path}"]
    with log.open("wb") as stderr, run_process(command, stderr.fileno()) as process:
        line = process.stdout.readline() if process.stdout else ""
        assert line, f"the local server did not start: {log.read_text()}"
        url: str = json.loads(line)["url"]
        yield OverHTTP("local", url, SQLiteBackdoor(path), log.read_bytes, Terminal(log))


@contextmanager
def run_process(command: list[str], stderr: int) -> Iterator[subprocess.Popen[str]]:
    """Run *command* in the project's folder, and end that process whatever happens."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=_ROOT, stdout=pipe, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _wasm(folder: Path) -> Iterator[Service]:
    """The staged bundle on Pyodide and D1. Staged apart, so that `build/` stays the deployer's."""
    for name in _SOURCES:
        source, target = _ROOT / name, folder / "project" / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    bundle = stage(folder / "project").folder
    settings = tomllib.loads((_ROOT / "wrangler.toml").read_text("utf-8"))
    limiters = {each["name"]: each["simple"] for each in settings["ratelimits"]}
    variables = {"MAIL_FROM": "notes@example.com"}  # Cloudflare's binding wants to be told
    with serve_worker(
        bundle, schema=_ROOT / "schema.sql", variables=variables, limiters=limiters
    ) as worker:
        mailbox = HarnessMailbox(worker.url)
        yield OverHTTP(
            "wasm", worker.url, WorkerBackdoor(worker.url), worker.log.read_bytes, mailbox
        )


TARGETS: Final = {"in-process": _in_process, "local": _local, "wasm": _wasm}
"""How each target is started; each gets a folder of its own."""

CAPABLE: Final = {
    "mailbox": {"in-process", "local", "wasm"},
    "poser": {"in-process", "wasm"},
    "tracer": {"in-process", "local", "remote"},
}
"""Which targets have what a test asks for by the name of a fixture: see `conftest`."""


@contextmanager
def start(name: str, make_folder: Callable[[], Path], config: pytest.Config) -> Iterator[Service]:
    """Start the target *name*, or talk to the server that ``--base-url`` names."""
    url = config.getoption("base_url")
    if url is None:
        with TARGETS[name](make_folder()) as service:
            yield service
    else:
        backdoor = config.getoption("backdoor")
        yield OverHTTP("remote", url.rstrip("/"), open_backdoor(backdoor) if backdoor else None)
