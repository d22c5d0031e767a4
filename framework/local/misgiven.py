"""Finds parameters that get something else than they seem to ask for. Knows nothing of bodies."""

import ast
import re
from collections.abc import Hashable, Iterable, Iterator
from types import NoneType
from typing import Any

from framework.errors import ConfigurationError
from framework.local.program import bound, is_a, own
from framework.local.roles import Role
from framework.local.scope import Scope
from framework.parameters import MISSING, provider_of
from framework.plan import Signature, read_signature
from framework.route import Route
from framework.text_types import classes_of

__all__ = ["find_misgiven", "names_of_paths"]

_TAKERS = {"guard", "handler", "provider"}

_NONE = (None, NoneType)
_TAKE_NONE = (*_NONE, Any, object, Hashable)


def names_of_paths(routes: Iterable[Route]) -> frozenset[str]:
    """Return the names of all parameters in the paths and hosts of *routes*."""
    return frozenset(name for route in routes for name in re.findall(r":(\w+)", route.location))


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
        yield from _nothings(function, role)


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
        if isinstance(node, ast.Name) and node.id == first.arg and _is_asked(node, scope):
            yield node.lineno, f"{first.arg!r} is the context, which is always there: annotate it"


def _is_asked(node: ast.AST, scope: Scope) -> bool:
    """Return whether it is decided by *node* itself, a name, what happens."""
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node
    if isinstance(parent, ast.Compare):
        return any(
            isinstance(each, ast.Constant) and each.value is None for each in parent.comparators
        )
    return isinstance(parent, ast.BoolOp) or isinstance(getattr(parent, "op", None), ast.Not)


def _nothings(
    function: ast.FunctionDef | ast.AsyncFunctionDef, role: Role
) -> Iterator[tuple[int, str]]:
    """Yield which parameters of *function* a provider may give None that take none."""
    signature = _read(role.function)
    for name, annotation in signature.annotations.items() if signature else ():
        provider: Any = None if annotation is MISSING else provider_of(annotation)
        if provider and _names(_returned(provider), _NONE) and not _takes_none(annotation):
            why = f"{name!r} may be None, as {provider.__name__} returns it: say so, or raise there"
            yield function.lineno, why


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
