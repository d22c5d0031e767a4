"""FastAPI, with pydantic models, dependencies and return annotations (its faster way)."""

from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from bench.asgi.adapters.starlette import Pass, SetHeader, SetHeaderHighLevel, braces
from bench.asgi.client import ASGI
from bench.asgi.shared import TABLE, USERS

QUIRKS: dict[str, Any] = {}


class Item(BaseModel):
    name: str
    price: float
    quantity: int
    tags: list[str]


class User(BaseModel):
    id: int
    name: str


def signed_in(session: Annotated[str | None, Cookie()] = None) -> dict[str, Any]:
    user = USERS.get(session or "")
    if user is None:
        raise HTTPException(401)
    return user


async def signed_in_async(session: Annotated[str | None, Cookie()] = None) -> dict[str, Any]:
    return signed_in(session)


def small() -> FastAPI:
    app = FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def index() -> str:
        return "Hello, World!"

    @app.get("/users/{id}")
    async def show(id: int) -> dict[str, int]:
        return {"id": id}

    @app.post("/items")
    async def create(item: Item) -> Item:
        return item

    @app.get("/me")
    async def me(user: Annotated[dict[str, Any], Depends(signed_in_async)]) -> User:
        return User(**user)

    return app


async def no_parameter() -> str:
    return "ok"


async def one_parameter(id: str) -> str:
    return id


async def two_parameters(id: str, pid: str) -> str:
    return f"{id} {pid}"


def table() -> ASGI:
    app = FastAPI()
    handlers = (no_parameter, one_parameter, two_parameters)
    for path, count in TABLE:
        app.get(braces(path), response_class=PlainTextResponse)(handlers[count])
    return app


def middlewares() -> ASGI:
    app = small()
    for _ in range(5):
        app.add_middleware(Pass)
    return app


def headers() -> ASGI:
    app = small()
    for number in range(5):
        app.add_middleware(SetHeader, name=f"x-layer-{number}")
    return app


def highlevel() -> ASGI:
    app = small()
    for number in range(5):
        app.add_middleware(SetHeaderHighLevel, name=f"x-layer-{number}")
    return app
