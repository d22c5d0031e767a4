"""Answers that take their time, and files. Knows nothing of the edge that sends them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from framework.outgoing_body import check_stream, close_body
from framework.paths import encode_segment
from framework.response import Response, encode_json

__all__ = ["ClosingStream", "Event", "attachment", "server_sent_events", "stream"]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_LONGEST = 200  # bytes; file systems take 255, with what browsers add to the name while they save
_IN_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff/\\]")
_READ_OTHERWISE = re.compile('["%?]')  # in escapes, by each browser in its own way: =?utf-8?Q?=41?=


class Event(msgspec.Struct, frozen=True):
    """One server-sent event. *data* is text, or anything msgspec encodes; *retry* is milliseconds."""

    data: Any
    event: str | None = None
    id: str | None = None
    retry: int | None = None

    def encode(self) -> bytes:
        """Return the event as it is sent.

        Raises `TypeError` for a name or id that is no text, and `ValueError` for one with a line break
        and for a *retry* that is not a whole number from 0.
        """
        lines = []
        for name, value in (("event", self.event), ("id", self.id)):
            if value is not None:
                if not isinstance(value, str):  # whatever its annotation let through
                    raise TypeError(f"the {name} of an event is text: write str(...)")
                if _LINE_BREAK.search(value) or "\0" in value:
                    raise ValueError(f"the {name} of an event must be one line")
                lines.append(f"{name}: {value}")
        if self.retry is not None:
            lines.append(f"retry: {_checked_retry(self.retry)}")
        text = self.data if isinstance(self.data, str) else encode_json(self.data).decode()
        lines += [f"data: {line}" for line in _LINE_BREAK.split(text)]
        return ("\n".join(lines) + "\n\n").encode()


def _checked_retry(retry: object) -> int:
    """Return *retry* as a plain number, whatever its annotation let through."""
    if isinstance(retry, bool) or not isinstance(retry, int) or retry < 0:
        raise ValueError("the retry of an event must be a whole number of milliseconds, at least 0")
    return int(retry)


def stream(
    chunks: AsyncIterator[bytes | str], content_type: str = "application/octet-stream"
) -> Response:
    """Return an answer whose body is sent piece by piece, as *chunks* yields it.

    Text is sent in UTF-8. Say so in its type, as in ``"text/csv; charset=utf-8"``: browsers may take
    it for something else.

    The iterator is closed when it ends, when it raises, and when the client has gone. In the
    Worker, that is noticed only when more is sent, so a stream that may be silent for long should
    send something now and then. An error in it breaks the answer off: the status and the headers
    are sent by then, so that it is also too late to set a cookie or to ask who is signed in. Raises
    `TypeError` for what is no async iterator.
    """
    check_stream(chunks, "stream takes an async iterator")
    body = ClosingStream(_encoded(chunks), lambda: close_body(chunks))
    return Response(body, headers=[("content-type", content_type)])


def server_sent_events(events: AsyncIterator[Event]) -> Response:
    """Return *events* as ``text/event-stream``, each sent as it comes, kept by no cache.

    Raises `TypeError` for what is no async iterator.
    """
    check_stream(events, "server_sent_events takes an async iterator")
    headers = [("content-type", "text/event-stream"), ("cache-control", "no-store")]
    body = ClosingStream(_events(events), lambda: close_body(events))
    return Response(body, headers=headers)


def attachment(data: bytes, name: str, content_type: str = "application/octet-stream") -> Response:
    """Return *data* as a file to save under *name* (RFC 6266), which a client may have chosen.

    Slashes, backslashes and control characters become ``_``, of a long name the last 200 bytes are
    sent, and of none ``file``. A name that is not plain ASCII, or has a quote, ``%`` or ``?``, is sent in
    the form of RFC 8187 as well, which browsers prefer.
    """
    safe = _IN_NO_NAME.sub("_", name).encode()[-_LONGEST:].decode(errors="ignore") or "file"
    plain = _READ_OTHERWISE.sub("_", safe.encode("ascii", "replace").decode())
    disposition = f'attachment; filename="{plain}"'
    if plain != safe:
        disposition += f"; filename*=UTF-8''{encode_segment(safe)}"
    headers = [("content-type", content_type), ("content-disposition", disposition)]
    return Response(data, headers=headers)


class ClosingStream(AsyncIterator[bytes]):
    """The body *chunks*; *close* is called when it ends, raises or is closed, read or not.

    That may be more than once. A generator's ``finally`` alone would not do: it does not run if the
    generator never began.
    """

    def __init__(self, chunks: AsyncIterator[bytes], close: Callable[[], Awaitable[None]]) -> None:
        self._chunks = chunks
        self._close = close

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close the chunks, and then what they come from."""
        await close_body(self._chunks)
        await self._close()


async def _encoded(chunks: AsyncIterator[bytes | str]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk.encode() if isinstance(chunk, str) else chunk


async def _events(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    async for event in events:
        if not isinstance(event, Event):
            raise TypeError(f"server_sent_events sends each Event, not a {type(event).__name__}")
        yield event.encode()
