"""Says where a statement of SQL ends, and which ones D1 refuses. Knows no connection."""

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from sqlite3 import complete_statement
from typing import Final

__all__ = ["authorize", "refusal", "split"]

# Atomic, so that a comment never reaches past its own end.
_SPACE: Final = r"(?:\s|--[^\n]*|(?>/\*.*?(?:\*/|\Z))|;)*+"
_BLANK: Final = re.compile(_SPACE, re.DOTALL)
_WORDS: Final = re.compile(_SPACE + r"([A-Za-z]+)\s*(?:(?:\w+\s*\.\s*)?(\w+))?", re.DOTALL)

_TRANSACTION: Final = (
    "To execute a transaction, please use the state.storage.transaction() or"
    " state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT"
    " statements. The JavaScript API is safer because it will automatically roll back on"
    " exceptions, and because it interacts correctly with Durable Objects' automatic atomic write"
    " coalescing."
)
_NOT_AUTHORIZED: Final = "not authorized: SQLITE_AUTH"
# What D1 answers, word for word; seen in workerd 2026-07-30.
_REFUSED: Final = {
    **dict.fromkeys(("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"), _TRANSACTION),
    **dict.fromkeys(("ATTACH", "DETACH"), _NOT_AUTHORIZED),
    "VACUUM": "cannot VACUUM from within a transaction: SQLITE_ERROR",
}
# Source: D1's documentation; `foreign_keys` and `data_version` were seen to pass in workerd.
_PRAGMAS: Final = frozenset(
    {
        "case_sensitive_like",
        "data_version",
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "foreign_keys",
        "ignore_check_constraints",
        "index_info",
        "index_list",
        "index_xinfo",
        "legacy_alter_table",
        "optimize",
        "quick_check",
        "recursive_triggers",
        "reverse_unordered_selects",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)

# Functions that SQLite may have, by its version and how it was built, and D1 has not; seen in the same one.
_FUNCTIONS: Final = frozenset(
    {
        "ceiling",
        "if",
        "json_array_insert",
        "json_error_position",
        "json_pretty",
        "jsonb_array_insert",
        "log10",
        "median",
        "percentile",
        "percentile_cont",
        "percentile_disc",
        "power",
        "soundex",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_source_id",
        "sqlite_version",
        "subtype",
        "unistr",
        "unistr_quote",
    }
)
_VIRTUAL_TABLES: Final = frozenset({"fts5", "fts5vocab", "rtree", "rtree_i32"})


def split(script: str) -> Iterator[str]:
    """Yield the statements of *script*: a trigger's body stays whole, comments alone are not one."""
    start = 0
    for end in (match.end() for match in re.finditer(";", script)):
        if complete_statement(script[start:end]):
            yield from _not_blank(script[start:end])
            start = end
    yield from _not_blank(script[start:])


@lru_cache(maxsize=1024)
def refusal(sql: str) -> str | None:
    """Return the message with which D1 refuses *sql* before it runs it, or None."""
    if not sql.strip():
        return "No SQL statements detected."
    statements = list(split(sql))
    if not statements or (len(statements) == 1 and _has_rest(sql, statements[0])):
        return "SQL code did not contain a statement."
    if len(statements) > 1:
        return "A prepared SQL statement must contain only one statement."
    first, second = _words(sql)
    if first == "PRAGMA":
        return None if second.lower() in _PRAGMAS else _NOT_AUTHORIZED
    if first == "CREATE" and second.upper() in ("TEMP", "TEMPORARY"):
        return _NOT_AUTHORIZED
    return _REFUSED.get(first)


def _has_rest(sql: str, statement: str) -> bool:
    """Return whether a comment follows the `;` of *statement*: D1 looks for a statement there."""
    return statement.endswith(";") and not sql.rstrip().endswith(statement.strip())


def _not_blank(text: str) -> Iterator[str]:
    if not _BLANK.fullmatch(text):
        yield text.strip()


def _words(sql: str) -> tuple[str, str]:
    match = _WORDS.match(sql)
    return (match[1].upper(), match[2] or "") if match else ("", "")


def authorize(action: int, _: str | None, name: str | None, *__: str | None) -> int:
    """Return whether D1 lets a statement do *action* with what is called *name*, as SQLite asks it."""
    known = (name or "").lower()
    calls = action == sqlite3.SQLITE_FUNCTION and known in _FUNCTIONS
    makes = action == sqlite3.SQLITE_CREATE_VTABLE and known not in _VIRTUAL_TABLES
    return sqlite3.SQLITE_DENY if calls or makes else sqlite3.SQLITE_OK
