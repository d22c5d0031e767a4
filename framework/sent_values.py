"""Refuses what JSON can say and types cannot forbid: a name twice, a number too large. Knows no requests."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import groupby, islice
from math import inf
from typing import Any
from uuid import UUID  # msgspec imports it anyway

import msgspec
from msgspec import inspect

from framework.errors import Invalid, InvalidField
from framework.exact_numbers import all_parts, flawed_places, parts_of
from framework.text_types import class_of, is_struct, members_of, without_notes
from framework.validation import MISFIT_LIMIT, json_pointer

__all__ = [
    "STRING",
    "names_at_least",
    "refuse_flawed",
    "refuse_twice",
    "unless_alike",
]

STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?')
"""Matches a text in JSON, with its quotes. It never backtracks: the way back would take 150 bytes
for each escape, and a Worker gives no memory back."""


def names_at_least(type: Any) -> int | None:
    """Return how many names a body of *type* has at least; None unless *type* forbids unknown ones.

    A body that fits and has no more colons than that cannot say a name twice, and is not looked at.
    """
    counts: list[int] = []
    for member in members_of(without_notes(type)):
        if not is_struct(member):
            return None
        kind = class_of(member)
        config = kind.__struct_config__
        if not config.forbid_unknown_fields or config.array_like:
            return None
        counts.append(sum(field.required for field in msgspec.structs.fields(kind)))
    return min(counts)


class _Name:
    """A name in a JSON object, equal to itself alone, so that a dict keeps each that is said."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


# What stands behind a name is skipped, not made: 0.9 µs for a sign-in, 3 µs for a note of 10 KB.
_decode_names = msgspec.json.Decoder(
    dict[_Name, msgspec.Raw], dec_hook=lambda kind, text: kind(text)
).decode


def refuse_twice(data: bytes) -> None:
    """Raise `Invalid` where the object in *data*, which fits its Struct, says a name twice."""
    given = Counter([name.text for name in _decode_names(data)])
    if twice := [json_pointer(name) for name in given if given[name] > 1]:
        detail = "This is given more than once."
        raise Invalid(errors=[InvalidField(detail, pointer=place) for place in twice])


_ALIKE_LIMIT = 100
"""How many texts, and spellings of numbers, may have one hash: a number that is sent has a few itself."""

_VALUES_LIMIT = 1_000
"""As many of one hash are half a million comparisons."""

_NAMES_LIMIT = 2_500
"""Fewer names are not looked at: so many of one hash take the Worker 35 ms, as long as a password."""


def _refuse_alike(data: bytes, *, has_sets: bool) -> None:
    """Raise `Invalid` where *data* holds names chosen to have one hash. Runs before a dict is made.

    With *has_sets*, all texts are looked at, not only names. For the Worker such names are easily
    found: Python hashes text with 32 bits there, from a seed that is no secret. Half a megabyte of
    them took 12 seconds. Raises `ValueError` for what is not JSON.
    """
    most = data.count(b'"') // 2
    if (most if has_sets else min(most, data.count(b":"))) > _NAMES_LIMIT:
        texts = _texts_in(data)
        if len(texts) - len({*map(hash, texts)}) >= _ALIKE_LIMIT:  # or some are there again
            _refuse_many(texts, lambda text: [hash(text)])


def _texts_in(data: bytes) -> list[str]:
    """Return the names and texts in *data*, which is JSON. Raises `ValueError` where one is none."""
    if b"\\" in data:
        texts: list[str] = msgspec.json.decode(b"[%b]" % b",".join(STRING.findall(data)))
        return texts
    return data.decode().split('"')[1::2]  # a quarter of the time


def _refuse_many(texts: Iterable[str], hashes_of: Callable[[str], Iterable[int]]) -> None:
    once = groupby(sorted(texts))  # not in a set: it would hash them
    counts = Counter([each for text, _ in once for each in hashes_of(text)])
    if max(counts.values(), default=0) > _ALIKE_LIMIT:
        raise Invalid("The JSON holds values that were chosen to have one hash.")


def unless_alike(
    decode: Callable[[bytes], Any], parts: Sequence[inspect.Type]
) -> Callable[[bytes], Any]:
    """Return *decode*, for a type with *parts*, behind a check for values chosen to have one hash.

    Those are texts, numbers and UUIDs. A set of them, or a dict by them, takes quadratic time: half
    a megabyte 7 to 19 seconds, and more in the Worker. The function raises `Invalid` for them;
    nobody sends them by chance. Where what is hashed is of another kind (bytes, times, tuples, Structs),
    nothing looks at it, and JSON of more than 1,000 values is refused.
    """
    dicts = [known.key_type for known in parts if isinstance(known, inspect.DictType)]
    sets = [known.item_type for known in parts if isinstance(known, _SETS)]
    hashed = [part for kind in dicts + sets for part in parts_of(kind)]
    has_numbers = not all(isinstance(part, inspect.StrType) for part in hashed)
    has_others = not all(isinstance(part, _LOOKED_AT) for part in hashed)

    def decode_checked(data: bytes) -> Any:
        if has_others and STRING.sub(b"", data).count(b",") >= _VALUES_LIMIT:
            raise Invalid(f"The JSON holds more than {_VALUES_LIMIT} values.")
        _refuse_alike(data, has_sets=bool(sets))
        if has_numbers and data.count(b",") >= _ALIKE_LIMIT:
            _refuse_many(_texts(_decode_texts(data)), _hashes)
        return decode(data)

    is_any = any(isinstance(known, inspect.AnyType) for known in parts)
    return decode_checked if hashed or is_any else decode


def _texts(value: Any) -> Iterator[str]:
    """Yield each name, text and number in *value*, plain JSON, as a text: none of one hash by choice."""
    if isinstance(value, dict):
        yield from value
        value = value.values()
    elif not isinstance(value, list):
        yield str(value)
        return
    for each in value:
        yield from _texts(each)


def _hashes(text: str) -> Iterator[int]:
    """Yield the hashes of what a field may make of *text*, but for a small integer's: that is itself.

    Many texts are infinite or zero as a float, "12e45678" among them: one value, and once in a set.
    """
    if len(text) < 10 and text.isdecimal():
        return
    for kind in (Decimal, float, UUID) if len(text) >= 32 else (Decimal, float):
        with suppress(ArithmeticError, TypeError, ValueError):
            if (value := kind(text)) not in _ONE_VALUE:
                yield hash(value)


_ONE_VALUE = (0, inf, -inf)
_SETS = inspect.SetType | inspect.FrozenSetType
_LOOKED_AT = (
    *(inspect.Metadata, inspect.UnionType, inspect.AnyType, inspect.StrType, inspect.UUIDType),
    *(inspect.IntType, inspect.FloatType, inspect.DecimalType),
    # and those that are too few for many to have one hash
    *(inspect.BoolType, inspect.NoneType, inspect.DateType, inspect.EnumType, inspect.LiteralType),
)


# A number may be one that a Decimal holds, and no float.
_decode_texts = msgspec.json.Decoder(float_hook=str).decode
_decode_sent = unless_alike(_decode_texts, all_parts(Any))


def refuse_flawed(data: bytes, value: Any, *, zoned: bool) -> None:
    """Raise `Invalid` where *data*, decoded to *value*, holds what D1 would not keep as it is.

    A default is the program's own and no misfit, except inside of a dict or a set, which is judged
    as a whole. Raises `ValueError` where a part of *data* that no field takes is not JSON, or is an
    integer of thousands of digits.
    """
    if not any(flawed_places(value, zoned=zoned)):
        return
    sent = _decode_sent(data)
    flaws = (each for each in flawed_places(value, zoned=zoned) if _is_there(sent, each[0]))
    places = dict.fromkeys(islice(flaws, MISFIT_LIMIT))
    if places:
        raise Invalid(errors=[InvalidField(flaw, pointer=place) for place, flaw in places])


def _is_there(sent: Any, pointer: str) -> bool:
    """Return whether *sent*, plain JSON, has something at *pointer*."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            sent = sent[int(name) if isinstance(sent, list) else name]
        except (LookupError, TypeError):  # a TypeError where a Struct made something else of a text
            return False
    return True
