"""Says which values a query may carry, in the form every driver binds. Knows no driver."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from math import isfinite
from typing import Any, Final, TypeAlias
from uuid import UUID

from framework.database_errors import DatabaseError, shortened
from framework.exact_numbers import SAFE_INTEGER, is_in_years

__all__ = [
    "EPOCH",
    "MILLISECOND",
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
"""What stored times are counted from."""

MILLISECOND: Final = timedelta(milliseconds=1)
"""What stored times are counted in."""

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
        return f"{where}: {self.reason} [{shortened(self.sql)}]"


_Refusal = Callable[[str], ParameterError]
"""Makes the error for one parameter out of the reason why it cannot be stored."""


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
            bound[index] = _bound(value, partial(ParameterError, sql=sql, position=index + 1))
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


def _bound(value: object, refuse: _Refusal) -> Bound:
    """Return *value* in the form drivers bind; its exact base type, where it is of a subclass."""
    if isinstance(value, Enum):
        value = value.value
        if not isinstance(value, str | int):
            raise refuse("only an Enum of text or integers is read again")
    if isinstance(value, str):
        return _text(str.__str__(value), refuse)
    if isinstance(value, int):
        number = int.__int__(value)
        if not -SAFE_INTEGER <= number <= SAFE_INTEGER:
            raise refuse("an integer beyond ±(2^53 - 1) would be rounded; store it as TEXT")
        return number
    if isinstance(value, float):
        _check_finite(isfinite(value), refuse)
        return float.__float__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        blob = bytes(value)
        _check_size(len(blob), refuse)
        return blob
    if isinstance(value, datetime):
        return _milliseconds(value, refuse)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        _check_finite(value.is_finite(), refuse)
        return _text(str(value), refuse)
    remedy = "write it as text, a number or bytes"
    if isinstance(value, list | tuple | set | frozenset):
        remedy = "write one ? for each item"
    raise refuse(f"D1 has no type for {type(value).__name__}: {remedy}")


def _check_finite(is_finite: bool, refuse: _Refusal) -> None:
    if not is_finite:
        raise refuse("NaN and infinity are not values of a database")


def _text(value: str, refuse: _Refusal) -> str:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        size = -1
    if size < 0:  # raised out here, so that the error that holds the text is not its context
        raise refuse("the text holds half of a surrogate pair")
    _check_size(size, refuse)
    return value


def _milliseconds(value: datetime, refuse: _Refusal) -> int:
    if value.utcoffset() is None:
        raise refuse("the datetime has no time zone: give it one, as in value.replace(tzinfo=UTC)")
    if not is_in_years(value):  # no row would be read with it
        raise refuse("the datetime is none in UTC")
    return (value - EPOCH) // MILLISECOND


def _check_size(size: int, refuse: _Refusal) -> None:
    if size > LONGEST_VALUE:
        raise refuse(f"{size} bytes, but D1 stores at most {LONGEST_VALUE}")


def _check_sql(sql: object) -> None:
    if not isinstance(sql, str):
        raise TypeError(f"the SQL must be a str, given after the row type: not {sql!r}")
    try:
        size = len(sql.encode())
    except UnicodeEncodeError as error:
        raise DatabaseError("the SQL holds half of a surrogate pair") from error
    if size > LONGEST_SQL:
        raise DatabaseError("D1_ERROR: statement too long: SQLITE_TOOBIG", sql)
