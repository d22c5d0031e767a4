"""The home page: what it costs to show."""

import asyncio
from pathlib import Path
from typing import Any

from app import app
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client, text_of
from tests.auth.databases import CountingDatabase, HaltingDatabase

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text("utf-8")


async def test_notes_and_sessions_are_waited_for_at_once() -> None:
    sqlite = SQLiteDatabase()
    sqlite.apply_schema(SCHEMA)
    env: dict[str, Any] = {"DB": sqlite}
    client = Client(app, env=env)
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})
    counting = CountingDatabase(sqlite)
    halting = HaltingDatabase(counting)
    env["DB"] = halting
    halt = halting.halt("FROM note")

    asked = asyncio.create_task(client.get("/"))
    await halt.reached()
    for _ in range(10):
        await asyncio.sleep(0)

    assert len(counting.trips) == 2  # who asks, and their sessions
    halt.release()
    assert "Sessions" in text_of(await asked)
    assert len(counting.trips) == 3
    sqlite.close()
