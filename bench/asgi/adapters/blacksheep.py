"""BlackSheep, with its compiled modules, pydantic models and its own dependency injection."""

from typing import Any

from blacksheep import Application, FromJSON, Request, Response, Router, json, text
from pydantic import BaseModel

from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS

QUIRKS: dict[str, Any] = {"miss405": 404, "no allow": True}


class Item(BaseModel):
    name: str
    price: float
    quantity: int
    tags: list[str]


def small() -> Any:
    router = Router()
    app = Application(router=router)

    @router.get("/")
    async def index() -> Response:
        return text("Hello, World!")

    @router.get("/users/{int:id}")
    async def show(id: int) -> Response:
        return json({"id": id})

    @router.post("/items")
    async def create(data: FromJSON[Item]) -> Response:
        return json(data.value.model_dump())

    @router.get("/me")
    async def me(request: Request) -> Response:
        user = USERS.get(request.cookies.get("session", ""))
        return json(user) if user is not None else json({"detail": "unauthorized"}, 401)

    return app


def _no_parameter() -> Any:
    async def answer() -> Response:
        return text("ok")

    return answer


def _one_parameter() -> Any:
    async def answer(id: str) -> Response:
        return text(id)

    return answer


def _two_parameters() -> Any:
    async def answer(id: str, pid: str) -> Response:
        return text(f"{id} {pid}")

    return answer


def table() -> ASGI:
    app = Application(router=Router())
    handlers = (_no_parameter, _one_parameter, _two_parameters)
    for path, count in TABLE:
        app.router.add_get(path, handlers[count]())
    return app


def middlewares() -> ASGI:
    app = small()
    for _ in range(5):
        app.middlewares.append(_pass())
    return app


def _pass() -> Any:
    async def layer(request: Request, handler: Any) -> Response:
        return await handler(request)

    return layer


def headers() -> ASGI:
    app = small()
    for number in reversed(range(5)):
        app.middlewares.append(_set_header(f"x-layer-{number}".encode()))
    return app


def _set_header(name: bytes) -> Any:
    async def layer(request: Request, handler: Any) -> Response:
        response = await handler(request)
        response.headers[name] = b"1"
        return response

    return layer
