"""What all layers have in common, and what the application promises those who write one."""

import ast
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import framework.middleware
from framework import App, ConfigurationError, Context, HTTPError, Response, Router, public
from framework.application import check_use
from framework.compose import Middleware, Next
from framework.interop import asgi_handler
from framework.middleware.access_log import access_log
from framework.middleware.body_limit import body_limit
from framework.middleware.cache import cache
from framework.middleware.context_storage import context_storage
from framework.middleware.cors import cors
from framework.middleware.etag import etag
from framework.middleware.no_cache import no_cache
from framework.middleware.read_replicas import read_replicas
from framework.middleware.request_id import request_id
from framework.middleware.secure_headers import secure_headers
from framework.middleware.server_timing import server_timing
from framework.middleware.timeout import timeout
from framework.middleware.trusted_hosts import trusted_hosts
from framework.route import Route

FOLDER = Path(framework.middleware.__path__[0])
HEAVY = {
    "asyncio",
    "email",
    "js",
    "logging",
    "pyodide",
    "secrets",
    "threading",
    "urllib",
    "workers",
}

LAYERS: dict[str, Callable[[], Middleware]] = {
    "log_access": lambda: access_log(lambda _: None),
    "limit_body": lambda: body_limit(1),
    "allow_caching": lambda: cache(60),
    "keep_context": context_storage,
    "allow_origins": lambda: cors("https://app.example.com"),
    "answer_conditionally": etag,
    "refuse_caching": no_cache,
    "read_nearby": read_replicas,
    "name_request": request_id,
    "send_secure_headers": secure_headers,
    "time_answer": server_timing,
    "stop_in_time": lambda: timeout(5),
    "refuse_other_hosts": lambda: trusted_hosts("localhost"),
}


def make_app(*layers: Middleware) -> App:
    app = App()
    app.use(*layers)

    @app.get("/", guard=public)
    async def index() -> str:
        return "index"

    return app


@pytest.mark.parametrize("name", LAYERS)
async def test_each_has_a_name_and_lets_the_answer_through(name: str) -> None:
    layer = LAYERS[name]()

    response = await make_app(layer).request("GET", "/")

    assert getattr(layer, "__name__", None) == name
    assert (response.status, response.body) == (200, b"index")


async def test_all_together_they_still_answer() -> None:
    response = await make_app(*[make() for make in LAYERS.values()]).request("GET", "/")

    assert (response.status, response.body) == (200, b"index")


@pytest.mark.parametrize("module", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_costs_little_to_import(module: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
    }

    assert imported & HEAVY == set()


def _names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]


@pytest.mark.parametrize("place", ["application", "router"])
async def test_what_a_layer_raises_is_an_answer_to_those_around_it(place: str) -> None:
    seen: list[int] = []

    async def watch(_: Context, call_next: Next) -> Response:
        response = await call_next()
        seen.append(response.status)
        return response

    async def refuse(_: Context, __: Next) -> Response:
        raise HTTPError(418, "I am a teapot.")

    app, router = App(), Router("/below")
    (app if place == "application" else router).use(watch, refuse)
    app.mount(router)

    @router.get("/", guard=public)
    async def index() -> str:
        return "index"

    response = await app.request("GET", "/below")

    assert (response.status, seen) == (418, [418])


@pytest.mark.parametrize("place", ["app", "router"])
async def test_a_stream_that_a_layer_loses_by_failing_is_closed(place: str) -> None:
    ended: list[type] = []

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"x" * 70_000, "more_body": True})
        except BaseException as error:
            ended.append(type(error))
            raise

    async def fail(c: Context, call_next: Next) -> Response:
        await call_next()
        raise HTTPError(409)

    app, router = App(), Router("/m")
    router.get("/*", guard=public)(asgi_handler(endless))
    app.mount(router)
    {"app": app, "router": router}[place].use(fail)

    assert (await app.request("GET", "/m/x")).status == 409
    assert ended == [CancelledError]


def test_a_check_sees_each_route_that_the_layer_wraps() -> None:
    seen: list[str] = []

    def make() -> Middleware:
        async def layer(_: Context, call_next: Next) -> Response:
            return await call_next()

        return check_use(layer, lambda _, route: seen.append(route.path))

    app, router = make_app(make()), Router("/below")
    router.use(make())
    app.mount(router)

    @router.get("/", guard=public)
    async def index() -> str:
        return "index"

    app.prepare()

    assert sorted(seen) == ["/", "/below", "/below"]


async def test_a_check_that_refuses_is_loud() -> None:
    async def layer(_: Context, call_next: Next) -> Response:
        return await call_next()

    def refuse(_: App, route: Route) -> None:
        raise ConfigurationError(f"not around {route.path}")

    app = make_app(check_use(layer, refuse))

    with pytest.raises(ConfigurationError, match="not around /"):
        app.prepare()
    assert (await app.request("GET", "/")).status == 500


@pytest.mark.parametrize("make", [read_replicas, server_timing])
def test_an_async_when_is_refused(make: Callable[..., Middleware]) -> None:
    async def is_admin(_: Context) -> bool:
        return False

    with pytest.raises(
        ConfigurationError, match=r"test_layers\.py:\d+: is_admin is async, but when= is"
    ):
        make(when=is_admin)

    make(when=lambda _: True)
    make(when=bool)
