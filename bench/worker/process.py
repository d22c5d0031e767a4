"""Speaks to the process of one contestant. Knows nothing of what is measured."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.wasm.launcher import find_node

__all__ = ["Contestant"]

SCRIPT = Path(__file__).with_name("contestant.mjs")


class Contestant:
    """One Worker in a process of its own, its answers checked."""

    def __init__(self, name: str, folders: list[Path]) -> None:
        self.name = name
        command = [find_node(), "--experimental-wasm-jspi", str(SCRIPT)]
        self._process = subprocess.Popen(
            [*command, *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.report = self._read()
        """What it said of itself: Pyodide's version, milliseconds to import the Worker."""

    def time(self, case: str, seconds: float) -> dict[str, Any]:
        """Return nanoseconds a request, requests made and D1 trips each."""
        return self.ask(f"{case} {seconds}")

    def ask(self, line: str) -> dict[str, Any]:
        """Return what it answers to *line*."""
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)
        return self._read()

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended: see above")
        answer: dict[str, Any] = json.loads(line)
        return answer
