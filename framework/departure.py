"""Stops what is sent to a client when the client goes. Imported by the edges alone: it needs asyncio."""

from asyncio import CancelledError, Future, current_task
from types import TracebackType
from typing import Any

__all__ = ["Departure"]


class Departure:
    """Cancels the task inside of ``with`` when *gone* is done, and ends the block without an error.

    Whatever the task waits for is cancelled with it. After `ignore`, and after the block, nothing is.
    """

    def __init__(self, gone: "Future[Any]") -> None:
        self._task = current_task()
        self._is_over = self._has_stopped = False
        gone.add_done_callback(self._stop)

    def _stop(self, _: object) -> None:
        if self._task is not None and not self._is_over:
            self._has_stopped = True
            self._task.cancel()

    def ignore(self) -> None:
        """Let the rest be sent: from here on, nothing can go on for ever."""
        self._is_over = True

    def __enter__(self) -> "Departure":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> bool:
        self._is_over = True
        if self._task is None or not self._has_stopped or kind is not CancelledError:
            return False
        self._task.uncancel()
        return True
