"""A database with a replica that is as far behind as a test says. Two real SQLite databases, and no D1."""

from collections.abc import Sequence
from sqlite3 import SQLITE_DELETE, SQLITE_DENY, SQLITE_INSERT, SQLITE_OK, SQLITE_UPDATE
from typing import Any, TypeVar

from framework.database import Database, Result, Statement, Value
from framework.local.sqlite import SQLiteDatabase

__all__ = ["LaggingDatabase", "LoggedDatabase"]

T = TypeVar("T")


class LoggedDatabase:
    """*database*, which writes down in *asked* that it is *name* who answers."""

    def __init__(self, database: Database, name: str, asked: list[str]) -> None:
        self._database = database
        self._name = name
        self.asked = asked

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        self.asked.append(self._name)
        return await self._database.first(type, sql, *parameters)

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        self.asked.append(self._name)
        return await self._database.all(type, sql, *parameters)

    async def run(self, sql: str, *parameters: Value) -> int:
        self.asked.append(self._name)
        return await self._database.run(sql, *parameters)

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        self.asked.append(self._name)
        return await self._database.batch(statements)


class LaggingDatabase(LoggedDatabase):
    """*primary*, and a replica that has what `catch_up` copied last; at first, what there is now.

    D1's replicas hand writes on to the primary. This one refuses them: nothing is to reach it.
    """

    def __init__(self, primary: SQLiteDatabase) -> None:
        super().__init__(primary, "primary", [])
        self.primary = primary
        self.replica = SQLiteDatabase()
        self.starts: list[str] = []
        """What the sessions began at."""
        self.catch_up()

    def catch_up(self) -> None:
        """Let the replica have all that the primary has."""
        self.replica._connection.set_authorizer(None)
        self.primary._connection.backup(self.replica._connection)
        self.replica._connection.set_authorizer(_refuse_writes)

    def with_session(self, start: str) -> LoggedDatabase:
        self.starts.append(start)
        return LoggedDatabase(self.replica, "replica", self.asked)

    def close(self) -> None:
        self.replica.close()


def _refuse_writes(action: int, *_: Any) -> int:
    return SQLITE_DENY if action in {SQLITE_DELETE, SQLITE_INSERT, SQLITE_UPDATE} else SQLITE_OK
