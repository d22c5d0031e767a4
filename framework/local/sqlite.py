"""A `Database` over SQLite that takes and refuses what D1 does, in D1's words. Knows no schema.

Every call gives way to the event loop once before it runs, as a call to D1 does, and then runs to
its end: calls interleave, statements never do. One event loop may use it at a time.
"""

import sqlite3
from asyncio import sleep
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import StructMeta

from framework.database import (
    Bound,
    ConstraintViolation,
    DatabaseError,
    Result,
    Statement,
    Unavailable,
    Value,
    check,
    classify,
    convert_rows,
)
from framework.exact_numbers import SAFE_INTEGER
from framework.local.statements import authorize, refusal, split

__all__ = ["SQLiteDatabase"]

T = TypeVar("T")

# Source: workerd's sqlite.c++, which sets the same ones.
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: 4 * 1024 * 1024,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 127,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}

_ROLLED_BACK: Final = "internal error: OR ROLLBACK ends D1's own transaction; ABORT undoes as much"

_FAMILIES: Final = {
    sqlite3.SQLITE_BUSY: "SQLITE_BUSY",
    sqlite3.SQLITE_CANTOPEN: "SQLITE_CANTOPEN",
    sqlite3.SQLITE_CONSTRAINT: "SQLITE_CONSTRAINT",
    sqlite3.SQLITE_CORRUPT: "SQLITE_CORRUPT",
    sqlite3.SQLITE_IOERR: "SQLITE_IOERR",
    sqlite3.SQLITE_READONLY: "SQLITE_READONLY",
}


class _Answer(NamedTuple):
    """What a statement gave: rows as JavaScript would see them, and how many rows it wrote."""

    columns: list[str]
    rows: list[list[Any]]
    changes: int


class SQLiteDatabase:
    """SQLite behind the `Database` protocol, for local development and tests.

    *path* is a file, made when it is not there, or ":memory:". *busy_timeout* is how many seconds a
    call waits, with the event loop, for another process that writes; then `Overloaded` is raised.
    """

    def __init__(self, path: str | Path = ":memory:", *, busy_timeout: float = 5.0) -> None:
        with _in_words_of_d1(""):
            self._connection = sqlite3.connect(
                path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._connection.text_factory = _text
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        for limit, most in _LIMITS.items():
            self._connection.setlimit(limit, most)
        self._connection.set_authorizer(authorize)

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        rows = await self.all(type, sql, *parameters)
        return rows[0] if rows else None

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        return _read(type, await self._ask(sql, parameters), sql)

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        return (await self._ask(sql, parameters)).changes

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in one transaction, all or none."""
        if len(statements) == 0:  # a generator has no length, here as in the Worker
            return []
        if others := [each for each in statements if not isinstance(each, Statement)]:
            name = type(others[0]).__name__
            raise TypeError(f"a {name} is no statement: write statement(sql, *values)")
        checked = [(each.sql, check(each.sql, each.parameters)) for each in statements]
        await sleep(0)
        with self._transaction("BEGIN IMMEDIATE", "; ".join(each.sql for each in statements)):
            return [_result(sql, self._run(sql, bound)) for sql, bound in checked]

    def apply_schema(self, script: str) -> None:
        """Run every statement of *script*, such as `schema.sql`, in one transaction."""
        with self._transaction("BEGIN IMMEDIATE", script):
            for sql in split(script):
                self._run(sql, ())

    def close(self) -> None:
        """Close the file. Whoever made the database calls this."""
        self._connection.close()

    async def _ask(self, sql: str, parameters: tuple[Value, ...]) -> _Answer:
        bound = check(sql, parameters)
        await sleep(0)
        with self._transaction("BEGIN", sql):  # without it, what OR FAIL had written would stay
            return self._run(sql, bound)

    def _run(self, sql: str, bound: Sequence[Bound]) -> _Answer:
        if (refused := refusal(sql)) is not None:
            raise classify(f"D1_ERROR: {refused}", sql)
        with _in_words_of_d1(sql):
            before = self._connection.total_changes
            cursor = self._connection.execute(sql, [_as_bound_by_d1(value) for value in bound])
            rows = cursor.fetchall()
        columns = [column[0] for column in cursor.description or ()]
        seen = [[_as_seen_by_javascript(value, sql) for value in row] for row in rows]
        return _Answer(columns, seen, self._connection.total_changes - before)

    @contextmanager
    def _transaction(self, begin: str, sql: str) -> Iterator[None]:
        with _in_words_of_d1(begin):
            self._connection.execute(begin)
        try:
            yield
            with _in_words_of_d1(sql):  # a foreign key may be looked at no earlier
                self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            elif isinstance(error, ConstraintViolation):
                raise Unavailable(_ROLLED_BACK, sql) from error
            raise


def _result(sql: str, answer: _Answer) -> Result:
    def read(type: type[T]) -> list[T]:
        return _read(type, answer, sql)

    return Result(answer.changes, read)


def _read(type: type[T], answer: _Answer, sql: str) -> list[T]:
    if isinstance(type, StructMeta):
        _refuse_unread(type, answer, sql)
    return convert_rows(type, answer.columns, answer.rows, sql)


def _refuse_unread(type: Any, answer: _Answer, sql: str) -> None:
    """Raise where a field of the Struct *type* would not get what is called as it is, and nothing says so.

    D1 returns the last of two columns with one name, and a field without a column has its default.
    """
    columns, names = answer.columns, type.__struct_encode_fields__
    for name in names if len({*columns}) < len(columns) else ():
        places = [place for place, column in enumerate(columns) if column == name]
        if any(row[place] != row[places[-1]] for row in answer.rows for place in places):
            text = (
                f"two columns are called {name}, and D1 returns the last of them: name each with AS"
            )
            raise DatabaseError(text, sql)
    tag = type.__struct_config__.tag_field
    unread = {_plain(column): column for column in {*columns} - {*names, tag}}
    for name in {*names} - {*columns}:
        if _plain(name) in unread:
            column = unread[_plain(name)]
            raise DatabaseError(
                f"the column {column} is not read: {type.__name__} calls it {name}, so write AS {name}",
                sql,
            )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _text(stored: bytes) -> str:
    """Return text as JavaScript reads it: what is not UTF-8 becomes U+FFFD."""
    return stored.decode(errors="replace")


def _as_bound_by_d1(value: Bound) -> Bound:
    """Return an int as a float: D1 binds every JavaScript number as one, and `5 / ?` shows it."""
    return float(value) if type(value) is int else value


def _as_seen_by_javascript(value: Any, sql: str) -> Any:
    """Return *value* as it would come out of D1's JSON: 3.0 is 3, and infinity is null."""
    kind = type(value)
    if kind is float:
        if value.is_integer():
            return int(value) if abs(value) < 1e21 else value
        return value if value - value == 0.0 else None
    if kind is int and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        raise DatabaseError("an integer beyond ±(2^53 - 1), which D1 would return rounded", sql)
    return value


@contextmanager
def _in_words_of_d1(sql: str) -> Iterator[None]:
    """Raise an error of SQLite as the error that D1 would give."""
    try:
        yield
    except sqlite3.Error as error:
        message = _message(error)
        fault = classify(message, sql)
        raise fault from (error if fault.message == message else None)


def _message(error: sqlite3.Error) -> str:
    """Return *error* as D1 writes it: "D1_ERROR: text: SQLITE_X (extended: SQLITE_X_DETAIL)"."""
    text = str(error)
    if text.startswith("Incorrect number of bindings"):
        return "D1_ERROR: Wrong number of parameter bindings for SQL query."
    extended: str | None = getattr(error, "sqlite_errorname", None)
    if extended is None:
        return f"D1_ERROR: {text}"
    primary = "_".join(extended.split("_")[:2])
    if primary == "unknown":  # a detail that is newer than this Python
        primary = extended = _FAMILIES.get(error.sqlite_errorcode & 0xFF, "SQLITE_ERROR")
    detail = "" if primary == extended else f" (extended: {extended})"
    return f"D1_ERROR: {text}: {primary}{detail}"
