"""Finds coroutines that are used as if they were their results, or not at all."""

import ast
from collections.abc import Iterator
from types import CoroutineType

from framework.database import Database
from framework.local.program import target
from framework.local.scope import Scope
from framework.response import Response

__all__ = ["find_unawaited", "find_unawaited_value"]

_NOT_AWAITED = "{0}(...) is not awaited: write await {0}(...)"
"""What is said of a coroutine that nobody awaits."""

_ALONE = (
    ast.Compare,
    ast.Expr,
    ast.For,
    ast.FormattedValue,
    ast.Starred,
    ast.comprehension,
    ast.match_case,
)
_BUILTINS = (bool, dict, enumerate, float, int, len, list, max, min, set, sorted, sum, tuple)


def find_unawaited(scope: Scope) -> Iterator[tuple[int, str]]:
    """Yield the line of each call of an async function that nobody can be awaiting, and what to write."""
    for node in scope.nodes:
        if isinstance(node, ast.Call) and scope.makes_coroutine(node) and _is_lost(node, scope):
            yield node.lineno, _NOT_AWAITED.format(ast.unparse(node.func))


def find_unawaited_value(node: ast.expr, scope: Scope) -> Iterator[tuple[int, str]]:
    """Yield the line of the coroutine that *node* is, or is a name of, where none can be meant."""
    made: ast.expr | None = node
    if isinstance(node, ast.Name):
        others = [each for each in scope.reads.get(node.id, ()) if each is not node]
        is_lost = all(_is_misused(each, scope) for each in others)
        made = scope.assigned.get(node.id) if is_lost else None
    if isinstance(made, ast.Call) and scope.makes_coroutine(made):
        yield made.lineno, _NOT_AWAITED.format(ast.unparse(made.func))


def _is_lost(node: ast.expr, scope: Scope) -> bool:
    """Return whether *node*, a coroutine, is only used where none can be meant."""
    parent = scope.parents.get(node)
    name = target(parent)
    if not name:
        return _is_misused(node, scope)
    return (
        scope.assigned.get(name) is node
        and all(_is_misused(each, scope) for each in scope.reads.get(name, ()))
        and (not isinstance(parent, ast.NamedExpr) or _is_misused(parent, scope))
    )


def _is_misused(node: ast.AST, scope: Scope) -> bool:
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node
    if isinstance(parent, ast.BoolOp):
        is_dropped = isinstance(parent.op, ast.And) and node is not parent.values[-1]
        return is_dropped or _is_misused(parent, scope)
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.Attribute):
        return not hasattr(CoroutineType, parent.attr)
    if isinstance(parent, ast.Subscript):
        return parent.value is node
    if isinstance(parent, ast.Assign):
        return isinstance(parent.targets[0], (ast.List, ast.Tuple))
    if isinstance(parent, ast.Call):
        return parent.func is node or _is_refused_by(parent.func, scope)
    return isinstance(parent, _ALONE)


def _is_refused_by(function: ast.expr, scope: Scope) -> bool:
    """Return whether *function* takes no coroutine, or takes each for true: a builtin, query or answer."""
    if any(scope.value(function) is each for each in (*_BUILTINS, Response)):
        return True
    if not isinstance(function, ast.Attribute):
        return False
    return scope.kind(function.value) is Database or scope.value(function.value) is Response
