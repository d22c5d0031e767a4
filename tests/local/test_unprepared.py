"""A statement that does not fit schema.sql is told before a request asks for it; a correct one never is."""

from pathlib import Path

import pytest

from framework.local.configuration import read_configuration
from framework.local.program import modules
from framework.local.scope import scopes_of
from framework.local.unprepared import find_unprepared
from tests.local.imported_app import LINES, import_app
from tests.local.test_unbound import AUTH, D1

SCHEMA = "CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT);\n"
LOGS = "CREATE TABLE log (line TEXT);"
TWO = D1 + D1.replace("DB", "LOGS")
ROWS = (
    "from typing import Annotated, Any\nimport msgspec\nfrom framework.database import statement\n"
    "class Note(msgspec.Struct):\n id: int\n title: str\n body: str = ''\n"
    "class Camel(msgspec.Struct, rename='camel'):\n note_id: int\n"
    "class Tagged(msgspec.Struct, tag='note'):\n id: int\n text: str\n"
    "class Unresolved(msgspec.Struct):\n id: 'Missing'\n"
    "LOOSE = Annotated[dict, ['no hash']]\n"
    "TABLE = 'note'\nFIND = f'SELECT id, title FROM {TABLE} '\nWRONG = 'SELECT titel FROM note'\n"
)
HANDLER = "@app.get('/:id')\nasync def show(c: Context, id: int, rest: Query[list[int]]):\n {}"


def found(
    patch: pytest.MonkeyPatch, folder: Path, source: str, settings: str = D1, **schemas: str
) -> list[str]:
    """Return what is told of *source* beside *schemas*, of which ``schema.sql`` is SCHEMA unless given."""
    for name, script in {"schema": SCHEMA, **schemas}.items():
        (folder / f"{name.replace('_', '-')}.sql").write_text(script)
    (folder / "wrangler.toml").write_text(settings)
    app = import_app(patch, folder, source)
    shown = [*modules(folder)]
    known = read_configuration(folder) or {}
    return find_unprepared(shown, scopes_of(shown, app), folder, known)


@pytest.mark.parametrize(
    "asked",
    [
        "first(Note, 'SELECT id, title FROM note WHERE id = ?', id)",
        "first(Note, FIND + 'WHERE id = ?1 OR id = ?1', id)",
        "first(Note, f'{FIND} WHERE id = ?;', id)",
        "all(Note, 'SELECT * FROM note')",
        "all(Note, 'SELECT n.* FROM note n JOIN note m ON m.id = n.id')",
        "all(Note, 'WITH few AS (SELECT * FROM note LIMIT 3) SELECT * FROM few')",
        "all(Note, 'INSERT INTO note (title) VALUES (?) RETURNING *', 'a')",
        "all(Note, 'UPDATE note SET body = ?1 WHERE id = ?2 RETURNING id, title', 'a', id)",
        "all(Note, 'DELETE FROM note RETURNING id, title;')",
        "all(dict, 'SELECT id FROM note')",
        "all(dict[str, Any], 'SELECT id FROM note')",
        "all(Tagged, 'SELECT id FROM note')",
        "all(Camel, 'SELECT id AS noteId FROM note')",
        "all(LOOSE, 'SELECT id FROM note')",
        "first(int, 'SELECT count(*) FROM note -- all')",
        "first(int, 'VALUES (1)')",
        "first(int, 'SELECT 1 FROM json_each(?)', '[]')",
        "run('DELETE FROM note WHERE id = ?', id)",
        "batch([statement('DELETE FROM note WHERE id = ?', id)])",
        "all(dict, 'EXPLAIN QUERY PLAN SELECT id FROM note')",
        "first(str, 'SELECT newer_than_this_sqlite(title) FROM note')",
        "all(Unresolved, 'SELECT id FROM note')",
        "all(Note, 'SELECT ID, Title FROM Note')",
        "all(Note, 'SELECT rowid, title FROM note')",
        "all(dict, '/* why */ EXPLAIN QUERY PLAN SELECT id FROM note')",
        "all(dict, '-- why\\nEXPLAIN SELECT id FROM note')",
        r"run('SELECT \ud800')",
        # not known before a request is there
        "run(f'DELETE FROM note WHERE id IN ({rest})', *rest)",
        "run(f'DELETE FROM note WHERE {id} = 3')",
        "run('DELETE FROM note WHERE id IN (?, ?)', *rest)",
        "run(TABLE.join(['SELECT titel FROM ', '']))",
        "run(f'SELECT {TABLE!r}')",
    ],
)
def test_what_fits_is_not_told(asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = ROWS + HANDLER.format(f"await c.database().{asked}")

    assert found(monkeypatch, tmp_path, source) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("run('DELETE FROM notes')", "no such table: notes (schema.sql), in DELETE FROM notes"),
        ("all(Note, WRONG)", "no such column: titel (schema.sql), in SELECT titel FROM note"),
        (
            "run('UPDATE note SET text = ?', 'a')",
            "no such column: text (schema.sql), in UPDATE note SET text = ?",
        ),
        (
            "run('INSERT INTO note (id, text) VALUES (1, 2)')",
            "table note has no column named text (schema.sql), in INSERT INTO note (id, text) VALUES (1, 2)",
        ),
        (
            "run('INSERT INTO note (id) VALUES (1, 2)')",
            "2 values for 1 columns (schema.sql), in INSERT INTO note (id) VALUES (1, 2)",
        ),
        (
            "run('DELETE note')",
            'near "note": syntax error (schema.sql), in DELETE note',
        ),
        (
            "run('DELETE FROM note WHERE id = ? AND title = ?', id)",
            "2 parameters are given 1 values (schema.sql), in DELETE FROM note WHERE id = ? AND title = ?",
        ),
        (
            "batch([statement('DELETE FROM note WHERE id = 3', id)])",
            "0 parameters are given 1 values (schema.sql), in DELETE FROM note WHERE id = 3",
        ),
        (
            "first(Note, 'SELECT id, body FROM note')",
            "no column is called title, as Note has it (schema.sql), in SELECT id, body FROM note",
        ),
        (
            "all(Camel, 'SELECT id AS note_id FROM note')",
            "no column is called noteId, as Camel has it (schema.sql), in SELECT id AS note_id FROM note",
        ),
        (
            "all(Note, 'INSERT INTO note (title) VALUES (?) RETURNING id', 'a')",
            "no column is called title, as Note has it (schema.sql),"
            " in INSERT INTO note (title) VALUES (?) RETURNING id",
        ),
        (
            "first(int, 'SELECT id, title FROM note')",
            "2 columns are no int (schema.sql), in SELECT id, title FROM note",
        ),
        (
            "run('BEGIN')",
            None,  # in D1's own words
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    asked: str, told: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = ROWS + HANDLER.format(f"db = c.database()\n await db.{asked}")

    faults = found(monkeypatch, tmp_path, source)

    place = f"app.py:{LINES + source.count(chr(10)) + 1}: "
    assert len(faults) == 1
    assert faults[0].startswith(place)
    assert faults[0] == f"{place}{told}" if told else "BEGIN TRANSACTION" in faults[0]


def test_a_statement_may_be_for_any_of_the_databases(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ask = "await c.database('LOGS').run({!r})"
    source = HANDLER.format("\n ".join(map(ask.format, ["DELETE FROM log", "DELETE FROM logs"])))

    told = found(monkeypatch, tmp_path, source, TWO, schema_LOGS=LOGS)

    line = LINES + source.count("\n") + 1
    assert told == [f"app.py:{line}: no such table: logs (schema.sql), in DELETE FROM logs"]


@pytest.mark.parametrize(
    ("before", "settings", "schema"),
    [
        ("", TWO, SCHEMA),  # nothing says which tables LOGS has
        ("MAKE = 'CREATE TABLE IF NOT EXISTS log (line TEXT)'\n", D1, SCHEMA),
        ("", D1, "CREATE TABLE note (id,;"),  # which the local server refuses
        (
            "",
            f"{D1}[env.preview]\n{D1.replace('[[', '[[env.preview.').replace('DB', 'LOGS')}",
            SCHEMA,
        ),
    ],
)
def test_where_the_tables_are_not_known_nothing_is_told(
    before: str, settings: str, schema: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = before + HANDLER.format("await c.database().run('DELETE FROM log')")

    assert found(monkeypatch, tmp_path, source, settings, schema=schema) == []


def test_a_docstring_makes_no_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = HANDLER.format("'Create a note.'\n await c.database().run('DELETE FROM notes')")

    assert len(found(monkeypatch, tmp_path, source)) == 1


def test_a_schema_may_fill_its_tables_in_a_transaction(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    schema = f"{SCHEMA}INSERT INTO note (title) VALUES ('a');BEGIN;DELETE FROM note;COMMIT;"
    source = HANDLER.format("await c.database().run('DELETE FROM notes')")

    assert len(found(monkeypatch, tmp_path, source, schema=schema)) == 1


def test_what_cannot_be_followed_hides_no_other_function(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    circle = "async def turn(db: Database):\n one = two + ''\n two = one + ''\n await db.run(one)\n"
    source = circle + HANDLER.format("await c.database().run('DELETE FROM notes')")

    assert len(found(monkeypatch, tmp_path, source)) == 1


def test_columns_that_the_users_table_lacks_are_told_at_its_auth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    schema = (Path(__file__).parents[2] / "schema.sql").read_text()
    source = AUTH.replace("Auth()", "Auth(user=Person)").replace(
        "auth =",
        "from framework.auth import User\nclass Person(User):\n nickname: str = ''\nauth =",
    )

    told = found(monkeypatch, tmp_path, source, schema=schema)

    line = LINES + 5
    assert all(each.startswith(f"app.py:{line}: ") for each in told)
    assert all("nickname (schema.sql), in " in each for each in told)
    assert len({each.partition(", in ")[0] for each in told}) == len(told) > 0
