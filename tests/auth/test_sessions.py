"""How long a session lives, to the millisecond, and what its life costs the database."""

import asyncio
from enum import Enum
from typing import Any, Literal

import pytest

from framework import ConfigurationError, Context
from framework.auth import Auth, Limits, Session, User
from framework.auth.limits import CLOCK_ERROR
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.clock import START
from tests.auth.databases import CountingDatabase, HaltingDatabase
from tests.auth.world import World

DAY = 86_400_000
ACTIVE, IDLE, ABSOLUTE, RECENT = DAY, 14 * DAY, 90 * DAY, 900_000
COOKIE = "auth_session"
CLEARED = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
RENEW = "UPDATE user_session"


def cookies(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


def expiries(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(row["active_expires"] - START, row["idle_expires"] - START) for row in rows]


# --- Every boundary ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "status", "fresh", "after"),
    [
        (0, 200, False, [(ACTIVE, ACTIVE + IDLE)]),
        (1, 200, False, [(ACTIVE, ACTIVE + IDLE)]),
        (ACTIVE - 1, 200, False, [(ACTIVE, ACTIVE + IDLE)]),
        (ACTIVE, 200, True, [(2 * ACTIVE, 2 * ACTIVE + IDLE)]),
        (ACTIVE + 1, 200, True, [(2 * ACTIVE + 1, 2 * ACTIVE + 1 + IDLE)]),
        (ACTIVE + IDLE - 1, 200, True, [(2 * ACTIVE + IDLE - 1, 2 * (ACTIVE + IDLE) - 1)]),
        (ACTIVE + IDLE, 401, None, []),
        (ACTIVE + IDLE + 1, 401, None, []),
        (10 * 365 * DAY, 401, None, []),
        (-1, 200, False, [(ACTIVE, ACTIVE + IDLE)]),
        (-CLOCK_ERROR, 200, False, [(ACTIVE, ACTIVE + IDLE)]),
        (-CLOCK_ERROR - 1, 401, None, []),
        (-10 * 365 * DAY, 401, None, []),
    ],
)
async def test_active_idle_dead(
    world: World, later: int, status: int, fresh: bool | None, after: list[tuple[int, int]]
) -> None:
    browser = await world.signed_up()
    world.clock.now += later

    answer = await browser.get("/me")

    assert answer.status == status
    assert expiries(await world.rows("user_session")) == after
    if status == 401:
        assert cookies(answer) == [CLEARED]
    else:
        me = json_of(answer)
        assert (me["fresh"], me["state"]) == (fresh, "active")
        assert [(me["active_expires"] - START, me["idle_expires"] - START)] == after
        assert bool(cookies(answer)) is fresh


async def test_a_renewal_sends_the_same_token_for_as_long_as_a_new_session(world: World) -> None:
    browser = await world.signed_up()
    token = browser.cookies[COOKIE]
    world.clock.now += ACTIVE

    answer = await browser.get("/me")

    age = (ACTIVE + IDLE) // 1000
    assert cookies(answer) == [f"{COOKIE}={token}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax"]


@pytest.mark.parametrize(("later", "status"), [(ABSOLUTE - 1, 200), (ABSOLUTE, 401)])
async def test_renewed_forever_it_still_ends(world: World, later: int, status: int) -> None:
    browser = await world.signed_up()
    while world.clock.now < START + later:
        assert (await browser.get("/me")).status == 200
        world.clock.now = min(world.clock.now + 10 * DAY, START + later)

    answer = await browser.get("/me")

    assert answer.status == status
    assert len(await world.rows("user_session")) == (1 if status == 200 else 0)


async def test_a_renewal_near_the_end_goes_to_the_end_and_no_further(world: World) -> None:
    browser = await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET idle_expires = ?1", START + ABSOLUTE)
    world.clock.now = START + ABSOLUTE - 5_400

    answer = await browser.get("/me")

    assert expiries(await world.rows("user_session")) == [(ABSOLUTE, ABSOLUTE)]
    assert "Max-Age=6;" in cookies(answer)[0]


@pytest.mark.parametrize(("later", "status"), [(4_999, 200), (5_000, 401)])
async def test_a_shorter_limit_counts_for_sessions_that_are_there(later: int, status: int) -> None:
    world = World(limits=Limits(absolute=5_000))
    browser = await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET active_expires = ?1, idle_expires = ?1", 2**50)
    world.clock.now += later

    answer = await browser.get("/me")

    assert answer.status == status
    assert len(await world.rows("user_session")) == (1 if status == 200 else 0)
    world.close()


@pytest.mark.parametrize(
    ("later", "status"),
    [(0, 200), (RECENT - 1, 200), (RECENT, 403), (1 - RECENT, 200), (-RECENT, 403)],
)
async def test_recent(world: World, later: int, status: int) -> None:
    browser = await world.signed_up()
    world.clock.now += later

    assert (await browser.get("/recent")).status == status


@pytest.mark.parametrize(
    ("later", "is_recent"),
    [(0, True), (RECENT - 1, True), (RECENT, False), (1 - RECENT, True), (-RECENT, False)],
)
async def test_what_was_authenticated_in_the_future_is_not_recent(
    world: World, later: int, is_recent: bool
) -> None:
    session, _ = world.auth.sessions.begin("somebody")

    assert world.auth.sessions.is_recent(session, START + later) is is_recent


async def test_a_session_of_lucias_has_no_beginning_and_is_not_from_the_future() -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET id = ?1, created_at = 0", "l" * 40)
    world.clock.now -= DAY

    answer = await world.browser().get("/me", headers={"cookie": f"{COOKIE}={'l' * 40}"})

    assert answer.status == 200
    world.close()


@pytest.mark.parametrize("age", [5_000, -CLOCK_ERROR - 1], ids=["over", "from the future"])
async def test_a_session_that_was_shared_with_lucia_is_over_as_any_other(age: int) -> None:
    world = World(sessions="migrate", limits=Limits(absolute=5_000))
    await world.signed_up()
    begun = START - age
    await world.sqlite.run(  # as a longer limit has left it
        "UPDATE user_session SET id = ?1, created_at = ?2, active_expires = ?3, idle_expires = ?3",
        "l" * 40,
        begun,
        START + DAY,
    )

    answer = await world.browser().get("/me", headers={"cookie": f"{COOKIE}={'l' * 40}"})

    assert (answer.status, cookies(answer)) == (401, [CLEARED])
    assert await world.rows("user_session") == []
    world.close()


async def test_a_renewal_is_no_sign_in(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += ACTIVE

    assert (await browser.get("/me")).status == 200
    assert (await browser.get("/recent")).status == 403


# --- Two requests at once ------------------------------------------------------------------------


async def test_two_renewals_leave_one_session_and_send_two_cookies(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += ACTIVE + 5

    answers = await asyncio.gather(*[browser.fork(with_cookies=True).get("/me") for _ in range(2)])

    assert [answer.status for answer in answers] == [200, 200]
    assert cookies(answers[0]) == cookies(answers[1]) != []
    assert expiries(await world.rows("user_session")) == [(2 * ACTIVE + 5, 2 * ACTIVE + 5 + IDLE)]


async def test_a_late_renewal_takes_nothing_back(world: World) -> None:
    browser = await world.signed_up()
    world.database = halting = HaltingDatabase(world.sqlite)
    world.clock.now += ACTIVE
    halt = halting.halt(RENEW)
    late = asyncio.create_task(browser.fork(with_cookies=True).get("/me"))
    await halt.reached()
    world.clock.now += 1_000
    await browser.get("/me")

    halt.release()

    assert (await late).status == 200
    assert expiries(await world.rows("user_session")) == [
        (2 * ACTIVE + 1_000, 2 * ACTIVE + IDLE + 1_000)
    ]


@pytest.mark.parametrize(("method", "path"), [("POST", "/sign-out"), ("DELETE", "/me")])
async def test_a_renewal_does_not_revive_what_was_ended_meanwhile(
    world: World, method: str, path: str
) -> None:
    browser = await world.signed_up()
    token = browser.cookies[COOKIE]
    world.database = halting = HaltingDatabase(world.sqlite)
    world.clock.now += ACTIVE
    halt = halting.halt(RENEW)
    renewal = asyncio.create_task(browser.fork(with_cookies=True).get("/me"))
    await halt.reached()
    assert (await browser.request(method, path, json={})).status == 204

    halt.release()

    answer = await renewal
    assert (answer.status, cookies(answer)) == (401, [CLEARED])
    stolen = world.browser()
    assert (await stolen.get("/me", headers={"cookie": f"{COOKIE}={token}"})).status == 401


async def test_a_renewal_does_not_revive_what_was_made_to_expire_meanwhile(world: World) -> None:
    browser = await world.signed_up()
    world.database = halting = HaltingDatabase(world.sqlite)
    world.clock.now += ACTIVE
    halt = halting.halt(RENEW)
    renewal = asyncio.create_task(browser.get("/me"))
    await halt.reached()
    await world.sqlite.run("UPDATE user_session SET idle_expires = ?1", world.clock.now)

    halt.release()

    assert (await renewal).status == 401
    assert (await world.rows("user_session"))[0]["idle_expires"] == world.clock.now


async def test_a_session_renewed_meanwhile_is_not_buried(world: World) -> None:
    browser = await world.signed_up()
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("DELETE FROM user_session")
    world.clock.now = START + ACTIVE + IDLE
    late = asyncio.create_task(browser.fork(with_cookies=True).get("/me"))
    await halt.reached()
    world.clock.now -= 1
    assert (await browser.get("/me")).status == 200

    halt.release()

    assert (await late).status == 401
    assert len(await world.rows("user_session")) == 1


# --- What it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "cookie", "later", "trips"),
    [
        ("/me", "TOKEN", 0, ["SELECT"]),
        ("/admin", "TOKEN", 0, ["SELECT"]),
        ("/recent", "TOKEN", 0, ["SELECT"]),
        ("/greeting", "TOKEN", 0, ["SELECT"]),
        ("/me", "TOKEN", ACTIVE, ["SELECT", "UPDATE"]),
        ("/greeting", "TOKEN", ACTIVE, ["SELECT", "UPDATE"]),
        ("/me", "TOKEN", ACTIVE + IDLE, ["SELECT", "DELETE"]),
        ("/greeting", "TOKEN", ACTIVE + IDLE, ["SELECT", "DELETE"]),
        ("/me", "a" * 40, 0, ["SELECT"]),
        ("/greeting", "a" * 40, 0, ["SELECT"]),
        ("/greeting", "", 0, []),
        ("/me", "a" * 39, 0, []),
        ("/me", "a" * 41, 0, []),
        ("/me", "A" * 40, 0, []),
        ("/me", "a" * 39 + "-", 0, []),
        ("/me", "a" * 39 + "é", 0, []),
        ("/me", "１" * 40, 0, []),  # noqa: RUF001  # full-width digits
        ("/me", "", 0, []),
        ("/public", "TOKEN", ACTIVE, []),
    ],
)
async def test_the_statements_of_a_request(
    world: World, path: str, cookie: str, later: int, trips: list[str]
) -> None:
    browser = await world.signed_up()
    world.clock.now += later
    world.database = counting = CountingDatabase(world.sqlite)

    header = f"{COOKIE}={cookie.replace('TOKEN', browser.cookies[COOKIE])}"
    await world.browser().get(path, headers={"cookie": header})

    assert [[sql.split()[0] for sql in trip] for trip in counting.trips] == [[t] for t in trips]


@pytest.mark.parametrize(
    ("method", "path", "trips"),
    [
        ("POST", "/sign-up", 1),
        ("POST", "/sign-in", 2),
        ("POST", "/sign-out", 2),
        ("PUT", "/password", 4),
        ("DELETE", "/me", 2),
        ("GET", "/sessions", 2),
        ("POST", "/others", 2),
    ],
)
async def test_the_trips_of_a_flow(world: World, method: str, path: str, trips: int) -> None:
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)
    content: dict[str, Any] = {"username": "bob"} if path == "/sign-up" else {}

    answer = await browser.request(method, path, json=content)

    assert answer.status < 300
    assert len(counting.trips) == trips


async def test_the_session_is_found_by_its_primary_key(world: World) -> None:
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)
    await browser.get("/me")

    plan = await world.sqlite.all(dict, f"EXPLAIN QUERY PLAN {counting.statements[0]}", "x")

    assert [row["detail"].split()[0] for row in plan] == ["SEARCH", "SEARCH"]


# --- Lists, and the end of many ------------------------------------------------------------------


async def test_the_list_is_of_living_sessions_newest_first(world: World) -> None:
    await world.signed_up()
    world.clock.now += ACTIVE + IDLE - 1
    second = await world.signed_in()
    world.clock.now += 1
    third = await world.signed_in()

    handles = json_of(await third.get("/sessions"))

    assert len(handles) == 2
    assert handles[0] in json_of(await third.get("/me"))["repr"]
    assert handles[1] in json_of(await second.get("/me"))["repr"]


async def test_others_are_ended_and_counted(world: World) -> None:
    first = await world.signed_up()
    bob = await world.signed_up("bob")
    others = [await world.signed_in() for _ in range(3)]

    answer = await first.post("/others")

    assert json_of(answer) == 3
    statuses = [(await each.get("/me")).status for each in [first, bob, *others]]
    assert statuses == [200, 200, 401, 401, 401]


async def test_a_purge_takes_what_is_dead_and_nothing_else(world: World) -> None:
    await world.signed_up()
    await world.browser().post("/sign-in", json={"username": "nobody"})
    world.clock.now += ACTIVE + IDLE - 1
    alive = await world.signed_in()
    assert await world.auth.purge(world.sqlite) == 0
    world.clock.now += 1

    assert await world.auth.purge(world.sqlite) == 1

    assert (await alive.get("/me")).status == 200
    assert await world.rows("sign_in_attempt") == []


async def test_a_role_is_read_on_every_request(world: World) -> None:
    browser = await world.signed_up()
    before = (await browser.get("/admin")).status
    await world.sqlite.run("UPDATE user SET role = 'admin'")

    assert (before, (await browser.get("/admin")).status) == (403, 200)


class Rank(Enum):
    USER = "user"
    ADMIN = "admin"


class Ranked(User, frozen=True, kw_only=True):
    """A user whose role is a member of an Enum, or none."""

    username: str
    role: Rank | None = None


class Named(User, frozen=True, kw_only=True):
    """A user whose role is one of two words."""

    role: Literal["user", "admin"] = "user"


async def test_a_role_may_be_a_member_of_an_enum(world: World) -> None:
    browser = await world.signed_up()
    auth = Auth(user=Ranked, clock=world.clock)

    @world.app.get("/ranked", guard=auth.guard() & auth.role("admin"))
    async def ranked(user: Ranked) -> str:
        return str(user.role)

    before = (await browser.get("/ranked")).status
    await world.sqlite.run("UPDATE user SET role = 'admin'")

    assert (before, (await browser.get("/ranked")).status) == (403, 200)


@pytest.mark.parametrize("user", [Ranked, Named])
def test_a_role_that_nobody_can_have_is_refused(user: type[User]) -> None:
    with pytest.raises(ConfigurationError, match=r"\.role is never 'amdin': nobody would pass"):
        Auth(user=user).role("amdin")


# --- The cookie ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("http://localhost", "auth_session"),
        ("http://localhost:8787", "auth_session"),
        ("http://127.0.0.1:1", "auth_session"),
        ("http://[::1]", "auth_session"),
        ("http://[::1]:8787", "auth_session"),
        ("https://localhost", "__Host-auth_session"),
        ("https://example.com", "__Host-auth_session"),
        ("http://example.com", "__Host-auth_session"),
        ("http://localhost.evil.com", "__Host-auth_session"),
        ("http://evil.localhost", "__Host-auth_session"),
        ("http://127.0.0.1.nip.io", "__Host-auth_session"),
        ("http://localhost@evil.com", "__Host-auth_session"),
        ("http://0.0.0.0", "__Host-auth_session"),
        ("http://[::1].evil.com", "__Host-auth_session"),
    ],
)
async def test_the_url_decides_how_strict_the_cookie_is(
    world: World, base_url: str, name: str
) -> None:
    answer = await world.browser(base_url).post("/sign-up", json={})

    session, device = cookies(answer)
    assert session.startswith(f"{name}=")
    assert device.startswith(f"{name.replace('session', 'device')}=")
    for cookie in (session, device):
        assert ("; Secure" in cookie) is name.startswith("__Host-")
        assert cookie.endswith("; HttpOnly; SameSite=Lax")
        assert "Domain" not in cookie


@pytest.mark.parametrize("name", ["", "my session", "a=b", "a;b", "sitzung\xfc", "a\n"])
def test_a_name_that_no_cookie_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a cookie"):
        Auth(cookie=name)
    with pytest.raises(ConfigurationError, match="cannot name a cookie"):
        Auth(device_cookie=name)


async def test_a_clock_that_is_behind_asks_for_no_cookie_of_more_than_400_days() -> None:
    longest = 400 * DAY
    world = World(limits=Limits(idle=longest, absolute=longest))
    browser = await world.signed_up()
    world.clock.now -= 1500  # another server's

    assert (await browser.post("/rotate")).status == 200
    assert (await browser.get("/me")).status == 200
    world.close()


@pytest.mark.parametrize("names", [{"cookie": "auth_device"}, {"device_cookie": "auth_session"}])
def test_the_two_cookies_have_two_names(names: Any) -> None:
    with pytest.raises(ConfigurationError, match="cookie= and device_cookie= are both"):
        Auth(**names)


async def test_on_https_the_plain_name_opens_nothing(world: World) -> None:
    browser = world.browser("https://example.com")
    await browser.post("/sign-up", json={})
    token = browser.cookies["__Host-auth_session"]

    for header in (f"auth_session={token}", f"__host-auth_session={token}"):
        assert (await browser.get("/me", headers={"cookie": header})).status == 401


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("S=TOKEN", 200),
        ("S=TOKEN; S=TOKEN", 200),
        ("S=TOKEN; S=OTHER", 401),
        ("S=OTHER; S=TOKEN", 401),
        ("S=TOKEN; S=", 401),
        ("S=TOKEN, S=TOKEN", 401),
        ('S="TOKEN"', 401),
    ],
)
async def test_two_cookies_that_differ_are_none(world: World, header: str, status: int) -> None:
    browser, other = await world.signed_up(), await world.signed_up("bob")
    header = header.replace("TOKEN", browser.cookies[COOKIE])
    header = header.replace("OTHER", other.cookies[COOKIE]).replace("S=", f"{COOKIE}=")

    answer = await world.browser().get("/me", headers={"cookie": header})

    assert answer.status == status
    assert cookies(answer) == ([] if status == 200 else [CLEARED])


async def test_what_was_not_awaited_lets_nobody_in(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await world.signed_up()

    assert (await browser.get("/not-awaited")).status == 500
    assert "await this before testing it: until then it would always be true" in caplog.text


async def test_many_people_at_once_are_told_apart(world: World) -> None:
    people: dict[str, Client] = {
        name: await world.signed_up(name) for name in ("ann", "bob", "cat")
    }
    world.clock.now += ACTIVE

    answers = await asyncio.gather(*[browser.get("/me") for browser in [*people.values()] * 20])

    assert [json_of(answer)["username"] for answer in answers] == [*people] * 20


@pytest.mark.parametrize("sessions", ["hashed", "migrate"])
async def test_two_ways_past_the_guard_ask_it_once(sessions: str) -> None:
    world = World(sessions=sessions)
    auth, site = world.auth, "https://example.com"
    admin, user = auth.guard() & auth.role("admin"), auth.guard() & auth.role("user")

    @world.app.post("/either", guard=admin | user)
    async def either(c: Context, session: Session) -> list[bool]:
        listed = await auth.list_sessions(c)
        await auth.end_other_sessions(c)
        return [session.id == other.id for other in listed]

    browser = world.browser(site)
    await browser.post("/sign-up", json={})
    world.clock.now += ACTIVE  # idle, so that the guard renews it
    header = f"__Host-auth_session={browser.cookies['__Host-auth_session']}"
    if sessions == "migrate":  # as Lucia has left it: its token as it is, in its own cookie
        await world.sqlite.run("UPDATE user_session SET id = ?1", "a" * 40)
        header = f"{COOKIE}={'a' * 40}"
    world.database = counting = CountingDatabase(world.sqlite)

    answer = await browser.post("/either", headers={"cookie": header})

    assert json_of(answer) == [True]
    assert sum(RENEW in sql for sql in counting.statements) == 1
    assert (await browser.get("/me")).status == 200
    world.close()
