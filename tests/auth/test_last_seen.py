"""When a session was last seen: written at most hourly, after the answer, and trusted with nothing."""

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.auth import GRACE, Limits, Session
from framework.auth.legacy import LuciaHasher
from framework.database import ConstraintViolation, DatabaseError, Transient
from framework.request import Request
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.clock import START
from tests.auth.databases import CountingDatabase, FaultyDatabase, HaltingDatabase
from tests.auth.world import World

ROOT = Path(__file__).parents[2]
COOKIE = "auth_session"
HOUR = 3_600_000
DAY = 24 * HOUR
NOTE = "UPDATE user_session SET last_seen_at"


@pytest.fixture
def world() -> Iterator[World]:
    """A world that also tells by token, to nobody but for whom somebody is signed in, when."""
    world = World()

    @world.app.get("/bearer", guard=world.auth.bearer_guard())
    async def bearer(session: Session) -> int:
        return (session.last_seen_at - START) // HOUR

    yield world
    world.close()


async def seen(world: World) -> list[int]:
    """Return when each session was last seen, in milliseconds from the start of the test."""
    return [row["last_seen_at"] - START for row in await world.rows("user_session")]


class Edge:
    """Answers as the Worker does: what goes on after an answer waits until `finish`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.work: list[Awaitable[Any]] = []

    async def get(self, path: str, browser: Client) -> Response:
        """Return the answer to what *browser* asks for at *path*."""
        cookie = f"{COOKIE}={browser.cookies[COOKIE]}"
        request = Request.build("GET", path, [("cookie", cookie)])
        return await self.world.app.handle(request, {"DB": self.world.database}, self.work.append)

    async def finish(self) -> None:
        """Do what was left for later."""
        work, self.work = self.work, []
        await asyncio.gather(*work)


# --- How often, and when -------------------------------------------------------------------------


async def test_a_session_begins_as_seen(world: World) -> None:
    browser = await world.signed_up()
    await world.signed_in()
    [row] = await world.rows("user")
    new = await world.auth.sessions.create(world.sqlite, row["id"])

    assert await seen(world) == [0, 0, 0]
    assert new.session.last_seen_at == START
    assert (await browser.get("/me")).status == 200


async def test_within_the_hour_nothing_is_written_and_then_once(world: World) -> None:
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)

    for minutes in range(0, 180, 5):
        world.clock.now = START + minutes * 60_000
        assert (await browser.get("/me")).status == 200

    writes = [sql for sql in counting.statements if not sql.startswith("SELECT")]
    assert len(writes) == 2
    assert len(counting.statements) == 36 + 2
    assert await seen(world) == [2 * HOUR]


@pytest.mark.parametrize(
    ("later", "expected"), [(0, 0), (HOUR - 1, 0), (HOUR, HOUR), (DAY - 1, DAY - 1), (DAY, DAY)]
)
@pytest.mark.parametrize("path", ["/me", "/greeting", "/bearer"])
async def test_an_hour_is_an_hour_however_the_session_comes(
    world: World, path: str, later: int, expected: int
) -> None:
    browser = await world.signed_up()
    token = browser.cookies[COOKIE]
    world.clock.now += later
    headers = {"authorization": f"Bearer {token}"}

    answer = await (world.browser() if path == "/bearer" else browser).get(path, headers=headers)

    assert answer.status == 200
    assert await seen(world) == [expected]


@pytest.mark.parametrize(("later", "expected"), [(HOUR - 1, 0), (HOUR, 1)])
async def test_a_handler_sees_what_is_written(world: World, later: int, expected: int) -> None:
    headers = {"authorization": f"Bearer {(await world.signed_up()).cookies[COOKIE]}"}
    world.clock.now += later

    answer = await world.browser().get("/bearer", headers=headers)

    assert json_of(answer) == expected


@pytest.mark.parametrize(("later", "expected"), [(4_999, 0), (5_000, 5_000)])
async def test_the_hour_is_a_limit_like_any(later: int, expected: int) -> None:
    world = World(limits=Limits(last_seen=5_000))
    browser = await world.signed_up()
    world.clock.now += later

    await browser.get("/me")

    assert await seen(world) == [expected]
    world.close()


async def test_the_answer_waits_for_one_trip_and_the_write_comes_after_it(world: World) -> None:
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)
    world.clock.now += HOUR
    edge = Edge(world)

    answer = await edge.get("/me", browser)

    assert (answer.status, len(counting.trips)) == (200, 1)
    assert await seen(world) == [0]
    await edge.finish()
    assert len(counting.trips) == 2
    assert counting.statements[-1].startswith(NOTE)
    assert await seen(world) == [HOUR]


@pytest.mark.parametrize("path", ["/me", "/public"])
async def test_a_request_that_asks_for_no_session_leaves_nothing_to_do(
    world: World, path: str
) -> None:
    browser = await world.signed_up()
    world.clock.now += HOUR if path == "/public" else HOUR - 1
    edge = Edge(world)

    assert (await edge.get(path, browser)).status == 200
    assert edge.work == []


async def test_many_requests_at_once_write_once(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += HOUR
    edge = Edge(world)
    await asyncio.gather(*[edge.get("/me", browser) for _ in range(20)])
    changes = "SELECT total_changes() AS changes"
    [before] = await world.sqlite.all(dict, changes)

    await edge.finish()

    [after] = await world.sqlite.all(dict, changes)
    assert after["changes"] - before["changes"] == 1
    assert await seen(world) == [HOUR]


async def test_a_late_write_takes_nothing_back(world: World) -> None:
    browser = await world.signed_up()
    late, prompt = Edge(world), Edge(world)
    world.clock.now += HOUR
    await late.get("/me", browser)
    world.clock.now += HOUR
    await prompt.get("/me", browser)
    await prompt.finish()

    await late.finish()

    assert await seen(world) == [2 * HOUR]


async def test_a_clock_that_is_behind_writes_nothing(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now -= HOUR

    assert (await browser.get("/me")).status == 200
    assert await seen(world) == [0]


# --- With what else becomes of a session ---------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("POST", "/rotate"), ("PUT", "/password")])
@pytest.mark.parametrize("limits", [Limits(), Limits(grace=GRACE)], ids=["no grace", "grace"])
async def test_a_session_that_takes_anothers_place_is_seen_then(
    method: str, path: str, limits: Limits
) -> None:
    world = World(limits=limits)
    browser = await world.signed_up()
    world.clock.now += HOUR - 1

    assert (await browser.request(method, path, json={})).status < 300

    rows = await world.rows("user_session")
    [new] = [row for row in rows if row["idle_expires"] > world.clock.now + GRACE]
    assert new["last_seen_at"] == world.clock.now
    world.close()


async def test_an_old_token_in_its_grace_writes_nothing() -> None:
    world = World(limits=Limits(grace=GRACE))
    browser = await world.signed_up()
    tabs = [browser.fork(with_cookies=True) for _ in range(5)]
    await browser.post("/rotate")
    world.database = counting = CountingDatabase(world.sqlite)

    statuses = [(await tab.get("/me")).status for tab in tabs]

    assert statuses == [200] * 5
    assert all(sql.startswith("SELECT") for sql in counting.statements)
    world.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "/sign-out"), ("DELETE", "/me")])
async def test_what_was_ended_meanwhile_stays_ended(world: World, method: str, path: str) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    world.clock.now += HOUR
    edge = Edge(world)
    await edge.get("/me", browser)
    assert (await browser.request(method, path)).status == 204

    await edge.finish()

    assert await world.rows("user_session") == []
    assert (await before.get("/me")).status == 401


async def test_what_was_replaced_meanwhile_is_not_touched(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += HOUR
    edge = Edge(world)
    await edge.get("/me", browser)
    await world.sqlite.run("UPDATE user_session SET id = 'another', last_seen_at = 7")

    await edge.finish()

    assert [row["last_seen_at"] for row in await world.rows("user_session")] == [7]


async def test_to_be_seen_lengthens_nothing_and_gives_no_rights(world: World) -> None:
    browser = await world.signed_up()
    before = await world.rows("user_session")
    world.clock.now += HOUR
    await browser.get("/me")

    [row] = await world.rows("user_session")

    assert [{**row, "last_seen_at": START}] == before
    assert (await browser.get("/recent")).status == 403


@pytest.mark.parametrize("claimed", [0, 2**53 - 1, -1])
async def test_nothing_is_decided_by_it(world: World, claimed: int) -> None:
    browser = await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET last_seen_at = ?1", claimed)

    statuses = [(await browser.get(path)).status for path in ("/me", "/recent", "/admin")]
    world.clock.now += 15 * DAY

    assert statuses == [200, 200, 403]
    assert (await browser.get("/me")).status == 401


async def test_a_program_that_validates_notes_nothing(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += HOUR
    counting = CountingDatabase(world.sqlite)

    session, _ = await world.auth.sessions.validate(counting, browser.cookies[COOKIE])

    assert (len(counting.statements), session.last_seen_at) == (1, START)


# --- Where the write fails -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [Transient("D1_ERROR: Network connection lost."), ConstraintViolation("no")], ids=repr
)
@pytest.mark.parametrize("is_lost_after", [False, True], ids=["not done", "answer lost"])
async def test_a_write_that_fails_is_logged_and_fails_no_request(
    world: World, error: DatabaseError, is_lost_after: bool, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await world.signed_up()
    world.database = faulty = FaultyDatabase(world.sqlite, error=error)
    world.clock.now += HOUR
    faulty.arm(2, is_lost_after=is_lost_after)

    answer = await browser.get("/me")

    assert (answer.status, json_of(answer)["username"]) == (200, "alice")
    assert f"GET /me: {str(error)!r}" in caplog.text
    assert await seen(world) == [HOUR if is_lost_after else 0]
    assert (await browser.get("/me")).status == 200
    assert await seen(world) == [HOUR]


@pytest.mark.parametrize("later", [0, 1, DAY], ids=str)
async def test_where_an_idle_session_could_not_be_renewed_nothing_more_is_written(
    world: World, later: int
) -> None:
    browser = await world.signed_up()
    world.database = faulty = FaultyDatabase(world.sqlite, error=Transient("out"))
    world.clock.now += world.auth.limits.active + later
    faulty.arm(2)

    assert (await browser.get("/me")).status == 200
    assert await seen(world) == [0]


async def test_an_answer_does_not_wait_for_a_write_that_hangs(world: World) -> None:
    browser = await world.signed_up()
    world.database = halting = HaltingDatabase(world.sqlite)
    world.clock.now += HOUR
    halt = halting.halt(NOTE)
    edge = Edge(world)

    answers = [await edge.get("/me", browser) for _ in range(3)]
    finishing = asyncio.create_task(edge.finish())
    await halt.reached()
    answers.append(await edge.get("/me", browser))
    halt.release()
    await finishing
    await edge.finish()

    assert [answer.status for answer in answers] == [200] * 4
    assert await seen(world) == [HOUR]


# --- Where it is not known -----------------------------------------------------------------------


async def test_a_row_from_before_is_not_known_until_it_is_used(world: World) -> None:
    browser = await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET last_seen_at = 0")
    [user] = await world.rows("user")
    [before] = await world.auth.sessions.for_user(world.sqlite, user["id"])

    await browser.get("/me")

    [after] = await world.auth.sessions.for_user(world.sqlite, user["id"])
    assert (before.last_seen_at, after.last_seen_at) == (0, START)


async def test_beside_lucia_nothing_is_kept_of_it() -> None:
    world = World(sessions="shared", hasher=LuciaHasher(writes="s2"))
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)

    for later in (0, HOUR, DAY, 2 * DAY):
        world.clock.now = START + later
        assert (await browser.get("/me")).status == 200

    assert [row["last_seen_at"] for row in await world.rows("user_session")] == [0]
    assert [sql for sql in counting.statements if sql.startswith(NOTE)] == []
    world.close()


async def test_a_session_that_lucia_began_is_seen_when_it_comes_over() -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    token = "l" * 40
    await world.sqlite.run("UPDATE user_session SET id = ?1, last_seen_at = 0", token)

    answer = await world.browser().get("/me", headers={"cookie": f"{COOKIE}={token}"})

    assert answer.status == 200

    rows = await world.rows("user_session")
    assert {row["last_seen_at"] - START for row in rows} == {0}
    assert token not in {row["id"] for row in rows if row["idle_expires"] > START + GRACE}
    world.close()
