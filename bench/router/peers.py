"""How to build the peers' routers, and how to read what they find. Knows nothing of ours."""
# mypy: ignore-errors
# Where types are checked the peers are not installed; bench/requirements.txt has them.

import sys
from collections.abc import Callable
from typing import Any

from bench.router.table import Answer, Find, Route


def build_falcon(table: list[Route]) -> Find:
    from falcon.routing import CompiledRouter

    class Resource:
        def __init__(self, number: int) -> None:
            self.number = number

        def on_get(self, request: Any, response: Any, **parameters: str) -> None: ...

    router = CompiledRouter()
    for route in table:
        router.add_route(route.written("{", "}"), Resource(route.number))
    router.find("/")
    return lambda path: router.find(path)


def build_starlette(table: list[Route]) -> Find:
    from starlette.routing import Match
    from starlette.routing import Route as StarletteRoute

    async def endpoint(request: Any) -> None: ...

    listed = [
        StarletteRoute(route.written("{", "}"), endpoint, name=str(route.number)) for route in table
    ]

    def find(path: str) -> Any:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "path_params": {}}
        for route in listed:  # what Router.app does
            match, child = route.matches(scope)
            if match is Match.FULL:
                return route, child
        return None

    return find


def build_litestar(table: list[Route]) -> Find:
    from litestar import Litestar, get
    from litestar.exceptions import NotFoundException

    def handler(route: Route) -> Any:
        async def answer() -> None: ...

        return get(route.written("{", ":str}"), name=str(route.number))(answer)

    router = Litestar([handler(route) for route in table], openapi_config=None).asgi_router

    def find(path: str) -> Any:
        try:
            return router.handle_routing(path, "GET")
        except NotFoundException:
            return None

    return find


def build_sanic(table: list[Route]) -> Find:
    from sanic_routing import BaseRouter
    from sanic_routing.exceptions import NotFound

    class Router(BaseRouter):
        DEFAULT_METHOD = "GET"
        ALLOWED_METHODS = ("GET",)

        def get(self, path: str) -> Any:
            return self.resolve(path, method="GET")

    router = Router()
    for route in table:
        router.add(route.written("<", ">"), _answering(route.number), ["GET"])
    router.finalize()

    def find(path: str) -> Any:
        try:
            return router.get(path)
        except NotFound:
            return None

    return find


def build_werkzeug(table: list[Route]) -> Find:
    from werkzeug.exceptions import NotFound
    from werkzeug.routing import Map, Rule

    rules = [Rule(route.written("<", ">"), endpoint=route.number) for route in table]
    adapter = Map(rules).bind("localhost")

    def find(path: str) -> Any:
        try:
            return adapter.match(path, "GET")
        except NotFound:
            return None

    return find


def build_kua(table: list[Route]) -> Find:
    import kua

    router = kua.Routes()
    for route in table:
        router.add(route.written(":", ""), route.number)

    def find(path: str) -> Any:
        try:
            return router.match(path)
        except kua.RouteError:
            return None

    return find


def build_bottle(table: list[Route]) -> Find:
    from bottle import HTTPError
    from bottle import Router as BottleRouter

    router = BottleRouter()
    for route in table:
        router.add(route.written("<", ">"), "GET", route.number)

    def find(path: str) -> Any:
        try:
            return router.match({"PATH_INFO": path, "REQUEST_METHOD": "GET"})
        except HTTPError:
            return None

    return find


def build_http_router(table: list[Route]) -> Find:
    from http_router import NotFoundError
    from http_router import Router as HTTPRouter

    router = HTTPRouter()
    for route in table:
        router.route(route.written("{", "}"), methods=["GET"])(_answering(route.number))

    def find(path: str) -> Any:
        try:
            return router(path, "GET")
        except NotFoundError:
            return None

    return find


def build_routes(table: list[Route]) -> Find:
    # From the package of this name, not from this repository's own.
    sys.path.append(sys.path.pop(0))
    from routes import Mapper

    mapper = Mapper()
    mapper.minimization = False
    for route in table:
        mapper.connect(route.written("{", "}"), number=str(route.number))
    mapper.create_regs()
    return lambda path: mapper.match(path)


def build_blacksheep(table: list[Route]) -> Find:
    from blacksheep.server.routing import Router as BlackSheepRouter

    router = BlackSheepRouter()
    for route in table:
        router.add_get(route.written("{", "}"), _answering(route.number))
    router.apply_routes()
    router.sort_routes()
    return lambda path: router.get_match_by_method_and_path("GET", path)


def build_autoroutes(table: list[Route]) -> Find:
    import autoroutes

    router = autoroutes.Routes()
    for route in table:
        router.add(route.written("{", "}"), number=route.number)
    return lambda path: router.match(path)


def build_nanoroute(table: list[Route]) -> Find:
    import nanoroute

    router = nanoroute.router()
    for route in table:
        router.get(route.written(":", ""))(route.number)

    def find(path: str) -> Any:
        try:
            return router.lookup("GET", path)
        except LookupError:
            return None

    return find


def build_pymatchit(table: list[Route]) -> Find:
    from pymatchit import PyRouter

    router = PyRouter()
    for route in table:
        router.insert(route.written("{", "}"), route.number)

    def find(path: str) -> Any:
        try:
            return router.at(path)
        except LookupError:
            return None

    return find


def build_xrtr(table: list[Route]) -> Find:
    from xrtr import RadixTree

    tree = RadixTree()
    for route in table:
        tree.insert(route.written(":", ""), route.number, ["GET"])
    return lambda path: tree.get(path, "GET")


def read_starlette(found: Any) -> Answer:
    return found and (int(found[0].name), dict(found[1]["path_params"]))


def read_litestar(found: Any) -> Answer:
    return found and (int(found[1].name), dict(found[3]))


def read_falcon(found: Any) -> Answer:
    return found and (found[0].number, dict(found[2]))


def read_sanic(found: Any) -> Answer:
    return found and (found[1](), dict(found[2]))


def read_kua(found: Any) -> Answer:
    return found and (found.anything, dict(found.params))


def read_http_router(found: Any) -> Answer:
    return found and (found.target(), dict(found.params or {}))


def read_routes(found: Any) -> Answer:
    if found is None:
        return None
    return int(found["number"]), {k: v for k, v in found.items() if k in {"id", "pid"}}


def read_blacksheep(found: Any) -> Answer:
    return found and (found.handler(), dict(found.values or {}))


def read_autoroutes(found: Any) -> Answer:
    payload, parameters = found
    return (payload["number"], dict(parameters)) if payload else None


def read_xrtr(found: Any) -> Answer:
    number, _, parameters = found
    return None if number is None else (number, dict(parameters))


def _answering(number: int) -> Callable[[], int]:
    """Return a handler that says which route it is of."""
    return lambda: number
