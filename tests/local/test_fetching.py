"""The standard library's client, against real servers that behave and that do not."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from framework import App, Context, fetching, public
from framework.fetching import FetchFailed, fetch
from framework.local.fetching import fetch_in_thread
from framework.local.serve import serve
from tests.other_server import Asked, Elsewhere, serve_elsewhere

GZIPPED = {
    "/gzip": gzip.compress(b"hello"),
    "/gzip/members": gzip.compress(b"hel") + gzip.compress(b"lo"),
    "/gzip/empty": gzip.compress(b"") * 150_000,
    "/gzip/none": b"hello",
    "/gzip/cut": gzip.compress(b"hello")[:-4],
    "/gzip/zeros": gzip.compress(bytes(10**7)),
    "/gzip/bomb": gzip.compress(b"x" * 100_000),
}


@pytest.fixture(autouse=True)
def _edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_provided", fetch_in_thread)


def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
    """Answer by path."""
    path = asked.target.partition("?")[0]
    status = int(path.removeprefix("/status/")) if path.startswith("/status/") else 200
    body = b"" if status in {204, 304} else asked.body or b"hello"
    if path.startswith("/size/"):
        body = b"x" * int(path.removeprefix("/size/"))
    handler.send_response(status)
    handler.send_header("Set-Cookie", "a=1")
    handler.send_header("Set-Cookie", "b=2")
    handler.send_header("Location", "/elsewhere")
    if path.startswith("/gzip"):  # asked for or not, as what is stored so is sent
        body = GZIPPED[path]
        handler.send_header("Content-Encoding", "gzip")
    if path == "/chunked":
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")
        return
    if path == "/unsized":
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)
        return
    if status != 204:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if asked.method != "HEAD":
        handler.wfile.write(body)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """A server that answers by path."""
    with serve_elsewhere(answer) as elsewhere:
        yield elsewhere


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("GET", "", b"", 200, b"hello"),
        ("GET", "?a=%20", b"", 200, b"hello"),
        ("GET", "/chunked", b"", 200, b"hello"),
        ("GET", "/unsized", b"", 200, b"hello"),
        ("HEAD", "/", b"", 200, b""),
        ("POST", "/", b"\x00\xff", 200, b"\x00\xff"),
        ("POST", "/", b"", 200, b"hello"),
        ("PUT", "/", b"x" * 300_000, 200, b"x" * 300_000),
        ("DELETE", "/status/204", b"", 204, b""),
        ("PATCH", "/", b"p", 200, b"p"),
        ("GET", "/status/304", b"", 304, b""),
        ("GET", "/status/404", b"", 404, b"hello"),
        ("GET", "/status/500", b"", 500, b"hello"),
    ],
)
async def test_the_answer_comes_back_whatever_its_status(
    elsewhere: Elsewhere, method: str, path: str, body: bytes, status: int, expected: bytes
) -> None:
    answer = await fetch(elsewhere.url + path, method=method, body=body, headers={"X-Key": "k"})

    asked = elsewhere.asked[0]
    assert (answer.status, answer.body) == (status, expected)
    assert (asked.method, asked.body, asked.headers["x-key"]) == (method, body, "k")
    assert asked.target == (path if path.startswith("/") else "/" + path)
    assert "accept-encoding" not in asked.headers


async def test_headers_come_back_in_lower_case_and_apart(elsewhere: Elsewhere) -> None:
    answer = await fetch(elsewhere.url)

    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    assert cookies == ["a=1", "b=2"]


async def test_several_headers_of_a_name_are_one_as_in_the_worker() -> None:
    links = b"link: <a>\r\nvary: x\r\nLink: <b>\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"
    with serve_bytes(OK + links + b"content-length: 0\r\n\r\n") as url:
        answer = await fetch(url)

    assert answer.header("link") == "<a>, <b>"
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert len(answer.headers) == 5


@pytest.mark.parametrize("early", ["100 Continue", "102 Processing", "103 Early Hints"])
async def test_what_only_announces_an_answer_is_none(early: str) -> None:
    announced = f"HTTP/1.1 {early}\r\nlink: </a.css>\r\n\r\n".encode() * 2
    with serve_bytes(announced + OK + b"content-length: 5\r\n\r\nhello") as url:
        answer = await fetch(url)

    assert (answer.status, answer.body, answer.header("link")) == (200, b"hello", None)


@pytest.mark.parametrize("path", ["/gzip", "/gzip/members"])
async def test_what_comes_compressed_is_decoded(elsewhere: Elsewhere, path: str) -> None:
    answer = await fetch(elsewhere.url + path)

    assert answer.body == b"hello"
    assert (answer.header("content-encoding"), answer.header("content-length")) == (None, None)


async def test_a_limit_that_nothing_reaches_takes_no_memory(elsewhere: Elsewhere) -> None:
    answer = await fetch(elsewhere.url + "/gzip/zeros", limit=2**60)

    assert answer.body == bytes(10**7)


async def test_what_comes_in_many_parts_is_decoded_in_time(elsewhere: Elsewhere) -> None:
    answer = await fetch(elsewhere.url + "/gzip/empty", limit=2**22)

    assert answer.body == b""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/gzip/none", "sent what is no gzip"),
        ("/gzip/cut", "broke off its answer"),
        ("/gzip/bomb", "answered with more than 1000 bytes"),
    ],
)
async def test_what_cannot_be_decoded_is_an_outage(
    elsewhere: Elsewhere, path: str, why: str
) -> None:
    with pytest.raises(FetchFailed, match=why):
        await fetch(elsewhere.url + path, limit=1000)


async def test_the_head_of_what_is_compressed_says_so(elsewhere: Elsewhere) -> None:
    answer = await fetch(f"{elsewhere.url}/gzip", method="HEAD")

    assert answer.header("content-encoding") == "gzip"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer(elsewhere: Elsewhere, status: int) -> None:
    answer = await fetch(f"{elsewhere.url}/status/{status}")

    assert (answer.status, answer.header("location")) == (status, "/elsewhere")
    assert len(elsewhere.asked) == 1


@pytest.mark.parametrize(("size", "is_read"), [(999, True), (1000, True), (1001, False)])
async def test_a_body_past_the_limit_is_an_outage(
    elsewhere: Elsewhere, size: int, is_read: bool
) -> None:
    asking = fetch(f"{elsewhere.url}/size/{size}", limit=1000)

    if is_read:
        assert len((await asking).body) == size
    else:
        with pytest.raises(FetchFailed, match=r"127\.0\.0\.1 answered with more than 1000 bytes"):
            await asking


async def test_many_ask_at_once(elsewhere: Elsewhere) -> None:
    answers = await asyncio.gather(
        *[fetch(elsewhere.url, method="POST", body=b"%d" % n) for n in range(50)]
    )

    assert [answer.body for answer in answers] == [b"%d" % n for n in range(50)]


# --- Servers that misbehave ----------------------------------------------------------------------


@contextmanager
def serve_bytes(*pieces: bytes, pause: float = 0, stays: bool = False) -> Iterator[str]:
    """Serve one connection: send *pieces*, whatever is asked, and close, unless it *stays*."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                        time.sleep(pause)
                except OSError:
                    return  # whoever asked has gone
                if stays:
                    ended.wait(5)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join()


OK = b"HTTP/1.1 200 OK\r\n"
BROKEN = {
    "nothing": [],
    "no HTTP": [b"SSH-2.0-OpenSSH\r\n"],
    "TLS": [b"\x16\x03\x01\x02\x00"],
    "half a head": [OK + b"content-le"],
    "too short": [OK + b"content-length: 10\r\n\r\nabc"],
    "broken chunk": [OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n"],
    "cut in a chunk": [OK + b"transfer-encoding: chunked\r\n\r\n5\r\nab"],
    "endless head": [OK + b"x: " + b"a" * 100_000 + b"\r\n\r\n"],
    "too many headers": [OK + b"x: 1\r\n" * 1000 + b"\r\n"],
}


@pytest.mark.parametrize("pieces", BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_no_answer_is_an_outage(pieces: list[bytes]) -> None:
    with serve_bytes(*pieces) as url, pytest.raises(FetchFailed, match=r"^127\.0\.0\.1 "):
        await fetch(url)


async def test_nobody_listening_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(FetchFailed, match="does not answer: ConnectionRefusedError"):
        await fetch(f"http://127.0.0.1:{port}/path?key=canary")
    with pytest.raises(FetchFailed, match="does not answer: ValueError"):
        await fetch("http://127.0.0.1:70000/")


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ([], 0),
        ([OK], 0),
        ([OK + b"content-length: 10\r\n\r\n", *[b"x"] * 9], 0.1),
        ([OK, *[b"x-a: 1\r\n"] * 20], 0.1),
        ([OK + b"transfer-encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 20], 0.1),
    ],
    ids=["silent", "half a head", "slow body", "slow head", "endless chunks"],
)
async def test_an_answer_that_does_not_end_in_time_is_an_outage(
    pieces: list[bytes], pause: float
) -> None:
    with serve_bytes(*pieces, pause=pause, stays=True) as url:
        started = time.monotonic()
        with pytest.raises(FetchFailed, match="did not answer within 300 ms"):
            await fetch(url, timeout_ms=300)

        assert time.monotonic() - started < 1
        await threads_end()


async def test_a_cancelled_call_ends_its_thread() -> None:
    with serve_bytes(stays=True) as url:
        call = asyncio.create_task(fetch(url))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        await threads_end()


async def threads_end() -> None:
    """Return once no thread of the pool is at work. The pool is the loop's own, so ask it."""
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    await loop.shutdown_default_executor()
    assert time.monotonic() - started < 1


def test_an_app_on_the_local_server_may_fetch(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_provided", None)
    app = App()

    @app.get("/", guard=public)
    async def ask(c: Context) -> dict[str, Any]:
        answer = await fetch(elsewhere.url, method="POST", body=b"from the handler")
        return {"status": answer.status, "text": answer.body.decode()}

    with serve(app, {}) as url:
        got = asyncio.run(fetch(url))

    assert got.json() == {"status": 200, "text": "from the handler"}
