"""Emmett55, with msgspec decoding in the handler and pipes for middleware."""

import tempfile
from typing import Any

import msgspec
from emmett55 import App, Pipe, abort, request, response
from emmett55.tools import service

from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS, Item

QUIRKS: dict[str, Any] = {"miss405": 404, "no allow": True, "no content-length": True}

decode_item = msgspec.json.Decoder(Item).decode


def _app() -> Any:
    return App(__name__, root_path=tempfile.mkdtemp())


def small() -> Any:
    return _small([])


def _small(pipes: list[Pipe]) -> Any:
    app = _app()
    app.pipeline = pipes

    @app.route("/", methods="get", output="str")
    async def index() -> Any:
        response.content_type = "text/plain; charset=utf-8"
        return "Hello, World!"

    @app.route("/users/<int:id>", methods="get")
    @service.json
    async def show(id: int) -> Any:
        return {"id": id}

    @app.route("/items", methods="post")
    @service.json
    async def create() -> Any:
        try:
            item = decode_item(await request.body)
        except msgspec.DecodeError:
            abort(422)
        return msgspec.to_builtins(item)

    @app.route("/me", methods="get", pipeline=[SignedIn()])
    @service.json
    async def me() -> Any:
        return request.user

    return app


class SignedIn(Pipe):
    async def pipe_request(self, next_pipe: Any, **values: Any) -> Any:
        cookie = request.cookies.get("session")
        user = None if cookie is None else USERS.get(cookie.value)
        if user is None:
            abort(401)
        request.user = user
        return await next_pipe(**values)


async def no_parameter() -> Any:
    response.content_type = "text/plain; charset=utf-8"
    return "ok"


async def one_parameter(id: str) -> Any:
    response.content_type = "text/plain; charset=utf-8"
    return id


async def two_parameters(id: str, pid: str) -> Any:
    response.content_type = "text/plain; charset=utf-8"
    return f"{id} {pid}"


def table() -> ASGI:
    app = _app()
    handlers = (no_parameter, one_parameter, two_parameters)
    for number, (path, count) in enumerate(TABLE):
        path = path.replace(":id", "<str:id>").replace(":pid", "<str:pid>")
        app.route(path, name=f"route_{number}", methods="get", output="str")(handlers[count])
    return app


class Pass(Pipe):
    async def pipe_request(self, next_pipe: Any, **values: Any) -> Any:
        return await next_pipe(**values)


class SetHeader(Pipe):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    async def pipe_request(self, next_pipe: Any, **values: Any) -> Any:
        answer = await next_pipe(**values)
        response.headers[self.name] = "1"
        return answer


def middlewares() -> ASGI:
    return _small([Pass() for _ in range(5)])


def headers() -> ASGI:
    return _small([SetHeader(f"x-layer-{number}") for number in range(5)])
