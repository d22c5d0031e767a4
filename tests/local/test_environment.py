"""The bindings come from the project's files, and the tables from its schema."""

import sqlite3
from pathlib import Path

import pytest

from framework.local.environment import EnvironmentProblem, close_environment, make_environment
from framework.local.rate_limit import LocalRateLimiter

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


def test_a_project_without_files_has_a_database(tmp_path: Path) -> None:
    env, notes = make(tmp_path)

    assert list(env) == ["DB"]
    assert notes == []


def test_databases_are_bound_as_wrangler_binds_them(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "wrangler.toml").write_text(
        '[[d1_databases]]\nbinding = "MAIN"\n[[d1_databases]]\nbinding = "LOGS"\n'
    )

    env, _ = make(tmp_path)

    assert list(env) == ["MAIN", "LOGS"]
    assert tables(tmp_path / "data/dev.sqlite3") == {"note"}
    assert tables(tmp_path / "data/dev-LOGS.sqlite3") == set()


def test_local_variables_stand_above_those_of_wrangler(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text("[vars]\nA = 'a'\nB = 'b'\n")
    (tmp_path / ".dev.vars").write_text("# C=c\n\nexport B = \"x y\" \nD='a=b'\nnothing\nE=\n")

    env, _ = make(tmp_path)

    del env["DB"]
    assert env == {"A": "a", "B": "x y", "D": "a=b", "E": ""}


def test_the_schema_is_applied_once(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA.replace(" IF NOT EXISTS", ""))
    path = tmp_path / "data/dev.sqlite3"

    assert make(tmp_path)[1] == [f"{path} made from schema.sql"]
    assert make(tmp_path)[1] == []
    assert tables(path) == {"note"}


def test_new_tables_come_with_a_changed_schema(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    make(tmp_path)
    (tmp_path / "schema.sql").write_text(SCHEMA + SCHEMA.replace("note", "tag"))

    notes = make(tmp_path)[1]

    assert tables(tmp_path / "data/dev.sqlite3") == {"note", "tag"}
    assert "what is new in it was made" in notes[0]
    assert make(tmp_path)[1] == []


def test_a_schema_that_does_not_apply_any_more_is_told_each_time(tmp_path: Path) -> None:
    schema = SCHEMA.replace(" IF NOT EXISTS", "")
    (tmp_path / "schema.sql").write_text(schema)
    make(tmp_path)
    (tmp_path / "schema.sql").write_text(schema + SCHEMA.replace("note", "tag"))

    for _ in range(2):
        notes = make(tmp_path)[1]
        assert "does not apply" in notes[0]
        assert "To start afresh" in notes[0]
    assert tables(tmp_path / "data/dev.sqlite3") == {"note"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("schema.sql", "CREATE TABEL x;", r"schema\.sql: .*syntax error"),
        ("wrangler.toml", "vars =", r"wrangler\.toml: "),
        ("wrangler.toml", '[[ratelimits]]\nname = "L"', r"wrangler\.toml: .*ratelimits"),
        ("wrangler.toml", 'ratelimits = ["L"]', r"wrangler\.toml: .*ratelimits"),
        ("data", "a file, no folder", "data"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)

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
