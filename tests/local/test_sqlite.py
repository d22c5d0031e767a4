"""What SQLite alone does: files, locks, schemas, D1's limits. The rest is in the conformance suite."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from framework.database import (
    DatabaseError,
    ForeignKeyViolation,
    MissingTable,
    Overloaded,
    Transient,
    Unavailable,
    UniqueViolation,
    statement,
)
from framework.local.sqlite import SQLiteDatabase
from framework.local.statements import refusal, split

SCHEMA = """
-- The people; their names are one each.
CREATE TABLE IF NOT EXISTS person (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE  -- no ';' ends this
);
/* An index; and a trigger, whose body has semicolons. */
CREATE INDEX IF NOT EXISTS by_name ON person (name);
CREATE TRIGGER IF NOT EXISTS no_root BEFORE INSERT ON person WHEN NEW.name = 'ro;ot' BEGIN
    SELECT RAISE(ABORT, 'taken');
    SELECT 1;
END;
INSERT OR IGNORE INTO person VALUES (1, 'a;b')
"""
ADD = "INSERT INTO person (name) VALUES (?)"


class Person(msgspec.Struct):
    id: int
    name: str


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "local.db"


@pytest.fixture
def database(path: Path) -> Iterator[SQLiteDatabase]:
    database = SQLiteDatabase(path, busy_timeout=0.05)
    database.apply_schema(SCHEMA)
    yield database
    database.close()


@pytest.fixture
def other(database: SQLiteDatabase, path: Path) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell, at the file of *database*."""
    assert database is not None  # its tables are there
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    yield connection
    connection.close()


# --- Schemas --------------------------------------------------------------------------------------


async def test_a_schema_can_be_applied_again(database: SQLiteDatabase) -> None:
    await database.run(ADD, "b")

    database.apply_schema(SCHEMA)

    assert await database.all(Person, "SELECT * FROM person") == [Person(1, "a;b"), Person(2, "b")]


async def test_a_schema_is_applied_whole_or_not_at_all() -> None:
    database = SQLiteDatabase()

    with pytest.raises(DatabaseError, match="syntax error"):
        database.apply_schema("CREATE TABLE a (b); CREATE TABEL c (d);")

    with pytest.raises(MissingTable):
        await database.run("SELECT * FROM a")
    database.close()


def test_a_script_is_split_where_statements_end() -> None:
    assert [sql.split()[:2] for sql in split(SCHEMA)] == [
        ["--", "The"],
        ["/*", "An"],
        ["CREATE", "TRIGGER"],
        ["INSERT", "OR"],
    ]
    assert list(split(" ; -- nothing\n ;; /* ; */ ")) == []
    assert list(split("SELECT ';'; SELECT \"a;\" -- end")) == [
        "SELECT ';';",
        'SELECT "a;" -- end',
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE person; --",
        "INSERT INTO person VALUES (1, 'x'); /* a */ SELECT 2;",
    ],
)
async def test_one_statement_at_a_time(database: SQLiteDatabase, sql: str) -> None:
    with pytest.raises(DatabaseError, match="must contain only one statement"):
        await database.run(sql)
    with pytest.raises(DatabaseError, match="must contain only one statement"):
        await database.batch([statement(sql)])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT 1;",
        " -- first\n SELECT 1 ; \n",
        "SELECT 'BEGIN'",
        "PRAGMA table_info(person)",
        "pragma main.table_info('person')",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "CREATE TABLE temp_things (a)",
        "REPLACE INTO person VALUES (1, 'BEGIN;')",
    ],
)
def test_ordinary_sql_is_not_refused(sql: str) -> None:
    assert refusal(sql) is None


# --- Files ----------------------------------------------------------------------------------------


async def test_what_is_written_is_there_after_closing(path: Path, database: SQLiteDatabase) -> None:
    await database.run(ADD, "b")
    database.close()

    again = SQLiteDatabase(path)

    assert await again.first(Person, "SELECT * FROM person WHERE name = ?", "b") == Person(2, "b")
    again.close()


async def test_a_file_is_written_ahead(other: sqlite3.Connection) -> None:
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_closed_database_says_so(database: SQLiteDatabase) -> None:
    database.close()

    with pytest.raises(DatabaseError, match="closed database"):
        await database.run("SELECT 1")


async def test_a_full_disk_refuses_writes_and_still_reads(database: SQLiteDatabase) -> None:
    database._connection.execute("PRAGMA max_page_count = 1")

    with pytest.raises(Unavailable, match="full"):
        await database.run(ADD, "x" * 100_000)

    assert await database.first(Person, "SELECT * FROM person") == Person(1, "a;b")


async def test_a_read_only_database_is_unavailable(database: SQLiteDatabase) -> None:
    database._connection.execute("PRAGMA query_only = ON")

    with pytest.raises(Unavailable, match="readonly"):
        await database.run(ADD, "b")
    with pytest.raises(Unavailable, match="readonly"):
        await database.batch([statement(ADD, "b")])

    assert not database._connection.in_transaction


def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"not a database, " * 100)

    with pytest.raises(Unavailable, match="not a database"):
        SQLiteDatabase(path)


def test_a_place_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="unable to open"):
        SQLiteDatabase(tmp_path / "nowhere" / "local.db")


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)


async def test_a_damaged_file_is_unavailable(path: Path, database: SQLiteDatabase) -> None:
    await database.batch([statement(ADD, "x" * 9_000 + str(i)) for i in range(20)])
    database.close()
    damage(path)

    damaged = SQLiteDatabase(path)

    with pytest.raises(Unavailable, match="malformed"):
        await damaged.all(Person, "SELECT * FROM person")
    damaged.close()


# --- Others at the same file ----------------------------------------------------------------------


async def test_another_writer_is_waited_for_and_then_reported(
    database: SQLiteDatabase, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Overloaded, match="locked"):
        await database.run(ADD, "b")
    with pytest.raises(Overloaded, match="locked"):
        await database.batch([statement(ADD, "b")])
    assert await database.first(Person, "SELECT * FROM person") == Person(1, "a;b")

    other.execute("ROLLBACK")
    assert await database.run(ADD, "b") == 1


async def test_being_locked_out_is_not_transient(
    database: SQLiteDatabase, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(Overloaded) as caught:
        await database.run(ADD, "b")

    assert not isinstance(caught.value, Transient)


# --- As on D1 -------------------------------------------------------------------------------------


async def test_an_integer_that_d1_would_round_is_refused(database: SQLiteDatabase) -> None:
    with pytest.raises(DatabaseError, match="rounded"):
        await database.all(dict, "SELECT 9007199254740993 AS a")

    assert await database.all(dict, "SELECT 9007199254740991 AS a") == [{"a": 2**53 - 1}]


async def test_calls_interleave_at_their_start(database: SQLiteDatabase) -> None:
    order: list[str] = []

    async def ask(name: str) -> None:
        order.append(f"{name} asks")
        await database.run("SELECT 1")
        order.append(f"{name} is answered")

    await asyncio.gather(ask("a"), ask("b"))

    assert order == ["a asks", "b asks", "a is answered", "b is answered"]


async def test_a_call_cancelled_before_it_runs_writes_nothing(database: SQLiteDatabase) -> None:
    for call in (database.run(ADD, "b"), database.batch([statement(ADD, "c")])):
        task = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await database.all(Person, "SELECT * FROM person") == [Person(1, "a;b")]


async def test_a_failed_batch_leaves_no_transaction_open(database: SQLiteDatabase) -> None:
    for statements in (
        [statement(ADD, "b"), statement(ADD, "b")],
        [statement(ADD, "b"), statement("SELECT * FROM nowhere")],
        [statement(ADD, "b"), statement("SELECT 9007199254740993 AS a")],
        [statement(ADD, "b"), statement("SELECT 1; SELECT 2")],
    ):
        with pytest.raises(DatabaseError):
            await database.batch(statements)
        assert not database._connection.in_transaction

    assert await database.run(ADD, "b") == 1


@pytest.mark.parametrize("other", ["SELECT 1", ("SELECT ?", 1)])
async def test_a_batch_of_something_else_says_what_to_write(
    database: SQLiteDatabase, other: Any
) -> None:
    with pytest.raises(TypeError, match=r"write statement\(sql, \*values\)"):
        await database.batch([statement(ADD, "b"), other])

    assert await database.all(Person, "SELECT * FROM person") == [Person(1, "a;b")]


async def test_a_batch_that_can_be_read_once_alone_is_no_batch_of_nothing(
    database: SQLiteDatabase,
) -> None:
    once: Any = (statement(ADD, name) for name in ("b", "c"))

    with pytest.raises(TypeError, match="has no len"):
        await database.batch(once)


async def test_the_statement_that_failed_is_named(database: SQLiteDatabase) -> None:
    with pytest.raises(UniqueViolation) as caught:
        await database.batch([statement("SELECT 1"), statement(ADD, "a;b")])

    assert caught.value.sql == ADD


async def test_what_fails_at_the_end_of_its_transaction_is_named(database: SQLiteDatabase) -> None:
    database.apply_schema(
        "CREATE TABLE child (person INTEGER REFERENCES person DEFERRABLE INITIALLY DEFERRED)"
    )
    sql = "INSERT INTO child VALUES (99)"
    for call, named in (
        (database.run(sql), sql),
        (database.batch([statement("SELECT 1"), statement(sql)]), f"SELECT 1; {sql}"),
    ):
        with pytest.raises(ForeignKeyViolation) as caught:
            await call
        assert caught.value.sql == named


def test_the_limits_are_those_of_d1(database: SQLiteDatabase) -> None:
    limits = {
        sqlite3.SQLITE_LIMIT_LENGTH: 4 * 1024 * 1024,
        sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
        sqlite3.SQLITE_LIMIT_COLUMN: 100,
        sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
        sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
        sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
        sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 127,
        sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
        sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
        sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    }

    assert {name: database._connection.getlimit(name) for name in limits} == limits


class Entry(msgspec.Struct, rename="camel"):
    id: int = 0
    created_at: int = 0


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT 1 AS id, 2 AS id", "two columns are called id, and D1 returns the last of them"),
        ("SELECT * FROM person a JOIN person b", "two columns are called id"),
        ("SELECT 1 AS created_at", "the column created_at is not read: Entry calls it createdAt"),
    ],
)
async def test_a_field_that_would_silently_get_something_else_is_an_error(
    database: SQLiteDatabase, sql: str, fault: str
) -> None:
    await database.run(ADD, "Ada")

    with pytest.raises(DatabaseError, match=fault):
        await database.first(Entry, sql)
    [result] = await database.batch([statement(sql)])
    with pytest.raises(DatabaseError, match=fault):
        result.rows(Entry)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS id, 1 AS id",
        "SELECT 1 AS id, 2 AS other, 3 AS other",
        "SELECT 1 AS id, 2 AS createdAt, 3 AS created_at",
        "SELECT 1 AS id, 2 AS updated_at",
    ],
)
async def test_columns_that_no_field_misses_may_be_called_anything(
    database: SQLiteDatabase, sql: str
) -> None:
    found = await database.first(Entry, sql)

    assert found is not None
    assert found.id == 1
    assert await database.all(dict[str, int], "SELECT 1 AS id, 2 AS id") == [{"id": 2}]


class Event(msgspec.Struct, tag_field="kind", tag="sale"):
    kind_: str = ""


async def test_a_column_that_holds_the_tag_of_a_struct_is_read(database: SQLiteDatabase) -> None:
    assert await database.all(Event, "SELECT 'sale' AS kind") == [Event()]
