"""Who forgets an ``await`` lets nobody in, however the forgotten thing is looked at."""

from asyncio import gather
from collections.abc import Callable
from typing import Any

import pytest

from framework import App, Context, Query, Response, guard, public
from framework.auth import Auth
from framework.compose import Next
from framework.errors import Unauthorized
from tests.auth.world import World

Ask = Callable[[Auth[Any], Context], Any]

ASKED: list[Ask] = [
    lambda auth, c: auth.user(c),
    lambda auth, c: auth.session(c),
    lambda auth, c: auth.handle_request(c).validate(),
    lambda auth, c: auth.handle_request(c).validate_bearer_token(),
]


@pytest.fixture(params=ASKED, ids=["user", "session", "validate", "validate_bearer_token"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asked: Ask = request.param
    return asked


async def answer_of(world: World, app: App) -> Response:
    return await app.request("GET", "/", env={"DB": world.sqlite})


async def test_a_guard_that_compares_with_none_does_not_pass(
    world: World, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()

    @guard
    async def signed_in(c: Context) -> None:
        if ask(world.auth, c) is None:
            raise Unauthorized

    @app.get("/", guard=signed_in)
    async def secret() -> str:
        raise AssertionError("nobody gets here")

    assert (await answer_of(world, app)).status == 503
    assert "was called without await, so its result was never looked at" in caplog.text


async def test_such_a_guard_asks_no_other(world: World, ask: Ask) -> None:
    app = App()

    @guard
    async def signed_in(c: Context) -> None:
        ask(world.auth, c)

    @guard
    async def anybody(c: Context) -> None: ...

    @app.get("/", guard=signed_in | anybody)
    async def secret() -> str:
        raise AssertionError("nobody gets here")

    assert (await answer_of(world, app)).status == 503


@pytest.mark.parametrize(
    "value", ["text", {"a": 1}, None, Response("text"), Response(b"", 200, [("etag", '"1"')])]
)
async def test_what_a_handler_answers_without_is_not_sent(
    world: World, ask: Ask, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    app = App()

    @app.get("/", guard=public)
    async def page(c: Context) -> Any:
        if ask(world.auth, c) is None:
            raise Unauthorized
        return value

    answer = await answer_of(world, app)

    assert (answer.status, answer.header("cache-control")) == (500, "private, no-store")
    assert "without await" in caplog.text


async def test_nor_is_it_once_such_an_answer_was_sent(world: World, ask: Ask) -> None:
    app = App()

    @app.get("/", guard=public)
    async def page(c: Context, forgets: Query[bool] = False) -> str:
        asked = ask(world.auth, c)
        if not forgets:
            await asked
        return "text"

    env, paths = {"DB": world.sqlite}, ("/", "/", "/?forgets=true")
    answers = [await app.request("GET", path, env=env) for path in paths]

    assert [answer.status for answer in answers] == [200, 200, 500]


async def test_what_a_layer_answers_without_is_not_sent(world: World, ask: Ask) -> None:
    app = App()

    async def layer(c: Context, call_next: Next) -> Response:
        if ask(world.auth, c) is None:
            raise Unauthorized
        return await call_next()

    app.use(layer)
    app.get("/", guard=public)(lambda: "text")

    assert (await answer_of(world, app)).status == 500


async def test_an_error_beside_what_was_forgotten_is_told_as_it_is(world: World, ask: Ask) -> None:
    app = App()

    @app.get("/", guard=public)
    async def page(c: Context) -> None:
        ask(world.auth, c)
        raise Unauthorized

    assert (await answer_of(world, app)).status == 401


async def test_what_is_awaited_later_or_twice_or_together_is_answered(
    world: World, ask: Ask
) -> None:
    app = App()

    @app.get("/", guard=public)
    async def page(c: Context) -> list[Any]:
        first, second = ask(world.auth, c), ask(world.auth, c)
        found = await gather(first, second)
        return [*found, await first]

    assert (await answer_of(world, app)).body == b"[null,null,null]"
