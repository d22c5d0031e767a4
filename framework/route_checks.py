"""Refuses what cannot be a route, where it is declared, and says what was probably meant. Knows no router."""

from collections.abc import Callable
from typing import Any

from framework.callables import place_of
from framework.errors import ConfigurationError
from framework.guards import Guard, check_guard
from framework.response import Reply, Response
from framework.text_types import members_of, notes_of, without_notes

__all__ = [
    "check_declaration",
    "check_not_found_handler",
    "check_paths",
]

_AUTOMATIC = {"HEAD", "OPTIONS", "TRACE", "CONNECT"}


def check_declaration(
    methods: tuple[str, ...], paths: tuple[str, ...], guard: object, returns: Any
) -> None:
    """Raise `ConfigurationError` for methods, paths or a guard that no route can have.

    Also for *returns*, the handler's return annotation, where a `Reply` in it would not be sent.
    """
    if not paths or not methods:
        raise ConfigurationError("no path or no method given")
    for path in paths:
        if path and not path.startswith("/"):
            raise ConfigurationError(f"the path {path!r} does not start with /")
    for method in methods:
        if not (method.isascii() and method.isalpha()) or method in _AUTOMATIC:
            raise ConfigurationError(
                f"{method!r} cannot be declared (HEAD and OPTIONS are automatic)"
            )
    if guard is not None:
        check_guard(guard)
    _check_returns(returns)


def check_paths(given: tuple[object, ...], methods: tuple[str, ...]) -> None:
    """Raise `ConfigurationError` where what is *given* as paths of *methods* are none."""
    for path in given:
        if isinstance(path, Guard):
            raise ConfigurationError(f"{path!r} is not a path: name it, as guard=...")
        if not isinstance(path, str):
            place = place_of(path) if callable(path) else repr(path)
            example = f'@app.{"".join(methods[:1]).lower()}("/path", guard=...)'
            raise ConfigurationError(f"{place}: a route is declared at a path, as {example}")


def _check_returns(annotation: Any) -> None:
    if isinstance(annotation, Reply):
        kind = getattr(annotation.type, "__name__", annotation.type)
        raise ConfigurationError(
            f"returns Reply(...): write Annotated[Response, Reply({kind}, {annotation.status})]"
        )
    kinds = members_of(without_notes(annotation))
    if any(kind is Any or (isinstance(kind, type) and _may_be(kind)) for kind in kinds):
        return
    sent = {204 if kind is type(None) or kind is None else 200 for kind in kinds}
    for reply in notes_of(annotation):
        if isinstance(reply, Reply) and reply.status < 300 and reply.status not in sent:
            raise ConfigurationError(
                f"returns what is sent with {' or '.join(map(str, sorted(sent)))}, and Reply says"
                f" {reply.status}: return a Response, as Response.json(value, {reply.status})"
            )


def check_not_found_handler(handler: Callable[..., Any]) -> None:
    """Raise `ConfigurationError` for a *handler* annotated to return what can be no `Response`."""
    returned = getattr(handler, "__annotations__", {}).get("return", Response)
    if returned is Any or (isinstance(returned, type) and _may_be(returned)):
        return
    if returned is None or isinstance(returned, type):
        raise ConfigurationError(
            f"{place_of(handler)}: a not-found handler chooses its own status: return a Response"
            f" with status 404, not {getattr(returned, '__name__', returned)}"
        )


def _may_be(kind: type) -> bool:
    return Response in kind.__mro__ or kind in Response.__mro__  # a Protocol may not be asked
