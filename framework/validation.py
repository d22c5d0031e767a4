"""Says everything that does not fit a type, without repeating the value. Knows nothing of HTTP bodies."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, get_args, get_origin

import msgspec

from framework.errors import Invalid, InvalidField

__all__ = ["convert", "misfits", "say"]

_SAFE = (
    "Expected `",
    "Invalid RFC3339",
    "Invalid ISO8601",
    "Invalid UUID",
    "Invalid base64",
    "Integer value out of range",
    "Number out of range",
)
"""How msgspec's messages begin where they tell of the schema only. Others may quote the input."""

MISFIT_LIMIT = 100
"""How many misfits one answer names: all that a person can use, and no more than they sent us."""


def convert(value: Any, type: Any, *, strict: bool) -> Any:
    """Return *value*, made of dicts, lists and scalars, as *type*; lax mode reads text as numbers.

    Raises `Invalid` with every misfit.
    """
    try:
        return msgspec.convert(value, type, strict=strict, str_keys=True)
    except msgspec.ValidationError:
        raise Invalid(errors=misfits(value, type, strict=strict)) from None


def misfits(value: Any, type: Any, *, strict: bool = True) -> list[InvalidField]:
    """Return each place in *value* that does not fit *type*: a JSON pointer and what is expected."""
    return list(islice(_walk(value, type, "", strict), MISFIT_LIMIT))


def _walk(value: Any, type: Any, pointer: str, strict: bool) -> Iterator[InvalidField]:
    try:
        msgspec.convert(value, type, strict=strict, str_keys=True)
    except msgspec.ValidationError as error:
        parts = list(_parts(value, type, pointer, strict))
        yield from parts or [InvalidField(say(error), pointer=pointer)]


def _parts(value: Any, type: Any, pointer: str, strict: bool) -> Iterator[InvalidField]:
    """Yield the misfits inside *value*, where *type* says what its parts should be."""
    inner = _without_none(type)
    if isinstance(value, dict) and _is_struct(inner):
        yield from _fields(value, inner, pointer, strict)
    elif isinstance(value, list) and get_origin(inner) is list:
        (item_type,) = get_args(inner)
        for index, item in enumerate(value):
            yield from _walk(item, item_type, f"{pointer}/{index}", strict)


def _fields(
    value: dict[str, Any], struct: Any, pointer: str, strict: bool
) -> Iterator[InvalidField]:
    names = set()
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        names.add(name)
        place = f"{pointer}/{_escape(name)}"
        if name in value:
            yield from _walk(value[name], field.type, place, strict)
        elif field.required:
            yield InvalidField("This field is required.", pointer=place)
    if struct.__struct_config__.forbid_unknown_fields and not names.issuperset(value):
        yield InvalidField(
            f"Only these fields are known: {', '.join(sorted(names))}.", pointer=pointer
        )


def say(error: msgspec.ValidationError) -> str:
    """Return what *error* says of the schema, and nothing that it may say of the value."""
    if isinstance(error.__cause__, ValueError | TypeError):
        return str(error.__cause__)  # a Struct's own __post_init__ said so
    message = str(error).partition(" - at `")[0]
    if message.startswith(_SAFE):
        return message.replace("`", "") + "."
    return "This is not one of the values allowed here."


def _without_none(type: Any) -> Any:
    members = [member for member in get_args(type) if member is not NoneType]
    return members[0] if len(members) == 1 and NoneType in get_args(type) else type


def _is_struct(type: Any) -> bool:
    return isinstance(type, msgspec.StructMeta)


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


NoneType = type(None)
