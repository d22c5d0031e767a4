"""Keeps what does not say how it is kept out of the caches that people share. Knows nothing of them.

A cache may keep an answer that says nothing (RFC 9111, 4.2.2), and Cloudflare's Workers Cache does.
"""

from framework.compose import Middleware, Next
from framework.context import Context
from framework.response import Response

__all__ = ["no_cache"]

_UNSAID = ("cache-control", "private, no-cache")
"""A browser may keep it, and asks each time: an answer with an ``ETag`` is 304 then."""


def no_cache() -> Middleware:
    """Return a layer that sends ``Cache-Control: private, no-cache`` with what says nothing of caches.

    Answers with an ``Expires``, a ``Cache-Control``, or one for some caches alone, are left as they are,
    also those that `cache` allows further in. Put it on the app, outside of all other layers, so that
    404 and 405 have it too.
    """

    async def refuse_caching(c: Context, call_next: Next) -> Response:  # noqa: ARG001  a layer takes both
        response = await call_next()
        if any(name == "expires" or name.endswith("cache-control") for name, _ in response.headers):
            return response
        return response.with_header(*_UNSAID)

    return refuse_caching
