"""Sets how long a body may be. Knows nothing of how it is read."""

from framework.compose import Middleware, Next
from framework.context import Context
from framework.middleware.options import check_integer
from framework.response import Response

__all__ = ["body_limit"]

_MOST = 100 * 1024 * 1024
"""What Cloudflare lets through on the free and the pro plan; the Worker has 128 MB for all of it."""


def body_limit(limit: int) -> Middleware:
    """Return a layer below which a body has at most *limit* bytes, whatever the application says.

    The innermost one counts. Past it a body is refused as 413 while it is read, and one that says
    its length before. Raises `ConfigurationError` for what is no number of bytes up to 100 MiB.
    """
    check_integer(limit, "a body limit in bytes", _MOST)

    async def limit_body(c: Context, call_next: Next) -> Response:
        c.request.body_limit = limit
        return await call_next()

    return limit_body
