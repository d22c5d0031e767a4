"""Makes a staged app lean: what is written for readers alone goes.

Comments, docstrings, three quarters of the indentation and most other blanks, the annotations and
overloads that nothing reads when the app runs, the methods that a Protocol asks for, and, where nobody
imports ``*``, ``__all__`` and what annotations alone were made of: two fifths of what the modules weigh
gzipped. Every line stays where it was, for tracebacks.

Knows a folder of modules and nothing of where they come from. Needs the standard library alone, and
imports nothing of the framework's: stage.py runs under whichever Python wrangler finds.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

PACKAGE = "framework"
EXPORTS = "__all__"
WORD = re.compile(r"\w+")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BRINGS_NAMES = re.compile(
    r"from (?:typing|collections\.abc|(framework)\b[.\w]*) import "
    r"|(\w+) = TypeVar\(|class (\w+)\(TypedDict\b"
)
"""What does nothing but bring names, as `ast.unparse` writes it; a module of the framework's is run, too."""

OPENING, CLOSING = {"(", "[", "{"}, {")", "]", "}"}
TEXT_STARTS = {getattr(tokenize, name, None) for name in ("FSTRING_START", "TSTRING_START")}
TEXT_ENDS = {getattr(tokenize, name, None) for name in ("FSTRING_END", "TSTRING_END")}
"""Around f-strings and t-strings, which are several tokens since Python 3.12. A blank in braces may count."""
WORDS = {tokenize.NAME, tokenize.NUMBER, tokenize.STRING, *TEXT_STARTS, *TEXT_ENDS}

DOCUMENT = "openapi"
"""How the framework's modules begin that write a document, and so name what is in every one."""

DESCRIBED = {"Struct", "TypedDict", "NamedTuple", "Enum", "IntEnum", "StrEnum"}
"""Bases of the classes whose docstrings msgspec puts into a schema, and so OpenAPI's document."""
HANDED = {
    *("Context", "Reply", "Request", "Statement"),
    *("Kind", "Parameter", "PathParameter", "SecurityScheme", "Segment", "Template"),
}
"""Classes that most apps name, or what writes a document, that are never part of a schema, and neither is
what they are made of."""


def minify(folder: Path) -> None:
    """Thin out the framework's modules in *folder*. One that is no Python is left as it is."""
    trees = {file: _parse(file) for file in folder.rglob("*.py")}
    exports = any(_reads_exports(tree) for tree in trees.values())
    wanted = {each for tree in trees.values() for each in _wanted(tree)}
    own = [tree for file, tree in trees.items() if folder / PACKAGE not in file.parents]
    wanted |= {("", word) for tree in own for word in _words(tree)}
    documents = [tree for file, tree in trees.items() if file.name.startswith(DOCUMENT)]
    described = _described(trees.values(), [*own, *documents])
    for file in (folder / PACKAGE).rglob("*.py"):
        if trees[file].body:
            thinned = minify_source(_read(file), described, exports=exports)
            if not exports:
                place = file.relative_to(folder).with_suffix("")
                names = {"", ".".join(place.parts).removesuffix(".__init__")}
                read = {name for module, name in wanted if module in names}
                thinned = drop_unread(thinned, read)
            file.write_text(thinned, "utf-8", newline="\n")


def _read(file: Path) -> str:
    with tokenize.open(file) as source:
        return source.read()


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(_read(file))
    # for bytes that are no UTF-8, before Python 3.11.4 for a NUL; the last for what nests too deep
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


class Cut(NamedTuple):
    """A part of a source that is cut: lines from 1, columns in bytes from 0, and the text in its place."""

    line: int
    column: int
    end_line: int
    end_column: int
    filling: bytes = b""


# --- What is written for readers -----------------------------------------------------------------


def _described(trees: Collection[ast.Module], naming: Collection[ast.Module]) -> set[str]:
    """Return the names of the classes that may be part of a schema: by the names of their bases, and
    since one of the modules *naming* names them, or a field of a class that is one of them, or what
    stands for them there if nothing else is said: `TypeVar` and its bound.

    One that begins with ``_`` is its module's own, and part of none.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    bases = [(each.name, _bases(each)) for each in classes]
    found: set[str] = set(DESCRIBED)
    while more := {name for name, above in bases if found & above} - found:
        found |= more
    bounds = [pair for node in nodes if isinstance(node, ast.Assign) for pair in _bounds(node)]
    named = {word for tree in naming for word in _names(tree)}
    kept: set[str] = set()
    while more := {each for each in found & named if not each.startswith("_")} - HANDED - kept:
        kept |= more
        named = {word for each in classes if each.name in more for word in _fields(each)}
        named |= {word for name, word in bounds if name in named}
    return kept


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the words of *tree*. Walked, not unparsed: an app may nest deeper than Python calls."""
    for node in ast.walk(tree):
        for _, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str):
                    yield from WORD.findall(each)


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """Yield the words in the annotations of the fields of the class *node*."""
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            yield from _names(statement.annotation)


def _bounds(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """Yield the name that *node* gives to a `TypeVar`, with each word in its bound."""
    for keyword in node.value.keywords if isinstance(node.value, ast.Call) else ():
        if keyword.arg == "bound":
            yield from product(_names(node.targets[0]), _names(keyword.value))


def _reads_exports(tree: ast.Module) -> bool:
    """Return whether *tree* may read an ``__all__``, of its own or of another module."""
    assigned = [target for statement in _exports(tree) for target in statement.targets]
    return any(
        (isinstance(node, ast.Name) and node.id == EXPORTS and node not in assigned)
        or (isinstance(node, ast.Attribute) and node.attr == EXPORTS)
        or (isinstance(node, ast.Constant) and node.value == EXPORTS)
        or (isinstance(node, ast.alias) and node.name in {"*", EXPORTS})
        for node in ast.walk(tree)
    )


def _exports(tree: ast.Module) -> list[ast.Assign]:
    """Return the statements of *tree* that do nothing but set its ``__all__``."""
    return [
        statement
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and [ast.unparse(target) for target in statement.targets] == [EXPORTS]
    ]


def minify_source(source: str, described: Collection[str] = (), *, exports: bool = True) -> str:
    """Return *source* with what is for readers cut away, and each line where it was.

    The classes named in *described* keep their docstrings, and *exports* keeps ``__all__``. What
    would not be the same program, line by line, is returned as it came.
    """
    tree = ast.parse(source)
    lines = [line.encode() for line in source.split("\n")]
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    cuts = [*_comments(tokens, lines), *_texts(tree, described), *_annotations(tree, lines)]
    cuts += [] if exports else map(_cut, _exports(tree))
    for line, column, end_line, end_column, filling in sorted(cuts, reverse=True):
        first, last = line - 1, end_line - 1
        head, tail = lines[first][:column], lines[last][end_column:]
        lines[first : last + 1] = [b"" for _ in lines[first : last + 1]]
        lines[last] = tail
        lines[first] = (head + filling + lines[first]).rstrip()
    thinned = b"\n".join(_dedent(lines, tokens)).decode()
    meant = _program(source, described, exports=exports)
    if _program(thinned, described, exports=exports) != meant:
        return source
    tight = _tighten(thinned)
    return tight if _program(tight, described, exports=exports) == meant else thinned


def drop_unread(source: str, wanted: Collection[str] = ()) -> str:
    """Return thin *source* without what `BRINGS_NAMES` that nobody reads, and each line where it was.

    Other modules read the names *wanted* of this one. Words in texts count as read: a text may be an
    annotation. Of what is imported from a module of the framework's, one name stays, so that it is run.
    """
    tree, lines = ast.parse(source), source.split("\n")
    texts = [(each, ast.unparse(each)) for each in tree.body]
    rest = "\n".join(text for _, text in texts if not BRINGS_NAMES.match(text))
    read = {*wanted, *WORD.findall(rest)}
    for each, text in reversed(texts):  # variables stand below the imports that they are made of
        found = BRINGS_NAMES.match(text)
        if found and (found[2] or found[3]) in read:
            read.update(WORD.findall(text))
        elif found:
            left = ""
            if isinstance(each, ast.ImportFrom):
                names = [name for name in each.names if (name.asname or name.name) in read]
                each.names = names or (each.names[:1] if found[1] else [])
                left = _tighten(ast.unparse(each)) if each.names else ""
            if not left:
                tree.body.remove(each)
            first, last = each.lineno - 1, each.end_lineno or each.lineno
            lines[first:last] = [left, *[""] * (last - first - 1)]
    lean = "\n".join(lines)
    return lean if ast.dump(ast.parse(lean)) == ast.dump(tree) else source


def _wanted(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that *tree* may read of other modules, each behind its module; "" is any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = "" if node.level else node.module or ""
            yield from [(module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Attribute):
            yield "", node.attr


def _words(tree: ast.Module) -> Iterator[str]:
    """Yield the words in the texts of *tree*: one may be an annotation, or name what `getattr` reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from WORD.findall(node.value)


def _comments(tokens: list[tokenize.TokenInfo], lines: list[bytes]) -> Iterator[Cut]:
    for token in tokens:
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            end = len(lines[line - 1])
            yield Cut(line, end - len(token.string.encode()), line, end)


def _texts(tree: ast.Module, described: Collection[str]) -> Iterator[Cut]:
    for _, text, is_needed in _needless(tree, described):
        yield _cut(text, b"pass" if is_needed else b"")


def _annotations(tree: ast.Module, lines: list[bytes]) -> Iterator[Cut]:
    for _, variable, _ in _declared(tree):
        name, cut = _cut(variable.target), _cut(variable.annotation)
        is_bare = lines[cut.end_line - 1].startswith(b" =", cut.end_column)  # no parentheses
        if is_bare and name.line == cut.end_line:
            yield cut._replace(column=name.end_column)
    for function in _called(tree):
        for argument in _annotated(function):
            start = argument.col_offset + len(argument.arg.encode())
            yield _cut(argument)._replace(column=start)
        if function.returns:
            cut = _cut(function.returns)
            arrow = lines[cut.line - 1].rfind(b" ->", 0, cut.column)
            yield cut._replace(column=arrow)


def _dedent(lines: list[bytes], tokens: list[tokenize.TokenInfo]) -> Iterator[bytes]:
    """Yield *lines* with a quarter of their indentation, but for those that begin inside of a text."""
    inside = {line for token in tokens for line in range(token.start[0] + 1, token.end[0] + 1)}
    for number, line in enumerate(lines, 1):
        stripped = line.lstrip(b" ")
        yield line if number in inside else b" " * ((len(line) - len(stripped)) // 4) + stripped


def _tighten(source: str) -> str:
    """Return *source* without the blanks that no Python needs: between tokens, and inside of brackets."""
    lines = source.split("\n")
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    depth = texts = 0
    blanks: list[tuple[int, int, int]] = []
    for token, after in zip(tokens, tokens[1:]):  # noqa: B905, RUF007  Python 3.9 has neither
        if token.type == tokenize.OP:  # the text of an f-string may be a bracket, too
            depth += (token.string in OPENING) - (token.string in CLOSING)
        texts += (token.type in TEXT_STARTS) - (token.type in TEXT_ENDS)
        (end_row, end), (row, start) = token.end, after.start
        first = end if row == end_row else 0
        is_needed = _need_blank(token, after) if row == end_row else not depth
        if first < start and not is_needed and not texts:
            blanks.append((row, first, start))
    for row, start, end in reversed(blanks):
        line = lines[row - 1]
        if not line[start:end].strip(" "):
            lines[row - 1] = line[:start] + line[end:]
    return "\n".join(lines)


def _need_blank(token: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    """Return whether the two would be read differently, or with a warning, without a blank between them."""
    return token.type in WORDS and (after.type in WORDS or after.string.startswith("."))


# --- Where all that is ---------------------------------------------------------------------------


def _cut(node: ast.stmt | ast.expr | ast.arg, filling: bytes = b"") -> Cut:
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    decorators = node.decorator_list if isinstance(node, FUNCTIONS) else []
    line = decorators[0].lineno if decorators else node.lineno
    return Cut(line, node.col_offset, end_line, end_column, filling)


def _needless(
    tree: ast.Module, described: Collection[str]
) -> Iterator[tuple[list[ast.stmt], ast.stmt, bool]]:
    """Yield the docstrings, those below what they tell of, overloads, and what a Protocol asks for: the
    block that each stands in, itself, and whether a ``pass`` has to take its place."""
    for node in ast.walk(tree):
        is_kept = isinstance(node, ast.ClassDef) and node.name in described
        tell = [_is_text, _is_overload, *([_is_stub] if _is_protocol(node) else [])]
        for block in _blocks(node):
            texts = [each for each in block[is_kept:] if any(tells(each) for tells in tell)]
            for text in texts:
                yield block, text, len(texts) == len(block) and text is texts[0]


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements that *node* itself has."""
    for _, block in ast.iter_fields(node):
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block


def _is_text(statement: ast.stmt) -> bool:
    """Return whether *statement* is a string alone: a docstring, or one below what it tells of."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_overload(statement: ast.stmt) -> bool:
    """Return whether *statement* is an overload, which only type checkers read."""
    decorators = statement.decorator_list if isinstance(statement, FUNCTIONS) else []
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in decorators)


def _is_protocol(node: ast.AST) -> bool:
    """Return whether *node* is a class that nothing is an instance of when the app runs."""
    if not isinstance(node, ast.ClassDef) or node.decorator_list:  # such as `runtime_checkable`
        return False
    return any(ast.unparse(base).partition("[")[0] == "Protocol" for base in node.bases)


def _is_stub(statement: ast.stmt) -> bool:
    """Return whether *statement* is a function that does nothing."""
    return isinstance(statement, FUNCTIONS) and all(
        isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
        for each in statement.body
    )


def _declared(
    tree: ast.AST, *, of_class: bool = False
) -> Iterator[tuple[list[ast.stmt], ast.AnnAssign, ast.expr]]:
    """Yield the variables of modules and functions that are annotated where they are set: the block that
    each stands in, itself, and its value. Those of classes may be fields, below an ``if`` too."""
    of_class = isinstance(tree, ast.ClassDef) or (of_class and not isinstance(tree, FUNCTIONS))
    for block in [] if of_class else _blocks(tree):
        for statement in block:
            if isinstance(statement, ast.AnnAssign) and statement.value:
                yield block, statement, statement.value
    for node in ast.iter_child_nodes(tree):
        yield from _declared(node, of_class=of_class)


def _called(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the methods and the functions that no route is declared with.

    Guards, providers, handlers and layers are public and take the context, or stand inside of the
    function that makes them.
    """
    is_class = isinstance(tree, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _called(node)
        elif isinstance(node, FUNCTIONS) and (is_class or _is_ours(node)):
            yield node


def _is_ours(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether *function* is private, or takes no context."""
    annotations = [argument.annotation for argument in _annotated(function)]
    return function.name.startswith("_") or not any(map(_names_context, annotations))


def _names_context(annotation: ast.expr | None) -> bool:
    return annotation is not None and "Context" in ast.unparse(annotation)


def _annotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    given = function.args
    arguments = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [argument for argument in arguments if argument and argument.annotation]


def _program(source: str, described: Collection[str], *, exports: bool) -> str | None:
    """Return what *source* does and in which lines, in a form that can be compared."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for statement in [] if exports else _exports(tree):
        tree.body.remove(statement)
    for block, variable, value in list(_declared(tree)):
        setting = ast.Assign([variable.target], value)
        block[block.index(variable)] = ast.copy_location(setting, variable)
    for function in _called(tree):
        function.returns = None
        for argument in _annotated(function):
            argument.annotation = None
    for block, text, is_needed in list(_needless(tree, described)):
        place = block.index(text)
        block[place : place + 1] = [ast.copy_location(ast.Pass(), text)] if is_needed else []
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):  # columns differ, and a block ends sooner without its last text
            node.col_offset, node.end_lineno, node.end_col_offset = 0, None, None  # type: ignore[attr-defined]  # it has them
    return ast.dump(tree, include_attributes=True)
