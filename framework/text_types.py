"""Says which types can be read from text, as paths, queries and forms hold it. Knows no request."""

import re
from collections.abc import Callable, Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct, convert, inspect

__all__ = [
    "FRACTION",
    "UNREADABLE",
    "class_of",
    "classes_of",
    "is_kind_of",
    "is_readable",
    "is_struct",
    "is_union",
    "members_of",
    "notes_of",
    "speller_of",
    "takes_integers",
    "takes_several",
    "unaliased",
    "union_of",
    "without_notes",
]

FRACTION = re.compile(r"-?[0-9]+[.eE].*|-0")
"""What msgspec takes for an integer although it is written otherwise: ``1e2``, ``1.0``, ``-0``."""

UNREADABLE = (TypeError, NameError, AttributeError, SyntaxError, RecursionError)
"""What is raised for a type that msgspec cannot read, or for text that is none."""

_SHORTENED = (
    inspect.BoolType,
    inspect.DateTimeType,
    inspect.FloatType,
    inspect.NoneType,
    inspect.TimeType,
)
_SCALARS = (
    *_SHORTENED,
    inspect.AnyType,
    inspect.BytesType,
    inspect.DateType,
    inspect.DecimalType,
    inspect.EnumType,
    inspect.IntType,
    inspect.LiteralType,
    inspect.StrType,
    inspect.TimeDeltaType,
    inspect.UUIDType,
)
_SEVERAL = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType)


def unaliased(annotation: Any) -> Any:
    """Return what *annotation* is another name for, by `NewType` or by ``type``; itself if it is none.

    In a union and beside notes, too; not in the brackets of a generic.
    """
    if notes := notes_of(annotation):
        return Annotated[(unaliased(without_notes(annotation)), *notes)]
    if is_union(annotation):
        return union_of(map(unaliased, get_args(annotation)))
    if get_origin(annotation) is not None:
        return annotation
    meant = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    return annotation if meant is None else unaliased(meant)


def is_union(annotation: Any) -> bool:
    """Return whether *annotation* is ``A | B`` or ``Optional[A]``."""
    return get_origin(annotation) in {Union, UnionType}


def union_of(members: Iterable[Any]) -> Any:
    """Return the union of *members*; one alone stays as it is, since its notes may have no hash."""
    first, *more = members
    return Union[(first, *more)] if more else first


def members_of(annotation: Any) -> tuple[Any, ...]:
    """Return the types that *annotation* is a union of; itself where it is none."""
    return get_args(annotation) if is_union(annotation) else (annotation,)


def without_notes(annotation: Any) -> Any:
    """Return *annotation* as it is without ``Annotated``."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def classes_of(annotation: Any) -> list[Any]:
    """Return the class of each member of *annotation*, of unions inside of it too, by whatever name."""
    plain = without_notes(unaliased(annotation))
    if not is_union(plain):
        return [class_of(plain)]
    return [found for member in get_args(plain) for found in classes_of(member)]


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
    except UNREADABLE:
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


def speller_of(annotation: Any) -> Callable[[Any], Any] | None:
    """Return what makes of each text that a page sends what msgspec reads as *annotation*, or None.

    An empty one is None where that is taken, and no empty text. A checkbox says ``on``. Inputs of type
    ``time`` and ``datetime-local`` leave out the seconds, those of type ``number`` a zero before the
    point. An integer that is written as another kind of number becomes a text that fits no type.
    """
    is_whole = takes_integers(annotation)
    is_short = all(isinstance(item, _SHORTENED) for item in _items(annotation))
    is_left_out = _fits(None, annotation) and not _fits("", annotation)

    def spell(text: Any) -> Any:
        if text == "" and is_left_out:
            return None
        if not isinstance(text, str):  # a `File`
            return text
        if is_whole:
            return "\0" if FRACTION.fullmatch(text) else text
        if is_short and text == "on":
            return "true"
        if is_short and text.startswith((".", "-.")):
            return text.replace(".", "0.", 1)
        if is_short and len(text) in {5, 16} and text[-3] == ":" and text[10:11] in "T":
            return text + ":00"
        return text

    return spell if is_whole or is_short or is_left_out else None


def _fits(value: str | None, annotation: Any) -> bool:
    """Return whether *value* fits *annotation*, or what it is several of, however many those have to be."""
    try:
        if takes_several(annotation):
            convert([value], without_notes(annotation), strict=False)
        else:
            convert(value, annotation, strict=False)
    except (ValueError, TypeError):
        return False
    return True


def _is_whole(known: inspect.Type) -> bool:
    if isinstance(known, inspect.LiteralType):
        return not any(map(FRACTION.fullmatch, map(str, known.values)))
    return isinstance(known, inspect.IntType | inspect.NoneType)


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
