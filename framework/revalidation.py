"""Answers 304 to who has the answer already (RFC 9110, 13.1.2). Knows nothing of routes."""

from framework.request import Request
from framework.response import TAG, Response, make

__all__ = ["not_modified"]

_OF_THE_CONTENT = frozenset(
    {"content-encoding", "content-language", "content-length", "content-range", "content-type"}
)


def not_modified(request: Request, response: Response) -> Response | None:
    """Return 304 where ``If-None-Match`` lists the ``etag`` of *response*, else None.

    For GET and HEAD, and status 200 and 206. 304 keeps every header but those of the content.
    """
    if response.status not in {200, 206} or request.method not in {"GET", "HEAD"}:
        return None
    tag = response.header("etag")
    listed = None if tag is None else request.headers.get("if-none-match")
    if tag is None or listed is None or not _is_listed(tag, listed):
        return None
    kept = [pair for pair in response.headers if pair[0] not in _OF_THE_CONTENT]
    return make(b"", 304, kept)


def _is_listed(tag: str, listed: str) -> bool:
    """Return whether *listed* has *tag*; weak and strong ones are the same here (13.1.2)."""
    plain = tag.removeprefix("W/")
    return listed.strip() == "*" or plain in [
        each.removeprefix("W/") for each in TAG.findall(listed)
    ]
