"""Reads the bindings of a deployment into a declared shape. Knows nothing of requests."""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
)
from uuid import UUID

import msgspec

from framework.database import Database
from framework.errors import ConfigurationError
from framework.text_types import unaliased

__all__ = ["Bindings", "Env", "is_bindings", "read_bindings"]

T = TypeVar("T", bound="Bindings")


class Env(Protocol):
    """The bindings of this deployment, by name. A dict does."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the binding *name*; raise `KeyError` if there is none.

        A second argument of that error, if it has one, says why. A third is what `Bindings` hold in
        its place: it raises when it is used.
        """


class Bindings(msgspec.Struct):
    """What an application needs of its deployment. Subclass it with a field for each binding.

    A field of text, numbers, dates and times, lists or Structs is a variable or a secret, converted:
    a bool from true, false, 1 or 0, a `timedelta` from ``PT5M`` or seconds, a list, dict or Struct
    from JSON, if the value is text; `Decimal`, `UUID` and an Enum are data, too. Any other type is a
    binding such as `Database`, handed on as it is. A handler, a guard or a provider asks for it by
    annotating a parameter with the subclass; it is never read from a body. The repr shows names,
    never values.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.__struct_fields__)}>"


_COMPOUND = (list, dict, tuple, set, frozenset, msgspec.Struct)
_SCALAR = (str, int, float, bytes, Decimal, UUID, date, time, timedelta, type(None), Enum)
_DATA = (*_SCALAR, *_COMPOUND)
_REMEDY = (
    "see wrangler.toml; a secret goes into .dev.vars on your machine, and for the deployed Worker it is"
    " set with npx wrangler secret put"
)
_WRAPPERS = {Union, UnionType, Annotated}


class _Field(NamedTuple):
    """One field of a subclass: what it and its binding are called, and how a value is read."""

    name: str
    binding: str
    is_required: bool
    type: Any
    is_data: bool
    """Whether it is a variable or a secret."""
    is_database: bool

    def read(self, value: Any) -> Any:
        """Return *value* as this field holds it. Raises `ValueError` if it does not fit."""
        if not self.is_data:
            return value
        to_python = getattr(value, "to_py", None)  # a variable that is an object, in the Worker
        plain = value if to_python is None else to_python()
        try:
            return msgspec.convert(plain, self.type, strict=False)
        except msgspec.ValidationError:
            if not isinstance(plain, str) or not _names(self.type, _COMPOUND):
                raise
            return msgspec.json.decode(plain, type=self.type, strict=False)

    def misfit(self) -> str:
        """Return what to say of a value that does not fit: how it is written, and not the value."""
        shown = self.type.__name__ if isinstance(self.type, type) else str(self.type)
        if _names(self.type, _COMPOUND):
            shown += ", which is written as JSON"
        elif _names(self.type, (bool,)):
            shown += ", which is true, false, 1 or 0"
        elif _names(self.type, (timedelta,)):
            shown += ", which is PT5M or 300 (seconds)"
        return f"{self.binding} does not fit {shown}"


_fields: dict[type[Bindings], list[_Field]] = {}
"""Those of each subclass, looked up once: what is declared does not change."""


def read_bindings(
    type: type[T], env: Env, wrap_database: Callable[[Database], Database] | None = None
) -> T:
    """Return the bindings that *type* declares, out of *env*.

    What a field annotated as `Database` holds is passed through *wrap_database*. Raises
    `ConfigurationError` that names all that are missing or do not fit, and no value.
    """
    if type not in _fields:
        _fields[type] = [
            _Field(
                *(f.name, f.encode_name, f.required, f.type),
                is_data=_is_data(f.type),
                is_database=Database in _members(f.type),
            )
            for f in msgspec.structs.fields(type)
        ]
    values: dict[str, Any] = {}
    problems: list[str] = []
    reasons: list[str] = []
    for field in _fields[type]:
        try:
            value = field.read(env[field.binding])
        except KeyError as error:
            reason, stand_in = (*error.args[1:3], None, None)[:2]
            if stand_in is not None and field.is_required and not field.is_data:
                values[field.name] = stand_in
            elif field.is_required:
                problems.append(f"{field.binding} is missing")
                reasons.append(reason or _REMEDY)
        except ValueError:  # its text may show the value
            problems.append(field.misfit())
            reasons.append(_REMEDY)
        else:
            if field.is_database and wrap_database is not None:
                value = wrap_database(value)
            values[field.name] = value
    if problems:
        remedies = "; ".join(dict.fromkeys(reasons))
        raise ConfigurationError(f"{type.__name__}: {'; '.join(problems)}: {remedies}")
    return type(**values)


def _is_data(annotation: Any) -> bool:
    """Return whether *annotation* is what a variable can hold; else it is a binding, as it came."""
    return all(
        member is Literal or (isinstance(member, type) and issubclass(member, _DATA))
        for member in _members(annotation)
    )


def _names(annotation: Any, kinds: tuple[type, ...]) -> bool:
    """Return whether *annotation* is of one of *kinds*, or a union with one."""
    return any(
        isinstance(member, type) and issubclass(member, kinds) for member in _members(annotation)
    )


def _members(annotation: Any) -> list[Any]:
    """Return what *annotation* is a union of, or itself, each without what is in its brackets."""
    annotation = unaliased(annotation)
    origin = get_origin(annotation)
    if origin not in _WRAPPERS:
        return [origin or annotation]
    arguments = get_args(annotation)[: 1 if origin is Annotated else None]
    return [member for argument in arguments for member in _members(argument)]


def is_bindings(annotation: Any) -> bool:
    """Return whether *annotation* is a subclass of `Bindings`."""
    return isinstance(annotation, type) and issubclass(annotation, Bindings)
