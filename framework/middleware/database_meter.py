"""Counts what a request asks of its databases. Knows nothing of who wants to know.

Nothing is counted, and nothing is in the way, unless a layer asks with `meter_of`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeVar

from framework.context import Context
from framework.database import Database, Result, Statement, Value
from framework.slots import Slot

__all__ = ["Meter", "MeteredDatabase", "meter_of"]

T = TypeVar("T")


class Meter:
    """What one request has asked of its databases so far."""

    __slots__ = ("changes", "clock", "rows", "seconds", "statements", "trips")

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self.clock: Callable[[], float] = clock
        self.seconds: float = 0.0
        """Time spent waiting for answers; two calls at once count twice."""
        self.trips: int = 0
        """Calls: how often a request waits."""
        self.statements: int = 0
        self.rows: int = 0
        """Rows handed to the app. D1 bills the rows that it scanned for them."""
        self.changes: int = 0
        """Rows changed. D1 bills what it wrote for them, in indexes too."""

    @property
    def milliseconds(self) -> float:
        """How long was waited, to a tenth of a millisecond."""
        return round(self.seconds * 1000, 1)

    @contextmanager
    def trip(self, statements: int) -> Iterator[None]:
        """Count one call of so many *statements*, and how long it takes, also if it fails."""
        self.trips += 1
        self.statements += statements
        started = self.clock()
        try:
            yield
        finally:
            self.seconds += self.clock() - started


class MeteredDatabase:
    """A database whose calls are counted on a `Meter`. Behind the `Database` protocol itself."""

    __slots__ = ("_database", "_meter")

    def __init__(self, database: Database, meter: Meter) -> None:
        self._database = database
        self._meter = meter

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        with self._meter.trip(1):
            row = await self._database.first(type, sql, *parameters)
        self._meter.rows += row is not None
        return row

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        with self._meter.trip(1):
            rows = await self._database.all(type, sql, *parameters)
        self._meter.rows += len(rows)
        return rows

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        with self._meter.trip(1):
            changes = await self._database.run(sql, *parameters)
        self._meter.changes += changes
        return changes

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none."""
        if not statements:
            return []
        with self._meter.trip(len(statements)):
            results = await self._database.batch(statements)
        self._meter.changes += sum(result.changes for result in results)
        return [Result(result.changes, self._counted(result)) for result in results]

    def _counted(self, result: Result) -> Callable[[Any], list[Any]]:
        def read(type: type[Any]) -> list[Any]:
            rows = result.rows(type)
            self._meter.rows += len(rows)
            return rows

        return read


_slot = Slot("database meter", Meter)


def meter_of(c: Context, clock: Callable[[], float] = perf_counter) -> Meter:
    """Return the meter of this request, which counts from the first time it is asked for.

    In the Worker, time stands still between two answers from outside: what is measured is the
    waiting, and that is what a database costs.
    """
    found = c.find(_slot)
    if found is not None:
        return found
    meter = Meter(clock)
    c.set(_slot, meter)
    inner = c.wrap_database
    c.wrap_database = lambda database: MeteredDatabase(
        inner(database) if inner else database, meter
    )
    return meter
