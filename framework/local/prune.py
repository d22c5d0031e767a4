"""Removes the framework's modules that a staged app never imports.

Knows a folder of modules and nothing of where they come from. Needs the standard library alone, and
imports nothing of the framework's: stage.py runs under whichever Python wrangler finds.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "framework"
WORKERS = f"{PACKAGE}.workers."
SWITCHED_ON = {f"{PACKAGE}.answer_check": (b"check_answers", b"answer_check")}
"""What is off unless an app switches it on, with the words for that: it may also import the module."""


def drop_unused_modules(folder: Path) -> None:
    """Remove the framework's modules that nothing in *folder* imports, and folders that get empty."""
    sources = {_name(file, folder): file for file in folder.rglob("*.py")}
    said = b"\n".join(file.read_bytes() for name, file in sources.items() if not _is_ours(name))
    off = {name for name, words in SWITCHED_ON.items() if not any(word in said for word in words)}
    trees = {name: _parse(file) for name, file in sources.items() if name not in off}
    packages = {name for name, file in sources.items() if file.name == "__init__.py"}
    for name in {name for name in sources if _is_ours(name)} - _reach(trees, packages):
        sources[name].unlink()
    for path in sorted((folder / PACKAGE).rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _name(file: Path, folder: Path) -> str:
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == PACKAGE


def _parse(file: Path) -> ast.Module:
    """Return what *file* holds; nothing where it is no Python: who imports it says so better."""
    try:
        with tokenize.open(file) as source:
            return ast.parse(source.read())
    # for bytes that are no UTF-8, before Python 3.11.4 for a NUL; the last for what nests too deep
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def _reach(trees: dict[str, ast.Module], packages: set[str]) -> set[str]:
    """Return what the app's own modules import, at once or inside of a function, and so on.

    The Worker's half of a module comes with it and never alone: ``framework.workers.fetching`` where
    ``framework.fetching`` is reached.
    """
    deepest = max(name.count(".") for name in trees) + 1  # a page may be a text of a thousand dots
    reached: set[str] = set()
    named: set[str] = set()
    waiting = [name for name in trees if not _is_ours(name)]
    while waiting:
        name = waiting.pop()
        package = name if name in packages else name.rpartition(".")[0]
        for imported in _imports(trees[name], package):
            parts = imported.split(".", deepest)[:deepest]
            named |= {".".join(parts[:count]) for count in range(1, len(parts) + 1)} & trees.keys()
        missing = trees.keys() - reached
        fresh = {each for each in named - reached if _whole(each) not in missing}
        reached |= fresh
        waiting += fresh
    return reached


def _whole(name: str) -> str | None:
    """Return the module that *name* is the Worker's half of, if there is one."""
    before, workers, half = name.partition(WORKERS)
    return f"{PACKAGE}.{half}" if workers and not before else None


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the names that may be modules: imported ones, and texts for `import_module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
