"""An ASGI server's messages become what the Worker would hand on, and answers become messages."""

import asyncio
import gc
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import msgspec
import pytest

from framework import App, ConfigurationError, Context, Response, guard, public
from framework.compose import Next
from framework.errors import Forbidden, HTTPError
from framework.local.asgi import ASGIApplication, _Encoded, _known_hosts, _names, asgi
from framework.local.background import Background
from framework.local.body_receiver import BodyReceiver
from framework.middleware.cache import cache
from framework.request import BODY_LIMIT
from tests.name_guard import known

HOST = (b"host", b"localhost:8787")
Message = dict[str, Any]


def make_app() -> App:
    """An app whose answers tell what it was asked."""
    app = App()

    @app.get("/", "/seen/:rest{.*}", guard=public)
    async def seen(c: Context) -> dict[str, Any]:
        request = c.request
        return {
            "path": request.path,
            "query": request.query_string,
            "origin": request.origin,
            "headers": dict(request.headers.items()),
            "x": request.headers.get("x"),
            "address": request.address,
        }

    @app.post("/body", guard=public)
    async def body(c: Context) -> bytes:
        return await c.request.bytes()

    @app.post("/unread", guard=public)
    async def unread() -> str:
        return "not read"

    @app.get("/cookies", guard=public)
    async def cookies() -> Response:
        return Response("", 200, [("set-cookie", "a=1"), ("set-cookie", "b=2")])

    @app.get("/status/:status{[0-9]+}", guard=public)
    async def status(status: int) -> Response:
        return Response("", status)

    @app.get("/own-length", guard=public)
    async def own_length() -> Response:
        return Response("four", 200, [("content-length", "9")])

    return app


class Exchange:
    """One request to an ASGI application: what it is sent, and what it answers."""

    def __init__(
        self,
        target: str | bytes = "/",
        *,
        method: str = "GET",
        headers: Iterable[tuple[bytes, bytes]] = (HOST,),
        body: Iterable[bytes] = (),
        scheme: str = "http",
        http_version: str = "1.1",
        ends: bool = True,
    ) -> None:
        raw = target if isinstance(target, bytes) else target.encode()
        raw_path, _, query = raw.partition(b"?")
        self.scope: Message = {
            "type": "http",
            "http_version": http_version,
            "method": method,
            "scheme": scheme,
            "path": raw_path.decode("latin-1"),
            "raw_path": raw_path,
            "query_string": query,
            "headers": list(headers),
        }
        chunks = list(body)
        self.incoming: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": not ends or n + 1 < len(chunks)}
            for n, chunk in enumerate(chunks)
        ]
        self.gone = asyncio.Event()
        self.sent: list[Message] = []
        self.received = 0

    async def receive(self) -> Message:
        """Give the next message; with none left, wait until the client is gone."""
        self.received += 1
        if self.incoming:
            return self.incoming.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Keep a message."""
        self.sent.append(message)

    async def run(self, application: ASGIApplication | None = None) -> "Exchange":
        """Let *application* answer."""
        await (application or asgi(make_app(), {}))(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        """The status that was sent."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that were sent."""
        return list(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """The body that was sent."""
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def json(self) -> Any:
        """The body decoded."""
        return msgspec.json.decode(self.body)


async def test_an_app_that_cannot_answer_is_refused_before_it_is_asked() -> None:
    app = App()
    app.use(cache(60))
    app.get("/", guard=known)(lambda: "")

    with pytest.raises(ConfigurationError):
        asgi(app, {})


# --- The URL -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/seen/a/./b", "/seen/a/b", ""),
        ("/a/../seen/b?x=1", "/seen/b", "x=1"),
        ("/a/%2e%2E/seen/b", "/seen/b", ""),
        ("/seen/a\\b", "/seen/a/b", ""),
        ("/seen/a#b?c=1", "/seen/a", ""),
        ("/seen/a?x=1#?y=2", "/seen/a", "x=1"),
        ("/seen/%C3%A9", "/seen/%C3%A9", ""),
        ("/seen/%252e%252e/b", "/seen/%252e%252e/b", ""),
        ("/seen/a?", "/seen/a", ""),
        ("/seen/a?a=%20&b=%2F", "/seen/a", "a=%20&b=%2F"),
        ("/seen/a?x=1&y=2", "/seen/a", "x=1&y=2"),
    ],
)
async def test_the_url_is_what_a_url_parser_leaves(target: str, path: str, query: str) -> None:
    exchange = await Exchange(target).run()

    assert exchange.status == 200
    assert (exchange.json["path"], exchange.json["query"]) == (path, query)


_NO_PATH = "The request target is not a path."
_NOT_ASCII = "The URL holds a byte that is not ASCII."
_CONTROL = "The URL holds a control character."


@pytest.mark.parametrize(
    ("target", "why"),
    [
        *(
            (target, _NO_PATH)
            for target in (b"*", b"seen", b"seen/", b"@evil", b"http://evil/", b"")
        ),
        *((target, _NOT_ASCII) for target in (b"/\xff", b"/a?\xff")),
        *((target, _CONTROL) for target in (b"/a\x00", b"/a?b\x7f")),
    ],
)
async def test_a_target_that_is_no_path_is_refused(target: bytes, why: str) -> None:
    exchange = await Exchange(target).run()

    assert exchange.status == 400
    assert (exchange.json["code"], exchange.json["detail"]) == ("malformed-request", why)
    assert (b"content-type", b"application/problem+json") in exchange.headers


async def test_a_server_that_tells_only_the_decoded_path_is_understood() -> None:
    exchange = Exchange("/seen/x")
    del exchange.scope["raw_path"]
    exchange.scope["path"] = "/seen/é"

    await exchange.run()

    assert exchange.json["path"] == "/seen/%C3%A9"


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", b"LocalHost:8787", "http://localhost:8787"),
        ("http", b"example.com:80", "http://example.com"),
        ("http", b"example.com:443", "http://example.com:443"),
        ("http", b"example.com:", "http://example.com"),
        ("http", b"example.com:0", "http://example.com:0"),
        ("http", b"example.com:65535", "http://example.com:65535"),
        ("https", b"example.com:443", "https://example.com"),
        ("https", b"example.com:080", "https://example.com:80"),
        ("http", b"[::1]:8787", "http://[::1]:8787"),
        ("http", b"127.0.0.1", "http://127.0.0.1"),
    ],
)
async def test_the_origin_is_what_a_browser_writes(scheme: str, host: bytes, origin: str) -> None:
    first, last = [(b"host", host), (b"x", b"1")], [(b"x", b"1"), (b"host", host)]
    for headers in (first, first, last):  # the second time it is remembered
        exchange = await Exchange(scheme=scheme, headers=headers).run()

        assert exchange.json["origin"] == origin


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"x/admin",
        b"x/admin?",
        b"a@b",
        b"x:65536",
        b"x:-1",
        b"x:1x",
        b"x:\xd9\xa3",
        b"x y",
        b"\xc3\xa9",
        b"x\\y",
        b"x#y",
        b"[::1",
        b"a" * 300,
    ],
)
async def test_a_host_that_is_none_is_refused(host: bytes) -> None:
    exchange = await Exchange(headers=[(b"host", host)]).run()

    assert exchange.status == 400
    assert exchange.json["code"] == "malformed-request"
    assert exchange.json["detail"] == "The Host header is malformed."


@pytest.mark.parametrize(
    ("headers", "why"),
    [([], "is missing"), ([HOST, HOST], "came twice"), ([HOST, (b"host", b"evil")], "came twice")],
)
async def test_there_is_one_host(headers: list[tuple[bytes, bytes]], why: str) -> None:
    exchange = await Exchange(headers=[*headers, (b"x", b"1")]).run()

    assert (exchange.status, exchange.json["detail"]) == (400, f"The Host header {why}.")


@pytest.mark.parametrize("more", [HOST, (b"host", b"evil")])
async def test_a_second_host_is_refused_where_a_header_is_read(more: tuple[bytes, bytes]) -> None:
    app = App()

    @app.on_error
    async def tell(c: Context, error: HTTPError) -> Response:
        agents = c.request.headers.get("user-agent"), dict(c.request.headers.items())["user-agent"]
        return Response.json({"code": error.code, "agents": agents})

    @app.get("/", guard=public)
    async def read(c: Context) -> str | None:
        return c.request.headers.get("accept")

    application = asgi(app, {})
    await Exchange().run(application)  # from now on the host is known

    exchange = await Exchange(headers=[HOST, (b"user-agent", b"x"), more]).run(application)

    assert exchange.json == {"code": "malformed-request", "agents": ["x", "x"]}


async def test_a_second_host_changes_nothing_of_what_is_answered_and_told_before_it_is_seen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events: list[str] = []
    app = App(security_log=lambda _, event: events.append(event.event))

    @guard
    def refuse() -> None:
        raise Forbidden

    @app.get("/", guard=refuse)
    async def read() -> None: ...

    application = asgi(app, {})
    await Exchange().run(application)  # from now on the host is known
    events.clear()

    exchange = await Exchange(headers=[HOST, HOST]).run(application)

    assert (exchange.status, events, caplog.records) == (403, ["authz_fail"], [])


async def test_a_header_may_be_a_list() -> None:
    application = asgi(make_app(), {})

    for _ in range(2):  # the second time the host is known
        exchange = Exchange()
        exchange.scope["headers"] = [[*HOST], [b"x", b"1"]]
        assert (await exchange.run(application)).json["x"] == "1"


@pytest.mark.parametrize(("target", "status"), [("/a", 200), ("/%61", 200), ("/b%2561", 404)])
async def test_a_layer_may_write_another_path(target: str, status: int) -> None:
    app = App()

    @app.use
    async def shift(c: Context, call_next: Next) -> Response:
        c.request.path = "/below" + c.request.path.replace("/b", "/")
        return await call_next()

    @app.get("/below/a", guard=public)
    async def below() -> str:
        return "below"

    assert (await Exchange(target).run(asgi(app, {}))).status == status


async def test_a_server_that_tells_no_scheme_has_http() -> None:
    exchange = Exchange()
    del exchange.scope["scheme"]

    assert (await exchange.run()).json["origin"] == "http://localhost:8787"


async def test_few_hosts_are_remembered() -> None:
    application = asgi(make_app(), {})

    for n in range(200):
        host = f"host-{n}.example"
        exchange = await Exchange(headers=[(b"host", host.encode())]).run(application)
        assert exchange.json["origin"] == f"http://{host}"

    assert len(_known_hosts["http"]) <= 64


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("203.0.113.7", 50_000), "203.0.113.7"),
        (["2001:db8::1", 50_000], "2001:db8::1"),
        (("", 0), None),
        ((None, None), None),
        (None, None),
        ((), None),
    ],
)
async def test_the_address_is_what_the_server_says(client: Any, address: str | None) -> None:
    exchange = Exchange(headers=[HOST, (b"x-forwarded-for", b"198.51.100.1")])
    exchange.scope["client"] = client

    assert (await exchange.run()).json["address"] == address


async def test_a_server_that_tells_no_client_tells_no_address() -> None:
    assert (await Exchange().run()).json["address"] is None


# --- Headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "name", "values", "seen"),
    [
        ("1.1", "x", ["1", "2"], "1, 2"),
        ("1.1", "x", ["1", "", "1"], "1, , 1"),
        ("2", "accept", ["a", "b", "c"], "a, b, c"),
        ("2", "cookie", ["a=1"], "a=1"),
        ("1.0", "cookie", ["a=1", "b=2"], "a=1, b=2"),  # as workerd joins them
        ("1.1", "cookie", ["a=1", "b=2"], "a=1, b=2"),
        ("2", "cookie", ["a=1", "b=2"], "a=1; b=2"),  # RFC 9113, 8.2.3
        ("3", "cookie", ["a=1", "b=2; c=3", "a=4"], "a=1; b=2; c=3; a=4"),
        ("2", "set-cookie", ["a=1", "b=2"], "a=1, b=2"),
    ],
)
async def test_headers_that_are_repeated_are_joined(
    version: str, name: str, values: list[str], seen: str
) -> None:
    repeated = [(name.encode(), value.encode()) for value in values]
    headers = [HOST, *repeated[:1], (b"y", b"1"), *repeated[1:]]

    exchange = await Exchange(headers=headers, http_version=version).run()

    assert exchange.json["headers"] == {"host": "localhost:8787", "y": "1", name: seen}


@pytest.mark.parametrize("turned", [False, True])
async def test_cookies_that_http_2_splits_are_several_cookies(turned: bool) -> None:
    app = App()

    @app.get("/", guard=public)
    async def cookies(c: Context) -> dict[str, list[str]]:
        return c.request.cookies

    crumbs = [(b"cookie", b"theme=dark"), (b"cookie", b"auth_session=token")]
    headers = [HOST, *(crumbs[::-1] if turned else crumbs)]

    exchange = await Exchange(headers=headers, http_version="2").run(asgi(app, {}))

    assert exchange.json == {"theme": ["dark"], "auth_session": ["token"]}


@pytest.mark.parametrize(
    ("value", "seen"), [(b"\xc3\xa9", "é"), (b"\xff", "\ufffd"), (b"a\x01", "a\x01")]
)
async def test_values_are_decoded_as_the_worker_decodes_them(value: bytes, seen: str) -> None:
    assert (await Exchange(headers=[HOST, (b"x", value)]).run()).json["x"] == seen


@pytest.mark.parametrize("name", ["x-a", "X-A", "x-A", "bad name", "", "é"])
async def test_a_header_is_found_in_any_case(name: str) -> None:
    app = App()

    @app.get("/", guard=public)
    async def read(c: Context) -> str | None:
        return c.request.headers.get(name)

    exchange = await Exchange("/", headers=[HOST, (b"x-a", b"1")]).run(asgi(app, {}))

    assert exchange.body == (b"1" if name.lower() == "x-a" else b"")


async def test_few_names_of_headers_are_remembered() -> None:
    app = App()

    @app.get("/", guard=public)
    async def read(c: Context) -> list[str | None]:
        return [c.request.headers.get(f"x-{number}") for number in range(1000)]

    exchange = await Exchange("/", headers=[HOST, (b"x-999", b"1")]).run(asgi(app, {}))

    assert exchange.json[998:] == [None, "1"]
    assert len(_names) <= 256


async def test_values_are_encoded_as_the_worker_encodes_them() -> None:
    app = App()

    @app.get("/", guard=public)
    async def beyond_ascii() -> Response:
        return Response("", 200, [("x", "café"), ("set-cookie", "a=é")])

    exchange = await Exchange().run(asgi(app, {}))

    assert {(b"x", "café".encode()), (b"set-cookie", "a=é".encode())} <= set(exchange.headers)


@pytest.mark.parametrize("same", [False, True])
async def test_headers_are_counted(same: bool) -> None:
    headers = [HOST, *((b"x-%d" % (n * (not same)), b"") for n in range(100))]

    assert (await Exchange(headers=headers[:100]).run()).status == 200
    refused = await Exchange(headers=headers).run()

    assert (refused.status, refused.json["code"]) == (431, "headers-too-large")
    assert refused.json["detail"] == "More than 100 headers."


@pytest.mark.parametrize("length", [b"content-length", b"transfer-encoding"])
async def test_a_body_of_one_length_may_come_with_repeated_headers(length: bytes) -> None:
    headers = [HOST, (b"x", b"1"), (b"x", b"2"), (length, b"1")]

    exchange = await Exchange("/body", method="POST", headers=headers, body=[b"x"]).run()

    assert (exchange.status, exchange.body) == (200, b"x")


async def test_a_body_with_two_lengths_is_refused_and_the_connection_closed() -> None:
    headers = [HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")]

    exchange = await Exchange("/body", method="POST", headers=headers, body=[b"x"]).run()

    assert (exchange.status, exchange.json["detail"]) == (400, "The body has two lengths.")
    assert (b"connection", b"close") in exchange.headers


# --- Bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [[b""], [b"abc"], [b"a", b"", b"bc"]])
async def test_a_body_is_put_together(chunks: list[bytes]) -> None:
    exchange = await Exchange("/body", method="POST", body=chunks).run()

    assert exchange.body == b"".join(chunks)


@pytest.mark.parametrize(
    ("message", "body"), [({}, b""), ({"body": b"a"}, b"a"), ({"body": bytearray(b"a")}, b"a")]
)
async def test_a_message_may_leave_out_what_is_not_to_be_said(
    message: Message, body: bytes
) -> None:
    exchange = Exchange()
    exchange.incoming = [{"type": "http.request", **message}]

    read = await BodyReceiver().read(exchange.receive, 10)

    assert (type(read), read) == (bytes, body)


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
async def test_a_body_may_be_as_long_as_the_limit(size: int, status: int) -> None:
    body = [b"x" * (size - 1), b"x"]

    assert (await Exchange("/body", method="POST", body=body).run()).status == status


async def test_nothing_is_received_for_a_handler_that_reads_no_body() -> None:
    exchange = await Exchange("/unread", method="POST", body=[b"x"]).run()

    assert exchange.status == 200
    assert exchange.received == 0


async def test_reading_stops_at_the_limit() -> None:
    chunk = b"x" * (BODY_LIMIT // 4)

    exchange = await Exchange("/body", method="POST", body=[chunk] * 100).run()

    assert exchange.status == 413
    assert exchange.received == 5


async def test_the_end_of_a_body_that_was_not_read_whole_is_no_body() -> None:
    app = App(body_limit=10)

    @app.post("/body", guard=public)
    async def read(c: Context) -> bytes:
        return await c.request.bytes()

    @app.on_error
    async def again(c: Context, error: HTTPError) -> Response:
        return Response.bytes(await c.request.bytes(), error.status)

    exchange = await Exchange("/body", method="POST", body=[b"x" * 11, b"end"]).run(asgi(app, {}))

    assert (exchange.status, exchange.json["detail"]) == (400, "The body could not be read.")


async def test_a_body_that_is_being_read_is_not_waited_for() -> None:
    app = App()

    @app.post("/body", guard=public)
    async def read_twice(c: Context) -> list[str]:
        reads = [c.request.text(), c.request.text()]
        return [str(each) for each in await asyncio.gather(*reads, return_exceptions=True)]

    exchange = Exchange("/body", method="POST", body=[b"a", b"b"])

    async def receive() -> Message:
        await asyncio.sleep(0)
        return await exchange.receive()

    await asyncio.wait_for(asgi(app, {})(exchange.scope, receive, exchange.send), 5)

    assert exchange.json == ["ab", "The body could not be read."]


@pytest.mark.parametrize("length", [b"1048577", b"99999999999999999999"])
async def test_a_declared_length_past_the_limit_is_not_read(length: bytes) -> None:
    headers = [HOST, (b"content-length", length)]

    exchange = await Exchange("/body", method="POST", headers=headers, body=[b"x"]).run()

    assert exchange.status == 413
    assert exchange.received == 0


async def test_a_client_that_leaves_while_it_sends_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange = Exchange("/body", method="POST", body=[b"x"], ends=False)
    exchange.gone.set()

    await exchange.run()

    assert (exchange.status, exchange.json["detail"]) == (400, "The body ended early.")
    assert not caplog.records


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    exchange = Exchange("/body", method="POST", body=[b"x"], ends=False)
    reading = BodyReceiver(deadline=0.02)

    with pytest.raises(HTTPError, match=r"^The body took too long to arrive\.$") as caught:
        await reading.read(exchange.receive, 10)

    assert (caught.value.status, caught.value.code) == (408, "request-timeout")
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_a_body_that_comes_in_time_is_read_and_its_reader_not_hurried() -> None:
    async def receive_later() -> Message:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b"x"}

    reading = BodyReceiver(deadline=0.3)
    assert await reading.read(receive_later, 10) == b"x"
    await asyncio.sleep(0.4)  # as a handler may take, once it has its body

    with pytest.raises(HTTPError, match="took too long"):  # nor is the next one waited for
        await asyncio.wait_for(reading.read(Exchange().receive, 10), 5)


async def test_cancelling_a_read_is_no_timeout() -> None:
    exchange = Exchange("/body", method="POST", body=[b"x"], ends=False)
    task = asyncio.create_task(BodyReceiver().read(exchange.receive, 10))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


# --- Answers -------------------------------------------------------------------------------------


async def test_cookies_are_sent_apart() -> None:
    headers = (await Exchange("/cookies").run()).headers

    assert [value for name, value in headers if name == b"set-cookie"] == [b"a=1", b"b=2"]


@pytest.mark.parametrize(("status", "length"), [(200, [b"0"]), (204, []), (205, []), (304, [])])
async def test_the_length_is_told_where_a_body_is_allowed(status: int, length: list[bytes]) -> None:
    exchange = await Exchange(f"/status/{status}").run()

    assert exchange.status == status
    assert [value for name, value in exchange.headers if name == b"content-length"] == length


@pytest.mark.parametrize(
    ("name", "is_kept"), [("set-cookie", False), ("location", False), ("x-known", True)]
)
async def test_what_may_hold_a_secret_is_not_remembered(name: str, is_kept: bool) -> None:
    app = App()
    app.get("/", guard=public)(lambda: Response("", 200, [(name, "canary")]))

    answer = await Exchange().run(asgi(app, {}))

    assert (name.encode(), b"canary") in answer.headers
    dictionaries = (each for each in gc.get_objects() if issubclass(type(each), dict))
    kept = any(dict.__contains__(each, (name, "canary")) for each in dictionaries)
    assert kept == is_kept


async def test_few_headers_of_answers_are_remembered() -> None:
    app = App()

    @app.get("/:n", guard=public)
    async def numbered(n: str) -> Response:
        return Response("", headers=[("x", n)])

    application = asgi(app, {})
    for n in range(1000):
        assert (b"x", b"%d" % n) in (await Exchange(f"/{n}").run(application)).headers

    assert [len(each) <= 256 for each in gc.get_objects() if type(each) is _Encoded] == [True]


async def test_what_a_server_says_of_its_connection_is_left_to_it() -> None:
    names = ("keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length")
    said = [*((name, "9") for name in names), ("connection", "close"), ("x", "1")]
    app = App()
    app.get("/", guard=public)(lambda: Response("four", headers=said))

    headers = dict((await Exchange().run(asgi(app, {}))).headers)

    assert headers.keys().isdisjoint(name.encode() for name in names[:-1])
    known = (b"content-length", b"connection", b"x")
    assert [headers[name] for name in known] == [b"4", b"close", b"1"]


@pytest.mark.parametrize("size", [1, 1023, 1024, 5000])
async def test_the_length_is_that_of_the_body(size: int) -> None:
    app = App()
    app.get("/", guard=public)(lambda: "x" * size)
    app.get("/other", guard=public)(lambda: Response("x" * size, headers=[("x", "1")]))

    for target in ("/", "/other"):
        headers = (await Exchange(target).run(asgi(app, {}))).headers
        assert dict(headers)[b"content-length"] == b"%d" % size


async def test_the_length_is_the_body_s_own() -> None:
    headers = (await Exchange("/own-length").run()).headers

    assert [value for name, value in headers if name == b"content-length"] == [b"4"]


@pytest.mark.parametrize(("target", "status"), [("/", 200), ("/nowhere", 404), ("//x", 404)])
async def test_head_answers_like_get_without_the_body(target: str, status: int) -> None:
    application = asgi(make_app(), {})
    got = await Exchange(target).run(application)

    exchange = await Exchange(target, method="HEAD").run(application)

    assert exchange.status == status
    assert exchange.body == b""
    lengths = [value for name, value in exchange.headers if name == b"content-length"]
    assert lengths == [b"%d" % len(got.body)]


@pytest.mark.parametrize(("status", "lengths"), [(200, [b"9"]), (204, []), (304, [])])
async def test_head_tells_the_length_that_a_stream_says(status: int, lengths: list[bytes]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 9

    app = App()
    said = [("content-length", "9"), ("x", "1")]
    app.get("/", guard=public)(lambda: Response(chunks() if lengths else b"", status, said))

    headers = (await Exchange(method="HEAD").run(asgi(app, {}))).headers

    assert [value for name, value in headers if name == b"content-length"] == lengths
    assert (b"x", b"1") in headers


async def test_a_failing_handler_is_a_problem() -> None:
    app = App()

    @app.get("/", guard=public)
    async def fail() -> None:
        raise RuntimeError("secret")

    exchange = await Exchange().run(asgi(app, {}))

    assert exchange.status == 500
    assert b"secret" not in exchange.body


# --- Streams -------------------------------------------------------------------------------------


def streaming(make: Callable[[], AsyncIterator[bytes]]) -> ASGIApplication:
    """Return an application that answers ``/`` with a stream."""
    app = App()

    @app.get("/", guard=public)
    async def stream() -> Response:
        return Response(make())

    return asgi(app, {})


async def test_a_stream_is_sent_in_its_chunks() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"

    before = asyncio.all_tasks()
    exchange = await Exchange().run(streaming(chunks))
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before
    assert [m["body"] for m in exchange.sent[1:]] == [b"a", b"b", b""]
    assert [m["more_body"] for m in exchange.sent[1:]] == [True, True, False]
    assert not [value for name, value in exchange.headers if name == b"content-length"]


async def test_a_stream_of_text_is_a_fault() -> None:
    async def chunks() -> AsyncIterator[Any]:
        yield b"a"
        yield "b"

    exchange = Exchange()
    with pytest.raises(TypeError, match="str"):
        await exchange.run(streaming(chunks))

    assert exchange.body == b"a"


async def test_head_of_a_stream_tells_no_length() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"

    exchange = await Exchange(method="HEAD").run(streaming(chunks))

    assert (exchange.status, exchange.body) == (200, b"")
    assert not [value for name, value in exchange.headers if name == b"content-length"]


async def test_a_stream_is_closed_when_the_client_goes() -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                begun.set()
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    exchange = Exchange()
    task = asyncio.create_task(exchange.run(streaming(chunks)))
    await asyncio.wait_for(begun.wait(), 5)
    exchange.gone.set()
    await asyncio.wait_for(task, 5)

    assert closed.is_set()
    assert exchange.sent[-1]["more_body"]


async def test_a_stream_that_waits_for_nothing_ends_when_the_client_goes() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x"

    exchange = Exchange()
    exchange.gone.set()
    await exchange.run(streaming(chunks))

    assert len(exchange.sent) < 10


async def test_a_client_that_goes_leaves_no_cancellation_behind() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async def run() -> int:
        await exchange.run(streaming(chunks))
        task = asyncio.current_task()
        return -1 if task is None else task.cancelling()

    exchange = Exchange()
    exchange.gone.set()

    assert await asyncio.wait_for(asyncio.create_task(run()), 5) == 0


async def test_a_stream_that_the_server_cancels_is_cancelled() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        serving.cancel()
        await asyncio.Event().wait()

    serving = asyncio.create_task(Exchange().run(streaming(chunks)))

    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_a_stream_in_which_something_is_cancelled_has_failed() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="nobody caught that"):
        await Exchange().run(streaming(chunks))


async def test_a_stream_that_fails_as_the_client_goes_is_told_of() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("not cleared up")

    exchange = Exchange()
    exchange.gone.set()

    with pytest.raises(RuntimeError, match="not cleared up"):
        await asyncio.wait_for(exchange.run(streaming(chunks)), 5)


async def test_a_client_that_goes_at_the_end_cuts_nothing_off() -> None:
    class Slow(Exchange):
        async def send(self, message: Any) -> None:
            if message["type"] == "http.response.body" and not message["more_body"]:
                self.gone.set()
                await asyncio.sleep(0.001)
            await super().send(message)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    exchange = await Slow().run(streaming(chunks))

    assert not exchange.sent[-1]["more_body"]


async def test_a_stream_that_fails_is_closed_at_its_leisure() -> None:
    class Failing:
        is_closed = False

        def __aiter__(self) -> "Failing":
            return self

        async def __anext__(self) -> bytes:
            raise RuntimeError("half way")

        async def aclose(self) -> None:
            await asyncio.sleep(0.001)
            self.is_closed = True

    failing = Failing()
    with pytest.raises(RuntimeError, match="half way"):
        await Exchange().run(streaming(lambda: failing))

    assert failing.is_closed


async def test_a_stream_that_fails_is_cut_off() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        raise RuntimeError("half way")

    exchange = Exchange()
    with pytest.raises(RuntimeError, match="half way"):
        await exchange.run(streaming(chunks))

    assert exchange.sent[-1]["more_body"]


async def test_a_stream_of_no_generator_is_sent_too() -> None:
    class Chunks:
        def __init__(self) -> None:
            self.left = [b"a", b"b"]

        def __aiter__(self) -> "Chunks":
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    assert (await Exchange().run(streaming(Chunks))).body == b"ab"


# --- Work after the answer, and what is not HTTP -------------------------------------------------


async def test_work_outlives_the_answer_and_its_failure_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    events: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.01)
        events.append("worked")

    async def fail() -> None:
        raise RuntimeError("no luck")

    @app.get("/", guard=public)
    async def leave(c: Context) -> None:
        c.wait_until(work())
        c.wait_until(fail())

    application = asgi(app, {})
    exchange = await Exchange().run(application)
    assert exchange.status == 204
    assert not events
    sent = await run_lifespan(application)

    assert events == ["worked"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "no luck" in str(caplog.records[0].exc_info)


async def test_work_in_which_something_is_cancelled_has_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    background = Background()
    background.start(work())
    await background.finish()
    await asyncio.sleep(0)

    assert "nobody caught that" in str(caplog.records[0].exc_info)


async def test_work_that_is_cancelled_before_it_begins_is_closed() -> None:
    work = asyncio.sleep(3600)
    Background().start(work)

    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
        await asyncio.wait([task])
    await asyncio.sleep(0)

    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED


async def run_lifespan(application: ASGIApplication) -> list[str]:
    """Start and end *application*, and return what it sent."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await application({"type": "lifespan"}, receive, send)
    assert not messages  # it ended when it was told to, not before
    return sent


async def test_a_websocket_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await asgi(make_app(), {})({"type": "websocket"}, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_another_protocol_is_a_mistake() -> None:
    exchange = Exchange()

    with pytest.raises(ValueError, match="telepathy"):
        await asgi(make_app(), {})({"type": "telepathy"}, exchange.receive, exchange.send)
