"""In the Worker's runtime: what is asked of other servers, and what other frameworks answer."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.other_server import Asked, Elsewhere, serve_elsewhere

from .launcher import RunningWorker, serve
from .prepare import ROOT

SECRET = "1x0000000000000000000000000000000AA"
caller_left = threading.Event()


def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
    """Answer by path, well or badly."""
    path = asked.target.partition("?")[0]
    if path == "/silent":
        time.sleep(1)
        return
    if path == "/cut":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        handler.close_connection = True
        return
    if path == "/slow":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.1)
            handler.wfile.write(b"x")
        return
    if path == "/watched":
        handler.connection.settimeout(5)
        if not handler.connection.recv(1):
            caller_left.set()
        return
    body = asked.body or b"hello"
    if path == "/left":
        body = b"yes" if caller_left.wait(1) else b"no"
    if path.startswith("/size/"):
        body = b"x" * int(path.removeprefix("/size/"))
    if path == "/siteverify":
        body = json.dumps({"success": b"=good&" in asked.body + b"&"}).encode()
    handler.send_response(int(path.removeprefix("/status/")) if "/status/" in path else 200)
    if path == "/gzip":
        body = gzip.compress(body)
        handler.send_header("Content-Encoding", "gzip")
    if path == "/br":
        body = b"\x0b\x02\x80hello\x03"
        handler.send_header("Content-Encoding", "br")
    handler.send_header("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
    handler.send_header("Set-Cookie", "b=2")
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if asked.method != "HEAD":
        handler.wfile.write(body)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """The server that the Worker asks."""
    with serve_elsewhere(answer) as elsewhere:
        yield elsewhere


@pytest.fixture(scope="module")
def worker(
    elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningWorker]:
    """The Worker, with the framework beside it."""
    bundle = tmp_path_factory.mktemp("outgoing")
    left_out = shutil.ignore_patterns("local", "cli.py", "__pycache__")
    shutil.copytree(ROOT / "framework", bundle / "framework", ignore=left_out)
    source = Path(__file__).with_name("outgoing").joinpath("worker.py").read_text()
    port = elsewhere.url.rpartition(":")[2]
    (bundle / "worker.py").write_text(source.replace("PORT", port))
    variables = {"ELSEWHERE": elsewhere.url, "TURNSTILE_SECRET": SECRET}
    with serve(bundle, variables=variables) as running:
        yield running


def ask(
    worker: RunningWorker,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, list[tuple[str, str]], bytes]:
    request = Request(
        worker.url + path, body, {"content-type": "application/json", **(headers or {})}
    )
    try:
        with urlopen(request) as response:
            return response.status, response.getheaders(), response.read()
    except HTTPError as error:
        with error:
            return error.code, list(error.headers.items()), error.read()


def fetch(worker: RunningWorker, **wanted: Any) -> tuple[int, Any]:
    status, _, body = ask(worker, "/fetch", json.dumps(wanted).encode())
    return status, json.loads(body)


@pytest.mark.parametrize("path", ["/gzip", "/br"])
def test_what_comes_compressed_is_decoded(worker: RunningWorker, path: str) -> None:
    _, got = fetch(worker, path=path)

    assert got["body"] == "hello"
    assert {"content-encoding", "content-length"}.isdisjoint(name for name, _ in got["headers"])


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        ({}, 200, "hello"),
        ({"path": "/?a=%20&b"}, 200, "hello"),
        ({"method": "HEAD"}, 200, ""),
        ({"method": "POST", "body": "\x00\xff"}, 200, "\x00\xff"),
        ({"method": "PUT", "body": "x" * 90_000}, 200, "x" * 90_000),
        ({"method": "DELETE"}, 200, "hello"),
        ({"path": "/status/404"}, 404, "hello"),
        ({"path": "/status/500"}, 500, "hello"),
        ({"path": "/status/301"}, 301, "hello"),
        ({"path": "/status/307", "method": "POST", "body": "x"}, 307, "x"),
        ({"path": "/size/100000"}, 200, "x" * 100_000),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_answer_comes_back_whatever_its_status(
    worker: RunningWorker, elsewhere: Elsewhere, wanted: dict[str, Any], status: int, body: str
) -> None:
    elsewhere.asked.clear()

    outer, got = fetch(worker, headers={"X-Key": "k"}, **wanted)

    (asked,) = elsewhere.asked
    assert (outer, got["status"], got["body"]) == (200, status, body)
    assert asked.headers["x-key"] == "k"
    assert (asked.method, asked.body.decode("latin-1")) == (
        wanted.get("method", "GET"),
        wanted.get("body", ""),
    )
    cookies = [value for name, value in got["headers"] if name == "set-cookie"]
    assert cookies == ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"path": "/size/100001"}, "answered with more than 100000 bytes"),
        ({"path": "/silent", "timeout_ms": 200}, "did not answer within 200 ms"),
        ({"path": "/slow", "timeout_ms": 300}, "did not answer within 300 ms"),
        ({"path": "/cut"}, "does not answer: "),
    ],
    ids=lambda value: str(value),
)
def test_no_answer_is_an_outage_and_the_log_says_why(
    worker: RunningWorker, wanted: dict[str, Any], reason: str
) -> None:
    started = time.monotonic()

    status, got = fetch(worker, **wanted)

    assert (status, got["code"]) == (503, "unavailable")
    assert time.monotonic() - started < 0.9
    assert worker.logs(f"FetchFailed: 127.0.0.1 {reason}")


def test_nobody_listening_is_an_outage(worker: RunningWorker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert ask(worker, f"/at-port/{port}")[0] == 503
    assert worker.logs("127.0.0.1 does not answer: Error: Network connection lost.\n")


def test_what_went_wrong_is_logged_without_the_url(worker: RunningWorker) -> None:
    assert ask(worker, "/at-port/70000")[0] == 503
    assert worker.logs("127.0.0.1 does not answer: TypeError\n")
    assert ":70000" not in worker.errors()


def test_a_request_that_is_cancelled_ends_its_call(worker: RunningWorker) -> None:
    started = time.monotonic()

    assert ask(worker, "/hasty")[0] == 503
    assert time.monotonic() - started < 0.9


def test_a_call_that_is_given_up_ends_while_its_request_goes_on(worker: RunningWorker) -> None:
    caller_left.clear()

    assert ask(worker, "/impatient")[2] == b"yes"


def test_calls_leave_nothing_behind(worker: RunningWorker) -> None:
    assert int(ask(worker, "/growth")[2]) < 50


@pytest.mark.parametrize(("token", "status"), [("good", 200), ("bad", 403), (None, 403)])
def test_a_challenge_is_verified(worker: RunningWorker, token: str | None, status: int) -> None:
    headers = {} if token is None else {"x-turnstile-token": token}

    assert ask(worker, "/person", headers=headers)[0] == status


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/m", b"text", b"/m /m 127.0.0.1 text"),
        ("/m/a%20b", b"", b"/m/a b /m 127.0.0.1 "),
        ("/m/stream", b"x", b"012/m/stream /m 127.0.0.1 x"),
    ],
)
def test_another_framework_answers(
    worker: RunningWorker, path: str, body: bytes, expected: bytes
) -> None:
    status, headers, got = ask(worker, path, body)

    assert (status, got) == (201, expected)
    assert [value for name, value in headers if name.lower() == "set-cookie"] == ["a=1", "b=2"]


def test_a_stream_is_read_to_its_end(worker: RunningWorker) -> None:
    assert ask(worker, "/stream")[2] == b"012"
