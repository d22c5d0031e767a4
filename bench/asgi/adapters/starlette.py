"""Starlette, with msgspec decoding in the handler: it has no models of its own."""

# ruff: noqa: ARG001  what the framework passes

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS, Item

QUIRKS: dict[str, Any] = {}

decode_item = msgspec.json.Decoder(Item).decode


async def index(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, World!")


async def show(request: Request) -> JSONResponse:
    return JSONResponse({"id": request.path_params["id"]})


async def create(request: Request) -> JSONResponse:
    try:
        item = decode_item(await request.body())
    except msgspec.DecodeError:
        return JSONResponse({"detail": "invalid"}, status_code=422)
    return JSONResponse(msgspec.to_builtins(item))


async def me(request: Request) -> JSONResponse:
    user = USERS.get(request.cookies.get("session", ""))
    if user is None:
        return JSONResponse({"detail": "unauthorized"}, status_code=401)
    return JSONResponse(user)


ROUTES = [
    Route("/", index),
    Route("/users/{id:int}", show),
    Route("/items", create, methods=["POST"]),
    Route("/me", me),
]


def small(middleware: list[Middleware] | None = None) -> ASGI:
    return Starlette(routes=ROUTES, middleware=middleware)


async def no_parameter(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def one_parameter(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.path_params["id"])


async def two_parameters(request: Request) -> PlainTextResponse:
    parameters = request.path_params
    return PlainTextResponse(f"{parameters['id']} {parameters['pid']}")


HANDLERS: tuple[Callable[..., Any], ...] = (no_parameter, one_parameter, two_parameters)


def braces(path: str) -> str:
    """Return *path* with its parameters as most frameworks write them."""
    return path.replace(":id", "{id}").replace(":pid", "{pid}")


def table() -> ASGI:
    return Starlette(routes=[Route(braces(path), HANDLERS[count]) for path, count in TABLE])


class Pass:
    """A middleware that does nothing, in plain ASGI: Starlette's faster way."""

    def __init__(self, app: ASGI) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class SetHeader:
    """A middleware that sets a header, in plain ASGI."""

    def __init__(self, app: ASGI, name: str) -> None:
        self.app = app
        self.header = (name.encode(), b"1")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_more(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append(self.header)
            await send(message)

        await self.app(scope, receive, send_more)


class SetHeaderHighLevel(BaseHTTPMiddleware):
    """The same in Starlette's request and response style."""

    def __init__(self, app: Any, name: str) -> None:
        super().__init__(app)
        self.name = name

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers[self.name] = "1"
        return response


def middlewares() -> ASGI:
    return small([Middleware(Pass) for _ in range(5)])


def headers() -> ASGI:
    return small([Middleware(SetHeader, name=f"x-layer-{number}") for number in range(5)])


def highlevel() -> ASGI:
    return small([Middleware(SetHeaderHighLevel, name=f"x-layer-{number}") for number in range(5)])
