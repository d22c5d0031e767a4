"""Reads the bindings of a deployment into a declared shape. Knows nothing of requests."""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Protocol, TypeVar, overload
from uuid import UUID

import msgspec

from framework.database import Database
from framework.errors import ConfigurationError
from framework.text_types import classes_of

__all__ = ["Bindings", "Env", "is_bindings", "read_bindings"]

T = TypeVar("T", bound="Bindings")


class Env(Protocol):
    """The bindings of this deployment, by name. A dict is one."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the binding *name*; raise `KeyError` if there is none.

        A second argument of that error, if it has one, says why. A third is what `Bindings` hold in
        its place: a stand-in that raises when it is used.
        """

    def __contains__(self, name: str, /) -> bool:
        """Return whether there is a binding *name*."""

    @overload
    def get(self, name: str, /) -> Any: ...

    @overload
    def get(self, name: str, default: Any, /) -> Any: ...

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return the binding *name*, or *default*."""


class Bindings(msgspec.Struct):
    """What an application needs of its deployment. Subclass it with a field for each binding.

    A field is a variable or a secret, and converted, if its type is text, a number, a date or time,
    a `Decimal`, a `UUID` or an Enum; a bool (from true, false, 1 or 0); a `timedelta` (from
    ``PT5M`` or seconds); or a list, dict or Struct (from JSON, if the value is text). A field of
    any other type, such as `Database`, is a binding, handed on as it is. A handler, a guard or a
    provider asks for it by annotating a parameter with the subclass; it is never read from a body.
    The repr shows names, never values.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.__struct_fields__)}>"


_COMPOUND = (list, dict, tuple, set, frozenset, msgspec.Struct)
_DATA = (
    *_COMPOUND,
    *(str, int, float, bytes, Decimal, UUID, date, time, timedelta, type(None), Enum),
)
_REMEDY = (
    "see wrangler.toml; a secret goes into .dev.vars on your machine, and for the deployed Worker it is"
    " set with npx wrangler secret put"
)

_fields: dict[Any, list[tuple[msgspec.structs.FieldInfo, bool, bool]]] = {}
"""The fields of each subclass, looked up once: whether each is data, and whether it is a database."""


def read_bindings(
    type: type[T], env: Env, wrap_database: Callable[[Database], Database] | None = None
) -> T:
    """Return the bindings that *type* declares, out of *env*.

    What a field annotated as `Database` holds is passed through *wrap_database*. Raises
    `ConfigurationError` that names all that are missing or do not fit, and no value.
    """
    if type not in _fields:
        _fields[type] = [
            (field, _is_data(field.type), Database in classes_of(field.type))
            for field in msgspec.structs.fields(type)
        ]
    values: dict[str, Any] = {}
    problems: list[str] = []
    reasons: list[str] = []
    for field, is_data, is_database in _fields[type]:
        try:
            value = env[field.encode_name]
            if is_data:
                value = _read(value, field.type)
        except KeyError as error:
            reason, stand_in = (*error.args[1:3], None, None)[:2]
            if stand_in is not None and field.required and not is_data:
                values[field.name] = stand_in
            elif field.required:
                problems.append(f"{field.encode_name} is missing")
                reasons.append(reason or _REMEDY)
        except ValueError:  # its text may show the value
            problems.append(f"{field.encode_name} does not fit {_shown(field.type)}")
            reasons.append(_REMEDY)
        else:
            if is_database and wrap_database is not None:
                value = wrap_database(value)
            values[field.name] = value
    if problems:
        remedies = "; ".join(dict.fromkeys(reasons))
        raise ConfigurationError(f"{type.__name__}: {'; '.join(problems)}: {remedies}")
    return type(**values)


def _read(value: Any, type: Any) -> Any:
    """Return *value*, a variable or a secret, as *type*. Raises `ValueError` if it does not fit."""
    to_python = getattr(value, "to_py", None)  # a variable that is an object, in the Worker
    plain = value if to_python is None else to_python()
    try:
        return msgspec.convert(plain, type, strict=False)
    except msgspec.ValidationError:
        if not isinstance(plain, str) or not _may_be(type, _COMPOUND):
            raise
        return msgspec.json.decode(plain, type=type, strict=False)


def _shown(annotation: Any) -> str:
    """Return *annotation*, and how its values are written, for an error; never the value itself."""
    shown = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    if _may_be(annotation, _COMPOUND):
        return f"{shown}, which is written as JSON"
    if _may_be(annotation, (bool,)):
        return f"{shown}, which is true, false, 1 or 0"
    if _may_be(annotation, (timedelta,)):
        return f"{shown}, which is PT5M or 300 (seconds)"
    return shown


def _is_data(annotation: Any) -> bool:
    """Return whether a variable can hold *annotation*; anything else is a binding, used as it came."""
    return all(
        member is Literal or (isinstance(member, type) and issubclass(member, _DATA))
        for member in classes_of(annotation)
    )


def _may_be(annotation: Any, kinds: tuple[type, ...]) -> bool:
    """Return whether *annotation* is of one of *kinds*, or a union with one."""
    return any(
        isinstance(member, type) and issubclass(member, kinds) for member in classes_of(annotation)
    )


def is_bindings(annotation: Any) -> bool:
    """Return whether *annotation* is a subclass of `Bindings`."""
    return isinstance(annotation, type) and issubclass(annotation, Bindings)
