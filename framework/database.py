"""Says what a database does for the app: four verbs, in D1's shape. Knows nothing of drivers.

The errors, the parameters and the rows have a module each; their public names are here too.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from framework.database_errors import (
    ConstraintViolation,
    DatabaseError,
    ForeignKeyViolation,
    MissingColumn,
    MissingTable,
    Overloaded,
    RowMismatch,
    Transient,
    Unavailable,
    UniqueViolation,
    classify,
)
from framework.database_rows import convert_rows, decode_rows
from framework.database_values import Bound, ParameterError, Value, check

__all__ = [
    "Bound",
    "ConstraintViolation",
    "Database",
    "DatabaseError",
    "ForeignKeyViolation",
    "MissingColumn",
    "MissingTable",
    "Overloaded",
    "ParameterError",
    "Result",
    "RowMismatch",
    "Statement",
    "Transient",
    "Unavailable",
    "UniqueViolation",
    "Value",
    "check",
    "classify",
    "convert_rows",
    "decode_rows",
    "statement",
]

T = TypeVar("T")


class Statement(msgspec.Struct, frozen=True):
    """One statement of a batch. Its repr shows the SQL and never the parameters."""

    sql: str
    parameters: tuple[Value, ...] = ()

    def __repr__(self) -> str:
        return f"Statement({self.sql!r}, {len(self.parameters)} parameters)"


def statement(sql: str, *parameters: Value) -> Statement:
    """Return *sql* with its *parameters*, for `Database.batch`."""
    return Statement(sql, parameters)


class Result:
    """What one statement of a batch answered."""

    __slots__ = ("_read", "changes")

    def __init__(self, changes: int, read: Callable[[Any], list[Any]]) -> None:
        self.changes: int = changes
        """How many rows the statement wrote, with those its triggers and foreign keys wrote."""
        self._read = read

    def rows(self, type: type[T]) -> list[T]:
        """Return every row as a *type*. Raises `RowMismatch`."""
        return self._read(type)

    def first(self, type: type[T]) -> T | None:
        """Return the first row as a *type*, or None. Raises `RowMismatch`."""
        rows = self._read(type)
        return rows[0] if rows else None


class Database(Protocol):
    """A SQLite database that answers as D1 does: each call is one trip and one transaction.

    *type* is what a row becomes: a Struct, whose fields take the columns of their JSON names, or
    `dict` (`dict[str, Any]` for strict Pyright). A field without a column has its default; a column
    without a field is left out. A plain type, such as `int` or `str`, is the one column that there is,
    as of ``SELECT count(*)``. NULL does not fit it: ask for ``coalesce(max(n), 0)``.

    - By the type of the field, 0 and 1 become `bool`, a BLOB `bytes`, integer Unix milliseconds an
      aware `datetime`, text a `UUID`, `Decimal`, `date` or `time`, and a number or text an Enum. NULL
      is None. Parameters go the same way back (see `Value`).
    - In a `dict`, a BLOB is `bytes`, and the rest as it is stored.

    *sql* is one statement, with `?` or `?1` where a parameter goes: at most 100 of them, of at most
    2,000,000 bytes each. Every number is bound as D1 binds it, as a floating-point number: an INTEGER
    column stores it as an integer, a TEXT column as "1.0".

    Every method raises `DatabaseError` (see its subclasses) when the database refuses or does not
    answer, and `ParameterError` for a parameter that cannot be stored. Nothing is retried: D1
    already retries reads, and only the caller knows which writes may happen twice.
    """

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None.

        LIMIT 1 is not added: say it in *sql* where there may be more rows, or all are read.
        """
        ...

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        ...

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        ...

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in order, all or none; return a result for each. Without any, no trip is made."""
        ...
