"""Writes one line of JSON about each request. Knows nothing of where the lines go."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter, time_ns
from typing import Any

from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import ConfigurationError
from framework.log import encode_line, print_line
from framework.middleware.database_meter import Meter, meter_of
from framework.middleware.request_id import find_request_id
from framework.response import Response

__all__ = ["access_log", "print_line"]

Extra = Callable[[Context], Mapping[str, Any]]


def _now() -> int:
    """Return the time in Unix milliseconds."""
    return time_ns() // 1_000_000


def access_log(
    write: Callable[[str], None] = print_line,
    *,
    extra: Extra | None = None,
    now: Callable[[], int] = _now,
    clock: Callable[[], float] = perf_counter,
) -> Middleware:
    """Return a layer that hands *write* one line for each request, once the answer is made.

    It never holds the path, the query, a header or the body: a token may stand in each of them.
    *extra* returns further fields for a context; they replace none of these. Every value is
    escaped, so that none can end the line or colour a terminal. *now* returns Unix milliseconds,
    *clock* seconds. Raises `ConfigurationError` for a *write* or *extra* that cannot be called.
    """
    for option in (write, extra):
        if option is not None and not callable(option):
            raise ConfigurationError(f"the access log cannot call {option!r}")

    async def log_access(c: Context, call_next: Next) -> Response:
        meter = meter_of(c, clock)
        started_at = now()
        started = clock()
        status: int | None = None
        try:
            response = await call_next()
            status = response.status
        finally:  # also where the request is cancelled: then there is no status
            fields = _describe(c, status, started_at, clock() - started, meter)
            write(encode_line({**(extra(c) if extra is not None else {}), **fields}))
        return response

    return log_access


def _describe(
    c: Context, status: int | None, started_at: int, seconds: float, meter: Meter
) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(started_at / 1000, UTC).isoformat(timespec="milliseconds"),
        "method": c.request.method,
        "route": c.route.path if c.route is not None else None,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "guard": c.guard_outcome,
        "d1_ms": meter.milliseconds,
        "d1_trips": meter.trips,
        "d1_statements": meter.statements,
        "d1_rows": meter.rows,
        "d1_changes": meter.changes,
        "request_id": find_request_id(c),
    }
