"""Finds parameters that get what a guard hands on where the path's may have been meant."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from types import FunctionType
from typing import Any
from uuid import UUID

from framework.application import App
from framework.local.misgiven import names_of_paths
from framework.local.program import is_a
from framework.local.roles import guards_of, signatures_of
from framework.parameters import MISSING, marker_of, name_of, provider_of
from framework.route import Route
from framework.slots import Slot
from framework.text_types import class_of, notes_of

__all__ = ["find_misnamed"]

_IN_PATHS = {bool, date, datetime, float, int, str, UUID}
"""What stands in paths, and what slots may carry as well."""


def find_misnamed(app: App) -> list[str]:
    """Return a sentence, with its place, for each parameter in *app* that may be a misspelt name of a path.

    It is filled by a slot, by its class alone, and nothing takes a name that the path has.
    """
    return list(dict.fromkeys(said for route in app.routes for said in _in_route(route, app)))


def _in_route(route: Route, app: App) -> Iterator[str]:
    ours, theirs = signatures_of(route)
    taken = {_called(*item) for each in (*ours, *theirs) for item in each.annotations.items()}
    names = names_of_paths([route])
    routers = (app, *route.declaration.routers)
    layers = chain.from_iterable(router.middleware for router in routers)
    functions = [*(each.function for each in (*ours, *theirs)), *layers]
    if names <= taken or any(map(_reads_all, functions)):
        return
    slots = {slot.name for guard in guards_of(route) for slot in guard.provides}
    for each in ours:
        for name, kind in each.annotations.items():
            if _called(name, kind) not in names | slots and _is_told_by_class(kind):
                yield (
                    f"{each.place}: {name!r} is what a guard hands on, and nothing takes the path's"
                    f" :{min(names - taken)}: give it that name, or the slot's"
                )


def _reads_all(function: Any) -> bool:
    """Return whether *function*, or one that it names, reads ``c.params``."""
    code = getattr(function, "__code__", None)
    named = map(function.__globals__.get, code.co_names) if code else ()
    codes = [code, *(each.__code__ for each in named if is_a(each, FunctionType))]
    return any("params" in each.co_names for each in codes if each)


def _called(name: str, kind: Any) -> str:
    return name if kind is MISSING else name_of(kind) or name


def _is_told_by_class(kind: Any) -> bool:
    """Return whether a parameter of *kind* says neither where it is read from nor which slot it is."""
    if marker_of(kind)[0] or provider_of(kind):
        return False
    return class_of(kind) in _IN_PATHS and not any(isinstance(n, Slot) for n in notes_of(kind))
