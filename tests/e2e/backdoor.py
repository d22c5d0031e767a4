"""Reads and writes the database of a server behind its back."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from framework.testing import json_of
from tests.e2e.wire import exchange, message

__all__ = ["Backdoor", "SQLiteBackdoor", "WorkerBackdoor", "open_backdoor"]

Row = dict[str, Any]


class Backdoor(Protocol):
    """The way to the database that a server uses."""

    async def sql(self, statement: str, *parameters: str | int | None) -> list[Row]:
        """Run *statement* and return its rows."""


class SQLiteBackdoor:
    """The way to an SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def sql(self, statement: str, *parameters: str | int | None) -> list[Row]:
        """Run *statement* and return its rows."""
        with closing(sqlite3.connect(self._path, timeout=10)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, parameters)]


class WorkerBackdoor:
    """The way to the D1 of the wasm tier, through its harness."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def sql(self, statement: str, *parameters: str | int | None) -> list[Row]:
        """Run *statement* and return its rows."""
        body = json.dumps({"sql": statement, "params": parameters}).encode()
        host = self._url.partition("://")[2]
        pieces = message("POST", "/__harness/sql", [("host", host)], body)
        rows: list[Row] = json_of(await exchange(self._url, pieces))["results"]
        return rows


def open_backdoor(text: str) -> Backdoor:
    """Return the way that ``--backdoor`` names: the URL of a harness, or an SQLite file."""
    return WorkerBackdoor(text.rstrip("/")) if "://" in text else SQLiteBackdoor(Path(text))
