"""Once a stream has begun its headers are out: who is there, and cookies, are asked and set before."""

from collections.abc import AsyncIterator

import pytest

from framework import Context, Response, public
from framework.cookies import SetCookie
from framework.streaming import stream
from tests.auth.world import USERNAME, World


@pytest.fixture
def said(world: World) -> list[str]:
    """What `world`'s streams were told when they asked too late."""
    said: list[str] = []
    auth = world.auth

    async def late(c: Context) -> AsyncIterator[str]:
        yield "begun"
        for ask in (auth.user(c), auth.handle_request(c).validate_bearer_token()):
            try:
                await ask
            except TypeError as error:
                said.append(str(error))
        try:
            c.send_cookie(SetCookie(name="a", value="b"))
        except TypeError as error:
            said.append(str(error))

    @world.app.get("/late", guard=public)
    async def feed(c: Context) -> Response:
        return stream(late(c), "text/plain; charset=utf-8")

    async def known(c: Context, name: str) -> AsyncIterator[str]:
        user = await auth.user(c)  # found before, so that nobody is asked
        yield f"{name} is {user.username if user else 'nobody'}"

    @world.app.get("/early", guard=public)
    async def early(c: Context) -> Response:
        user = await auth.user(c)
        return stream(known(c, user.username if user else "nobody"), "text/plain; charset=utf-8")

    return said


async def test_a_stream_that_asks_who_is_there_is_told_that_it_is_too_late(
    world: World, said: list[str]
) -> None:
    browser = await world.signed_up()

    answer = await browser.get("/late")

    assert answer.body == b"begun"
    assert said == [
        "the session was asked for inside a stream, too late: its headers are sent",
        "the session was asked for inside a stream, too late: its headers are sent",
        "a cookie was set inside a stream, too late: its headers are sent",
    ]


async def test_who_was_asked_before_is_known_in_the_stream(world: World, said: list[str]) -> None:
    browser = await world.signed_up()
    world.clock.now += world.limits.active + 1  # idle: renewed, with the cookie sent again

    answer = await browser.get("/early")

    assert answer.body == f"{USERNAME} is {USERNAME}".encode()
    assert answer.header("cache-control") == "private, no-store"
    assert answer.header("set-cookie") is not None
    assert said == []
