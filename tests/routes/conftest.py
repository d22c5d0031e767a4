"""A database as `schema.sql` has it, and a look at all that each test showed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from framework.local.sqlite import SQLiteDatabase
from tests.secret_scan import nothing_shown

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text("utf-8")


@pytest.fixture
async def db() -> AsyncIterator[SQLiteDatabase]:
    """Return an empty database for the reference app."""
    database = SQLiteDatabase()
    database.apply_schema(SCHEMA)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for every secret that any test here issued in every log line and every error."""
    with nothing_shown(caplog):
        yield
