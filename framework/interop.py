"""Lets applications of other frameworks answer behind a guard. Knows nothing of routers or of the edge."""

from collections.abc import Awaitable, Callable

from framework.compose import Handler
from framework.context import Context
from framework.errors import ConfigurationError
from framework.interop_exchange import ASGIApp, Exchange, Message
from framework.paths import decode_path
from framework.request import Request
from framework.response import Response

__all__ = ["ASGIApp", "FetchFunction", "asgi_handler", "fetch_handler"]

FetchFunction = Callable[[Request], Awaitable[Response]]
"""What answers a request on its own, as a Worker's ``fetch`` does."""

_NOT_HANDED_IN = {"accept-encoding"}
"""Compressing is the platform's: workerd would code an answer twice that comes in coded."""


def fetch_handler(function: FetchFunction) -> Handler:
    """Return a handler that lets *function* answer: an async function of the `Request` alone.

    Raises `ConfigurationError` for what cannot be called. The handler raises `TypeError` if
    *function* returns anything but a `Response`.
    """
    if not callable(function):
        raise ConfigurationError(f"{function!r} is not a function of a request")

    async def fetch(c: Context) -> Response:
        _ = c.request.cookies  # as in `asgi_handler`
        response = await function(c.request)
        if not isinstance(response, Response):
            raise TypeError(f"a mounted function returned a {type(response).__name__}")
        return response

    return fetch


def asgi_handler(app: ASGIApp) -> Handler:
    """Return a handler that lets the ASGI 3 application *app* answer.

    Declare it at a path and at ``path/*``. The scope's ``path`` is the whole path, decoded, as
    guards have seen it, and ``root_path`` what stands before the wildcard's part. ``scope["env"]``
    holds the bindings, as in Cloudflare's own adapter, and ``scope["context"]`` the `Context`, with
    what guards left in its slots.

    The body is read first, up to the body limit. An answer that is whole when the application waits
    for the first time is sent whole, any other as a stream; work after the answer goes to
    ``wait_until``, where there is one. What the application raises before its answer begins is
    raised here; later, the stream breaks. An application whose client has gone is cancelled.

    There is no lifespan and no WebSocket: neither start-up nor shutdown events are sent. OPTIONS is
    answered by the router. Raises `ConfigurationError` for what cannot be called.
    """
    if not callable(app):
        raise ConfigurationError(f"{app!r} is not an ASGI application")

    async def asgi(c: Context) -> Response:
        _ = c.request.cookies  # what looks at their header and answers accordingly is not seen here
        body = await c.request.bytes()
        response = await Exchange(c, _scope(c), body).answer(app)
        c.unsent = response.body
        return response

    return asgi


def _scope(c: Context) -> Message:
    request = c.request
    path = decode_path(request.path)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": path,
        "raw_path": request.path.encode(),
        "query_string": request.query_string.encode(),
        "root_path": path.removesuffix(c.params.get("*", "")).removesuffix("/"),
        "headers": [
            (name.encode(), value.encode("utf-8", "replace"))  # as they were: they came as UTF-8
            for name, value in request.headers.items()
            if name not in _NOT_HANDED_IN
        ],
        "client": None if request.address is None else (request.address, 0),
        "server": _server(request),
        "state": {},
        "extensions": {},
        "env": c.env,
        "context": c,
    }


def _server(request: Request) -> tuple[str, int]:
    name, colon, port = request.host.rpartition(":")
    if colon and port.isdecimal():
        return name, int(port)
    return request.host, 443 if request.scheme == "https" else 80
