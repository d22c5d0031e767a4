"""What one answer is given, no other carries."""

import pytest

from framework import App, Context, Response, public
from framework.answers import CONSTANT_HEADERS
from framework.compose import Next


@pytest.mark.parametrize("headers", CONSTANT_HEADERS)
def test_headers_that_answers_share_cannot_be_added_to(headers: object) -> None:
    assert type(headers) is tuple


async def test_a_cookie_forced_into_one_answer_is_not_in_the_next() -> None:
    app = App()

    async def meddle(c: Context, call_next: Next) -> Response:
        response = await call_next()
        if c.request.query:
            response.headers = [*response.headers, ("set-cookie", "canary=1")]
        return response

    app.use(meddle)

    @app.get("/", guard=public)
    async def answer(c: Context) -> str:
        return "text"

    first = await app.request("GET", "/?meddle")
    first_headers = first.headers
    assert isinstance(first_headers, list)
    first_headers.append(("x-mine", "1"))
    second = await app.request("GET", "/")

    assert ("cache-control", "private, no-store") in first.headers
    assert second.headers == [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ]
