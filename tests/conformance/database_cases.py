"""What every driver of `Database` must do, as facts. Knows neither the driver nor the runner.

Runs on CPython over SQLite and under Pyodide over D1, so it imports nothing but the framework. Each
case gets a database with the tables of SCHEMA and no rows.
"""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import partial
from typing import Annotated, Any, Literal, NewType, TypeVar
from uuid import UUID

import msgspec

from framework.database import (
    ConstraintViolation,
    Database,
    DatabaseError,
    ForeignKeyViolation,
    MissingColumn,
    MissingTable,
    ParameterError,
    RowMismatch,
    Unavailable,
    UniqueViolation,
    statement,
)

Case = Callable[[Database], Awaitable[None]]
E = TypeVar("E", bound=Exception)

SCHEMA = (
    "CREATE TABLE thing (id INTEGER PRIMARY KEY, text TEXT, number INTEGER, anything)",
    "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE,"
    " age INTEGER CHECK (age >= 0), active INTEGER NOT NULL DEFAULT 1)",
    "CREATE TABLE key (provider TEXT NOT NULL, name TEXT NOT NULL,"
    " person_id TEXT NOT NULL REFERENCES person (id), UNIQUE (provider, name))",
    "CREATE TABLE pair (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) STRICT",
    "CREATE TRIGGER no_root BEFORE INSERT ON person WHEN NEW.id = 'root'"
    " BEGIN SELECT RAISE(ABORT, 'root is taken'); END",
)
RESET = ("DELETE FROM key", "DELETE FROM person", "DELETE FROM pair", "DELETE FROM thing")

SECRET = "hunter2-and-more"
ADD_PERSON = "INSERT INTO person (id, email, age) VALUES (?, ?, ?)"
ADD_KEY = "INSERT INTO key (provider, name, person_id) VALUES (?, ?, ?)"

CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Take *function* in, under its name."""
    CASES[function.__name__] = function
    return function


def case_for_each(
    rows: Iterable[tuple[Any, ...]],
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Take the function in once for each row: the row's first item ends the name."""

    def take(function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        for name, *values in rows:
            CASES[f"{function.__name__}[{name}]"] = partial(_with, function, values)
        return function

    return take


def _with(function: Callable[..., Awaitable[None]], values: list[Any], db: Database) -> Any:
    return function(db, *values)


async def failure(kind: type[E], call: Awaitable[object]) -> E:
    """Return the error of exactly that *kind* that *call* ends with, which shows no secret."""
    [error] = await asyncio.gather(call, return_exceptions=True)
    shown = "".join(traceback.format_exception(error)) if isinstance(error, Exception) else error
    assert type(error) is kind, shown
    assert SECRET not in f"{shown} {error!r} {error}", shown
    return error


class Person(msgspec.Struct):
    id: str
    email: str
    age: int | None = None
    active: bool = True


async def people(db: Database) -> list[str]:
    rows = await db.all(Person, "SELECT * FROM person ORDER BY id")
    return [row.id for row in rows]


# --- Values ---------------------------------------------------------------------------------------

Count = NewType("Count", int)


class Level(IntEnum):
    HIGH = 2


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    LARGE = "large"


class Rank(Enum):
    FIRST = 1


class Ratio(Enum):
    HALF = 0.5


class Weight(float, Enum):
    HALF = 0.5


# `type` is a keyword from Python 3.12 on; the Worker's is newer.
ALIASES: dict[str, Any] = {"datetime": datetime}
if sys.version_info >= (3, 12):
    exec("type Digest = bytes\ntype Moment = datetime | None\ntype Flag = bool", ALIASES)

TENANT = UUID("0b8e3f54-6b2f-4a37-9f2b-6b0c2f6f0a11")
INDIA = timezone(timedelta(hours=5, minutes=30))
NOON = datetime(2026, 8, 22, 12, 0, 0, 123000, UTC)


@case_for_each(
    [
        ("none", str | None, None, None),
        ("true", bool, True, True),
        ("false", bool, False, False),
        ("zero", int, 0, 0),
        ("largest integer", int, 2**53 - 1, 2**53 - 1),
        ("smallest integer", int, 1 - 2**53, 1 - 2**53),
        ("unix milliseconds", Count, 1_800_000_000_123, 1_800_000_000_123),
        ("float", float, 0.1, 0.1),
        ("whole float", float, 3.0, 3.0),
        ("large float", float, 1e300, 1e300),
        ("tiny float", float, 5e-324, 5e-324),
        ("negative float", float, -2.5, -2.5),
        ("empty text", str, "", ""),
        ("text with NUL", str, "a\0b", "a\0b"),
        ("emoji", str, "👩‍🚀", "👩‍🚀"),
        ("line separators", str, "\u2028\u2029\r\n", "\u2028\u2029\r\n"),
        ("quotes", str, "'\"\\`--", "'\"\\`--"),
        ("text that looks like JSON", str, '{"a": [1]}', '{"a": [1]}'),
        ("text that says null", str | None, "null", "null"),
        ("text of digits", str, "0012", "0012"),
        ("empty bytes", bytes, b"", b""),
        ("every byte", bytes, bytes(range(256)), bytes(range(256))),
        ("bytes or none", bytes | None, b"\0", b"\0"),
        ("annotated bytes", Annotated[bytes, "a digest"], b"\xff", b"\xff"),
        ("bytearray", bytes, bytearray(b"ab"), b"ab"),
        ("memoryview", bytes, memoryview(b"abcd")[::2], b"ac"),
        ("datetime", datetime, NOON, NOON),
        ("datetime elsewhere", datetime, NOON.astimezone(INDIA), NOON),
        ("datetime or none", datetime | None, NOON, NOON),
        ("datetime as integer", int, NOON, 1_787_400_000_123),
        (
            "datetime before 1970",
            datetime,
            datetime(1815, 12, 10, tzinfo=UTC),
            datetime(1815, 12, 10, tzinfo=UTC),
        ),
        ("datetime between milliseconds", datetime, NOON.replace(microsecond=123_999), NOON),
        ("integer enum", Level, Level.HIGH, Level.HIGH),
        ("text enum", Colour, Colour.RED, Colour.RED),
        ("enum of text", Size, Size.LARGE, Size.LARGE),
        ("enum of integers", Rank, Rank.FIRST, Rank.FIRST),
        ("UUID", UUID, TENANT, TENANT),
        ("UUID or none", UUID | None, TENANT, TENANT),
        ("Decimal", Decimal, Decimal("19.90"), Decimal("19.90")),
        ("Decimal of 30 digits", Decimal, Decimal("0." + "1" * 30), Decimal("0." + "1" * 30)),
        ("date", date, date(987, 1, 31), date(987, 1, 31)),
        ("time", time, time(9, 30), time(9, 30)),
        ("alias of bytes", ALIASES.get("Digest", bytes), b"\0", b"\0"),
        ("alias of a datetime or none", ALIASES.get("Moment", datetime), NOON, NOON),
        ("alias of a bool", ALIASES.get("Flag", bool), True, True),
    ]
)
async def test_value_comes_back(db: Database, kind: Any, value: Any, expected: Any) -> None:
    row: Any = msgspec.defstruct("Row", [("value", kind)])

    sql = "INSERT INTO thing (anything) VALUES (?) RETURNING anything AS value"
    found = await db.first(row, sql, value)

    assert found == row(expected), found
    assert type(found.value) is type(expected), found


@case_for_each(
    [
        ("none", None, None),
        ("bool", True, 1),
        ("int", 7, 7),
        ("float", 0.5, 0.5),
        ("whole float", 3.0, 3),
        ("text", "é", "é"),
        ("bytes", b"\0\xff", b"\0\xff"),
        ("datetime", NOON, 1_787_400_000_123),
        ("enum of text", Size.LARGE, "large"),
        ("enum of integers", Rank.FIRST, 1),
        ("UUID", TENANT, "0b8e3f54-6b2f-4a37-9f2b-6b0c2f6f0a11"),
        ("Decimal", Decimal("19.90"), "19.90"),
        ("date", date(2026, 1, 31), "2026-01-31"),
        ("time", time(9, 30), "09:30:00"),
    ]
)
async def test_value_comes_back_in_a_dict(db: Database, value: Any, expected: Any) -> None:
    rows = await db.all(dict, "SELECT ? AS value, 1 AS other", value)

    assert rows == [{"value": expected, "other": 1}], rows
    assert type(rows[0]["value"]) is type(expected), rows


@case_for_each(
    [
        ("integer too large", 2**53, "2^53"),
        ("integer too small", -(2**53), "2^53"),
        ("enormous integer", 10**400, "2^53"),
        ("not a number", float("nan"), "NaN"),
        ("infinity", float("inf"), "infinity"),
        ("lone surrogate", SECRET + "\ud800", "surrogate"),
        ("Decimal that is no number", Decimal("sNaN"), "NaN"),
        ("infinite Decimal", Decimal("-Infinity"), "infinity"),
        ("enum of numbers", Ratio.HALF, "an Enum of text or integers"),
        ("number enum", Weight.HALF, "an Enum of text or integers"),
        ("naive datetime", datetime(2026, 1, 1), "value.replace(tzinfo=UTC)"),
        ("list", [SECRET], "one ? for each"),
        ("tuple", (SECRET,), "one ? for each"),
        ("dict", {SECRET: 1}, "dict"),
        ("complex", 1j, "complex"),
        ("timedelta", timedelta(1), "D1 has no type for timedelta: write it as text, a number"),
        ("object", object(), "object"),
        ("text too long", "x" * 2_000_001, "2000001 bytes"),
        ("wide text too long", "é" * 1_000_001, "2000002 bytes"),
        ("bytes too long", bytes(2_000_001), "2000001 bytes"),
    ]
)
async def test_value_is_refused_by_position(db: Database, value: Any, reason: str) -> None:
    error = await failure(ParameterError, db.run("SELECT ?, ?, ?", 1, value, SECRET))

    assert error.position == 2
    assert str(error).startswith("parameter 2: "), error
    assert reason in str(error), error


@case
async def test_a_refused_value_runs_nothing_of_a_batch(db: Database) -> None:
    refused = statement(ADD_PERSON, "b", "b@x", 2**60)

    await failure(ParameterError, db.batch([statement(ADD_PERSON, "a", "a@x", 1), refused]))

    assert await people(db) == []


@case
async def test_a_value_of_two_million_bytes_fits(db: Database) -> None:
    sql = "INSERT INTO thing (text) VALUES (?) RETURNING length(text) AS number"

    assert await db.first(dict, sql, "x" * 2_000_000) == {"number": 2_000_000}


@case
async def test_numbers_are_bound_as_floats(db: Database) -> None:
    row = await db.first(dict, "SELECT typeof(?1) AS type, 5 / ?1 AS quotient", 2)

    assert row == {"type": "real", "quotient": 2.5}


@case
async def test_an_integer_column_keeps_integers(db: Database) -> None:
    sql = "INSERT INTO thing (number, text) VALUES (?, ?) RETURNING typeof(number) AS n, text"

    assert await db.first(dict, sql, 5, 5) == {"n": "integer", "text": "5.0"}


@case
async def test_infinity_comes_back_as_null(db: Database) -> None:
    assert await db.first(dict, "SELECT 9e999 AS value") == {"value": None}


@case
async def test_text_that_is_not_utf8_is_repaired(db: Database) -> None:
    assert await db.first(dict, "SELECT CAST(x'ff41' AS TEXT) AS value") == {"value": "\ufffdA"}


# --- Rows -----------------------------------------------------------------------------------------


@case
async def test_columns_fill_a_struct_by_name(db: Database) -> None:
    sql = "SELECT 0 AS active, 'e' AS email, NULL AS age, 'i' AS id"

    assert await db.first(Person, sql) == Person("i", "e", None, False)


@case
async def test_an_extra_column_is_left_out(db: Database) -> None:
    sql = "SELECT 'i' AS id, 'e' AS email, x'00' AS extra, 2 AS other"

    assert await db.first(Person, sql) == Person("i", "e")


@case
async def test_an_extra_column_is_refused_where_the_struct_says_so(db: Database) -> None:
    class Closed(msgspec.Struct, forbid_unknown_fields=True):
        id: int

    error = await failure(RowMismatch, db.first(Closed, "SELECT 1 AS id, 2 AS extra"))

    assert "`extra`" in str(error)


@case
async def test_a_renamed_field_goes_by_its_column(db: Database) -> None:
    class Renamed(msgspec.Struct, rename={"mine": "theirs", "digest": "hash"}):
        mine: int
        digest: bytes

    row = await db.first(Renamed, "SELECT 1 AS theirs, x'01' AS hash")

    assert row == Renamed(1, b"\x01")


@case_for_each(
    [
        ("a missing column", "SELECT 'i' AS id", "missing required field `email`"),
        ("null", "SELECT 'i' AS id, NULL AS email", "`$[0].email`"),
        ("text for an int", "SELECT 'i' AS id, 'e' AS email, '12' || ? AS age", "`$[0].age`"),
        ("a float for an int", "SELECT 'i' AS id, 'e' AS email, 1.5 AS age", "`$[0].age`"),
        ("two for a bool", "SELECT 'i' AS id, 'e' AS email, 2 AS active", "`$[0].active`"),
        ("a BLOB for text", "SELECT 'i' AS id, x'00' AS email", "`$[0].email`"),
    ]
)
async def test_a_row_does_not_fit(db: Database, sql: str, place: str) -> None:
    parameters = (SECRET,) if "?" in sql else ()

    error = await failure(RowMismatch, db.first(Person, sql, *parameters))

    assert place in str(error), error
    assert "Person" in str(error), error
    assert error.sql == sql


@case_for_each(
    [
        ("text for bytes", bytes, "SELECT ? AS value"),
        (
            "text for a datetime",
            datetime,
            "SELECT '2026-08-22T12:00:00Z' || substr(?, 99) AS value",
        ),
        ("too far for a datetime", datetime, "SELECT 9e15 + length(?) AS value"),
        ("text for an enum", Colour, "SELECT ? AS value"),
        ("text for a bool", bool, "SELECT ? AS value"),
    ]
)
async def test_a_value_does_not_fit(db: Database, kind: Any, sql: str) -> None:
    row = msgspec.defstruct("Row", [("value", kind)])

    error = await failure(RowMismatch, db.all(row, sql, SECRET))

    assert "`$[0].value`" in str(error), error


@case
async def test_column_names_are_free(db: Database) -> None:
    class Awkward(msgspec.Struct):
        items: int
        keys: int
        get: int
        constructor: int
        length: int

    sql = "SELECT 1 AS items, 2 AS keys, 3 AS get, 4 AS constructor, 5 AS length"

    assert await db.first(Awkward, sql) == Awkward(1, 2, 3, 4, 5)
    assert await db.first(dict, sql) == msgspec.structs.asdict(Awkward(1, 2, 3, 4, 5))


@case
async def test_of_two_columns_of_a_name_the_last_counts(db: Database) -> None:
    assert await db.all(dict, "SELECT 1 AS a, 2 AS a") == [{"a": 2}]


@case
async def test_a_typed_dict_takes_what_fits(db: Database) -> None:
    assert await db.all(dict[str, int], "SELECT 1 AS a, 2 AS b") == [{"a": 1, "b": 2}]
    await failure(RowMismatch, db.all(dict[str, int], "SELECT ? AS a", SECRET))


@case
async def test_nothing_found_is_none_and_an_empty_list(db: Database) -> None:
    assert await db.first(Person, "SELECT * FROM person") is None
    assert await db.all(Person, "SELECT * FROM person") == []
    assert await db.first(dict, "SELECT * FROM person") is None


@case
async def test_a_thousand_rows_come_in_order(db: Database) -> None:
    class Numbered(msgspec.Struct):
        i: int
        text: str
        blob: bytes

    rows = await db.all(
        Numbered,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT i, 'row ' || i AS text, x'00ff' AS blob FROM n ORDER BY i",
        1000,
    )

    assert rows == [Numbered(i, f"row {i}", b"\0\xff") for i in range(1, 1001)]


@case_for_each(
    [
        ("int", int, "count(*)", 2),
        ("text", str, "max(text)", "b"),
        ("float", float, "avg(number)", 0.5),
        ("bool", bool, "count(*) = 2", True),
        ("blob", bytes, "x'00ff'", b"\0\xff"),
        ("time", datetime, "1787400000123", NOON),
        ("enum", Size, "'large'", Size.LARGE),
        ("decimal", Decimal, "sum(number) + 0.5", Decimal("1.5")),
        ("uuid", UUID, f"'{TENANT}'", TENANT),
        ("date", date, "'2026-08-22'", date(2026, 8, 22)),
        ("literal", Literal["a", "b"], "max(text)", "b"),
        ("constraint", Annotated[int, msgspec.Meta(ge=2)], "count(*)", 2),
        ("name", Count, "sum(number)", 1),
        ("or none", int | None, "max(anything)", None),
        ("or none, not", bytes | None, "x'00'", b"\0"),
    ]
)
async def test_a_plain_type_is_the_one_column(
    db: Database, kind: Any, sql: str, value: Any
) -> None:
    await db.run("INSERT INTO thing (text, number) VALUES ('a', 0), ('b', 1)")
    query = f"SELECT {sql} FROM thing LIMIT 1"

    assert await db.first(kind, query) == value
    assert type(await db.first(kind, query)) is type(value)
    assert await db.all(kind, query) == [value]
    [result] = await db.batch([statement(query)])
    assert (result.first(kind), result.rows(kind)) == (value, [value])


@case
async def test_a_plain_type_takes_as_many_rows_as_there_are(db: Database) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)"

    assert await db.all(int, f"{many} SELECT i FROM n") == [*range(1, 31)]
    assert await db.all(int, "SELECT id FROM thing") == []
    assert await db.first(str, "SELECT id FROM thing") is None


@case_for_each(
    [
        ("two", int, "1 AS a, 2 AS b", "int: Expected `one column`, got 2"),
        ("or none", str | None, "1 AS a, 2 AS b, 3 AS c", "`one column`, got 3"),
        ("another type", int, "?1", "Expected `int`, got `str`"),
        ("null", int, "NULL", "Expected `int`, got `null`"),
        ("no member", Size, "?1", "a value does not fit"),
    ]
)
async def test_a_plain_type_that_the_row_is_not_says_so(
    db: Database, kind: Any, columns: str, reason: str
) -> None:
    values = [SECRET] * columns.count("?")

    error = await failure(RowMismatch, db.first(kind, f"SELECT {columns}", *values))

    assert reason in error.message


# --- Writes ---------------------------------------------------------------------------------------


@case
async def test_run_returns_how_many_rows_changed(db: Database) -> None:
    assert await db.run("INSERT INTO pair VALUES (1, 1), (2, 2), (3, 3)") == 3
    assert await db.run("UPDATE pair SET b = 0 WHERE a > ?", 1) == 2
    assert await db.run("UPDATE pair SET b = 0 WHERE a > ?", 9) == 0
    assert await db.run("INSERT OR IGNORE INTO pair VALUES (1, 1)") == 0
    assert await db.run("SELECT * FROM pair") == 0
    assert await db.run("DELETE FROM pair") == 3


@case
async def test_returning_gives_rows(db: Database) -> None:
    class Pair(msgspec.Struct):
        a: int
        b: int

    first = await db.first(Pair, "INSERT INTO pair VALUES (?, ?) RETURNING *", 1, 10)
    every = await db.all(Pair, "INSERT INTO pair VALUES (2, 20), (3, 30) RETURNING a, b")

    assert first == Pair(1, 10)
    assert every == [Pair(2, 20), Pair(3, 30)]
    assert await db.run("DELETE FROM pair WHERE a > ? RETURNING a", 1) == 2


@case
async def test_an_upsert_returns_the_row_it_changed(db: Database) -> None:
    sql = (
        "INSERT INTO person (id, email, age) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (email) DO UPDATE SET age = excluded.age RETURNING *"
    )

    added = await db.first(Person, sql, "a", "a@x", 1)
    changed = await db.first(Person, sql, "b", "a@x", 2)

    assert added == Person("a", "a@x", 1)
    assert changed == Person("a", "a@x", 2)


@case
async def test_a_batch_answers_for_each_statement(db: Database) -> None:
    added, found, changed, none = await db.batch(
        [
            statement(ADD_PERSON + " RETURNING *", "a", "a@x", 5),
            statement("SELECT * FROM person WHERE id = ?", "a"),
            statement("UPDATE person SET age = age + ?", 1),
            statement("SELECT x'01' AS blob FROM person WHERE id = 'b'"),
        ]
    )

    assert (added.changes, found.changes, changed.changes, none.changes) == (1, 0, 1, 0)
    assert added.first(Person) == Person("a", "a@x", 5)
    assert found.rows(Person) == [Person("a", "a@x", 5)]
    assert found.rows(dict) == [{"id": "a", "email": "a@x", "age": 5, "active": 1}]
    assert (changed.rows(dict), none.rows(dict), none.first(Person)) == ([], [], None)


@case
async def test_a_batch_result_that_does_not_fit_says_where(db: Database) -> None:
    results = await db.batch([statement("SELECT ? AS id, 1 AS email", SECRET)])

    async def read() -> None:
        results[0].rows(Person)

    error = await failure(RowMismatch, read())

    assert "`$[0].email`" in str(error)


@case
async def test_an_empty_batch_answers_nothing(db: Database) -> None:
    assert await db.batch([]) == []


@case_for_each([(str(k), k) for k in range(4)])
async def test_a_batch_that_fails_leaves_nothing(db: Database, k: int) -> None:
    await db.run(ADD_PERSON, "taken", "taken@x", 1)
    statements = [statement(ADD_PERSON, f"p{i}", f"p{i}@x", 1) for i in range(4)]
    statements[k] = statement(ADD_PERSON, f"p{k}", "taken@x", 1)

    error = await failure(UniqueViolation, db.batch(statements))

    assert error.columns == ("email",)
    assert await people(db) == ["taken"]


@case_for_each([("FAIL", "FAIL"), ("ABORT", "ABORT")])
async def test_a_statement_that_fails_leaves_nothing(db: Database, otherwise: str) -> None:
    sql = f"INSERT OR {otherwise} INTO person (id, email) VALUES ('a', 'a@x'), ('b', 'a@x')"

    await failure(UniqueViolation, db.run(sql))

    assert await people(db) == []


@case
async def test_a_batch_may_put_rows_that_need_each_other(db: Database) -> None:
    later = [statement(ADD_KEY, "p", "n", "a"), statement(ADD_PERSON, "a", "a@x", 1)]

    await failure(ForeignKeyViolation, db.batch(later))
    await db.batch([statement("PRAGMA defer_foreign_keys = ON"), *later])

    assert await people(db) == ["a"]


@case
async def test_batches_at_once_do_not_mix(db: Database) -> None:
    async def add(i: int) -> int:
        results = await db.batch(
            [
                statement("INSERT INTO pair VALUES (?, 1), (?, 2)", i, i),
                statement("SELECT count(*) AS n FROM pair WHERE a = ?", i),
            ]
        )
        return int(results[1].rows(dict)[0]["n"])

    assert await asyncio.gather(*map(add, range(8))) == [2] * 8
    assert await db.first(dict, "SELECT count(*) AS n FROM pair") == {"n": 16}


@case
async def test_of_two_claims_at_once_one_wins(db: Database) -> None:
    async def claim(i: int) -> bool:
        try:
            await db.run(ADD_PERSON, f"p{i}", "same@x", i)
        except UniqueViolation:
            return False
        return True

    assert sorted(await asyncio.gather(*map(claim, range(5)))) == [False] * 4 + [True]


# --- Refusals -------------------------------------------------------------------------------------


async def fill(db: Database) -> None:
    await db.batch(
        [
            statement(ADD_PERSON, "a", SECRET, 1),
            statement(ADD_KEY, "p", SECRET, "a"),
            statement("INSERT INTO pair VALUES (1, 1)"),
            statement("INSERT INTO thing (id) VALUES (1)"),
        ]
    )


@case_for_each(
    [
        ("a column", ADD_PERSON, ("b", SECRET, 1), "person", ("email",)),
        ("columns", ADD_KEY, ("p", SECRET, "a"), "key", ("provider", "name")),
        ("the primary key", ADD_PERSON, ("a", "b", 1), "person", ("id",)),
        ("the row number", "INSERT INTO thing (id) VALUES (?)", (1,), "thing", ("id",)),
        ("a primary key of two", "INSERT INTO pair VALUES (?, ?)", (1, 1), "pair", ("a", "b")),
    ]
)
async def test_a_second_row_is_refused_for(
    db: Database, sql: str, parameters: tuple[Any, ...], table: str, columns: tuple[str, ...]
) -> None:
    await fill(db)

    error = await failure(UniqueViolation, db.run(sql, *parameters))

    assert (error.table, error.columns) == (table, columns)
    assert error.sql == sql
    assert "SQLITE_CONSTRAINT" in error.message


@case_for_each(
    [
        ("no parent", ADD_KEY, ("p", "other", SECRET)),
        ("a child is left", "DELETE FROM person WHERE email = ?", (SECRET,)),
    ]
)
async def test_a_foreign_key_is_kept(db: Database, sql: str, parameters: tuple[Any, ...]) -> None:
    await fill(db)

    error = await failure(ForeignKeyViolation, db.run(sql, *parameters))

    assert error.sql == sql


@case_for_each(
    [
        ("NOT NULL", ADD_PERSON, (None, SECRET, 1), "NOT NULL"),
        ("CHECK", ADD_PERSON, ("b", SECRET, -1), "CHECK"),
        ("a trigger", ADD_PERSON, ("root", SECRET, 1), "root is taken"),
        ("a type", "INSERT INTO pair VALUES (1, ?)", (SECRET,), "TEXT value in INTEGER"),
        ("a row number", "INSERT INTO thing (id) VALUES (?)", (SECRET,), "datatype mismatch"),
    ]
)
async def test_a_constraint_is_kept(
    db: Database, sql: str, parameters: tuple[Any, ...], words: str
) -> None:
    error = await failure(ConstraintViolation, db.run(sql, *parameters))

    assert words in error.message, error


@case
async def test_sql_in_the_place_of_the_type_is_told(db: Database) -> None:
    swapped: Any = ("SELECT name FROM person", Person)
    for call in (db.first(*swapped), db.all(*swapped), db.run(swapped[1])):
        error = await failure(TypeError, call)
        assert str(error).startswith("the SQL must be a str, given after the row type: not ")


@case
async def test_a_missing_table_says_how_to_make_it(db: Database) -> None:
    error = await failure(MissingTable, db.first(dict, "SELECT * FROM nowhere WHERE a = ?", SECRET))

    assert error.table == "nowhere"
    assert "wrangler d1 execute <BINDING> --local --file=<FILE>" in str(error)
    assert "--remote" in str(error)


@case_for_each(
    [
        ("read", "SELECT absent FROM person WHERE id = ?", (SECRET,), "no such column: absent"),
        ("read by its table", "SELECT p.absent FROM person AS p WHERE ?", (SECRET,), "p.absent"),
        ("changed", "UPDATE person SET absent = ?", (SECRET,), "no such column: absent"),
        ("written", "INSERT INTO person (absent) VALUES (?)", (SECRET,), "no column named absent"),
    ]
)
async def test_a_missing_column_says_how_to_add_it(
    db: Database, sql: str, parameters: tuple[Any, ...], words: str
) -> None:
    batch = [statement("SELECT 1"), statement(sql, *parameters)]
    for call in (db.all(dict, sql, *parameters), db.batch(batch)):
        error = await failure(MissingColumn, call)

        assert words in error.message, error
        assert "wrangler d1 migrations apply <BINDING> --local" in str(error)


@case_for_each([(word, word) for word in ("page", "from", "match", "e", SECRET.replace("-", ""))])
async def test_a_word_of_a_search_is_no_missing_column(db: Database, word: str) -> None:
    await db.run("CREATE VIRTUAL TABLE page USING fts5(title)")
    try:
        for search in ("page WHERE page MATCH ?", "page WHERE page = ?", "page(?)"):
            sql = f"SELECT title FROM {search}"
            error = await failure(DatabaseError, db.all(dict, sql, f"{word}: tea"))
            assert error.message.endswith("no such column: …"), error
        missing = await failure(MissingColumn, db.all(dict, "SELECT absent FROM page"))
    finally:
        await db.run("DROP TABLE page")

    assert "absent" in missing.message


@case_for_each(
    [
        ("a syntax error", "SELEC ?", (SECRET,), "syntax error"),
        ("no such function", "SELECT absent(?)", (SECRET,), "no such function"),
        ("too few parameters", "SELECT ?, ?", (SECRET,), "Wrong number of parameter"),
        ("too many parameters", "SELECT 1", (SECRET,), "Wrong number of parameter"),
        ("a JSON path", "SELECT json_extract('{}', ?) AS a", (SECRET,), "JSON"),
        ("nothing", "", (), "No SQL statements detected"),
        ("a comment", "-- nothing", (), "did not contain a statement"),
        ("a comment after", "SELECT 1; -- nothing", (), "did not contain a statement"),
        ("BEGIN", "BEGIN", (), "state.storage.transaction()"),
        ("commented BEGIN", "/* a */ begin immediate", (), "state.storage.transaction()"),
        ("COMMIT", "COMMIT", (), "state.storage.transaction()"),
        ("ROLLBACK", "ROLLBACK", (), "state.storage.transaction()"),
        ("SAVEPOINT", "SAVEPOINT a", (), "state.storage.transaction()"),
        ("RELEASE", "RELEASE a", (), "state.storage.transaction()"),
        ("ATTACH", "ATTACH ':memory:' AS other", (), "not authorized"),
        ("VACUUM", "VACUUM", (), "VACUUM"),
        ("a temporary table", "CREATE TEMP TABLE t (a)", (), "not authorized"),
        ("power", "SELECT power(2, 3)", (), "function: power"),
        ("log10", "SELECT Log10(2)", (), "unction: "),
        ("the version", "SELECT sqlite_version()", (), "not authorized to use function: "),
        ("FTS4", "CREATE VIRTUAL TABLE t USING fts4(a)", (), "not authorized"),
        ("PRAGMA journal_mode", "PRAGMA journal_mode", (), "not authorized"),
        ("PRAGMA user_version", "PRAGMA user_version = 3", (), "not authorized"),
        ("LIKE of 51 bytes", "SELECT 'a' LIKE ?", (SECRET * 4,), "pattern too complex"),
        ("a compound of six", " UNION ".join(f"SELECT {i}" for i in range(6)), (), "compound"),
        ("101 columns", f"SELECT {', '.join('1' * 101)}", (), "too many columns"),
        ("a deep expression", f"SELECT {'+'.join('1' * 101)}", (), "maximum depth 100"),
        ("?101", "SELECT ?101", (), "between ?1 and ?100"),
        ("SQL of 100,001 bytes", f"SELECT '{'x' * 99_992}'", (), "too long"),
        ("SQL of 100,001 bytes in é", f"SELECT '{'é' * 49_996}'", (), "too long"),
    ]
)
async def test_sql_is_refused(
    db: Database, sql: str, parameters: tuple[Any, ...], words: str
) -> None:
    error = await failure(DatabaseError, db.all(dict, sql, *parameters))

    assert words in error.message, error
    assert error.sql == sql
    assert len(str(error)) < 1000


@case
async def test_a_batch_refuses_a_transaction_inside(db: Database) -> None:
    statements = [statement(ADD_PERSON, "a", "a@x", 1), statement("COMMIT")]

    error = await failure(DatabaseError, db.batch(statements))

    assert "state.storage.transaction()" in error.message
    assert await people(db) == []


@case
async def test_what_ends_the_transaction_of_d1_is_an_outage(db: Database) -> None:
    add = "INSERT OR ROLLBACK INTO thing (id) VALUES (1)"
    await db.run(add)

    alone = await failure(Unavailable, db.run(add))
    await failure(Unavailable, db.batch([statement(ADD_PERSON, "a", "a@x", 1), statement(add)]))

    assert alone.message.startswith("internal error")
    assert await people(db) == []


@case
async def test_a_hundred_parameters_fit_and_one_more_does_not(db: Database) -> None:
    marks = ", ".join("?" * 100)

    row = await db.first(dict, f"SELECT 7 IN ({marks}) AS found", *range(100))
    error = await failure(ParameterError, db.run(f"SELECT 7 IN ({marks}, ?)", *range(101)))

    assert row == {"found": 1}
    assert error.position is None
    assert str(error).startswith("the parameters: 101 given")


@case
async def test_sql_of_a_hundred_thousand_bytes_fits(db: Database) -> None:
    sql = f"SELECT length('{'x' * 99_978}') AS n"

    assert len(sql) == 100_000
    assert await db.first(dict, sql) == {"n": 99_978}


@case
async def test_foreign_keys_cannot_be_turned_off(db: Database) -> None:
    await db.run("PRAGMA foreign_keys = OFF")

    assert await db.first(dict, "PRAGMA foreign_keys") == {"foreign_keys": 1}
    await failure(ForeignKeyViolation, db.run(ADD_KEY, "p", "n", "nobody"))


@case
async def test_a_schema_can_be_looked_at(db: Database) -> None:
    class Column(msgspec.Struct):
        name: str
        notnull: bool
        dflt_value: str | None

    rows = await db.all(Column, "PRAGMA table_info(person)")

    assert rows[-2:] == [Column("age", False, None), Column("active", True, "1")]
