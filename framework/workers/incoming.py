"""Reads a JavaScript Request: the URL at once, the rest when asked. Knows nothing of answers."""

from collections.abc import Iterable
from typing import Any

from pyodide.ffi import JsException

from framework.errors import BadRequest
from framework.paths import resolve_path
from framework.request import Request, parse_length, split_url, too_large
from framework.workers.streams import TooLong, read_stream

__all__ = ["read_request"]


class _JSHeaders:
    """Header values of a JavaScript Request, each fetched once, when it is asked for."""

    __slots__ = ("_fetched", "_headers", "_request")

    def __init__(self, request: Any) -> None:
        self._request = request
        self._headers: Any = None
        self._fetched: dict[str, str | None] = {}

    def get(self, name: str, /) -> str | None:
        """Return the value of *name*, or None."""
        if name in self._fetched:
            return self._fetched[name]
        if self._headers is None:
            self._headers = self._request.headers
        try:
            value = self._headers.get(name)
        except JsException:  # no name of a header
            value = None
        self._fetched[name] = found = value if isinstance(value, str) else None
        return found

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all pairs."""
        return [(name, value) for name, value in self._request.headers.entries()]


class _WorkerRequest(Request):
    """A request at Cloudflare's edge, which knows where its client is."""

    @property  # type: ignore[misc]  # a field elsewhere; here asked of the headers when wanted
    def address(self) -> str | None:  # type: ignore[override]  # as above
        """The client's IP address, which Cloudflare writes over whatever the client did."""
        return self.headers.get("cf-connecting-ip")

    @property
    def country(self) -> str | None:
        """The country the client seems to be in, two letters (ISO 3166): for people, never trusted."""
        country = getattr(getattr(self.platform, "cf", None), "country", None)
        return country if isinstance(country, str) and len(country) == 2 else None

    async def _read(self, limit: int) -> bytes:
        try:
            # HTTP ends a body where it says that it ends; nothing else does.
            length = parse_length(self.headers.get("content-length") or "")
            return await read_stream(self.platform.body, limit, length)
        except TooLong:
            raise too_large(limit) from None
        except JsException as error:
            error.with_traceback(None)  # what was read would be held by it, in a cycle
            raise BadRequest("The body could not be read.") from None


def read_request(request: Any) -> Request:
    """Return the JavaScript *request* as a `Request`: two crossings, however large it is.

    workerd hands on the path as it came; what stands before it resolves dot segments or not, by a
    setting of Cloudflare's.
    """
    scheme, host, raw_path, query_string = split_url(request.url)
    headers, path = _JSHeaders(request), resolve_path(raw_path)
    return _WorkerRequest(
        request.method, scheme, host, path, query_string, headers, headers, None, request
    )
