"""The owner gets in while somebody hammers the account: browsers that are known count apart."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from framework.auth import Limits
from framework.auth.limits import CLOCK_ERROR
from framework.auth.tokens import digest, is_token
from framework.response import Response
from framework.testing import Client
from tests.auth.databases import CountingDatabase, HaltingDatabase
from tests.auth.world import PASSWORD, USERNAME, World

DAY = 86_400_000
YEAR = 365 * DAY
WINDOW = 15 * 60_000
WRONG = "wrong horse"
DEVICE = "auth_device"


async def try_from(browser: Client, password: str = WRONG, username: str = USERNAME) -> int:
    answer = await browser.post("/sign-in", json={"username": username, "password": password})
    return answer.status


async def hammered(world: World, times: int = 12) -> Client:
    """Return a browser of nobody's that has tried *times* wrong passwords."""
    attacker = world.browser()
    for _ in range(times):
        await try_from(attacker)
    return attacker


async def owner_of(world: World) -> Client:
    """Return a browser that signed in before, and is signed out now."""
    browser = await world.signed_up()
    await browser.post("/sign-out")
    return browser


def device_cookies(answer: Response) -> list[str]:
    values = [value for name, value in answer.headers if name == "set-cookie"]
    return [value for value in values if DEVICE in value.partition("=")[0]]


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in"])
async def test_signing_in_sends_a_cookie_for_a_year_and_stores_its_digest(
    world: World, path: str
) -> None:
    if path == "/sign-in":
        await world.signed_up()
        await world.sqlite.run("DELETE FROM known_device")
    browser = world.browser("https://example.com")

    answer = await browser.post(path, json={})

    [cookie] = device_cookies(answer)
    assert cookie.startswith("__Host-auth_device=")
    assert cookie.endswith(f"; Max-Age={YEAR // 1000}; Path=/; Secure; HttpOnly; SameSite=Lax")
    token = browser.cookies["__Host-auth_device"]
    assert is_token(token)
    [user] = await world.rows("user")
    assert await world.rows("known_device") == [
        {
            "id": digest(token),
            "user_id": user["id"],
            "attempts": 0,
            "resets_at": 0,
            "expires_at": world.clock.now + YEAR,
            "failures": 0,
        }
    ]


async def test_a_cookie_lives_no_longer_than_browsers_let_it() -> None:
    world = World(limits=Limits(device=10 * YEAR))

    answer = await world.browser().post("/sign-up", json={})

    assert f"; Max-Age={400 * DAY // 1000};" in device_cookies(answer)[0]
    world.close()


async def test_a_refusal_sends_none(world: World) -> None:
    await world.signed_up()

    answer = await world.browser().post("/sign-in", json={"password": WRONG})

    assert device_cookies(answer) == []
    assert len(await world.rows("known_device")) == 1


async def test_the_owner_gets_in_while_the_account_is_hammered(world: World) -> None:
    owner = await owner_of(world)
    attacker = await hammered(world)

    assert await try_from(attacker, PASSWORD) == 429
    assert await try_from(world.browser(), PASSWORD) == 429
    assert await try_from(owner, PASSWORD) == 200


async def test_that_the_owner_gets_in_gives_the_attacker_no_new_attempts(world: World) -> None:
    owner = await owner_of(world)
    attacker = await hammered(world)

    await try_from(owner, PASSWORD)

    assert await try_from(attacker, PASSWORD) == 429


async def test_the_owners_mistakes_are_not_counted_for_others(world: World) -> None:
    owner = await owner_of(world)
    for _ in range(20):
        await try_from(owner)

    assert await world.rows("sign_in_attempt") == []
    assert await try_from(world.browser(), PASSWORD) == 200


async def test_a_stolen_cookie_is_good_for_five_attempts(world: World) -> None:
    owner = await owner_of(world)
    thief = owner.fork(with_cookies=True)
    world.hasher.reset()

    statuses = [await try_from(thief) for _ in range(8)]

    assert statuses == [401] * 5 + [429] * 3
    assert len(world.hasher.verified) == 5
    assert await try_from(owner, PASSWORD) == 429
    assert await try_from(world.browser(), PASSWORD) == 200


@pytest.mark.parametrize(("later", "status"), [(WINDOW - 1, 429), (WINDOW, 200)])
async def test_the_owners_window_ends_when_it_ends(world: World, later: int, status: int) -> None:
    owner = await owner_of(world)
    for _ in range(6):
        await try_from(owner)
    world.clock.now += later

    assert await try_from(owner, PASSWORD) == status


async def test_signing_in_forgets_the_owners_mistakes(world: World) -> None:
    owner = await owner_of(world)
    for _ in range(3):
        for _ in range(4):
            assert await try_from(owner) == 401
        assert await try_from(owner, PASSWORD) == 200


async def test_many_attempts_at_once_with_one_cookie_cost_no_more_than_five(world: World) -> None:
    owner = await owner_of(world)
    world.hasher.reset()

    statuses = await asyncio.gather(*[try_from(owner.fork(with_cookies=True)) for _ in range(100)])

    assert (statuses.count(401), statuses.count(429)) == (5, 95)
    assert len(world.hasher.verified) == 5


@pytest.mark.parametrize(
    "token", ["OTHER", "a" * 40, "DIGEST", "", "a" * 39, "é" * 40, "x" * 9_000]
)
async def test_any_other_cookie_gives_nothing(world: World, token: str) -> None:
    owner = await owner_of(world)
    other = await world.signed_up("bob")
    await hammered(world, 10)
    places = {"OTHER": other.cookies[DEVICE], "DIGEST": digest(owner.cookies[DEVICE])}
    attacker = world.browser()
    headers = {"cookie": f"{DEVICE}={places.get(token, token)}"}

    answer = await attacker.post("/sign-in", json={}, headers=headers)

    assert answer.status == 429


async def test_two_cookies_that_differ_are_none(world: World) -> None:
    owner = await owner_of(world)
    await hammered(world)
    headers = {"cookie": f"{DEVICE}={owner.cookies[DEVICE]}; {DEVICE}={'b' * 40}"}

    assert (await world.browser().post("/sign-in", json={}, headers=headers)).status == 429


async def test_a_cookie_that_was_planted_is_replaced(world: World) -> None:
    attacker, victim = await world.signed_up("bob"), await owner_of(world)
    planted = {"cookie": f"{DEVICE}={attacker.cookies[DEVICE]}"}

    answer = await victim.post("/sign-in", json={}, headers=planted)

    [cookie] = device_cookies(answer)
    assert attacker.cookies[DEVICE] not in cookie
    await hammered(world)
    assert await try_from(attacker) == 429


async def test_one_browser_keeps_its_cookie_and_is_known_a_year_from_each_sign_in(
    world: World,
) -> None:
    owner = await owner_of(world)
    before = owner.cookies[DEVICE]
    world.clock.now += YEAR - 1

    await try_from(owner, PASSWORD)

    assert owner.cookies[DEVICE] == before
    [row] = await world.rows("known_device")
    assert row["expires_at"] == world.clock.now + YEAR


@pytest.mark.parametrize(("later", "status"), [(YEAR - 1, 200), (YEAR, 429)])
async def test_after_a_year_a_browser_is_unknown(world: World, later: int, status: int) -> None:
    owner = await owner_of(world)
    world.clock.now += later
    await hammered(world)

    assert await try_from(owner, PASSWORD) == status


@pytest.mark.parametrize(("later", "rows"), [(YEAR - 1, 1), (YEAR, 0)])
async def test_a_purge_forgets_browsers_after_a_year(world: World, later: int, rows: int) -> None:
    await owner_of(world)
    world.clock.now += later

    await world.auth.purge(world.sqlite)

    assert len(await world.rows("known_device")) == rows


@pytest.mark.parametrize(("earlier", "status"), [(CLOCK_ERROR, 200), (CLOCK_ERROR + 1, 429)])
async def test_a_browser_from_the_future_is_unknown(
    world: World, earlier: int, status: int
) -> None:
    owner = await owner_of(world)
    world.clock.now -= earlier
    await hammered(world)

    assert await try_from(owner, PASSWORD) == status


async def test_browsers_from_the_future_take_nobodys_place(world: World) -> None:
    world.clock.now += YEAR
    await world.signed_up()
    for _ in range(20):
        await world.signed_in()
    world.clock.now -= YEAR
    owner = await world.signed_in()
    await owner.post("/sign-out")
    await hammered(world)

    assert await try_from(owner, PASSWORD) == 200


async def test_twenty_browsers_of_a_user_are_known(world: World) -> None:
    first = await owner_of(world)
    world.clock.now += 30
    bob = await world.signed_up("bob")  # who is known for longer than any of them
    world.clock.now -= 30
    for _ in range(25):
        world.clock.now += 1
        last = await world.signed_in()
    await hammered(world)

    rows = await world.rows("known_device")
    assert len(rows) == 21
    assert digest(bob.cookies[DEVICE]) in {row["id"] for row in rows}
    assert (await try_from(first, PASSWORD), await try_from(last, PASSWORD)) == (429, 200)


async def test_changing_the_password_counts_with_the_browser_that_asks(world: World) -> None:
    owner = await world.signed_up()
    await hammered(world)

    assert (await owner.put("/password", json={})).status == 204


async def test_a_browser_whose_new_password_is_refused_is_known_no_more_than_before(
    world: World,
) -> None:
    owner = await world.signed_up()
    rows = await world.rows("known_device")
    headers = {"cookie": f"auth_session={owner.cookies['auth_session']}"}

    answer = await world.browser().put("/password", json={"new": "short"}, headers=headers)

    assert answer.status == 422

    assert await world.rows("known_device") == rows


async def test_changing_the_password_forgets_every_other_browser(world: World) -> None:
    owner, bob = await world.signed_up(), await world.signed_up("bob")
    thieves = [await world.signed_in() for _ in range(3)]
    before = owner.cookies[DEVICE]

    assert (await owner.put("/password", json={})).status == 204

    assert owner.cookies[DEVICE] == before
    known = {digest(browser.cookies[DEVICE]) for browser in (owner, bob)}
    assert {row["id"] for row in await world.rows("known_device")} == known
    await hammered(world)
    assert [await try_from(thief) for thief in thieves] == [429] * 3
    assert await try_from(owner, "battery staple") == 200


async def test_a_browser_that_was_forgotten_is_known_once_it_changed_the_password(
    world: World,
) -> None:
    owner = await world.signed_up()
    before = owner.cookies[DEVICE]
    for _ in range(21):  # a thief who knows the password
        world.clock.now += 1
        await world.signed_in()

    assert (await owner.put("/password", json={})).status == 204

    assert owner.cookies[DEVICE] != before
    [row] = await world.rows("known_device")
    assert row["id"] == digest(owner.cookies[DEVICE])
    await hammered(world)
    assert await try_from(owner, "battery staple") == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [({"current": WRONG}, 401), ({"new": "short"}, 422)],
    ids=["wrong", "unusable"],
)
async def test_a_change_that_took_no_place_forgets_none(
    world: World, change: dict[str, str], status: int
) -> None:
    owner = await world.signed_up()
    await world.signed_in()

    assert (await owner.put("/password", json=change)).status == status

    assert len(await world.rows("known_device")) == 2


async def test_of_two_changes_at_once_the_one_that_lost_forgets_none(world: World) -> None:
    tabs = [await world.signed_up(), await world.signed_in()]
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("UPDATE user_key")
    late = asyncio.create_task(tabs[1].put("/password", json={"new": "the late one"}))
    await halt.reached()
    assert (await tabs[0].put("/password", json={})).status == 204
    halt.release()

    answer = await late

    assert (answer.status, device_cookies(answer)) == (401, [])
    [row] = await world.rows("known_device")
    assert row["id"] == digest(tabs[0].cookies[DEVICE])


@pytest.mark.parametrize("password", ["battery staple", None], ids=["another", "none"])
async def test_a_program_that_sets_a_password_forgets_all_browsers(
    world: World, password: str | None
) -> None:
    await world.signed_up()
    bob = await world.signed_up("bob")

    await world.auth.keys.set_password(world.sqlite, "username", USERNAME, password)

    [row] = await world.rows("known_device")
    assert row["id"] == digest(bob.cookies[DEVICE])


async def test_attempts_and_devices_are_counted_in_one_trip(world: World) -> None:
    owner = await owner_of(world)
    world.database = counting = CountingDatabase(world.sqlite)

    await try_from(owner)

    [trip] = counting.trips
    assert [sql.split()[0] for sql in trip] == ["UPDATE", "INSERT", "SELECT", "SELECT"]


async def test_failures_that_are_forgotten_are_not_written_again(world: World) -> None:
    owner = await owner_of(world)
    await hammered(world)
    world.clock.now += WINDOW
    world.database = counting = CountingDatabase(world.sqlite)
    forgot: list[int] = []

    for _ in range(2):
        counting.reset()
        assert await try_from(owner, PASSWORD) == 200
        await owner.post("/sign-out")
        forgot.append(counting.changes - 4)  # the attempt, the browser, the session and its end

    assert forgot == [1, 0]
    assert await try_from(world.browser()) == 401  # the first of a new window
    [row] = await world.rows("sign_in_attempt")
    assert (row["attempts"], row["failures"]) == (1, 0)


async def test_known_browsers_are_found_by_an_index(world: World) -> None:
    owner = await owner_of(world)
    world.database = counting = CountingDatabase(world.sqlite)
    await try_from(owner, PASSWORD)

    for sql in counting.statements:
        if sql.startswith("INSERT INTO user"):
            continue
        values = ["x"] * max(map(int, re.findall(r"\?(\d+)", sql)))
        plan = await world.sqlite.all(dict, f"EXPLAIN QUERY PLAN {sql}", *values)
        scans = [row["detail"] for row in plan if row["detail"].startswith("SCAN")]
        assert [scan for scan in scans if "CONSTANT" not in scan] == [], sql


@pytest.fixture
def plain() -> Iterator[World]:
    """A world without device cookies."""
    world = World(device_cookie=None)
    yield world
    world.close()


async def test_it_can_be_left_out(plain: World) -> None:
    owner = await owner_of(plain)
    await hammered(plain)

    assert owner.cookies == {}
    assert await plain.rows("known_device") == []
    assert await try_from(owner, PASSWORD) == 429
