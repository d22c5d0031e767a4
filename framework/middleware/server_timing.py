"""Tells the browser's developer tools where the time went. Knows nothing of logs."""

from collections.abc import Callable
from time import perf_counter

from framework.compose import Middleware, Next
from framework.context import Context
from framework.middleware.database_meter import meter_of
from framework.middleware.options import check_when
from framework.response import Response

__all__ = ["server_timing"]


def server_timing(
    *,
    when: Callable[[Context], bool] | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Middleware:
    """Return a layer that sends ``Server-Timing``: the total, and what D1 took of it.

    *when* is asked once a request is answered, and returns whether its client may know; without it,
    everybody may. *clock* returns seconds. Raises `ConfigurationError` for an async *when*.
    """
    when = check_when(when)

    async def time_answer(c: Context, call_next: Next) -> Response:
        meter = meter_of(c, clock)
        started = clock()
        response = await call_next()
        if when is not None and not when(c):
            return response
        total = round((clock() - started) * 1000, 1)
        timing = f"total;dur={total}, d1;dur={meter.milliseconds}"
        return response.with_added_header("server-timing", timing)

    return time_answer
