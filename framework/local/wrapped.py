"""Finds handlers that something above their route wraps, or stands for. Knows nothing of what they do."""

from collections.abc import Iterator
from types import CoroutineType, FunctionType
from typing import Any

from framework.guards import Guard
from framework.local.program import Module, is_a
from framework.local.roles import Roles

__all__ = ["find_wrapped"]

_GUARDED = (
    "what stands above a route does not guard it, since the route has the function below:"
    " name a guard in it, as guard=..."
)


def find_wrapped(module: Module, roles: Roles) -> Iterator[tuple[int, str]]:
    """Yield the line of each handler in *module* that a name above its route has, and what to write."""
    for line, role in roles.items():
        name = role.function.__code__.co_qualname  # what wraps one may be called as it
        if role.name == "handler" and _is_above(module.names.get(name), role.function):
            yield line, f"{name}: {_GUARDED}"


def _is_above(value: Any, handler: FunctionType) -> bool:
    """Return whether *value*, which has the name of *handler*, was made of it above the route."""
    if not is_a(value, FunctionType):
        return is_a(value, (Guard, CoroutineType))
    held = {id(vars(value).get("__wrapped__"))}
    for cell in value.__closure__ or ():
        try:
            held.add(id(cell.cell_contents))
        except ValueError:  # it is empty
            continue
    return id(handler) in held and not hasattr(value, "__deprecated__")
