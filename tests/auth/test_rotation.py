"""A session that takes another's place: the browser's own requests go on, nobody else's do."""

import asyncio
from collections.abc import Iterator

import pytest

from framework import Context
from framework.auth import GRACE, Limits, Session
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.clock import START
from tests.auth.databases import HaltingDatabase
from tests.auth.world import PASSWORD, World

DAY = 86_400_000
COOKIE = "auth_session"
ROTATIONS = [
    ("POST", "/sign-in"),
    ("POST", "/sign-up"),
    ("PUT", "/password"),
    ("POST", "/rotate"),
]


@pytest.fixture
def world() -> Iterator[World]:
    world = World(limits=Limits(grace=GRACE))
    yield world
    world.close()


@pytest.mark.parametrize(("method", "path"), ROTATIONS)
async def test_without_a_grace_the_old_token_ends_at_once(method: str, path: str) -> None:
    world = World()
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)

    await rotate(browser, method, path)

    assert (await before.get("/me")).status == 401
    assert (await browser.get("/me")).status == 200
    assert len(await world.rows("user_session")) == 1
    world.close()


def set_cookies(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


async def rotate(browser: Client, method: str, path: str) -> Response:
    json = {"username": "bob"} if path == "/sign-up" else {}
    answer = await browser.request(method, path, json=json)
    assert answer.status < 300, answer.body
    return answer


@pytest.mark.parametrize(("method", "path"), ROTATIONS)
@pytest.mark.parametrize(
    ("later", "status"), [(0, 200), (GRACE - 1, 200), (GRACE, 401), (DAY, 401), (20 * DAY, 401)]
)
async def test_the_old_token_is_good_for_a_moment_and_sends_no_cookie(
    world: World, method: str, path: str, later: int, status: int
) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    await rotate(browser, method, path)
    world.clock.now += later

    answer = await before.get("/me")

    assert answer.status == status
    assert len(set_cookies(answer)) == (0 if status == 200 else 1)
    if later < 15 * DAY:
        assert (await browser.get("/me")).status == 200


@pytest.mark.parametrize(("method", "path"), ROTATIONS)
async def test_the_old_token_is_not_recent_and_is_not_listed(
    world: World, method: str, path: str
) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    await rotate(browser, method, path)

    assert (await before.get("/recent")).status == 403
    assert (await browser.get("/recent")).status == 200
    own = json_of(await browser.get("/me"))["repr"]
    assert [handle in own for handle in json_of(await browser.get("/sessions"))] == [True]


@pytest.mark.parametrize(("method", "path"), ROTATIONS)
async def test_the_old_token_makes_no_new_one(world: World, method: str, path: str) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    await rotate(browser, method, path)
    rows = len(await world.rows("user_session"))

    answer = await before.post("/rotate")

    assert (answer.status, set_cookies(answer)) == (200, [])
    assert len(await world.rows("user_session")) == rows
    world.clock.now += GRACE
    assert (await before.get("/me")).status == 401


@pytest.mark.parametrize(("method", "path"), ROTATIONS)
async def test_a_renewal_under_way_does_not_revive_the_old_token(
    world: World, method: str, path: str
) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    world.database = halting = HaltingDatabase(world.sqlite)
    world.clock.now += DAY
    halt = halting.halt("UPDATE user_session SET active_expires = ?2, idle_expires = ?3, ")
    renewal = asyncio.create_task(before.get("/me"))
    await halt.reached()
    await rotate(browser, method, path)

    halt.release()

    answer = await renewal
    assert (answer.status, set_cookies(answer)) == (200, [])
    assert (await browser.get("/me")).status == 200
    world.clock.now += GRACE
    assert (await before.get("/me")).status == 401


@pytest.mark.parametrize(("method", "path"), ROTATIONS)
async def test_what_is_nearly_over_is_not_made_to_last(
    world: World, method: str, path: str
) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)
    world.clock.now = START + 15 * DAY
    await world.sqlite.run("UPDATE user_session SET idle_expires = ?1", world.clock.now + 5)
    await world.sqlite.run("UPDATE user_session SET active_expires = ?1", world.clock.now + 5)
    await rotate(browser, method, path)
    world.clock.now += 5

    assert (await before.get("/me")).status == 401


async def test_a_change_of_password_ends_every_other_browser_at_once(world: World) -> None:
    browser = await world.signed_up()
    others = [await world.signed_in() for _ in range(3)]

    await rotate(browser, "PUT", "/password")

    assert [(await other.get("/me")).status for other in others] == [401] * 3


async def test_a_token_that_changed_the_password_has_no_grace(world: World) -> None:
    browser = await world.signed_up()
    headers = {"authorization": f"Bearer {browser.cookies[COOKIE]}"}

    @world.app.post("/bearer", guard=world.auth.bearer_guard())
    async def change(c: Context) -> None:
        await world.auth.change_password(c, PASSWORD, "battery staple")

    assert (await world.browser().post("/bearer", headers=headers)).status == 204

    assert await world.rows("user_session") == []


async def test_requests_that_go_along_with_a_change_of_password_succeed(world: World) -> None:
    browser = await world.signed_up()
    tabs = [browser.fork(with_cookies=True) for _ in range(20)]

    changed, *answers = await asyncio.gather(
        rotate(browser, "PUT", "/password"), *[tab.get("/me") for tab in tabs]
    )

    assert changed.status == 204
    assert {answer.status for answer in answers} == {200}
    assert [set_cookies(answer) for answer in answers] == [[]] * 20
    assert (await browser.get("/me")).status == 200


async def test_of_many_rotations_at_once_one_takes_place(world: World) -> None:
    browser = await world.signed_up()
    tabs = [browser.fork(with_cookies=True) for _ in range(10)]

    answers = await asyncio.gather(*[tab.post("/rotate") for tab in tabs])

    assert {answer.status for answer in answers} == {200}
    assert sorted(len(set_cookies(answer)) for answer in answers) == [0] * 9 + [1]
    world.clock.now += GRACE
    alive = [(await tab.get("/me")).status for tab in tabs]
    assert sorted(alive) == [200] + [401] * 9


async def test_a_rotation_keeps_what_the_session_is(world: World) -> None:
    browser = await world.signed_up()
    [before] = await world.rows("user_session")
    world.clock.now += DAY - 1

    await rotate(browser, "POST", "/rotate")

    after = [row for row in await world.rows("user_session") if row["id"] != before["id"]]
    kept = ("user_id", "created_at", "authenticated_at", "user_agent", "country")
    assert [[row[name] for name in kept] for row in after] == [[before[name] for name in kept]]
    assert browser.cookies[COOKIE] not in str(await world.rows("user_session"))


async def test_a_rotation_is_active_from_then_on_and_ends_no_later() -> None:
    world = World(limits=Limits(absolute=16 * DAY - 2))
    browser = await world.signed_up()
    world.clock.now += DAY - 1

    answer = await rotate(browser, "POST", "/rotate")

    [row] = await world.rows("user_session")
    assert row["active_expires"] - START == 2 * DAY - 1
    assert row["idle_expires"] - START == 16 * DAY - 2
    [cookie] = set_cookies(answer)
    assert f"; Max-Age={15 * 86_400}; " in cookie
    world.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "/rotate"), ("PUT", "/password")])
async def test_another_token_notes_where_it_was_asked_for(
    world: World, method: str, path: str
) -> None:
    browser = await world.signed_up()
    asking = {"user-agent": "Lynx/2.9", "cf-ipcountry": "NZ"}

    await browser.request(method, path, headers=asking, json={})

    rows = await world.rows("user_session")
    assert ("Lynx/2.9", "NZ") in [(row["user_agent"], row["country"]) for row in rows]


async def test_what_was_rotated_to_is_the_requests_own(world: World) -> None:
    auth = world.auth

    @world.app.post("/rotate-and-look", guard=auth.guard())
    async def look(c: Context) -> list[bool]:
        old, new = c.get(auth.session_slot), await auth.rotate_session(c)
        found = c.get(auth.session_slot), await auth.session(c)
        return [new.fresh, new.id != old.id, found == (new, new), await auth.user(c) is not None]

    answer = await (await world.signed_up()).post("/rotate-and-look")

    assert json_of(answer) == [True] * 4


async def test_who_has_signed_out_is_not_signed_in_by_a_rotation(world: World) -> None:
    auth = world.auth

    @world.app.post("/sign-out-and-rotate", guard=auth.guard())
    async def leave(c: Context) -> None:
        await auth.sign_out(c)
        await auth.rotate_session(c)

    browser = await world.signed_up()

    answer = await browser.post("/sign-out-and-rotate")

    assert (answer.status, await world.rows("user_session"), browser.cookies.get(COOKIE)) == (
        401,
        [],
        None,
    )


async def test_signing_out_gives_no_grace(world: World) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)

    await browser.post("/sign-out")

    assert (await before.get("/me")).status == 401


async def test_a_change_of_password_that_fails_takes_nothing_away(world: World) -> None:
    browser = await world.signed_up()
    rows = await world.rows("user_session")

    answer = await browser.put("/password", json={"current": "wrong horse"})

    assert answer.status == 401
    assert await world.rows("user_session") == rows


# --- Lucia's cookies ------------------------------------------------------------------------------


@pytest.mark.parametrize("method_and_path", [("GET", "/me"), ("POST", "/rotate")])
@pytest.mark.parametrize(
    ("grace", "replaced_by"),
    [(0, "/me"), (GRACE, "/me"), (GRACE, "/sign-in"), (6 * GRACE, "/me"), (6 * GRACE, "/sign-in")],
)
async def test_what_is_left_of_lucias_makes_no_new_one(
    grace: int, replaced_by: str, method_and_path: tuple[str, str]
) -> None:
    world = World(sessions="migrate", limits=Limits(grace=grace))
    await world.signed_up()
    await world.sqlite.run(
        "UPDATE user_session SET id = ?1, created_at = 0, authenticated_at = 0", "l" * 40
    )
    browser = world.browser("https://example.com")
    old = {"cookie": f"{COOKIE}={'l' * 40}"}
    method = "POST" if replaced_by == "/sign-in" else "GET"
    await browser.request(method, replaced_by, headers=old, json={})

    answer = await browser.fork().request(*method_and_path, headers=old)

    assert (answer.status, set_cookies(answer)) == (200, [])
    world.clock.now += max(grace, GRACE)
    assert (await browser.fork().get("/me", headers=old)).status == 401
    assert (await browser.get("/me")).status == 200
    assert len(await world.rows("user_session")) == 1
    world.close()


class Marked(Session, frozen=True, kw_only=True):
    """A session with a column of the app's own, by which its guards decide."""

    acting: str | None = None


async def test_the_old_token_keeps_what_the_app_noted_of_the_session() -> None:
    world = World(limits=Limits(grace=GRACE), session=Marked)
    world.sqlite.apply_schema("ALTER TABLE user_session ADD COLUMN acting TEXT")

    @world.app.get("/acting", guard=world.auth.guard())
    async def acting(session: Marked) -> str | None:
        return session.acting

    @world.app.post("/act", guard=world.auth.guard())
    async def act(c: Context, session: Marked) -> None:
        await world.auth.sessions.update(c.database(), session.id, acting="bob")
        await world.auth.rotate_session(c)

    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)

    assert (await browser.post("/act")).status == 204

    assert [(await each.get("/acting")).body for each in (browser, before)] == [b"bob", b"bob"]
    assert [(await each.get("/recent")).status for each in (browser, before)] == [200, 403]
    world.close()
