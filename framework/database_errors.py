"""Names what can go wrong with a database, from the words it answers with. Knows no driver.

Every error here may be shown to an operator: it holds the SQL text and the database's own message,
never a parameter and never a value from a row.
"""

import re
from typing import Final

__all__ = [
    "ConstraintViolation",
    "DatabaseError",
    "ForeignKeyViolation",
    "MissingColumn",
    "MissingTable",
    "Overloaded",
    "RowMismatch",
    "Transient",
    "Unavailable",
    "UniqueViolation",
    "classify",
]


class DatabaseError(Exception):
    """A statement failed. Raised as it is for faults of the SQL, such as a syntax error."""

    def __init__(self, message: str, sql: str = "") -> None:
        super().__init__(message, sql)
        self.message = message
        self.sql = sql

    def __str__(self) -> str:
        return f"{self.message} [{shortened(self.sql)}]" if self.sql else self.message


class Unavailable(DatabaseError):
    """The database cannot serve now: it is full, read-only, damaged or out of reach."""


class Transient(Unavailable):
    """The database did not answer, and asking again may work. A write may have happened or not.

    D1 has already retried a read twice by then; only a write that may run twice is worth retrying.
    """


class Overloaded(Unavailable):
    """The database has more work than it can do. Asking again at once makes that worse."""


class MissingTable(Unavailable):
    """A table is not there: the schema was not applied to this database."""

    def __init__(self, message: str, sql: str = "", table: str = "") -> None:
        super().__init__(message, sql)
        self.table = table
        """Which one; empty where the database does not say."""

    def __str__(self) -> str:
        return (
            f"{super().__str__()}. Create the tables of that database. Locally, kagari dev applies"
            " schema.sql (for a second binding, schema-<BINDING>.sql) when it starts; delete the"
            " database file to start afresh. For the Worker, run npx wrangler d1 execute <BINDING>"
            " --local --file=<FILE> (--remote for the deployed database)"
        )


class MissingColumn(Unavailable):
    """A column is not there: a migration was not applied to this database, or the SQL misspells it.

    Which of the two, nobody can tell from outside. Code that is deployed before its migration is an
    outage that ends by itself, so this is one, as `MissingTable` is.
    """

    def __str__(self) -> str:
        return (
            f"{super().__str__()}. Unless the SQL misspells it, apply the migration that adds it: npx"
            " wrangler d1 migrations apply <BINDING> --local (or --remote, for the deployed database)"
        )


class ConstraintViolation(DatabaseError):
    """The schema refused a write: NOT NULL, CHECK, a type of a STRICT table, or a trigger."""


class UniqueViolation(ConstraintViolation):
    """A row with that key exists. An index over an expression names neither table nor columns."""

    def __init__(
        self, message: str, sql: str = "", table: str = "", columns: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, sql)
        self.table = table
        """Which table has the key; empty where the database does not say."""
        self.columns = columns
        """Its columns, such as ``("username",)``, by which a handler tells one key from another."""


class ForeignKeyViolation(ConstraintViolation):
    """A row refers to one that is not there. SQLite does not say which."""


class RowMismatch(DatabaseError):
    """A row does not fit the type that was asked for."""


_UNIQUE: Final = "UNIQUE constraint failed: "
_NO_TABLE: Final = "no such table: "
_NO_COLUMN: Final = ("no such column: ", "has no column named ")
_MEANT_AS_TEXT: Final = 'no such column: "'
"""SQLite shows in double quotes what was written in them: a text, most likely, that wants single ones."""
_CONSTRAINTS: Final = (
    "SQLITE_CONSTRAINT",
    "SQLITE_MISMATCH",
    "NOT NULL constraint failed",
    "CHECK constraint failed",
)
# Sources: the list of errors in D1's documentation ("Debug D1"; its changelog of 2026-09-01), SQLite's
# result codes, and what people report: an answer that is no JSON (workers-sdk#10801), and an import or
# export that runs, as `wrangler d1 execute --remote --file` starts one.
_OUTAGES: Final[dict[str, type[Unavailable]]] = {
    "is overloaded": Overloaded,
    "exceeded timeout": Overloaded,
    "exceeded its memory limit": Overloaded,
    "exceeded its CPU time limit": Overloaded,
    "SQLITE_BUSY": Overloaded,
    "SQLITE_LOCKED": Overloaded,
    "Network connection lost": Transient,
    "caused object to be reset": Transient,
    "reset because its code was updated": Transient,
    "due to transient issue on remote node": Transient,
    "client disconnected": Transient,
    "internal error; reference": Unavailable,
    "Failed to parse body as JSON": Transient,
    "Currently processing a long-running": Unavailable,
    "exceeded D1's free tier daily": Unavailable,
    "Exceeded maximum DB size": Unavailable,
    "maximum account storage limit": Unavailable,
    "SQLITE_FULL": Unavailable,
    "SQLITE_READONLY": Unavailable,
    "SQLITE_CORRUPT": Unavailable,
    "SQLITE_NOTADB": Unavailable,
    "SQLITE_IOERR": Unavailable,
    "SQLITE_CANTOPEN": Unavailable,
}
# What follows these words is a value: a parameter, or what a row holds.
_VALUES_FOLLOW: Final = (
    " for value ",
    " with text ",
    "bad JSON path: ",
    "JSON path error near ",
    "malformed MATCH expression: ",
    "as JSON, got: {",
    "as JSON, got: [",
    "fts5: ",
)

# ``page MATCH ?``, ``page = ?`` and ``page(?)``, where page is a table; one may be called "match", too.
# ``note.page = ?`` is a column, unless note is another name for page, and ``json_each(?)`` a list.
_SEARCH: Final = (
    r"(?<!FROM )(?<!JOIN )\bMATCH\b(?!\.)"
    r'|\b(?:FROM|JOIN)\s+"?(?!json_)(\w+)\b"?'
    r'(?:\s*\(|(?:\s+(?:AS\s+)?(\w+)\b)?.*?(?:(?<![\w."])|\b\2\.)"?\1\b"?\s*=)'
)


def classify(message: str, sql: str) -> DatabaseError:
    """Return the error that *message*, in D1's words or SQLite's, stands for.

    Its `message` is shorter than the one given where that would have shown a value; the original
    must then not be chained.
    """
    text = _without_values(message)
    if _UNIQUE in text:
        return _unique_violation(text, sql)
    if "FOREIGN KEY constraint failed" in text:
        return ForeignKeyViolation(text, sql)
    if any(fragment in text for fragment in _CONSTRAINTS):
        return ConstraintViolation(text, sql)
    if _NO_TABLE in text:
        return MissingTable(text, sql, _missing_table(text))
    if any(fragment in text for fragment in _NO_COLUMN) and _MEANT_AS_TEXT not in text:
        return _missing_column(text, sql)
    if "SQLITE_ERROR" in text:
        return DatabaseError(text, sql)
    for fragment, outage in _OUTAGES.items():
        if fragment in text:
            return outage(text, sql)
    return DatabaseError(text, sql)


def _unique_violation(text: str, sql: str) -> UniqueViolation:
    """Read "user.email" or "key.a, key.b" out of *text*; "index 'name'" names no column."""
    target = text.partition(_UNIQUE)[2].partition(": SQLITE_CONSTRAINT")[0]
    if target.startswith("index '"):
        return UniqueViolation(text, sql)
    table, _, columns = target.partition(".")
    return UniqueViolation(text, sql, table, tuple(columns.split(f", {table}.")))


def _missing_table(text: str) -> str:
    name = text.partition(_NO_TABLE)[2].partition(": SQLITE_ERROR")[0]
    return name.removeprefix("main.")


def _missing_column(text: str, sql: str) -> DatabaseError:
    """Return the error for a column that is missing, or for a word of a full-text search.

    SQLite tells of both in the same words. Only a column is named in *sql*, and only of a column
    does SQLite say where it stands.
    """
    head, words, rest = text.partition(_NO_COLUMN[0])
    name, place, _ = rest.partition(": SQLITE_ERROR")[0].partition(" at offset ")
    word = rf"(?<!\w){re.escape(name.rpartition('.')[2])}(?!\w)"
    is_search = not place and re.search(_SEARCH, sql, re.I | re.S)
    if words and (is_search or not re.search(word, sql, re.I)):
        return DatabaseError(f"{head}{words}…", sql)  # the word is a value
    return MissingColumn(text, sql)


def _without_values(message: str) -> str:
    for words in _VALUES_FOLLOW:
        head, found, _ = message.partition(words)
        if found:
            return f"{head}{words}…"
    return message


def shortened(sql: str) -> str:
    """Return *sql* as an error shows it: the first 500 characters."""
    return sql if len(sql) <= 500 else f"{sql[:500]}…"
