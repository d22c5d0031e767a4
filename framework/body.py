"""Turns bytes that a client sent into values of a declared type. Knows nothing of requests."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, get_args

import msgspec

from framework.errors import BadRequest, ConfigurationError, Invalid, InvalidField
from framework.exact_numbers import (
    all_parts,
    flaw_of,
    may_be_inexact,
    number_kinds,
    wants_zone,
)
from framework.multipart import File, boundary_of, parse_multipart
from framework.paths import parse_query
from framework.sent_values import (
    STRING,
    names_at_least,
    refuse_flawed,
    refuse_twice,
    unless_alike,
)
from framework.text_types import is_readable, speller_of, takes_several, without_notes
from framework.validation import convert, json_pointer, misfits

__all__ = [
    "DEPTH_LIMIT",
    "check_depth",
    "decode_form",
    "decode_json",
    "form_decoder",
    "json_decoder",
    "takes_files",
]

DEPTH_LIMIT = 64
"""How deep JSON may nest. In the Worker about 2,000 levels kill the whole isolate, 6.6 KB of input."""

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def check_depth(data: bytes) -> None:
    """Raise `BadRequest` where JSON nests deeper than `DEPTH_LIMIT`. Runs before any decoder."""
    if data.count(b"[") + data.count(b"{") <= DEPTH_LIMIT:
        return
    brackets = STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > DEPTH_LIMIT:
        raise BadRequest(f"The JSON nests deeper than {DEPTH_LIMIT} levels.")


def json_decoder(type: Any) -> Callable[[bytes], Any]:
    """Return a function that decodes JSON into *type*. Make it once, at import.

    The function raises `BadRequest` for what is not JSON or nests too deep, and `Invalid`, with
    every misfit, for what does not fit the type. Misfits are also: an integer beyond ±(2^53 - 1),
    which JavaScript, and so D1, would round; a `Decimal` that is not a number; a datetime that is
    out of range in UTC; one without a zone, unless the type has ``Meta(tz=False)`` somewhere; and a
    name that comes twice where the type is a Struct with ``forbid_unknown_fields``, or a union of
    such: msgspec would take the last one, software in front of us perhaps the first.

    Raises `ConfigurationError` for a type that JSON cannot be read into, or that holds a `File`.
    """
    parts = all_parts(type)
    decode_typed = unless_alike(msgspec.json.Decoder(type).decode, parts)
    has_integers, has_others = number_kinds(parts)
    zoned = wants_zone(parts)
    if any(getattr(part, "cls", None) is File for part in parts):
        raise ConfigurationError(
            "a File comes in a form alone: write Form[File], or Form[...] of a Struct with it"
        )
    least = names_at_least(type)

    def decode(data: bytes) -> Any:
        check_depth(data)
        try:
            value = decode_typed(data)
            if least is not None and data.count(b":") > least:
                refuse_twice(data)
            if has_others or (has_integers and may_be_inexact(data)):
                refuse_flawed(data, value, zoned=zoned)
        except (ValueError, TypeError, RecursionError) as error:
            raise _explain(data, type, error) from None
        return value

    return decode


def decode_json(data: bytes, type: Any = Any) -> Any:
    """Return *data* decoded from JSON into *type*. Raises like `json_decoder`'s function."""
    try:
        decode = _decoder(type)
    except TypeError:  # its notes have no hash
        decode = json_decoder(type)
    return decode(data)


_decoder = lru_cache(json_decoder)
_decode_anything = unless_alike(msgspec.json.decode, all_parts(Any))


def _explain(data: bytes, type: Any, error: Exception) -> BadRequest | Invalid:
    """Return why *data* does not decode: what is not JSON at all first, then every misfit."""
    try:
        value = _decode_anything(data)
    except msgspec.ValidationError:
        return Invalid("The JSON holds a number that is out of range.")
    except (ValueError, RecursionError):
        return BadRequest("The body is not JSON.")
    return Invalid(errors=misfits(value, type, error))


def decode_form(data: bytes) -> dict[str, list[str]]:
    """Return the fields of an urlencoded form. Raises `BadRequest`."""
    try:
        return parse_query(data.decode())
    except ValueError:  # no UTF-8, or a `MalformedURL`
        raise BadRequest("The form is malformed.") from None


def form_decoder(type: Any) -> Callable[[bytes, str], Any]:
    """Return a function that decodes a form and its Content-Type into the Struct *type*.

    The form is multipart where the Struct takes a `File`, else urlencoded. A field given twice is
    refused unless the Struct declares a list there. One that was left empty is None where the type
    takes None and no empty text. The function raises `BadRequest` or `Invalid`.

    Raises `ConfigurationError` for a required field that no form can send.
    """
    for field in _fields(type):
        if field.required and not is_readable(field.type, with_several=True, beside=File):
            raise ConfigurationError(
                f"the field {field.encode_name!r} is text in a form, and {field.type!r} is not read"
                " from text"
            )
    build = _form_builder(type)
    if takes_files(type):
        return lambda data, content_type: build(_group(data, content_type))
    return lambda data, _: build(decode_form(data))


def _fields(struct: Any) -> Sequence[msgspec.structs.FieldInfo]:
    return msgspec.structs.fields(without_notes(struct))  # with notes, not from Python 3.13 on


def takes_files(type: Any) -> bool:
    """Return whether a field of the Struct *type* is a `File`, or several."""
    return any(_takes_file(field.type) for field in _fields(type))


def _takes_file(annotation: Any) -> bool:
    return annotation is File or any(map(_takes_file, get_args(annotation)))


def _group(data: bytes, content_type: str) -> dict[str, list[str | File]]:
    fields: dict[str, list[str | File]] = {}
    for name, value in parse_multipart(data, boundary_of(content_type)):
        fields.setdefault(name, []).append(value)
    return fields


def _form_builder(type: Any) -> Callable[[Mapping[str, Sequence[str | File]]], Any]:
    fields = _fields(type)
    lists = {field.encode_name for field in fields if takes_several(field.type)}
    zoned = {field.name for field in fields if wants_zone(all_parts(field.type))}
    spellers = {field.encode_name: speller_of(field.type) for field in fields}

    def build(given: Mapping[str, Sequence[str | File]]) -> Any:
        sent: dict[str, Any] = {}
        for name, values in given.items():
            spell = spellers.get(name)
            spelled = [*map(spell, values)] if spell else values
            sent[name] = spelled if name in lists or len(values) > 1 else spelled[0]
        value = convert(sent, type, strict=False)
        errors = [
            InvalidField(flaw, pointer=json_pointer(field.encode_name))
            for field in fields
            if (flaw := flaw_of(getattr(value, field.name), zoned=field.name in zoned))
            and field.encode_name in given  # a default is the program's own
        ]
        if errors:
            raise Invalid(errors=errors)
        return value

    return build
