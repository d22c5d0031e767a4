"""Says what an app has each of its functions for. Knows nothing of what they do."""

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from framework.application import App
from framework.guards import Guard
from framework.local.program import is_a

__all__ = ["Role", "Roles", "roles_of"]


class Role(NamedTuple):
    """What a function is to the app: a handler, a guard, a layer, or what answers errors or 404s."""

    name: str
    function: Any
    carried: tuple[type, ...] = ()
    """The classes that a guard's slots carry."""


Roles = Mapping[int, Role]
"""The roles of a module's functions, by the line where each begins."""


def roles_of(app: Any) -> Mapping[str, Roles]:
    """Return the roles in *app*, by the file of the functions; none where *app* is no `App`."""
    roles: dict[str, dict[int, Role]] = {}
    for name, function, carried in _functions(app) if is_a(app, App) else ():
        code = function.__code__ if type(function) is FunctionType else None
        if code is not None and code.co_name != "<lambda>":  # which shares its line with others
            role = Role(name, function, carried)
            roles.setdefault(code.co_filename, {})[code.co_firstlineno] = role
    return roles


def _functions(app: App) -> Iterator[tuple[str, Any, tuple[type, ...]]]:
    for route in app.routes:
        yield "handler", route.declaration.signature.function, ()
        for guard, provides in _function_guards(route.guard):
            yield "guard", guard.signatures[0].function, tuple(slot.type for slot in provides)
    for router in (app, *(chain[-1] for chain in app.chains())):
        yield "handler of errors", router.error_handler, ()
        yield "not-found handler", router.not_found_handler, ()
        for layer in router.middleware:
            yield "layer", layer, ()


def _function_guards(guard: Guard) -> Iterator[tuple[Guard, Any]]:
    """Yield the guards in *guard* that are made from functions, each with the slots that it fills."""
    for member in getattr(guard, "guards", ()):
        yield from _function_guards(member)
    provides = getattr(guard, "_provides", None)
    if provides is not None:
        yield guard, provides
