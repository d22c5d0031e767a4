"""Says which values a query may carry, in the form every driver binds. Knows no driver."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, Final, TypeAlias
from uuid import UUID

from framework.database_errors import DatabaseError
from framework.text_types import is_in_years

__all__ = [
    "EPOCH",
    "MILLISECOND",
    "SAFE_INTEGER",
    "Bound",
    "ParameterError",
    "Value",
    "check",
]

Value: TypeAlias = (
    bool
    | int
    | float
    | str
    | bytes
    | bytearray
    | memoryview
    | datetime
    | date
    | time
    | UUID
    | Decimal
    | Enum
    | None
)
"""What a query takes as a parameter.

A datetime has a time zone; its Unix milliseconds are stored. A `UUID`, a `Decimal`, a date and a time
of day are stored as text, which keeps all digits of a `Decimal` in a TEXT column but sorts there as
text; an Enum of text or integers as its value. A field of a row reads each of these again.
"""

Bound: TypeAlias = int | float | str | bytes | None
"""What a driver binds: a checked value."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that D1 takes and returns exactly: it sees JavaScript numbers."""

# Source: the limits in D1's documentation.
MOST_PARAMETERS: Final = 100
LONGEST_SQL: Final = 100_000
LONGEST_VALUE: Final = 2_000_000


class ParameterError(ValueError):
    """A parameter that D1 cannot take: the program is wrong. Names its position, never its value.

    Not a `DatabaseError`: whoever answers those with "come back later" must not catch this one.
    """

    def __init__(self, reason: str, sql: str, position: int | None = None) -> None:
        super().__init__(reason, sql, position)
        self.reason = reason
        self.sql = sql
        self.position = position

    def __str__(self) -> str:
        where = "the parameters" if self.position is None else f"parameter {self.position}"
        return f"{where}: {self.reason} [{self.sql[:500]}]"


def check(sql: str, parameters: Sequence[Value]) -> Sequence[Bound]:
    """Return *parameters* as drivers bind them: `True` is 1, a datetime its Unix milliseconds, an Enum
    its value, and a `UUID`, `Decimal`, date or time the text that a row's field reads it from.

    Raises `ParameterError`, and `DatabaseError` when *sql* is longer than D1 takes.
    """
    if type(sql) is not str or len(sql) > LONGEST_SQL or not sql.isascii():
        _check_sql(sql)
    if len(parameters) > MOST_PARAMETERS:
        raise ParameterError(
            f"{len(parameters)} given, but D1 takes at most {MOST_PARAMETERS}", sql
        )
    values: Sequence[Any] = parameters
    bound: list[Bound] | None = None
    for index, value in enumerate(values):
        if not _is_plain(value):
            bound = list(values) if bound is None else bound
            bound[index] = _bound(value, sql, index + 1)
    return values if bound is None else bound


def _is_plain(value: Any) -> bool:
    """Return whether *value*, as most are, can be bound as it is: short text, an int or None."""
    kind = type(value)
    fits: bool = value is None
    if kind is str:
        fits = value.isascii() and len(value) <= LONGEST_VALUE
    elif kind is int:
        fits = -SAFE_INTEGER <= value <= SAFE_INTEGER
    return fits


def _bound(value: object, sql: str, position: int) -> Bound:
    """Return *value* in the form drivers bind; its exact base type, where it is of a subclass."""
    if isinstance(value, Enum):
        value = value.value
        if not isinstance(value, str | int):
            raise ParameterError("only an Enum of text or integers is read again", sql, position)
    if isinstance(value, str):
        return _text(str.__str__(value), sql, position)
    if isinstance(value, int):
        return _integer(int.__int__(value), sql, position)
    if isinstance(value, float):
        if not isfinite(value):
            raise ParameterError("NaN and infinity are not values of a database", sql, position)
        return float.__float__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _blob(bytes(value), sql, position)
    if isinstance(value, datetime):
        return _milliseconds(value, sql, position)
    return _written(value, sql, position)


def _written(value: object, sql: str, position: int) -> Bound:
    """Return what stands in a column for *value*, which D1 has no type for."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ParameterError("NaN and infinity are not values of a database", sql, position)
        return _text(str(value), sql, position)
    remedy = "write it as text, a number or bytes"
    if isinstance(value, list | tuple | set | frozenset):
        remedy = "write one ? for each item"
    raise ParameterError(f"D1 has no type for {type(value).__name__}: {remedy}", sql, position)


def _text(value: str, sql: str, position: int) -> str:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        size = -1
    if size < 0:  # raised out here, so that the error that holds the text is not its context
        raise ParameterError("the text holds half of a surrogate pair", sql, position)
    _check_size(size, sql, position)
    return value


def _integer(value: int, sql: str, position: int) -> int:
    if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        reason = "an integer beyond ±(2^53 - 1) would be rounded; store it as TEXT"
        raise ParameterError(reason, sql, position)
    return value


def _blob(value: bytes, sql: str, position: int) -> bytes:
    _check_size(len(value), sql, position)
    return value


def _milliseconds(value: datetime, sql: str, position: int) -> int:
    if value.utcoffset() is None:
        reason = "the datetime has no time zone: give it one, as in value.replace(tzinfo=UTC)"
        raise ParameterError(reason, sql, position)
    if not is_in_years(value):  # no row would be read with it
        raise ParameterError("the datetime is none in UTC", sql, position)
    return (value - EPOCH) // MILLISECOND


def _check_size(size: int, sql: str, position: int) -> None:
    if size > LONGEST_VALUE:
        raise ParameterError(f"{size} bytes, but D1 stores at most {LONGEST_VALUE}", sql, position)


def _check_sql(sql: object) -> None:
    if not isinstance(sql, str):
        raise TypeError(f"the SQL must be a str, given after the row type: not {sql!r}")
    try:
        size = len(sql.encode())
    except UnicodeEncodeError as error:
        raise DatabaseError("the SQL holds half of a surrogate pair") from error
    if size > LONGEST_SQL:
        raise DatabaseError("D1_ERROR: statement too long: SQLITE_TOOBIG", sql)
