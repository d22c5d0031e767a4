"""What a session does while it is ended elsewhere: it is over when that is answered, and not before."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from framework import Context, public
from framework.auth import GRACE, Limits, Session
from framework.middleware.timeout import timeout
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.databases import CountingDatabase, FaultyDatabase, Halt, HaltingDatabase
from tests.auth.recovering import ADDRESS, Recovering
from tests.auth.world import USERNAME, World

COOKIE = "auth_session"
CLEARED = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
GUARD = "SELECT s.id"
WRITES = [
    ("PUT", "/password", {"new": "battery staple"}),
    ("DELETE", "/me", {}),
    ("POST", "/others", {}),
    ("POST", "/email", {"email": "thief@example.com"}),
    ("POST", "/code", {}),
    ("POST", "/verify", {"code": "12345678"}),
]
"""What a session writes, and what it sends."""


def cookies(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


async def hold(world: World, sql: str) -> tuple[Halt, HaltingDatabase]:
    halting = HaltingDatabase(world.sqlite)
    world.database = halting
    return halting.halt(sql), halting


async def passed_the_guard(
    world: World, call: Any, sql: str
) -> tuple[Halt, asyncio.Task[Response]]:
    """Let *call* go as far as the batch that holds *sql*; what comes next is not halted."""
    halt, _ = await hold(world, sql)
    task = asyncio.ensure_future(call)
    await halt.reached()
    world.database = world.sqlite
    return halt, task


async def made_lucias(world: World, **columns: int) -> dict[str, str]:
    """Make the one session of *world* one of Lucia's, with *columns*; return the header that shows it."""
    changes = "".join(f", {name} = {value}" for name, value in columns.items())
    sql = f"UPDATE user_session SET id = ?1, created_at = 0{changes}"
    await world.sqlite.run(sql, "l" * 40)
    return {"cookie": f"{COOKIE}={'l' * 40}"}


@pytest.fixture
def both() -> Iterator[Recovering]:
    """A world with mails, and with all that ends sessions."""
    world = Recovering()
    auth, authorized = world.auth, world.auth.guard()

    @world.app.post("/others", guard=authorized)
    async def end_others(c: Context) -> int:
        return await auth.end_other_sessions(c)

    @world.app.post("/sign-out", guard=authorized)
    async def sign_out(c: Context) -> None:
        await auth.sign_out(c)

    yield world
    world.close()


# --- Writes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["sign-out", "reset", "all"])
@pytest.mark.parametrize(("method", "path", "json"), WRITES, ids=[path for _, path, _ in WRITES])
async def test_a_session_that_was_ended_writes_nothing(
    both: Recovering, method: str, path: str, json: dict[str, str], ends: str
) -> None:
    browser = await both.verified()
    thief = browser.fork(with_cookies=True)
    owner = await both.signed_in()
    token = await both.mailed()
    halt, late = await passed_the_guard(
        both, thief.request(method, path, json=json), "NULL, NULL, NULL, NULL"
    )
    if ends == "sign-out":
        assert (await browser.post("/sign-out")).status == 204
    elif ends == "reset":
        assert (await both.reset(token)).status == 204
    else:
        await both.sqlite.run("DELETE FROM user_session")
    tables = ("user", "user_key", "user_session", "known_device", "email_code", "password_reset")
    before = [await both.rows(table) for table in tables]

    halt.release()

    answer = await late
    assert (answer.status, json_of(answer)["code"], cookies(answer)) == (
        401,
        "unauthorized",
        [CLEARED],
    )
    assert [await both.rows(table) for table in tables] == before
    assert (await owner.get("/me")).status == (200 if ends == "sign-out" else 401)


async def test_the_apps_own_statements_are_undone_with_the_rest(world: World) -> None:
    browser = await world.signed_up()
    await world.sqlite.run(
        "INSERT INTO note (user_id, title, body, created_at, updated_at)"
        " SELECT id, 't', 'b', 0, 0 FROM user"
    )
    halt, late = await passed_the_guard(world, browser.delete("/me"), "DELETE FROM note")
    await world.sqlite.run("DELETE FROM user_session")

    halt.release()

    assert (await late).status == 401
    assert (len(await world.rows("note")), len(await world.rows("user"))) == (1, 1)


async def test_what_the_app_breaks_is_no_session_that_is_over(world: World) -> None:
    browser = await world.signed_up()
    await world.sqlite.run(
        "CREATE TRIGGER stays BEFORE DELETE ON user BEGIN SELECT RAISE(ABORT, 'no'); END"
    )

    answer = await browser.delete("/me")

    assert (answer.status, cookies(answer)) == (500, [])
    assert (await browser.get("/me")).status == 200


async def test_a_session_that_was_replaced_changes_no_password_in_its_grace() -> None:
    world = World(limits=Limits(grace=GRACE))
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    halt, late = await passed_the_guard(world, before.delete("/me"), "DELETE FROM note")
    assert (await browser.post("/rotate")).status == 200

    halt.release()

    answer = await late
    assert (answer.status, cookies(answer)) == (401, [])
    assert (await browser.get("/me")).status == 200
    world.close()


async def test_nor_does_it_end_others_where_it_was_over_in_a_moment_anyway() -> None:
    world = World(limits=Limits(grace=GRACE))
    browser = await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET idle_expires = ?1", world.clock.now + GRACE - 1)
    halt, late = await passed_the_guard(
        world, browser.fork(with_cookies=True).post("/others"), "DELETE FROM user_session"
    )
    assert (await browser.request("PUT", "/password", json={})).status == 204

    halt.release()

    assert (await late).status == 401
    assert (await browser.get("/me")).status == 200
    world.close()


async def test_nor_does_one_of_lucias_end_what_took_its_place() -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    old = await made_lucias(world, authenticated_at=0)
    browser, late_browser = [world.browser("https://example.com") for _ in range(2)]
    halt, late = await passed_the_guard(
        world, late_browser.post("/others", headers=old), "UPDATE user_session SET id"
    )
    assert (await browser.get("/me", headers=old)).status == 200

    halt.release()

    assert ((await late).status, cookies(await late)) == (401, [])
    assert (await browser.get("/me")).status == 200
    world.close()


@pytest.mark.parametrize("replaces", [("PUT", "/password"), ("POST", "/rotate")])
@pytest.mark.parametrize(("method", "path"), [("DELETE", "/me"), ("POST", "/others")])
async def test_nor_does_one_that_comes_with_it_later(
    method: str, path: str, replaces: tuple[str, str]
) -> None:
    world = World(limits=Limits(grace=GRACE))
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    assert (await browser.request(*replaces, json={})).status < 300
    assert (await before.get("/me")).status == 200

    refused = await before.request(method, path)

    assert (refused.status, json_of(refused)["code"]) == (401, "unauthorized")
    assert cookies(refused) == []  # by now the browser may have the one that took its place
    assert (await browser.get("/me")).status == 200
    world.close()


async def test_nor_does_what_is_left_of_lucias() -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    old = await made_lucias(world, authenticated_at=0)
    browser = world.browser("https://example.com")
    await browser.get("/me", headers=old)

    assert (await browser.fork().get("/me", headers=old)).status == 200
    assert (await browser.fork().delete("/me", headers=old)).status == 401
    assert (await browser.delete("/me")).status == 204
    world.close()


# --- Signing out ----------------------------------------------------------------------------------


@pytest.mark.parametrize("grace", [0, GRACE])
async def test_signing_out_ends_what_a_rotation_made_meanwhile(grace: int) -> None:
    world = World(limits=Limits(grace=grace))
    browser = await world.signed_up()
    world.clock.now += 1
    other = await world.signed_in()
    leaving = browser.fork(with_cookies=True)
    halt, late = await passed_the_guard(
        world, leaving.post("/sign-out"), "DELETE FROM user_session"
    )
    before = browser.fork(with_cookies=True)
    world.clock.now += 1  # later than the batch that is on its way says that it is
    assert (await browser.post("/rotate")).status == 200

    halt.release()

    assert (await late).status == 204
    assert [(await each.get("/me")).status for each in (browser, before)] == [401, 401]
    assert (await other.get("/me")).status == 200
    world.close()


@pytest.mark.parametrize(("method", "path"), [("PUT", "/password"), ("POST", "/sign-out")])
async def test_signing_out_too_late_is_told(world: World, method: str, path: str) -> None:
    browser = await world.signed_up()
    leaving = browser.fork(with_cookies=True)
    halt, late = await passed_the_guard(
        world, leaving.post("/sign-out"), "DELETE FROM user_session"
    )
    world.clock.now += 1  # what begins with a new password is told from what was before by that
    assert (await browser.request(method, path, json={})).status == 204
    sessions = await world.rows("user_session")

    halt.release()

    answer = await late
    assert (answer.status, cookies(answer)) == (401, [CLEARED])
    assert await world.rows("user_session") == sessions


@pytest.mark.parametrize("username", ["alice", "bob"])
async def test_signing_in_ends_what_a_rotation_made_meanwhile(world: World, username: str) -> None:
    browser = await world.signed_up()
    await world.signed_up("bob")
    rotating = browser.fork(with_cookies=True)
    world.clock.now += 1_000
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("INSERT INTO user_session")
    signing_in = asyncio.create_task(browser.post("/sign-in", json={"username": username}))
    await halt.reached()
    assert (await rotating.post("/rotate")).status == 200

    halt.release()

    assert (await signing_in).status == 200
    assert (await rotating.get("/me")).status == 401
    assert json_of(await browser.get("/me"))["username"] == username
    assert len(await world.rows("user_session")) == 2  # this one, and bob's own browser


async def test_to_look_for_what_was_presented_costs_signing_in_no_trip(world: World) -> None:
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)

    await browser.post("/sign-in", json={})
    await world.browser().post("/sign-in", json={})

    with_cookie, _, without, _ = counting.trips
    assert [sql.split()[0] for sql in with_cookie].count("SELECT") == 3
    assert [sql.split()[0] for sql in without].count("SELECT") == 2


async def test_a_rotation_too_late_makes_no_session(world: World) -> None:
    browser = await world.signed_up()
    late_browser = browser.fork(with_cookies=True)
    halt, late = await passed_the_guard(
        world, late_browser.post("/rotate"), "UPDATE user_session SET id"
    )
    assert (await browser.post("/sign-out")).status == 204

    halt.release()

    assert cookies(await late) == []
    assert await world.rows("user_session") == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/rotate"), ("PUT", "/password"), ("POST", "/sign-in")]
)
async def test_of_what_was_replaced_meanwhile_a_rotation_makes_no_session(
    method: str, path: str
) -> None:
    world = World(limits=Limits(grace=GRACE))
    browser = await world.signed_up()
    late_browser = browser.fork(with_cookies=True)
    halt, late = await passed_the_guard(
        world, late_browser.post("/rotate"), "UPDATE user_session SET id"
    )
    world.clock.now += 1  # what was replaced by now lives on for longer than the late one knows
    assert (await browser.request(method, path, json={})).status < 300

    halt.release()

    assert cookies(await late) == []
    world.clock.now += GRACE
    assert [(await each.get("/me")).status for each in (late_browser, browser)] == [401, 200]
    assert len(await world.rows("user_session")) == 1
    world.close()


async def test_of_lucias_session_one_of_ours_is_made() -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    old = await made_lucias(world)
    browser, late_browser = [world.browser("https://example.com") for _ in range(2)]
    halt, late = await passed_the_guard(
        world, late_browser.get("/me", headers=old), "UPDATE user_session SET id"
    )
    world.clock.now += 1
    assert (await browser.get("/me", headers=old)).status == 200

    halt.release()

    assert ((await late).status, late_browser.cookies) == (200, {})
    assert (await browser.post("/sign-out")).status == 204
    assert await world.rows("user_session") == []
    world.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "/rotate"), ("POST", "/sign-in")])
@pytest.mark.parametrize("by_old", [False, True], ids=["by the new", "by the old"])
async def test_signing_out_ends_the_grace_of_what_was_replaced(
    method: str, path: str, by_old: bool
) -> None:
    world = World(limits=Limits(grace=GRACE))
    browser = await world.signed_up()
    old = browser.fork(with_cookies=True)
    await browser.request(method, path, json={})
    new = browser.fork(with_cookies=True)

    assert (
        await (old.fork(with_cookies=True) if by_old else browser).post("/sign-out")
    ).status == 204

    assert [(await each.get("/me")).status for each in (old, new)] == [401, 401]
    world.close()


async def test_of_two_sessions_that_began_together_one_is_ended(world: World) -> None:
    first, second = await world.signed_up(), await world.signed_in()

    assert (await first.post("/sign-out")).status == 204

    assert (await second.get("/me")).status == 200


@pytest.mark.parametrize("what", ["sign-out", "delete", "end"])
async def test_nobody_is_signed_in_after_that_in_the_same_request(world: World, what: str) -> None:
    auth = world.auth

    @world.app.post("/leave", guard=auth.guard())
    async def leave(c: Context) -> list[bool]:
        if what == "sign-out":
            await auth.sign_out(c)
        elif what == "delete":
            await auth.delete_user(c)
        else:
            await auth.end_session(c, c.get(auth.session_slot).handle)
        return [await auth.session(c) is None, await auth.user(c) is None]

    browser = await world.signed_up()

    answer = await browser.post("/leave")

    assert (json_of(answer), cookies(answer)) == ([True, True], [CLEARED])


@pytest.fixture
def doors() -> Iterator[World]:
    """A world with a way out for whoever comes, and one that clears the cookie in an outage."""
    world = World()
    auth = world.auth

    @world.app.post("/out", guard=public)
    async def out(c: Context) -> None:
        await auth.sign_out(c)

    @world.app.post("/leave", guard=auth.guard(for_sign_out=True))
    async def leave(c: Context) -> None:
        await auth.sign_out(c)

    yield world
    world.close()


@pytest.mark.parametrize(
    ("path", "state", "status", "sent"),
    [
        ("/out", "alive", 204, [CLEARED]),
        ("/out", "dead", 204, [CLEARED]),
        ("/out", "none", 204, []),
        ("/leave", "alive", 204, [CLEARED]),
        ("/leave", "dead", 401, [CLEARED]),
        ("/leave", "none", 401, []),
    ],
)
async def test_who_gets_out(
    doors: World, path: str, state: str, status: int, sent: list[str]
) -> None:
    browser = await doors.signed_up()
    if state == "dead":
        await doors.sqlite.run("DELETE FROM user_session")

    answer = await (doors.browser() if state == "none" else browser).post(path)

    assert (answer.status, cookies(answer)) == (status, sent)
    assert answer.header("cache-control") == "private, no-store"
    assert len(await doors.rows("user_session")) == (1 if state == "none" else 0)


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("path", ["/out", "/leave"])
async def test_an_outage_clears_the_cookie_and_says_so(
    doors: World, path: str, fails_at: int
) -> None:
    browser = await doors.signed_up()
    doors.database = faulty = FaultyDatabase(doors.sqlite)
    faulty.arm(fails_at)

    answer = await browser.post(path)

    assert (answer.status, cookies(answer)) == (503, [CLEARED])
    assert len(await doors.rows("user_session")) == 1


@pytest.mark.parametrize("path", ["/out", "/leave"])
async def test_getting_out_takes_two_trips_and_asks_nothing_without_a_cookie(
    doors: World, path: str
) -> None:
    browser = await doors.signed_up()
    doors.database = counting = CountingDatabase(doors.sqlite)

    await browser.post(path)
    await doors.browser().post(path)

    assert [len(trip) for trip in counting.trips] == [1, 1]


async def test_another_sites_page_signs_nobody_out(doors: World) -> None:
    browser = await doors.signed_up()

    for path in ("/out", "/leave"):
        answer = await browser.post(path, headers={"sec-fetch-site": "cross-site"})
        assert (answer.status, cookies(answer)) == (403, [])

    assert (await browser.get("/me")).status == 200


# --- Ending one of one's sessions -----------------------------------------------------------------


async def listed(browser: Client) -> list[str]:
    return [str(handle) for handle in json_of(await browser.get("/sessions"))]


@pytest.mark.parametrize(("method", "path"), [("POST", "/rotate"), ("POST", "/sign-out")])
async def test_to_end_what_has_another_name_by_now_is_not_found(
    world: World, method: str, path: str
) -> None:
    browser = await world.signed_up()
    [own] = await listed(browser)
    other = await world.signed_in()
    [handle] = [each for each in await listed(browser) if each != own]
    halt, late = await passed_the_guard(
        world, browser.delete(f"/sessions/{handle}"), "DELETE FROM user_session"
    )
    await other.request(method, path)

    halt.release()

    answer = await late
    assert (answer.status, cookies(answer)) == (404, [])
    assert (await browser.get("/me")).status == 200
    for left in await listed(browser):
        if left != own:
            assert (await browser.delete(f"/sessions/{left}")).status == 204
    assert (await other.get("/me")).status == 401


async def test_a_session_that_is_over_ends_no_other(world: World) -> None:
    thief = await world.signed_up()
    [own] = await listed(thief)
    owner = await world.signed_in()
    [handle] = [each for each in await listed(owner) if each != own]
    halt, late = await passed_the_guard(
        world, thief.delete(f"/sessions/{handle}"), "DELETE FROM user_session"
    )
    assert (await owner.post("/others")).status == 200

    halt.release()

    assert (await late).status == 401
    assert (await owner.get("/me")).status == 200


@pytest.mark.parametrize(
    ("path", "halted", "left"),
    [
        ("/sign-out", "UPDATE user_session SET id", 0),
        ("/sign-out", "DELETE FROM user_session", 0),
        ("/sign-in", "DELETE FROM user_session", 1),
    ],
)
async def test_what_took_the_place_of_lucias_ends_with_it(
    path: str, halted: str, left: int
) -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    old = await made_lucias(world)
    other = world.browser("https://example.com")
    call = other.fork().post(path, headers=old, json={})
    halt, late = await passed_the_guard(world, call, halted)
    assert (await other.get("/me", headers=old)).status == 200

    halt.release()

    assert (await late).status < 300
    world.clock.now += GRACE
    assert (await other.get("/me")).status == 401
    assert len(await world.rows("user_session")) == left
    world.close()


# --- Links ----------------------------------------------------------------------------------------


BY_HAND = {
    "moved": "UPDATE user SET email = 'other@example.com'",
    "unverified": "UPDATE user SET email_verified_at = NULL",
}


@pytest.mark.parametrize("meanwhile", ["deleted", "another address", "another password", *BY_HAND])
async def test_no_link_is_sent_for_what_is_no_more(recovering: Recovering, meanwhile: str) -> None:
    browser = await recovering.verified()
    halt, late = await passed_the_guard(
        recovering, recovering.ask(USERNAME), "INSERT INTO password_reset"
    )
    if meanwhile == "deleted":
        assert (await browser.delete("/me")).status == 204
    elif meanwhile == "another address":
        await browser.post("/email", json={"email": "other@example.com"})
    elif meanwhile in BY_HAND:
        await recovering.sqlite.run(BY_HAND[meanwhile])
    else:
        await browser.put("/password", json={})

    halt.release()

    assert (await late).status == 202
    assert (recovering.mailbox.mails, await recovering.rows("password_reset")) == ([], [])


@pytest.mark.parametrize("meanwhile", ["another password", *BY_HAND])
async def test_a_link_that_became_worthless_changes_nothing(
    recovering: Recovering, meanwhile: str
) -> None:
    browser = await recovering.verified()
    token = await recovering.mailed()
    await recovering.signed_in()
    halt, late = await passed_the_guard(
        recovering, recovering.reset(token), "UPDATE user_key SET hashed_password"
    )
    if meanwhile in BY_HAND:
        await recovering.sqlite.run(BY_HAND[meanwhile])
    else:
        await browser.put("/password", json={"new": "yet another one"})
        await recovering.signs_in("yet another one")  # from a browser that is known from now on
    tables = ("user_key", "user_session", "known_device", "password_reset")
    before = [await recovering.rows(table) for table in tables]
    assert all(before)

    halt.release()

    assert (await late).status == 404
    assert [await recovering.rows(table) for table in tables] == before


async def test_a_link_is_sent_for_what_is_as_it_was(recovering: Recovering) -> None:
    await recovering.verified()

    await recovering.mailed()

    [row] = await recovering.rows("password_reset")
    assert row["email"] == ADDRESS
    assert len(recovering.mailbox.mails) == 1


# --- By a bearer token ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_ended", [False, True], ids=["alive", "ended meanwhile"])
async def test_a_bearer_token_that_is_over_takes_no_cookie_along(
    world: World, is_ended: bool
) -> None:
    auth = world.auth

    @world.app.post("/leave", guard=auth.bearer_guard())
    async def leave(c: Context) -> list[bool]:
        if is_ended:
            await c.database().run(
                "DELETE FROM user_session WHERE id = ?1", c.get(auth.session_slot).id
            )
            await auth.delete_user(c)
        await auth.sign_out(c)
        by_token = await auth.handle_request(c).validate_bearer_token()
        return [by_token is None, await auth.session(c) is None]

    browser, bob = await world.signed_up(), await world.signed_up("bob")
    header = {"authorization": f"Bearer {bob.cookies[COOKIE]}"}

    answer = await browser.post("/leave", headers=header)

    if is_ended:
        assert (answer.status, cookies(answer)) == (401, [])
    else:
        assert (json_of(answer), cookies(answer)) == ([True, False], [])
    assert (await browser.get("/me")).status == 200
    assert len(await world.rows("user")) == 2
    assert len(await world.rows("user_session")) == 1


@pytest.mark.parametrize("path", ["/out", "/leave"])
async def test_who_leaves_when_time_is_up_has_no_cookie_left(doors: World, path: str) -> None:
    doors.app.use(timeout(0.05))
    browser = await doors.signed_up()
    doors.database = halting = HaltingDatabase(doors.sqlite)
    halting.halt("FROM user_session")

    answer = await browser.post(path)

    assert (answer.status, json_of(answer)["code"]) == (503, "timed-out")
    assert cookies(answer) == [CLEARED]
    assert (await doors.rows("user_session")) != []


async def test_whose_session_ended_meanwhile_reads_what_nobody_reads(world: World) -> None:
    @world.app.post("/ended", guard=world.auth.guard())
    async def ended(c: Context, session: Session) -> int:
        await world.auth.sessions.end(c.database(), session.id)
        return await world.auth.end_other_sessions(c)

    browser = await world.signed_up()

    answers = [await each.post("/ended") for each in (browser, world.browser())]

    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].body == answers[1].body
    assert json_of(answers[0])["detail"] == "Sign in first."
