"""An answer cannot break out of its headers, carries a body only where it may, and is never changed."""

from collections.abc import AsyncIterator, Callable, Iterator
from http.client import HTTPMessage
from typing import Any

import msgspec
import pytest

from framework import App, Context, Query, Response, guard, public
from framework.answers import read_stream
from framework.errors import Unauthorized
from framework.response import EMPTY_STATUSES, Reply, _known_names
from framework.streaming import server_sent_events, stream
from framework.testing import json_of

BREAKOUTS = ["a\r\nset-cookie: a=1", "a\n", "\r", "a\x00", "\x1f", "\x7f", "a\x0bb", "a\x85b"]


@pytest.mark.parametrize("value", BREAKOUTS, ids=ascii)
@pytest.mark.parametrize(
    "make",
    [
        lambda value: Response(headers=[("x-a", value)]),
        lambda value: Response().with_header("x-a", value),
        lambda value: Response().with_added_header("x-a", value),
        lambda value: Response.redirect("/" + value),
    ],
    ids=["new", "with_header", "with_added_header", "redirect"],
)
def test_a_header_value_cannot_break_out(make: Callable[[str], Response], value: str) -> None:
    with pytest.raises(ValueError, match=r"control character|percent-encoded"):
        make(value)


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\n", "a\r\nb", "é", "a\x00", "(a)", "a,b", '"a"']
)
def test_a_header_name_is_a_token(name: str) -> None:
    for make in (Response().with_header, Response().with_added_header):
        with pytest.raises(ValueError, match="not a header name"):
            make(name, "1")
    with pytest.raises(ValueError, match="not a header name"):
        Response(headers=[(name, "1")])


@pytest.mark.parametrize("value", ["日本", "🔥", "\u2028", "Ā", "\ud800"], ids=ascii)
def test_a_header_value_is_latin_1(value: str) -> None:
    with pytest.raises(ValueError, match=r"not Latin-1|control character"):
        Response(headers=[("x-a", value)])


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "é", "\xa0", "\xad", "ÿ", 'a, b; c="d"'])
def test_other_header_values_are_kept(value: str) -> None:
    assert Response(headers=[("X-A", value)]).headers == [("x-a", value)]


def test_of_header_names_few_are_remembered() -> None:
    names = [f"X-Name-{number}" for number in range(300)]

    answers = [Response(headers={name: "a"}) for name in names * 2]

    assert [answer.headers for answer in answers] == [[(name.lower(), "a")] for name in names * 2]
    assert len(_known_names) <= 256


def test_headers_may_be_a_mapping() -> None:
    answer = Response(headers={"Location": "/a", "te": "b"})

    assert answer.headers == [("location", "/a"), ("te", "b")]


def test_headers_as_the_standard_library_holds_them_are_taken_too() -> None:
    held: Any = HTTPMessage()  # no Mapping, and it has items()
    held["Vary"] = "accept"
    held["Set-Cookie"] = "a=1"
    held["Set-Cookie"] = "b=2"

    answer = Response("x", headers=held)

    assert answer.headers == [("vary", "accept"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]


@pytest.mark.parametrize("tag", ["1", "", "W/1", '"1', "'1'", '"a b"'])
@pytest.mark.parametrize("answer", [Response.text("a"), Response(), Response().with_status(201)])
def test_a_tag_without_its_quotes_is_refused_where_it_is_set(answer: Response, tag: str) -> None:
    with pytest.raises(
        ValueError, match=r"^a tag has quotes around it and no space, as in '\"1\"': "
    ):
        answer.with_header("ETag", tag)

    assert answer.with_header("ETag", 'W/"1"').header("etag") == 'W/"1"'
    assert Response(headers=[("etag", tag)]).header("etag") == tag  # as others sent it


def test_an_error_names_the_header_and_not_its_value() -> None:
    with pytest.raises(ValueError, match="x-a") as refused:
        Response(headers=[("x-a", "CANARY\n")])

    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("status", sorted(EMPTY_STATUSES))
@pytest.mark.parametrize(
    "make",
    [
        lambda status: Response(b"x", status),
        lambda status: Response("x", status),
        lambda status: Response.text("x", status),
        lambda status: Response.html("x", status),
        lambda status: Response.json(None, status),
        lambda status: Response.bytes(b"x", status),
        lambda status: Response.text("x").with_status(status),
        lambda status: Response(chunks(), status),
    ],
    ids=["bytes", "str", "text", "html", "json", "of bytes", "with_status", "stream"],
)
def test_a_status_without_a_body_gets_none(make: Callable[[int], Response], status: int) -> None:
    with pytest.raises(ValueError, match="must not have a body"):
        make(status)


@pytest.mark.parametrize("status", sorted(EMPTY_STATUSES))
def test_a_status_without_a_body_can_be_answered(status: int) -> None:
    for response in (
        Response(status=status),
        Response.empty(status),
        Response().with_status(status),
    ):
        assert (response.status, response.body) == (status, b"")


@pytest.mark.parametrize("status", [-1, 0, 42, 99, 600, 1000, 99999])
@pytest.mark.parametrize(
    "make",
    [
        lambda status: Response(status=status),
        lambda status: Response.empty(status),
        lambda status: Response.json(1, status),
        lambda status: Response().with_status(status),
    ],
    ids=["new", "empty", "json", "with_status"],
)
def test_what_is_no_status_is_refused(make: Callable[[int], Response], status: int) -> None:
    with pytest.raises(ValueError, match="is not a response status"):
        make(status)


@pytest.mark.parametrize(
    ("response", "content_type", "body"),
    [
        (Response.text("é"), "text/plain; charset=utf-8", "é".encode()),
        (Response.html("<p>"), "text/html; charset=utf-8", b"<p>"),
        (Response.json({"a": [1]}), "application/json", b'{"a":[1]}'),
        (Response.json(None), "application/json", b"null"),
        (Response.bytes(b"\xff"), "application/octet-stream", b"\xff"),
        (Response("é"), None, "é".encode()),
        (Response.empty(), None, b""),
    ],
)
def test_a_body_has_its_type(response: Response, content_type: str | None, body: bytes) -> None:
    assert (response.header("content-type"), response.body) == (content_type, body)


@pytest.mark.parametrize(
    "location", ["/", "/a", "/a?b=//evil.com", "/a#b", "/%09/x", "/a//b", "/@x"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_goes_to_a_path_of_this_site(location: str, status: int) -> None:
    response = Response.redirect(location, status)

    assert (response.status, response.headers) == (status, [("location", location)])


@pytest.mark.parametrize(
    "location",
    [
        *("", "a", "?a", "#a", "..", "//evil.com", "///evil.com", "/\\evil.com", "\\/evil.com"),
        *(
            "https://evil.com",
            "https:evil.com",
            "http://localhost",
            "javascript:alert(1)",
            "data:,x",
        ),
        *(" /a", "\t//evil.com"),
    ],
    ids=ascii,
)
def test_a_redirect_to_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match="path of this site: else set location"):
        Response.redirect(location)


@pytest.mark.parametrize(
    "location",
    [
        *("/ a", "/a b", "/a?b=é", "/\t/evil.com", "/\n/evil.com", "/a\r\nb: c"),
        *("/\x00", "/é", "/\u2028", "/\ud800", "/\x85/evil.com"),
    ],
    ids=ascii,
)
def test_a_redirect_that_is_not_encoded_is_told_so(location: str) -> None:
    with pytest.raises(ValueError, match=r"percent-encoded, as by c\.url_for or urllib"):
        Response.redirect(location)


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 400])
def test_a_redirect_has_a_status_of_one(status: int) -> None:
    with pytest.raises(ValueError, match="not a redirect"):
        Response.redirect("/", status)


def generate() -> Iterator[bytes]:
    yield b""


async def later() -> bytes:
    return b""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"a": 1}, r"not a dict: Response.json\(...\) sends what can be JSON"),
        ([b"a"], r"not a list: Response.json"),
        (None, "not a NoneType: Response.json"),
        (generate(), "not a generator: write its function with async def"),
        (generate, "not a function: call it"),
    ],
    ids=["dict", "list", "None", "generator", "function"],
)
@pytest.mark.parametrize("make", [Response, stream, server_sent_events])
def test_a_body_that_cannot_be_sent_is_refused_where_it_is_made(
    make: Callable[[Any], Response], body: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        make(body)


def test_a_body_that_was_not_awaited_is_refused() -> None:
    coroutine: Any = later()

    with pytest.raises(TypeError, match="not a coroutine: await it"):
        Response(coroutine)

    coroutine.close()


@pytest.mark.parametrize("body", [bytearray(b"ab"), memoryview(b"ab")], ids=["array", "view"])
def test_what_holds_bytes_is_a_body(body: Any) -> None:
    held = Response(body).body

    assert (type(held), held) == (bytes, b"ab")


@pytest.mark.parametrize("chunk", ["text", None, 1])
async def test_a_stream_yields_bytes_and_is_closed_where_it_does_not(chunk: Any) -> None:
    ended = []

    async def chunks() -> AsyncIterator[Any]:
        try:
            yield b"a"
            yield chunk
        finally:
            ended.append(chunk)

    with pytest.raises(TypeError, match=f"a stream yields bytes, not {type(chunk).__name__}"):
        await read_stream(Response(chunks()))

    assert ended == [chunk]


async def test_a_stream_of_events_yields_events() -> None:
    async def events() -> AsyncIterator[Any]:
        yield {"data": 1}

    with pytest.raises(TypeError, match="sends each Event, not a dict"):
        await read_stream(server_sent_events(events()))


def test_changing_an_answer_makes_another() -> None:
    first = Response(b"a", 200, [("X-A", "1"), ("x-b", "2"), ("x-a", "3")])

    changed = first.with_header("X-A", "4").with_added_header("x-a", "5").with_status(201)

    assert first.headers == [("x-a", "1"), ("x-b", "2"), ("x-a", "3")]
    assert first.status == 200
    assert changed.headers == [("x-b", "2"), ("x-a", "4"), ("x-a", "5")]
    assert (changed.status, changed.body) == (201, b"a")
    assert changed.header("x-a") == changed.header("X-A") == "4"
    assert changed.header("x-c") is None
    assert repr(changed) == "<Response 201>"


def test_a_reply_says_what_a_response_holds() -> None:
    assert (Reply(int).status, Reply(None, 204).type) == (200, None)


async def chunks() -> AsyncIterator[bytes]:
    for text in ("a", "b", "c"):
        yield text.encode()


class Note(msgspec.Struct):
    """What handlers give back."""

    text: str


app = App()


def serve(path: str, value: Callable[[], Any]) -> None:
    app.get(path, guard=public)(value)


serve("/str", lambda: "é")
serve("/bytes", lambda: b"\xff")
serve("/none", lambda: None)
serve("/struct", lambda: Note("é"))
serve("/list", lambda: [Note("a")])
serve("/dict", lambda: {"a": 1})
serve("/int", lambda: 0)
serve("/false", lambda: False)
serve("/empty", lambda: "")
serve("/response", lambda: Response(b"raw", 418, [("x-a", "1")]))
serve("/stream", lambda: Response(chunks()))
serve("/cookies", lambda: Response(headers=[("Set-Cookie", "a=1"), ("set-cookie", "b=2")]))
serve("/sniff", lambda: Response(headers=[("content-length", "7"), ("cache-control", "public")]))
serve("/unknown", lambda: object())
serve("/class", lambda: Note)
serve("/generator", lambda: (number for number in range(3)))
serve("/broken", lambda: 1 / 0)
serve("/injected", lambda: Response().with_header("x-a", "a\r\nb: c"))


@pytest.mark.parametrize(
    ("path", "status", "content_type", "body"),
    [
        ("/str", 200, "text/plain; charset=utf-8", "é".encode()),
        ("/bytes", 200, "application/octet-stream", b"\xff"),
        ("/none", 204, None, b""),
        ("/struct", 200, "application/json", '{"text":"é"}'.encode()),
        ("/list", 200, "application/json", b'[{"text":"a"}]'),
        ("/dict", 200, "application/json", b'{"a":1}'),
        ("/int", 200, "application/json", b"0"),
        ("/false", 200, "application/json", b"false"),
        ("/empty", 200, "text/plain; charset=utf-8", b""),
        ("/response", 418, None, b"raw"),
        ("/stream", 200, None, b"abc"),
    ],
)
async def test_what_a_handler_returns_becomes_an_answer(
    path: str, status: int, content_type: str | None, body: bytes
) -> None:
    response = await app.request("GET", path)

    assert (response.status, response.body) == (status, body)
    assert response.header("content-type") == content_type


@pytest.mark.parametrize("path", ["/unknown", "/class", "/generator", "/broken", "/injected"])
async def test_what_cannot_be_answered_is_our_fault(path: str) -> None:
    response = await app.request("GET", path)

    assert response.status == 500
    assert json_of(response) == {
        "title": "Internal Server Error",
        "status": 500,
        "code": "internal-error",
    }


@pytest.mark.parametrize(
    "path",
    ["/str", "/bytes", "/none", "/struct", "/response", "/empty", "/sniff", "/broken", "/no"],
)
async def test_head_is_get_without_the_body(path: str) -> None:
    get, head = await app.request("GET", path), await app.request("HEAD", path)

    assert (head.status, head.body) == (get.status, b"")
    lengths = [value for name, value in head.headers if name == "content-length"]
    assert lengths == ([] if path == "/none" else [str(len(get.body))])  # type: ignore[arg-type]  # no stream
    others = [pair for pair in head.headers if pair[0] != "content-length"]
    assert others == [pair for pair in get.headers if pair[0] != "content-length"]


async def test_head_never_starts_a_stream() -> None:
    started: list[str] = []

    async def stream() -> AsyncIterator[bytes]:
        started.append("started")
        yield b"a"

    local = App()
    local.get("/", guard=public)(lambda: Response(stream()))

    response = await local.request("HEAD", "/")

    assert (response.status, response.body, started) == (200, b"", [])


async def test_several_cookies_stay_apart_and_out_of_caches() -> None:
    headers = (await app.request("GET", "/cookies")).headers

    assert [value for name, value in headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert ("cache-control", "private, no-store") in headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("GET", path) for path in ("/str", "/none", "/stream", "/broken", "/nowhere", "/%00")],
        *[("HEAD", "/str"), ("OPTIONS", "/str"), ("POST", "/str"), ("POST", "/nowhere")],
    ],
)
async def test_every_answer_forbids_sniffing(method: str, path: str) -> None:
    assert ("x-content-type-options", "nosniff") in (await app.request(method, path)).headers


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/closed", 401), ("/broken", 500), ("/guard", 503), ("/1?n=x", 422), ("/x", 404)],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_a_guard_decided_stays_out_of_caches(
    method: str, path: str, status: int
) -> None:
    guarded = App()

    @guard
    async def closed(c: Context) -> None:
        raise Unauthorized(headers=[("cache-control", "public")])

    def cacheable(c: Context) -> Response:
        return Response(headers=[("Cache-Control", "public, max-age=9"), ("vary", "accept")])

    @guard
    async def limited(c: Context, n: Query[int] = 0) -> None: ...

    def read(c: Context, n: int) -> None: ...

    guarded.get("/", guard=guard(lambda: None, name="open"))(cacheable)
    guarded.get("/closed", guard=closed)(cacheable)
    guarded.get("/broken", guard=guard(lambda: None, name="open"))(lambda: 1 / 0)
    guarded.get("/guard", guard=guard(lambda: 1 / 0, name="broken"))(cacheable)
    guarded.get("/:n", guard=limited)(read)

    response = await guarded.request(method, path)

    assert response.status == status
    assert [value for name, value in response.headers if name == "cache-control"] == [
        "private, no-store"
    ]
    assert ("vary", "cookie") in response.headers


async def test_a_public_answer_may_be_cached() -> None:
    response = await app.request("GET", "/sniff")

    assert ("cache-control", "public") in response.headers
    assert response.header("vary") is None


async def test_nothing_says_what_we_are_made_of() -> None:
    for path in ("/str", "/broken", "/nowhere"):
        names = {name for name, _ in (await app.request("GET", path)).headers}
        assert not names & {"server", "x-powered-by", "via"}
