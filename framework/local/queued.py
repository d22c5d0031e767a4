"""Finds what is sent to a queue and is no JSON: in the Worker it becomes `{}`, and nothing says so."""

import ast
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from framework.local.program import is_a
from framework.local.scope import Scope

__all__ = ["find_queued"]

_NO_JSON = (Struct, Decimal, UUID, date, time, timedelta)


def find_queued(scopes: Iterable[Scope], queues: Collection[str]) -> list[str]:
    """Return a sentence, with its place, for each value in *scopes* that one of *queues* cannot take."""
    found: set[tuple[str, int, str]] = set()
    for scope in scopes if queues else ():
        with suppress(RecursionError):  # it nests deeper than can be followed, or in a circle
            found |= {(scope.module.place, *each) for each in _in_function(scope, queues)}
    return [f"{place}:{line}: {why}" for place, line, why in sorted(found)]


def _in_function(scope: Scope, queues: Collection[str]) -> Iterator[tuple[int, str]]:
    for node in scope.nodes:
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr != "send" or scope.binding(node.func.value) not in queues:
            continue
        for made in _made(node.args[0], scope):
            yield (
                made.lineno,
                f"{ast.unparse(made.func)}(...) is no JSON, and arrives as {{}}:"
                f" send msgspec.to_builtins(...) of it",
            )


def _made(node: ast.expr, scope: Scope) -> Iterator[ast.Call]:
    """Yield each call in *node*, what is sent, that makes what JSON has not."""
    if isinstance(node, ast.Name):
        node = scope.assigned.get(node.id, node)
    if isinstance(node, ast.Call):
        kind = scope.value(node.func)
        if is_a(kind, type) and issubclass(kind, _NO_JSON) and not issubclass(kind, datetime):
            yield node
    inner = node.values if isinstance(node, ast.Dict) else []
    for each in node.elts if isinstance(node, ast.List) else inner:
        yield from _made(each, scope)
