"""Finds links to routes by names that none has, or without a part of the path. Knows nothing of paths."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from framework.application import App
from framework.context import Context
from framework.local.program import Module, assigned, bound, is_a, value_of
from framework.local.scope import Scope
from framework.patterns import names_in, parse_pattern

__all__ = ["find_mislinked", "only_app"]


def only_app(app: Any, modules: Iterable[Module]) -> Any:
    """Return *app*, or None where *modules* have another `App`, with names of its own."""
    others = [value for *_, value in assigned(modules) if is_a(value, App) and value is not app]
    made = [
        node
        for module in modules
        for node in module.nodes
        if isinstance(node, ast.Call) and value_of(node.func, module.names) is App
    ]
    return None if others or made[1:] else app


def find_mislinked(scope: Scope, app: Any) -> Iterator[tuple[int, str]]:
    """Yield the line of each `url_for` in *scope* that raises whatever its values are, and why.

    *app* is the one that the links are to; nothing is found where it is no `App`. Neither is it where
    the error may be caught, or where what the module decided is asked: a router may be left out.
    """
    for node in scope.nodes if is_a(app, App) else ():
        if isinstance(node, ast.Call) and (name := _asked(node, scope, app)):
            given = {each.arg for each in node.keywords}
            why = "" if None in given else _why(name, given, app._paths)
            if why and not scope.is_tried(node) and not _has_switch(scope):
                yield node.lineno, why


def _asked(call: ast.Call, scope: Scope, app: App) -> str:
    """Return the name of the route of *app* that *call* asks for, or ""."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "url_for":
        return ""
    is_ours = scope.kind(call.func.value) is Context or scope.value(call.func.value) is app
    name = call.args[0] if is_ours and call.args else None
    value: Any = name.value if isinstance(name, ast.Constant) else scope.value(name)
    return str(value) if is_a(value, str) else ""


def _has_switch(scope: Scope) -> bool:
    """Return whether something in *scope* depends on names of the module alone, as `if BLOG:` does."""
    own = {name for node in scope.nodes for name in bound(node)}
    for node in scope.nodes:
        test = node.values[0] if isinstance(node, ast.BoolOp) else getattr(node, "test", None)
        names = [each.id for each in ast.walk(test) if isinstance(each, ast.Name)] if test else []
        if names and own.isdisjoint(names):
            return True
    return False


def _why(name: str, given: set[str | None], paths: Mapping[str, Sequence[str]]) -> str:
    if name not in paths:
        near = get_close_matches(name, paths, 1)
        return f"no route is called {name!r}" + (f", but {near[0]!r} is one" if near else "")
    wanted = [names_in(pattern) for path in paths[name] for pattern in parse_pattern(path)]
    if any(given >= {*names} for names in wanted):  # what is None is left out
        return ""
    return f"{name!r} is {' and '.join(paths[name])}, which asks for other parameters"
