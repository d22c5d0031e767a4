"""What is the same over every driver: errors by their words, parameters, rows. Needs no database."""

import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Generic, NewType, NotRequired, Required, TypedDict, TypeVar
from uuid import UUID

import msgspec
import pytest

from framework.database import (
    ConstraintViolation,
    DatabaseError,
    ForeignKeyViolation,
    MissingColumn,
    MissingTable,
    Overloaded,
    ParameterError,
    Result,
    RowMismatch,
    Statement,
    Transient,
    Unavailable,
    UniqueViolation,
    check,
    classify,
    convert_rows,
    decode_rows,
    statement,
)

SQL = "SELECT 1"
SECRET = "hunter2-and-more"


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT", ForeignKeyViolation),
        (
            "Durable Object was reset and rolled back to its last known good state because the"
            " application left the database in a state where constraints were violated: FOREIGN KEY"
            " constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)",
            ForeignKeyViolation,
        ),
        (
            "D1_ERROR: NOT NULL constraint failed: user.id: SQLITE_CONSTRAINT"
            " (extended: SQLITE_CONSTRAINT_NOTNULL)",
            ConstraintViolation,
        ),
        ("NOT NULL constraint failed: user.id", ConstraintViolation),
        ("CHECK constraint failed: age > 0", ConstraintViolation),
        (
            "D1_ERROR: my marker: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)",
            ConstraintViolation,
        ),
        (
            "D1_ERROR: Network connection lost: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)",
            ConstraintViolation,
        ),
        ("D1_ERROR: datatype mismatch: SQLITE_MISMATCH", ConstraintViolation),
        ("D1_ERROR: Network connection lost.", Transient),
        ("Internal error in D1 DB storage caused object to be reset.", Transient),
        (
            "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset",
            Transient,
        ),
        ("D1_ERROR: D1 DB reset because its code was updated.", Transient),
        ("Cannot resolve D1 DB due to transient issue on remote node.", Transient),
        ("Can't read from request stream because client disconnected.", Transient),
        ("D1_ERROR: D1 DB is overloaded. Requests queued for too long.", Overloaded),
        ("D1 DB is overloaded. Too many requests queued.", Overloaded),
        ("D1 DB storage operation exceeded timeout which caused object to be reset.", Overloaded),
        ("D1 DB's isolate exceeded its memory limit and was reset.", Overloaded),
        ("D1 DB exceeded its CPU time limit and was reset.", Overloaded),
        ("D1_ERROR: database is locked: SQLITE_BUSY", Overloaded),
        ("D1_ERROR: database table is locked: SQLITE_LOCKED", Overloaded),
        ("D1_ERROR: internal error; reference = 0u3odos5iotccpol68ppc0eg", Unavailable),
        (
            "D1_ERROR: Your account has exceeded D1's free tier daily row read limit. Upgrade to a paid"
            " plan or wait until tomorrow (midnight UTC) to continue.",
            Unavailable,
        ),
        ("D1_ERROR: Currently processing a long-running import.", Unavailable),
        ("D1_ERROR: Currently processing a long-running export.", Unavailable),
        ("D1_ERROR: Failed to parse body as JSON, got: error code: 1031", Transient),
        (
            "D1_ERROR: Failed to parse body as JSON, got: Error: internal error; reference = abc",
            Unavailable,
        ),
        ("Exceeded maximum DB size", Unavailable),
        ("D1_ERROR: database or disk is full: SQLITE_FULL", Unavailable),
        ("D1_ERROR: attempt to write a readonly database: SQLITE_READONLY", Unavailable),
        ("D1_ERROR: database disk image is malformed: SQLITE_CORRUPT", Unavailable),
        ("D1_ERROR: file is not a database: SQLITE_NOTADB", Unavailable),
        ("D1_ERROR: disk I/O error: SQLITE_IOERR", Unavailable),
        ("D1_ERROR: unable to open database file: SQLITE_CANTOPEN", Unavailable),
        ('D1_ERROR: near "SELEC": syntax error at offset 0: SQLITE_ERROR', DatabaseError),
        ('D1_ERROR: no such column: "is overloaded" at offset 7: SQLITE_ERROR', DatabaseError),
        (
            'D1_ERROR: no such column: "ada" - should this be a string literal in single-quotes?'
            " at offset 31: SQLITE_ERROR",
            DatabaseError,
        ),
        ('D1_EXEC_ERROR: Error in line 1: SELEC: near "SELEC": syntax error', DatabaseError),
        ("D1_COLUMN_NOTFOUND: Column not found (b)", DatabaseError),
        ("D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'", DatabaseError),
        ("D1_ERROR: not authorized: SQLITE_AUTH", DatabaseError),
        ("something nobody has seen", DatabaseError),
        ("", DatabaseError),
    ],
)
def test_the_words_of_an_error_name_its_class(message: str, kind: type[DatabaseError]) -> None:
    assert type(classify(message, SQL)) is kind


@pytest.mark.parametrize(
    ("target", "table", "columns"),
    [
        ("user.email", "user", ("email",)),
        ("key.provider, key.name", "key", ("provider", "name")),
        ("t.a, t.b, t.c", "t", ("a", "b", "c")),
        ("t.odd.name, x", "t", ("odd.name, x",)),
        ("index 'user_email_lower'", "", ()),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        "D1_ERROR: UNIQUE constraint failed: {}: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        "D1_ERROR: UNIQUE constraint failed: {}: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)",
        "Error: D1_ERROR: UNIQUE constraint failed: {}: SQLITE_CONSTRAINT",
        "D1_ERROR: UNIQUE constraint failed: {}",
        "UNIQUE constraint failed: {}",
    ],
)
def test_a_unique_violation_names_what_is_taken(
    words: str, target: str, table: str, columns: tuple[str, ...]
) -> None:
    error = classify(words.format(target), SQL)

    assert isinstance(error, UniqueViolation)
    assert (error.table, error.columns) == (table, columns)


@pytest.mark.parametrize(
    "message",
    [
        "D1_ERROR: no such table: user_key: SQLITE_ERROR",
        "D1_ERROR: no such table: main.user_key: SQLITE_ERROR",
        "no such table: user_key",
        "D1_EXEC_ERROR: Error in line 1: SELECT 1: no such table: user_key: SQLITE_ERROR",
    ],
)
def test_a_missing_table_says_how_to_make_it(message: str) -> None:
    error = classify(message, SQL)

    assert isinstance(error, MissingTable)
    assert error.table == "user_key"
    assert "wrangler d1 execute <BINDING> --local --file=<FILE>" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "D1_ERROR: no such column: age: SQLITE_ERROR",
        "D1_ERROR: no such column: u.age at offset 7: SQLITE_ERROR",
        "no such column: is overloaded",
        "D1_ERROR: table user has no column named age: SQLITE_ERROR",
        "D1_ERROR: table user has no column named age at offset 18: SQLITE_ERROR",
        "D1_EXEC_ERROR: Error in line 1: SELECT age: no such column: age: SQLITE_ERROR",
    ],
)
def test_a_missing_column_says_how_to_add_it(message: str) -> None:
    sql = "SELECT u.Age, [is overloaded] FROM user AS u"
    error = classify(message, sql)

    assert isinstance(error, MissingColumn)
    assert str(error).startswith(f"{message} [{sql}]. ")
    assert "wrangler d1 migrations apply <BINDING> --local" in str(error)


@pytest.mark.parametrize(
    ("name", "sql", "is_column"),
    [
        ("user.age at offset 7", 'SELECT "user"."age" FROM "user"', True),
        ("age at offset 7", "SELECT age FROM page WHERE page MATCH ?", True),
        ("page", "SELECT title FROM page WHERE page MATCH ?", False),
        ("e", "SELECT title FROM page(?)", False),
        ("from", "SELECT title FROM page(?)", False),
        ("title", 'SELECT title FROM "page" (?)', False),
        ("from", "SELECT title FROM page WHERE page = ?", False),
        ("title", "SELECT title FROM user u JOIN page p ON 1 WHERE\n p.page=? AND u.id = ?", False),
        ("age", "SELECT age FROM page WHERE page.title = ?", True),
        ("age", "SELECT age FROM match WHERE match.id = ?", True),
        ("title", 'SELECT title FROM "page" WHERE "page" = ?', False),
        ("title", 'SELECT title FROM "page" AS p WHERE p."page" = ?', False),
        ("age", "SELECT age FROM note JOIN user ON note.user = user.id", True),
        ("age", 'SELECT age FROM note JOIN "user" ON note."user" = "user"."id"', True),
        ("age", "SELECT age FROM user JOIN note n ON n.user = user.id WHERE (n.user = ?)", True),
        ("age", "SELECT age FROM note_tag WHERE note = ? AND n = ?", True),
        ("age", "SELECT age FROM note WHERE id IN (SELECT value FROM json_each(?))", True),
    ],
)
def test_a_column_is_missing_where_the_sql_names_it(name: str, sql: str, is_column: bool) -> None:
    error = classify(f"D1_ERROR: no such column: {name}: SQLITE_ERROR", sql)

    assert type(error) is (MissingColumn if is_column else DatabaseError)


@pytest.mark.parametrize(
    "message",
    [
        f"D1_TYPE_ERROR: Type 'bigint' not supported for value '{SECRET}'",
        f"D1_ERROR: bad JSON path: '{SECRET}': SQLITE_ERROR",
        f"D1_ERROR: JSON path error near '{SECRET}': SQLITE_ERROR",
        f"D1_ERROR: malformed MATCH expression: [{SECRET}]: SQLITE_ERROR",
        f'D1_ERROR: fts5: syntax error near "{SECRET}": SQLITE_ERROR',
        f"Could not decode to UTF-8 column 'a' with text '{SECRET}'",
        f'D1_ERROR: Failed to parse body as JSON, got: [{{"results":[{{"a":"{SECRET}"',
        f"D1_ERROR: no such column: {SECRET}: SQLITE_ERROR",  # a word of a full-text query
    ],
)
def test_a_message_that_shows_a_value_is_cut(message: str) -> None:
    error = classify(message, SQL)

    assert SECRET not in f"{error} {error!r} {error.message}"
    assert error.message != message


def test_an_error_shows_its_sql_and_not_all_of_it() -> None:
    error = classify("D1_ERROR: incomplete input: SQLITE_ERROR", "SELECT " + "x" * 10_000)

    assert str(error).startswith("D1_ERROR: incomplete input: SQLITE_ERROR [SELECT xxx")
    assert len(str(error)) < 600
    assert len(error.sql) == 10_007


@pytest.mark.parametrize(
    "message",
    [
        "D1_ERROR: database is locked: SQLITE_BUSY",
        "D1_ERROR: UNIQUE constraint failed: index 'user_email_lower': SQLITE_CONSTRAINT",
        'D1_ERROR: no such column: "ada" - should this be a string literal in single-quotes?'
        " at offset 31: SQLITE_ERROR",
    ],
)
def test_an_error_says_what_the_database_said_and_of_which_sql(message: str) -> None:
    error = classify(message, SQL)

    assert (error.message, error.sql) == (message, SQL)
    assert str(error) == f"{message} [{SQL}]"
    assert str(classify(message, "")) == message


def test_what_is_down_can_be_told_from_what_is_refused() -> None:
    for down in (Transient, Overloaded, MissingTable, MissingColumn):
        assert issubclass(down, Unavailable)
    for refused in (UniqueViolation, ForeignKeyViolation):
        assert issubclass(refused, ConstraintViolation)
        assert not issubclass(refused, Unavailable)
    assert not issubclass(ParameterError, DatabaseError)


# --- Parameters -----------------------------------------------------------------------------------


def test_plain_parameters_are_bound_as_they_are() -> None:
    parameters = ("text", 1, None)

    assert check(SQL, parameters) is parameters


def test_parameters_are_bound_in_few_types() -> None:
    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "hidden"

    bound = check(
        SQL,
        (
            True,
            0.5,
            "é",
            Text("t"),
            b"b",
            bytearray(b"c"),
            memoryview(b"d"),
            datetime(2026, 1, 1, tzinfo=UTC),
        ),
    )

    assert bound == [1, 0.5, "é", "t", b"b", b"c", b"d", 1_767_225_600_000]
    assert [type(value) for value in bound] == [int, float, str, str, bytes, bytes, bytes, int]


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), float("nan"), float("-inf"), "\ud800", object(), datetime(2026, 1, 1)],
)
def test_a_refused_parameter_is_named_by_its_place(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"^parameter 3: ") as caught:
        check(SQL, (1, SECRET, value))

    assert caught.value.position == 3
    assert caught.value.__context__ is None
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_long_statement_is_cut_alike_in_all_errors() -> None:
    sql = f"SELECT {'1, ' * 500}?1"

    with pytest.raises(ParameterError) as caught:
        check(sql, [float("nan")])

    assert str(caught.value).endswith(f" [{sql[:500]}…]")
    assert str(DatabaseError("no such function", sql)).endswith(f" [{sql[:500]}…]")


@pytest.mark.parametrize("value", [(1, 2), [1], {1}, frozenset()])
def test_a_list_is_refused_with_the_way_to_pass_one(value: Any) -> None:
    with pytest.raises(ParameterError, match="one \\? for each item"):
        check(SQL, (value,))


def test_sql_is_measured_in_bytes() -> None:
    check("é" * 50_000, ())
    with pytest.raises(DatabaseError, match="too long"):
        check("é" * 50_000 + "x", ())
    with pytest.raises(DatabaseError, match="surrogate"):
        check("SELECT '\ud800'", ())


def test_a_statement_hides_its_parameters() -> None:
    made = statement("SELECT ?, ?", SECRET, 1)

    assert made == Statement("SELECT ?, ?", (SECRET, 1))
    assert repr(made) == "Statement('SELECT ?, ?', 2 parameters)"
    assert str(made) == repr(made)


# --- Rows -----------------------------------------------------------------------------------------


class Flat(msgspec.Struct):
    a: int
    b: str = "default"


class Rich(msgspec.Struct):
    blob: bytes | None
    when: datetime
    on: bool


def test_a_row_is_the_same_from_json_and_from_values() -> None:
    json = '[{"blob":[0,255],"when":1767225600000,"on":1},{"blob":null,"when":0,"on":0}]'
    values: list[list[Any]] = [[b"\x00\xff", 1_767_225_600_000, 1], [None, 0, 0]]

    decoded = decode_rows(Rich, json, SQL)

    assert decoded == convert_rows(Rich, ["blob", "when", "on"], values, SQL)
    assert decoded[0] == Rich(b"\x00\xff", datetime(2026, 1, 1, tzinfo=UTC), True)


class Priced(msgspec.Struct):
    id: UUID
    price: Decimal
    tax: Decimal
    day: date
    opens: time | None


def test_what_has_no_type_of_its_own_is_the_same_from_json_and_from_values() -> None:
    id = "0b8e3f54-6b2f-4a37-9f2b-6b0c2f6f0a11"
    json = f'[{{"id":"{id}","price":"19.90","tax":1.5,"day":"2026-01-31","opens":"09:30:00"}}]'
    values = [[id, "19.90", 1.5, "2026-01-31", "09:30:00"]]

    decoded = decode_rows(Priced, json, SQL)

    assert decoded == convert_rows(Priced, list(Priced.__struct_fields__), values, SQL)
    row = Priced(UUID(id), Decimal("19.90"), Decimal("1.5"), date(2026, 1, 31), time(9, 30))
    assert decoded == [row]
    bound = check(SQL, (row.id, row.price, row.day, row.opens))
    assert bound == [id, "19.90", "2026-01-31", "09:30:00"]


def test_rows_come_as_text_bytes_or_raw() -> None:
    for source in ('[{"a":1}]', b'[{"a":1}]', msgspec.Raw(b'[{"a":1}]')):
        assert decode_rows(Flat, source, SQL) == [Flat(1)]


def from_json(kind: Any, value: Any) -> list[Any]:
    return decode_rows(kind, msgspec.json.encode([{"a": value}]), SQL)


def from_values(kind: Any, value: Any) -> list[Any]:
    return convert_rows(kind, ["a"], [[value]], SQL)


@pytest.mark.parametrize("read", [from_json, from_values])
@pytest.mark.parametrize("kind", [int, bool, bytes, datetime, float])
def test_a_mismatch_never_shows_the_value(read: Callable[[Any, Any], list[Any]], kind: Any) -> None:
    row = msgspec.defstruct("Row", [("a", kind)])

    with pytest.raises(RowMismatch, match=r"does not fit Row: .*`\$\[0\]\.a`") as caught:
        read(row, SECRET)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.sql == SQL


def test_text_is_neither_base64_nor_a_date() -> None:
    for kind, value in ((bytes, "QUJD"), (datetime, "2026-01-01T00:00:00Z")):
        row = msgspec.defstruct("Row", [("a", kind)])
        for read in (from_json, from_values):
            with pytest.raises(RowMismatch, match="got `str`"):
                read(row, value)


@pytest.mark.parametrize("read", [from_json, from_values])
def test_text_is_no_number(read: Callable[[Any, Any], list[Any]]) -> None:
    with pytest.raises(RowMismatch, match="got `str`"):
        read(Flat, "5")


class Event(msgspec.Struct):
    on: bool
    ends: datetime | None = None
    seats: int | None = None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ends", "1"),
        ("ends", "2026-01-01T00:00:00Z"),
        ("ends", 1.5),
        ("ends", "null"),
        ("seats", "5"),
        ("seats", "null"),
        ("on", "true"),
        ("on", 2),
    ],
)
def test_a_bool_makes_no_other_column_lax(column: str, value: Any) -> None:
    row = {"on": 1, "ends": 0, "seats": 5, column: value}

    with pytest.raises(RowMismatch, match=rf"`\$\[0\]\.{column}`"):
        decode_rows(Event, msgspec.json.encode([row]), SQL)
    with pytest.raises(RowMismatch, match=rf"`\$\[0\]\.{column}`"):
        convert_rows(Event, list(row), [list(row.values())], SQL)


class Mixed(msgspec.Struct):
    blob: bytes
    count: int | bool = 1
    rate: float | bool = 1.0
    any: Any = 1


def test_a_one_is_true_only_where_nothing_but_a_bool_fits() -> None:
    [row] = decode_rows(Mixed, '[{"blob":[],"count":1,"rate":1,"any":1}]', SQL)

    assert convert_rows(Mixed, ["blob", "count", "rate", "any"], [[b"", 1, 1.0, 1]], SQL) == [row]
    assert repr(row) == repr(Mixed(b""))


Content = TypeVar("Content")


class Holder(msgspec.Struct, Generic[Content]):
    a: Content


class Opaque(msgspec.Struct):
    a: object


class Anything(msgspec.Struct):
    a: Any


class Writable(msgspec.Struct):
    a: bytearray


class View(msgspec.Struct):
    a: memoryview


@pytest.mark.parametrize("kind", [Holder, Holder[bytes], Opaque, Anything, Writable, View])
def test_a_blob_is_bytes_wherever_it_fits(kind: Any) -> None:
    for rows in (from_json(kind, [0, 255]), from_values(kind, b"\0\xff")):
        assert rows == [kind(b"\0\xff")]


@pytest.mark.parametrize("kind", [dict, Any, dict[str, Any], Mapping[str, Any]])
def test_a_blob_is_bytes_where_no_column_is_named(kind: Any) -> None:
    for rows in (from_json(kind, [0, 255]), from_values(kind, b"\0\xff")):
        assert rows == [{"a": b"\0\xff"}]


@dataclass
class Plain:
    blob: bytes
    when: datetime


class Partial(TypedDict):
    blob: NotRequired[bytes]
    when: Required[datetime]


class Bounded(msgspec.Struct):
    blob: Annotated[bytes, msgspec.Meta(max_length=2)]
    when: Annotated[datetime, msgspec.Meta(tz=True)]


class Renamed(msgspec.Struct, rename={"content": "blob"}):
    content: bytes
    when: datetime


Again = NewType("Again", Plain)


@pytest.mark.parametrize("kind", [Plain, Partial, Bounded, Renamed, Again])
def test_a_blob_and_a_time_are_read_into_each_kind_of_class(kind: Any) -> None:
    [row] = decode_rows(kind, '[{"blob":[0,255],"when":0}]', SQL)

    assert convert_rows(kind, ["blob", "when"], [[b"\0\xff", 0]], SQL) == [row]
    assert msgspec.to_builtins(row, builtin_types=(bytes, datetime)) == {
        "blob": b"\0\xff",
        "when": datetime(1970, 1, 1, tzinfo=UTC),
    }


Digest = NewType("Digest", bytes)
Moment = NewType("Moment", datetime)
DeepDigest = NewType("DeepDigest", Digest)
DeepMoment = NewType("DeepMoment", Moment)


def test_a_name_for_a_name_is_what_it_names() -> None:
    class Named(msgspec.Struct):
        digest: DeepDigest
        when: DeepMoment | None

    [row] = decode_rows(Named, '[{"digest":[1],"when":0}]', SQL)

    assert (row.digest, row.when) == (b"\1", datetime(1970, 1, 1, tzinfo=UTC))


def test_a_check_of_the_struct_may_not_speak() -> None:
    class Picky(msgspec.Struct):
        a: str

        def __post_init__(self) -> None:
            raise ValueError(f"{self.a} is not good")

    for read in (from_json, from_values):
        with pytest.raises(RowMismatch) as caught:
            read(Picky, SECRET)
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_json_that_is_not_rows_is_a_mismatch() -> None:
    for text in ("{", '[{"a":', '["\\ud800"]', '["\ud800"]', "3"):
        for kind in (Flat, dict):
            with pytest.raises(RowMismatch):
                decode_rows(kind, text, SQL)


def test_a_result_reads_its_rows_as_asked() -> None:
    result = Result(2, lambda kind: decode_rows(kind, '[{"a":1},{"a":2}]', SQL))

    assert result.changes == 2
    assert result.rows(Flat) == [Flat(1), Flat(2)]
    assert result.first(dict) == {"a": 1}
    assert Result(0, lambda _: []).first(Flat) is None


def test_the_import_is_lean() -> None:
    """What a cold start pays: nothing that `msgspec` and `typing` do not bring already."""
    code = (
        "import sys, typing, datetime, msgspec; before = set(sys.modules); import framework.database_errors;"
        "import framework.database_values, framework.database_rows;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert not {"asyncio", "dataclasses", "inspect", "logging"} & set(printed.split())
