"""Says in text what an application serves, and who may reach it. Knows nothing of terminals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from framework.application import App
from framework.local.loading import relative

__all__ = ["ListedRoute", "access_lines", "list_routes", "route_lines"]

_TITLES = ("METHOD", "PATH", "GUARD", "GUARD'S STATEMENTS", "HANDLER")


class ListedRoute(msgspec.Struct, frozen=True):
    """One method of one route."""

    method: str
    path: str
    name: str
    """What the route is called."""
    guard: str
    statements: int
    """D1 statements that the guard runs for each request; the handler's own are not counted."""
    handler: str
    """The function, as ``module.function``."""
    place: str


def list_routes(app: App, root: Path) -> list[ListedRoute]:
    """Return the routes of *app* by path and method; places below *root* are relative to it."""
    return sorted(
        (
            ListedRoute(
                method,
                route.location,
                route.name,
                str(route.guard),
                route.statements,
                _full_name(route.declaration.signature.function),
                relative(route.declaration.place, root),
            )
            for route in app.routes
            for method in route.methods
        ),
        key=lambda route: (route.path, route.method),
    )


def _full_name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def route_lines(routes: list[ListedRoute]) -> list[str]:
    """Return *routes* as a table."""
    rows = [
        _TITLES,
        *((r.method, r.path, r.guard, str(r.statements), r.handler) for r in routes),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def access_lines(app: App) -> list[str]:
    """Return the access table: method, path, guard and the guard's D1 statements, a line a route.

    A line changes only when the access of its own route does.
    """
    statements = {
        (m, route.location): route.statements for route in app.routes for m in route.methods
    }
    return [
        f"{method} {path}  {guard}  {statements[method, path]}"
        for (method, path), guard in sorted(app.access().items())
    ]
