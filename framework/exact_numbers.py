"""Finds the numbers and times that D1 would not keep as they are. Knows nothing of what carries them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime  # msgspec imports it anyway, and the next
from decimal import Decimal
from enum import STRICT
from functools import cache
from math import isfinite
from sys import float_info
from typing import Any

from msgspec import inspect

from framework.errors import ConfigurationError
from framework.validation import json_pointer

__all__ = [
    "SAFE_INTEGER",
    "all_parts",
    "flaw_of",
    "flawed_places",
    "is_in_years",
    "may_be_inexact",
    "number_kinds",
    "parts_of",
    "wants_zone",
]

SAFE_INTEGER = 2**53 - 1
"""The largest integer that JavaScript and D1 hold exactly."""

_RUN = b"0" * 16
"""As many digits as the smallest integer has that is not exact, 2^53."""

_FLAGS = 12
"""Flags that a client may combine: there are 4096 ways then."""

_COLLECTIONS = (list, tuple, set, frozenset)
_EXACT = {str, float, bool, type(None)}
_DIGITS = bytes(48 if byte in b"0123456789" else 32 for byte in range(256))


def may_be_inexact(data: bytes) -> bool:
    """Return whether *data* has as many digits in a row as an inexact integer. In C, and cheap."""
    return data.translate(_DIGITS).find(_RUN) >= 0  # `in` first tries whether it is given a number


def number_kinds(parts: Iterable[inspect.Type]) -> tuple[bool, bool]:
    """Return what has to be looked for in values of a type with *parts*, those of `all_parts`.

    The first says: integers, where no bound keeps them exact. The second: `Decimal`s, and times,
    whose zone may take them out of the years 1 to 9999. Raises `ConfigurationError` for a part that
    no JSON can be read into.
    """
    integers = others = False
    for known in parts:
        if isinstance(known, inspect.CustomType):
            raise ConfigurationError(f"JSON is not read into {known.cls.__qualname__}")
        is_zoned = isinstance(known, inspect.DateTimeType) and known.tz is not False
        others = others or is_zoned or isinstance(known, inspect.DecimalType)
        integers = integers or isinstance(known, inspect.AnyType) or _is_unbounded(known)
    return integers, others


def wants_zone(parts: Iterable[inspect.Type]) -> bool:
    """Return whether datetimes have to have a zone where their type leaves that open.

    Not if one of *parts* asks for none, with ``Meta(tz=False)``: a value does not say which of them
    it is.
    """
    zones = {known.tz for known in parts if isinstance(known, inspect.DateTimeType)}
    return None in zones and False not in zones


def all_parts(type: Any) -> tuple[inspect.Type, ...]:
    """Return what msgspec knows of *type* and of every type inside of it, the fields' too.

    Raises `ConfigurationError` for flags that take every integer, or have many combinations: Python
    keeps a member for each it is sent, for good: 100,000 of them, 800 KB, are 42 MB.
    """
    parts = tuple(parts_of(inspect.type_info(type)))
    for kind in [known.cls for known in parts if isinstance(known, inspect.EnumType)]:
        if getattr(kind, "_boundary_", None) not in {None, STRICT}:
            raise ConfigurationError(f"{kind.__name__} takes any number: give it boundary=STRICT")
        if getattr(kind, "_flag_mask_", 0).bit_count() > _FLAGS:
            raise ConfigurationError(f"{kind.__name__} has over {_FLAGS} flags: take an int")
    return parts


def parts_of(known: inspect.Type, seen: set[Any] | None = None) -> Iterator[inspect.Type]:
    """Yield *known* and every type inside of it, each once: a type may hold itself."""
    seen = set() if seen is None else seen
    named = getattr(known, "cls", None)
    if named is not None:
        if named in seen:
            return
        seen.add(named)
    yield known
    for part in _parts(known):
        yield from parts_of(part, seen)


def _parts(known: Any) -> list[Any]:
    """Return the types inside of *known*."""
    found = [getattr(known, name, None) for name in ("type", "item_type", "key_type", "value_type")]
    found += getattr(known, "types", ())
    found += getattr(known, "item_types", ())
    found += [field.type for field in getattr(known, "fields", ())]
    return [part for part in found if isinstance(part, inspect.Type)]


def _is_unbounded(known: inspect.Type) -> bool:
    if not isinstance(known, inspect.IntType):
        return False
    lowest = known.ge if known.gt is None else known.gt + 1
    highest = known.le if known.lt is None else known.lt - 1
    return lowest is None or highest is None or not _is_exact([lowest, highest])


def flaw_of(value: Any, *, zoned: bool) -> str | None:
    """Return what to say of *value* where D1 would not keep it as it is, else None.

    That is a number that is infinite, NaN or beyond `SAFE_INTEGER`, a datetime that is out of range
    in UTC and, if they have to be *zoned*, one without a zone.
    """
    if not _is_exact(value):
        return "This number is out of range."
    values = value if isinstance(value, _COLLECTIONS) else (value,)
    times = [each for each in values if isinstance(each, datetime)]
    if zoned and any(each.tzinfo is None for each in times):
        return "Expected datetime with a timezone component."  # as msgspec says it
    if not all(map(is_in_years, times)):
        return "Timestamp is out of range."  # as msgspec says it
    return None


def is_in_years(time: datetime) -> bool:
    """Return whether *time* is in range in UTC, as rows are read: its zone may take it past year 9999."""
    try:
        if time.tzinfo is not None:
            time.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _is_exact(value: Any) -> bool:
    """Return whether no number in *value* is infinite, NaN or beyond `SAFE_INTEGER`.

    A `Decimal` may be as large as a float, or as small, however exact: programs write all its zeros.
    """
    if isinstance(value, int):
        return -SAFE_INTEGER <= value <= SAFE_INTEGER
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) <= float_info.max_10_exp
    return not isinstance(value, _COLLECTIONS) or all(map(_is_exact, value))


def flawed_places(value: Any, pointer: str = "", *, zoned: bool) -> Iterator[tuple[str, str]]:
    """Yield the place, an RFC 6901 pointer, and the flaw of all in *value* that has one (`flaw_of`).

    *pointer* is that of *value* itself. What is in a dict or a set has the place of the whole: a key
    may be what the client sent. A place may come more than once.
    """
    kind: Any = type(value)
    if kind is int or kind is Decimal or kind is datetime:
        if flaw := flaw_of(value, zoned=zoned):
            yield pointer, flaw
    elif kind is list or isinstance(value, tuple):
        for index, item in enumerate(value):
            if type(item) not in _EXACT and not (type(item) is int and _is_exact(item)):
                yield from flawed_places(item, f"{pointer}/{index}", zoned=zoned)
    elif kind is dict or kind is set or kind is frozenset:
        for part in (*value, *value.values()) if kind is dict else value:
            yield from ((pointer, flaw) for _, flaw in flawed_places(part, zoned=zoned))
    else:
        for name, step in _steps(kind):
            item = getattr(value, name)
            if type(item) not in _EXACT and not (type(item) is int and _is_exact(item)):
                yield from flawed_places(item, pointer + step, zoned=zoned)


@cache
def _steps(kind: Any) -> list[tuple[str, str]]:
    """Return each field of a *kind*, if it has any, and how a pointer goes there."""
    try:
        known: Any = inspect.type_info(kind)
    except Exception:  # whatever it is: this stands in a field of Any, and was not sent
        return []
    fields = getattr(known, "fields", ())
    if not getattr(known, "array_like", False):
        return [(field.name, json_pointer(field.encode_name)) for field in fields]
    first = int(known.tag is not None)  # in an array the tag comes first
    return [(field.name, f"/{index}") for index, field in enumerate(fields, first)]
