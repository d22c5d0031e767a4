"""Turns rows into the type that was asked for. Knows nothing of SQL, drivers or connections.

A row comes in one of two forms: as JSON, in which D1 shows a BLOB as an array of numbers, or as
Python values. Both end as the same objects. How that is done is worked out once for each type; a
Struct without `bytes` and `datetime` fields is decoded from the JSON straight away.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar, get_origin, get_type_hints

import msgspec

from framework.database_errors import RowMismatch
from framework.database_values import EPOCH, MILLISECOND
from framework.text_types import classes_of, is_readable, is_struct, unaliased

__all__ = ["convert_rows", "decode_rows"]

T = TypeVar("T")
Row = dict[str, Any]

_UNTYPED: Final = msgspec.json.Decoder(list[Row])
# Without these, msgspec would read text as base64 and as a date.
_AS_THEY_ARE: Final = (bytes, bytearray, memoryview, datetime)
_BLOBS: Final = {bytes, bytearray, memoryview, Any, object}
# Only these messages of msgspec hold nothing but types and names; others quote the value.
_SAFE_MESSAGES: Final = ("Expected `", "Object missing required field ", "Object contains unknown ")


def decode_rows(type: type[T], text: str | bytes | msgspec.Raw, sql: str) -> list[T]:
    """Return the rows of a JSON array of objects, each as a *type*. Raises `RowMismatch`."""
    plan = _plan_of(type)
    try:
        if plan.decoder is not None:
            rows: list[T] = plan.decoder.decode(text)
        else:
            rows = plan.finish(_UNTYPED.decode(text))
        return rows
    except (msgspec.DecodeError, UnicodeError) as error:
        mismatch = _mismatch(type, error, sql)
    raise mismatch  # out here, so that an error that may quote a value is not its context


def convert_rows(
    type: type[T], columns: Sequence[str], rows: Iterable[Sequence[Any]], sql: str
) -> list[T]:
    """Return rows of Python values, each as a *type*. Raises `RowMismatch`."""
    plan = _plan_of(type)
    try:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        made: list[T] = plan.finish(named)
        return made
    except msgspec.ValidationError as error:
        mismatch = _mismatch(type, error, sql)
    raise mismatch


class _Plan(msgspec.Struct, frozen=True):
    """How rows become one type."""

    target: Any  # a list of the type, or None if the rows themselves are asked for
    strict: bool
    revive: Callable[[Row], None] | None
    decoder: msgspec.json.Decoder[Any] | None
    is_value: bool = False  # what the one column holds, which a row has under "" then

    def finish(self, rows: list[Row]) -> Any:
        """Return *rows* as the type, after turning BLOBs and times into `bytes` and `datetime`."""
        if self.is_value:
            rows = [{"": _only(row)} for row in rows]
        if self.revive is not None:
            for row in rows:
                self.revive(row)
        if self.target is None:
            return rows
        found = [row[""] for row in rows] if self.is_value else rows
        return msgspec.convert(found, self.target, strict=self.strict, builtin_types=_AS_THEY_ARE)


def _only(row: Row) -> Any:
    if len(row) != 1:
        raise msgspec.ValidationError(f"Expected `one column`, got {len(row)}")
    return next(iter(row.values()))


def _plan(type: Any) -> _Plan:
    """Return how rows become a *type*."""
    type = unaliased(type)
    is_value = not is_struct(type) and type is not Any and is_readable(type, with_several=False)
    columns = {"": type} if is_value else _columns(type)
    if columns is None:
        return _Plan(None if type in (dict, Any) else list[type], True, _revive_blobs, None)
    parts = {name: {*classes_of(kind)} for name, kind in columns.items()}
    revive = _revival(parts)
    # The laxness that makes bools of 0 and 1 would take text and fractions for times, too.
    strict = revive is not None or not any(bool in kinds for kinds in parts.values())
    decoder = None if revive or is_value else msgspec.json.Decoder(list[type], strict=strict)
    return _Plan(list[type], strict, revive, decoder, is_value)


_plan_of: Final[Callable[[Any], _Plan]] = cache(_plan)


def _columns(declared: Any) -> Mapping[str, Any] | None:
    """Return the type of each column, or None if the type names no columns, as `dict` does."""
    origin = get_origin(declared) or declared
    if issubclass(origin, msgspec.Struct):
        return {field.encode_name: field.type for field in msgspec.structs.fields(declared)}
    return get_type_hints(origin) or None


def _revival(parts: Mapping[str, set[Any]]) -> Callable[[Row], None] | None:
    """Return a function that turns columns into the BLOBs and times they are declared as; None without any.

    Beside one of those, it makes bools, too.
    """
    blobs = [name for name, kinds in parts.items() if any(map(_may_be_blob, kinds))]
    times = [name for name, kinds in parts.items() if datetime in kinds]
    flags = [name for name, kinds in parts.items() if bool in kinds and not kinds & {int, float}]

    def revive(row: Row) -> None:
        for name in blobs:
            if isinstance(value := row.get(name), list):
                row[name] = bytes(value)
        for name in times:
            if isinstance(value := row.get(name), int):
                row[name] = _instant(value)
        for name in flags:
            if (value := row.get(name)) in (0, 1):
                row[name] = value == 1

    return revive if blobs or times else None


def _may_be_blob(kind: Any) -> bool:
    """Return whether *kind* takes a BLOB: it is `bytes`, or takes anything."""
    return kind in _BLOBS or isinstance(kind, TypeVar)


def _revive_blobs(row: Row) -> None:
    for name, value in row.items():
        if isinstance(value, list):
            row[name] = bytes(value)


def _instant(milliseconds: int) -> datetime | int:
    """Return the time, or the number if no datetime is that far away: it will not fit."""
    try:
        return EPOCH + milliseconds * MILLISECOND
    except OverflowError:
        return milliseconds


def _mismatch(type: Any, error: Exception, sql: str) -> RowMismatch:
    """Return what does not fit, without the value, which some of msgspec's messages quote."""
    text = str(error)
    if not text.startswith(_SAFE_MESSAGES):
        place = text.rpartition(" - at ")[2]
        text = f"a value does not fit - at {place}" if place.startswith("`$") else "does not fit"
    return RowMismatch(f"A row does not fit {getattr(type, '__qualname__', type)}: {text}", sql)
