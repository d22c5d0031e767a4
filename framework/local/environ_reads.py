"""Finds what modules read of `os.environ`, into which the Worker puts nothing of `wrangler.toml`.

It passes over what may be meant for this machine alone: what an `if` asks, and what stands below an `if`
or a `try`.
"""

import ast
import os
from collections.abc import Iterator, Sequence

from framework.local.program import Module, is_read, value_of

__all__ = ["find_environ_reads"]

_CHOICES = (ast.If, ast.IfExp, ast.Match, ast.Try, ast.TryStar, ast.While)


def find_environ_reads(modules: Sequence[Module]) -> list[str]:
    """Return a sentence, with its place, for each variable that *modules* read there and do not set."""
    if any(_is_set(node, module) for module in modules for node in module.nodes):
        return []
    return [
        f"{module.place}:{line}: the Worker puts no variables into os.environ: declare {name} in a"
        " subclass of Bindings (docs/routing.md, Bindings)"
        for module in modules
        for line, name in sorted(_read(module))
    ]


def _is_set(node: ast.AST, module: Module) -> bool:
    """Return whether *node* sets a variable."""
    if isinstance(node, ast.Subscript):
        return not is_read(node) and _is_of_environ(node, module)
    is_setter = isinstance(node, ast.Attribute) and node.attr in {"setdefault", "update"}
    return is_setter and _is_of_environ(node, module)


def _read(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each variable that is read."""
    found: list[ast.AST] = [module.tree]
    for node in found:
        if isinstance(node, _CHOICES):
            continue
        found += ast.iter_child_nodes(node)  # which are iterated over, too
        name: ast.expr | None = None
        if isinstance(node, ast.Subscript) and _is_of_environ(node, module):
            name = node.slice
        elif isinstance(node, ast.Call) and node.args and _is_getter(node.func, module):
            name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.lineno, name.value


def _is_getter(function: ast.expr, module: Module) -> bool:
    if isinstance(function, ast.Attribute) and function.attr == "get":
        return _is_of_environ(function, module)
    return value_of(function, module.names) is os.getenv


def _is_of_environ(node: ast.AST, module: Module) -> bool:
    return value_of(getattr(node, "value", None), module.names) is os.environ
