"""The bindings come from the project's files, and the tables from its schema."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framework.bindings import Bindings, read_bindings
from framework.errors import ConfigurationError
from framework.local.environment import EnvironmentProblem, close_environment, make_environment
from framework.local.mail import ConsoleMail
from framework.local.rate_limit import LocalRateLimiter
from framework.local.sqlite import SQLiteDatabase

DB = '[[d1_databases]]\nbinding = "DB"\n'
SCHEMA = "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY);\n"


def make(root: Path) -> tuple[dict[str, object], list[str]]:
    """Return the bindings of *root*, its databases closed again."""
    env, notes = make_environment(root, root / "data" / "dev.sqlite3")
    close_environment(env)
    return env, notes


def tables(path: Path) -> set[str]:
    """Return the names of the tables in *path*."""
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], "there is no wrangler.toml"),
        (["wrangler.jsonc"], "wrangler.jsonc is not read, only wrangler.toml is"),
        (["wrangler.jsonc", "wrangler.json"], "wrangler.json is not read, only wrangler.toml is"),
    ],
)
def test_without_settings_there_is_a_database_and_it_is_said(
    tmp_path: Path, files: list[str], reason: str
) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")

    env, notes = make(tmp_path)

    path = tmp_path / "data/dev.sqlite3"
    assert set(env) == {"DB", "EMAIL"}
    assert notes == [f"{reason}: the binding DB is {path}, as if [[d1_databases]] named it"]


def test_settings_without_a_database_bind_none(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").touch()
    (tmp_path / "schema.sql").write_text(SCHEMA)

    env, notes = make(tmp_path)

    assert set(env) == {"EMAIL"}
    assert notes == []
    assert not (tmp_path / "data").exists()


def test_it_is_said_where_wrangler_reads_another_file(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").touch()
    (tmp_path / "wrangler.jsonc").touch()

    assert make(tmp_path)[1] == [
        "wrangler reads wrangler.jsonc before wrangler.toml, and Kagari does not: keep one of them"
    ]


ELSEWHERE = """
vars = { AI = "a variable of that name" }
[[kv_namespaces]]
binding = "CACHE"
[[r2_buckets]]
binding = "FILES"
[ai]
binding = "AI"
[[queues.producers]]
queue = "mails"
binding = "MAILS"
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[observability]
enabled = true
[assets]
directory = "public"
[env.staging.browser]
binding = "BROWSER"
"""


def test_a_binding_that_only_the_worker_has_is_named_with_its_table(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(ELSEWHERE)

    env, notes = make(tmp_path)

    assert notes == [
        "not on the local server: CACHE ([[kv_namespaces]]), FILES ([[r2_buckets]]), MAILS"
        " ([[queues.producers]]), ROOM ([[durable_objects.bindings]]), the files in public ([assets]);"
        " make worker has what wrangler.toml binds"
    ]
    assert env["AI"] == "a variable of that name"


@pytest.mark.parametrize("assets", ['assets = "public"', "[assets]\nhtml_handling = 'none'", ""])
def test_nothing_is_said_of_static_files_where_no_folder_of_them_is_named(
    assets: str, tmp_path: Path
) -> None:
    (tmp_path / "wrangler.toml").write_text(f"{assets}\n")

    assert make(tmp_path)[1] == []


WHY = (
    "wrangler.toml binds CACHE under [[kv_namespaces]], which the local server does not have:"
    " make worker serves with it"
)


class Needed(Bindings):
    """What the worker has, what it lacks, and what may be missing."""

    CACHE: Any
    API_KEY: str
    FILES: Any = None


class Stored(Bindings):
    """A text that is bound as something else."""

    CACHE: str


def elsewhere(root: Path, **variables: object) -> dict[str, object]:
    """Return the bindings of a project that has most of them in the Worker alone."""
    (root / "wrangler.toml").write_text(ELSEWHERE)
    env, _ = make(root)
    env.update(variables)
    return env


def test_what_is_missing_is_told_with_its_own_remedy(tmp_path: Path) -> None:
    env = elsewhere(tmp_path)

    with pytest.raises(KeyError, match=r"under .*kv_namespaces.*, which the local server does not"):
        env["CACHE"]
    with pytest.raises(
        ConfigurationError, match=r"^Needed: API_KEY is missing: see wrangler\.toml"
    ):
        read_bindings(Needed, env)
    with pytest.raises(
        ConfigurationError, match=f"^{re.escape(f'Stored: CACHE is missing: {WHY}')}$"
    ):
        read_bindings(Stored, env)


@pytest.mark.parametrize(
    "use",
    [
        lambda cache: cache.get("a"),
        lambda cache: cache.get,
        lambda cache: cache["a"],
        lambda cache: cache("a"),
        lambda cache: list(cache),
        lambda cache: "a" in cache,
        lambda cache: cache._binding,
    ],
    ids=["method", "attribute", "item", "call", "iteration", "containment", "private"],
)
def test_what_only_the_worker_has_raises_when_it_is_used(
    tmp_path: Path, use: Callable[[Any], object]
) -> None:
    bound = read_bindings(Needed, elsewhere(tmp_path, API_KEY="a"))

    with pytest.raises(ConfigurationError, match=f"^{re.escape(WHY)}$"):
        use(bound.CACHE)


def test_what_only_the_worker_has_is_in_nobodys_way(tmp_path: Path) -> None:
    env = elsewhere(tmp_path, API_KEY="a")

    bound = read_bindings(Needed, env)

    assert bound.API_KEY == "a"
    assert bound.FILES is None  # it has a default, which says that it may be missing
    assert repr(bound.CACHE) == (
        "<CACHE of [[kv_namespaces]], which the local server does not have>"
    )
    assert not hasattr(bound.CACHE, "__await__")
    env["CACHE"] = 1
    assert read_bindings(Needed, env).CACHE == 1


def test_mail_is_printed_under_each_name(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text('[[send_email]]\nname = "POST"\n[vars]\nEMAIL = "a"')

    env, _ = make(tmp_path)

    assert isinstance(env["POST"], ConsoleMail)
    assert env["EMAIL"] == "a"


def test_databases_are_bound_as_wrangler_binds_them(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "wrangler.toml").write_text(
        '[[d1_databases]]\nbinding = "MAIN"\n[[d1_databases]]\nbinding = "LOGS"\n'
    )

    env, _ = make(tmp_path)

    assert list(env) == ["EMAIL", "MAIN", "LOGS"]
    assert tables(tmp_path / "data/dev.sqlite3") == {"note"}
    assert tables(tmp_path / "data/dev-LOGS.sqlite3") == set()


def test_a_further_database_has_a_schema_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "schema-LOGS.sql").write_text(SCHEMA.replace("note", "line"))
    (tmp_path / "wrangler.toml").write_text(
        '[[d1_databases]]\nbinding = "DB"\n[[d1_databases]]\nbinding = "LOGS"\n'
    )
    main, logs = tmp_path / "data/dev.sqlite3", tmp_path / "data/dev-LOGS.sqlite3"

    assert make(tmp_path)[1] == [
        f"{main} made from schema.sql",
        f"{logs} made from schema-LOGS.sql",
    ]
    assert make(tmp_path)[1] == []
    assert (tables(main), tables(logs)) == ({"note"}, {"line"})


def test_local_variables_stand_above_those_of_wrangler(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text("[vars]\nA = 'a'\nB = 'b'\n")
    (tmp_path / ".dev.vars").write_text("# C=c\n\nexport B = \"x y\" \nD='a=b'\nE=\n")

    env, _ = make(tmp_path)

    del env["EMAIL"]
    assert env == {"A": "a", "B": "x y", "D": "a=b", "E": ""}


def test_the_schema_is_applied_once(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(DB)
    (tmp_path / "schema.sql").write_text(SCHEMA.replace(" IF NOT EXISTS", ""))
    path = tmp_path / "data/dev.sqlite3"

    assert make(tmp_path)[1] == [f"{path} made from schema.sql"]
    assert make(tmp_path)[1] == []
    assert tables(path) == {"note"}


def test_new_tables_come_with_a_changed_schema(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(DB)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    make(tmp_path)
    (tmp_path / "schema.sql").write_text(SCHEMA + SCHEMA.replace("note", "tag"))

    notes = make(tmp_path)[1]

    assert tables(tmp_path / "data/dev.sqlite3") == {"note", "tag"}
    assert "new tables were created" in notes[0]
    assert make(tmp_path)[1] == []


def test_a_schema_that_does_not_apply_any_more_is_told_each_time(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(DB)
    schema = SCHEMA.replace(" IF NOT EXISTS", "")
    (tmp_path / "schema.sql").write_text(schema)
    make(tmp_path)
    (tmp_path / "schema.sql").write_text(schema + SCHEMA.replace("note", "tag"))

    for _ in range(2):
        notes = make(tmp_path)[1]
        assert "does not apply" in notes[0]
        assert "To start afresh" in notes[0]
    assert tables(tmp_path / "data/dev.sqlite3") == {"note"}


class Impatient(SQLiteDatabase):
    """A database that waits for nobody."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, busy_timeout=0)


def test_a_schema_waits_for_who_writes_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrangler.toml").write_text(DB)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    make(tmp_path)
    (tmp_path / "schema.sql").write_text(SCHEMA + SCHEMA.replace("note", "tag"))
    monkeypatch.setattr("framework.local.environment.SQLiteDatabase", Impatient)
    path = tmp_path / "data/dev.sqlite3"

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        notes = make(tmp_path)[1]

    said = "is in use by another program: schema.sql, which has changed, waits"
    assert notes == [f"{path} {said}"]


TEAM = "CREATE TABLE IF NOT EXISTS team (id INTEGER PRIMARY KEY, name TEXT);\n"
COLORED = TEAM.replace("name TEXT", "name TEXT, color TEXT NOT NULL DEFAULT 'red', motto TEXT")
LACKS = "schema.sql has team.color, team.motto, and {path} has not: ALTER TABLE adds columns."


def change(root: Path, before: str, after: str) -> tuple[Path, list[str]]:
    """Return a database made from one schema and then met with another, and what is said of it."""
    (root / "wrangler.toml").write_text(DB)
    (root / "schema.sql").write_text(before)
    make(root)
    (root / "schema.sql").write_text(after)
    return root / "data/dev.sqlite3", make(root)[1]


def run(path: Path, script: str) -> None:
    """Run *script* on the file *path*, as sqlite3 does on the command line."""
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def test_a_column_that_the_file_lacks_is_told_until_it_is_there(tmp_path: Path) -> None:
    path, first = change(tmp_path, TEAM, COLORED)
    lacks, afresh = LACKS.format(path=path), f"To start afresh, stop the server and remove {path}"

    assert first == [
        "schema.sql has changed: new tables were created, changed ones were left as they are."
        f" {lacks} {afresh}"
    ]
    assert make(tmp_path)[1] == make(tmp_path)[1] == [f"{lacks} {afresh}"]
    run(path, "ALTER TABLE team ADD COLUMN color TEXT; ALTER TABLE team ADD COLUMN motto TEXT")
    assert make(tmp_path)[1] == []


def test_a_column_that_keeps_a_schema_from_applying_is_named(tmp_path: Path) -> None:
    index = "CREATE INDEX IF NOT EXISTS colors ON team (color);\n"

    path, notes = change(tmp_path, TEAM, COLORED + SCHEMA + index)

    assert re.search(r"does not apply to .*: .*no such column: color", notes[0])
    assert f"schema.sql has team.color, team.motto, note, and {path} has not" in notes[0]
    assert tables(path) == {"team"}


def test_a_table_that_somebody_dropped_is_told(tmp_path: Path) -> None:
    path, _ = change(tmp_path, TEAM, TEAM)
    run(path, "DROP TABLE team; CREATE TABLE other (id)")

    assert make(tmp_path)[1][0].startswith(f"schema.sql has team, and {path} has not")


@pytest.mark.parametrize(
    "after",
    [
        TEAM.replace("name", "NAME").replace("team", "Team"),
        TEAM.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT"),
        TEAM.replace(", name TEXT", ""),
        TEAM + "CREATE VIEW IF NOT EXISTS names AS SELECT name AS title FROM team;",
        TEAM + "INSERT INTO elsewhere VALUES (1);",
    ],
    ids=["case", "sequence", "fewer", "view", "not on its own"],
)
def test_no_column_is_told_that_the_file_has(tmp_path: Path, after: str) -> None:
    before = TEAM + "CREATE TABLE IF NOT EXISTS elsewhere (id INTEGER);"

    _, notes = change(tmp_path, before, after)

    assert "has not" not in notes[0]
    assert make(tmp_path)[1] == []


def test_a_generated_column_is_one(tmp_path: Path) -> None:
    generated = TEAM.replace("name TEXT", "name TEXT, size INTEGER AS (length(name))")

    path, notes = change(tmp_path, TEAM, generated)

    assert f"schema.sql has team.size, and {path} has not" in notes[0]
    path.unlink()
    assert make(tmp_path)[1] == [f"{path} made from schema.sql"]
    assert make(tmp_path)[1] == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("schema.sql", "CREATE TABEL x;", r"schema\.sql: .*syntax error"),
        ("wrangler.toml", "vars =", r"wrangler\.toml can't be read: "),
        ("wrangler.toml", '[[ratelimits]]\nname = "L"', r"wrangler\.toml: .*ratelimits"),
        ("wrangler.toml", 'ratelimits = ["L"]', r"wrangler\.toml: .*ratelimits"),
        ("schema.sql", "-- \xff", r"schema\.sql can't be read: .*utf-8"),
        (".dev.vars", "A=\xff", r"\.dev\.vars can't be read: .*utf-8"),
        (".dev.vars", "A=a\n\nB\n", r"^\.dev\.vars:3: write NAME=value, or # before what is none$"),
        ("wrangler.toml", "[[d1_database]]", r"wrangler\.toml: .*d1_databases"),
        ("data", "a file, no folder", "data"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, "latin-1")

    with pytest.raises(EnvironmentProblem, match=message):
        make(tmp_path)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::/64", ""])
async def test_rate_limiters_are_bound_as_wrangler_binds_them(tmp_path: Path, address: str) -> None:
    (tmp_path / "wrangler.toml").write_text(
        '[[ratelimits]]\nname = "LIMITER"\nnamespace_id = "1"\nsimple = { limit = 2, period = 60 }'
    )
    env, _ = make_environment(tmp_path, tmp_path / "dev.sqlite3")
    close_environment(env)

    outcomes = [await env["LIMITER"].allows(address) for _ in range(3)]

    assert outcomes == [True, True, False]
    assert await env["LIMITER"].allows("another") is True


@pytest.mark.parametrize(
    ("later", "outcomes"),
    [(0, [False, False]), (9.9, [False, False]), (10, [True, False]), (100, [True, False])],
)
async def test_a_limiter_begins_anew_when_its_window_ends(
    later: float, outcomes: list[bool]
) -> None:
    now = 5.0
    limiter = LocalRateLimiter(1, 10, clock=lambda: now)
    first = await limiter.allows("a")

    now += later

    assert [first, await limiter.allows("a"), await limiter.allows("a")] == [True, *outcomes]
