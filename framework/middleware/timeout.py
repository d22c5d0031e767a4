"""Ends what takes too long. Knows nothing of what it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context as ContextVars
from typing import Any

from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import ConfigurationError, ServiceUnavailable
from framework.middleware.options import check_seconds
from framework.response import Response

__all__ = ["TimedOut", "timeout"]


class TimedOut(ServiceUnavailable):
    """The answer took longer than this route allows; what made it was stopped."""

    code = "timed-out"


def timeout(seconds: float) -> Middleware:
    """Return a layer that stops whatever is below it after *seconds*, and answers 503 ``timed-out``.

    The guard, the handler and the query they wait for are cancelled where they stand, so that their
    ``finally`` runs. A stream is not: the layer is done when its first byte may be sent. A
    cancellation from outside goes through as one. Raises `ConfigurationError` for a time that is
    not above 0, or so long that milliseconds must be meant: 1,000 and more.
    """
    import asyncio  # off the cold-start path of everybody who sets no timeout

    if check_seconds(seconds, "a timeout") >= 1000:
        raise ConfigurationError(
            f"a timeout is in seconds: {seconds:g} are {seconds / 60:.0f} minutes"
        )

    async def stop_in_time(c: Context, call_next: Next) -> Response:  # noqa: ARG001  any will do
        scope = asyncio.timeout(None)
        try:
            async with scope:
                with _timer(asyncio.get_running_loop(), seconds, scope.reschedule):
                    return await call_next()
        except TimeoutError:
            if not scope.expired():
                raise  # somebody else's
            raise TimedOut from None

    return stop_in_time


@contextmanager
def _timer(loop: Any, seconds: float, expire: Callable[[float], None]) -> Iterator[None]:
    """Call *expire* with a moment that has passed, unless the block is done after *seconds*.

    A timer that is cancelled stays where it is until it is due, in Pyodide's event loop as in
    asyncio's, and asyncio.timeout's own would keep the request until then with its contextvars.
    """
    timer = loop.call_later(seconds, expire, 0, context=ContextVars())
    try:
        yield
    finally:
        timer.cancel()
