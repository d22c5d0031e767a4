"""Finds statements that do not fit `schema.sql`: SQLite prepares each, and runs none.

What it says of one is what the local database would say of it in a request. Passed over is what is put
together from what only a request knows, and all of an app that makes tables itself.
"""

import ast
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

from msgspec import StructMeta
from msgspec.structs import fields

from framework.database import Database, statement
from framework.local.deployments import bound_anywhere
from framework.local.program import Module, assigned, is_a
from framework.local.scope import Scope
from framework.local.statements import authorize, refusal, split
from framework.local.unbound import is_auth

__all__ = ["find_unprepared"]

_FIRST_VALUE = {"all": 2, "first": 2, "run": 1}
"""Which argument is the first value, by the method of `Database`; the one before it is the statement."""
_VALUES = (bool, bytes, float, int, str)
_MAKES_TABLES = re.compile(
    r"\s*(?:CREATE\s+(?:TABLE|TEMP|VIEW|VIRTUAL)|ALTER\s+TABLE|DROP\s+(?:TABLE|VIEW))\b",
    re.IGNORECASE,
)
_RETURNING = re.compile(
    r"\s*(?:INSERT\b.*?\bINTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+(\w+)\b.*\bRETURNING\b(.*)",
    re.IGNORECASE | re.DOTALL,
)
_EXPLAINS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*EXPLAIN\b", re.IGNORECASE | re.DOTALL)
_USES = re.compile(r"The current statement uses (\d+)")


class _Asked(NamedTuple):
    """A statement of the app's, and how it is asked for."""

    place: str
    sql: str
    given: int | None = None
    """How many values go with it; None where that is not known."""
    row: Any = None
    """The type that its rows become, or None."""


def find_unprepared(
    modules: Sequence[Module], scopes: Iterable[Scope], root: Path, settings: Mapping[str, Any]
) -> list[str]:
    """Return a sentence, with its place, for each statement in *modules* that fits no schema.

    *scopes* are their functions; *root* is the project, whose schemas are read; *settings* are what
    ``wrangler.toml`` says.
    """
    others = bound_anywhere(settings, "d1_databases")[1:]
    files = [root / "schema.sql", *(root / f"schema-{name}.sql" for name in others)]
    if any(map(_makes_tables, modules)) or not all(file.is_file() for file in files):
        return []
    left = [(each, "") for each in (*_of_auths(modules), *_of_functions(scopes))]
    for file in files:  # what fits one of them is right
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            try:
                for sql in split(file.read_text("utf-8-sig")):
                    connection.execute(sql)
            except (OSError, ValueError, sqlite3.Error):
                return []  # the local server says what is wrong with it
            connection.set_authorizer(authorize)
            left = [
                (each, known or f"{fault} ({file.name})")
                for each, known in left
                if (fault := _fault(connection, each))
            ]
    told: dict[tuple[str, str], str] = {}
    for each, fault in left:  # an `Auth` has many that lack the same
        told.setdefault((each.place, fault), each.sql)
    return [
        f"{place}: {fault}, in {shorten(sql, 100, placeholder=' …')}"
        for (place, fault), sql in told.items()
    ]


def _makes_tables(module: Module) -> bool:
    texts = [node.value for node in module.nodes if isinstance(node, ast.Constant)]
    return any(isinstance(text, str) and _MAKES_TABLES.match(text) for text in texts)


# --- What is asked for ---------------------------------------------------------------------------


def _of_auths(modules: Sequence[Module]) -> Iterator[_Asked]:
    """Yield what each `Auth` asks for, with the columns that its users and sessions have."""
    for place, _, value in assigned(modules):
        store = value._store if is_auth(value) else None
        if type(store).__module__.startswith("framework."):
            for text in vars(store).values():
                texts = text.values() if isinstance(text, dict) else [text]
                yield from (_Asked(place, each) for each in texts if isinstance(each, str))


def _of_functions(scopes: Iterable[Scope]) -> Iterator[_Asked]:
    for scope in scopes:
        with suppress(RecursionError):  # it nests deeper than can be followed, or in a circle
            yield from _of_function(scope)


def _of_function(scope: Scope) -> Iterator[_Asked]:
    for call in scope.nodes:
        if not isinstance(call, ast.Call) or call.keywords:
            continue
        first = 1 if scope.value(call.func) is statement else 0
        if isinstance(call.func, ast.Attribute) and scope.kind(call.func.value) is Database:
            first = _FIRST_VALUE.get(call.func.attr, 0)
        if first and len(call.args) >= first:
            *row, sql = call.args[:first]
            text = _text(sql, scope)
            is_counted = not any(isinstance(each, ast.Starred) for each in call.args)
            if text is not None:
                yield _Asked(
                    f"{scope.module.place}:{call.lineno}",
                    text,
                    len(call.args) - first if is_counted else None,
                    scope.value(row[0]) if row else None,
                )


def _text(node: ast.expr, scope: Scope) -> str | None:
    """Return the text that *node* comes to whatever a request holds, or None."""
    if isinstance(node, ast.Name) and node.id in scope.assigned:
        node = scope.assigned[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_text(node.left, scope), _text(node.right, scope)]
    elif isinstance(node, ast.JoinedStr):
        parts = [_text(each, scope) for each in node.values]
    elif isinstance(node, ast.FormattedValue):
        is_plain = node.conversion == -1 and node.format_spec is None
        parts = [_text(node.value, scope) if is_plain else None]
    else:
        value = node.value if isinstance(node, ast.Constant) else scope.value(node)
        return value if type(value) is str else None
    return None if None in parts else "".join(map(str, parts))


# --- What is wrong with it -----------------------------------------------------------------------


def _fault(connection: sqlite3.Connection, asked: _Asked) -> str:
    """Return what is wrong with what is *asked* of *connection*, or ""."""
    try:
        asked.sql.encode()
    except UnicodeEncodeError:
        return ""  # half a surrogate pair: no database is asked
    if (refused := refusal(asked.sql)) is not None:
        return refused
    values: list[None] = []
    explain = asked.sql if _EXPLAINS.match(asked.sql) else f"EXPLAIN {asked.sql}"
    try:
        try:
            connection.execute(explain)
        except sqlite3.ProgrammingError as error:  # it has parameters
            values = [None] * int(uses[1] if (uses := _USES.search(str(error))) else 0)
            connection.execute(explain, values)
    except (sqlite3.Error, sqlite3.Warning) as error:
        # D1's SQLite is newer than most, and has functions that this one has not.
        return "" if str(error).startswith("no such function") else str(error)
    if asked.given not in (None, len(values)):
        return f"{len(values)} parameters are given {asked.given} values"
    sql = asked.sql.rstrip().removesuffix(";")
    if writes := _RETURNING.match(sql):
        values, sql = [], f"SELECT {writes[2]} FROM {writes[1]}"  # noqa: S608  the app's own, and no row is read
    try:
        cursor = connection.execute(f"SELECT * FROM (\n{sql}\n) LIMIT 0", values)  # noqa: S608  as above
    except sqlite3.Error:  # no query, or none that can stand in another
        return ""
    return _row_fault(asked.row, [column[0] for column in cursor.description])


def _row_fault(row: Any, columns: list[str]) -> str:
    """Return why a row of *columns* becomes no *row*, or ""."""
    if any(row is each for each in _VALUES) and len(columns) != 1:
        return f"{len(columns)} columns are no {row.__name__}"
    missing: list[str] = []
    if is_a(row, StructMeta) and row.__struct_config__.tag is None:
        with suppress(Exception):  # whatever its annotations raise; who reads a row is told
            wanted = [field.encode_name for field in fields(row) if field.required]
            # Within another, SQLite calls a column as the query does, and not as the table.
            there = {name.lower() for name in columns}
            missing = [] if "rowid" in there else [n for n in wanted if n.lower() not in there]
    return (
        f"no column is called {' or '.join(missing)}, as {row.__name__} has it" if missing else ""
    )
