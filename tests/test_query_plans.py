"""No statement that we ship reads a whole table: each is found by itself, and explained by SQLite.

They are looked for in all that `framework.auth` and the reference app hold: names, objects with what
they keep, functions with their constants. What is put together when a function is called is asked for
in `put_together`. A text that begins as a statement does and is none has to be a part of one that was
found: so none is forgotten.
"""

import asyncio
import importlib
import pkgutil
import re
import sqlite3
import types
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import framework.auth
import routes
from framework.auth.store import Store
from routes.access import Member

SCHEMA = (Path(__file__).parents[1] / "schema.sql").read_text()
BEGINNING = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|REPLACE INTO) \S")

SCANS: dict[str, str] = {}
"""Statements that may read all of a table, each with its reason."""


class Recorder:
    """Takes statements as a `Database` does, and answers none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def first(self, _type: Any, sql: str, *_values: Any) -> None:
        self.asked.append(sql)


def put_together() -> list[str]:
    """Return the statements that exist only while a function runs."""
    recorder = Recorder()
    store, db = Store(Member), recorder  # a Database as far as these two ask
    asyncio.run(store.update_session(db, "1", {"country": "DE"}, 1))  # type: ignore[arg-type]  # a recorder
    asyncio.run(store.update_session(db, "1", {}, 1))  # type: ignore[arg-type]  # a recorder
    return [*recorder.asked, store.update_user("1", {"username": "a"}).sql]


def modules() -> Iterator[types.ModuleType]:
    for package in (framework.auth, routes):
        yield package
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)
    yield importlib.import_module("app")


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in {"app", "framework", "routes"}


def inside(value: Any) -> Iterator[Any]:
    """Yield what *value* holds, as far as it is ours."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif isinstance(value, types.CodeType):
        yield from value.co_consts
    elif isinstance(value, types.FunctionType):
        yield from (value.__code__, value.__defaults__, value.__kwdefaults__)
        yield from (
            cell.cell_contents for cell in value.__closure__ or () if cell != types.CellType()
        )
    elif isinstance(value, types.MethodType):
        yield from (value.__self__, value.__func__)
    elif isinstance(value, types.ModuleType):
        yield from vars(value).values() if is_ours(value.__name__) else ()
    elif isinstance(value, type):
        yield from vars(value).values() if is_ours(value.__module__) else ()
    elif is_ours(type(value).__module__):
        yield from getattr(value, "__dict__", {}).values()
        slots = [name for each in type(value).__mro__ for name in getattr(each, "__slots__", ())]
        yield from (getattr(value, name, None) for name in slots)


def texts() -> set[str]:
    """Return every text that anything of ours holds."""
    found: set[str] = set()
    seen: dict[int, Any] = {}
    waiting: list[Any] = [*modules(), Store(Member), *put_together()]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.add(value)
        elif id(value) not in seen:
            seen[id(value)] = value
            waiting += inside(value)
    return found


def explain(sql: str) -> list[str]:
    """Return the steps of *sql* on the tables of schema.sql. Raises `sqlite3.Error` for no statement."""
    numbers = [int(number) for number in re.findall(r"\?(\d+)", sql)]
    values: Sequence[None] = [None] * max(numbers, default=sql.count("?"))
    return [step for *_, step in tables().execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@cache
def tables() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    return connection


@cache
def plans() -> dict[str, list[str]]:
    """Return the steps of every statement that was found."""
    found = {}
    for text in filter(BEGINNING.match, texts()):
        with suppress(sqlite3.Error):  # what is none has a test of its own
            found[text] = explain(text)
    return found


def test_every_text_that_begins_like_a_statement_is_one_or_a_part_of_one() -> None:
    known = plans()

    strangers = {
        text
        for text in filter(BEGINNING.match, texts())
        if text not in known and not any(text in statement for statement in known)
    }
    assert strangers == set()


def test_the_statements_are_found_wherever_they_stand() -> None:
    found = list(plans())

    for beginning in (
        "SELECT s.id AS s_id",  # kept by an object
        "UPDATE user SET username = ?2 WHERE id = ?1 RETURNING",  # put together in a function
        "DELETE FROM note WHERE user_id",  # a name in the app
        "SELECT u.id AS user_id, u.email, k.id AS key_id",  # a name, put together
    ):
        assert any(text.startswith(beginning) for text in found), beginning
    assert len(found) >= 50


def test_no_statement_reads_a_whole_table() -> None:
    scans = {
        text: steps
        for text, steps in plans().items()
        if any(re.match("SCAN (?!CONSTANT ROW)", step) for step in steps)
    }

    assert scans.keys() == SCANS.keys(), scans


def test_every_index_is_used() -> None:
    made = tables().execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
    used = {name for steps in plans().values() for name in re.findall("INDEX (\\w+)", str(steps))}

    assert {name for (name,) in made} - used == set()  # each is a row to write, and so to pay for


def test_a_session_is_found_by_its_id_and_its_user_by_theirs() -> None:
    for ids in (["1"], ["1", "2"]):
        steps = explain(Store(Member).find_session(ids).sql)

        assert steps == [
            "SEARCH s USING PRIMARY KEY (id=?)",
            "SEARCH u USING PRIMARY KEY (id=?)",
        ]


@pytest.mark.parametrize(
    ("sql", "scanned"),
    [
        ("SELECT id FROM user WHERE username = ?1", "user"),
        ("DELETE FROM note WHERE title = ?1", "note"),
        ("UPDATE user_session SET country = NULL", "user_session"),
    ],
)
def test_a_scan_would_be_seen(sql: str, scanned: str) -> None:
    assert any(step.startswith(f"SCAN {scanned}") for step in explain(sql))
