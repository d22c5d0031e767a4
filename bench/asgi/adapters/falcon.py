"""Falcon's ASGI application, with msgspec decoding in the resource: it has no models of its own."""

# ruff: noqa: ARG001, ARG002  what the framework passes

from typing import Any

import falcon
import msgspec
from falcon.asgi import App

from bench.asgi.adapters.starlette import braces
from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS, Item

QUIRKS: dict[str, Any] = {}

decode_item = msgspec.json.Decoder(Item).decode


class Index:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, World!"


class Show:
    async def on_get(self, req: Any, resp: Any, id: int) -> None:
        resp.media = {"id": id}


class Create:
    async def on_post(self, req: Any, resp: Any) -> None:
        try:
            item = decode_item(await req.stream.read())
        except msgspec.DecodeError:
            raise falcon.HTTPUnprocessableEntity from None
        resp.media = msgspec.to_builtins(item)


async def sign_in(req: Any, resp: Any, resource: Any, params: Any) -> None:
    user = USERS.get(req.cookies.get("session", ""))
    if user is None:
        raise falcon.HTTPUnauthorized
    req.context.user = user


class Me:
    @falcon.before(sign_in)
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.media = req.context.user


def small(middleware: list[Any] | None = None) -> ASGI:
    app = App(middleware=middleware)
    app.add_route("/", Index())
    app.add_route("/users/{id:int}", Show())
    app.add_route("/items", Create())
    app.add_route("/me", Me())
    return app


class NoParameter:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "ok"


class OneParameter:
    async def on_get(self, req: Any, resp: Any, id: str) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = id


class TwoParameters:
    async def on_get(self, req: Any, resp: Any, id: str, pid: str) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"{id} {pid}"


def table() -> ASGI:
    app = App()
    resources = (NoParameter, OneParameter, TwoParameters)
    for path, count in TABLE:
        app.add_route(braces(path), resources[count]())
    return app


class Pass:
    async def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
        pass


class SetHeader:
    def __init__(self, name: str) -> None:
        self.name = name

    async def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
        resp.set_header(self.name, "1")


def middlewares() -> ASGI:
    return small([Pass() for _ in range(5)])


def headers() -> ASGI:
    return small([SetHeader(f"x-layer-{number}") for number in range(5)])
