"""Writes types as JSON Schema. Knows nothing of routes."""

import re
from datetime import datetime
from inspect import cleandoc
from typing import Annotated, Any, get_args, get_origin

import msgspec

from framework.errors import ConfigurationError
from framework.multipart import File
from framework.text_types import UNREADABLE, is_union, members_of, union_of

__all__ = ["Schemas", "default_of", "portable_regex", "sent_type"]

_NONE = type(None)
_UPLOADED = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
}
"""A `File` as a form holds it: its bytes, not the Struct that is made of them. Generators of clients
go by one of the two words. It is no component: one called File hides JavaScript's own from them."""

_PYTHON_ONLY = re.compile(r"\\.|\(\?P<\w+>", re.DOTALL)
_PORTABLE = {r"\Z": "$", r"\A": "^"}
_NOT_PORTABLE = re.compile(
    r"(?:\\.|\[(?!\^?\])(?:\\.|[^\]\\])*\]|[^\\\[])*?"  # what stands before, a set as a whole
    r"(?:\(\?(?![:=!]|<[=!])|[*+?}]\+|\{,|\[\^?\]|\\[aNU])",
    re.DOTALL,
)
r"""Matches a regex with what ECMA-262 has no form for, or reads otherwise: flags, comments, conditions,
atomic groups, ``a++``, ``a{,3}``, ``[]a]``, ``\a``."""


class Schemas:
    """The types of one document. All are written at once, so that no two names clash.

    A schema that was asked for is empty until `write` was called.
    """

    def __init__(self) -> None:
        self._types: list[Any] = []
        self._schemas: list[dict[str, Any]] = []

    def of(self, type: Any, **more: Any) -> dict[str, Any]:
        """Return the schema of *type*, with *more* beside what the type itself says."""
        try:
            msgspec.inspect.type_info(type)
        except UNREADABLE:  # of Structs without tags, which are only sent
            if is_union(type):
                return {"anyOf": [self.of(member) for member in members_of(type)], **more}
            if get_origin(type) is list:
                return {"type": "array", "items": self.of(*get_args(type)), **more}
        self._types.append(type)
        self._schemas.append(more)
        return more

    def write(self) -> dict[str, Any]:
        """Fill in every schema that was asked for, and return those that they refer to, by name.

        Raises `ConfigurationError` for a type that can be sent and has no schema.
        """
        try:
            written, components = msgspec.json.schema_components(
                self._types,
                schema_hook=lambda type: {"title": type.__name__},
                ref_template="#/components/schemas/{name}",
            )
        except UNREADABLE as error:
            raise ConfigurationError(f"OpenAPI cannot describe an answer. {error}") from error
        file = msgspec.json.schema_components([File])[1]["File"]
        upload = next((name for name in components if components[name] == file), "")
        components.pop(upload, None)
        ref = f"#/components/schemas/{upload}"
        for schema, found in zip(self._schemas, written, strict=True):
            if found.get("type") in {"boolean", "integer", "number"}:
                # of which a pattern says nothing (JSON Schema 2020-12, 6.3.3)
                schema.pop("pattern", None)
            schema.update(_portable(found, ref) | schema)
        for name in components:
            if "." in name:  # there are two of its title, and generators that go by that keep one
                components[name]["title"] = name
        return {name: _portable(components[name], ref) for name in sorted(components)}


def sent_type(type: Any) -> Any:
    """Return *type* as clients send a parameter of it: never None, and a datetime with its zone."""
    members = [member for member in get_args(type) if member is not _NONE]
    if _NONE in get_args(type) and members:
        type = union_of(members)
    return Annotated[type, msgspec.Meta(tz=True)] if type is datetime else type


def default_of(type: Any, default: Any) -> dict[str, Any]:
    """Return *default* as a schema says it; nothing where *type* itself would refuse it.

    A handler may well have ``cursor: Query[Cursor] = ""``, which stands for none was given.
    """
    try:
        plain = msgspec.to_builtins(default)
        msgspec.convert(plain, type)
    except (msgspec.ValidationError, TypeError):
        return {}
    return {"default": plain}


def portable_regex(regex: str) -> str:
    r"""Return *regex* as JSON Schema reads it (ECMA-262): ``\Z`` is ``$``, and groups have no names.

    Nothing for one that it cannot read, such as ``(?i)a``: a document that says less is still valid.
    """
    portable = _PYTHON_ONLY.sub(_in_ecma, regex)
    return "" if _NOT_PORTABLE.match(portable) else portable


def _in_ecma(found: re.Match[str]) -> str:
    text = found[0]
    return "(" if text.startswith("(") else _PORTABLE.get(text, text)


_TEXTS = {"description": cleandoc, "pattern": portable_regex}
"""What is done to texts, by their names. Python before 3.13 leaves docstrings indented."""


def _portable(value: Any, upload: str, key: str = "") -> Any:
    """Return *value*, a schema or a part of one, as it reads outside of Python; *key* is its name.

    *upload* is what refers to a `File`.
    """
    if isinstance(value, list):
        return [_portable(member, upload) for member in value]
    if isinstance(value, dict):
        written = {name: _portable(part, upload, name) for name, part in value.items()}
        if written.get("$ref") == upload:
            del written["$ref"]
            written = _UPLOADED | written
        if "prefixItems" in written and written.get("items") is False:
            del written["items"]  # says no more than maxItems, and stops some generators
        return {name: part for name, part in written.items() if name != "pattern" or part != ""}
    return _TEXTS[key](value) if isinstance(value, str) and key in _TEXTS else value
