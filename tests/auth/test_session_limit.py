"""How many sessions one user has: past the limit, to begin one ends those that began first."""

import asyncio
from typing import Any

import pytest

from framework.auth import GRACE, Limits, NewKey
from framework.auth.legacy import LuciaHasher
from framework.testing import json_of
from tests.auth.databases import CountingDatabase, HaltingDatabase
from tests.auth.world import PASSWORD, USERNAME, World


async def signed_in_often(world: World, times: int) -> list[Any]:
    """Return the browsers of somebody who signs up and in, one millisecond after the other."""
    browsers = [await world.signed_up()]
    for _ in range(times - 1):
        world.clock.now += 1
        browsers.append(await world.signed_in())
    return browsers


async def who_is_in(browsers: list[Any]) -> list[bool]:
    return [(await browser.get("/me")).status == 200 for browser in browsers]


@pytest.mark.parametrize(
    ("limit", "times", "alive"),
    [
        (1, 1, [True]),
        (1, 2, [False, True]),
        (3, 3, [True] * 3),
        (3, 4, [False] + [True] * 3),
        (3, 6, [False] * 3 + [True] * 3),
        (0, 6, [True] * 6),
    ],
)
async def test_the_oldest_ends(limit: int, times: int, alive: list[bool]) -> None:
    world = World(limits=Limits(sessions=limit))

    browsers = await signed_in_often(world, times)

    assert await who_is_in(browsers) == alive
    assert len(await world.rows("user_session")) == sum(alive)
    world.close()


async def test_a_hundred_are_as_many_as_are_listed(world: World) -> None:
    browsers = await signed_in_often(world, 102)

    assert Limits().sessions == 100
    assert [await who_is_in(browsers[:2]), await who_is_in(browsers[2:3])] == [[False] * 2, [True]]
    assert len(await world.rows("user_session")) == 100


async def test_what_was_replaced_takes_no_place_however_long_its_grace() -> None:
    world = World(limits=Limits(sessions=2, grace=6 * GRACE))
    browsers = await signed_in_often(world, 2)
    world.clock.now += 1

    await browsers[1].post("/sign-in", json={})

    assert await who_is_in(browsers) == [True, True]
    assert len(json_of(await browsers[1].get("/sessions"))) == 2
    world.close()


async def test_one_users_are_not_anothers() -> None:
    world = World(limits=Limits(sessions=1))
    bob = await world.signed_up("bob")
    alice = await signed_in_often(world, 3)

    assert await who_is_in([bob, *alice]) == [True, False, False, True]
    world.close()


async def test_a_sign_in_that_fails_ends_nothing() -> None:
    world = World(limits=Limits(sessions=1))
    browser = await world.signed_up()
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("INSERT INTO user_session")
    late = asyncio.ensure_future(world.browser().post("/sign-in", json={}))
    await halt.reached()
    assert (await browser.put("/password", json={})).status == 204

    halt.release()

    assert (await late).status == 401
    assert await who_is_in([browser]) == [True]
    world.close()


async def test_of_many_at_once_as_many_are_left_as_may_be() -> None:
    world = World(limits=Limits(sessions=3))
    await world.signed_up()
    world.clock.now += 1

    browsers = await asyncio.gather(*[world.signed_in() for _ in range(8)])

    assert sum(await who_is_in(list(browsers))) == len(await world.rows("user_session")) == 3
    world.close()


@pytest.mark.parametrize("left", [-1, GRACE], ids=["dead", "replaced"])
async def test_what_is_over_goes_before_what_lives(left: int) -> None:
    world = World(limits=Limits(sessions=2))
    old, newer = await signed_in_often(world, 2)
    world.clock.now += 1
    await world.sqlite.run("UPDATE user_session SET idle_expires = ?1 WHERE created_at > 0 AND id IN"
                           " (SELECT id FROM user_session ORDER BY created_at DESC LIMIT 1)",
                           world.clock.now + left)  # fmt: skip

    newest = await world.signed_in()

    assert await who_is_in([old, newer, newest]) == [True, False, True]
    world.close()


async def test_the_new_one_stays_where_the_clock_was_put_back() -> None:
    world = World(limits=Limits(sessions=2))
    first, second = await signed_in_often(world, 2)
    world.clock.now -= GRACE

    third = await world.signed_in()

    assert await who_is_in([first, second, third]) == [False, True, True]
    world.close()


async def test_a_program_begins_no_more_either() -> None:
    world = World(limits=Limits(sessions=2))
    user = await world.auth.users.create(world.sqlite, NewKey("github", "1"), username="bob")

    for _ in range(4):
        world.clock.now += 1
        new = await world.auth.sessions.create(world.sqlite, user.id)
        assert (await world.auth.sessions.validate(world.sqlite, new.token)).user == user

    assert len(await world.auth.sessions.for_user(world.sqlite, user.id)) == 2
    world.close()


async def test_what_is_shared_with_lucia_is_left_alone() -> None:
    world = World(limits=Limits(sessions=1), sessions="shared", hasher=LuciaHasher(writes="s2"))

    browsers = await signed_in_often(world, 3)

    assert await who_is_in(browsers) == [True] * 3
    world.close()


async def test_it_costs_no_trip(world: World) -> None:
    await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)

    credentials = {"username": USERNAME, "password": PASSWORD}
    assert (await world.browser().post("/sign-in", json=credentials)).status == 200

    assert len(counting.trips) == 2
    assert [sql for sql in counting.trips[1] if "ORDER BY id = ?2" in sql] != []
