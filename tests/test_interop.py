"""What another framework answers comes out as it went in, and never past the guard."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from framework import (
    App,
    ConfigurationError,
    Context,
    Request,
    Response,
    Router,
    guard,
    public,
)
from framework.compose import Handler
from framework.errors import ContentTooLarge
from framework.guards import Guard
from framework.interop import asgi_handler, fetch_handler
from framework.local.serve import serve
from framework.request import Headers
from framework.testing import Client, json_of
from tests.local.test_serve import Connection
from tests.local.test_serve import request as raw_request
from tests.name_guard import WHO, known

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def mount(path: str, handler: Handler, guard: Guard = public, **options: Any) -> App:
    """Return an app with *handler* at *path* and below."""
    app = App(**options)
    app.all(path or "/", path + "/*", guard=guard)(handler)
    return app


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [*headers]}


def body(data: bytes | bytearray = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def sending(*messages: Message) -> Callable[[Message, Receive, Send], Awaitable[None]]:
    """Return an application that sends *messages*, whatever it is asked."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


async def get(*messages: Message, method: str = "GET") -> Response:
    return await mount("/m", asgi_handler(sending(*messages))).request(method, "/m/x")


# --- What the application is asked ---------------------------------------------------------------


class Seen:
    """An application that keeps its scope and its body."""

    scope: Message
    body: Message

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Keep, and answer with nothing."""
        self.scope, self.body = scope, await receive()
        await send(start(204))
        await send(body())


@pytest.mark.parametrize(
    ("declared", "asked", "path", "raw_path", "root_path"),
    [
        ("/m", "/m", "/m", b"/m", "/m"),
        ("/m", "/m/", "/m/", b"/m/", "/m"),
        ("/m", "/m/a/b", "/m/a/b", b"/m/a/b", "/m"),
        ("/m", "/m/m", "/m/m", b"/m/m", "/m"),
        ("/m", "/m/a/", "/m/a/", b"/m/a/", "/m"),
        ("/m", "/m/%C3%A9/%2e%2Ea", "/m/é/..a", b"/m/%C3%A9/%2e%2Ea", "/m"),
        ("/m", "/m/a%20b", "/m/a b", b"/m/a%20b", "/m"),
        ("/m", "/x/../m/a", "/m/a", b"/m/a", "/m"),
        ("/:tenant/m", "/%C3%A9/m/a", "/é/m/a", b"/%C3%A9/m/a", "/é/m"),
        ("", "/a/b", "/a/b", b"/a/b", ""),
        ("", "/", "/", b"/", ""),
    ],
)
async def test_the_path_is_the_whole_one_and_its_root_is_told(
    declared: str, asked: str, path: str, raw_path: bytes, root_path: str
) -> None:
    seen = Seen()

    assert (await mount(declared, asgi_handler(seen)).request("GET", asked)).status == 204

    scope = seen.scope
    assert (scope["path"], scope["raw_path"], scope["root_path"]) == (path, raw_path, root_path)


async def test_below_routers_the_root_is_all_that_stands_before() -> None:
    seen = Seen()
    app, outer, inner = App("/api"), Router("/v1"), Router("/admin")
    inner.all("/m", "/m/*", guard=public)(asgi_handler(seen))
    outer.mount(inner)
    app.mount(outer)

    await app.request("GET", "/api/v1/admin/m/a")

    assert (seen.scope["root_path"], seen.scope["path"]) == (
        "/api/v1/admin/m",
        "/api/v1/admin/m/a",
    )


@pytest.mark.parametrize("path", ["/m/a%2Fb", "/m/a%00", "/m/%2e%2e%2f", "/m/%ff", "/m/a%5Cb"])
async def test_a_path_that_hides_something_never_gets_there(path: str) -> None:
    seen = Seen()

    assert (await mount("/m", asgi_handler(seen)).request("GET", path)).status == 400
    assert not hasattr(seen, "scope")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://example.com/m", ("example.com", 80)),
        ("https://example.com/m", ("example.com", 443)),
        ("https://example.com:8443/m", ("example.com", 8443)),
        ("http://[::1]:8787/m", ("[::1]", 8787)),
        ("http://[::1]/m", ("[::1]", 80)),
        ("http://8787/m", ("8787", 80)),
    ],
)
async def test_the_server_is_the_host(url: str, server: tuple[str, int]) -> None:
    seen = Seen()

    await mount("/m", asgi_handler(seen)).request("GET", url)

    assert seen.scope["server"] == server
    assert seen.scope["scheme"] == url.partition(":")[0]


async def test_the_scope_is_asgi_3() -> None:
    seen = Seen()
    env = {"KEY": "value"}
    headers = [("X-A", "é"), ("x-b", "1"), ("x-b", "2"), ("Accept-Encoding", "gzip")]

    await mount("/m", asgi_handler(seen)).request(
        "POST", "/m?a=%20&b", headers=headers, body=b"\x00\xff", env=env
    )

    context = seen.scope.pop("context")
    assert dict(seen.scope) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/m",
        "raw_path": b"/m",
        "query_string": b"a=%20&b",
        "root_path": "/m",
        "headers": [(b"x-a", "é".encode()), (b"x-b", b"1, 2")],
        "client": None,
        "server": ("localhost", 80),
        "state": {},
        "extensions": {},
        "env": env,
    }
    assert context.env is env
    assert dict(seen.body) == {"type": "http.request", "body": b"\x00\xff", "more_body": False}


async def test_the_client_is_told_where_it_is_known() -> None:
    seen = Seen()

    async def read(limit: int) -> bytes:
        return b""

    request = Request("GET", "http", "x", "/m", "", Headers(), read, None, None, "203.0.113.7")
    await mount("/m", asgi_handler(seen)).handle(request, {})

    assert seen.scope["client"] == ("203.0.113.7", 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_gets_there_but_options(method: str) -> None:
    seen = Seen()
    app = mount("/m", asgi_handler(seen))

    assert (await app.request(method, "/m/x")).status == 204
    assert seen.scope["method"] == method
    options = await app.request("OPTIONS", "/m/x")
    assert options.header("allow") == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


@pytest.mark.parametrize(("size", "status"), [(100, 204), (101, 413)])
async def test_the_body_has_the_application_s_limit(size: int, status: int) -> None:
    seen = Seen()
    app = mount("/m", asgi_handler(seen), body_limit=100)

    assert (await app.request("POST", "/m", body=b"x" * size)).status == status
    assert hasattr(seen, "scope") == (status == 204)


async def test_what_a_guard_has_read_is_there_to_read() -> None:
    @guard
    async def signed(c: Context) -> None:
        assert await c.request.bytes() == b"signed"

    seen = Seen()

    await mount("/m", asgi_handler(seen), signed).request("POST", "/m", body=b"signed")

    assert seen.body["body"] == b"signed"


# --- What it answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([start(), body(b"whole")], b"whole"),
        ([start(), {"type": "http.response.body"}], b""),
        ([start(), body(b"a", more=True), body(b"b", more=True), body(b"c")], b"abc"),
        ([start(), body(b"", more=True), body(b"x", more=True), body()], b"x"),
        ([{"type": "http.response.start", "status": 200}, body(bytearray(b"x"))], b"x"),
    ],
    ids=["whole", "none", "pieces", "empty pieces", "no headers"],
)
async def test_an_answer_comes_back(messages: list[Message], expected: bytes) -> None:
    response = await get(*messages)

    assert (response.status, response.body) == (200, expected)


async def test_headers_come_back_and_cookies_apart() -> None:
    response = await get(
        start(
            201,
            *((b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"X-Name", b"caf\xe9")),
            *((b"content-length", b"99"), (b"Transfer-Encoding", b"chunked")),
            *((b"Connection", b"close"), (b"Keep-Alive", b"timeout=5")),
            (b"location", b"https://elsewhere.example/"),
        ),
        body(b"x"),
    )

    found = [pair for pair in response.headers if pair[0] not in {"cache-control", "vary"}]
    assert response.status == 201
    assert found == [
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x-name", "café"),
        ("location", "https://elsewhere.example/"),
        ("x-content-type-options", "nosniff"),
    ]


@pytest.mark.parametrize(
    "message",
    [
        start(200, (b"x", b"a\r\nset-cookie: evil=1")),
        start(200, (b"x\r\nset-cookie", b"evil=1")),
        start(200, (b"x", b"a\x00")),
        start(200, (b"", b"a")),
        start(99),
        start(600),
        start(0),
        {"type": "http.response.start", "headers": []},
        start("200"),  # type: ignore[arg-type]  # on purpose
    ],
    ids=str,
)
async def test_what_could_break_out_of_its_line_is_refused(message: Message) -> None:
    response = await get(message, body(b"canary"))

    assert response.status == 500
    assert b"canary" not in bytes(response.body)  # type: ignore[arg-type]  # no stream
    assert response.header("set-cookie") is None


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_an_answer_that_has_no_body_has_none(status: int) -> None:
    response = await get(start(status, (b"etag", b'"1"')), body(b"surplus"))

    assert (response.status, response.body, response.header("etag")) == (status, b"", '"1"')


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_work_after_an_answer_that_has_no_body_is_done(status: int) -> None:
    done = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start(status))
        await asyncio.sleep(0)  # as layers of Starlette's do, which hand an answer on in pieces
        for _ in range(3):
            await send(body(b"surplus" * 10_000, more=True))
            await asyncio.sleep(0)
        await send(body())
        await asyncio.sleep(0)
        done.append("committed")

    response = await mount("/m", asgi_handler(app)).request("DELETE", "/m")

    assert (response.status, response.body, done) == (status, b"", ["committed"])


@pytest.mark.parametrize("status", [200, 204, 304])
async def test_an_answer_that_never_ends_is_a_fault(status: int) -> None:
    response = await get(start(status))

    assert response.status == 500


@pytest.mark.parametrize("data", ["text", 5, None, [120]])
async def test_an_answer_whose_body_is_no_bytes_is_a_fault(data: Any) -> None:
    response = await get(start(), body(data))

    assert response.status == 500


@pytest.mark.parametrize("is_slow", [False, True])
async def test_head_has_the_length_that_the_application_tells(is_slow: bool) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-length", b"5")))
        if is_slow:
            await asyncio.sleep(0)
        await send(body(b"hello"))

    response = await mount("/m", asgi_handler(app)).request("HEAD", "/m")

    assert (response.body, response.header("content-length")) == (b"", "5")


async def test_behind_a_guard_the_answer_is_kept_by_no_cache() -> None:
    messages = start(200, (b"cache-control", b"public, max-age=60")), body(b"secret")
    handler = asgi_handler(sending(*messages))

    guarded = await mount("/m", handler, known).request("GET", "/m", headers={"x-name": "ada"})
    open_to_all = await mount("/m", handler).request("GET", "/m")

    assert guarded.header("cache-control") == "private, no-store"
    assert open_to_all.header("cache-control") == "public, max-age=60"


@pytest.mark.parametrize("path", ["/m", "/m/", "/m/x", "/m/x/y", "/m/m", "/m/%61"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_nobody_gets_past_the_guard(method: str, path: str) -> None:
    seen = Seen()
    app = mount("/m", asgi_handler(seen), known)

    assert (await app.request(method, path)).status == 401
    assert not hasattr(seen, "scope")
    assert (await app.request(method, path, headers={"x-name": "ada"})).status == 204
    assert seen.scope["context"].get(WHO) == "ada"


async def test_a_form_of_another_site_is_refused() -> None:
    seen = Seen()
    client = Client(mount("/m", asgi_handler(seen)))

    response = await client.post(
        "/m", form={"a": "1"}, headers={"sec-fetch-site": "cross-site", "origin": "https://evil"}
    )

    assert json_of(response)["code"] == "cross-site"
    assert not hasattr(seen, "scope")


# --- Streams -------------------------------------------------------------------------------------


async def read(response: Response) -> AsyncIterator[bytes]:
    assert not isinstance(response.body, bytes)
    return response.body


async def ask(app: App, path: str = "/m") -> Response:
    return await app.handle(Request.build("GET", path), {})


async def test_an_answer_in_pieces_is_a_stream() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        for n in range(3):
            await asyncio.sleep(0)
            await send(body(b"%d" % n, more=True))
        await asyncio.sleep(0)
        await send(body())

    response = await ask(mount("/m", asgi_handler(app)))

    assert [chunk async for chunk in await read(response)] == [b"0", b"1", b"2"]


async def test_the_head_of_a_stream_does_not_wait_for_its_body() -> None:
    go_on = asyncio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-type", b"text/event-stream")))
        await go_on.wait()
        await send(body(b"data: 1\n\n"))

    response = await asyncio.wait_for(ask(mount("/m", asgi_handler(app))), 5)
    go_on.set()

    assert response.header("content-type") == "text/event-stream"
    assert [chunk async for chunk in await read(response)] == [b"data: 1\n\n"]


async def test_an_application_does_not_run_far_ahead() -> None:
    sent = 0

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(start())
        for _ in range(100):
            await send(body(b"x" * 16_384, more=True))
            sent += 1
        await send(body())

    response = await ask(mount("/m", asgi_handler(app)))
    chunks = await read(response)
    first = await anext(chunks)
    ahead = sent

    size = len(first) + len(b"".join([chunk async for chunk in chunks]))
    assert ahead <= 6
    assert (sent, size) == (100, 100 * 16_384)


async def test_an_application_whose_client_goes_is_ended() -> None:
    ended = asyncio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            await send(body(b"x", more=True))
            await asyncio.Event().wait()
        finally:
            ended.set()

    chunks: Any = await read(await ask(mount("/m", asgi_handler(app))))
    assert await anext(chunks) == b"x"

    await chunks.aclose()

    assert ended.is_set()


@pytest.mark.parametrize("is_shielded", [False, True])
async def test_an_application_that_does_not_end_with_its_client_is_told_so(
    is_shielded: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    async def stubborn(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        try:
            while True:
                sending = asyncio.ensure_future(send(body(b"x" * 100_000, more=True)))
                await (asyncio.shield(sending) if is_shielded else sending)
        except asyncio.CancelledError:
            told.append("cancelled")
        try:
            if is_shielded:
                await sending
            for _ in range(10):
                await send(body(b"x" * 100_000, more=True))
        except OSError as error:
            told.append(str(error))
            raise

    before = asyncio.all_tasks()
    chunks: Any = await read(await ask(mount("/m", asgi_handler(stubborn))))
    await anext(chunks)
    await asyncio.sleep(0.01)  # it is as far ahead as it may be

    await asyncio.wait_for(chunks.aclose(), 5)

    assert told == ["cancelled", "the client has gone"]
    assert not caplog.records
    assert asyncio.all_tasks() == before


async def test_a_fault_that_nobody_reads_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"x", more=True))
        await asyncio.sleep(0)
        raise LookupError("its own fault")

    chunks: Any = await read(await ask(mount("/m", asgi_handler(app))))
    assert await anext(chunks) == b"x"
    await asyncio.sleep(0.01)
    assert not caplog.records

    await chunks.aclose()

    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "its own fault" in caplog.text


async def test_an_application_may_fill_its_buffer_anew() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        buffer = bytearray(2)
        for n in range(3):
            buffer[:] = b"%02d" % n
            await send(body(buffer, more=n < 2))

    assert (await mount("/m", asgi_handler(app)).request("GET", "/m")).body == b"000102"


async def test_an_application_may_watch_for_the_end() -> None:
    seen: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        watch = asyncio.ensure_future(receive())
        await send(start())
        await send(body(b"x"))
        seen.append((await watch)["type"])

    assert (await mount("/m", asgi_handler(app)).request("GET", "/m")).body == b"x"
    assert seen == ["http.disconnect"]


async def test_who_watches_for_the_end_is_not_told_of_it_before() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        watch = asyncio.ensure_future(receive())
        await send(start())
        for _ in range(3):
            await asyncio.sleep(0)
            if not watch.done():
                await send(body(b"x", more=True))
        await send(body())
        await watch

    response = await ask(mount("/m", asgi_handler(app)))

    assert b"".join([chunk async for chunk in await read(response)]) == b"xxx"


async def test_a_cancelled_request_ends_the_application() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    asking = asyncio.create_task(ask(mount("/m", asgi_handler(app))))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert ended.is_set()


# --- Applications that fail ----------------------------------------------------------------------


async def raising(scope: Message, receive: Receive, send: Send) -> None:
    raise LookupError("canary")


async def refusing(scope: Message, receive: Receive, send: Send) -> None:
    raise ContentTooLarge


async def cancelling(scope: Message, receive: Receive, send: Send) -> None:
    raise asyncio.CancelledError


async def raising_after_start(scope: Message, receive: Receive, send: Send) -> None:
    await send(start())
    raise LookupError("canary")


async def out_of_order(scope: Message, receive: Receive, send: Send) -> None:
    await send(body(b"canary"))


async def starting_twice(scope: Message, receive: Receive, send: Send) -> None:
    await send(start())
    await send(start())


def asgi_2(scope: Message) -> Any:
    return raising


@pytest.mark.parametrize(
    ("app", "status"),
    [
        (raising, 500),
        (refusing, 413),
        (cancelling, 500),
        (raising_after_start, 500),
        (out_of_order, 500),
        (starting_twice, 500),
        (sending(), 500),
        (sending(start()), 500),
        (sending(start(), body(b"x", more=True)), 500),
        (sending({"type": "websocket.accept"}), 500),
        (asgi_2, 500),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_what_fails_before_its_answer_is_told_as_our_own_faults(
    app: Any, status: int
) -> None:
    response = await mount("/m", asgi_handler(app)).request("GET", "/m")

    assert response.status == status
    assert response.header("content-type") == "application/problem+json"
    assert b"canary" not in bytes(response.body)  # type: ignore[arg-type]  # no stream


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LookupError("half way"), pytest.raises(LookupError, match="half way")),
        (asyncio.CancelledError(), pytest.raises(RuntimeError, match="cancelled itself")),
    ],
    ids=["fault", "cancellation"],
)
async def test_a_stream_that_fails_breaks_off(
    error: BaseException, told: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await asyncio.sleep(0)
        await send(body(b"x", more=True))
        raise error

    chunks = await read(await ask(mount("/m", asgi_handler(app))))

    assert await anext(chunks) == b"x"
    with told:
        await anext(chunks)
    assert not caplog.records  # it is raised, and not logged as well


async def test_a_stream_that_ends_early_breaks_off() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await asyncio.sleep(0)

    chunks = await read(await ask(mount("/m", asgi_handler(app))))

    with pytest.raises(RuntimeError, match="half an answer"):
        await anext(chunks)


@pytest.mark.parametrize("with_work", [False, True])
@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_fault_after_the_answer_is_logged_and_the_answer_stands(
    with_work: bool, is_slow: bool, caplog: pytest.LogCaptureFixture
) -> None:
    work: list[Awaitable[Any]] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start(500))
        await send(body(b"its own page"))
        if is_slow:
            await asyncio.sleep(0.01)
        raise LookupError("its own fault")

    response = await mount("/m", asgi_handler(app)).handle(
        Request.build("GET", "/m"), {}, work.append if with_work else None
    )
    for each in work:
        await each

    assert (response.status, response.body) == (500, b"its own page")
    assert len(work) == (with_work and is_slow)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "its own fault" in caplog.text


async def test_a_fault_after_a_streamed_answer_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"a", more=True))
        await asyncio.sleep(0)
        await send(body(b"b"))
        raise LookupError("its own fault")

    response = await mount("/m", asgi_handler(app)).request("GET", "/m")

    assert (response.status, response.body) == (200, b"ab")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("status", [200, 204])
async def test_work_after_the_answer_outlives_it(status: int) -> None:
    work: list[Awaitable[Any]] = []
    done: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start(status))
        if status == 204:  # whose end is waited for, and no longer
            await asyncio.sleep(0)
        await send(body(b"x"))
        await asyncio.sleep(0.01)
        done.append("worked")

    app_here = mount("/m", asgi_handler(app))
    await app_here.handle(Request.build("GET", "/m"), {}, work.append)
    assert done == []
    await asyncio.gather(*work)
    assert done == ["worked"]
    await app_here.request("GET", "/m")
    assert done == ["worked", "worked"]


async def test_an_application_that_says_more_than_its_answer_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await get(start(), body(b"x"), body(b"canary"))

    assert response.body == b"x"
    assert "unexpected ASGI message 'http.response.body'" in caplog.text


async def test_many_at_once_do_not_mix() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        message = await receive()
        await asyncio.sleep(0)
        await send(start())
        await asyncio.sleep(0)
        await send(body(message["body"]))

    app_here = mount("/m", asgi_handler(app))

    answers = await asyncio.gather(
        *[app_here.request("POST", "/m", body=b"%d" % n) for n in range(100)]
    )

    assert [answer.body for answer in answers] == [b"%d" % n for n in range(100)]


def test_over_a_socket_streams_arrive_and_end_with_their_client() -> None:
    ended: list[bool] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            await asyncio.sleep(0)
            await send(body(scope["client"][0].encode(), more=True))
            if scope["path"] == "/m/endless":
                await asyncio.Event().wait()
            await send(body(b" ended"))
        finally:
            ended.append(True)

    with serve(mount("/m", asgi_handler(app)), {}) as url:
        with Connection(url) as connection:
            answer = connection.send(raw_request("GET /m")).answer()
        with Connection(url) as leaving:
            leaving.send(raw_request("GET /m/endless")).read_until(b"127.0.0.1")

    assert answer.body == b"127.0.0.1 ended"
    assert ended == [True, True]


# --- Functions of a request ----------------------------------------------------------------------


async def echo(request: Request) -> Response:
    return Response.text(f"{request.method} {request.path} {await request.text()}", 201)


async def test_a_function_answers_behind_the_guard() -> None:
    app = mount("/f", fetch_handler(echo), known)

    refused = await app.request("POST", "/f/a?b", body=b"text")
    response = await app.request("POST", "/f/a?b", body=b"text", headers={"x-name": "ada"})

    assert refused.status == 401
    assert (response.status, response.body) == (201, b"POST /f/a text")
    assert response.header("cache-control") == "private, no-store"


async def test_a_function_that_answers_with_anything_else_is_at_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def wrong(request: Request) -> Any:
        return "text"

    assert (await mount("/f", fetch_handler(wrong)).request("GET", "/f")).status == 500
    assert "TypeError: a mounted function returned a str" in caplog.text


@pytest.mark.parametrize(
    ("make", "wanted"),
    [(asgi_handler, "an ASGI application"), (fetch_handler, "a function of a request")],
)
def test_what_cannot_be_called_is_refused(make: Any, wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^'app:app' is not {wanted}$"):
        make("app:app")


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {"if-none-match": "*"}), ("GET", {"if-none-match": '"1"'}), ("HEAD", {})],
)
async def test_an_application_whose_stream_is_not_sent_is_ended(
    method: str, headers: dict[str, str]
) -> None:
    ended: list[str] = []

    async def endless(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await send(start(200, (b"etag", b'"1"')))
            while True:
                await send(body(b"x" * 1024, more=True))
                await asyncio.sleep(0)
        finally:
            ended.append(method)

    before = asyncio.all_tasks()

    response = await mount("", asgi_handler(endless)).request(method, "/", headers=headers)

    assert response.body == b""
    assert ended == [method]
    assert asyncio.all_tasks() == before
