"""The context is where it is asked for, the right one, and nowhere else."""

import asyncio

import pytest

from framework import App, ConfigurationError, public
from framework.middleware.context_storage import (
    context_storage,
    current_context,
    find_current_context,
)


def who() -> str:
    """Return what nobody handed on: the name in the path."""
    return current_context().params["name"]


def make_app() -> App:
    app = App()
    app.use(context_storage())

    @app.get("/:name", guard=public)
    async def index() -> str:
        await asyncio.sleep(0)
        return who()

    @app.get("/task/:name", guard=public)
    async def task() -> str:
        async def ask() -> str:
            return who()

        return await asyncio.create_task(ask())

    @app.get("/broken/:name", guard=public)
    async def broken() -> str:
        raise ZeroDivisionError

    return app


@pytest.mark.parametrize("path", ["/ada", "/task/ada"])
async def test_the_context_is_there(path: str) -> None:
    assert (await make_app().request("GET", path)).body == b"ada"


async def test_requests_at_the_same_time_see_their_own() -> None:
    app = make_app()
    names = [f"n{number}" for number in range(20)]

    answers = await asyncio.gather(*[app.request("GET", f"/{name}") for name in names])

    assert [answer.body for answer in answers] == [name.encode() for name in names]


@pytest.mark.parametrize("path", ["/ada", "/broken/ada", "/no/where"])
async def test_nothing_is_left_behind(path: str) -> None:
    await make_app().request("GET", path)

    assert find_current_context() is None


def test_outside_of_a_request_asking_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="context_storage"):
        current_context()
