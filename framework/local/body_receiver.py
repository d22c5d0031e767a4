"""Reads request bodies from an ASGI server: up to a size, and not for ever. Knows no headers."""

from asyncio import CancelledError, current_task, get_running_loop
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any

from framework.errors import BadRequest, HTTPError
from framework.request import too_large

__all__ = ["BODY_DEADLINE", "BodyReceiver"]

BODY_DEADLINE = 30.0
"""Seconds a body may take to arrive once it is asked for."""

_EXPIRED = float("-inf")


class BodyReceiver:
    """The bodies being read in one event loop.

    All of them are looked at once in a while, which costs a read two dictionary operations. A timer
    for each would cost a small request as much as the rest of its answer.
    """

    def __init__(self, deadline: float = BODY_DEADLINE) -> None:
        self._deadline = deadline
        self._started: dict[Any, float] = {}
        self._loop: Any = None
        """The event loop that has a look coming, or None."""

    async def read(
        self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]], limit: int
    ) -> bytes:
        """Return the whole body.

        Raises `ContentTooLarge` past *limit* bytes, `BadRequest` where the client goes away, and
        `HTTPError` with status 408 where the body takes too long.
        """
        loop, task = get_running_loop(), current_task()
        self._started[task] = monotonic()
        if self._loop is not loop:
            self._look_later(loop)
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BadRequest("The body ended early.")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                if not message.get("more_body", False):
                    is_all = not chunks and isinstance(chunk, bytes)
                    return chunk if is_all else b"".join([*chunks, chunk])
                chunks.append(chunk)
        except CancelledError:
            if task is None or self._started.get(task) != _EXPIRED:
                raise
            task.uncancel()
            raise HTTPError(
                408, "The body took too long to arrive.", code="request-timeout"
            ) from None
        finally:
            self._started.pop(task, None)

    def _look_later(self, loop: Any) -> None:
        self._loop = loop
        loop.call_later(min(1.0, self._deadline / 4), self._look, loop)

    def _look(self, loop: Any) -> None:
        """Cancel the reads that took too long; look again as long as there are any."""
        oldest = monotonic() - self._deadline
        for task, started in self._started.items():
            if _EXPIRED < started < oldest:
                self._started[task] = _EXPIRED
                task.cancel()
        if self._started:
            self._look_later(loop)
        else:
            self._loop = None
