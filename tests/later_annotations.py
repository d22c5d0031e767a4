"""Handlers whose annotations are text, as ``from __future__ import annotations`` leaves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from framework import App, Context, Query, Router, Slot, guard, public

F = TypeVar("F", bound=Callable[..., Any])


class Note(msgspec.Struct):
    """A class of this module."""

    text: str


async def echo(note: Note) -> Note:
    """Return what was sent."""
    return note


def build() -> App:
    """Return an application whose handlers name classes that are local to this function."""

    class Local(msgspec.Struct):
        """A class of this function."""

        number: int

    class Known(msgspec.Struct):
        """What a guard learns."""

        name: str

    app = App()

    @guard(provides=Slot("known", Known))
    async def known(c: Context, who: Query[str] = "ada") -> Known:
        return Known(who)

    @app.post("/module", guard=public)
    async def read_module(note: Note, limit: Query[list[int]]) -> dict[str, object]:
        return {"text": note.text, "limit": limit}

    @app.post("/local", guard=known)
    def read_local(c: Context, local: Local, known: Known) -> dict[str, object]:
        return {"number": local.number, "name": known.name}

    return app


def build_with_own_router() -> App:
    """Return an application on a router of its own kind, whose decorators wrap the framework's."""

    class Open(Router):
        """Routes that are open."""

        def show(self, path: str) -> Callable[[F], F]:
            """Declare a public GET."""
            return self.get(path, guard=public)

    class Local(msgspec.Struct):
        """A class of this function."""

        number: int

    app, router = App(), Open()

    @router.show("/local")
    async def show(number: Query[int]) -> Local:
        return Local(number)

    app.mount(router)
    return app


def build_wrapped(*wrappers: Callable[[Any], Any]) -> App:
    """Return an application whose handler is in *wrappers*, and names a class local to this function."""

    class Local(msgspec.Struct):
        """A class of this function."""

        number: int

    async def show(local: Local) -> Local:
        return local

    app, handler = App(), show
    for wrap in wrappers:
        handler = wrap(handler)
    app.post("/", guard=public)(handler)
    return app
