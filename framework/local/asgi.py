"""Makes an application servable by any ASGI server. Knows nothing of which one, or of databases.

What reaches the application is what it would see in the Worker: one host that is a host, a path as
a URL parser leaves it, headers joined and decoded as the runtime does. The rest is refused here;
two hosts, two lengths and too many headers only when a header is first read.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any

import msgspec

from framework.application import App
from framework.context import Env
from framework.errors import BadRequest, HTTPError, as_fault
from framework.fetching import provide_fetch
from framework.local.background import Background
from framework.local.body_receiver import BodyReceiver
from framework.local.fetching import fetch_in_thread
from framework.outgoing_body import check_chunk, close_body
from framework.paths import resolve_path
from framework.problem import problem
from framework.request import Request
from framework.response import EMPTY_STATUSES, Header, Response
from framework.shared_headers import SENSITIVE_HEADERS, SharedHeaders

__all__ = ["HEADER_LIMIT", "ASGIApplication", "Receive", "Scope", "Send", "asgi"]

Scope = MutableMapping[str, Any]
"""What an ASGI server knows of a connection."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""Awaited for the next message from the client."""
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
"""Called with a message for the client."""
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
"""What an ASGI server calls for each connection."""
RawHeader = tuple[bytes, bytes]

HEADER_LIMIT = 100
"""How many headers a request may have. Browsers send about 20."""

_HOST = re.compile(r"(?P<name>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{0,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_KNOWN_HOSTS_LIMIT = 64
_KNOWN_HEADERS_LIMIT = 256
_KNOWN_NAMES_LIMIT = 256


def asgi(app: App, env: Env) -> ASGIApplication:
    """Return *app* as an ASGI application; *env* holds its bindings, the same for every request.

    Work that a handler hands to ``wait_until`` starts at once (in the Worker 50 ms later), and
    outlives the answer; the lifespan's end waits for it. A WebSocket is closed before it is
    accepted. `fetch` sends its requests from a thread from now on. ``Request.address`` is what the
    server says of the connection: ``X-Forwarded-For`` is not read here.
    """
    app.prepare()
    provide_fetch(fetch_in_thread, unless_provided=True)
    background = Background()
    start_work = background.start
    reading = BodyReceiver()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await _serve_other(scope["type"], background, receive, send)
        try:
            request = _read_request(scope, receive, reading)
        except HTTPError as error:
            response = problem(error)
        else:
            response = await app.handle(request, env, start_work)
        body = response.body
        if not isinstance(body, bytes):
            return await _send_stream(response, body, scope, receive, send)
        headers, size = response.headers, len(body)
        if type(headers) is SharedHeaders and 0 < size < _KNOWN_LENGTHS:
            encoded = [*(headers.encoded or _encode_shared(headers)), _LENGTHS[size]]
        else:
            encoded = _encode_headers(response, size, scope)
        await send({"type": _START, "status": response.status, "headers": encoded})
        return await send({"type": _BODY, "body": body})

    return serve


_START = "http.response.start"
_BODY = "http.response.body"


# --- The request ---------------------------------------------------------------------------------


class _Names(dict[str, bytes]):
    """The names that servers give to headers, by those that they are asked for. Programs ask for few."""

    def __missing__(self, name: str) -> bytes:
        if len(self) >= _KNOWN_NAMES_LIMIT:
            self.clear()
        raw = self[name] = name.lower().encode()
        return raw


_names = _Names()


class _Source(msgspec.Struct, eq=False):
    """Where the headers and the body of one request come from. Nothing is read before it is asked for.

    One C call makes the dictionary of headers, for less than what two searches of the list cost, but a
    tenth of a small answer; values are decoded as the Worker does.
    """

    scope: Scope
    receive: Receive
    reading: BodyReceiver
    values: dict[bytes, bytes] | None = None
    """The headers by name, once somebody has asked for one."""

    def get(self, name: str, /) -> str | None:
        """Return the value of *name*, or None."""
        values = self.values
        if values is None:
            values = self.read()
        value = values.get(_names[name])
        return None if value is None else value.decode("utf-8", "replace")

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all pairs, names in lower case."""
        for name, value in self.read().items():
            yield name.decode("latin-1"), value.decode("utf-8", "replace")

    def read(self) -> dict[bytes, bytes]:
        """Return `values`. The first time, raises `HTTPError` for headers that the runtime would not pass on.

        Code that handles that error may ask again, and gets the last value of each name.
        """
        if self.values is None:
            headers: list[RawHeader] = self.scope["headers"]
            values = self.values = dict(headers)
            if not len(headers) == len(values) <= HEADER_LIMIT or b"transfer-encoding" in values:
                self.values = _join(headers, self.scope.get("http_version", "1.1"))
        return self.values


class _LocalRequest(Request):
    """A request from an ASGI server."""

    @property  # type: ignore[misc]  # a field elsewhere; here asked of the server when wanted
    def address(self) -> str | None:  # type: ignore[override]  # as above
        """The client's IP address; None where there is none, or an empty one: a Unix socket."""
        client = self._source.scope.get("client")
        return client[0] or None if client else None

    def _read(self, limit: int) -> Awaitable[bytes]:
        source: _Source = self._source
        receive, source.receive = source.receive, _receive_no_more
        return source.reading.read(receive, limit)


async def _receive_no_more() -> MutableMapping[str, Any]:
    """Refuse what reads a body that is being read, or was not read to its end: as the Worker does."""
    raise BadRequest("The body could not be read.")


def _read_request(scope: Scope, receive: Receive, reading: BodyReceiver) -> Request:
    """Return the request in *scope*. Raises `HTTPError` for what the runtime would not pass on."""
    source = _Source(scope, receive, reading)
    scheme = scope.get("scheme", "http")
    try:  # clients write it first (RFC 9112, 3.2)
        host = _known_hosts[scheme][scope["headers"][0]]
    except (LookupError, TypeError):  # some servers have lists for the pairs: no keys
        host = _read_host(scheme, source.read())
    raw_path, raw_query = scope.get("raw_path"), scope["query_string"]
    plain_path = None
    if raw_path and raw_path[0] == _SLASH and (raw_path + raw_query).translate(_LOOK).isalpha():
        path = plain_path = raw_path.decode()
        query_string = raw_query.decode() if raw_query else ""
    else:
        path, query_string = _read_target(scope)
    # By position: to set an attribute of a Struct costs twenty times what an argument does.
    return _LocalRequest(
        scope["method"], scheme, host, path, query_string, source, source, plain_path
    )


_CLOSE = (("connection", "close"),)


def _join(headers: Sequence[RawHeader], http_version: str) -> dict[bytes, bytes]:
    """Return *headers* by name, those that came more than once joined by ``, ``.

    Only cookies are joined by ``; `` in HTTP/2 and HTTP/3, which may send each in a header of its own
    (RFC 9113, 8.2.3). Raises `HTTPError` for too many, for two hosts, and for a body of two lengths.
    """
    if len(headers) > HEADER_LIMIT:
        raise HTTPError(431, f"More than {HEADER_LIMIT} headers.", code="headers-too-large")
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    if len(values.get(b"host", ())) > 1:
        raise BadRequest("The Host header came twice.")
    if b"transfer-encoding" in values and b"content-length" in values:
        raise BadRequest("The body has two lengths.", headers=_CLOSE)
    cookies = values.pop(b"cookie", [])
    joined = {name: b", ".join(several) for name, several in values.items()}
    if cookies:
        joined[b"cookie"] = (b", " if http_version.startswith("1") else b"; ").join(cookies)
    return joined


_known_hosts: dict[str, dict[RawHeader, str]] = {"http": {}, "https": {}}
"""Hosts by the header that names them."""


def _read_host(scheme: str, values: dict[bytes, bytes]) -> str:
    """Return the host that the URL would have, and remember it: few are ever asked for."""
    raw = values.get(b"host")
    if raw is None:
        raise BadRequest("The Host header is missing.")
    if (known := _known_hosts[scheme].get((b"host", raw))) is not None:
        return known
    match = _HOST.fullmatch(raw.decode("latin-1").lower())
    port = int(match["port"] or _DEFAULT_PORTS[scheme]) if match else -1
    if match is None or not 0 <= port <= 65535:
        raise BadRequest("The Host header is malformed.")
    host = match["name"] if port == _DEFAULT_PORTS[scheme] else f"{match['name']}:{port}"
    if len(_known_hosts[scheme]) < _KNOWN_HOSTS_LIMIT:
        _known_hosts[scheme][b"host", raw] = host
    return host


_SLASH = ord("/")
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_~=&+"
"""Characters of a URL that need no second look."""
_LOOK = bytes(ord("a") if byte in _PLAIN else 0 for byte in range(256))
"""Translates those to a letter and the rest to none: two passes in C over a URL."""


def _read_target(scope: Scope) -> tuple[str, str]:
    """Return path and query as a URL parser leaves them: without a fragment, without dot segments."""
    raw_path = scope.get("raw_path")
    try:
        path = _quote(scope["path"]) if raw_path is None else raw_path.decode("ascii")
        query_string = scope["query_string"].decode("ascii")
    except UnicodeDecodeError:
        raise BadRequest("The URL holds a byte that is not ASCII.") from None
    if not path.startswith("/"):
        raise BadRequest("The request target is not a path.")
    if not path.isprintable() or not query_string.isprintable():
        raise BadRequest("The URL holds a control character.")
    path, fragment, _ = path.partition("#")
    return resolve_path(path), "" if fragment else query_string.partition("#")[0]


def _quote(path: str) -> str:
    from urllib.parse import quote  # for servers that tell only the decoded path

    return quote(path)


# --- The answer ----------------------------------------------------------------------------------

_OF_THE_CONNECTION = frozenset(
    {"content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that speak of a connection, as its server does: workerd sends none that an answer has.

An answer that hands on what it has fetched may have them: of an encoding that is over, say. Not
among them is `connection`, which is sent, with `_CLOSE`.
"""


class _Encoded(dict[Header, RawHeader]):
    """Header pairs in bytes, remembered as long as there is room: most are the same each time."""

    def __missing__(self, pair: Header) -> RawHeader:
        name, value = pair
        if name in _OF_THE_CONNECTION:
            raise KeyError(name)
        # UTF-8 without blanks around it, as workerd sends it; with them, a server may send nothing.
        encoded = (name.encode(), value.strip(" \t").encode())
        if name not in SENSITIVE_HEADERS:
            if len(self) >= _KNOWN_HEADERS_LIMIT:
                self.clear()
            self[pair] = encoded
        return encoded


_encode = _Encoded().__getitem__


def _encode_shared(headers: SharedHeaders) -> tuple[RawHeader, ...]:
    encoded = headers.encoded = tuple(_encode_sendable(headers))
    return encoded


def _encode_sendable(headers: Iterable[Header]) -> list[RawHeader]:
    """Return *headers* in bytes, without those that are the server's to send."""
    return [_encode(pair) for pair in headers if pair[0] not in _OF_THE_CONNECTION]


def _encode_headers(response: Response, size: int | None, scope: Scope) -> list[RawHeader]:
    """Return the headers to send: with the *size* of the body, where it has one that may be told.

    What the answer itself says of its length counts only for HEAD, whose body is left out; of a
    stream it says none.
    """
    try:
        headers = [*map(_encode, response.headers)]
    except KeyError:
        headers = _encode_sendable(response.headers)
        length = response.header("content-length")
        if (
            length is not None
            and scope["method"] == "HEAD"
            and response.status not in EMPTY_STATUSES
        ):
            return [*headers, (b"content-length", length.encode("latin-1"))]
    is_empty = scope["method"] == "HEAD" or response.status in EMPTY_STATUSES
    if size is not None and not is_empty:
        headers.append(_LENGTHS[size] if size < _KNOWN_LENGTHS else _encode_length(size))
    return headers


def _encode_length(size: int) -> RawHeader:
    return b"content-length", b"%d" % size


_KNOWN_LENGTHS = 1024
_LENGTHS = [_encode_length(size) for size in range(_KNOWN_LENGTHS)]


async def _send_stream(
    response: Response, body: AsyncIterator[bytes], scope: Scope, receive: Receive, send: Send
) -> None:
    """Send *body* chunk by chunk until it or the client ends, and close it either way."""
    headers = _encode_headers(response, None, scope)
    await send({"type": _START, "status": response.status, "headers": headers})
    from asyncio import create_task, sleep  # most answers are not streams

    from framework.departure import Departure  # likewise

    watcher = create_task(_wait_for_disconnect(receive))
    try:
        with Departure(watcher) as departure:
            async for chunk in body:
                await send({"type": _BODY, "body": check_chunk(chunk), "more_body": True})
                await sleep(0)  # a server takes all at once for a client that has gone
            departure.ignore()
            await send({"type": _BODY, "body": b"", "more_body": False})
    except BaseException as error:  # a cancellation of something awaited there would not be told of
        raise as_fault(error)  # noqa: B904  it is the error, or has it for a cause
    finally:
        watcher.cancel()
        await close_body(body)


async def _wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has gone. What it still sends of a body that nobody reads is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass


# --- Beside HTTP ---------------------------------------------------------------------------------


async def _serve_other(kind: str, background: Background, receive: Receive, send: Send) -> None:
    if kind == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await background.finish()
        await send({"type": "lifespan.shutdown.complete"})
    elif kind == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    else:
        raise ValueError(f"ASGI scope of an unknown type: {kind}")
