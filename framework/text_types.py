"""Says which types can be read from text, as paths, queries and forms hold it. Knows no request."""

import re
from datetime import UTC, datetime  # msgspec imports it anyway, and the next
from decimal import Decimal
from math import isfinite
from sys import float_info
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct, inspect

__all__ = [
    "FRACTION",
    "SAFE_INTEGER",
    "class_of",
    "flaw_of",
    "is_exact",
    "is_in_years",
    "is_kind_of",
    "is_readable",
    "is_struct",
    "is_union",
    "members_of",
    "notes_of",
    "takes_integers",
    "takes_several",
    "unaliased",
    "without_notes",
]

FRACTION = re.compile(r"-?[0-9]+[.eE].*", re.DOTALL)
"""What msgspec takes for an integer although it is written as another number: ``1e2``, ``1.0``."""

SAFE_INTEGER = 2**53 - 1
"""The largest integer that JavaScript and D1 hold exactly."""

_SCALARS = (
    inspect.AnyType,
    inspect.BoolType,
    inspect.BytesType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.DecimalType,
    inspect.EnumType,
    inspect.FloatType,
    inspect.IntType,
    inspect.LiteralType,
    inspect.NoneType,
    inspect.StrType,
    inspect.TimeDeltaType,
    inspect.TimeType,
    inspect.UUIDType,
)
_COLLECTIONS = (list, tuple, set, frozenset)
_SEVERAL = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType)


def unaliased(annotation: Any) -> Any:
    """Return what *annotation* is another name for, by `NewType` or by ``type``; itself if it is none.

    In a union and beside notes, too; not in the brackets of a generic.
    """
    if notes := notes_of(annotation):
        return Annotated[(unaliased(without_notes(annotation)), *notes)]
    if is_union(annotation):
        return Union[tuple(map(unaliased, get_args(annotation)))]  # noqa: UP007  members of run time
    if get_origin(annotation) is not None:
        return annotation
    meant = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    return annotation if meant is None else unaliased(meant)


def is_union(annotation: Any) -> bool:
    """Return whether *annotation* is ``A | B`` or ``Optional[A]``."""
    return get_origin(annotation) in {Union, UnionType}


def members_of(annotation: Any) -> tuple[Any, ...]:
    """Return the types that *annotation* is a union of; itself where it is none."""
    return get_args(annotation) if is_union(annotation) else (annotation,)


def without_notes(annotation: Any) -> Any:
    """Return *annotation* as it is without ``Annotated``."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def class_of(annotation: Any) -> Any:
    """Return the class that *annotation* is, or is a generic of, without notes; else what it is."""
    plain = without_notes(annotation)
    return get_origin(plain) or plain


def is_kind_of(annotation: Any, base: type) -> bool:
    """Return whether *annotation* is the class *base*, or one that is derived from it."""
    kind = class_of(annotation)
    return isinstance(kind, type) and issubclass(kind, base)


def is_struct(annotation: Any) -> bool:
    """Return whether *annotation* is a Struct, or a generic one whose types are named."""
    return is_kind_of(annotation, Struct)


def notes_of(annotation: Any) -> tuple[Any, ...]:
    """Return what *annotation* says beside its type, by ``Annotated``."""
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def is_readable(annotation: Any, *, with_several: bool, beside: Any = None) -> bool:
    """Return whether text can become *annotation*; or several texts can, if *with_several*.

    *beside* is a class whose values come as they are.
    """
    try:
        items = _items(annotation) if with_several else _members(annotation)
    except TypeError:  # msgspec cannot read it from anything
        return False
    return all(
        isinstance(item, _SCALARS) or (beside and getattr(item, "cls", None) is beside)
        for item in items
    )


def takes_several(annotation: Any) -> bool:
    """Return whether *annotation* is a list, set or tuple of any length."""
    return any(isinstance(member, _SEVERAL) for member in _members(annotation))


def takes_integers(annotation: Any) -> bool:
    """Return whether *annotation* is an integer, several of them, None or a listed value.

    If so, what `FRACTION` matches is none of these.
    """
    return all(map(_is_whole, _items(annotation)))


def _is_whole(known: inspect.Type) -> bool:
    if isinstance(known, inspect.LiteralType):
        return not any(map(FRACTION.fullmatch, map(str, known.values)))
    return isinstance(known, inspect.IntType | inspect.NoneType)


def is_exact(value: Any) -> bool:
    """Return whether no number in *value* is infinite, NaN or beyond `SAFE_INTEGER`.

    A `Decimal` may be as large as a float, or as small, however exact: programs write all its zeros.
    """
    if isinstance(value, int):
        return -SAFE_INTEGER <= value <= SAFE_INTEGER
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) <= float_info.max_10_exp
    return not isinstance(value, _COLLECTIONS) or all(map(is_exact, value))


def flaw_of(value: Any, *, zoned: bool) -> str | None:
    """Return what to say of *value* where D1 would not keep it as it is, else None.

    That is a number that is not exact (`is_exact`), a datetime that is out of range in UTC and, if
    they have to be *zoned*, one without a zone.
    """
    if not is_exact(value):
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


def _members(annotation: Any) -> tuple[inspect.Type, ...]:
    """Return what *annotation* may be, without its constraints."""
    known = _plain(inspect.type_info(annotation))
    return tuple(map(_plain, known.types)) if isinstance(known, inspect.UnionType) else (known,)


def _items(annotation: Any) -> list[inspect.Type]:
    """Return what *annotation* may be, and of several what each of them may be."""
    return [
        _plain(member.item_type) if isinstance(member, _SEVERAL) else member
        for member in _members(annotation)
    ]


def _plain(known: inspect.Type) -> inspect.Type:
    return known.type if isinstance(known, inspect.Metadata) else known
