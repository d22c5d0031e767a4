"""Finds what Cloudflare's Workers Cache would hand to others, where it is enabled. Knows no answers.

It keeps what says nothing of caches: a 200 for two hours, a 404 for three minutes. It looks at the path
and the query alone, at no cookie and not at the host. Source: Cloudflare's documentation, Workers,
Cache, "Configuration" and "Cache keys".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from framework.application import App
from framework.local.configuration import FILE
from framework.route import Route

__all__ = ["find_kept"]

Table = Mapping[str, Any]


def find_kept(app: App, settings: Table) -> list[str]:
    """Return what is kept of *app*, and may not be meant to be, by what *settings* say.

    *settings* are what ``wrangler.toml`` says, as `configuration.py` reads it.
    """
    places = {"the top level": settings}
    for name, place in settings.get("env", {}).items():
        places[f"env.{name}"] = {**settings, **place}  # it inherits `cache` and `exports`
    titles = [title for title, place in places.items() if _is_enabled(place)]
    if not titles:
        return []
    enabled = f"{FILE}: [cache] is enabled for {' and '.join(titles)}"
    return [f"{enabled}, and {note}" for note in _notes(app)]


def _notes(app: App) -> Iterator[str]:
    if any(map(_is_open, app.routes)) and not _has("no_cache", app.middleware):
        yield (
            "what says nothing of caches is kept for two hours and sent to everybody, also what depends on"
            " a cookie: app.use(no_cache()), of framework.middleware.no_cache, before all other layers"
        )
    hosts = sorted({route.host for route in app.routes if route.host})
    if hosts and any(_has("cache", _layers(app, route)) for route in app.routes):
        yield (
            "tells no hosts apart: what cache(...) allows is sent to whoever asks for that path,"
            f" {', '.join(hosts)} among them"
        )


def _is_open(route: Route) -> bool:
    """Return whether the answers of *route* may say nothing: those behind a guard are private."""
    return route.guard.is_public and "GET" in route.methods


def _layers(app: App, route: Route) -> Iterator[Any]:
    yield from app.middleware
    for router in route.declaration.routers:
        yield from router.middleware


def _has(module: str, layers: Iterable[Any]) -> bool:
    """Return whether one of *layers* was made by *module* of `framework.middleware`."""
    return any(
        getattr(layer, "__module__", "") == f"framework.middleware.{module}" for layer in layers
    )


def _is_enabled(place: Table) -> bool:
    """Return whether the cache stands before the entrypoint that the app has, the default one."""
    exports = place.get("exports")
    default = exports.get("default") if isinstance(exports, dict) else None
    for each in (default, place):
        cache = each.get("cache") if isinstance(each, dict) else None
        if isinstance(cache, dict) and "enabled" in cache:
            return cache["enabled"] is True
    return False
