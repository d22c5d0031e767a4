"""What is asked: method, URL, headers, and a body that is read once. Knows nothing of the edge."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar, overload

import msgspec

from framework.body import decode_form, decode_json
from framework.cookies import parse_cookies
from framework.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from framework.hosts import LOOPBACK, host_name
from framework.multipart import MULTIPART_TYPE
from framework.paths import MalformedURL, parse_query, resolve_path
from framework.shared_headers import pairs_of

__all__ = ["BODY_LIMIT", "HeaderSource", "Headers", "Request", "is_loopback"]

T = TypeVar("T")

BODY_LIMIT = 1024 * 1024
"""Bytes of a body that are read unless the application says otherwise: 1 MiB."""

COOKIES_LIMIT = 3500
"""Cookies in a header that is read; a browser keeps 180 for a site. How many there are is what costs, not
how long they are: 31 of 4 KB are read in 0.05 ms, 43,000 of 3 characters in 6. With names that were chosen
to have one hash, 1000 take the Worker 4 ms more, and so many 50, as long as a password."""

BodyReader = Callable[[int], Awaitable[bytes]]
"""Reads a whole body of at most so many bytes; raises `ContentTooLarge` past that."""
_Body = bytes
_Content = _Body | None
# Named out here: in the class, `bytes` is its method, and Python 3.14 looks annotations up late. msgspec
# then has them evaluated a second way, which costs 20 ms of a Worker's start.


class HeaderSource(Protocol):
    """Where header values come from: Python pairs locally, the JS object in the Worker."""

    def get(self, name: str, /) -> str | None:
        """Return the value of *name*, quickest in lower case; repeated headers joined by ``, ``."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all pairs, names in lower case."""


class Headers:
    """Header values from Python pairs. Repeated headers are joined by ``, ``, as the Worker does."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            values[key] = f"{values[key]}, {value}" if key in values else value
        self._values = values

    def get(self, name: str, /) -> str | None:
        """Return the value of *name*, or None."""
        return self._values.get(name.lower())

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all pairs, names in lower case."""
        return self._values.items()


class Request(msgspec.Struct, eq=False):
    """One request. Everything but the method and the URL is read when it is asked for.

    *path* is as it came, still percent-encoded; *query_string* is without the ``?``; *host* carries
    the port where the URL names one.
    """

    method: str
    scheme: str
    host: str
    path: str
    query_string: str
    headers: HeaderSource
    _source: Any
    """A `BodyReader`; anything where the edge has a `_read` of its own, which costs no closure."""
    plain_path: str | None = None
    """*path* itself, where the edge has seen that nothing in it is encoded or unprintable."""
    platform: Any = None
    """What the edge knows beside HTTP: the JS request in the Worker, else None."""
    address: str | None = None
    """The client's IP address, as the edge knows it; None where it does not.

    Never what a client could write: ``X-Forwarded-For`` is not read.
    """
    body_limit: int = BODY_LIMIT
    _body: _Content = None
    _query: dict[str, list[str]] | None = None
    _cookies: dict[str, list[str]] | None = None

    @classmethod
    def build(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> "Request":
        """Return a request made in this process; *url* is absolute, or a path of http://localhost.

        Raises `ValueError` for a *url* that is neither.
        """
        absolute = "http://localhost" + url if url.startswith("/") else url
        if not absolute.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no absolute URL and no path")
        scheme, host, path, query_string = split_url(absolute)

        async def read(limit: int) -> bytes:
            if len(body) > limit:
                raise too_large(limit)
            return body

        source = Headers(pairs_of(headers))
        return cls(method, scheme, host, resolve_path(path), query_string, source, read)

    def _read(self, limit: int) -> Awaitable[_Body]:
        body: Awaitable[_Body] = self._source(limit)
        return body

    @property
    def origin(self) -> str:
        """Scheme, host and port of the URL, as a browser's ``Origin`` writes them."""
        return f"{self.scheme}://{self.host}"

    @property
    def query(self) -> dict[str, list[str]]:
        """The fields of the query, each with all its values. Raises `BadRequest` if malformed."""
        if self._query is None:
            try:
                self._query = parse_query(self.query_string)
            except MalformedURL as error:
                raise BadRequest(f"The query is malformed: {error}.") from None
        return self._query

    @property
    def cookies(self) -> dict[str, list[str]]:
        """The cookies sent, each name with all its values, as they came: nothing in them raises.

        There are none in a header with more than `COOKIES_LIMIT` of them.
        """
        if self._cookies is None:
            header = self.headers.get("cookie") or ""
            self._cookies = parse_cookies(header) if header.count(";") < COOKIES_LIMIT else {}
        return self._cookies

    @property
    def were_cookies_read(self) -> bool:
        """Whether somebody has looked at the cookies, so that the answer may depend on them."""
        return self._cookies is not None

    def cookie(self, name: str) -> str | None:
        """Return the value of the cookie *name*, as it came; None for none, or two that differ."""
        values = set(self.cookies.get(name, ()))
        return values.pop() if len(values) == 1 else None

    @property
    def media_type(self) -> str:
        """The body's declared type in lower case, without parameters; empty where none is named."""
        declared = self.headers.get("content-type") or ""
        return declared.partition(";")[0].strip().lower()

    @property
    def country(self) -> str | None:
        """The country the client seems to be in, two letters (ISO 3166), or None: for people, never
        trusted.
        """
        country = self.headers.get("cf-ipcountry") or ""
        return country if len(country) == 2 and country.isascii() and country.isupper() else None

    async def bytes(self) -> bytes:
        """Return the whole body; it is read once and kept. Raises `ContentTooLarge`."""
        if self._body is None:
            self.check_length()
            self._body = await self._read(self.body_limit)
        return self._body

    def check_length(self) -> None:
        """Raise `ContentTooLarge` for a body that says that it is longer than `body_limit`."""
        declared = self.headers.get("content-length")
        length = 0 if declared is None else parse_length(declared)
        if length is None or length > self.body_limit:
            raise too_large(self.body_limit)

    async def text(self) -> str:
        """Return the body as UTF-8 text. Raises `BadRequest` where it is none."""
        try:
            return (await self.bytes()).decode()
        except UnicodeDecodeError:
            raise BadRequest("The body is not UTF-8.") from None

    @overload
    async def json(self, type: type[T]) -> T: ...

    @overload
    async def json(self, type: Any = Any) -> Any: ...

    async def json(self, type: Any = Any) -> Any:
        """Return the body decoded from JSON into *type*, whatever Content-Type says.

        Raises `BadRequest` where it is no JSON or nests too deep, `Invalid` where it does not fit.
        """
        return decode_json(await self.bytes(), type)

    async def form(self) -> dict[str, list[str]]:
        """Return the fields of an urlencoded body, whatever else Content-Type says. Raises `BadRequest`.

        Raises `UnsupportedMediaType` for a multipart body: ``framework.multipart`` has `parse_multipart`.
        """
        if self.media_type == MULTIPART_TYPE:
            raise UnsupportedMediaType("This form is not read as multipart.")
        return decode_form(await self.bytes())

    def __repr__(self) -> str:
        return f"<Request {self.method} to {self.host}>"  # a path may hold a secret


def split_url(url: str) -> tuple[str, str, str, str]:
    """Return scheme, host with port, path and query of an absolute *url*; the fragment is dropped."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    rest, _, query_string = rest.partition("?")
    host, _, path = rest.partition("/")
    return scheme, host, "/" + path, query_string


def parse_length(declared: str) -> int | None:
    """Return the bytes that a Content-Length declares; None for what is no such number."""
    return int(declared) if declared.isdecimal() and len(declared) <= 15 else None


def too_large(limit: int) -> ContentTooLarge:
    """Return the error for a body of more than *limit* bytes."""
    return ContentTooLarge(f"The body may have at most {limit} bytes.")


def is_loopback(request: Request) -> bool:
    """Return whether *request* came over plain http to this very machine, by its URL."""
    return request.scheme == "http" and host_name(request.host) in LOOPBACK
