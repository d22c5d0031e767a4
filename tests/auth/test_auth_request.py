"""Lucia's AuthRequest: what it finds, once, and what it sends."""

from collections.abc import Iterator
from typing import Any

import pytest

from framework import Context, public
from framework.auth import Session
from framework.response import Response
from framework.testing import json_of
from tests.auth.databases import CountingDatabase
from tests.auth.world import World

DAY = 86_400_000
COOKIE = "auth_session"
CLEARED = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"


@pytest.fixture
def world() -> Iterator[World]:
    """A world whose routes do what query and steps say."""
    world = World()
    auth = world.auth

    @world.app.post("/steps", guard=public)
    async def steps(c: Context, steps: list[str]) -> list[Any]:
        handle = auth.handle_request(c)
        shown: list[Any] = []
        for step in steps:
            if step == "validate":
                found = await handle.validate()
                shown.append(found and found.user.username)
            elif step == "bearer":
                found = await handle.validate_bearer_token()
                shown.append(found and found.user.username)
            elif step == "session":
                session = await auth.session(c)
                shown.append(session and session.fresh)
            elif step == "invalidate":
                handle.invalidate()
            elif step == "clear":
                handle.set_session(None)
            elif step.startswith("set "):
                user = await c.database().first(
                    dict, "SELECT id FROM user WHERE username = ?1", step[4:]
                )
                assert user is not None
                handle.set_session(await auth.sessions.create(c.database(), user["id"]))
            elif step == "end all":
                await c.database().run("DELETE FROM user_session")
            elif step == "unawaited":
                shown.append(bool(handle.validate()))
        return shown

    yield world
    world.close()


def set_cookies(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        (["validate"], ["alice"]),
        (["validate", "validate", "session"], ["alice", "alice", False]),
        (["bearer", "validate"], [None, "alice"]),
        (["end all", "validate"], [None]),
        (["validate", "end all", "validate"], ["alice", "alice"]),
        (["validate", "end all", "invalidate", "validate"], ["alice", None]),
        (["clear", "validate"], [None]),
        (["validate", "clear", "validate", "session"], ["alice", None, None]),
        (["set bob", "validate", "session"], ["bob", True]),
        (["validate", "set bob", "validate"], ["alice", "bob"]),
        (["set bob", "clear", "validate"], [None]),
    ],
    ids=str,
)
async def test_what_is_found_in_turn(world: World, steps: list[str], shown: list[Any]) -> None:
    await world.signed_up("bob")
    browser = await world.signed_up()

    answer = await browser.post("/steps", json=steps)

    assert json_of(answer) == shown
    assert answer.header("cache-control") == "private, no-store"


async def test_the_database_is_asked_once(world: World) -> None:
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)

    steps = ["validate", "validate", "session", "bearer", "bearer"]
    headers = {"authorization": f"Bearer {browser.cookies[COOKIE]}"}
    answer = await browser.post("/steps", json=steps, headers=headers)

    assert json_of(answer) == ["alice", "alice", False, "alice", "alice"]
    assert len(counting.statements) == 2


async def test_a_token_that_is_invalidated_is_asked_for_again(world: World) -> None:
    browser = await world.signed_up()
    headers = {"authorization": f"Bearer {browser.cookies[COOKIE]}"}

    steps = ["bearer", "end all", "bearer", "invalidate", "bearer"]
    answer = await browser.post("/steps", json=steps, headers=headers)

    assert json_of(answer) == ["alice", "alice", None]


async def test_whom_a_token_let_in_has_no_cookie_whatever_is_invalidated(world: World) -> None:
    auth, browser = world.auth, await world.signed_up()
    headers = {"authorization": f"Bearer {browser.cookies[COOKIE]}"}

    @world.app.post("/leave", guard=auth.bearer_guard())
    async def leave(c: Context) -> None:
        auth.handle_request(c).invalidate()
        await auth.sign_out(c)

    answer = await world.browser().post("/leave", headers=headers)

    assert (answer.status, set_cookies(answer)) == (204, [])
    assert await world.rows("user_session") == []


async def test_a_session_that_is_set_is_the_browsers(world: World) -> None:
    await world.signed_up("bob")
    browser = world.browser()

    answer = await browser.post("/steps", json=["set bob"])

    [cookie] = set_cookies(answer)
    assert cookie.endswith("; Max-Age=1296000; Path=/; HttpOnly; SameSite=Lax")
    assert json_of(await browser.get("/me"))["username"] == "bob"


@pytest.mark.parametrize("is_over", [False, True], ids=["alive", "over"])
async def test_signing_out_ends_what_was_set_and_what_the_browser_brought(
    world: World, is_over: bool
) -> None:
    auth, browser = world.auth, await world.signed_up()

    @world.app.post("/become-another", guard=auth.guard())
    async def become_another(c: Context, own: Session) -> None:
        auth.handle_request(c).set_session(await auth.sessions.create(c.database(), own.user_id))
        if is_over:
            await auth.sessions.end(c.database(), own.id)
        await auth.sign_out(c)

    answer = await browser.post("/become-another")

    assert answer.status == 204
    assert await world.rows("user_session") == []


async def test_a_session_that_is_cleared_is_the_browsers_no_more_and_its_row_stays(
    world: World,
) -> None:
    browser = await world.signed_up()

    answer = await browser.post("/steps", json=["clear"])

    assert set_cookies(answer) == [CLEARED]
    assert (await browser.get("/me")).status == 401
    assert len(await world.rows("user_session")) == 1


async def test_an_idle_session_is_renewed_with_its_cookie(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += DAY

    answer = await browser.post("/steps", json=["validate", "session"])

    assert json_of(answer) == ["alice", True]
    assert len(set_cookies(answer)) == 1


async def test_what_was_not_awaited_is_no_truth_value(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await world.signed_up()

    assert (await browser.post("/steps", json=["unawaited"])).status == 500
    assert "await this before testing it: until then it would always be true" in caplog.text
