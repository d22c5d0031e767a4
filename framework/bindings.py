"""Reads the bindings of a deployment into a declared shape. Knows nothing of requests."""

from collections.abc import Callable
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

import msgspec

from framework.errors import ConfigurationError

__all__ = ["Bindings", "Env", "is_bindings", "read_bindings"]

T = TypeVar("T", bound="Bindings")


class Env(Protocol):
    """The bindings of this deployment, by name. A dict does."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the binding *name*; raise `KeyError` where there is none.

        A second argument of that error, if it has one, says why.
        """


class Bindings(msgspec.Struct):
    """What an application needs of its deployment. Subclass it with a field for each binding.

    A field of text, numbers, lists or Structs is a variable or a secret, converted; any other type
    is a binding such as `Database`, handed on as it is. A handler, a guard or a provider asks for it
    by annotating a parameter with the subclass; it is never read from a body. The repr shows names,
    never values.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.__struct_fields__)}>"


_DATA = (str, int, float, bytes, list, dict, tuple, set, type(None), Enum, msgspec.Struct)
_REMEDY = (
    "see wrangler.toml; a secret is a line in .dev.vars on your machine, and deployed it is"
    " npx wrangler secret put"
)
_WRAPPERS = {Union, UnionType, Annotated}


class _Field(NamedTuple):
    """One field of a subclass: what it and its binding are called, and how a value is read."""

    name: str
    binding: str
    is_required: bool
    expected: str
    read: Callable[[Any], Any]


_fields: dict[type[Bindings], list[_Field]] = {}
"""Those of each subclass, looked up once: what is declared does not change."""


def read_bindings(type: type[T], env: Env) -> T:
    """Return the bindings that *type* declares, out of *env*.

    Raises `ConfigurationError` that names all that are missing or do not fit, and no value.
    """
    if type not in _fields:
        _fields[type] = [
            _Field(f.name, f.encode_name, f.required, _named(f.type), _reader(f.type))
            for f in msgspec.structs.fields(type)
        ]
    values: dict[str, Any] = {}
    problems: list[str] = []
    reasons: list[str] = []
    for field in _fields[type]:
        try:
            values[field.name] = field.read(env[field.binding])
        except KeyError as error:
            if field.is_required:
                problems.append(f"{field.binding} is missing")
                reasons.append(str(error.args[1]) if len(error.args) > 1 else _REMEDY)
        except msgspec.ValidationError:  # its text may show the value
            problems.append(f"{field.binding} does not fit {field.expected}")
            reasons.append(_REMEDY)
    if problems:
        remedies = "; ".join(dict.fromkeys(reasons))
        raise ConfigurationError(f"{type.__name__}: {'; '.join(problems)}: {remedies}")
    return type(**values)


def _named(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _reader(annotation: Any) -> Callable[[Any], Any]:
    if not _is_data(annotation):
        return lambda value: value

    def convert(value: Any) -> Any:
        to_python = getattr(value, "to_py", None)  # a variable that is an object, in the Worker
        return msgspec.convert(
            value if to_python is None else to_python(), annotation, strict=False
        )

    return convert


def _is_data(annotation: Any) -> bool:
    """Return whether *annotation* is what a variable can hold; else it is a binding, as it came."""
    if get_origin(annotation) in _WRAPPERS:
        members = (
            get_args(annotation)[:1]
            if get_origin(annotation) is Annotated
            else get_args(annotation)
        )
        return all(_is_data(member) for member in members)
    plain = get_origin(annotation) or annotation
    if plain is Literal:
        return True
    return isinstance(plain, type) and issubclass(plain, _DATA)


def is_bindings(annotation: Any) -> bool:
    """Return whether *annotation* is a subclass of `Bindings`."""
    return isinstance(annotation, type) and issubclass(annotation, Bindings)
