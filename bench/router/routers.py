"""The routers: each built of the table, with one Python function that finds a path.

What a router raises for a miss is caught, as its framework does. What it returns is read outside of
the time that is measured.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from bench.router import peers
from bench.router.table import Answer, Find, Route

__all__ = ["ROUTERS", "Router", "version_of"]


class Router(NamedTuple):
    """How to build one router; *package* is what to install, *kind* the language it is written in."""

    build: Callable[[list[Route]], Find]
    read: Callable[[Any], Answer]
    package: str
    kind: str
    about: str = ""


def version_of(router: Router) -> str:
    """Return the version of *router* that is installed; "" where none is."""
    try:
        return version(router.package)
    except PackageNotFoundError:
        return "this repository" if router.package == "kagari" else ""


def _pair(found: Any) -> Answer:
    return None if found is None else (found[0], dict(found[1]))


def _kagari(table: list[Route]) -> Find:
    from framework.matcher import Matcher
    from framework.patterns import parse_pattern

    matcher: Matcher[int] = Matcher()
    for route in table:
        for pattern in parse_pattern(route.written(":", "")):
            matcher.add("GET", pattern, route.number)
    method = "GET"
    return lambda path: matcher.find(method, path)


_LINEAR = "tries one route after the other"

ROUTERS = {
    "kagari": Router(_kagari, _pair, "kagari", "Python"),
    "falcon": Router(
        peers.build_falcon, peers.read_falcon, "falcon", "Python", "compiles the table to Python"
    ),
    "litestar": Router(
        peers.build_litestar, peers.read_litestar, "litestar", "Python", "a trie behind a cache"
    ),
    "sanic-routing": Router(
        peers.build_sanic,
        peers.read_sanic,
        "sanic-routing",
        "Python",
        "compiles the table to Python",
    ),
    "kua": Router(peers.build_kua, peers.read_kua, "kua", "Python", "a trie"),
    "bottle": Router(
        peers.build_bottle, _pair, "bottle", "Python", "one regular expression for 99 routes"
    ),
    "werkzeug": Router(peers.build_werkzeug, _pair, "werkzeug", "Python", "a state machine"),
    "routes": Router(peers.build_routes, peers.read_routes, "routes", "Python", _LINEAR),
    "starlette": Router(
        peers.build_starlette, peers.read_starlette, "starlette", "Python", _LINEAR
    ),
    "blacksheep": Router(
        peers.build_blacksheep,
        peers.read_blacksheep,
        "blacksheep",
        "Python",
        f"{_LINEAR}, behind a cache",
    ),
    "http-router": Router(
        peers.build_http_router,
        peers.read_http_router,
        "http-router",
        "Cython",
        f"{_LINEAR}, behind a cache",
    ),
    "xrtr": Router(peers.build_xrtr, peers.read_xrtr, "xrtr", "Cython", "a radix tree"),
    "autoroutes": Router(
        peers.build_autoroutes, peers.read_autoroutes, "autoroutes", "C", "a radix tree"
    ),
    "nanoroute": Router(peers.build_nanoroute, _pair, "nanoroute", "C", "a radix tree"),
    "pymatchit": Router(peers.build_pymatchit, _pair, "pymatchit", "Rust", "a radix tree"),
}
"""All routers by name."""
