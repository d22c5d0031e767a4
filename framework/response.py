"""What is answered: a status, header pairs and a body. Knows nothing of requests or of the edge."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from framework.cookies import TOKEN, SetCookie
from framework.outgoing_body import body_of
from framework.shared_headers import (
    BYTES_HEADERS,
    HTML_HEADERS,
    JSON_HEADERS,
    SENSITIVE_HEADERS,
    TEXT_HEADERS,
    Header,
    SharedHeaders,
)

__all__ = ["EMPTY_STATUSES", "Header", "Reply", "Response", "encode_json"]

EMPTY_STATUSES = frozenset({204, 205, 304})
"""Statuses whose answers carry no body (RFC 9110; the runtime refuses one)."""


def _encode_other(value: object) -> object:
    """Return what stands for *value*, which msgspec cannot encode: its ``shown_as``."""
    shown: object = getattr(value, "shown_as", None)
    if shown is not None:
        return shown
    cure = "raise it" if isinstance(value, Exception) else "msgspec does not support this type"
    cure = "await it" if hasattr(value, "__await__") else cure
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON: {cure}")


encode_json = msgspec.json.Encoder(enc_hook=_encode_other).encode
"""Returns a value, anything msgspec encodes, as JSON in UTF-8."""

TAG = re.compile(r'(?:W/)?"[^\x00-\x20"\x7f]*"')  # what is left out, not what is in: built sooner
"""Matches the tag of a version, weak or strong, with its quotes (RFC 9110, 8.8.3)."""

_INSPECTED = frozenset({"content-length", "etag", "set-cookie", "x-content-type-options"})
"""Headers that the end of a request, or the edge, looks for."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Reply(msgspec.Struct, frozen=True):
    """What a handler that returns a `Response` puts in it, for OpenAPI.

    As in ``-> Annotated[Response, Reply(Note, 201), Reply(None, 303)]``; *type* None is an answer
    without a body. *media_type* is for what is not JSON: ``Reply(str, media_type="text/csv")``.
    """

    type: Any
    status: int = 200
    media_type: str | None = None


class Response:
    """An answer. Do not change one: `with_header` and its like return a new one.

    *headers* are a mapping, or pairs, so that ``Set-Cookie`` may repeat; names are lower-case. *body*
    is bytes, text, which is sent in UTF-8, or an async iterator of bytes for a stream. Raises
    `ValueError` for a header that could break out of its line, for an invalid status, and for a body
    with a status that does not allow one, and `TypeError` for a body that is anything else.
    """

    __slots__ = ("body", "headers", "status")

    status: int
    headers: Sequence[Header]
    body: bytes | AsyncIterator[bytes]

    def __init__(
        self,
        body: bytes | str | AsyncIterator[bytes] = b"",
        status: int = 200,
        headers: Mapping[str, str] | Iterable[Header] = (),
    ) -> None:
        self.status = status
        # Whether it is a Mapping would take a quarter of the whole call, in the Worker.
        pairs = headers.items() if hasattr(headers, "items") else headers
        self.headers = [_checked(name, value) for name, value in pairs]
        self.body = body if isinstance(body, bytes) else body_of(body)
        if status != 200:
            _check_status(status, self.body)

    @classmethod
    def text(cls, text: str, status: int = 200) -> "Response":
        """Return *text* as ``text/plain`` in UTF-8."""
        return _make_content(text.encode(), status, TEXT_HEADERS)

    @classmethod
    def html(cls, text: str, status: int = 200) -> "Response":
        """Return *text* as ``text/html`` in UTF-8. The text is sent as it is: escape what varies."""
        return _make_content(text.encode(), status, HTML_HEADERS)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> "Response":
        """Return *value*, which msgspec encodes, as ``application/json``. Raises `TypeError` if it cannot."""
        return _make_content(encode_json(value), status, JSON_HEADERS)

    @classmethod
    def bytes(cls, data: bytes, status: int = 200) -> "Response":
        """Return *data* as ``application/octet-stream``."""
        return _make_content(data, status, BYTES_HEADERS)

    @classmethod
    def empty(cls, status: int = 204) -> "Response":
        """Return an answer without a body."""
        _check_status(status, b"")
        return make(b"", status, [])

    @classmethod
    def redirect(cls, location: str, status: int = 303) -> "Response":
        """Return a redirect to *location*, a path of this site.

        Raises `ValueError` for anything that a browser could read as another site: build a
        `Response` with a ``location`` header if that is what you mean. Also for blanks and what is
        not ASCII: `Context.url_for` encodes a path, ``urllib.parse.urlencode`` a query.
        """
        if status not in _REDIRECTS:
            raise ValueError(f"{status} is not a redirect")
        if not location.startswith("/") or location[1:2] in {"/", "\\"}:
            raise ValueError("redirect takes a path of this site: else set location on a Response")
        if not (location.isascii() and location.isprintable()) or " " in location:
            raise ValueError("not percent-encoded, as by c.url_for or urllib.parse.urlencode")
        return make(b"", status, [("location", location)])

    def header(self, name: str) -> str | None:
        """Return the first value of the header *name*, or None."""
        name = name.lower()
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def with_header(self, name: str, value: str) -> "Response":
        """Return this answer with the header *name* set to *value*, replacing those of that name.

        Raises `ValueError` where it could break out of its line, or is an ``etag`` without quotes.
        """
        headers = self.headers
        if (
            type(headers) is SharedHeaders
            and (known := headers.more.get((name, value))) is not None
        ):
            response = new(Response)  # what `make` does, a call less
            response.body = self.body
            response.status = self.status
            response.headers = known
            return response
        return make(self.body, self.status, _replace(headers, name, value))

    def with_added_header(self, name: str, value: str) -> "Response":
        """Return this answer with one more header, beside those of the same name. Raises `ValueError`."""
        return make(self.body, self.status, [*self.headers, _checked(name, value)])

    def with_cookie(self, cookie: SetCookie) -> "Response":
        """Return this answer with *cookie* set. An answer with a cookie is kept by no cache."""
        return make(self.body, self.status, [*self.headers, ("set-cookie", cookie.header())])

    def with_status(self, status: int) -> "Response":
        """Return this answer with another status. Raises `ValueError` as `Response` does."""
        return Response(self.body, status, self.headers)

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


new = Response.__new__
"""Makes a `Response` without anything in it yet: half of what `make` takes is to look this up."""


def make(body: "bytes | AsyncIterator[bytes]", status: int, headers: Sequence[Header]) -> Response:
    """Return a `Response` from parts that need no check: the framework's own constants."""
    response = new(Response)
    response.body = body
    response.status = status
    response.headers = headers
    return response


def _replace(headers: Sequence[Header], name: str, value: str) -> Sequence[Header]:
    """Return *headers* with one called *name* in place of those of that name."""
    lower, _ = header = _checked(name, value)
    others = headers
    for known, _ in headers:
        if known == lower:
            others = [pair for pair in headers if pair[0] != lower]
            break
    if lower == "etag":  # not in `_checked`: what others have sent is handed on as it is
        check_tag(value)
    if not isinstance(headers, tuple) or lower in _INSPECTED:
        return [*others, header]
    if type(headers) is SharedHeaders and lower not in SENSITIVE_HEADERS:
        return headers.share(name, value, (*others, header))
    return (*others, header)


def _make_content(body: "bytes", status: int, headers: SharedHeaders) -> Response:
    if status == 200:
        return make(body, status, headers)
    _check_status(status, body)
    return make(body, status, list(headers))


def _check_status(status: int, body: object) -> None:
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is not a response status")
    if status in EMPTY_STATUSES and body:
        raise ValueError(f"a response with status {status} must not have a body")


_known_names: dict[str, str] = {}
"""Header names in lower case, by how they were given. Few ever are: programs write them."""

_KNOWN_NAMES_LIMIT = 256


def _checked(name: str, value: str) -> Header:
    lower = _known_names.get(name) or _check_name(name)
    if not (value.isascii() and value.isprintable()):
        _check_value(name, value)
    return lower, value


def _check_name(name: str) -> str:
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    if len(_known_names) < _KNOWN_NAMES_LIMIT:
        _known_names[name] = name.lower()
    return name.lower()


def _check_value(name: str, value: str) -> None:
    if not all(each == "\t" or each.isprintable() or "\xa0" <= each <= "\xff" for each in value):
        raise ValueError(f"the value of the header {name} holds a control character")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the value of the header {name} is not Latin-1") from None


def check_tag(tag: object) -> None:
    """Raise `ValueError` for a *tag* without its quotes, which no client could ever send back."""
    if not (isinstance(tag, str) and TAG.fullmatch(tag)):
        raise ValueError(f"a tag has quotes around it and no space, as in '\"1\"': not {tag!r}")
