"""Sends HTTP requests to other servers, by the client that the edge provides. Knows no edge."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar, overload

import msgspec

from framework.body import DEPTH_LIMIT, check_depth
from framework.cookies import TOKEN
from framework.errors import (
    RETRY_SOON,
    BadRequest,
    ConfigurationError,
    Invalid,
    ServiceUnavailable,
)
from framework.exact_numbers import all_parts
from framework.outgoing_body import bytes_of
from framework.response import Header
from framework.sent_values import unless_alike
from framework.shared_headers import pairs_of
from framework.validation import safe_message

__all__ = [
    "FETCH_LIMIT",
    "FETCH_TIMEOUT",
    "Fetch",
    "FetchFailed",
    "FetchRequest",
    "FetchResponse",
    "check_url",
    "fetch",
    "provide_fetch",
    "too_large",
    "too_late",
    "without_coding",
]

T = TypeVar("T")

_checked: Final = unless_alike(lambda data: data, all_parts(dict[str, set[str]]))
"""Returns JSON as it is, whatever its type: to ask msgspec of that would take longer than to read it."""

FETCH_TIMEOUT: Final = 10_000
"""Milliseconds that an answer may take, to its last byte, unless the call says otherwise."""

FETCH_LIMIT: Final = 1024 * 1024
"""Bytes that the body of an answer may have unless the call says otherwise: 1 MiB."""

_URL = re.compile(
    r"https?://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?(?:[/?].*)?", re.I
)
_METHOD = re.compile(r"[A-Z]{1,20}")
_WITHOUT_BODY = {"GET", "HEAD"}
_NEVER = {"CONNECT", "TRACE", "TRACK"}
_OF_THE_EDGE = {  # each edge writes these itself, and undoes what coding it asked for
    *("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}


_OF_CODED = {"content-encoding", "content-length"}


class FetchFailed(ServiceUnavailable):
    """No answer that can be used: no connection, too late, too large, or not the JSON asked for.

    *reason* is for the log: it names the host, and never the path, the query or what was sent,
    where secrets may stand. Where nobody catches it, the client reads 503, and not why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(headers=RETRY_SOON)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class FetchRequest(msgspec.Struct, frozen=True):
    """What is asked, checked. *headers* are pairs in lower case; *limit* is in bytes."""

    url: str
    host: str
    method: str
    headers: tuple[Header, ...]
    body: bytes
    timeout_ms: int
    limit: int

    def __repr__(self) -> str:
        return f"<FetchRequest {self.method} to {self.host}>"


class FetchResponse(msgspec.Struct, frozen=True):
    """An answer, whatever its status. *headers* are pairs, names in lower case.

    Each name comes once, several values joined by a comma; ``set-cookie`` for each cookie. A body that
    came compressed by gzip is decoded, in the Worker by Brotli too, and no header speaks of that any more.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes
    host: str = ""

    def header(self, name: str) -> str | None:
        """Return the first value of the header *name*, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @overload
    def json(self, type: type[T]) -> T: ...

    @overload
    def json(self, type: Any = Any) -> Any: ...

    def json(self, type: Any = Any) -> Any:
        """Return the body decoded from JSON into *type*, whatever Content-Type and status say.

        Raises `FetchFailed` where it is not JSON, does not fit, nests deeper than 64 levels, or holds
        names that were chosen to have one hash.
        """
        try:
            check_depth(self.body)
            return msgspec.json.decode(_checked(self.body), type=type)
        except BadRequest:
            why = f"more than {DEPTH_LIMIT} levels deep"
        except msgspec.ValidationError as error:
            why = safe_message(error)
        except Invalid:
            why = "values of one hash"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            why = "no JSON"
        raise FetchFailed(f"{self.host} answered {self.status}, and not what was expected: {why}")

    def __repr__(self) -> str:
        return f"<FetchResponse {self.status} from {self.host}>"


class Fetch(Protocol):
    """Sends a request and reads the whole answer. Follows no redirect."""

    async def __call__(self, request: FetchRequest, /) -> FetchResponse:
        """Return the answer to *request*. Raises `FetchFailed` where none came within its bounds."""


_provided: Fetch | None = None


def provide_fetch(implementation: Fetch | None, *, unless_provided: bool = False) -> Fetch | None:
    """Send requests with *implementation* from now on; return what sent them before, or None.

    A test passes that in again when it is done. With *unless_provided*, what is already provided
    stays: edges ask for that, so that they do not replace what a test provides.
    """
    global _provided  # one process, one edge
    before = _provided
    if before is None or not unless_provided:
        _provided = implementation
    return before


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[Header] = (),
    body: bytes | str = b"",
    timeout_ms: int = FETCH_TIMEOUT,
    limit: int = FETCH_LIMIT,
) -> FetchResponse:
    """Return the answer to a request to another server, whatever its status.

    *url* is absolute, http or https. The whole answer has to come within *timeout_ms* milliseconds,
    with a body of at most *limit* bytes. No redirect is followed: the 3xx is the answer, so that
    neither headers nor a body go where nobody sent them. A URL that a client wrote is yours to
    judge: hosts of your own network are not refused. Text in *body* is sent in UTF-8.

    Raises `FetchFailed` (503) where no such answer came, `ValueError` for what cannot be sent,
    `TypeError` for a *body* of another type, and `ConfigurationError` where nothing is provided
    that could send it.
    """
    host = check_url(url)
    checked = tuple(_check_header(name, value) for name, value in pairs_of(headers))
    sent = bytes_of(body)
    if sent is None:
        raise TypeError(f"fetch sends bytes or text, not a {type(body).__name__}")
    _check_method(method, sent)
    if timeout_ms < 1 or limit < 0:
        raise ValueError("timeout_ms must be at least 1, and limit at least 0")
    if _provided is None:
        raise ConfigurationError(
            "no edge provides fetch here: the Worker and the local server do; a test calls"
            " provide_fetch(fetch_in_thread), from framework.local.fetching"
        )
    return await _provided(FetchRequest(url, host, method, checked, sent, timeout_ms, limit))


def too_large(request: FetchRequest) -> FetchFailed:
    """Return the error for an answer to *request* with more bytes than its limit."""
    return FetchFailed(f"{request.host} answered with more than {request.limit} bytes")


def too_late(request: FetchRequest) -> FetchFailed:
    """Return the error for an answer to *request* that did not come in its time."""
    return FetchFailed(f"{request.host} did not answer within {request.timeout_ms} ms")


def without_coding(headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return *headers* without the coding and the length of the body, which was decoded."""
    return tuple([pair for pair in headers if pair[0] not in _OF_CODED])


def check_url(url: str) -> str:
    """Return the host that *url* names, without its port.

    Raises `ValueError`, which does not repeat it, for what is no absolute http(s) URL in ASCII, and
    for one with a user, a password or a fragment.
    """
    found = _URL.fullmatch(url)
    if found is None or not url.isascii() or not url.isprintable() or " " in url or "#" in url:
        raise ValueError("fetch takes an absolute http or https URL, percent-encoded")
    if "\\" in url:
        raise ValueError("a URL has no backslash: parsers disagree about what it means")
    return found["host"].lower()


def _check_method(method: str, body: bytes) -> None:
    if not _METHOD.fullmatch(method) or method in _NEVER:
        raise ValueError(f"{method!r} is not a method to send: write it in upper case")
    if body and method in _WITHOUT_BODY:
        raise ValueError(f"{method} carries no body")


def _check_header(name: str, value: str) -> Header:
    lower = name.lower()
    if not TOKEN.fullmatch(lower) or lower in _OF_THE_EDGE:
        raise ValueError(f"the header {name!r} cannot be sent")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"the value of the header {lower} is not printable ASCII")
    return lower, str.__str__(value)  # a subclass may be shown otherwise in JSON, which crosses
