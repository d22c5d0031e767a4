"""Hands out the bindings of one request by name, D1 databases ready to use."""

from typing import Any

from pyodide.ffi import JsProxy

from framework.workers.d1 import D1Database

__all__ = ["Bindings"]

_is_database: dict[str, bool] = {}
"""Which bindings are D1 databases. Names only: a binding itself belongs to its request."""


class Bindings:
    """The ``env`` of one request. Never kept beyond it: bindings belong to the request."""

    __slots__ = ("_env", "_known")

    def __init__(self, env: Any) -> None:
        # The SDK wraps env in converters that cost several crossings a call; D1Database needs none.
        self._env = getattr(env, "_env", env)
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str, /) -> Any:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> Any:
        value = getattr(self._env, name, None)
        if value is None:
            raise KeyError(name)
        if not isinstance(value, JsProxy):
            return value
        if name not in _is_database:
            _is_database[name] = hasattr(value, "prepare") and hasattr(value, "batch")
        return D1Database(value) if _is_database[name] else value
