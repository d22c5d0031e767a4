"""An answer that is an error signs nobody in, whatever the handler did before it."""

from collections.abc import Awaitable, Callable, Iterator

import pytest

from framework import Context, HTTPError, Response, guard, public
from framework.auth import Auth
from framework.compose import Next
from framework.errors import Forbidden
from framework.problem import problem
from tests.auth.world import PASSWORD, USERNAME, Member, World

Begin = Callable[[World, Context], Awaitable[Member]]


async def sign_in(world: World, c: Context) -> Member:
    return await world.auth.sign_in(c, USERNAME, PASSWORD)


async def sign_up(world: World, c: Context) -> Member:
    return await world.auth.sign_up(c, "bob", PASSWORD)


async def begin_session(world: World, c: Context) -> Member:
    [user] = await world.rows("user")
    return await world.auth.begin_session(c, user["id"])


async def set_session(world: World, c: Context) -> Member:
    [user] = await world.rows("user")
    new = await world.auth.sessions.create(c.database(), user["id"])
    world.auth.handle_request(c).set_session(new)
    return new.user


async def sign_in_and_rotate(world: World, c: Context) -> Member:
    user = await sign_in(world, c)
    await world.auth.rotate_session(c)
    return user


async def sign_in_and_change_password(world: World, c: Context) -> Member:
    user = await sign_in(world, c)
    await world.auth.change_password(c, PASSWORD, "battery staple")
    return user


async def sign_in_twice(world: World, c: Context) -> Member:
    """Sign in, and with a second `Auth` as well."""
    other = Auth(user=Member, cookie="auth_session_2", hasher=world.hasher, clock=world.clock)
    await other.sign_in(c, USERNAME, PASSWORD)
    return await sign_in(world, c)


def refuse() -> Response:
    raise Forbidden("The code is wrong.")


def return_refusal() -> Response:
    return problem(Forbidden("The code is wrong."))


def fail() -> Response:
    raise OSError("the mail is down")


def go_elsewhere() -> Response:
    raise HTTPError(409, code="elsewhere")


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.mark.parametrize(
    "begin",
    [
        *(sign_in, sign_up, begin_session, set_session, sign_in_and_rotate),
        *(sign_in_and_change_password, sign_in_twice),
    ],
    ids=lambda begin: begin.__name__,
)
@pytest.mark.parametrize(
    ("end", "status"),
    [(refuse, 403), (return_refusal, 403), (fail, 500), (go_elsewhere, 303)],
    ids=["raised", "returned", "broken", "redirected by on_error"],
)
async def test_an_error_signs_nobody_in(
    world: World, begin: Begin, end: Callable[[], Response], status: int
) -> None:
    @world.app.post("/enter", guard=public)
    async def enter(c: Context) -> Response:
        await begin(world, c)
        return end()

    @world.app.on_error
    async def explain(_c: Context, error: HTTPError) -> Response | None:
        return Response.redirect("/sign-in") if error.code == "elsewhere" else None

    await world.signed_up()
    browser = world.browser("https://notes.example.com")

    answer = await browser.post("/enter")

    assert answer.status == status
    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    sessions = [each.partition("=") for each in cookies if "auth_session" in each]
    assert [name for name, _, _ in sessions][-1] == "__Host-auth_session"
    assert {value for _, _, value in sessions} == {
        "; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
    }
    assert (await browser.get("/me")).status == 401


@pytest.mark.parametrize("status", [200, 303])
async def test_a_layer_that_makes_something_else_of_an_error_signs_nobody_in(
    world: World, status: int
) -> None:
    @world.app.post("/enter", guard=public)
    async def enter(c: Context) -> Response:
        await sign_in(world, c)
        return return_refusal()

    @world.app.use
    async def explain(_c: Context, call_next: Next) -> Response:
        answer = await call_next()
        return answer.with_status(status) if answer.status == 403 else answer

    browser = await world.signed_up()
    await browser.post("/sign-out")

    assert (await browser.post("/enter")).status == status

    assert (await browser.get("/me")).status == 401


async def test_who_is_signed_out_by_the_same_request_is_signed_in_by_nothing(world: World) -> None:
    @world.app.post("/enter", guard=public)
    async def enter(c: Context) -> Response:
        await sign_in(world, c)
        await world.auth.sign_out(c)
        return Response.redirect("/banned")

    browser = await world.signed_up()
    await browser.post("/sign-out")

    assert (await browser.post("/enter")).status == 303

    assert (await browser.get("/me")).status == 401
    assert await world.rows("user_session") == []


async def test_a_session_that_was_there_goes_on_where_signing_in_itself_is_refused(
    world: World,
) -> None:
    browser = await world.signed_up()

    assert (await browser.post("/sign-in", json={"password": "wrong horse"})).status == 401

    assert (await browser.get("/me")).status == 200


async def test_whoever_was_signed_in_stays_so_where_something_fails_after_a_new_password(
    world: World,
) -> None:
    @world.app.post("/change", guard=world.auth.guard())
    async def change(c: Context) -> None:
        await world.auth.change_password(c, PASSWORD, "battery staple")
        fail()

    browser = await world.signed_up()

    assert (await browser.post("/change")).status == 500

    assert (await browser.get("/me")).status == 200


@pytest.mark.parametrize("begin", [sign_in, begin_session], ids=lambda begin: begin.__name__)
async def test_a_guard_that_signs_in_and_refuses_is_the_last_that_is_asked(
    world: World, begin: Begin
) -> None:
    @guard
    async def vouched_for(c: Context) -> None:
        await begin(world, c)
        refuse()

    @guard
    async def invited(_c: Context) -> None:
        pass

    @world.app.get("/vouched", guard=vouched_for | world.auth.guard())
    async def vouched() -> str:
        return "inside"

    @world.app.get("/invited", guard=vouched_for | invited)
    async def by_invitation() -> str:
        return "inside"

    await world.signed_up()
    browser = world.browser("https://notes.example.com")

    assert [(await browser.get(path)).status for path in ("/vouched", "/invited")] == [403, 403]

    assert (await browser.get("/me")).status == 401


async def test_where_another_guard_has_signed_in_before_all_are_asked(world: World) -> None:
    @guard
    async def vouched_for(c: Context) -> None:
        await begin_session(world, c)

    @guard
    async def refused(_c: Context) -> None:
        refuse()

    @world.app.get("/vouched", guard=vouched_for & (refused | world.auth.guard()))
    async def vouched() -> str:
        return "inside"

    await world.signed_up()
    browser = world.browser("https://notes.example.com")

    assert [(await browser.get(path)).status for path in ("/vouched", "/me")] == [200, 200]
