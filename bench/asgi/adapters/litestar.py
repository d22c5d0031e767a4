"""Litestar, with a Struct bound by the framework and a dependency for the guard."""

from typing import Any

from litestar import Litestar, MediaType, Request, get, post
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException

from bench.asgi.adapters.starlette import Pass, SetHeader
from bench.asgi.client import ASGI
from bench.asgi.shared import SESSIONS, TABLE, Item, User

QUIRKS: dict[str, Any] = {}
highlevel = None


@get("/", media_type=MediaType.TEXT)
async def index() -> str:
    return "Hello, World!"


@get("/users/{id:int}")
async def show(id: int) -> dict[str, int]:
    return {"id": id}


@post("/items", status_code=200)
async def create(data: Item) -> Item:
    return data


async def signed_in(request: Request[Any, Any, Any]) -> User:
    user = SESSIONS.get(request.cookies.get("session", ""))
    if user is None:
        raise NotAuthorizedException
    return user


@get("/me", dependencies={"user": Provide(signed_in)})
async def me(user: User) -> User:
    return user


def small(middleware: Any = ()) -> ASGI:
    handlers = [index, show, create, me]
    return Litestar(route_handlers=handlers, middleware=middleware, openapi_config=None)


async def no_parameter() -> str:
    return "ok"


async def one_parameter(id: str) -> str:
    return id


async def two_parameters(id: str, pid: str) -> str:
    return f"{id} {pid}"


def table() -> ASGI:
    functions: Any = (no_parameter, one_parameter, two_parameters)
    handlers = [
        get(_typed(path), media_type=MediaType.TEXT)(functions[count]) for path, count in TABLE
    ]
    return Litestar(route_handlers=handlers, openapi_config=None)


def _typed(path: str) -> str:
    return path.replace(":id", "{id:str}").replace(":pid", "{pid:str}")


def middlewares() -> ASGI:
    return small([Pass] * 5)


def headers() -> ASGI:
    return small([_set_header(f"x-layer-{number}") for number in range(5)])


def _set_header(name: str) -> Any:
    return lambda app: SetHeader(app, name)
