"""Kagari, behind its ASGI edge."""

from collections.abc import Callable
from typing import Any

from bench.asgi.client import ASGI
from bench.asgi.shared import SESSIONS, TABLE, Item, User
from framework import App, Context, Response, Slot, guard, public
from framework.compose import Middleware, Next
from framework.errors import Unauthorized
from framework.local.asgi import asgi

QUIRKS: dict[str, Any] = {}

signed_in_user = Slot("user", User)


@guard(provides=signed_in_user)
async def signed_in(c: Context) -> User:
    for token in c.request.cookies.get("session", ()):
        if token in SESSIONS:
            return SESSIONS[token]
    raise Unauthorized


def small() -> ASGI:
    return asgi(_small(), {})


def _small() -> App:
    app = App()

    @app.get("/", guard=public)
    async def index() -> str:
        return "Hello, World!"

    @app.get("/users/:id", guard=public)
    async def show(id: int) -> dict[str, int]:
        return {"id": id}

    @app.post("/items", guard=public)
    async def create(item: Item) -> Item:
        return item

    @app.get("/me", guard=signed_in)
    async def me(user: User) -> User:
        return user

    return app


def table() -> ASGI:
    app = App(guard=public)
    kinds = (_no_parameter, _one_parameter, _two_parameters)
    for path, parameters in TABLE:
        app.get(path)(kinds[parameters]())
    return asgi(app, {})


def _no_parameter() -> Callable[..., Any]:
    async def answer() -> str:
        return "ok"

    return answer


def _one_parameter() -> Callable[..., Any]:
    async def answer(id: str) -> str:
        return id

    return answer


def _two_parameters() -> Callable[..., Any]:
    async def answer(id: str, pid: str) -> str:
        return f"{id} {pid}"

    return answer


def _layered(make: Callable[[int], Middleware]) -> ASGI:
    app = _small()
    app.use(*[make(number) for number in range(5)])
    return asgi(app, {})


def _pass(_: int) -> Middleware:
    async def layer(_: Context, call_next: Next) -> Response:
        return await call_next()

    return layer


def _set_header(number: int) -> Middleware:
    name = f"x-layer-{number}"

    async def layer(_: Context, call_next: Next) -> Response:
        response = await call_next()
        return response.with_header(name, "1")

    return layer


def middlewares() -> ASGI:
    return _layered(_pass)


def headers() -> ASGI:
    return _layered(_set_header)
