"""Sets how long a body may be. Knows nothing of how it is read."""

from framework.compose import Middleware, Next
from framework.context import Context
from framework.middleware.options import check_integer
from framework.response import Response

__all__ = ["body_limit"]

_MOST = 100 * 1024 * 1024
"""What Cloudflare lets through on the free and the pro plan. The Worker has 128 MB for everything."""


def body_limit(limit: int) -> Middleware:
    """Return a layer below which a body has at most *limit* bytes, whatever the application says.

    The innermost limit counts. A longer body is refused with 413: before it is read if it declares
    its length, else while it is read. Raises `ConfigurationError` for what is not a number of bytes
    up to 100 MiB.
    """
    check_integer(limit, "a body limit in bytes", _MOST)

    async def limit_body(c: Context, call_next: Next) -> Response:
        c.request.body_limit = limit
        return await call_next()

    return limit_body
