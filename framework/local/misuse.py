"""Finds what an app's functions write that fails, or does nothing, whenever it is reached.

That is errors that nobody raises, coroutines that nobody awaits, answers that nobody sends, and what a
handler, a guard or a layer cannot return. Nothing is said where somebody may mean it.
"""

import ast
import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from framework.database import Statement, statement
from framework.local.foreign import find_foreign, find_foreign_shape
from framework.local.misgiven import find_misgiven, names_of_paths
from framework.local.mislinked import find_mislinked, only_app
from framework.local.program import (
    FUNCTIONS,
    Module,
    attributes_given,
    begin,
    is_a,
    is_async,
    own,
)
from framework.local.roles import Role, roles_of
from framework.local.scope import Scope
from framework.local.unawaited import find_unawaited, find_unawaited_value
from framework.local.wrapped import find_wrapped
from framework.response import Response

__all__ = ["find_misuse"]

_Found = Iterator[tuple[int, str]]
"""Lines, and what is wrong there."""

_TASKS = (asyncio.create_task, asyncio.ensure_future, asyncio.gather, asyncio.shield)
_STATEMENTS = (statement, Statement)
_WAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith)
_NEVER_RESPONSES = (ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.Tuple)
_NEVER_LISTS = (dict, str, Response, Struct)
_STATUSES = {status.value for status in HTTPStatus if status >= 200}
_PAIR = (
    "a value and a status, which are sent as a list of both: write Response.json(value, {}),"
    " or -> tuple if that is meant"
)


def find_misuse(modules: Sequence[Module], scopes: Sequence[Scope], app: Any) -> list[str]:
    """Return a sentence, with its place, for each mistake in *modules*, those of *app*; see `scopes_of`."""
    all_roles = roles_of(app)
    names = names_of_paths(app.routes) if all_roles else frozenset()
    given = attributes_given(modules)
    linked = only_app(app, modules)
    mistakes = {
        module.place: {*find_wrapped(module, all_roles.get(module.file, {}))} for module in modules
    }
    for scope in scopes:
        with suppress(RecursionError):  # it nests deeper than can be followed
            mistakes[scope.module.place] |= {*_in_function(scope, names, given, linked)}
    return [
        f"{place}:{line}: {why}" for place, found in mistakes.items() for line, why in sorted(found)
    ]


def _in_function(scope: Scope, names: frozenset[str], given: frozenset[str], app: Any) -> _Found:
    yield from find_unawaited(scope)
    yield from find_foreign(scope, names, given)
    yield from find_mislinked(scope, app)
    yield from _unraised(scope)
    yield from _unsent(scope)
    for node in scope.nodes:
        if isinstance(node, FUNCTIONS) and (role := scope.roles.get(begin(node))):
            yield from find_misgiven(node, role, scope, names)
            yield from find_foreign_shape(node, role, scope)
            yield from _unused(node, role, scope)
            yield from _returned(node, role, scope)


# --- What is made and not used -------------------------------------------------------------------


def _unraised(scope: Scope) -> _Found:
    """Yield each exception that stands for itself. A guard that has one lets everybody pass."""
    for node in scope.nodes:
        if not isinstance(node, ast.Expr):
            continue
        if isinstance(node.value, (ast.Name, ast.Attribute)) and scope.is_tried(node):
            continue  # it asks whether there is one, as `ExceptionGroup` before Python 3.11
        for outcome in _outcomes(node.value):
            if _is_exception(scope.value(_called(outcome))):
                yield outcome.lineno, f"{ast.unparse(_called(outcome))}: raise it"


def _unsent(scope: Scope) -> _Found:
    """Yield each statement for the database that nobody runs, and each that only reads and is run."""
    for node in [each for each in scope.nodes if isinstance(each, ast.Call)]:
        is_alone = isinstance(scope.parents.get(node), ast.Expr)
        if is_alone and any(scope.value(node.func) is each for each in _STATEMENTS):
            yield _about(node, "is never run: put it into a batch, or await run(...)")
        if scope.is_run_of_select(node):
            yield _about(node, "gives 0 for a SELECT: write first(...) or all(...)")


def _unused(function: ast.AST, role: Role, scope: Scope) -> _Found:
    """Yield each call in a line of its own in *function* that makes an answer, or a task that is too late."""
    waits = [node for node in ast.walk(function) if isinstance(node, _WAITS)]
    for node in own(function):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if scope.kind(node.value) is Response and not scope.is_tried(node):
                yield _about(node.value, "makes a Response that is not used: return it")
            is_last = role.name not in {"guard", "provider"}  # after these the handler may await
            is_task = is_last and any(scope.value(node.value.func) is each for each in _TASKS)
            if is_task and all((each.end_lineno or 0) < node.lineno for each in waits):
                yield _about(node.value, "may be cut off by the answer: write c.wait_until(...)")


# --- What is returned ----------------------------------------------------------------------------


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef, role: Role, scope: Scope) -> _Found:
    """Yield what *function*, which the app has for *role*, returns and no such function may."""
    for node in own(function):
        for outcome in _outcomes(node.value) if isinstance(node, ast.Return) and node.value else ():
            why = _why_not(outcome, role, scope)
            is_value = role.name != "provider" and is_async(role.function)
            if is_value and isinstance(outcome, ast.Name):
                yield from find_unawaited_value(outcome, scope)
            if role.name == "handler":
                why = why or _why_not_sent(outcome, function.returns, scope)
                for each in _parts(outcome, scope):
                    yield from find_unawaited_value(each, scope)
            if why:
                yield outcome.lineno, f"this {role.name} returns {why}"


def _why_not(outcome: ast.expr, role: Role, scope: Scope) -> str:
    """Return what is wrong with *outcome*, which a function with *role* returns, or ""."""
    text = ast.unparse(_called(outcome))
    value = scope.value(_called(outcome))
    if _is_exception(value):
        carried = {*role.carried} & {*value.__mro__}
        is_meant = _is_data(value) if role.name == "handler" else bool(carried)
        return "" if is_meant else f"{text}: raise it"
    is_value = role.name != "provider"  # whose coroutine the handler may await
    if is_value and is_async(role.function) and scope.makes_coroutine(outcome):
        return f"{text}(...), which is not awaited: write return await {text}(...)"
    if role.name == "guard" and not role.carried:
        if isinstance(outcome, ast.Constant) and isinstance(outcome.value, bool):
            return f"{text}: return nothing to let pass, and raise Forbidden to refuse"
        if scope.kind(outcome) is Response:
            return "a Response: raise Forbidden or another HTTPError to refuse"
    if role.name in {"layer", "not-found handler"} and isinstance(outcome, _NEVER_RESPONSES):
        return f"{text}: return a Response"
    return ""


def _why_not_sent(outcome: ast.expr, annotation: ast.expr | None, scope: Scope) -> str:
    """Return why *outcome* is sent otherwise than it seems, where *annotation* does not ask for it, or ""."""
    asked = scope.value(annotation)
    if annotation and not (is_a(asked, type) and issubclass(asked, _NEVER_LISTS)):
        return ""
    if isinstance(outcome, ast.Tuple) and len(outcome.elts) > 1:
        value, status = outcome.elts[:2]
        is_number = isinstance(value, ast.Constant) and isinstance(value.value, (int, float))
        if (
            isinstance(status, ast.Constant)
            and not is_number
            and not isinstance(value, ast.Starred)
        ):
            return _PAIR.format(status.value) if status.value in _STATUSES else ""
    if scope.value(_called(outcome)) is json.dumps and asked is not str:
        return "json.dumps(...), which is text/plain: return the value itself, or -> str if that is meant"
    return ""


def _parts(outcome: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """Yield what the dicts and lists that *outcome* writes down hold, and the value of a `Response.json`."""
    parts: list[ast.expr] = []
    if isinstance(outcome, ast.Dict):
        parts = outcome.values
    elif isinstance(outcome, (ast.List, ast.Tuple)):
        parts = outcome.elts
    elif isinstance(outcome, ast.Call) and isinstance(outcome.func, ast.Attribute):
        is_json = outcome.func.attr == "json" and scope.value(outcome.func.value) is Response
        parts = outcome.args[:1] if is_json else []
    for part in parts:
        yield from (part, *_parts(part, scope))


def _is_data(kind: type) -> bool:
    """Return whether an exception of *kind* can be sent as JSON."""
    ways = ("shown_as", "__dataclass_fields__", "__attrs_attrs__")
    return any(hasattr(kind, way) for way in ways)


# --- Trees ---------------------------------------------------------------------------------------


def _outcomes(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what *node* comes to, one of several where it has a choice."""
    if isinstance(node, ast.IfExp):
        yield from (*_outcomes(node.body), *_outcomes(node.orelse))
    elif isinstance(node, ast.BoolOp):
        yield from _outcomes(node.values[-1])
    else:
        yield node


def _about(call: ast.Call, why: str) -> tuple[int, str]:
    return call.lineno, f"{ast.unparse(call.func)}(...) {why}"


def _called(node: ast.expr) -> ast.expr:
    """Return what *node* calls, or *node* where it is no call."""
    return node.func if isinstance(node, ast.Call) else node


def _is_exception(value: Any) -> bool:
    return is_a(value, type) and issubclass(value, Exception)
