"""Says what an app has each of its functions for. Knows nothing of what they do."""

from collections.abc import Iterator, Mapping
from itertools import chain
from types import FunctionType
from typing import Any, NamedTuple

from framework.application import App
from framework.guards import Guard
from framework.local.program import is_a
from framework.parameters import provider_of
from framework.plan import Signature, read_signature
from framework.route import Route
from framework.text_types import classes_of

__all__ = ["Role", "Roles", "guards_of", "roles_of", "signatures_of"]


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
    for role in _roles(app) if is_a(app, App) else ():
        code = role.function.__code__ if type(role.function) is FunctionType else None
        if code is not None and code.co_name != "<lambda>":  # which shares its line with others
            roles.setdefault(code.co_filename, {})[code.co_firstlineno] = role
    return roles


def _roles(app: App) -> Iterator[Role]:
    for route in app.routes:
        yield Role("handler", route.declaration.signature.function)
        yield from _providers(route.declaration.signature)
        for guard in guards_of(route):
            for signature in guard.signatures[:1]:  # the other is of what it reads
                carried = tuple(slot.type for slot in guard.provides)
                yield Role("guard", signature.function, carried)
                yield from _providers(signature)
    for router in (app, *(mounted[-1] for mounted in app.chains())):
        yield Role("handler of errors", router.error_handler)
        yield Role("not-found handler", router.not_found_handler)
        for layer in router.middleware:
            yield Role("layer", layer)


def _providers(signature: Signature) -> Iterator[Role]:
    """Yield the providers that *signature* asks for, and theirs, with the classes of their values."""
    for annotation, provider, _ in _asked_for(signature):
        classes = classes_of(annotation)
        is_plain = all(is_a(each, type) and each is not Any for each in classes)
        yield Role("provider", provider, tuple(classes) if is_plain else (object,))


def guards_of(route: Route) -> list[Guard]:
    """Return the guards of which some let a request to *route* pass, each once."""
    return [*dict.fromkeys(chain.from_iterable(route.guard.alternatives()))]


def signatures_of(route: Route) -> tuple[list[Signature], list[Signature]]:
    """Return the signatures of the handler of *route*, and of its guards, each before its providers'."""
    guarding = [signature for guard in guards_of(route) for signature in guard.signatures]
    ours = _with_providers(route.declaration.signature)
    return ours, [*chain.from_iterable(map(_with_providers, guarding))]


def _with_providers(signature: Signature) -> list[Signature]:
    return [signature, *(asked for *_, asked in _asked_for(signature))]


def _asked_for(signature: Signature) -> Iterator[tuple[Any, Any, Signature]]:
    """Yield the providers that *signature* asks for, and theirs: how, each itself, and its signature."""
    for annotation in signature.annotations.values():
        provider = provider_of(annotation)
        if provider is not None:
            asked = read_signature(provider)
            yield annotation, provider, asked
            yield from _asked_for(asked)
