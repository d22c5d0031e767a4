"""The platform's limiter stands before the hash, for each address."""

import asyncio
from collections.abc import Iterator

import pytest

from framework.auth import InvalidCredentials, address_limit
from framework.context import Context
from framework.errors import HTTPError, ServiceUnavailable, TooManyRequests
from framework.local.rate_limit import LocalRateLimiter
from framework.request import Headers, Request
from framework.response import Response
from framework.testing import json_of
from tests.auth.clock import Clock
from tests.auth.databases import CountingDatabase
from tests.auth.world import USERNAME, World

WRONG = "wrong horse"
LIMITER = "SIGN_IN_LIMITER"


@pytest.fixture
def world() -> Iterator[World]:
    """A world whose sign-ins ask a limiter that allows seven a minute."""
    world = World(rate_limiter=LIMITER)
    clock = world.clock
    world.env[LIMITER] = LocalRateLimiter(7, 60, clock=lambda: clock.now / 1000)
    yield world
    world.close()


async def try_as(world: World, username: str, password: str = WRONG) -> Response:
    credentials = {"username": username, "password": password}
    return await world.browser().post("/sign-in", json=credentials)


async def test_a_hundred_wrong_passwords_at_once_cost_seven_hashes(world: World) -> None:
    names = [f"user{number}" for number in range(100)]

    answers = await asyncio.gather(*[try_as(world, name) for name in names])

    statuses = [answer.status for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (7, 93)
    assert len(world.hasher.verified) == 7


async def test_the_right_password_works_after_the_window(world: World) -> None:
    await world.signed_up()
    for number in range(10):
        await try_as(world, f"user{number}")

    refused = await try_as(world, USERNAME, "correct horse")
    world.clock.now += 60_000
    taken = await try_as(world, USERNAME, "correct horse")

    assert (refused.status, json_of(refused)["code"]) == (429, "too-many-requests")
    assert refused.header("retry-after") == "60"
    assert taken.status == 200


async def test_a_refusal_reads_nothing_and_hashes_nothing(world: World) -> None:
    for number in range(7):
        await try_as(world, f"user{number}")
    world.database = counting = CountingDatabase(world.sqlite)
    world.hasher.reset()

    signing_in = await try_as(world, USERNAME)
    signing_up = await world.browser().post("/sign-up", json={})

    assert (signing_in.status, signing_up.status) == (429, 429)
    assert (counting.trips, world.hasher.hashes, world.hasher.verified) == ([], 0, [])


async def test_where_none_is_bound_none_is_asked(world: World) -> None:
    del world.env[LIMITER]

    statuses = [(await try_as(world, f"user{number}")).status for number in range(20)]

    assert statuses == [401] * 20


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ServiceUnavailable(), 503),
        (OSError("the limiter is down"), 503),
        (TimeoutError(), 503),
        (KeyError("DO"), 503),
        (HTTPError(502), 502),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_limiter_that_is_out_is_no_refusal_and_no_pass(
    world: World, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    class Broken:
        async def allows(self, key: str) -> bool:
            raise error

    await world.signed_up()
    world.env[LIMITER] = Broken()
    world.hasher.reset()

    answers = [await try_as(world, USERNAME), await world.browser().post("/sign-up", json={})]

    assert [answer.status for answer in answers] == [status, status]
    assert (world.hasher.verified, world.hasher.hashes) == ([], 0)
    if not isinstance(error, HTTPError):
        assert {answer.header("retry-after") for answer in answers} == {"5"}
        assert repr(error) in caplog.text or str(error) in caplog.text


async def try_from(world: World, address: str | None) -> bool:
    """Return whether a sign-in from *address* got as far as its password."""

    async def read(limit: int) -> bytes:
        return b""

    request = Request("POST", "http", "localhost", "/", "", Headers([]), read, address=address)
    c = Context(request, {**world.env, "DB": world.sqlite})
    with pytest.raises((InvalidCredentials, TooManyRequests)) as caught:
        await world.auth.sign_in(c, USERNAME, WRONG)
    return not isinstance(caught.value, TooManyRequests)


async def test_that_addresses_are_not_known_is_said_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    address_limit._warn.cache_clear()

    for name in ("ann", "bob"):
        await try_as(world, name)

    [record] = [record for record in caplog.records if record.name == "kagari"]
    assert (record.levelname, "is not known" in record.message) == ("WARNING", True)


async def test_a_known_address_is_no_matter(world: World, caplog: pytest.LogCaptureFixture) -> None:
    address_limit._warn.cache_clear()

    await try_from(world, "192.0.2.1")

    assert [record for record in caplog.records if record.name == "kagari"] == []


async def test_where_none_is_asked_an_unknown_address_is_no_matter(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    address_limit._warn.cache_clear()
    del world.env[LIMITER]

    await try_as(world, "ann")

    assert [record for record in caplog.records if record.name == "kagari"] == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        (None, "192.0.2.1", False),
        (None, "nonsense", True),
    ],
)
async def test_one_network_is_counted_as_one(
    world: World, one: str | None, other: str | None, is_same: bool
) -> None:
    world.env[LIMITER] = LocalRateLimiter(1, 60, clock=Clock())

    assert [await try_from(world, one), await try_from(world, other)] == [True, not is_same]
