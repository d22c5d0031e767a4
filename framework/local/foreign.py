"""Finds what an app's functions write as other frameworks have it, and as it is not here.

That is names that the context or the request does not have, a layer that returns nothing, a handler of
errors that takes the context second, and an error whose text is a dict.
"""

import ast
from collections.abc import Collection, Iterator

from framework.compose import Next
from framework.context import Context
from framework.errors import HTTPError
from framework.local.advice import advise_of
from framework.local.program import is_a, own
from framework.local.roles import Role
from framework.local.scope import Scope
from framework.request import Request

__all__ = ["find_foreign", "find_foreign_shape"]

_Found = Iterator[tuple[int, str]]

_CONTEXTS = {"c", "ctx", "context"}


def find_foreign(scope: Scope, names: frozenset[str], given: Collection[str]) -> _Found:
    """Yield each name of the context or the request that they do not have, and each error of a dict.

    *names* are those of paths: where one is ``c``, that need not be the context. *given* are the
    attributes that the app assigns: a layer may put a request or bindings of its own there.
    """
    is_certain = "hasattr" not in scope.reads and "c" not in names
    for node in scope.nodes:
        if isinstance(node, ast.Attribute) and is_certain:
            why = _why_lacking(node, scope, given)
            if why and not scope.is_tried(node) and not _is_told_apart(node.value, scope):
                yield node.lineno, f"{ast.unparse(node)}{why}"
        if isinstance(node, ast.Call) and any(isinstance(each, ast.Dict) for each in node.args):
            made = scope.value(node.func)
            if is_a(made, type) and getattr(made, "__init__", None) is HTTPError.__init__:
                why = "(...) takes a sentence, and code=... beside it"
                yield node.lineno, f"{ast.unparse(node.func)}{why}"


def _why_lacking(node: ast.Attribute, scope: Scope, given: Collection[str]) -> str:
    """Return what is wrong with *node*, behind its text, if it is not there; or ""."""
    base, parent = node.value, scope.parents.get(node)
    kind = scope.kind(base)
    if kind is Request and "request" in given:
        return ""
    if any(kind is each and not hasattr(each, node.attr) for each in (Context, Request)):
        advice = advise_of(f"'{kind.__name__}' object has no attribute '{node.attr}', in ")
        return f": a {kind.__name__} has no {node.attr}{advice and ': '}{advice}"
    is_called = isinstance(parent, ast.Call) and parent.func is node
    if is_called and node.attr == "query" and kind is Request:
        return " is a dict: " + advise_of("'dict' object is not callable, in request.query(")
    if not isinstance(base, ast.Attribute) or base.attr != "env" or not node.attr.isupper():
        return ""
    if scope.kind(base.value) is Context and "env" not in given:
        return ": " + advise_of("'dict' object has no attribute 'DB', in env.DB")
    return ""


def _is_told_apart(node: ast.expr, scope: Scope) -> bool:
    """Return whether it is asked by `isinstance` which class *node* has: it may be one of the app's."""
    calls = [scope.parents[name] for name in scope.reads.get("isinstance", ())]
    asked = [call.args[0] for call in calls if isinstance(call, ast.Call) and call.args]
    return ast.unparse(node) in [ast.unparse(each) for each in asked]


def find_foreign_shape(
    function: ast.FunctionDef | ast.AsyncFunctionDef, role: Role, scope: Scope
) -> _Found:
    """Yield where *function*, which the app has for *role*, ends or takes its arguments as elsewhere."""
    if role.name == "layer":
        yield from _dropped(function, scope)
    arguments = [*function.args.posonlyargs, *function.args.args]
    if role.name == "handler of errors" and len(arguments) > 1 and not arguments[0].annotation:
        first, second = (each.arg for each in arguments[:2])
        asked = arguments[1].annotation
        is_context = asked is None or scope.value(asked) is Context
        if second in _CONTEXTS and first not in _CONTEXTS and is_context:
            yield (
                function.lineno,
                f"the context comes first: write {function.name}({second}, {first})",
            )


def _dropped(function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> _Found:
    """Yield where *function*, a layer, awaits the answer and drops it, to end without one."""
    inside = [*own(function)]
    ends = any(isinstance(each, ast.Raise) or _is_answer(each) for each in inside)
    for node in inside:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Await)):
            continue
        awaited, text = node.value.value, ast.unparse(node)
        if isinstance(awaited, ast.Call) and scope.kind(awaited.func) is Next:
            if node is function.body[-1]:
                yield node.lineno, f"this layer returns nothing after {text}: write return {text}"
            elif not ends:
                why = f"write response = {text}, and return response in the end"
                yield node.lineno, f"this layer returns nothing: {why}"


def _is_answer(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and node.value is not None
