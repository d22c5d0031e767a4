"""Reads an app's modules as trees, beside what their names stand for once it is imported. Calls nothing."""

import ast
import builtins
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from inspect import getattr_static
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from framework.callables import wants_await

__all__ = [
    "FUNCTIONS",
    "Module",
    "assigned",
    "attributes_given",
    "begin",
    "bound",
    "functions",
    "is_a",
    "is_async",
    "is_read",
    "modules",
    "own",
    "target",
    "value_of",
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
"""The trees of functions that have a name."""


class Module(NamedTuple):
    """A module of the app that was imported."""

    place: str
    """Where it is in the app's folder."""
    file: str
    """The same in full, as the code of its functions has it."""
    tree: ast.Module
    nodes: list[ast.AST]
    """All of the tree: many ask, and to walk takes long."""
    names: dict[str, Any]
    """What its names, and those of builtins, stand for; None where that is not one thing in all of it."""


def modules(folder: Path) -> Iterator[Module]:
    """Yield the modules of the app in *folder* that were imported: ``app.py``, and those in ``routes/``."""
    for file in sorted([folder / "app.py", *(folder / "routes").rglob("*.py")]):
        place = file.relative_to(folder)
        name = ".".join(place.with_suffix("").parts).removesuffix(".__init__")
        module = sys.modules.get(name)
        # One that has put something else in its place may have any name.
        if type(module) is ModuleType and vars(module).get("__file__") == str(file):
            tree = _parse(file)
            nodes = [*ast.walk(tree)]
            names = {**vars(builtins), **vars(module), **dict.fromkeys(_changed(tree, nodes))}
            yield Module(place.as_posix(), str(file), tree, nodes, names)


def _parse(file: Path) -> ast.Module:
    """Return *file* as a tree, without anything in it where it is being written just now."""
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # the last is for a NUL
        return ast.Module([], [])


def _changed(tree: ast.Module, nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that *tree* binds twice or in a function, and those of what it gives attributes to."""
    times = Counter(name for node in own(tree) for name in bound(node))
    yield from (name for name, count in times.items() if count > 1)
    for node in nodes:
        if isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.Attribute) and not is_read(node):
            yield ast.unparse(node).partition(".")[0]


# --- Trees ---------------------------------------------------------------------------------------


def functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the functions below *node* that stand in no other."""
    for child in own(node):
        if isinstance(child, FUNCTIONS):
            yield child
        elif isinstance(child, ast.ClassDef):
            yield from functions(child)


def own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below *scope*, but not what is in functions and classes inside of it."""
    found: list[ast.AST] = [scope]
    for node in found:
        if node is scope or not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            children = list(ast.iter_child_nodes(node))
            found += children  # which are iterated over, too
            yield from children


def begin(node: ast.AST) -> int:
    """Return the line where *node* begins: of a function, with its decorators, as its code has it."""
    lines: list[int] = [each.lineno for each in getattr(node, "decorator_list", ())]
    return min([*lines, getattr(node, "lineno", 0)])


def bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that *node* itself binds, deletes or declares."""
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.arg):
        yield node.arg
    elif not is_read(node):
        yield from filter(None, (getattr(node, each, None) for each in ("name", "id", "rest")))


def is_read(node: ast.AST) -> bool:
    """Return whether *node* is read, and not assigned or deleted."""
    return isinstance(getattr(node, "ctx", None), ast.Load)


def target(node: ast.AST | None) -> str:
    """Return the name that *node* assigns a value to, if it is one and nothing else; or ""."""
    targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.NamedExpr) or (isinstance(node, ast.AnnAssign) and node.value):
        targets = [node.target]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def attributes_given(modules: Iterable[Module]) -> frozenset[str]:
    """Return the names of the attributes that *modules* assign anywhere, of whatever it is."""
    nodes = [node for module in modules for node in module.nodes]
    return frozenset(
        node.attr for node in nodes if isinstance(node, ast.Attribute) and not is_read(node)
    )


# --- Values --------------------------------------------------------------------------------------


def assigned(modules: Iterable[Module]) -> Iterator[tuple[str, str, Any]]:
    """Yield the place, the name and the value of what *modules* assign to a name of their own."""
    for module in modules:
        for node in module.tree.body:
            if name := target(node):
                yield f"{module.place}:{node.lineno}", name, module.names.get(name)


def value_of(node: ast.AST | None, names: Mapping[str, Any]) -> Any:
    """Return what *node*, a name or one in something else, stands for, or None."""
    if not isinstance(node, ast.Attribute):
        return names.get(node.id) if isinstance(node, ast.Name) else None
    base = value_of(node.value, names)
    if is_a(base, (ModuleType, type)):
        return vars(base).get(node.attr)
    is_plain = getattr_static(type(base), "__getattribute__") is object.__getattribute__
    return getattr_static(base, node.attr, None) if is_plain else None


def is_a(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Return whether *value* is a *kind*. What only claims to be one, as a proxy, is not asked."""
    return issubclass(type(value), kind)


def is_async(value: Any) -> bool:
    """Return whether *value* is an async function, or a method that is one."""
    function = value.__func__ if is_a(value, (classmethod, staticmethod)) else value
    return is_a(function, FunctionType) and wants_await(function)
