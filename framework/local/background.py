"""Keeps the work that goes on after an answer, and logs what fails. Knows nothing of requests."""

from collections.abc import Awaitable, Coroutine
from functools import partial
from typing import Any

from framework.errors import as_fault

__all__ = ["SHUTDOWN_DEADLINE", "Background", "contain"]

SHUTDOWN_DEADLINE = 3.0
"""Seconds that the server waits for work when it stops. The Worker gives 30; at Ctrl-C people expect less."""


class Background:
    """Work in progress. An event loop alone would let a task that nobody holds be collected."""

    def __init__(self) -> None:
        self._tasks: set[Any] = set()

    def start(self, work: Awaitable[Any]) -> None:
        """Start *work*, which runs when the event loop gets to it."""
        from asyncio import ensure_future  # few requests leave work behind

        task = ensure_future(contain(work))
        self._tasks.add(task)
        task.add_done_callback(partial(self._end, work))

    async def finish(self, deadline: float = SHUTDOWN_DEADLINE) -> None:
        """Wait for all work, at most *deadline* seconds, then cancel what is left."""
        from asyncio import wait

        if self._tasks:
            _, left = await wait(self._tasks, timeout=deadline)
            for task in left:
                task.cancel()

    def _end(self, work: Any, task: Any) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            if isinstance(work, Coroutine):
                work.close()  # it may not have begun, and Python would warn of that
        elif (error := task.exception()) is not None:
            from framework.log import log_error

            log_error("work after the answer failed", error)


async def contain(work: Awaitable[Any]) -> None:
    """Await *work*. Where it would end the server, it has failed: the server goes on, as the Worker does.

    So it has where something that it awaits was cancelled, which is no error to asyncio.
    """
    try:
        await work
    except SystemExit as error:
        raise RuntimeError(f"sys.exit({error.code!r}) was called") from error
    except KeyboardInterrupt as error:  # no Ctrl-C: the server handles the signal of that
        raise RuntimeError("KeyboardInterrupt was raised") from error
    except BaseException as error:
        raise as_fault(error)  # noqa: B904  it is the error, or has it for a cause
