"""What reaches the application in the Worker's runtime is what reaches it locally, and so back."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from framework import App, public
from framework.local.asgi import asgi

from .launcher import RunningWorker, serve
from .prepare import ROOT


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorker]:
    """The Worker, with the framework beside it."""
    bundle = tmp_path_factory.mktemp("edge")
    left_out = shutil.ignore_patterns("local", "cli.py", "__pycache__")
    shutil.copytree(ROOT / "framework", bundle / "framework", ignore=left_out)
    shutil.copy(Path(__file__).with_name("edge") / "worker.py", bundle)
    with serve(bundle, consumed=["mails", "given-up"]) as running:
        yield running


def ask(url: str, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    try:
        connection.putrequest("GET", path)
        connection.endheaders()
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()
    finally:
        connection.close()


local = App()


@local.get("/files/:file{.+}", guard=public)
async def show_file(file: str) -> str:
    return file


async def ask_locally(path: str) -> tuple[int, bytes]:
    """Return status and body of what a server on this machine would answer."""
    sent: list[Any] = []
    raw_path, _, query = path.encode().partition(b"?")
    scope = {
        **{"type": "http", "method": "GET", "scheme": "http", "headers": [(b"host", b"h")]},
        **{"path": path, "raw_path": raw_path, "query_string": query},
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    await asgi(local, {})(scope, receive, send)
    start, body = sent
    return start["status"], body["body"]


PATHS = [
    ("/files/a/../../etc\\passwd", 404, None),
    ("/files/../files/a", 200, b"a"),
    ("/files/a/%2e%2E/b", 200, b"b"),
    ("/files/.%2e/files/%2e/c", 200, b"c"),
    ("/files/a\\b\\..\\c", 200, b"a/c"),
    ("/files\\a", 200, b"a"),
    ("/x/..\\files/a/.", 200, b"a/"),
    ("/files/..;/a", 200, b"..;/a"),
    ("/files/.../.a", 200, b".../.a"),
    ("/files/%252e%252e/a", 200, b"%2e%2e/a"),
    ("/files/a%5c..%5cb", 400, None),
    ("/files/a%2f..", 400, None),
    ("/files/a?/../b", 200, b"a"),
    ("/files/plain/a-b_c~d", 200, b"plain/a-b_c~d"),
]


@pytest.mark.parametrize(("path", "status", "body"), PATHS)
async def test_a_path_that_nothing_resolved_is_what_it_is_locally(
    worker: RunningWorker, path: str, status: int, body: bytes | None
) -> None:
    got, _, text = ask(worker.raw_url, path)

    assert got == status
    assert body is None or text == body
    assert await ask_locally(path) == (got, text)


def test_what_is_sent_beyond_ascii_is_utf8(worker: RunningWorker) -> None:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    connection.request("GET", "/header")
    response = connection.getresponse()
    headers = {name.lower(): value.encode("latin-1") for name, value in response.getheaders()}
    connection.close()

    assert (headers["x"], headers["set-cookie"]) == ("café".encode(), "a=é".encode())


def test_what_is_no_name_of_a_header_names_none(worker: RunningWorker) -> None:
    assert ask(worker.url, "/no-name")[::2] == (200, b"true")


def test_nothing_is_sent_as_nothing(worker: RunningWorker) -> None:
    status, headers, body = ask(worker.url, "/nothing")

    assert (status, headers.get("content-type"), body) == (204, None, b"")


def test_a_form_with_a_note_is_read_by_the_workers_python(worker: RunningWorker) -> None:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    form = {"content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/stay", "days=3", form)

    assert connection.getresponse().read() == b"3"
    connection.close()


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with a length", "chunked"])
@pytest.mark.parametrize(("size", "status"), [(0, 200), (1024 * 1024, 200), (1024 * 1024 + 1, 413)])
def test_a_body_is_read_up_to_the_limit(
    worker: RunningWorker, size: int, status: int, is_chunked: bool
) -> None:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    body: Any = iter([b"x" * size]) if is_chunked else b"x" * size
    connection.request("POST", "/size", body, encode_chunked=is_chunked)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()

    assert response.status == status
    assert answer == size if status == 200 else answer["code"] == "content-too-large"


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with a length", "chunked"])
@pytest.mark.parametrize("size", [4096, 4097, 65536, 65537, 200_000])
def test_a_long_body_is_put_together(worker: RunningWorker, size: int, is_chunked: bool) -> None:
    sent = random.Random(size).randbytes(size)
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    body: Any = iter([sent[:3000], sent[3000:]]) if is_chunked else sent
    connection.request("POST", "/echo", body, encode_chunked=is_chunked)
    got = connection.getresponse().read()
    connection.close()

    assert got == sent


def test_a_body_in_bits_costs_no_more_for_each(worker: RunningWorker) -> None:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    started = time.monotonic()
    connection.request("POST", "/size", iter([b"x"] * 20_000), encode_chunked=True)
    got = connection.getresponse().read()
    connection.close()

    assert got == b"20000"
    assert time.monotonic() - started < 2.5  # read one by one, they took 5 seconds and more


def test_an_answer_does_not_wait_for_what_goes_on_after_it(worker: RunningWorker) -> None:
    """It would tell what that is: whether a link is made and mailed, and so who has an account."""
    seconds = {}
    for when in ("before", "after"):
        started = time.monotonic()
        assert ask(worker.url, f"/busy/{when}")[0] == 204
        seconds[when] = time.monotonic() - started

    assert seconds["after"] < seconds["before"] / 2


def test_more_may_go_on_after_an_answer_than_there_are_timers(worker: RunningWorker) -> None:
    assert ask(worker.url, "/many?count=10500")[0] == 204

    deadline = time.monotonic() + 30
    while (told := ask(worker.url, "/begun")[2]) != b"[10500,true]":
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


@pytest.mark.parametrize("kind", ["bytes", "values"])
@pytest.mark.parametrize(
    ("length", "limit", "read"),
    [
        *((20_000, 20_000, b"20000"), (30_000, 30_000, b"20000"), (100_000, 20_000, b"20000")),
        *((20_000, 19_999, b"too long"), (0, 20_000, b"20000")),
    ],
    ids=["right length", "too much announced", "over the limit", "over the limit in fact", "empty"],
)
def test_a_stream_that_javascript_made_is_read(
    worker: RunningWorker, kind: str, length: int, limit: int, read: bytes
) -> None:
    assert ask(worker.url, f"/made/{kind}?length={length}&limit={limit}")[::2] == (200, read)


@pytest.mark.parametrize(("kind", "read"), [("bytes", b"5000"), ("values", b"8192")])
def test_no_stream_is_read_far_past_its_length(
    worker: RunningWorker, kind: str, read: bytes
) -> None:
    assert ask(worker.url, f"/made/{kind}?length=5000&limit=20000")[::2] == (200, read)


def test_mails_are_sent_through_what_wrangler_binds(worker: RunningWorker) -> None:
    status, _, body = ask(worker.url, "/mail")

    assert status == 200, worker.errors()
    assert body != b"undefined"


def test_a_mail_goes_to_several_by_a_name(worker: RunningWorker) -> None:
    status, _, body = ask(worker.url, "/mail/many")

    assert status == 200, worker.errors()
    assert body.endswith(b"@example.com>")


@pytest.mark.parametrize(
    ("name", "content_type", "sent"),
    [
        ("ascii", "text/plain; charset=utf-8", b"plain"),
        ("latin", "text/plain; charset=utf-8", "café".encode()),
        ("beyond", "application/json", '["猫","😀"]'.encode()),
        ("binary", "application/octet-stream", b"\x00\xff"),
        ("in-ascii", "application/octet-stream", b"plain"),
        ("untyped", None, b"plain"),
        ("untyped-text", None, "café".encode()),
        ("latin-1", "text/plain; charset=latin-1", "café".encode("latin-1")),
    ],
)
def test_a_body_is_sent_as_it_is_and_with_its_own_type(
    worker: RunningWorker, name: str, content_type: str | None, sent: bytes
) -> None:
    _, headers, body = ask(worker.url, f"/bodies/{name}")

    assert (headers.get("content-type"), body) == (content_type, sent)


def test_what_is_compressed_is_not_compressed_again(worker: RunningWorker) -> None:
    """workerd's Response encodes unless it is told not to."""
    _, headers, body = ask(worker.raw_url, "/compressed")

    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b"hello"


def test_a_cancellation_that_gets_out_is_a_problem(worker: RunningWorker) -> None:
    status, headers, _ = ask(worker.url, "/cancelled")

    assert (status, headers["content-type"]) == (500, "application/problem+json")


def test_what_a_handler_caught_is_over(worker: RunningWorker) -> None:
    assert ask(worker.url, "/handled")[2] == b"None"


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """Connect to *url*, and go without a farewell: one is only noticed when more is sent."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        yield connection


def leave(worker: RunningWorker, path: str) -> None:
    """Read the beginning of *path*, and go."""
    with connected(worker.url) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        while b"\r\n\r\n" not in (received := connection.recv(10_000)):
            assert received


def wait_until_over(worker: RunningWorker, name: str) -> None:
    """Return once the Worker has noted that *name* is over."""
    deadline = time.monotonic() + 20
    while name not in json.loads(ask(worker.url, "/streams/over")[2]):
        assert time.monotonic() < deadline, worker.errors()
        time.sleep(0.1)


@pytest.mark.parametrize("name", ["endless", "waiting"])
def test_a_stream_is_closed_when_the_client_goes(worker: RunningWorker, name: str) -> None:
    leave(worker, f"/streams/{name}")

    wait_until_over(worker, name)
    assert "waitUntil" not in worker.errors()


def test_a_handler_comes_to_its_end_when_the_client_goes(worker: RunningWorker) -> None:
    with connected(worker.raw_url) as connection:
        connection.sendall(b"GET /ends HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.1)

    wait_until_over(worker, "late")


def test_nothing_is_left_of_a_body_whose_client_goes(worker: RunningWorker) -> None:
    before = json.loads(ask(worker.url, "/requests")[2])

    for _ in range(5):
        with connected(worker.raw_url) as connection:
            connection.sendall(
                b"POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\nhalf"
            )
            time.sleep(0.1)

    deadline = time.monotonic() + 20
    while (left := json.loads(ask(worker.url, "/requests")[2])) > before:
        assert time.monotonic() < deadline, f"{left - before} requests are still there"
        time.sleep(0.1)


def test_a_stream_is_sent_whole_and_closed(worker: RunningWorker) -> None:
    assert ask(worker.url, "/streams/whole")[2] == b"abc"
    assert "whole" in json.loads(ask(worker.url, "/streams/over")[2])


def test_a_stream_that_yields_text_breaks_off(worker: RunningWorker) -> None:
    with pytest.raises((http.client.HTTPException, OSError)):
        ask(worker.url, "/streams/text")

    assert "text" in json.loads(ask(worker.url, "/streams/over")[2])
    assert worker.logs("a stream yields bytes, not str")


def test_a_service_answers_by_fetch_and_by_its_methods(worker: RunningWorker) -> None:
    status, _, body = ask(worker.url, "/service")

    assert status == 200, worker.errors()
    assert json.loads(body) == ["fetched /a", "prepared b", "sent to ada", False]


def test_a_service_takes_and_gives_what_python_has(worker: RunningWorker) -> None:
    given = ["Object", "Array", "Uint8Array", "null", "String", "Number", "Boolean", "Object"]

    status, _, body = ask(worker.url, "/service/values")

    assert status == 200, worker.errors()
    assert json.loads(body) == [given, "00ff", [1, {"a": None}], None, 1.0]


def test_a_service_is_sent_headers_and_bytes(worker: RunningWorker) -> None:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    connection.request("POST", "/service", b"\x00\xff")
    response = connection.getresponse()
    body = response.read()
    connection.close()

    assert (response.status, body) == (200, b"\x00\xff"), worker.errors()
    assert response.getheader("x-told") == "PUT yes"


def test_a_method_that_a_service_has_not_is_an_error(worker: RunningWorker) -> None:
    assert ask(worker.url, "/service/absent")[0] == 500
    assert worker.logs('does not implement the method "absent"')


def test_a_request_that_waits_for_another_is_ended_at_once(worker: RunningWorker) -> None:
    """As docs/routing.md says: this is why nothing that others wait for is kept in a module."""
    started = time.monotonic()

    assert ask(worker.raw_url, "/waits")[0] == 500
    assert time.monotonic() - started < 5
    assert worker.logs("code had hung")
    assert ask(worker.url, "/nothing")[0] == 204


def test_a_queue_brings_what_was_sent_and_gives_up_what_fails(worker: RunningWorker) -> None:
    for body in ({"to": ["ada", None]}, "bad"):
        connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
        connection.request("POST", "/messages", json.dumps(body))
        assert connection.getresponse().status == 204
        connection.close()

    deadline = time.monotonic() + 10
    while "given-up" not in (body := ask(worker.url, "/messages")[2].decode()):
        assert time.monotonic() < deadline, body
        time.sleep(0.05)
    told = json.loads(body)
    assert ["mails", {"to": ["ada", None]}, 1] in told
    assert [each for each in told if each[1] == "bad"] == [
        *(["mails", "bad", 1], ["mails", "bad", 2]),
        ["given-up", "bad", 1],
    ]
    assert worker.logs("ValueError: nobody takes this one")
