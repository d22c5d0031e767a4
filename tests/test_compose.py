"""Middleware is folded around a handler, the first listed outermost."""

import pytest

from framework import Context, Request, Response
from framework.compose import Middleware, Next, compose


def layer(name: str, ran: list[str]) -> Middleware:
    async def noted(c: Context, call_next: Next) -> Response:
        ran.append(f"{name} in")
        response = await call_next()
        ran.append(f"{name} out")
        return response.with_added_header("x-layer", name)

    return noted


async def answers(c: Context, call_next: Next) -> Response:
    return Response.text("early")


async def answer(c: Context) -> Response:
    return Response.text(c.request.method)


def context() -> Context:
    return Context(Request.build("GET", "/"), {})


@pytest.mark.parametrize("names", ["", "a", "ab", "abc"])
async def test_the_first_listed_is_outermost(names: str) -> None:
    ran: list[str] = []

    response = await compose([layer(name, ran) for name in names], answer)(context())

    assert ran == [f"{name} in" for name in names] + [f"{name} out" for name in reversed(names)]
    assert [value for name, value in response.headers if name == "x-layer"] == list(reversed(names))
    assert response.body == b"GET"


async def test_a_layer_may_answer_itself() -> None:
    ran: list[str] = []

    response = await compose([layer("a", ran), answers, layer("b", ran)], answer)(context())

    assert response.body == b"early"
    assert ran == ["a in", "a out"]


async def test_what_a_handler_raises_passes_through_its_layers() -> None:
    async def broken(c: Context) -> Response:
        raise ValueError("broken")

    ran: list[str] = []
    with pytest.raises(ValueError, match="broken"):
        await compose([layer("a", ran)], broken)(context())
    assert ran == ["a in"]


def test_no_layers_leave_the_handler_as_it_is() -> None:
    assert compose([], answer) is answer
