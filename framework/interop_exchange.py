"""One request to an ASGI application, and its answer. Knows nothing of how applications are mounted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from framework.context import Context
from framework.log import log_error
from framework.response import EMPTY_STATUSES, Header, Response
from framework.streaming import ClosingStream

__all__ = ["ASGIApp", "Exchange", "Message"]

Message = MutableMapping[str, Any]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]  # Litestar's and Quart's say TypedDicts
"""An ASGI 3 application: a Starlette, a FastAPI, or any function of scope, receive and send."""

_WATER_MARK = 64 * 1024
"""Bytes that an application may be ahead of the reader of its answer."""

_NOT_HANDED_ON = {b"connection", b"content-length", b"keep-alive", b"transfer-encoding"}
"""What each connection says for itself."""


class Exchange:
    """One request to an application: what it was sent, and as much of its answer as is not read yet."""

    def __init__(self, c: Context, scope: Message, body: bytes) -> None:
        from asyncio import Event  # most applications mount no other

        self._c = c
        self._scope = scope
        self._body: bytes | None = body
        self._start: Message | None = None
        self._chunks: list[bytes] = []
        self._is_complete = False
        self._news = Event()
        """Set with each message, and when the application ends."""
        self._taken = Event()
        self._over = Event()
        """Set when the client has its answer, or has gone."""
        self._told: BaseException = OSError("the client has gone")
        """What is no news where the application ends with it: raised there, or here already."""
        self._ahead = 0
        """Bytes in the chunks."""
        self._task: Any = None

    async def answer(self, app: ASGIApp) -> Response:
        """Return the answer of *app*, its body perhaps still to come."""
        from asyncio import ensure_future  # as above

        self._task = ensure_future(app(self._scope, self._receive, self._send))
        self._task.add_done_callback(lambda _: self._news.set())
        try:
            await self._news.wait()
            await self._await_empty_end()
            if self._task.done() and not self._is_complete:
                self._raise_fault()
            return await self._respond()
        except BaseException:
            await self._give_up()
            raise

    async def _await_empty_end(self) -> None:
        """Wait for the end of an answer that has no body: nobody will read it, and work may follow it."""
        while (self._start or {}).get("status") in EMPTY_STATUSES:
            if self._is_complete or self._task.done():
                return
            self._take()
            self._news.clear()
            await self._news.wait()

    async def _respond(self) -> Response:
        start: Any = self._start
        status: int = start["status"]
        headers = start.get("headers", ())
        if self._c.request.method == "HEAD" or status in EMPTY_STATUSES:
            response = _without_body(status, headers)
            await self._end()
            return response
        pairs = _decoded(headers, _NOT_HANDED_ON)
        if not self._is_complete:
            return Response(ClosingStream(self._stream(), self._end), status, pairs)
        response = Response(self._take(), status, pairs)
        await self._leave()
        return response

    async def _stream(self) -> AsyncIterator[bytes]:
        """Yield what comes of the body, as it comes."""
        while self._chunks or not self._is_complete:
            if self._chunks:
                yield self._take()
            elif self._task.done():
                self._raise_fault()
            else:
                self._news.clear()
                await self._news.wait()

    async def _end(self) -> None:
        """Let the application go on after its whole answer, or end it: there is no reader any more."""
        if not self._over.is_set():
            await (self._leave() if self._is_complete else self._give_up())

    def _take(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._ahead = 0
        self._taken.set()
        return data

    def _raise_fault(self) -> None:
        """Raise what ended the application before its answer was whole."""
        if self._task.cancelled():
            raise RuntimeError("the mounted application cancelled itself")
        error = self._task.exception()
        if error is not None:
            self._told = error
            raise error
        how = "no" if self._start is None else "half an"
        raise RuntimeError(f"the mounted application ended with {how} answer")

    async def _leave(self) -> None:
        """Let the application go on after its answer, for as long as there is time."""
        self._over.set()
        rest = self._finish()
        await (rest if self._task.done() else self._c.after_answer(rest))

    async def _finish(self) -> None:
        """Wait for the application to end, and tell of a fault that no answer can tell of."""
        from asyncio import wait  # as above

        await wait([self._task])
        error = None if self._task.cancelled() else self._task.exception()
        if error is not None and error is not self._told:
            log_error("a mounted application failed after its answer", error)

    async def _give_up(self) -> None:
        """End the application: nobody wants the rest of its answer."""
        self._over.set()
        self._taken.set()
        self._task.cancel()
        await self._finish()

    # --- What the application calls --------------------------------------------------------------

    async def _receive(self) -> Message:
        if self._body is None:
            await self._over.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        self._refuse_out_of_order(message["type"])
        if self._start is None:
            self._start = message
        else:
            while self._ahead > _WATER_MARK and not self._over.is_set():
                self._taken.clear()
                await self._taken.wait()
            if self._over.is_set():
                raise self._told
            if chunk := b"".join([message.get("body", b"")]):  # raises for what is no bytes
                self._chunks.append(chunk)
                self._ahead += len(chunk)
            self._is_complete = not message.get("more_body", False)
        self._news.set()

    def _refuse_out_of_order(self, kind: str) -> None:
        expected = "http.response.start" if self._start is None else "http.response.body"
        if kind != expected or self._is_complete:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")


def _without_body(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Response:
    """Return an answer to HEAD, with the length that the application told, or one of no body."""
    if status in EMPTY_STATUSES:
        return Response(b"", status, _decoded(headers, _NOT_HANDED_ON))
    return Response(_nothing(), status, _decoded(headers, _NOT_HANDED_ON - {b"content-length"}))


async def _nothing() -> AsyncIterator[bytes]:
    """Stand for a body that is left out, so that the edge does not count its length."""
    for _ in ():
        yield b""


def _decoded(headers: Iterable[tuple[bytes, bytes]], left_out: set[bytes]) -> list[Header]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name.lower() not in left_out
    ]
