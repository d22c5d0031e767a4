"""Quart, with msgspec decoding in the view."""

from typing import Any

import msgspec
from quart import Quart, abort, jsonify, request

from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS, Item

QUIRKS: dict[str, Any] = {}

decode_item = msgspec.json.Decoder(Item).decode
TEXT = {"content-type": "text/plain; charset=utf-8"}


def small() -> Any:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> Any:
        return "Hello, World!", TEXT

    @app.get("/users/<int:id>")
    async def show(id: int) -> Any:
        return {"id": id}

    @app.post("/items")
    async def create() -> Any:
        try:
            item = decode_item(await request.get_data())
        except msgspec.DecodeError:
            abort(422)
        return jsonify(msgspec.to_builtins(item))

    @app.get("/me")
    async def me() -> Any:
        user = USERS.get(request.cookies.get("session", ""))
        if user is None:
            abort(401)
        return jsonify(user)

    return app


async def no_parameter() -> Any:
    return "ok", TEXT


async def one_parameter(id: str) -> Any:
    return id, TEXT


async def two_parameters(id: str, pid: str) -> Any:
    return f"{id} {pid}", TEXT


def table() -> ASGI:
    app = Quart(__name__)
    handlers = (no_parameter, one_parameter, two_parameters)
    for number, (path, count) in enumerate(TABLE):
        path = path.replace(":id", "<id>").replace(":pid", "<pid>")
        app.add_url_rule(path, f"route_{number}", handlers[count], methods=["GET"])
    return app


def middlewares() -> ASGI:
    app = small()
    for _ in range(5):
        app.after_request(_pass())
    return app


def _pass() -> Any:
    async def layer(response: Any) -> Any:
        return response

    return layer


def headers() -> ASGI:
    app = small()
    for number in range(5):
        app.after_request(_set_header(f"x-layer-{number}"))
    return app


def _set_header(name: str) -> Any:
    async def layer(response: Any) -> Any:
        response.headers[name] = "1"
        return response

    return layer
