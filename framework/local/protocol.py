"""HTTP/1.1 as strict as the Worker's own server. Knows nothing of applications.

h11 is strict about most things; what it forgives (a bare line feed, a folded header, chunks in HTTP/1.0)
is refused here, since two readers of such a request may disagree about where it ends.
"""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from framework.errors import HTTPError
from framework.local.asgi import HEADER_LIMIT, Send
from framework.problem import problem

__all__ = ["HEAD_LIMIT", "LINGER", "LINGER_LIMIT", "StrictProtocol", "answer_cut"]

HEAD_LIMIT = 64 * 1024
"""Bytes that all headers together may have, and as many again for the request line."""

LINGER = 5.0
"""Seconds that a connection stays open for what the client still sends after its answer."""

LINGER_LIMIT = 64 * 1024 * 1024
"""Bytes of it that are dropped before the connection is cut."""

_CLOSE = (b"connection", b"close")
_VERSIONS = {b"1.0", b"1.1"}
_END = re.compile(rb"\n\r?\n")
_LOOSE = re.compile(rb"(?<!\r)\n|\n[ \t]")
_REFUSALS = {
    400: ("malformed-request", "The request is not HTTP/1.1."),
    414: ("url-too-long", "The URL is too long."),
    431: ("headers-too-large", "The headers are too large."),
}


class _Connection(h11.Connection):
    """Looks at each head before h11 does, and at the headers after it has."""

    is_head = False
    """Whether the request that is being read is one with HEAD, whose answer has no body."""

    def next_event(self) -> Any:
        """Return what came next. Raises `RemoteProtocolError`."""
        if self.their_state is not h11.IDLE:
            return super().next_event()
        self.is_head = False
        _check_head(self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.is_head = event.method == b"HEAD"
            _check_headers(event)
        return event


def _check_head(received: bytes) -> None:
    end = _END.search(received)
    if end is None:
        return
    line = received.find(b"\n")
    if line > HEAD_LIMIT:
        raise h11.RemoteProtocolError("URL too long", error_status_hint=414)
    if end.end() - line > HEAD_LIMIT:
        raise h11.RemoteProtocolError("headers too large", error_status_hint=431)
    if _LOOSE.search(received, 0, end.end()):
        raise h11.RemoteProtocolError("bare line feed or folded header")


def _check_headers(request: h11.Request) -> None:
    if len(request.headers) > HEADER_LIMIT:
        raise h11.RemoteProtocolError("too many headers", error_status_hint=431)
    if request.http_version not in _VERSIONS:
        raise h11.RemoteProtocolError("unknown version")
    names = {name for name, _ in request.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        raise h11.RemoteProtocolError("two lengths")
    if b"transfer-encoding" in names and request.http_version == b"1.0":  # RFC 9112, 6.1
        raise h11.RemoteProtocolError("no such header yet")


class _Transport:
    """A transport whose `close` waits for what the client still sends, where it still sends."""

    def __init__(self, transport: Any, close: Callable[[], None]) -> None:
        self._transport = transport
        self.close = close
        self.write = transport.write  # each answer's, so without a look at __getattr__
        self.is_lingering = False

    def is_closing(self) -> bool:
        """Return whether nothing more is to be read or written."""
        return self.is_lingering or bool(self._transport.is_closing())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class StrictProtocol(H11Protocol):
    """One connection. What it refuses is answered with a problem, and read no further.

    Where a connection is to be closed while its client still sends, what comes is dropped for a
    while first: closing on unread data resets the connection, and the client might never see why.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], **more: Any
    ) -> None:
        super().__init__(config, server_state, app_state, **more)
        self.conn = self._reading = _Connection(h11.SERVER, 2 * HEAD_LIMIT)
        self._dropped = 0

    def connection_made(self, transport: Any) -> None:
        """Take the connection."""
        self._wire = transport
        self._lingering = _Transport(transport, self._close)
        super().connection_made(cast("Any", self._lingering))

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the answer is out and the connection is to be closed."""
        if not self._lingering.is_lingering:
            return super().data_received(data)
        self._dropped += len(data)
        if self._dropped > LINGER_LIMIT:
            self._wire.abort()
        return None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the caller's name for it
        """Answer what h11 cannot read, if nothing was answered yet, and close."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self._wire.close()
            return
        for event in _refusal(sys.exc_info()[1]):
            if not (self._reading.is_head and isinstance(event, h11.Data)):
                self._wire.write(self.conn.send(event) or b"")
        self._linger()

    def _close(self) -> None:
        """Close the connection, at once where the client has sent all that it said it would."""
        is_sending = self.conn.their_state is h11.SEND_BODY  # what is no HTTP lingers already
        if self._lingering.is_closing() or not is_sending:
            self._wire.close()
        else:
            self._linger()

    def _linger(self) -> None:
        """Tell the client that this was all, and close when it has gone, or when its time is up."""
        self._lingering.is_lingering = True
        with suppress(OSError):  # the client has gone: there is nobody to tell
            self._wire.write_eof()
        self._wire.resume_reading()
        self.loop.call_later(LINGER, self._wire.abort)


async def answer_cut(send: Send) -> None:
    """Answer a request that ends with its server: uvicorn would say that the application failed."""
    error = HTTPError(503, "The server ended, or started again.", code="server-ended")
    response = problem(error)
    head = [(name.encode(), value.encode()) for name, value in response.headers]
    await send({"type": "http.response.start", "status": 503, "headers": [*head, _CLOSE]})
    await send({"type": "http.response.body", "body": response.body})


def _refusal(error: BaseException | None) -> tuple[h11.Response, h11.Data, h11.EndOfMessage]:
    hint = getattr(error, "error_status_hint", 400)
    status = hint if hint in _REFUSALS else 400
    code, detail = _REFUSALS[status]
    response = problem(HTTPError(status, detail, code=code))
    body = cast("bytes", response.body)
    headers = [*response.headers, ("content-length", str(len(body))), ("connection", "close")]
    return (
        h11.Response(status_code=status, headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    )
