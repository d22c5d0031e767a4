"""What one answer is given, no other carries."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from framework import App, Context, HTTPError, Request, Response, answers, guard, public
from framework.compose import Next
from framework.cookies import SetCookie
from framework.guards import Guard
from framework.streaming import stream


@guard
async def whoever() -> None:
    """Let anybody pass, and keep the answers private."""


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


async def test_a_cookie_is_set_once_whichever_ways_set_it() -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> Response:
        answer = Response.text("set")
        for name, value in (("theme", "from the answer"), ("size", "3"), ("theme-x", "4")):
            answer = answer.with_cookie(SetCookie(name=name, value=value.replace(" ", "-")))
        c.send_cookie(SetCookie(name="theme", value="from-the-context"))
        return answer

    headers = (await app.request("GET", "/")).headers

    assert [value.partition(";")[0] for name, value in headers if name == "set-cookie"] == [
        *("size=3", "theme-x=4", "theme=from-the-context"),
    ]


class Name(str):
    """Text of a kind of its own."""


class Data(bytes):
    """Bytes of a kind of their own."""


class Note(msgspec.Struct):
    """A model."""

    text: str


TEXT, JSON = "text/plain; charset=utf-8", "application/json"


@pytest.mark.parametrize("guards", [public, whoever], ids=["public", "guarded"])
@pytest.mark.parametrize(
    ("value", "kind", "body"),
    [
        ("é", TEXT, "é".encode()),
        (Name("n"), TEXT, b"n"),
        ("", TEXT, b""),
        (b"\xff", "application/octet-stream", b"\xff"),
        (Data(b"d"), "application/octet-stream", b"d"),
        ({"a": 1}, JSON, b'{"a":1}'),
        (Note("t"), JSON, b'{"text":"t"}'),
        (True, JSON, b"true"),
        (0, JSON, b"0"),
        ([], JSON, b"[]"),
    ],
)
async def test_a_value_is_sent_by_its_type(
    guards: Guard, value: object, kind: str, body: bytes
) -> None:
    app = App(guard=guards)
    app.get("/")(lambda: value)

    for _ in range(2):
        response = await app.request("GET", "/")
        head = await app.request("HEAD", "/")

        assert (response.status, response.header("content-type"), response.body) == (
            200,
            kind,
            body,
        )
        assert (head.header("content-type"), head.body) == (kind, b"")
        assert head.header("content-length") == str(len(body))


async def test_any_number_of_types_is_answered_and_few_are_kept() -> None:
    app = App(guard=public)
    app.get("/")(lambda: type("Name", (str,), {})("n"))

    bodies = {(await app.request("GET", "/")).body for _ in range(300)}

    assert bodies == {b"n"}
    assert len(answers._forms) <= 256


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Set-Cookie", "a=1", ("cache-control", "private, no-store")),
        ("X-Content-Type-Options", "no", ("x-content-type-options", "nosniff")),
        ("ETag", '"1"', ("etag", '"1"')),
        ("X-Mine", "1", ("x-mine", "1")),
    ],
)
async def test_a_header_added_to_a_plain_answer_is_seen_at_its_end(
    name: str, value: str, expected: tuple[str, str]
) -> None:
    app = App(guard=public)

    async def add(c: Context, call_next: Next) -> Response:
        return (await call_next()).with_header(name, value)

    app.use(add)
    app.get("/")(lambda: "text")
    response = await app.request("GET", "/")
    again = await app.request("GET", "/", headers=[("if-none-match", value)])

    assert expected in response.headers
    assert [v for n, v in response.headers if n == "x-content-type-options"] == ["nosniff"]
    assert again.status == (304 if name == "ETag" else 200)


@pytest.mark.parametrize(
    "name",
    [
        "CDN-Cache-Control",
        "cloudflare-cdn-cache-control",
        "other-cdn-cache-control",
        "Surrogate-Control",
    ],
)
@pytest.mark.parametrize("path", ["/value", "/response", "/cookie", "/refused"])
async def test_no_header_for_some_caches_has_them_keep_what_depends_on_who_asks(
    path: str, name: str
) -> None:
    app = App()

    async def let_caches_keep(c: Context, call_next: Next) -> Response:
        return (await call_next()).with_header(name, "max-age=600")

    def set_cookie(c: Context) -> str:
        c.cookies.set("theme", "dark")
        return "text"

    def refuse() -> None:
        raise HTTPError(403)

    app.use(let_caches_keep)
    app.get("/value", guard=whoever)(lambda: "text")
    app.get("/response", guard=whoever)(lambda: Response("text"))
    app.get("/cookie", guard=public)(set_cookie)
    app.get("/refused", guard=public)(refuse)
    app.get("/open", guard=public)(lambda: "text")
    response = await app.request("GET", path)

    assert response.header("cache-control") == "private, no-store"
    assert response.header(name.lower()) is None
    assert (await app.request("GET", "/open")).header(name.lower()) == "max-age=600"


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("DELETE", 405)])
async def test_an_error_changed_by_a_layer_is_the_next_request_s_as_it_was(
    method: str, status: int
) -> None:
    app = App(guard=public)

    async def meddle(c: Context, call_next: Next) -> Response:
        response = await call_next()
        if c.request.query:
            response.headers = [*response.headers, ("x-mine", "1")]
            response.body = b"mine"
        return response

    app.use(meddle)
    app.get("/notes")(lambda: "text")
    path = "/" if method == "GET" else "/notes"
    before = await app.request(method, path)
    await app.request(method, f"{path}?meddle")
    after = await app.request(method, path)

    assert before.status == after.status == status
    assert (before.body, before.headers) == (after.body, after.headers)
    assert ("x-content-type-options", "nosniff") in after.headers


@pytest.mark.parametrize("guards", [public, whoever], ids=["public", "guarded"])
@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize(
    ("method", "path", "status", "is_routed"),
    [
        ("GET", "/value", 200, True),
        ("HEAD", "/value", 200, True),
        ("GET", "/nothing", 204, True),
        ("GET", "/text", 200, True),
        ("GET", "/html", 201, True),
        ("GET", "/response", 200, True),
        ("GET", "/away", 303, True),
        ("GET", "/fault", 500, True),
        ("GET", "/refused", 403, True),
        ("GET", "/anonymous", 401, True),
        ("GET", "/value/", 308, False),
        ("GET", "/not/here", 404, False),
        ("HEAD", "/not/here", 404, False),
        ("GET", "/%ff", 400, False),
        ("DELETE", "/value", 405, False),
        ("OPTIONS", "/value", 204, False),
    ],
)
async def test_every_answer_says_what_it_owes(
    guards: Guard, layers: int, method: str, path: str, status: int, is_routed: bool
) -> None:
    app = App(guard=guards, redirect_slashes=True)

    async def add(c: Context, call_next: Next) -> Response:
        return (await call_next()).with_header("x-mine", "1")

    def fail() -> None:
        raise HTTPError(403, headers=[("x-error", "1")])

    def ask_who() -> None:
        raise HTTPError(401)

    app.use(*[add] * layers)
    app.get("/value")(lambda: "text")
    app.get("/nothing")(lambda: None)
    app.get("/text")(lambda: Response.text("text"))
    app.get("/html")(lambda: Response.html("<p>", 201))
    app.get("/response")(lambda: Response("text", headers=[("content-type", "text/css")]))
    app.get("/away")(lambda: Response.redirect("/value"))
    app.get("/fault")(lambda: 1 // 0)
    app.get("/refused")(fail)
    app.get("/anonymous")(ask_who)
    response = await app.request(method, path)

    assert response.status == status
    assert status != 204 or response.body == b""
    assert [v for n, v in response.headers if n == "x-content-type-options"] == ["nosniff"]
    assert [v for n, v in response.headers if n == "x-mine"] == ["1"] * bool(layers)
    is_private = ("cache-control", "private, no-store") in response.headers
    assert is_private == (status in {401, 403} or (is_routed and guards is whoever))


async def test_head_of_a_stream_is_answered_where_nothing_can_wait() -> None:
    app = App()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"never sent"

    @app.get("/", guard=public)
    async def index() -> Response:
        return stream(chunks())

    response = await app.handle(Request.build("HEAD", "/"), {})  # no wait_until is given

    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("value", ["text", b"bytes", {"a": 1}, None], ids=lambda value: type(value))
async def test_each_answer_of_a_kind_is_private_behind_a_guard_and_there_alone(value: Any) -> None:
    app = App()
    app.get("/mine", guard=guard(lambda: None, name="member"))(lambda: value)
    app.get("/ours", guard=public)(lambda: value)

    for path, header in 3 * (("/mine", "private, no-store"), ("/ours", None)):
        response = await app.request("GET", path)

        assert response.header("cache-control") == header
        assert response.header("vary") == (header and "cookie")
