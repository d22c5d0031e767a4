"""Saves clients from being sent what they have already, and from overwriting what they have not seen.

Knows nothing of where the content comes from.
"""

from framework.compose import Middleware, Next
from framework.conditional import (
    PreconditionFailed,
    PreconditionRequired,
    check_if_match,
    make_etag,
    not_modified,
)
from framework.context import Context
from framework.response import Response, make

__all__ = ["PreconditionFailed", "PreconditionRequired", "check_if_match", "etag", "make_etag"]


def etag(weak: bool = False, *, private: bool = False) -> Middleware:
    """Return a layer that tags answers to GET, and answers 304 if ``If-None-Match`` has the tag.

    It tags answers that have status 200, are not streams, and have no tag of the handler's. 304
    keeps all headers but those of the content. Answers that depend on who asks, set a cookie or say
    ``no-store`` are left alone unless *private* is true. The handler runs either way: only the
    sending is saved.
    """

    async def answer_conditionally(c: Context, call_next: Next) -> Response:
        response = await call_next()
        if not _is_taggable(c, response) or not (private or _is_storable(c, response)):
            return response
        tag = response.header("etag")
        if tag is None:
            tag = make_etag(response.body, weak=weak)  # type: ignore[arg-type]  # not a stream
            response = make(response.body, 200, [*response.headers, ("etag", tag)])
        return not_modified(c.request, response) or response

    return answer_conditionally


def _is_taggable(c: Context, response: Response) -> bool:
    return (
        response.status == 200
        and c.request.method in {"GET", "HEAD"}
        and isinstance(response.body, bytes)
    )


def _is_storable(c: Context, response: Response) -> bool:
    directives = (response.header("cache-control") or "").lower()
    sets_cookie = c.cookies_to_send() or response.header("set-cookie") is not None
    return not c.private and not sets_cookie and "no-store" not in directives
