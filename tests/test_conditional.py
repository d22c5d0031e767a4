"""A handler that says an ETag is answered 304 where the client has that version, without middleware."""

import pytest

from framework import App, Response, guard, public


@guard
async def anybody() -> None:
    return None


def make_app() -> App:
    app = App()

    @app.on(["GET", "POST"], "/a", guard=public)
    async def show() -> Response:
        return Response.text("text").with_header("etag", '"v1"').with_header("link", "</b>")

    @app.get("/gone", guard=public)
    async def gone() -> Response:
        return Response.text("gone", 410).with_header("etag", '"v1"')

    @app.get("/part", guard=public)
    async def part() -> Response:
        answer = Response.text("t").with_status(206).with_header("content-range", "bytes 0-0/4")
        return answer.with_header("etag", '"v1"')

    @app.get("/guarded", guard=anybody)
    async def guarded() -> Response:
        return Response.text("text").with_header("etag", 'W/"v1"')

    return app


@pytest.mark.parametrize(
    ("method", "path", "known", "status"),
    [
        ("GET", "/a", '"v1"', 304),
        ("HEAD", "/a", '"v1"', 304),
        ("GET", "/a", '"v0", W/"v1"', 304),
        ("GET", "/a", "*", 304),
        ("GET", "/guarded", '"v1"', 304),
        ("GET", "/part", '"v1"', 304),  # RFC 9110, 13.2.2: asked before Range
        ("GET", "/part", '"v2"', 206),
        ("GET", "/a", '"v2"', 200),
        ("GET", "/a", "v1", 200),
        ("GET", "/a", "", 200),
        ("POST", "/a", '"v1"', 200),
        ("GET", "/gone", '"v1"', 410),
    ],
)
async def test_when_nothing_is_sent_again(method: str, path: str, known: str, status: int) -> None:
    response = await make_app().request(method, path, headers={"if-none-match": known})

    assert response.status == status
    assert (response.body == b"") is (status == 304 or method == "HEAD")


async def test_304_keeps_all_but_what_describes_the_content() -> None:
    response = await make_app().request("GET", "/a", headers={"if-none-match": '"v1"'})

    assert sorted(response.headers) == [
        ("etag", '"v1"'),
        ("link", "</b>"),
        ("x-content-type-options", "nosniff"),
    ]


async def test_a_guarded_304_is_kept_by_no_shared_cache() -> None:
    response = await make_app().request("GET", "/guarded", headers={"if-none-match": '"v1"'})

    assert ("cache-control", "private, no-store") in response.headers
