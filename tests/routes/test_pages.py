"""The home page: what it costs to show."""

import asyncio
import re
from html import unescape
from typing import Any

import pytest

from app import app
from framework.database import statement
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client, text_of
from tests.auth.databases import CountingDatabase, FaultyDatabase, HaltingDatabase


async def signed_up(env: dict[str, Any]) -> Client:
    """Return the browser of somebody new."""
    client = Client(app, env=env)
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})
    return client


async def test_notes_and_sessions_are_waited_for_at_once(db: SQLiteDatabase) -> None:
    env: dict[str, Any] = {"DB": db}
    client = await signed_up(env)
    counting = CountingDatabase(db)
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


@pytest.mark.parametrize("fails_at", [2, 3], ids=["the notes", "the sessions"])
async def test_it_is_an_outage_where_one_of_them_fails(db: SQLiteDatabase, fails_at: int) -> None:
    env: dict[str, Any] = {"DB": db}
    client = await signed_up(env)
    env["DB"] = faulty = FaultyDatabase(db)
    faulty.arm(fails_at)

    answer = await client.get("/")

    assert (answer.status, faulty.count) == (503, 3)
    assert client.cookies.keys() >= {"auth_session"}
    assert (await client.get("/")).status == 200


async def test_an_account_that_came_with_an_id_of_another_form_is_deleted_from_the_page(
    db: SQLiteDatabase,
) -> None:
    client = await signed_up({"DB": db})
    await db.batch(
        [
            statement("PRAGMA defer_foreign_keys = ON"),
            statement("UPDATE user SET id = 'a+b&c'"),
            statement("UPDATE user_key SET user_id = 'a+b&c'"),
            statement("UPDATE user_session SET user_id = 'a+b&c'"),
        ]
    )
    page = text_of(await client.get("/"))

    [action] = re.findall(r'action="(/me/delete[^"]*)"', page)
    assert (await client.post(unescape(action))).status == 204
    assert await db.all(str, "SELECT id FROM user") == []


async def test_the_style_has_no_left_and_no_right() -> None:
    page = text_of(await Client(app).get("/", headers={"accept": "text/html"}))

    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "inline" in style  # start and end are what they are in the language of the page
    assert not re.search(r"\b(left|right)\b|padding:( [^;\s]+){4};", style)
