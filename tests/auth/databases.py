"""Real databases with something in between: a count, a fault, or a halt."""

from asyncio import Event
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from framework.database import Database, DatabaseError, Result, Statement, Transient, Value

__all__ = ["CountingDatabase", "FaultyDatabase", "Halt", "HaltingDatabase", "ReadOnlyDatabase"]

T = TypeVar("T")

_LOST = "D1_ERROR: Network connection lost."


class CountingDatabase:
    """Remembers each trip, as the list of the statements that went along, and counts changed rows."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.trips: list[list[str]] = []
        self.changes = 0  # but for those of `first` and `all`

    @property
    def statements(self) -> list[str]:
        """All statements, in order."""
        return [sql for trip in self.trips for sql in trip]

    def reset(self) -> None:
        """Forget what was counted."""
        self.trips = []
        self.changes = 0

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        self.trips.append([sql])
        return await self.inner.first(type, sql, *parameters)

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        self.trips.append([sql])
        return await self.inner.all(type, sql, *parameters)

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        self.trips.append([sql])
        changes = await self.inner.run(sql, *parameters)
        self.changes += changes
        return changes

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none."""
        self.trips.append([each.sql for each in statements])
        results = await self.inner.batch(statements)
        self.changes += sum(result.changes for result in results)
        return results


class FaultyDatabase:
    """Fails at the statement number *fails_at*, counted from 1, and answers before and after.

    With *is_lost_after*, the statement (and its batch) is carried out and only the answer is lost.
    Else nothing of the batch stays: what came before in it is carried out and rolled back.
    """

    def __init__(self, inner: Database, *, error: DatabaseError | None = None) -> None:
        self.inner = inner
        self.error = error or Transient(_LOST)
        self.fails_at = 0
        self.is_lost_after = False
        self.count = 0

    def arm(self, fails_at: int, *, is_lost_after: bool = False) -> None:
        """Fail once, *fails_at* statements from now."""
        self.count, self.fails_at, self.is_lost_after = 0, fails_at, is_lost_after

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        is_hit = self._is_hit(1)
        if is_hit and not self.is_lost_after:
            raise self.error
        row = await self.inner.first(type, sql, *parameters)
        if is_hit:
            raise self.error
        return row

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        is_hit = self._is_hit(1)
        if is_hit and not self.is_lost_after:
            raise self.error
        rows = await self.inner.all(type, sql, *parameters)
        if is_hit:
            raise self.error
        return rows

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        is_hit = self._is_hit(1)
        if is_hit and not self.is_lost_after:
            raise self.error
        changes = await self.inner.run(sql, *parameters)
        if is_hit:
            raise self.error
        return changes

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none."""
        before = self.count
        if not self._is_hit(len(statements)):
            return await self.inner.batch(statements)
        if self.is_lost_after:
            await self.inner.batch(statements)
        else:
            done = statements[: self.fails_at - before - 1]
            with suppress(DatabaseError):
                await self.inner.batch([*done, Statement("SELECT * FROM no_such_table")])
        raise self.error

    def _is_hit(self, statements: int) -> bool:
        before = self.count
        self.count += statements
        return before < self.fails_at <= self.count


class ReadOnlyDatabase:
    """Answers what is read, and fails with *error* at what is written, as D1 does when it is full."""

    def __init__(self, inner: Database, error: DatabaseError) -> None:
        self.inner = inner
        self.error = error

    def _refuse_writes(self, *statements: str) -> None:
        if not all(sql.startswith("SELECT ") for sql in statements):
            raise self.error

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        self._refuse_writes(sql)
        return await self.inner.first(type, sql, *parameters)

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        self._refuse_writes(sql)
        return await self.inner.all(type, sql, *parameters)

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        self._refuse_writes(sql)
        return await self.inner.run(sql, *parameters)

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none."""
        self._refuse_writes(*(each.sql for each in statements))
        return await self.inner.batch(statements)


class Halt:
    """A call that waits: `reached` says when it has come, `release` lets it go on."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._reached = Event()
        self._released = Event()

    async def reached(self) -> None:
        """Return when a call has come so far."""
        await self._reached.wait()

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    async def wait(self) -> None:
        """Wait as the call does."""
        self._reached.set()
        await self._released.wait()


class HaltingDatabase:
    """Halts before the first call whose SQL holds a given text, until it is released."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self._halts: list[Halt] = []

    def halt(self, sql: str) -> Halt:
        """Halt the next call that holds *sql*."""
        halt = Halt(sql)
        self._halts.append(halt)
        return halt

    async def _pass(self, *statements: str) -> None:
        for halt in self._halts:
            if any(halt.sql in sql for sql in statements):
                self._halts.remove(halt)
                await halt.wait()
                return

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        await self._pass(sql)
        return await self.inner.first(type, sql, *parameters)

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        await self._pass(sql)
        return await self.inner.all(type, sql, *parameters)

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        await self._pass(sql)
        return await self.inner.run(sql, *parameters)

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none."""
        await self._pass(*(each.sql for each in statements))
        return await self.inner.batch(statements)
