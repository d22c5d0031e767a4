"""Outgoing HTTP on this machine: the standard library's client, in a thread. Knows no service.

Neither redirects nor the proxies of the environment are followed: what answers is what was asked.
"""

import asyncio
import socket
import zlib
from contextlib import closing, suppress
from gzip import BadGzipFile, GzipFile
from http.client import (
    SWITCHING_PROTOCOLS,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
)
from io import BytesIO
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from framework.fetching import (
    FetchFailed,
    FetchRequest,
    FetchResponse,
    too_large,
    too_late,
    without_coding,
)
from framework.request import Headers
from framework.response import Header

__all__ = ["fetch_in_thread"]

_CHUNK = 64 * 1024
_RATIO = 1032
"""The most that gzip can shrink a body by: two bits stand for 258 bytes."""

_WITH_BODY = {"POST", "PUT", "PATCH"}


class _FinalResponse(HTTPResponse):
    """An answer, after those that only announce it, such as early hints."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # else it has begun
            super().begin()


async def fetch_in_thread(request: FetchRequest, /) -> FetchResponse:
    """Return the answer to *request*. Raises `FetchFailed`.

    If the time is up, or the caller is cancelled, the connection is cut, and the thread ends.
    """
    exchange = _Exchange(request)
    try:
        async with asyncio.timeout(request.timeout_ms / 1000):
            return await asyncio.to_thread(exchange.run)
    except TimeoutError:
        raise too_late(request) from None
    except (OSError, HTTPException, ValueError) as error:  # whose texts may hold what was sent
        raise FetchFailed(f"{request.host} does not answer: {type(error).__name__}") from None
    finally:
        exchange.cut()


class _Exchange:
    """One request and its answer. `run` is for the thread, `cut` for the task that waits for it."""

    def __init__(self, request: FetchRequest) -> None:
        self._request = request
        self._deadline = monotonic() + request.timeout_ms / 1000
        self._socket: socket.socket | None = None
        self._is_cut = False

    def run(self) -> FetchResponse:
        """Return the answer. Each wait has as long as the whole may take."""
        parts = urlsplit(self._request.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        seconds = self._request.timeout_ms / 1000
        with closing(kind(parts.hostname or "", parts.port, timeout=seconds)) as connection:
            connection.response_class = _FinalResponse
            connection.connect()
            self._socket = connection.sock
            if self._is_cut:  # while it was looking the host up, say
                raise too_late(self._request)
            self._send(connection, parts)
            with connection.getresponse() as response:
                return self._read(response)

    def cut(self) -> None:
        """End the exchange, and wake the thread if it still waits."""
        self._is_cut = True
        if self._socket is not None:
            with suppress(OSError):  # it may be closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    def _send(self, connection: HTTPConnection, parts: SplitResult) -> None:
        request = self._request
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(request.method, target, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.body or request.method in _WITH_BODY:
            connection.putheader("content-length", str(len(request.body)))
        connection.putheader("connection", "close")
        connection.endheaders(request.body or None)

    def _read(self, response: HTTPResponse) -> FetchResponse:
        """Return the answer; never hold more than the limit and one chunk of its body."""
        request = self._request
        if response.headers.defects:
            raise FetchFailed(f"{request.host} sent malformed headers")
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > request.limit:
                raise too_large(request)
            if monotonic() > self._deadline:
                raise too_late(request)
        if response.length:  # it said how long it is, and ended early
            raise _broken_off(request)
        headers = _joined(response.getheaders())
        body = b"".join(chunks)
        if body and ("content-encoding", "gzip") in headers:
            headers, body = without_coding(headers), _decoded(body, request)
        return FetchResponse(response.status, headers, body, request.host)


def _joined(headers: list[Header]) -> tuple[Header, ...]:
    """Return *headers* as JavaScript's fetch has them: each name once, but for cookies."""
    cookies = [("set-cookie", value) for name, value in headers if name.lower() == "set-cookie"]
    others = Headers(pair for pair in headers if pair[0].lower() != "set-cookie")
    return (*others.items(), *cookies)


def _decoded(body: bytes, request: FetchRequest) -> bytes:
    """Return *body* decoded by gzip. Raises `FetchFailed`, also for more than the limit."""
    most = min(request.limit, _RATIO * len(body))  # memory for as much is taken at once
    try:
        decoded = GzipFile(fileobj=BytesIO(body)).read(most + 1)
    except EOFError:
        raise _broken_off(request) from None
    except (BadGzipFile, zlib.error):
        raise FetchFailed(f"{request.host} sent what is no gzip") from None
    if len(decoded) > request.limit:
        raise too_large(request)
    return decoded


def _broken_off(request: FetchRequest) -> FetchFailed:
    return FetchFailed(f"{request.host} broke off its answer")
