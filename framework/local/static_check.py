"""Finds what a staged app imports and calls that fails in the Worker.

Is told what the Worker lacks. It passes over what may be meant for this machine alone: what stands below
an `if` or a `try`, or after an `if` that returns.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "framework"
OURS = {"app", PACKAGE, "routes", ""}
"""Where the app's own modules begin, nothing standing for what is asked for with dots."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CHOICES = (ast.If, ast.IfExp, ast.BoolOp, ast.Match, ast.TryStar)
ANYTHING = {"__getattr__", "globals", "locals", "vars", "*"}
"""Names in a module that may give it any other name."""


def find_faults(
    folder: Path, why_imported: Callable[[str], str], why_called: Callable[[str], str]
) -> list[str]:
    """Return a sentence, with its place, for everything in the app staged in *folder* that would fail.

    The two functions return why importing a package, or a call, fails there; "" if it does not.
    """
    faults: dict[str, None] = {}
    names_in = cache(
        _names
    )  # each module that others take names from is read once, not for each name
    for place, tree in _modules(folder):
        known = _meanings(tree)
        for node in certain(tree):
            found = [why_called(_meaning(node.func, known))] if isinstance(node, ast.Call) else []
            for base, name in _imported(node, place.parts[:-1]):
                is_ours = base.partition(".")[0] in OURS
                found.append(
                    _fault(folder, base, name, names_in) if is_ours else why_imported(base)
                )
            faults |= {f"{place.as_posix()}:{node.lineno}: {why}": None for why in found if why}
    return list(faults)


def _modules(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the app's own modules, each with its place in *folder*."""
    for file in sorted(folder.rglob("*.py")):
        place = file.relative_to(folder)
        if place.parts[0] != PACKAGE:
            yield place, _parse(file)


def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def certain(
    node: ast.AST, *exits: type[ast.stmt], is_inside: bool = False
) -> Generator[ast.stmt | ast.expr, None, bool]:
    """Yield what is below *node*, except what a choice may leave out; return whether one may leave.

    It leaves by a return, or one of *exits*.
    """
    for child in ast.iter_child_nodes(node):
        if _is_choice(child):
            leaves: tuple[type[ast.stmt], ...] = (ast.Return, *exits)
            if is_inside and any(isinstance(each, leaves) for each in ast.walk(child)):
                return True
            continue
        if isinstance(child, (ast.stmt, ast.expr)):
            yield child
        is_function = isinstance(child, FUNCTIONS)
        may_leave = yield from certain(child, *exits, is_inside=is_inside or is_function)
        if may_leave and not is_function:
            return True
    return False


def _is_choice(node: ast.AST) -> bool:
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return any("suppress" in ast.unparse(item.context_expr) for item in node.items)
    return isinstance(node, CHOICES) or (isinstance(node, ast.Try) and bool(node.handlers))


def _imported(node: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the modules that *node* imports, each with the name that is taken from it, if one is.

    One beyond the top-level package keeps its dots.
    """
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level > len(package):
            base = "." * node.level + base
        elif node.level:
            base = ".".join([*package[: len(package) + 1 - node.level], *([base] if base else [])])
        yield from ((base, alias.name) for alias in node.names)


def _meanings(tree: ast.Module) -> dict[str, str]:
    """Return the full name of each name that *tree* imports anywhere."""
    meanings = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                meanings[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return meanings


def _meaning(node: ast.expr, known: dict[str, str]) -> str:
    """Return the full name of *node*, or "" where it is not a name that was imported."""
    if isinstance(node, ast.Attribute):
        base = _meaning(node.value, known)
        return f"{base}.{node.attr}" if base else ""
    return known.get(node.id, "") if isinstance(node, ast.Name) else ""


def _fault(folder: Path, base: str, name: str, names_in: Callable[[Path], frozenset[str]]) -> str:
    """Return why *name*, if there is one, can't be imported from the app's own *base*, or ""."""
    if base.startswith("."):
        return f"{base} is beyond the top-level package"
    if not _is_there(folder, base):
        return f"{base} is not staged" if _is_there(Path(), base) else f"there is no {base}"
    if name in {"", "*"} or _is_there(folder, f"{base}.{name}"):
        return ""
    place = folder.joinpath(*base.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    names = names_in(file) if file.is_file() else frozenset()
    return "" if name in names or names & ANYTHING else f"there is no {name} in {base}"


def _is_there(folder: Path, module: str) -> bool:
    place = folder.joinpath(*module.split("."))
    return place.is_dir() or place.with_name(f"{place.name}.py").is_file()


def _names(file: Path) -> frozenset[str]:
    """Return the names in *file* but those of arguments, among them those that others may import."""
    names = set()
    for node in ast.walk(_parse(file)):
        for field in ("name", "id", "asname", "rest"):
            names.add(getattr(node, field, None))
        if isinstance(node, ast.alias):
            names.add(node.name.partition(".")[0])
    return frozenset(name for name in names if name)
