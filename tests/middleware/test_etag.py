"""What the client has is not sent again, and what it has not seen is not overwritten."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import App, Context, Response, guard, public
from framework.middleware.cors import cors
from framework.middleware.etag import check_if_match, etag, make_etag
from framework.middleware.secure_headers import HTML_POLICY, secure_headers
from framework.testing import json_of

TAG = make_etag(b"text")
WEAK = make_etag(b"text", weak=True)
OTHER = make_etag(b"other")


@guard
async def authorized() -> None:
    return None


def make_app(**options: Any) -> App:
    app = App()
    app.use(etag(**options))

    @app.on(["GET", "POST"], "/text", guard=public)
    async def text() -> Response:
        return (
            Response.text("text")
            .with_header("content-language", "en")
            .with_header("cache-control", "max-age=5")
            .with_header("vary", "accept")
            .with_header("link", "</next>")
        )

    @app.get("/own", guard=public)
    async def own() -> Response:
        return Response.text("text").with_header("etag", '"v,1"')

    @app.get("/no-store", guard=public)
    async def no_store() -> Response:
        return Response.text("text").with_header("cache-control", "No-Store")

    @app.get("/cookie", guard=public)
    async def cookie() -> Response:
        return Response.text("text").with_header("set-cookie", "a=b")

    @app.get("/guarded", guard=authorized)
    async def guarded() -> str:
        return "text"

    @app.get("/stream", guard=public)
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"text"

        return Response(chunks())

    @app.get("/empty", guard=public)
    async def empty() -> None:
        return None

    return app


@pytest.mark.parametrize(
    ("known", "status"),
    [
        (TAG, 304),
        (WEAK, 304),
        ("*", 304),
        (" * ", 304),
        (f"{OTHER}, {TAG}", 304),
        (f'"a,b",{WEAK} , "c"', 304),
        (f"{OTHER},,{TAG}", 304),
        (OTHER, 200),
        ("", 200),
        (TAG.strip('"'), 200),
        (TAG.upper(), 200),
        (f"w/{TAG} x", 304),
        ('"*"', 200),
        (f'"{TAG}"', 200),  # two empty tags
        ('"', 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent(method: str, known: str, status: int) -> None:
    response = await make_app().request(method, "/text", headers={"if-none-match": known})

    assert response.status == status
    assert response.header("etag") == TAG
    assert response.body == (b"" if status == 304 or method == "HEAD" else b"text")


async def test_304_keeps_every_header_but_those_of_the_content() -> None:
    response = await make_app().request("GET", "/text", headers={"if-none-match": TAG})

    assert dict(response.headers) == {
        "cache-control": "max-age=5",
        "vary": "accept",
        "link": "</next>",
        "etag": TAG,
        "x-content-type-options": "nosniff",
    }


@pytest.mark.parametrize(
    ("method", "path", "tag"),
    [
        ("GET", "/text", TAG),
        ("HEAD", "/text", TAG),
        ("POST", "/text", None),
        ("OPTIONS", "/text", None),
        ("GET", "/own", '"v,1"'),
        ("GET", "/no-store", None),
        ("GET", "/cookie", None),
        ("GET", "/guarded", None),
        ("GET", "/stream", None),
        ("GET", "/empty", None),
        ("GET", "/nowhere", None),
    ],
)
async def test_what_is_tagged(method: str, path: str, tag: str | None) -> None:
    response = await make_app().request(method, path, headers={"if-none-match": OTHER})

    assert response.header("etag") == tag
    assert response.status < 500


@pytest.mark.parametrize("path", ["/guarded", "/no-store", "/cookie"])
async def test_private_answers_are_tagged_where_asked(path: str) -> None:
    app = make_app(private=True)

    response = await app.request("GET", path, headers={"if-none-match": TAG})

    assert (response.status, response.header("etag")) == (304, TAG)
    assert "no-store" in (response.header("cache-control") or "").lower()


async def test_a_tag_of_the_handler_is_compared() -> None:
    response = await make_app().request("GET", "/own", headers={"if-none-match": 'W/"v,1"'})

    assert (response.status, response.header("etag")) == (304, '"v,1"')


async def test_weak_tags_say_so() -> None:
    response = await make_app(weak=True).request("GET", "/text")

    assert response.header("etag") == WEAK == f"W/{TAG}"


async def test_304_does_not_give_a_page_the_headers_of_data() -> None:
    app = App()
    app.use(cors("https://app.example.com"), secure_headers(), etag())

    @app.get("/page", guard=public)
    async def page() -> Response:
        return Response.html("<p>")

    headers = {"origin": "https://app.example.com"}
    first = await app.request("GET", "/page", headers=headers)
    tag = first.header("etag") or ""
    again = await app.request("GET", "/page", headers={**headers, "if-none-match": tag})

    assert first.header("content-security-policy") == HTML_POLICY
    assert (again.status, again.header("content-security-policy")) == (304, None)
    assert again.header("access-control-allow-origin") == "https://app.example.com"


async def test_a_long_list_of_tags_takes_no_time() -> None:
    app = make_app()
    hostile = ['"' * 60_000, '"a' * 30_000, "W/" * 30_000, '"' + "a" * 60_000, "," * 60_000]

    started = time.perf_counter()
    answers = [
        await app.request("GET", "/text", headers={"if-none-match": known}) for known in hostile
    ]

    assert [answer.status for answer in answers] == [200] * len(hostile)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("listed", "tag", "required", "status"),
    [
        (None, TAG, False, 200),
        (None, TAG, True, 428),
        (TAG, TAG, True, 200),
        (f"{OTHER}, {TAG}", TAG, True, 200),
        ("*", TAG, True, 200),
        (OTHER, TAG, False, 412),
        ("", TAG, False, 412),
        (WEAK, TAG, False, 412),
        (TAG, WEAK, False, 412),
        (WEAK, WEAK, False, 412),
        ("*", None, False, 412),
        (TAG, None, False, 412),
    ],
)
async def test_what_was_not_seen_is_not_overwritten(
    listed: str | None, tag: str | None, required: bool, status: int
) -> None:
    app = App()

    @app.put("/", guard=public)
    async def change(c: Context) -> str:
        check_if_match(c.request, tag, required=required)
        return "changed"

    headers = {} if listed is None else {"if-match": listed}
    response = await app.request("PUT", "/", headers=headers)

    assert response.status == status
    if status != 200:
        code = "precondition-failed" if status == 412 else "precondition-required"
        assert json_of(response)["code"] == code


@pytest.mark.parametrize("tag", ["1", "", "W/1", '"1', '1"', '"a b"', '""1""', 'w/"1"', '"', 1])
@pytest.mark.parametrize("listed", [None, "*", '"1"'])
async def test_a_tag_that_no_client_could_have_is_an_error(listed: str | None, tag: Any) -> None:
    app = App()
    errors: list[str] = []

    @app.put("/", guard=public)
    async def change(c: Context) -> None:
        try:
            check_if_match(c.request, tag)
        except ValueError as error:
            errors.append(str(error))

    await app.request("PUT", "/", headers={} if listed is None else {"if-match": listed})

    assert errors == [f"a tag has quotes around it and no space, as in '\"1\"': not {tag!r}"]


async def test_a_tag_of_the_handler_s_own_is_the_only_one() -> None:
    headers = (await make_app().request("GET", "/own")).headers

    assert [value for name, value in headers if name == "etag"] == ['"v,1"']


async def test_an_answer_that_sets_a_cookie_beside_it_is_not_tagged() -> None:
    app = App()
    app.use(etag())

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        c.cookies.set("theme", "dark")
        return "text"

    assert (await app.request("GET", "/")).header("etag") is None
