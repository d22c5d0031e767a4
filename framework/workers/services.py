"""Hands on the methods of another Worker, behind a service binding. Knows nothing of what they do."""

from typing import Any

from js import Reflect

__all__ = ["WorkersService"]


class WorkersService:
    """A service binding, or what has its face: `ASSETS`, and `send_email` under ``wrangler dev``.

    Each attribute is the method of that name; whether the other Worker has it shows when it is
    called. Keyword arguments reach it as one object. *binding* is ``env.NAME``, as JavaScript has it.
    """

    __slots__ = ("_binding",)

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what Python asks of anything: JavaScript would say it is there
            raise AttributeError(name)
        if not hasattr(type(self._binding), name):
            return getattr(self._binding, name)
        # A service has `next` as it has any name, so that Pyodide takes it for an iterator, and gives
        # it a `send` of its own. The service's needs no `this`: only `fetch` and its like do.
        return Reflect.get(self._binding, name)
