"""Lucia v2 in a process of its own, called from here. Knows nothing of Kagari."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.wasm.launcher import find_node

__all__ = ["Lucia", "LuciaError", "start_lucia"]

_SCRIPT = Path(__file__).with_name("lucia.mjs")


class LuciaError(Exception):
    """What Lucia threw; the message is its code."""


class Lucia:
    """A Lucia that answers calls, and its database."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, method: str, *args: object) -> Any:
        """Return what Lucia's *method* returns. Raises `LuciaError` for what it throws."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"method": method, "args": args}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise LuciaError("lucia.mjs has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise LuciaError(answer["error"])
        return answer["result"]

    def sql(self, statement: str, *params: object) -> list[dict[str, Any]]:
        """Run *statement* on its database and return the rows."""
        rows: list[dict[str, Any]] = self.call("sql", statement, params)
        return rows

    def create_user(self, username: str, password: str | None, provider: str = "username") -> str:
        """Make a user as Lucia's guides do, and return the id."""
        key = {"providerId": provider, "providerUserId": username, "password": password}
        user = self.call("createUser", {"key": key, "attributes": {"username": username}})
        return str(user["userId"])

    def create_session(self, user_id: str) -> str:
        """Begin a session, and return its id, which is what the cookie holds."""
        session = self.call("createSession", {"userId": user_id, "attributes": {}})
        return str(session["sessionId"])


@contextmanager
def start_lucia(worker: str | None = None) -> Iterator[Lucia]:
    """Run Lucia on a D1 of its own, or on that of the wasm tier's server at *worker*."""
    command = [find_node(), str(_SCRIPT), *([worker] if worker else [])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Lucia(process)
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
