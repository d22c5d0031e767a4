"""Saves sending what the client has already, and overwriting what it has not seen.

Knows nothing of where the content comes from.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b

from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import HTTPError
from framework.request import Request
from framework.response import Header, Response, make

__all__ = ["PreconditionFailed", "PreconditionRequired", "check_if_match", "etag", "make_etag"]

_TAG = re.compile(r'(?:W/)?"[!\x23-\x7e\x80-\U0010ffff]*"')
_OF_THE_CONTENT = frozenset(
    {"content-encoding", "content-language", "content-length", "content-range", "content-type"}
)


class PreconditionFailed(HTTPError):
    """What the client would change is no longer what it has seen."""

    status = 412
    code = "precondition-failed"


class PreconditionRequired(HTTPError):
    """A change has to say, in ``If-Match``, what the client has seen of it."""

    status = 428
    code = "precondition-required"


def make_etag(content: bytes, *, weak: bool = False) -> str:
    """Return the tag of *content*, quoted, as ``ETag`` has it: the same for the same bytes."""
    return f'{"W/" if weak else ""}"{blake2b(content, digest_size=16).hexdigest()}"'


def etag(weak: bool = False, *, private: bool = False) -> Middleware:
    """Return a layer that tags answers to GET, and answers 304 where ``If-None-Match`` knows the tag.

    It tags what has status 200 and is no stream, unless the handler did. 304 keeps every header but
    those of the content. Answers that depend on who asks, set a cookie or say ``no-store`` are left
    alone unless *private*. The handler runs either way: what is saved is the sending.
    """

    async def answer_conditionally(c: Context, call_next: Next) -> Response:
        response = await call_next()
        if not _is_taggable(c, response) or not (private or _is_storable(c, response)):
            return response
        tag = response.header("etag")
        if tag is None:
            tag = make_etag(response.body, weak=weak)  # type: ignore[arg-type]  # is no stream
            response = make(response.body, 200, [*response.headers, ("etag", tag)])
        known = c.request.headers.get("if-none-match")
        if known is None or not _is_listed(tag, known):
            return response
        return make(b"", 304, _without_content(response.headers))

    return answer_conditionally


def check_if_match(request: Request, tag: str | None, *, required: bool = False) -> None:
    """Raise `PreconditionFailed` unless ``If-Match`` lists *tag*, or is not there.

    For handlers that change something, behind the guard and before the change; *tag* is what a GET
    would send now, None where there is nothing yet. A weak tag never matches (RFC 9110, 13.1.1).
    Where *required*, raises `PreconditionRequired` without the header.
    """
    listed = request.headers.get("if-match")
    if listed is None:
        if required:
            raise PreconditionRequired("Say in If-Match which version you have seen.")
    elif tag is None or not (listed.strip() == "*" or _lists_exactly(tag, listed)):
        raise PreconditionFailed("It has changed since: read it again.")


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


def _is_listed(tag: str, listed: str) -> bool:
    """Return whether *listed* has *tag*; weak and strong ones are the same here (13.1.2)."""
    plain = tag.removeprefix("W/")
    return listed.strip() == "*" or plain in [
        each.removeprefix("W/") for each in _TAG.findall(listed)
    ]


def _lists_exactly(tag: str, listed: str) -> bool:
    return not tag.startswith("W/") and tag in _TAG.findall(listed)


def _without_content(headers: Sequence[Header]) -> list[Header]:
    return [pair for pair in headers if pair[0] not in _OF_THE_CONTENT]
