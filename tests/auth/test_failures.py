"""A hundred failures on end, over all windows: who is refused then, and what begins them anew."""

import asyncio

import pytest

from framework.auth import Limits
from framework.auth.limits import FAILURES_KEPT
from framework.response import Response
from framework.testing import Client
from tests.auth.recovering import NEW, Recovering
from tests.auth.world import PASSWORD, USERNAME, World

WINDOW = 15 * 60_000
YEAR = 365 * 86_400_000
WRONG = "wrong horse"


async def attempt(browser: Client, password: str = WRONG, username: str = USERNAME) -> Response:
    return await browser.post("/sign-in", json={"username": username, "password": password})


async def guess(world: World, windows: int, username: str = USERNAME, each: int = 12) -> int:
    """Guess *each* times in each of so many windows; return how many guesses were looked at."""
    looked_at = 0
    for _ in range(windows):
        for _ in range(each):
            looked_at += (await attempt(world.browser(), WRONG, username)).status == 401
        world.clock.now += WINDOW
    return looked_at


async def owner_of(world: World) -> Client:
    """Return a browser that signed in before, and is signed out now."""
    browser = await world.signed_up()
    await browser.post("/sign-out")
    return browser


@pytest.mark.parametrize("username", [USERNAME, "nobody"])
@pytest.mark.parametrize("each", [1, 7, 12])
async def test_a_hundred_failures_on_end_are_looked_at(
    world: World, username: str, each: int
) -> None:
    await world.signed_up()
    world.hasher.reset()

    assert await guess(world, -(-100 // min(each, 10)) + 5, username, each) == 100

    answer = await attempt(world.browser(), PASSWORD, username)
    assert answer.status == 429
    assert len(world.hasher.verified) == 100


@pytest.mark.parametrize("allowed", [1, 10, 25, 101])
async def test_how_many_can_be_said(allowed: int) -> None:
    world = World(limits=Limits(failures=allowed))
    await world.signed_up()

    assert await guess(world, 15) == allowed
    assert (await attempt(world.browser(), PASSWORD)).status == 429
    world.close()


async def test_none_is_any_number() -> None:
    world = World(limits=Limits(failures=0))
    await world.signed_up()

    assert await guess(world, 30) == 300
    assert (await attempt(world.browser(), PASSWORD)).status == 200
    world.close()


async def test_many_at_once_are_no_more(world: World) -> None:
    await world.signed_up()
    await guess(world, 9)
    await guess(world, 1, each=5)

    answers = await asyncio.gather(*[attempt(world.browser()) for _ in range(50)])

    assert [answer.status for answer in answers].count(401) == 5


@pytest.mark.parametrize(
    ("later", "status", "retry_after"),
    [
        (0, 429, FAILURES_KEPT // 1000),
        (WINDOW, 429, (FAILURES_KEPT - WINDOW) // 1000),
        (FAILURES_KEPT - 1, 429, 1),
        (FAILURES_KEPT, 200, None),
    ],
)
async def test_it_is_over_thirty_days_after_the_last_that_counted(
    world: World, later: int, status: int, retry_after: int | None
) -> None:
    await world.signed_up()
    await guess(world, 10)
    for _ in range(3):  # what is refused moves nothing
        await attempt(world.browser())
    world.clock.now += later

    answer = await attempt(world.browser(), PASSWORD)

    said = None if retry_after is None else str(retry_after)
    assert (answer.status, answer.header("retry-after")) == (status, said)


async def test_who_goes_on_after_thirty_days_begins_at_none(world: World) -> None:
    await world.signed_up()
    await guess(world, 10)
    world.clock.now += FAILURES_KEPT

    assert await guess(world, 12) == 100


async def test_few_failures_are_counted_on_for_thirty_days(world: World) -> None:
    await world.signed_up()
    await guess(world, 5)
    world.clock.now += FAILURES_KEPT - WINDOW - 1
    await world.auth.purge(world.sqlite)

    assert await guess(world, 12) == 50


# --- What begins them anew -----------------------------------------------------------------------


@pytest.mark.parametrize("windows", [1, 4], ids=["some", "all"])
async def test_the_owner_gets_in_where_they_were_before_and_begins_them_anew(windows: int) -> None:
    world = World(limits=Limits(failures=30))
    owner = await owner_of(world)
    await guess(world, windows)

    assert (await attempt(owner, PASSWORD)).status == 200

    assert await guess(world, 5) == 30
    world.close()


async def test_in_the_same_window_that_gives_no_new_attempts(world: World) -> None:
    owner = await owner_of(world)
    await guess(world, 9)
    for _ in range(12):
        await attempt(world.browser())

    assert (await attempt(owner, PASSWORD)).status == 200

    assert (await attempt(world.browser())).status == 429
    world.clock.now += WINDOW
    assert await guess(world, 12) == 90  # the ten of that window are counted on


async def test_a_sign_in_begins_them_anew(world: World) -> None:
    await world.signed_up()
    await guess(world, 9)
    await world.signed_in()

    assert await guess(world, 12) == 100


async def test_a_program_begins_them_anew(world: World) -> None:
    await world.signed_up()
    await guess(world, 11)

    await world.auth.keys.forget_attempts(world.sqlite, "username", "ALICE")

    assert (await attempt(world.browser(), PASSWORD)).status == 200


async def test_a_program_begins_those_of_known_browsers_anew_as_well(world: World) -> None:
    browser = await owner_of(world)
    for _ in range(21):
        await attempt_often(browser)
        world.clock.now += WINDOW
    assert (await attempt(browser, PASSWORD)).status == 429

    await world.auth.keys.forget_attempts(world.sqlite, "username", USERNAME)

    assert (await attempt(browser, PASSWORD)).status == 200
    await attempt_often(browser)
    assert (await attempt(browser, PASSWORD)).status == 429
    assert (await attempt(world.browser(), PASSWORD)).status == 200


async def test_so_does_a_program_that_sets_a_password(world: World) -> None:
    await world.signed_up()
    await guess(world, 11)

    await world.auth.keys.set_password(world.sqlite, "username", USERNAME, NEW)

    assert (await attempt(world.browser(), NEW)).status == 200


async def test_a_link_begins_them_anew(recovering: Recovering) -> None:
    await recovering.verified()
    await guess(recovering, 11)
    assert await recovering.signs_in(PASSWORD) == 429

    assert (await recovering.reset(await recovering.mailed())).status == 204

    assert await recovering.signs_in(NEW) == 200


async def test_a_link_begins_those_of_the_name_anew_that_was_asked_with(
    recovering: Recovering,
) -> None:
    await recovering.verified()
    [user] = await recovering.rows("user")
    keys = recovering.auth.keys
    await keys.create(recovering.sqlite, user["id"], "username", "zed", PASSWORD)
    await guess(recovering, 11, "zed")
    assert (await attempt(recovering.browser(), PASSWORD, "zed")).status == 429

    assert (await recovering.reset(await recovering.mailed("zed"))).status == 204

    assert (await attempt(recovering.browser(), NEW, "zed")).status == 200


async def attempt_often(browser: Client) -> None:
    for _ in range(5):
        await attempt(browser)


async def test_a_stolen_device_cookie_gets_a_hundred_too(world: World) -> None:
    thief = await owner_of(world)

    statuses = []
    for _ in range(30):
        statuses += [(await attempt(thief)).status for _ in range(5)]
        world.clock.now += WINDOW

    assert (statuses.count(401), statuses[100:]) == (100, [429] * 50)
    assert (await attempt(world.browser(), PASSWORD)).status == 200


async def test_changing_the_password_is_looked_at_as_often(world: World) -> None:
    browser = await world.signed_up()
    statuses = []
    for _ in range(25):
        statuses += [
            (await browser.put("/password", json={"current": WRONG})).status for _ in range(5)
        ]
        world.clock.now += WINDOW

    assert statuses == [401] * 100 + [429] * 25


# --- What is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "later", "rows"),
    [
        (1, WINDOW, 1),
        (1, WINDOW + 86_400_000 - 1, 1),
        (1, WINDOW + 86_400_000, 0),
        (2, WINDOW + 86_400_000, 1),
        (2, WINDOW + FAILURES_KEPT - 1, 1),
        (2, WINDOW + FAILURES_KEPT, 0),
    ],
)
async def test_a_purge_keeps_what_counts(
    world: World, attempts: int, later: int, rows: int
) -> None:
    for _ in range(attempts):
        await attempt(world.browser())
    world.clock.now += later

    await world.auth.purge(world.sqlite)

    assert len(await world.rows("sign_in_attempt")) == rows


async def test_a_purge_keeps_one_attempt_that_others_failed_before(world: World) -> None:
    for _ in range(2):
        await attempt(world.browser())
        world.clock.now += WINDOW
    world.clock.now += 86_400_000

    await world.auth.purge(world.sqlite)

    [row] = await world.rows("sign_in_attempt")
    assert (row["attempts"], row["failures"]) == (1, 1)


# --- A clock that jumps --------------------------------------------------------------------------


@pytest.fixture(params=["unknown", "known"])
async def guesser(world: World, request: pytest.FixtureRequest) -> Client:
    """A browser that may not try again in this window, and so long before its owner may."""
    owner = await owner_of(world)
    browser = owner if request.param == "known" else world.browser()
    world.clock.now += 10 * YEAR if request.param == "unknown" else YEAR // 2
    for _ in range(12):
        await attempt(browser)
    return browser


@pytest.mark.parametrize("back", [1, WINDOW, YEAR // 4])
async def test_a_clock_that_was_put_back_locks_no_longer_than_a_window(
    world: World, guesser: Client, back: int
) -> None:
    world.clock.now -= back

    answer = await attempt(guesser, PASSWORD)

    assert (answer.status, answer.header("retry-after")) == (429, "900")
    world.clock.now += WINDOW - 1
    assert (await attempt(guesser, PASSWORD)).status == 429
    world.clock.now += 1
    assert (await attempt(guesser, PASSWORD)).status == 200


async def test_nor_does_it_give_new_attempts(world: World, guesser: Client) -> None:
    for _ in range(20):
        world.clock.now -= WINDOW
        assert (await attempt(guesser)).status == 429


async def test_who_is_refused_for_good_is_not_for_longer(world: World) -> None:
    await world.signed_up()
    world.clock.now += 10 * YEAR
    await guess(world, 9)
    for _ in range(12):
        await attempt(world.browser())
    world.clock.now -= 10 * YEAR

    answer = await attempt(world.browser(), PASSWORD)

    assert int(answer.header("retry-after") or 0) == (FAILURES_KEPT + WINDOW) // 1000
    world.clock.now += FAILURES_KEPT + WINDOW
    assert (await attempt(world.browser(), PASSWORD)).status == 200
