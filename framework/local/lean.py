"""Makes a staged app lean: what it never imports goes, and so does what is written for readers alone.

Knows a folder of modules and nothing of where they come from. Needs the standard library alone, and
imports nothing of the framework's: stage.py runs under whichever Python wrangler finds.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection, Iterator
from pathlib import Path

PACKAGE = "framework"

DESCRIBED = {"Struct", "TypedDict", "NamedTuple", "Enum", "IntEnum", "StrEnum"}
"""Bases of the classes whose docstrings msgspec puts into a schema, and so OpenAPI's document."""


def make_lean(folder: Path) -> None:
    """Remove the framework's modules that nothing in *folder* imports, and blank its comments.

    A module that is no Python is left as it is: who imports it says so better.
    """
    sources = {_name(file, folder): file for file in folder.rglob("*.py")}
    trees = {name: _parse(file) for name, file in sources.items()}
    reached = _reach(trees, {name for name, file in sources.items() if file.name == "__init__.py"})
    described = _described(trees)
    for name, file in sources.items():
        if not _is_ours(name):
            continue
        if name not in reached:
            file.unlink()
        elif trees[name].body:
            file.write_text(without_comments(_read(file), described), "utf-8", newline="\n")
    for path in sorted((folder / PACKAGE).rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _name(file: Path, folder: Path) -> str:
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == PACKAGE


def _read(file: Path) -> str:
    with tokenize.open(file) as source:
        return source.read()


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(_read(file))
    except (SyntaxError, UnicodeDecodeError):
        return ast.Module([], [])


# --- What is imported ----------------------------------------------------------------------------


def _reach(trees: dict[str, ast.Module], packages: set[str]) -> set[str]:
    """Return what the app's own modules import, at once or inside of a function, and so on."""
    reached: set[str] = set()
    waiting = [name for name in trees if not _is_ours(name)]
    while waiting:
        name = waiting.pop()
        package = name if name in packages else name.rpartition(".")[0]
        for imported in _imports(trees[name], package):
            parts = imported.split(".")
            whole = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
            fresh = (whole & trees.keys()) - reached
            reached |= fresh
            waiting += fresh
    return reached


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


# --- What is written for readers -----------------------------------------------------------------


def _described(trees: dict[str, ast.Module]) -> set[str]:
    """Return the names of the classes that may be part of a schema, going by the names of bases."""
    bases = {
        node.name: {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = set(DESCRIBED)
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def without_comments(source: str, described: Collection[str] = ()) -> str:
    """Return *source* with its comments and docstrings blanked, and all else where it was.

    The classes named in *described* keep theirs. What would not be the same program, line by line,
    is returned as it came.
    """
    rows = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            rows[row - 1] = rows[row - 1][:column].rstrip()
    lines = [row.encode() for row in rows]  # columns are counted in bytes
    cuts = [
        cut
        for block, first in _blocks(ast.parse(source), described)
        for cut in _cuts(block[first:])
    ]
    for text, filling in sorted(
        cuts, key=lambda cut: (cut[0].lineno, cut[0].col_offset), reverse=True
    ):
        first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
        head, tail = lines[first][: text.col_offset], lines[last][text.end_col_offset :]
        lines[first : last + 1] = [b"" for _ in lines[first : last + 1]]
        lines[last] = tail
        lines[first] = (head + filling + lines[first]).rstrip()
    blanked = b"\n".join(lines).decode()
    return blanked if _program(blanked, described) == _program(source, described) else source


def _blocks(tree: ast.Module, described: Collection[str]) -> Iterator[tuple[list[ast.stmt], int]]:
    """Yield the lists of statements in *tree*, and where in each those begin that may be blanked."""
    for node in ast.walk(tree):
        for _, block in ast.iter_fields(node):
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                is_kept = isinstance(node, ast.ClassDef) and node.name in described
                yield block, int(is_kept and _is_text(block[0]))


def _cuts(block: list[ast.stmt]) -> list[tuple[ast.stmt, bytes]]:
    """Return the texts in *block*, and what has to stand in the place of each."""
    texts = [statement for statement in block if _is_text(statement)]
    needed = texts[:1] if len(texts) == len(block) else []
    return [(text, b"pass" if text in needed else b"") for text in texts]


def _is_text(statement: ast.stmt) -> bool:
    """Return whether *statement* is a string alone: a docstring, or one below what it tells of."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _program(source: str, described: Collection[str]) -> str | None:
    """Return what *source* does and in which lines, in a form that can be compared."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for block, first in list(_blocks(tree, described)):
        cuts = _cuts(block[first:])
        gone = {text for text, _ in cuts}
        stand_ins: list[ast.stmt] = [
            ast.copy_location(ast.Pass(), text) for text, filling in cuts if filling
        ]
        block[first:] = stand_ins or [each for each in block[first:] if each not in gone]
    for node in ast.walk(tree):
        if hasattr(node, "end_lineno"):  # a block ends sooner without its last docstring
            node.end_lineno = node.end_col_offset = None  # type: ignore[attr-defined]
    return ast.dump(tree, include_attributes=True)
