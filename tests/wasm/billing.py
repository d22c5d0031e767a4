"""Real D1 behind a program in CPython, which counts what D1 would bill."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from framework.database import Result, Statement, Value, check, classify, convert_rows

from .launcher import find_node, started

__all__ = ["Bill", "BilledDatabase", "billed_database"]

T = TypeVar("T")

PROGRAM = Path(__file__).with_name("billing.mjs")


class Bill(NamedTuple):
    """What was asked of D1."""

    trips: int = 0
    statements: int = 0
    rows_read: int = 0
    rows_written: int = 0


class BilledDatabase:
    """D1 of Miniflare as a `Database`, over the pipes of ``billing.mjs``."""

    def __init__(self, questions: IO[str], answers: IO[str]) -> None:
        self._questions = questions
        self._answers = answers
        self.bill = Bill()

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        rows = await self.all(type, sql, *parameters)
        return rows[0] if rows else None

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        [result] = await self.batch([Statement(sql, parameters)])
        return result.rows(type)

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        [result] = await self.batch([Statement(sql, parameters)])
        return result.changes

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none. A batch that fails is counted without rows."""
        batch = [(each.sql, check(each.sql, each.parameters)) for each in statements]
        self._questions.write(json.dumps(batch) + "\n")
        self._questions.flush()
        answer = json.loads(self._answers.readline())
        failed = isinstance(answer, dict)
        told = [] if failed else answer
        trips, asked, read, written = self.bill
        self.bill = Bill(
            trips + 1,
            asked + len(batch),
            read + sum(each["rows_read"] for each in told),
            written + sum(each["rows_written"] for each in told),
        )
        if failed:
            raise classify(answer["error"], "; ".join(sql for sql, _ in batch))
        return [_result(sql, each) for (sql, _), each in zip(batch, told, strict=True)]


def _result(sql: str, answer: dict[str, Any]) -> Result:
    def read(type: type[T]) -> list[T]:
        rows = answer["rows"]
        columns = list(rows[0]) if rows else []
        return convert_rows(type, columns, [list(row.values()) for row in rows], sql)

    return Result(answer["changes"], read)


@contextmanager
def billed_database(schema: Path) -> Iterator[BilledDatabase]:
    """Run D1 with *schema*, in memory, until the block ends."""
    command = [find_node(), str(PROGRAM), str(schema)]
    with started(command) as process:
        assert process.stdin
        assert process.stdout
        yield BilledDatabase(process.stdin, process.stdout)
