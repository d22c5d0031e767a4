"""Finds parameters that get something else than they seem to ask for. Knows nothing of bodies."""

import ast
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from types import NoneType
from typing import Any, get_args, get_type_hints

from msgspec import Meta, Struct

from framework.errors import ConfigurationError
from framework.hosts import parse_host
from framework.local.program import bound, is_a, own
from framework.local.roles import Role
from framework.local.scope import Scope
from framework.parameters import MISSING, provider_of
from framework.patterns import names_in, parse_pattern
from framework.plan import Signature, read_signature
from framework.route import Route
from framework.text_types import UNREADABLE, class_of, classes_of, is_struct, notes_of

__all__ = ["find_misgiven", "is_asked", "names_of_paths"]

_TAKERS = {"guard", "handler", "provider"}

_NONE = (None, NoneType)
_CONCRETE = {bool, bytes, dict, float, int, list, set, str, tuple}
_TAKE_NONE = (*_NONE, Any, object, Hashable)


def names_of_paths(routes: Iterable[Route]) -> frozenset[str]:
    """Return the names of all parameters in the paths and hosts of *routes*."""
    return frozenset(
        name
        for route in routes
        for pattern in (
            *parse_pattern(route.path),
            *([parse_host(route.host)] if route.host else ()),
        )
        for name in names_in(pattern)
    )


def find_misgiven(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    role: Role,
    scope: Scope,
    names: frozenset[str],
) -> Iterator[tuple[int, str]]:
    """Yield where *function*, which the app has for *role*, is given something else, and what to write.

    *names* are those of paths, whose parameters need no annotation.
    """
    if role.name in _TAKERS:
        yield from _contexts(function, scope, names)
        signature = _read(role.function)
        for name, annotation in signature.annotations.items() if signature else ():
            for why in (*_misprovided(name, annotation), *_unread(name, annotation)):
                yield function.lineno, why


def _contexts(
    function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, names: frozenset[str]
) -> Iterator[tuple[int, str]]:
    """Yield where *function* asks whether its first parameter is there, which is the context."""
    first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
    if first is None or first.annotation is not None or first.arg in names:
        return
    if [name for node in scope.nodes for name in bound(node)].count(first.arg) > 1:
        return  # it may be something else by then
    for node in own(function):
        if isinstance(node, ast.Name) and node.id == first.arg and is_asked(node, scope):
            yield node.lineno, f"{first.arg!r} is the context, which is always there: annotate it"


def is_asked(node: ast.AST, scope: Scope) -> bool:
    """Return whether it is decided by *node* itself, a name, what happens."""
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node
    if isinstance(parent, ast.Compare):
        return any(
            isinstance(each, ast.Constant) and each.value is None for each in parent.comparators
        )
    return isinstance(parent, ast.BoolOp) or isinstance(getattr(parent, "op", None), ast.Not)


def _misprovided(name: str, annotation: Any) -> Iterator[str]:
    """Yield what is wrong where *name* gets from a provider what *annotation* does not ask for."""
    provider: Any = None if annotation is MISSING else provider_of(annotation)
    returned = _returned(provider) if provider else MISSING
    if returned is MISSING:
        return
    if _names(returned, _NONE) and not _takes_none(annotation):
        yield f"{name!r} may be None, as {provider.__name__} returns it: say so, or raise there"
    given, asked = (
        [each for each in classes_of(of) if each not in _NONE] for of in (returned, annotation)
    )
    is_told = all(is_a(each, type) and _is_concrete(each) for each in (*given, *asked))
    if given and is_told and not any(_may_be(one, other) for one in given for other in asked):
        kinds = " or ".join([each.__name__ for each in given])
        yield f"{name!r} is what {provider.__name__} returns, and that is a {kinds}: ask for it as such"


def _is_concrete(kind: type) -> bool:
    """Return whether values are instances of *kind* where it is asked for, and not of what is like it."""
    return kind in _CONCRETE or issubclass(kind, Struct)


def _may_be(given: type, asked: type) -> bool:
    return issubclass(given, asked) or issubclass(asked, given) or (given, asked) == (int, float)


def _unread(name: str, annotation: Any) -> Iterator[str]:
    """Yield which notes in *annotation*, in a Struct of it too, only other libraries read."""
    for note in dict.fromkeys(map(repr, _foreign_notes(annotation, set()))):
        yield f"{name!r}: {note} is not looked at: write msgspec.Meta(...)"


def _foreign_notes(annotation: Any, seen: set[Any]) -> Iterator[Any]:
    """Yield the notes of other libraries in *annotation*, but not again in the Structs of *seen*.

    Not those beside a `Meta`, which may say the same.
    """
    notes = notes_of(annotation)
    for note in () if any(isinstance(each, Meta) for each in notes) else notes:
        top = type(note).__module__.partition(".")[0]
        if top in {"annotated_types", "pydantic"} and type(note).__name__ != "DocInfo":
            yield note
    if is_struct(annotation) and (kind := class_of(annotation)) not in seen:
        seen.add(kind)
        if hasattr(kind, "__post_init__"):
            return  # it may read them
        with suppress(*UNREADABLE):
            for hint in get_type_hints(kind, include_extras=True).values():
                yield from _foreign_notes(hint, seen)
    for argument in get_args(annotation)[: 1 if notes else None]:
        yield from _foreign_notes(argument, seen)


def _read(function: Any) -> Signature | None:
    try:
        return read_signature(function)
    except ConfigurationError:  # its annotations name what only the function around it knows
        return None


def _returned(provider: Any) -> Any:
    signature = _read(provider)
    return signature.returns if signature else MISSING


def _takes_none(annotation: Any) -> bool:
    """Return whether None may be meant by *annotation*, as by a Literal or a TypeVar, too."""
    is_plain = all(is_a(each, type) for each in classes_of(annotation))
    return not is_plain or _names(annotation, _TAKE_NONE)


def _names(annotation: Any, kinds: tuple[Any, ...]) -> bool:
    """Return whether *annotation* is, or is a union with, one of *kinds*."""
    classes = [] if annotation is MISSING else classes_of(annotation)
    return any(each is kind for each in classes for kind in kinds)
