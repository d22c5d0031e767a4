"""The store that ships behaves on SQLite as the suite says. D1 is asked the same in `tests/wasm`."""

from collections.abc import Iterator

import pytest

from framework.local.sqlite import SQLiteDatabase

from .storage_cases import LUCIAS, SCHEMA, STORAGE_CASES


@pytest.fixture
def database() -> Iterator[SQLiteDatabase]:
    database = SQLiteDatabase()
    database.apply_schema(SCHEMA)
    yield database
    database.close()


@pytest.mark.parametrize("name", STORAGE_CASES)
async def test_sqlite(name: str, database: SQLiteDatabase) -> None:
    await STORAGE_CASES[name](database)


def test_all_of_lucias_cases_are_there() -> None:
    assert LUCIAS == 34 + 10
