"""The local server over a real socket: as strict as the Worker's, and it never hangs."""

import errno
import json
import logging
import os
import re
import socket
import threading
import time
from asyncio import Event, sleep
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from framework import App, Context, Response, public
from framework.addresses import ip_allow, ip_deny
from framework.local import protocol
from framework.local import serve as serving
from framework.local.asgi import asgi
from framework.local.serve import ServeError, bind, log_to_terminal, run, serve, with_access_log

TIMEOUT = 10.0
streams_closed = threading.Event()
reading_ended = threading.Event()
work_done = threading.Event()

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
OF_ANOTHER_CONNECTION = [
    *(("transfer-encoding", "gzip, chunked"), ("trailer", "x-sum"), ("keep-alive", "timeout=5")),
    *(("te", "trailers"), ("upgrade", "h2c")),
]


def make_app() -> App:
    """An app with one route for each thing that a server can get wrong."""
    app = App(body_limit=100_000)

    @app.get("/", guard=public)
    async def index() -> str:
        return "hello"

    @app.get("/seen/:rest{.*}", guard=public)
    async def seen(c: Context) -> dict[str, Any]:
        return {"path": c.request.path, "query": c.request.query_string, "host": c.request.host}

    @app.post("/echo", guard=public)
    async def echo(c: Context) -> bytes:
        return await c.request.bytes()

    @app.post("/patient", guard=public)
    async def patient(c: Context) -> bytes:
        try:
            return await c.request.bytes()
        finally:
            reading_ended.set()

    @app.post("/later", guard=public)
    async def later() -> str:
        await sleep(0.2)
        return "not read"

    @app.post("/later-empty", guard=public)
    async def later_empty() -> None:
        await sleep(0.2)

    @app.get("/never", guard=public)
    async def never() -> None:
        await Event().wait()

    @app.post("/works-on", guard=public)
    async def work_on(c: Context) -> None:
        async def work() -> None:
            await sleep(0.2)
            work_done.set()

        await c.after_answer(work())

    @app.post("/ends/:how", guard=public)
    async def end(c: Context, how: str) -> None:
        async def work() -> None:
            raise SystemExit(2) if how == "exit" else KeyboardInterrupt

        c.wait_until(work())

    @app.get("/here", guard=ip_allow("127.0.0.0/8") & ip_deny("203.0.113.0/24"))
    async def here(c: Context) -> str:
        return str(c.request.address)

    @app.get("/away", guard=ip_allow("203.0.113.0/24"))
    async def away() -> str:
        return "in"

    @app.post("/unread", guard=public)
    async def unread() -> str:
        return "not read"

    @app.get("/blanks", guard=public)
    async def blanks() -> Response:
        return Response(
            "blanks", headers=[("x-before", " \ta"), ("x-after", "a b "), ("x-none", " ")]
        )

    @app.get("/cookies", guard=public)
    async def cookies() -> Response:
        return Response("", 200, [("set-cookie", "a=1"), ("set-cookie", "b=2")])

    @app.get("/empty", guard=public)
    async def empty() -> None:
        return None

    @app.get("/stream", guard=public)
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for n in range(3):
                yield b"%d" % n
                await sleep(0)

        return Response(chunks())

    @app.get("/endless", guard=public)
    async def endless() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                yield b"x"
                await Event().wait()
            finally:
                streams_closed.set()

        return Response(chunks())

    @app.get("/dated", guard=public)
    async def date() -> Response:
        return Response(b"", headers=[("date", DATE)])

    @app.get("/handed-on/:kind", guard=public)
    async def hand_on(kind: str) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"all"

        if kind == "shared":
            return Response.text("all").with_header(*OF_ANOTHER_CONNECTION[0])
        bodies: dict[str, Any] = {"whole": b"all", "empty": b"", "stream": chunks()}
        return Response(bodies[kind], 204 if kind == "empty" else 200, OF_ANOTHER_CONNECTION)

    return app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the app is served while this module's tests run."""
    with serve(make_app(), {}) as url:
        yield url


class Connection:
    """One raw connection: bytes in, parsed answers out."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), TIMEOUT)
        self.buffer = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> "Connection":
        """Send *data* as it is."""
        self.socket.sendall(data)
        return self

    def answer(self, *, is_head: bool = False) -> "Answer":
        """Read one answer."""
        head = self.read_until(b"\r\n\r\n")
        status = int(head[9:12])
        lines = head.decode("latin-1").split("\r\n")[1:-2]
        headers = [(name.lower(), value) for name, _, value in (x.partition(": ") for x in lines)]
        found = dict(headers)
        if is_head or status in {100, 204, 304}:
            body = b""
        elif found.get("transfer-encoding") == "chunked":
            body = self.read_chunks()
        else:
            body = self.read(int(found["content-length"]))
        return Answer(status, headers, body)

    def read_chunks(self) -> bytes:
        """Read a chunked body."""
        body = b""
        while size := int(self.read_until(b"\r\n"), 16):
            body += self.read(size + 2)[:-2]
        self.read(2)
        return body

    def read_until(self, end: bytes) -> bytes:
        """Read up to *end* and with it."""
        while end not in self.buffer:
            self._more()
        index = self.buffer.index(end) + len(end)
        data, self.buffer = self.buffer[:index], self.buffer[index:]
        return data

    def read(self, size: int) -> bytes:
        """Read *size* bytes."""
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def is_closed(self) -> bool:
        """Return whether the server closes, having sent nothing more."""
        return self.buffer == b"" and self.socket.recv(1) == b""

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def values(self, name: str) -> list[str]:
        """Return the values of the header *name*."""
        return [value for key, value in self.headers if key == name]


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    """A fresh connection."""
    with Connection(url) as connection:
        yield connection


def request(line: str, *headers: str, host: str = "localhost", body: bytes = b"") -> bytes:
    """Return a request in bytes."""
    lines = [f"{line} HTTP/1.1", f"Host: {host}", *headers]
    return "".join(f"{each}\r\n" for each in lines).encode() + b"\r\n" + body


# --- What is answered ----------------------------------------------------------------------------


def test_an_answer_is_short(connection: Connection) -> None:
    answer = connection.send(request("GET /")).answer()

    assert (answer.status, answer.body) == (200, b"hello")
    assert {name for name, _ in answer.headers} == {
        "content-type",
        "content-length",
        "x-content-type-options",
    }


def test_the_path_is_resolved_and_the_fragment_dropped(connection: Connection) -> None:
    answer = connection.send(request("GET /a/%2e%2e/seen/x?y=1#?z=2", host="LOCALHOST:80")).answer()

    assert json.loads(answer.body) == {"path": "/seen/x", "query": "y=1", "host": "localhost"}


@pytest.mark.parametrize("line", ["HEAD /", "HEAD /nowhere", "HEAD /stream"])
def test_head_has_no_body(connection: Connection, line: str) -> None:
    connection.send(request(line) + request("GET /"))

    head = connection.answer(is_head=True)

    assert len(head.values("content-length")) <= 1
    assert connection.answer().body == b"hello"


def test_cookies_come_apart(connection: Connection) -> None:
    answer = connection.send(request("GET /cookies")).answer()

    assert answer.values("set-cookie") == ["a=1", "b=2"]


def test_blanks_around_a_value_are_left_out(connection: Connection) -> None:
    answer = connection.send(request("GET /blanks")).answer()

    assert (answer.status, answer.body) == (200, b"blanks")
    names = ("x-before", "x-after", "x-none")
    assert [answer.values(name) for name in names] == [["a"], ["a b"], [""]]


def test_no_content_has_no_length(connection: Connection) -> None:
    answer = connection.send(request("GET /empty")).answer()

    assert answer.status == 204
    assert not answer.values("content-length")
    assert not answer.values("transfer-encoding")


def test_an_answer_has_the_date_that_it_has_itself(connection: Connection) -> None:
    answer = connection.send(request("GET /dated")).answer()

    assert answer.values("date") == [DATE]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", ["whole", "empty", "stream", "shared"])
def test_what_another_connection_said_of_itself_is_not_sent(
    connection: Connection, kind: str, method: str
) -> None:
    for _ in range(3):  # the headers of "shared" are shared from the second time on
        connection.send(request(f"{method} /handed-on/{kind}"))
        answer = connection.answer(is_head=method == "HEAD")

        assert answer.body == (b"" if method == "HEAD" or kind == "empty" else b"all")
        for name, value in OF_ANOTHER_CONNECTION:
            assert value not in answer.values(name)
        assert not (kind == "empty" and answer.values("transfer-encoding"))


def test_a_stream_comes_in_chunks(connection: Connection) -> None:
    answer = connection.send(request("GET /stream") + request("GET /")).answer()

    assert answer.values("transfer-encoding") == ["chunked"]
    assert answer.body == b"012"
    assert connection.answer().body == b"hello"


def test_a_stream_ends_when_the_client_goes(connection: Connection) -> None:
    streams_closed.clear()
    connection.send(request("GET /endless")).read_until(b"x\r\n")

    connection.socket.close()

    assert streams_closed.wait(TIMEOUT)


# --- Bodies --------------------------------------------------------------------------------------


def test_a_head_may_come_in_pieces(connection: Connection) -> None:
    head = request("POST /echo", "Content-Length: 3")

    for piece in (head[:3], head[3:-2], head[-2:] + b"abc"):
        connection.send(piece)
        time.sleep(0.05)

    assert connection.answer().body == b"abc"


def test_a_body_may_come_in_pieces(connection: Connection) -> None:
    head = request("POST /echo", "Content-Length: 6")

    connection.send(head + b"abc").send(b"def")

    assert connection.answer().body == b"abcdef"


def test_a_body_that_comes_with_its_head_may_hold_any_bytes(connection: Connection) -> None:
    body = bytes(range(256)) + b"\n \n\tx\r\r\n\n"

    connection.send(request("POST /echo", f"Content-Length: {len(body)}", body=body))

    assert connection.answer().body == body


def test_a_chunked_body_is_read(connection: Connection) -> None:
    connection.send(request("POST /echo", "Transfer-Encoding: chunked"))

    connection.send(b"3\r\nabc\r\n").send(b"2;x=1\r\nde\r\n0\r\n\r\n")

    assert connection.answer().body == b"abcde"


def test_a_body_past_the_limit_is_refused_though_no_length_was_declared(
    connection: Connection,
) -> None:
    connection.send(request("POST /echo", "Transfer-Encoding: chunked"))
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"

    connection.send(chunk * 10)
    answer = connection.answer()
    connection.send(b"0\r\n\r\n" + request("GET /"))

    assert answer.status == 413
    assert connection.answer().body == b"hello"


def test_a_declared_length_past_the_limit_is_refused_at_once(connection: Connection) -> None:
    connection.send(request("POST /echo", "Content-Length: 100001"))

    assert connection.answer().status == 413


def test_a_body_that_nobody_reads_does_not_spoil_the_connection(connection: Connection) -> None:
    connection.send(request("POST /unread", "Content-Length: 90000"))
    first = connection.answer()

    connection.send(b"x" * 90_000 + request("GET /"))

    assert first.body == b"not read"
    assert connection.answer().body == b"hello"


def test_the_client_is_told_to_continue_only_when_the_body_is_wanted(url: str) -> None:
    wait = ("Expect: 100-continue", "Content-Length: 3")

    with Connection(url) as wanted:
        assert wanted.send(request("POST /echo", *wait)).answer().status == 100
        assert wanted.send(b"abc").answer().body == b"abc"
    with Connection(url) as unwanted:
        assert unwanted.send(request("POST /unread", *wait)).answer().body == b"not read"
    with Connection(url) as refused:
        wait = ("Expect: 100-continue", "Content-Length: 100001")
        assert refused.send(request("POST /echo", *wait)).answer().status == 413


def test_a_client_that_leaves_half_way_harms_nobody(
    url: str, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with Connection(url) as leaving:
        leaving.send(request("POST /echo", "Content-Length: 10") + b"abc")

    assert connection.send(request("GET /")).answer().status == 200
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_requests_may_be_pipelined(connection: Connection) -> None:
    both = request("POST /echo", "Content-Length: 2", body=b"ab") + request("GET /seen/b")

    connection.send(both * 3)

    for _ in range(3):
        assert connection.answer().body == b"ab"
        assert b"/seen/b" in connection.answer().body


# --- What is refused -----------------------------------------------------------------------------

REFUSED = {
    "no host": b"GET / HTTP/1.1\r\nX: 1\r\n\r\n",
    "two hosts": request("GET /", "Host: evil"),
    "path in host": request("GET /", host="x/admin"),
    "query in host": request("GET /", host="x/admin?"),
    "user in host": request("GET /", host="user@x"),
    "port out of range": request("GET /", host="x:99999"),
    "host not ASCII": request("GET /", host="é"),
    "asterisk": request("GET *"),
    "asterisk for OPTIONS": request("OPTIONS *"),
    "absolute URL": request("GET http://evil/a"),
    "user for target": request("GET @evil"),
    "no slash": request("GET a"),
    "CONNECT": request("CONNECT localhost:80"),
    "space in path": request("GET /a b"),
    "tab in path": request("GET /a\tb"),
    "NUL in path": request("GET /a\x00b"),
    "path not ASCII": request("GET /é"),
    "negative length": request("POST /echo", "Content-Length: -1"),
    "length no number": request("POST /echo", "Content-Length: abc"),
    "two lengths": request("POST /echo", "Content-Length: 1", "Content-Length: 2"),
    "unknown coding": request("POST /echo", "Transfer-Encoding: xchunked"),
    "length and chunks": request(
        "POST /echo", "Transfer-Encoding: chunked", "Content-Length: 3", body=b"0\r\n\r\n"
    ),
    "length and chunks that nobody reads": request(
        "GET /", "Transfer-Encoding: chunked", "Content-Length: 3", body=b"0\r\n\r\n"
    ),
    "chunks in HTTP/1.0": request(
        "POST /echo", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/2.0": request("GET /").replace(b"HTTP/1.1", b"HTTP/2.0"),
    "HTTP/1.2": request("GET /").replace(b"HTTP/1.1", b"HTTP/1.2"),
    "broken chunk": request("POST /echo", "Transfer-Encoding: chunked", body=b"zz\r\n"),
    "space before colon": request("GET /", "X : 1"),
    "no colon": request("GET /", "X"),
    "no name": request("GET /", ": 1"),
    "NUL in header": request("GET /", "X: a\x00b"),
    "folded header": request("GET /", "X: a", " folded"),
    "header folded with a tab": request("GET /", "X: a", "\tfolded"),
    "bare line feed in header": request("GET /", "X: a\nY: b"),
    "bare carriage return in header": request("GET /", "X: a\rY: b"),
    "bare carriage return at the end": request("GET /", "X: a\r"),
    "bare carriage return in line": request("GET /\r"),
    "line feeds only": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "no version": b"GET /\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "empty lines": b"\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_good_request_is_a_problem(connection: Connection, data: bytes) -> None:
    answer = connection.send(data).answer()

    assert answer.status == 400
    assert answer.values("content-type") == ["application/problem+json"]
    assert json.loads(answer.body)["code"] == "malformed-request"


LONGEST_URL = "/".ljust(protocol.HEAD_LIMIT - len("GET  HTTP/1.1\r"), "a")
LARGEST_HEADER = "X: ".ljust(protocol.HEAD_LIMIT - len("\nHost: localhost\r\n\r\n\r\n"), "a")
SIZES = {
    "longest URL": (request(f"GET {LONGEST_URL}"), 404),
    "too long a URL": (request(f"GET {LONGEST_URL}a"), 414),
    "largest header": (request("GET /", LARGEST_HEADER), 200),
    "too large a header": (request("GET /", f"{LARGEST_HEADER}a"), 431),
    "both": (request(f"GET {LONGEST_URL}", LARGEST_HEADER), 404),
    "no end": (request("GET /", "X: " + "a" * 140_000).rstrip(), 431),
    "far too large a header": (request("GET /", "X: " + "a" * 1_000_000), 431),
    "many headers": (request("GET /", *(f"X-{n}: 1" for n in range(99))), 200),
    "too many headers": (request("GET /", *(f"X-{n}: 1" for n in range(100))), 431),
    "too many of one name": (request("GET /", *["X: 1"] * 5_000), 431),
}


@pytest.mark.parametrize(("data", "status"), SIZES.values(), ids=SIZES.keys())
def test_what_is_too_large_is_refused(connection: Connection, data: bytes, status: int) -> None:
    answer = connection.send(data).answer()

    codes = {414: b'"url-too-long"', 431: b'"headers-too-large"'}
    assert answer.status == status
    assert codes.get(status, b"") in answer.body


def test_the_largest_head_may_come_in_pieces(connection: Connection) -> None:
    head = request(f"GET {LONGEST_URL}", LARGEST_HEADER)

    connection.send(head[:-1])
    time.sleep(0.05)

    assert connection.send(head[-1:]).answer().status == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("HEAD /", *(f"X-{n}: 1" for n in range(100))), 431),
        (request("HEAD /", "Transfer-Encoding: chunked", "Content-Length: 3"), 400),
        (request("HEAD /", "Transfer-Encoding: chunked", body=b"zz\r\n"), 400),
    ],
    ids=["too many headers", "length and chunks", "broken chunk"],
)
def test_a_refusal_of_head_has_no_body(
    connection: Connection, data: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = connection.send(request("HEAD /")).answer(is_head=True)  # the next on its connection
    assert answer.status == 200

    assert connection.send(data).answer(is_head=True).status == status

    assert connection.is_closed()
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_what_is_no_request_after_head_is_told(connection: Connection) -> None:
    connection.send(request("HEAD /") + b"GET /\r\n\r\n").answer(is_head=True)

    assert json.loads(connection.answer().body)["code"] == "malformed-request"


def test_a_refused_connection_is_closed(connection: Connection) -> None:
    connection.send(request("GET /", "X : 1") + request("GET /"))

    assert connection.answer().values("connection") == ["close"]
    assert connection.is_closed()


def test_a_body_that_breaks_after_the_answer_only_closes(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    connection.send(request("POST /unread", "Transfer-Encoding: chunked"))
    assert connection.answer().body == b"not read"

    connection.send(b"zz\r\n")

    assert connection.is_closed()
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_who_waits_for_a_body_is_told_that_it_broke(connection: Connection) -> None:
    reading_ended.clear()
    connection.send(request("POST /patient", "Transfer-Encoding: chunked", body=b"1\r\nx\r\n"))
    time.sleep(0.05)

    assert connection.send(b"zz\r\n").answer().status == 400

    assert reading_ended.wait(protocol.LINGER / 2)


def test_a_websocket_is_plain_http(connection: Connection) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")

    assert connection.send(request("GET /", *upgrade)).answer().body == b"hello"


def test_the_address_is_the_connection_s_own(connection: Connection) -> None:
    forged = ("X-Forwarded-For: 203.0.113.9", "CF-Connecting-IP: 203.0.113.9", "X-Real-IP: 8.8.8.8")

    answer = connection.send(request("GET /here", *forged) + request("GET /away", *forged))

    assert answer.answer().body == b"127.0.0.1"
    assert connection.answer().status == 403


def test_what_a_proxy_would_say_is_not_believed(connection: Connection) -> None:
    forged = ("X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "Forwarded: host=evil")

    answer = connection.send(request("GET /seen/x", *forged)).answer()

    assert json.loads(answer.body)["host"] == "localhost"


# --- Closing while the client still sends --------------------------------------------------------

LARGE = 3 * 1024 * 1024
GIVEN_UP = {
    "by its length": (f"Content-Length: {LARGE}", b"x" * LARGE),
    "by its chunks": (
        "Transfer-Encoding: chunked",
        (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 48 + b"0\r\n\r\n",
    ),
}


@pytest.mark.parametrize(("header", "body"), GIVEN_UP.values(), ids=GIVEN_UP.keys())
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_who_sends_everything_before_reading_reads_the_refusal_all_the_same(
    url: str, header: str, body: bytes, connection: str
) -> None:
    head = request("POST /echo", header, f"Connection: {connection}")

    for _ in range(60):
        with Connection(url) as sender:
            answer = sender.send(head).send(body).answer()

            assert answer.status == 413
            assert json.loads(answer.body)["code"] == "content-too-large"


@pytest.mark.parametrize("line", ["POST /unread", "GET /", "POST /nowhere"])
def test_an_answer_that_does_not_wait_for_the_body_is_read_too(url: str, line: str) -> None:
    head = request(line, f"Content-Length: {LARGE}", "Connection: close")

    for _ in range(20):
        with Connection(url) as sender:
            answer = sender.send(head).send(b"x" * LARGE).answer()

            assert answer.status in {200, 404, 413}
            assert sender.is_closed()


def test_who_sends_on_reads_what_the_head_is_answered(url: str) -> None:
    head = request("POST /echo", "X : 1", f"Content-Length: {LARGE}")

    for _ in range(20):
        with Connection(url) as sender:
            assert sender.send(head).send(b"x" * LARGE).answer().status == 400


def test_who_had_to_wait_may_send_the_rest(url: str) -> None:
    head = request("POST /later", "Transfer-Encoding: chunked", "Connection: close")
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"

    with Connection(url) as sender:
        sender.send(head).send(chunk * 30 + b"0\r\n\r\n")  # more than buffers take

        assert sender.answer().body == b"not read"


def test_who_has_gone_while_they_sent_is_waited_for_no_more(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = request("POST /later-empty", "Transfer-Encoding: chunked", "Connection: close")
    more_than_is_read_unasked = b"x" * 300_000

    with Connection(url) as sender:
        sender.send(head + b"100000\r\n" + more_than_is_read_unasked)
    time.sleep(0.4)

    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def send_until_cut(sender: Connection) -> int:
    """Send until the server has had enough of it, and return how often that was."""
    times = 0
    with suppress(ConnectionError):
        while True:
            sender.send(b"x" * 65536)
            times += 1
    return times


def test_who_never_stops_sending_is_cut(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LINGER_LIMIT", 1_000_000)
    head = request("POST /echo", "Content-Length: 999999999999", "Connection: close")

    with Connection(url) as sender:
        sender.send(head)
        started = time.monotonic()
        send_until_cut(sender)

    assert time.monotonic() - started < 2


def test_who_stops_half_way_is_cut_in_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LINGER", 0.2)
    head = request("POST /echo", f"Content-Length: {LARGE}", "Connection: close")

    with Connection(url) as sender:
        assert sender.send(head + b"x").answer().status == 413
        assert sender.is_closed()  # the half that the server sends on
        time.sleep(0.5)
        assert send_until_cut(sender) < 50  # what buffers take


def test_the_server_does_not_wait_for_who_still_sends() -> None:
    with serve(make_app(), {}) as url:
        sender = Connection(url)
        head = request("POST /echo", f"Content-Length: {LARGE}", "Connection: close")
        assert sender.send(head + b"x").answer().status == 413
        started = time.monotonic()

    assert time.monotonic() - started < 2
    sender.socket.close()


# --- Starting and ending -------------------------------------------------------------------------


def test_a_port_in_use_is_one_sentence() -> None:
    with bind(0) as first, pytest.raises(ServeError) as caught:
        bind(first.getsockname()[1])

    assert re.fullmatch(r"port \d+ is in use: .*PORT", str(caught.value))
    cause = caught.value.__cause__
    assert isinstance(cause, OSError)
    assert cause.errno == errno.EADDRINUSE


def test_a_port_is_free_again_as_soon_as_its_server_has_ended() -> None:
    with serve(make_app(), {}) as url, Connection(url) as closed:
        closed.send(request("GET /", "Connection: close")).answer()
        assert closed.is_closed()  # by the server, so that the port waits for stray packets

    with bind(urlsplit(url).port or 0) as listener:
        assert listener.getsockname()[1] == urlsplit(url).port


def test_a_port_that_another_server_has_on_ipv6_is_in_use() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as other:
        try:
            other.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        other.listen()
        with pytest.raises(ServeError, match="is in use"):
            bind(other.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none_is_one_sentence(port: int) -> None:
    with pytest.raises(ServeError, match=f"port {port}: "):
        bind(port)


@pytest.mark.parametrize(("port", "said"), [(80, "needs root"), (8787, "is reserved")])
def test_a_port_that_the_system_keeps_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, port: int, said: str
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "not for you")

    monkeypatch.setattr(socket.socket, "bind", refuse)

    with pytest.raises(ServeError, match=f"port {port} {said}.*: choose"):
        bind(port)


def test_only_this_machine_is_served() -> None:
    with bind(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_the_server_ends_while_connections_are_open() -> None:
    streams_closed.clear()
    with serve(make_app(), {}) as url:
        idle, busy = Connection(url), Connection(url)
        assert idle.send(request("GET /")).answer().status == 200
        busy.send(request("GET /endless")).read_until(b"x\r\n")
    with idle, busy:
        assert idle.is_closed()
        assert streams_closed.wait(TIMEOUT)

    assert not [thread for thread in threading.enumerate() if thread.name == f"kagari {url}"]


def test_what_an_answer_left_to_do_is_done_before_the_server_ends() -> None:
    work_done.clear()

    with serve(make_app(), {}) as url, Connection(url) as connection:
        assert connection.send(request("POST /works-on")).answer().status == 204
        assert not work_done.is_set()

    assert work_done.is_set()


@pytest.mark.parametrize(
    ("how", "said"),
    [("exit", "sys.exit(2) was called"), ("interrupt", "KeyboardInterrupt was raised")],
)
def test_the_server_goes_on_where_work_would_end_it(
    how: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(make_app(), {}) as url:
        with Connection(url) as connection:
            assert connection.send(request(f"POST /ends/{how}")).answer().status == 204
        with Connection(url) as connection:
            assert connection.send(request("GET /")).answer().body == b"hello"

    assert said in caplog.text


def test_the_server_ends_with_its_lifeline() -> None:
    reading, writing = os.pipe()
    ready = threading.Event()
    with bind(0) as listener:
        application = asgi(make_app(), {})
        thread = threading.Thread(target=run, args=(application, listener, ready.set, reading))
        thread.start()
        assert ready.wait(TIMEOUT)

        os.close(writing)
        thread.join(TIMEOUT)

    assert not thread.is_alive()
    os.close(reading)


def test_the_log_has_no_query_no_fragment_and_no_headers(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "GRACE", 0)
    secret = "s3cret"
    application = with_access_log(asgi(make_app(), {}))
    ready = threading.Event()
    reading, writing = os.pipe()
    with bind(0) as listener, caplog.at_level(logging.INFO):
        thread = threading.Thread(target=run, args=(application, listener, ready.set, reading))
        thread.start()
        assert ready.wait(TIMEOUT)
        with Connection(f"http://127.0.0.1:{listener.getsockname()[1]}") as connection:
            wanted = f"GET /seen/%0Ax?token={secret}"
            assert connection.send(request(wanted, f"Cookie: {secret}")).answer().status == 400
            assert connection.send(request(f"GET /a#{secret}")).answer().status == 404
            for length in (199, 300):
                assert connection.send(request(f"GET /{'a' * length}")).answer().status == 404
            connection.send(request("GET /never"))
            time.sleep(0.05)
            os.close(writing)
            cut = connection.answer()
            assert (cut.status, json.loads(cut.body)["code"]) == (503, "server-ended")
            thread.join(TIMEOUT)
    os.close(reading)

    told = [each.getMessage() for each in caplog.records if each.name == "kagari.access"]
    expected = [
        r"GET /seen/%0Ax 400 \d+ ms",
        r"GET /a 404 \d+ ms",
        r"GET /a{199} 404 \d+ ms",
        r"GET /a{199}… 404 \d+ ms",
        r"GET /never cut \d+ ms",
    ]
    for line, pattern in zip(told, expected, strict=True):
        assert re.fullmatch(pattern, line)
    assert secret not in caplog.text


@contextmanager
def logged_to_terminal() -> Iterator[None]:
    """Have the log go where a server that somebody started writes it."""
    names = ("kagari", "uvicorn.error", "asyncio")
    before = [(logging.getLogger(name), logging.getLogger(name).propagate) for name in names]
    log_to_terminal()
    try:
        yield
    finally:
        for logger, propagate in before:
            logger.handlers, logger.propagate = [], propagate
            logger.setLevel(logging.NOTSET)


def test_a_request_cut_short_by_the_end_is_no_news(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "GRACE", 0)
    with logged_to_terminal():
        with serve(make_app(), {}) as url:
            busy = Connection(url)
            busy.send(request("GET /endless")).read_until(b"x\r\n")
        busy.socket.close()
        logging.getLogger("kagari").warning("told")

    assert capsys.readouterr().err == "told\n"


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio"])
def test_what_breaks_a_stream_or_a_task_does_not_colour_the_terminal(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged_to_terminal():
        logging.getLogger(name).error("failed", exc_info=LookupError("no \x1b]0;title\x07"))

    assert capsys.readouterr().err == "failed\nLookupError: no \\x1b]0;title\\x07\n"
