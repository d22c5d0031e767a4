"""Muffin, with msgspec decoding in the handler."""

# ruff: noqa: ARG001  what the framework passes

from typing import Any

import msgspec
from muffin import Application, ResponseJSON, ResponseText

from bench.asgi.adapters.starlette import braces
from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS, Item

QUIRKS: dict[str, Any] = {"no allow": True}

decode_item = msgspec.json.Decoder(Item).decode


def small() -> Any:
    app = Application()

    @app.route("/", methods=["GET"])
    async def index(request: Any) -> Any:
        return ResponseText("Hello, World!")

    @app.route("/users/{id:int}", methods=["GET"])
    async def show(request: Any) -> Any:
        return ResponseJSON({"id": request.path_params["id"]})

    @app.route("/items", methods=["POST"])
    async def create(request: Any) -> Any:
        try:
            item = decode_item(await request.body())
        except msgspec.DecodeError:
            return ResponseJSON({"detail": "invalid"}, status_code=422)
        return ResponseJSON(msgspec.to_builtins(item))

    @app.route("/me", methods=["GET"])
    async def me(request: Any) -> Any:
        user = USERS.get(request.cookies.get("session", ""))
        if user is None:
            return ResponseJSON({"detail": "unauthorized"}, status_code=401)
        return ResponseJSON(user)

    return app


async def no_parameter(request: Any) -> Any:
    return ResponseText("ok")


async def one_parameter(request: Any) -> Any:
    return ResponseText(request.path_params["id"])


async def two_parameters(request: Any) -> Any:
    parameters = request.path_params
    return ResponseText(f"{parameters['id']} {parameters['pid']}")


def table() -> ASGI:
    app = Application()
    handlers = (no_parameter, one_parameter, two_parameters)
    for path, count in TABLE:
        app.route(braces(path), methods=["GET"])(handlers[count])
    return app


def middlewares() -> ASGI:
    app = small()
    for _ in range(5):
        app.middleware(_pass())
    return app


def _pass() -> Any:
    async def layer(app: Any, request: Any, receive: Any, send: Any) -> Any:
        return await app(request, receive, send)

    return layer


def headers() -> ASGI:
    app = small()
    for number in range(5):
        app.middleware(_set_header(f"x-layer-{number}"))
    return app


def _set_header(name: str) -> Any:
    async def layer(app: Any, request: Any, receive: Any, send: Any) -> Any:
        response = await app(request, receive, send)
        response.headers[name] = "1"
        return response

    return layer
