"""Finds handlers annotated to return what cannot be sent. Knows nothing else of routes."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from msgspec import inspect

from framework.response import Response
from framework.text_types import UNREADABLE

__all__ = ["find_unsendable"]

HOLDING = {Annotated, Union, dict, frozenset, list, set, tuple, types.UnionType}
"""Types whose arguments are each sent as they would be alone."""


def find_unsendable(routes: Iterable[Any]) -> list[str]:
    """Return a sentence, with its place, for each handler of *routes* whose answer would be a 500."""
    signatures = [route.declaration.signature for route in routes]
    return list(
        dict.fromkeys(
            f"{signature.place}: {signature.name} returns {why}"
            for signature in signatures
            for why in _reasons(signature.returns)
        )
    )


def _reasons(annotation: Any) -> Iterator[str]:
    """Yield what *annotation* names that cannot be sent, why, and what to write."""
    if isinstance(annotation, (dict, list, set, tuple)):  # which no document can describe
        yield "what is no type: write list[Note] for [Note], tuple[int, str] or dict[str, int]"
    for kind in _kinds(annotation):
        if not issubclass(kind, Response) and not _is_sendable(kind):
            yield (
                f"a {kind.__name__}, which cannot be sent as JSON: make it a msgspec.Struct or a"
                " dataclass, or return a dict or a Response"
            )


def _kinds(annotation: Any) -> Iterator[type]:
    """Yield the classes in *annotation*, but for those that notes and other generics hold."""
    origin = get_origin(annotation)
    if origin in HOLDING:
        arguments = get_args(annotation)
        for argument in arguments[:1] if origin is Annotated else arguments:
            yield from _kinds(argument)
    elif isinstance(kind := origin or annotation, type):  # of a deque[int] the deque
        yield kind


def _is_sendable(kind: type) -> bool:
    """Return whether an instance of *kind*, or of a subclass, may be sent."""
    is_plain = all(base.__module__ != "builtins" for base in kind.__mro__[:-1])
    if not is_plain or kind.__subclasses__() or hasattr(kind, "shown_as"):
        return True
    if getattr(kind, "_is_protocol", False) or getattr(kind, "__abstractmethods__", ()):
        return True
    if issubclass(kind, UUID):  # unlike a datetime of one's own
        return True
    try:
        known = inspect.type_info(kind)
    except UNREADABLE:  # it is sent all the same, an Enum of floats too
        return True
    return not isinstance(known, inspect.CustomType)
