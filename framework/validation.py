"""Says everything that does not fit a type, without repeating the value. Knows nothing of HTTP bodies."""

import re
from collections.abc import Iterator
from enum import EnumMeta
from functools import cache
from itertools import chain, islice
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import msgspec

from framework.errors import Invalid, InvalidField
from framework.text_types import class_of, is_struct, is_union, members_of, notes_of, without_notes

__all__ = ["convert", "json_pointer", "misfits", "safe_message"]

_SAFE = (
    "Expected `",
    "Invalid RFC3339",
    "Invalid ISO8601",
    "Invalid UUID",
    "Invalid base64",
    "Invalid decimal",
    "Invalid epoch",
    "Integer value out of range",
    "Number out of range",
    "Duration is out of range",
    "Timestamp is out of range",
    "Only units",
)
"""How msgspec's messages begin where they tell of the schema only. Others may quote the input."""

_LENGTH = re.compile(r"Expected `str` of length (>=|<=|==) ([0-9]+)")
_BOUNDS = {">=": "at least", "<=": "at most", "==": "exactly"}

_NOT_ALLOWED = "This is not one of the values allowed here."
_LISTED = 10
"""How many values of a Literal or an Enum an answer lists."""
_LISTED_LENGTH = 200

MISFIT_LIMIT = 100
"""How many misfits one answer names: all that a person can use, and no more than they sent us."""


PLACE_LIMIT = 10_000
"""How many places one answer looks at: a body of a million small ones is not worth a second."""

_STEP = re.compile(r"\.([^.\[`]+)|\[([0-9]+)\]")
"""One step of the path in msgspec's messages: a field of a Struct, or an index."""


def convert(value: Any, type: Any, *, strict: bool) -> Any:
    """Return *value*, made of dicts, lists and scalars, as *type*; lax mode reads text as numbers.

    Raises `Invalid` with every misfit.
    """
    try:
        return msgspec.convert(value, type, strict=strict, str_keys=True)
    except (ValueError, TypeError) as error:  # a TypeError of what no set can hold
        raise Invalid(errors=misfits(value, type, error, strict=strict)) from None


def misfits(value: Any, type: Any, error: Exception, *, strict: bool = True) -> list[InvalidField]:
    """Return each place in *value* that does not fit *type*: a JSON pointer and what is expected.

    *error* is msgspec's for the whole value. Where no place is found, it is the only misfit; or it
    is raised, if the fault is the program's own, as in a function that makes a default.
    """
    places = islice(_walk(value, type, "", strict), PLACE_LIMIT)
    found = list(islice((place for place in places if place is not None), MISFIT_LIMIT))
    if not found and not isinstance(error, msgspec.ValidationError | RecursionError):
        raise error
    told = safe_message(error, type, strict=strict)
    return found or [InvalidField(told, pointer=_place_of(error))]


def json_pointer(*names: str) -> str:
    """Return the RFC 6901 pointer that goes down by *names*."""
    return "".join(["/" + name.replace("~", "~0").replace("/", "~1") for name in names])


def _walk(value: Any, type: Any, pointer: str, strict: bool) -> Iterator[InvalidField | None]:
    """Yield each misfit, and None for each place that fits. Looks at every place once."""
    inner = _unwrapped(type)
    parts: Iterator[InvalidField | None] | None = None
    if isinstance(value, dict) and is_struct(inner):
        parts = _fields(value, inner, pointer, strict)
    elif isinstance(value, list) and get_origin(inner) is list:
        [item_type] = get_args(inner)
        walks = (_walk(each, item_type, f"{pointer}/{at}", strict) for at, each in enumerate(value))
        parts = chain.from_iterable(walks)
    if parts is not None:
        yield None
        fits = True
        for part in parts:
            fits = fits and part is None
            yield part
        if not fits or not _has_own_rules(type, inner):
            return
    try:
        msgspec.convert(value, type, strict=strict, str_keys=True)
        yield None
    except (ValueError, TypeError) as error:
        trace = error.__traceback__
        if trace and trace.tb_next and not isinstance(error, msgspec.ValidationError):
            raise  # from Python code: what makes a default is broken
        told = safe_message(error, type, strict=strict)
        yield InvalidField(told, pointer=pointer + _place_of(error))


def _fields(
    value: dict[str, Any], struct: Any, pointer: str, strict: bool
) -> Iterator[InvalidField | None]:
    config = class_of(struct).__struct_config__
    names = {config.tag_field}
    for field in _fields_of(struct):
        name = field.encode_name
        names.add(name)
        place = pointer + json_pointer(name)
        if name in value:
            yield from _walk(value[name], field.type, place, strict)
        elif field.required:
            yield InvalidField("This field is required.", pointer=place)
    if config.forbid_unknown_fields and not names.issuperset(value):
        known = ", ".join(sorted(name for name in names if name is not None))
        yield InvalidField(f"Only these fields are known: {known}.", pointer=pointer)


def safe_message(error: Exception, type: Any = Any, *, strict: bool = True) -> str:
    """Return what *error* says of the schema, *type*, without what it may say of the value.

    In lax mode, where every value is text, it does not say that text was given, either.
    """
    if isinstance(error.__cause__, ValueError | TypeError):
        return str(error.__cause__)  # a Struct's own __post_init__ said so
    if error.__class__ is ValueError:  # Python's own, of a year that it does not have
        return "Timestamp is out of range."
    message, _, path = str(error).partition(" - at `")
    if "." in path.replace("[...]", ""):
        type = Any  # it is a field of a Struct inside
    if message.startswith("Expected `str` matching regex"):
        return _described(type) or "Expected another form."
    if message.startswith("Invalid enum value"):
        return _listed(type) or _described(type) or _NOT_ALLOWED
    if length := _LENGTH.fullmatch(message):
        return f"Expected {_BOUNDS[length[1]]} {length[2]} characters."
    if message.startswith("Object missing required field"):
        return f"The field {message.split('`')[1]} is required."
    if message.startswith(_SAFE):
        told = message.replace("`", "").strip()
        return (told if strict else told.removesuffix(", got str")) + "."
    return _NOT_ALLOWED


def _described(type: Any) -> str | None:
    """Return what *type* says of itself in words: the one description in its `msgspec.Meta`.

    One beside a pattern comes before those around it. The pattern itself is not said: it is no
    sentence for people, and programs find it in the OpenAPI document.
    """
    levels = [
        [note for note in notes_of(part) if isinstance(note, msgspec.Meta)] for part in _parts(type)
    ]
    nearest = [level for level in levels if any(note.pattern for note in level)]
    for notes in (nearest, levels):
        found = {note.description for level in notes for note in level if note.description}
        if len(found) == 1:
            return _sentence(found.pop())
    return None


def _sentence(description: str) -> str:
    """Return *description* if it ends like a sentence, else one that says that it is expected."""
    text = " ".join(description.split())
    if text.endswith((".", "!")):
        return text
    stop = "." if text[-1:].isalnum() else ""  # after "- _" it would seem to be allowed as well
    return f"Expected{':' * text[:1].isupper()} {text}{stop}"


def _listed(type: Any) -> str | None:
    """Return the values of the one `Literal` or `Enum` in *type*, unless they are many.

    Beside numbers they are not all that fits, and are not said.
    """
    parts = [*_parts(type)]
    found = {p for p in parts if get_origin(p) is Literal or isinstance(p, EnumMeta)}
    if len(found) != 1 or int in parts or float in parts:
        return None
    closed: Any = found.pop()
    values = get_args(closed) or [member.value for member in closed]
    shown = ", ".join([msgspec.json.encode(value).decode() for value in values])
    few = len(values) <= _LISTED and len(shown) <= _LISTED_LENGTH
    return f"Expected {'one of ' * (len(values) > 1)}{shown}." if few else None


def _parts(type: Any) -> Iterator[Any]:
    """Yield *type* and what it is made of, but for the fields of Structs."""
    yield type
    for part in get_args(type):
        yield from _parts(part)


@cache
def _fields_of(struct: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(struct)


def _place_of(error: Exception) -> str:
    """Return the pointer to where *error* says that it is, as far as that is fields and indexes."""
    _, _, path = str(error).partition(" - at `$")
    names, position = [], 0
    while step := _STEP.match(path, position):
        names.append(step[1] or step[2])
        position = step.end()
    return json_pointer(*names)


def _unwrapped(type: Any) -> Any:
    """Return *type* without constraints and without None."""
    plain = without_notes(type)
    members = [member for member in members_of(plain) if member is not NoneType]
    return _unwrapped(members[0]) if is_union(plain) and len(members) == 1 else plain


def _has_own_rules(type: Any, inner: Any) -> bool:
    """Return whether parts that fit may still not fit together."""
    struct = class_of(inner)
    return bool(notes_of(type)) or (
        is_struct(inner)
        and (hasattr(struct, "__post_init__") or struct.__struct_config__.tag_field is not None)
    )
