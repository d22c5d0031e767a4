"""Finds what an app's functions write as other frameworks have it, and as it is not here.

That is names that the context or the request does not have, a layer that returns nothing, a handler of
errors that takes the context second, and an error whose text is a dict.
"""

import ast
from collections.abc import Iterator

from framework.compose import Next
from framework.context import Context
from framework.errors import HTTPError
from framework.local.advice import advise_of
from framework.local.program import is_a
from framework.local.roles import Role
from framework.local.scope import Scope
from framework.request import Request

__all__ = ["find_foreign", "find_foreign_shape"]

_Found = Iterator[tuple[int, str]]

_ENV = "'dict' object has no attribute 'DB', in c.env."
_CONTEXTS = {"c", "ctx", "context"}


def find_foreign(scope: Scope) -> _Found:
    """Yield each name of the context or the request that they do not have, and each error of a dict."""
    asks = "hasattr" in scope.reads
    for node in scope.nodes:
        if isinstance(node, ast.Attribute) and not asks:
            kind = next(
                (each for each in (Context, Request) if scope.kind(node.value) is each), None
            )
            if kind and not hasattr(kind, node.attr) and not scope.is_tried(node):
                advice = advise_of(f"'{kind.__name__}' object has no attribute '{node.attr}', in ")
                said = f"{ast.unparse(node)}: a {kind.__name__} has no {node.attr}"
                yield node.lineno, said + (advice and f": {advice}")
        if isinstance(node, ast.Attribute) and _is_binding(node, scope):
            yield node.lineno, f"{ast.unparse(node)}: {advise_of(_ENV)}"
        if isinstance(node, ast.Call) and _is_query(node.func, scope):
            advice = advise_of("'dict' object is not callable, in request.query(")
            yield node.lineno, f"{ast.unparse(node.func)} is a dict: {advice}"
        if isinstance(node, ast.Call) and any(isinstance(each, ast.Dict) for each in node.args):
            made = scope.value(node.func)
            if is_a(made, type) and getattr(made, "__init__", None) is HTTPError.__init__:
                yield (
                    node.lineno,
                    f"{ast.unparse(node.func)}(...) takes a sentence, and code=... beside it",
                )


def find_foreign_shape(
    function: ast.FunctionDef | ast.AsyncFunctionDef, role: Role, scope: Scope
) -> _Found:
    """Yield where *function*, which the app has for *role*, ends or takes its arguments as elsewhere."""
    last = function.body[-1]
    if role.name == "layer" and isinstance(last, ast.Expr) and isinstance(last.value, ast.Await):
        awaited = last.value.value
        if isinstance(awaited, ast.Call) and scope.kind(awaited.func) is Next:
            text = ast.unparse(last)
            yield last.lineno, f"this layer returns nothing after {text}: write return {text}"
    arguments = [*function.args.posonlyargs, *function.args.args]
    if role.name == "handler of errors" and len(arguments) > 1 and not arguments[0].annotation:
        first, second = (each.arg for each in arguments[:2])
        if second in _CONTEXTS and first not in _CONTEXTS:
            yield (
                function.lineno,
                f"the context comes first: write {function.name}({second}, {first})",
            )


def _is_binding(node: ast.Attribute, scope: Scope) -> bool:
    """Return whether *node* asks the bindings for one as for an attribute, which none of them is."""
    env = node.value
    if not isinstance(env, ast.Attribute) or env.attr != "env" or not node.attr.isupper():
        return False
    return scope.kind(env.value) is Context and not scope.is_tried(node)


def _is_query(node: ast.expr, scope: Scope) -> bool:
    """Return whether *node* is the query of a request, which cannot be called."""
    if not isinstance(node, ast.Attribute) or node.attr != "query":
        return False
    return scope.kind(node.value) is Request and not scope.is_tried(node)
