"""Typed slots for what guards find out. Keeps their classes from ever being read from a body."""

import builtins
from typing import Any, Generic, TypeVar

from framework.bindings import Bindings
from framework.errors import ConfigurationError
from framework.request import Request
from framework.text_types import class_of

__all__ = ["MemoSlot", "Slot", "handed_on", "note_body", "reserve"]

T = TypeVar("T")

_handed_on: dict[type, str] = {}
"""Classes whose values come from guards, each with what hands it on."""

_bodies: dict[type, str] = {}
"""Classes that handlers read from a body, each with the first place that does."""


class Slot(Generic[T]):
    """A typed place on the context where a guard leaves what it learned.

    A handler asks for the value by annotating a parameter with *type*; asking without a guard that
    fills the slot is refused at import. Raises `ConfigurationError` for a *type* that is not a class,
    for ``object``, and for a class that a handler reads from a body.
    """

    __slots__ = ("name", "type")
    outlasts_refusal = False

    def __init__(self, name: str, type: builtins.type[T]) -> None:
        if not isinstance(type, builtins.type) or type is object:
            raise ConfigurationError(f"the slot {name} needs a class, and not object: got {type!r}")
        try:
            isinstance(None, type)
        except TypeError as error:
            raise ConfigurationError(f"the slot {name}: {error}") from None
        self.name: str = name
        self.type: builtins.type[T] = type
        if _is_own_class(type):
            reserve(type, f"the slot {name!r}")

    def __repr__(self) -> str:
        return f"<Slot {self.name}: {self.type.__name__}>"


class MemoSlot(Slot[T]):
    """A slot for what is asked once a request: `any_of` leaves it as it is where a guard refuses."""

    __slots__ = ()
    outlasts_refusal = True


def reserve(kind: type, by: str) -> None:
    """Note that *by* hands on values of *kind*, so that none is ever read from a body.

    Raises `ConfigurationError` where a handler reads one already: whoever sends the request would
    choose what a guard was to find out.
    """
    for body, place in _bodies.items():
        if _are_alike(kind, body):
            raise ConfigurationError(
                f"{place} reads {body.__name__} from the body, and {by} hands on"
                f" {kind.__name__}: give one of them a class of its own"
            )
    _handed_on.setdefault(kind, by)


def note_body(kind: Any, place: str) -> None:
    """Say that the function at *place* reads a *kind* from a body; only classes are noted."""
    read = class_of(kind)
    if _is_own_class(read):
        _bodies.setdefault(read, place)


def handed_on(annotation: Any) -> str | None:
    """Return what hands on the class that *annotation* asks for, or None where nothing does."""
    asked = class_of(annotation)
    if not _is_own_class(asked):
        return None
    return next((by for kind, by in _handed_on.items() if _are_alike(kind, asked)), None)


def _is_own_class(annotation: Any) -> bool:
    """Return whether *annotation* is a class other than a builtin, which anybody may use for anything."""
    return isinstance(annotation, type) and annotation.__module__ != "builtins"


def _are_alike(one: type, other: type) -> bool:
    return one in other.__mro__ or other in one.__mro__


reserve(Bindings, "the environment")
reserve(Request, "the context")
