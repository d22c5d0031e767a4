"""Finds parameters that get something else than they seem to ask for. Knows nothing of bodies."""

import re
from collections.abc import Iterable, Iterator
from types import NoneType
from typing import Any

from framework.errors import ConfigurationError
from framework.local.roles import Roles
from framework.parameters import MISSING, provider_of
from framework.plan import Signature, read_signature
from framework.route import Route
from framework.text_types import classes_of

__all__ = ["find_misgiven", "names_of_paths"]

_TAKERS = {"guard", "handler", "provider"}
_CONTEXT = {"", "c", "ctx", "context"}
"""What a parameter without an annotation is called, apart from ``_``, where the context is meant."""

_NONE = (None, NoneType)
_TAKE_NONE = (*_NONE, Any, object)


def names_of_paths(routes: Iterable[Route]) -> frozenset[str]:
    """Return the names of all parameters in the paths and hosts of *routes*."""
    return frozenset(name for route in routes for name in re.findall(r":(\w+)", route.location))


def find_misgiven(roles: Roles, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield the line of each function in *roles* that is given something else, and what to write.

    *names* are those of paths, whose parameters need no annotation.
    """
    for line, role in roles.items():
        if role.name in _TAKERS and (signature := _read(role.function)):
            yield from ((line, why) for why in _misgiven(signature, names))


def _read(function: Any) -> Signature | None:
    try:
        return read_signature(function, {})
    except ConfigurationError:  # its annotations name what only the function around it knows
        return None


def _returned(provider: Any) -> Any:
    signature = _read(provider)
    return signature.returns if signature else MISSING


def _misgiven(signature: Signature, names: frozenset[str]) -> Iterator[str]:
    for index, (name, annotation) in enumerate(signature.annotations.items()):
        start = f"the parameter {name!r} of {signature.name}"
        if annotation is MISSING and index == 0 and name.strip("_") not in _CONTEXT | names:
            yield f"{start} has no annotation, so it is the context: call it c, or annotate it"
        provider: Any = None if annotation is MISSING else provider_of(annotation)
        if provider and _names(_returned(provider), _NONE) and not _names(annotation, _TAKE_NONE):
            yield f"{start} may be None, as {provider.__name__} returns it: say so, or raise there"


def _names(annotation: Any, kinds: tuple[Any, ...]) -> bool:
    """Return whether *annotation* is, or is a union with, one of *kinds*."""
    classes = [] if annotation is MISSING else classes_of(annotation)
    return any(each is kind for each in classes for kind in kinds)
