"""Turns what a handler returned into the answer that is sent. Knows nothing of routes."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from framework.callables import place_of
from framework.context import Context
from framework.outgoing_body import check_chunk, close_body
from framework.response import EMPTY_STATUSES, Response, encode_json, make, new
from framework.revalidation import not_modified
from framework.shared_headers import (
    BYTES_HEADERS,
    JSON_HEADERS,
    NO_SNIFF,
    TEXT_HEADERS,
    Header,
    SharedHeaders,
)

__all__ = ["answer", "as_response", "check_response", "fail", "finish", "read_stream"]

_NO_STORE = ("cache-control", "private, no-store")
_VARY = ("vary", "cookie")
_KEPT_BY = ("cache-control", "surrogate-control")
"""Endings of the names of headers that let an answer be kept. Those for one kind of cache, such as
Cloudflare's ``CDN-Cache-Control``, come before ``Cache-Control`` (RFC 9213)."""

_NONE = SharedHeaders([NO_SNIFF])

_Form = tuple[Callable[[Any], bytes], SharedHeaders, SharedHeaders]
"""How values of one type are sent: the encoder, the headers of a public answer, those of a private one."""

_forms: dict[type, _Form] = {}
"""By type. There are few, since programs declare what they send."""

_FORMS_LIMIT = 256


def answer(c: Context, value: Any) -> Response:
    """Return *value*, which a handler returned, as it is sent: `as_response` and `finish` in one."""
    form = _forms.get(type(value))
    if form is None or c.sent_cookies is not None or c.request.method == "HEAD":
        return finish(c, value if isinstance(value, Response) else as_response(c, value))
    encode, public, private = form
    response = new(Response)  # what `make` does, with a call less
    response.body = encode(value)
    response.status = 200
    response.headers = public
    if c.private:
        response.headers = private
        if c.unawaited:
            c.refuse_unawaited()
    return response


def as_response(c: Context, value: Any) -> Response:
    """Return *value*, which a handler returned, as a response: text, nothing, bytes, or JSON."""
    form = _forms.get(type(value))
    if form is None:
        if isinstance(value, Response):
            if value.status >= 400:
                fail(c)  # a layer may make a redirect of it
            return value
        if value is None:
            return make(b"", 204, _NONE)
        form = _find_form(type(value))
    encode, headers, _ = form
    return make(encode(value), 200, headers)


def fail(c: Context) -> None:
    """Let nobody be signed in by this request, whose answer is an error."""
    for cookie in c.if_failed:
        c.send_cookie(cookie)


def check_response(response: object, function: object) -> Response:
    """Return *response*, which *function* returned. Raises `TypeError` where it is not a `Response`."""
    if not isinstance(response, Response):
        place = place_of(function)
        raise TypeError(f"{place}: this has to return a Response, not a {type(response).__name__}")
    return response


def _find_form(kind: type) -> _Form:
    encode: Callable[[Any], bytes] = encode_json
    headers = JSON_HEADERS
    if issubclass(kind, str):
        encode, headers = str.encode, TEXT_HEADERS
    elif issubclass(kind, bytes):
        encode, headers = bytes.__bytes__, BYTES_HEADERS
    form = (encode, headers, _private(headers))
    if len(_forms) >= _FORMS_LIMIT:
        _forms.clear()
    _forms[kind] = form
    return form


def finish(c: Context, response: Response) -> Response:
    """Return *response* ready to be sent, with the headers and cookies that were set beside it.

    A response whose ``etag`` the client already has becomes 304. Every response gets ``nosniff``. One
    that depends on who asks, or sets a cookie, is marked ``private, no-store``. HEAD loses its body.
    """
    if c.private and c.unawaited:
        c.refuse_unawaited()
    headers: Sequence[Header] = response.headers
    if c.request.method == "HEAD":
        c.drop(response.body)
        response = _without_body(response)
    elif isinstance(headers, tuple) and c.sent_cookies is None:  # complete, and no cookie is in it
        if not c.private:
            return response
        private = _private(headers) if type(headers) is SharedHeaders else _make_private(headers)
        return make(response.body, response.status, private)
    if response.status >= 400:
        fail(c)
    c.is_answered = not isinstance(response.body, bytes)  # a stream never has shared headers
    cookies = c.cookies_to_send()
    present = dict(response.headers)
    if "etag" in present:
        unchanged = not_modified(c.request, response)
        if unchanged is not None:
            c.drop(response.body)
            response = unchanged
    replaced = {cookie.name for cookie in cookies}
    kept = [pair for pair in response.headers if not _is_said_anew(pair, replaced)]
    if c.private or cookies or "set-cookie" in present:
        kept = [*_make_private(kept), *(("set-cookie", cookie.header()) for cookie in cookies)]
    kept.append(NO_SNIFF)
    return make(response.body, response.status, kept)


def _is_said_anew(header: Header, cookies: Collection[str]) -> bool:
    """Return whether *header* is one that every answer gets anyway, or sets one of *cookies*."""
    name, value = header
    return name == NO_SNIFF[0] or (name == "set-cookie" and value.partition("=")[0] in cookies)


def _private(headers: SharedHeaders) -> SharedHeaders:
    if headers.private is None:
        headers.private = SharedHeaders(_make_private(headers))
    return headers.private


def _make_private(headers: Sequence[Header]) -> tuple[Header, ...]:
    return (*[pair for pair in headers if not pair[0].endswith(_KEPT_BY)], _NO_STORE, _VARY)


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
        try:
            body = b"".join([check_chunk(chunk) async for chunk in body])
        finally:
            await close_body(response.body)
    return make(body, response.status, list(response.headers))
