"""Brings the tables of a schema into a local file, and says which differences it leaves."""

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

from framework.database import DatabaseError, Overloaded
from framework.local.sqlite import SQLiteDatabase

__all__ = ["apply_schema"]

_VERSION_MASK = 0x7FFFFFFF

_COLUMNS = """
    SELECT item.name, field.name FROM sqlite_master AS item, pragma_table_xinfo(item.name) AS field
    WHERE item.type = 'table' AND item.name NOT GLOB 'sqlite_*'
"""


def apply_schema(database: SQLiteDatabase, path: Path, name: str, script: str) -> list[str]:
    """Bring the tables of *script*, a file called *name*, into *database*, which is the file *path*.

    Returns what a person should know. The script that was run last is not run again: the file's
    ``user_version`` says which one that was. What the file still lacks of it is told each time.
    Raises `DatabaseError` for a script that makes no database.
    """
    version = zlib.crc32(script.encode()) & _VERSION_MASK
    before, is_new = _read_version(path)
    told = []
    if before != version or is_new:
        try:
            database.apply_schema(script)
        except DatabaseError as error:
            if is_new:
                raise
            if isinstance(error, Overloaded):
                return [f"{path} is in use by another program: {name}, which has changed, waits"]
            told = [f"{name} has changed and does not apply to {path}: {error}."]
        else:
            _write_version(path, version)
            if is_new:
                return [f"{path} made from {name}"]
            told = [
                f"{name} has changed: new tables were created, changed ones were left as they are."
            ]
    if missing := _find_missing(path, script):
        told += [f"{name} has {', '.join(missing)}, and {path} has not: ALTER TABLE adds columns."]
    if not told:
        return []
    return [" ".join([*told, f"To start afresh, stop the server and remove {path}"])]


def _find_missing(path: Path, script: str) -> list[str]:
    """Return the tables of *script* that are not in the file *path*, and the columns, as ``team.color``.

    None for a script that makes no database on its own.
    """
    with closing(sqlite3.connect(":memory:")) as fresh, closing(sqlite3.connect(path)) as kept:
        try:
            fresh.executescript(script)
        except sqlite3.Error:
            return []
        there = {
            name.lower()
            for table, column in kept.execute(_COLUMNS)
            for name in (table, f"{table}.{column}")
        }
        wanted = [
            f"{table}.{column}" if table.lower() in there else table
            for table, column in fresh.execute(_COLUMNS)
        ]
    return [name for name in dict.fromkeys(wanted) if name.lower() not in there]


def _read_version(path: Path) -> tuple[int, bool]:
    """Return the version of the schema in the file *path*, and whether it has no tables yet."""
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return version, tables == 0


def _write_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version:d}")
