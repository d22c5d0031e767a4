"""What takes too long is stopped where it stands; whoever else stops it is obeyed."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import App, ConfigurationError, Context, Request, Response, guard
from framework.compose import compose
from framework.middleware.context_storage import context_storage
from framework.middleware.timeout import timeout
from framework.testing import json_of

events: list[str] = []


@guard
async def slow_guard(c: Context) -> None:
    if c.request.path == "/guarded":
        await linger("guard")


async def linger(name: str) -> None:
    events.append(f"{name} starts")
    try:
        await asyncio.sleep(5)
        events.append(f"{name} is done")
    finally:
        events.append(f"{name} ends")


def make_app(seconds: float = 0.01) -> App:
    events.clear()
    app = App(guard=slow_guard)
    app.use(timeout(seconds))

    @app.get("/slow", "/guarded")
    async def slow() -> str:
        await linger("handler")
        return "late"

    @app.get("/quick")
    async def quick() -> str:
        await asyncio.sleep(0)
        return "quick"

    @app.get("/own")
    async def own() -> str:
        raise TimeoutError("of its own")

    @app.get("/stream")
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0.01)
                yield b"x"

        return Response(chunks())

    return app


@pytest.mark.parametrize(("path", "who"), [("/slow", "handler"), ("/guarded", "guard")])
async def test_what_takes_too_long_is_stopped(path: str, who: str) -> None:
    response = await make_app().request("GET", path)

    assert response.status == 503
    assert json_of(response)["code"] == "timed-out"
    assert events == [f"{who} starts", f"{who} ends"]


async def test_what_is_quick_enough_is_answered() -> None:
    assert (await make_app(5).request("GET", "/quick")).body == b"quick"


async def test_a_timeout_of_its_own_is_an_outage_and_not_that_of_the_layer() -> None:
    response = await make_app(5).request("GET", "/own")

    assert (response.status, json_of(response)["code"]) == (503, "unavailable")


async def test_a_timeout_of_somebody_else_passes_through() -> None:
    async def fail(_: Context) -> Response:
        raise TimeoutError("of its own")

    handler = compose([timeout(5)], fail)

    with pytest.raises(TimeoutError, match="of its own"):
        await handler(Context(Request.build("GET", "/"), {}))


async def test_a_stream_is_not_stopped() -> None:
    assert (await make_app(0.02).request("GET", "/stream")).body == b"xxx"


async def test_whoever_cancels_from_outside_is_obeyed() -> None:
    task = asyncio.create_task(make_app(5).request("GET", "/slow"))
    await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert events == ["handler starts", "handler ends"]


async def test_a_cancellation_at_the_same_moment_is_obeyed() -> None:
    app = make_app(0.01)
    task = asyncio.create_task(app.request("GET", "/slow"))
    asyncio.get_running_loop().call_later(0.005, lambda: _block(0.02, task))

    with pytest.raises(asyncio.CancelledError):
        await task


def _block(seconds: float, task: asyncio.Task[Response]) -> None:
    """Let the timeout come due, and cancel before it can run."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        pass
    task.cancel()


async def test_an_answer_leaves_nothing_behind_until_the_time_is_over() -> None:
    app = App()
    app.use(context_storage(), timeout(900))

    await app.request("GET", "/left-behind")
    gc.collect()

    contexts = [kept for kept in gc.get_objects() if type(kept) is Context]
    assert [c for c in contexts if c.request.path == "/left-behind"] == []


async def test_an_answer_in_time_is_not_stopped_later() -> None:
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))

    await make_app(0.01).request("GET", "/quick")
    await asyncio.sleep(0.03)

    assert faults == []


async def test_the_error_handler_makes_the_answer_as_for_any_error() -> None:
    app = make_app()

    @app.on_error
    async def show(_: Context, error: Exception) -> Response:
        return Response.text(type(error).__name__, 503)

    assert (await app.request("GET", "/slow")).body == b"TimedOut"


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), True, "1", None])
def test_what_is_no_time_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="seconds above 0"):
        timeout(seconds)


def test_milliseconds_are_told_that_they_are_seconds() -> None:
    with pytest.raises(ConfigurationError, match="in seconds: 5000 are 83 minutes"):
        timeout(5000)
