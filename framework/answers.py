"""Turns what a handler gave back into the answer that is sent. Knows nothing of routes."""

from collections.abc import Sequence
from typing import Any

from framework.conditional import not_modified
from framework.context import Context
from framework.response import (
    BYTES_CONTENT,
    EMPTY_STATUSES,
    JSON_CONTENT,
    TEXT_CONTENT,
    Header,
    Response,
    encode_json,
    make,
)

__all__ = ["CONSTANT_HEADERS", "as_response", "finish", "read_stream"]

_NO_SNIFF = ("x-content-type-options", "nosniff")
_NO_STORE = ("cache-control", "private, no-store")
_VARY = ("vary", "cookie")

# Tuples: they are shared by all answers, and nothing may be added to one.
_JSON: tuple[Header, ...] = (JSON_CONTENT, _NO_SNIFF)
_TEXT: tuple[Header, ...] = (TEXT_CONTENT, _NO_SNIFF)
_BYTES: tuple[Header, ...] = (BYTES_CONTENT, _NO_SNIFF)
_NONE: tuple[Header, ...] = (_NO_SNIFF,)

_PRIVATE = {
    id(headers): (*headers[:-1], _NO_STORE, _VARY, _NO_SNIFF)
    for headers in (_JSON, _TEXT, _BYTES, _NONE)
}
"""The same for answers that depend on who asks, by the identity of those for everybody."""

CONSTANT_HEADERS = (_JSON, _TEXT, _BYTES, _NONE, *_PRIVATE.values())
"""The headers that most answers share, the very objects: an edge may encode each once."""


def as_response(value: Any) -> Response:
    """Return what a handler gave back as an answer: text, nothing, bytes, or JSON."""
    if isinstance(value, str):
        return make(value.encode(), 200, _TEXT)
    if isinstance(value, Response):
        return value
    if value is None:
        return make(b"", 204, _NONE)
    if isinstance(value, bytes):
        return make(value, 200, _BYTES)
    return make(encode_json(value), 200, _JSON)


def finish(c: Context, response: Response) -> Response:
    """Return *response* with what every answer carries, and what guards and handlers owe.

    An answer with an ``etag`` is 304 where the client has it. None is sniffed for its type. One that
    depends on who asks, or sends a cookie, is kept by no cache. HEAD has no body.
    """
    headers: Sequence[Header] = response.headers
    cookies = c.cookies_to_send()
    if c.request.method == "HEAD":
        response = _without_body(response)
    elif type(headers) is tuple and not cookies:  # complete, and no cookie is in it
        if not c.private:
            return response
        if (private := _PRIVATE.get(id(headers))) is not None:
            return make(response.body, response.status, private)
    present = dict(response.headers)
    if "etag" in present:
        response = not_modified(c.request, response) or response
    kept = [pair for pair in response.headers if pair[0] != _NO_SNIFF[0]]
    if c.private or cookies or "set-cookie" in present:
        kept = [pair for pair in kept if pair[0] != "cache-control"]
        kept += [_NO_STORE, _VARY, *(("set-cookie", cookie.header()) for cookie in cookies)]
    kept.append(_NO_SNIFF)
    return make(response.body, response.status, kept)


def _without_body(response: Response) -> Response:
    if not isinstance(response.body, bytes) or response.status in EMPTY_STATUSES:
        return make(b"", response.status, response.headers)
    return make(b"", response.status, response.headers).with_header(
        "content-length", str(len(response.body))
    )


async def read_stream(response: Response) -> Response:
    """Return *response* with its stream read to the end, and its headers in a list of their own."""
    body = response.body
    if not isinstance(body, bytes):
        body = b"".join([chunk async for chunk in body])
    return make(body, response.status, list(response.headers))
