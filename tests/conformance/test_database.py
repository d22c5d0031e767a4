"""SQLite behaves as the conformance suite says. D1 is asked the same in `tests/wasm`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.local.sqlite import SQLiteDatabase

from .database_cases import CASES, SCHEMA


@pytest.fixture(params=["memory", "file"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLiteDatabase]:
    database = SQLiteDatabase(":memory:" if request.param == "memory" else tmp_path / "test.db")
    database.apply_schema(";\n".join(SCHEMA))
    yield database
    database.close()


@pytest.mark.parametrize("name", CASES)
async def test_sqlite(name: str, database: SQLiteDatabase) -> None:
    await CASES[name](database)
