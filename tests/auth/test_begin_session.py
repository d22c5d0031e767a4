"""Signing in whoever showed by other means than a password who they are."""

from collections.abc import Iterator
from typing import Any

import pytest

from framework import Context, public
from framework.auth import Limits, UnknownUser
from framework.security_log import SecurityEvent
from framework.testing import Client, json_of
from tests.auth.databases import CountingDatabase, FaultyDatabase
from tests.auth.world import USERNAME, World

LIMITS = [Limits(sessions=2), Limits(sessions=2, grace=10_000)]


def make_world(limits: Limits) -> World:
    world = World(limits=limits)

    @world.app.get("/callback/:user_id", guard=public)
    async def callback(c: Context, user_id: str) -> str:
        try:
            return (await world.auth.begin_session(c, user_id)).username
        except UnknownUser:
            return "nobody"

    @world.app.get("/callback-and-session/:user_id", guard=public)
    async def callback_and_session(c: Context, user_id: str) -> list[str | None]:
        user = await world.auth.begin_session(c, user_id)
        session = await world.auth.session(c)
        assert session is not None
        return [user.username, session.user_id]

    return world


@pytest.fixture(params=LIMITS, ids=["no grace", "grace"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = make_world(request.param)
    yield world
    world.close()


async def user_id(world: World, username: str = USERNAME) -> str:
    [id] = [user["id"] for user in await world.rows("user") if user["username"] == username]
    return str(id)


async def name_in(browser: Client) -> Any:
    answer = await browser.get("/greeting")
    return answer.body


async def test_somebody_is_signed_in(world: World) -> None:
    await world.signed_up()
    browser = world.browser()

    answer = await browser.get(f"/callback-and-session/{await user_id(world)}")

    assert json_of(answer) == [USERNAME, await user_id(world)]
    assert answer.header("cache-control") == "private, no-store"
    assert (await browser.get("/recent")).body == b"recent"


async def test_the_session_says_from_where(world: World) -> None:
    await world.signed_up()
    headers = {"user-agent": "Netscape/4.0", "cf-ipcountry": "NO"}

    await world.browser().get(f"/callback/{await user_id(world)}", headers=headers)

    rows = await world.rows("user_session")
    assert ("Netscape/4.0", "NO") in [(row["user_agent"], row["country"]) for row in rows]


@pytest.mark.parametrize("other", [USERNAME, "bob"])
async def test_the_session_that_was_there_ends(world: World, other: str) -> None:
    browser = await world.signed_up()
    if other != USERNAME:
        await world.signed_up(other)
    thief = browser.fork(with_cookies=True)
    assert await name_in(thief) == USERNAME.encode()

    assert (await browser.get(f"/callback/{await user_id(world, other)}")).body == other.encode()

    world.clock.now += 11_000
    assert await name_in(browser) == other.encode()
    assert await name_in(thief) == b"nobody"


async def test_the_oldest_end(world: World) -> None:
    browsers = [await world.signed_up(), world.browser(), world.browser()]
    for browser in browsers[1:]:
        world.clock.now += 1
        await browser.get(f"/callback/{await user_id(world)}")

    world.clock.now += 11_000
    names = [await name_in(browser) for browser in browsers]

    assert names == [b"nobody", USERNAME.encode(), USERNAME.encode()]


@pytest.mark.parametrize("id", ["nobody", "'", "a" * 1000])
async def test_nobody_is_not_signed_in(world: World, id: str) -> None:
    browser = await world.signed_up()

    answer = await browser.get(f"/callback/{id}")

    assert (answer.body, answer.header("set-cookie")) == (b"nobody", None)
    assert await name_in(browser) == USERNAME.encode()


async def test_it_takes_one_trip(world: World) -> None:
    await world.signed_up()
    id = await user_id(world)
    world.database = counting = CountingDatabase(world.sqlite)

    await world.browser().get(f"/callback/{id}")

    assert len(counting.trips) == 1


@pytest.mark.parametrize("is_lost_after", [False, True])
async def test_without_a_database_nobody_is_signed_in(world: World, is_lost_after: bool) -> None:
    await world.signed_up()
    id = await user_id(world)
    world.database = faulty = FaultyDatabase(world.sqlite)
    faulty.arm(1, is_lost_after=is_lost_after)

    answer = await world.browser().get(f"/callback/{id}")

    assert (answer.status, answer.header("set-cookie")) == (503, None)


async def test_the_security_log_is_told(world: World) -> None:
    await world.signed_up()
    events: list[SecurityEvent] = []
    world.app.security_log = lambda _, event: events.append(event)

    await world.browser().get(f"/callback/{await user_id(world)}")

    assert [(each.event, each.user_id) for each in events] == [
        ("authn_login_success", await user_id(world))
    ]
