"""Says what an app has each of its functions for. Knows nothing of what they do."""

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from framework.application import App
from framework.guards import Guard
from framework.local.program import is_a
from framework.parameters import provider_of
from framework.plan import Signature, read_signature
from framework.text_types import classes_of

__all__ = ["Role", "Roles", "roles_of"]


class Role(NamedTuple):
    """What a function is to the app: a handler, provider, guard or layer, or what answers errors or 404s."""

    name: str
    function: Any
    carried: tuple[type, ...] = ()
    """The classes that a guard's slots carry, or that a provider's value is said to have."""


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
        yield from _providers(route.declaration.signature)
        for guard, provides in _function_guards(route.guard):
            yield "guard", guard.signatures[0].function, tuple(slot.type for slot in provides)
            yield from _providers(guard.signatures[0])
    for router in (app, *(chain[-1] for chain in app.chains())):
        yield "handler of errors", router.error_handler, ()
        yield "not-found handler", router.not_found_handler, ()
        for layer in router.middleware:
            yield "layer", layer, ()


def _providers(signature: Signature) -> Iterator[tuple[str, Any, tuple[type, ...]]]:
    """Yield the providers that *signature* asks for, and theirs, with the classes of their values."""
    for annotation in signature.annotations.values():
        provider = provider_of(annotation)
        if provider is not None:
            classes = classes_of(annotation)
            is_plain = all(is_a(each, type) and each is not Any for each in classes)
            yield "provider", provider, tuple(classes) if is_plain else (object,)
            yield from _providers(read_signature(provider, {}))


def _function_guards(guard: Guard) -> Iterator[tuple[Guard, Any]]:
    """Yield the guards in *guard* that are made from functions, each with the slots that it fills."""
    for member in getattr(guard, "guards", ()):
        yield from _function_guards(member)
    provides = getattr(guard, "_provides", None)
    if provides is not None:
        yield guard, provides
