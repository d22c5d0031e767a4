"""Sanic, served as ASGI, with msgspec decoding in the handler."""

# ruff: noqa: ARG001  what the framework passes

import uuid
from typing import Any

import msgspec
from sanic import Sanic
from sanic.exceptions import Unauthorized
from sanic.response import json, text

from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS, Item

QUIRKS: dict[str, Any] = {"no content-length": True}

decode_item = msgspec.json.Decoder(Item).decode


def _app() -> Any:
    app: Any = Sanic(f"bench_{uuid.uuid4().hex}", configure_logging=False)
    app.config.ACCESS_LOG = False
    app.config.MOTD = False
    app.config.TOUCHUP = False  # it rewrites classes in place, for one application a process
    app.config.FALLBACK_ERROR_FORMAT = "json"
    return app


def small() -> Any:
    app = _app()

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("Hello, World!")

    @app.get("/users/<id:int>")
    async def show(request: Any, id: int) -> Any:
        return json({"id": id})

    @app.post("/items")
    async def create(request: Any) -> Any:
        try:
            item = decode_item(request.body)
        except msgspec.DecodeError:
            return json({"detail": "invalid"}, 422)
        return json(msgspec.to_builtins(item))

    @app.get("/me")
    async def me(request: Any) -> Any:
        user = USERS.get(request.cookies.get("session", ""))
        if user is None:
            raise Unauthorized("unauthorized")
        return json(user)

    return app


async def no_parameter(request: Any) -> Any:
    return text("ok")


async def one_parameter(request: Any, id: str) -> Any:
    return text(id)


async def two_parameters(request: Any, id: str, pid: str) -> Any:
    return text(f"{id} {pid}")


def table() -> ASGI:
    app = _app()
    handlers = (no_parameter, one_parameter, two_parameters)
    for number, (path, count) in enumerate(TABLE):
        path = path.replace(":id", "<id:str>").replace(":pid", "<pid:str>")
        app.add_route(handlers[count], path, name=f"route_{number}")
    return app


def middlewares() -> ASGI:
    app = small()
    for number in range(5):
        app.register_middleware(_pass(number), "response")
    return app


def _pass(_: int) -> Any:
    async def layer(request: Any, response: Any) -> None:
        pass

    return layer


def headers() -> ASGI:
    app = small()
    for number in range(5):
        app.register_middleware(_set_header(f"x-layer-{number}"), "response")
    return app


def _set_header(name: str) -> Any:
    async def layer(request: Any, response: Any) -> None:
        response.headers[name] = "1"

    return layer
