"""Finds the integers that JavaScript and D1 would round. Knows nothing of what carries them."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from framework.text import SAFE_INTEGER, is_exact
from framework.validation import point

__all__ = ["holds_integers", "inexact_places", "may_be_inexact"]

_RUN = b"0" * 16
"""As many digits as the smallest integer has that is not exact, 2^53."""

_EXACT = {str, float, bool, type(None)}
_DIGITS = bytes(48 if byte in b"0123456789" else 32 for byte in range(256))


def may_be_inexact(data: bytes) -> bool:
    """Return whether *data* has as many digits in a row as an inexact integer. In C, and cheap."""
    return data.translate(_DIGITS).find(_RUN) >= 0  # `in` first tries whether it is given a number


def holds_integers(type: Any) -> bool:
    """Return whether a value of *type* may hold an integer that no bound keeps exact."""
    return _holds(inspect.type_info(type), set())


def _holds(known: Any, seen: set[Any]) -> bool:
    if isinstance(known, inspect.IntType):
        return not _is_bounded(known)
    if isinstance(known, inspect.AnyType):
        return True
    named = getattr(known, "cls", None)
    if named is not None:
        if named in seen:
            return False  # it holds itself, and is being looked at
        seen.add(named)
    return any(_holds(part, seen) for part in _parts(known))


def _parts(known: Any) -> list[Any]:
    """Return the types inside of *known*."""
    found = [getattr(known, name, None) for name in ("type", "item_type", "key_type", "value_type")]
    found += getattr(known, "types", ())
    found += getattr(known, "item_types", ())
    found += [field.type for field in getattr(known, "fields", ())]
    return [part for part in found if isinstance(part, inspect.Type)]


def _is_bounded(known: inspect.IntType) -> bool:
    lowest = known.ge if known.gt is None else known.gt + 1
    highest = known.le if known.lt is None else known.lt - 1
    return lowest is not None and highest is not None and is_exact([lowest, highest])


def inexact_places(value: Any) -> Iterator[str]:
    """Yield where in *value* an integer is beyond ±(2^53 - 1), as RFC 6901 pointers.

    What is in a dict or a set has the place of the whole: a key may be what the client sent. A
    place may come more than once.
    """
    return _places(value, "")


def _places(value: Any, pointer: str) -> Iterator[str]:
    kind = type(value)
    if kind is int:
        if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            yield pointer
    elif kind is list or isinstance(value, tuple):
        for index, item in enumerate(value):
            if type(item) not in _EXACT and not (type(item) is int and is_exact(item)):
                yield from _places(item, f"{pointer}/{index}")
    elif kind is dict:
        for part in (*value.keys(), *value.values()):
            yield from (pointer for _ in _places(part, ""))
    elif kind is set or kind is frozenset:
        yield from (pointer for item in value for _ in _places(item, ""))
    elif isinstance(value, msgspec.Struct):
        for name, step in _steps(value):
            yield from _places(getattr(value, name), pointer + step)
    elif hasattr(kind, "__dataclass_fields__"):
        for name in kind.__dataclass_fields__:
            yield from _places(getattr(value, name), pointer + point(name))


def _steps(value: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """Yield each field of *value*, and how a pointer goes there."""
    config = value.__struct_config__
    first = int(config.tag is not None)  # in an array the tag comes first
    names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
    for index, (name, encoded) in enumerate(names, first):
        yield name, f"/{index}" if config.array_like else point(encoded)
