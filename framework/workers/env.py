"""Hands out the bindings of one request by name, each in a wrapper for use in Python."""

from collections.abc import Callable
from typing import Any

import msgspec
from js import JSON, Array, Object, Reflect
from pyodide.ffi import JsException, JsProxy
from workers import python_from_rpc, python_to_rpc

from framework.errors import ServiceUnavailable
from framework.workers.d1 import NULL, D1Database

__all__ = ["WorkerEnv", "WorkersRateLimiter", "WorkersService"]

_wrappers: dict[str, Any] = {}
"""The wrapper of each binding, by name; nothing for what is handed out as it is.

No binding is kept: it belongs to its request.
"""


class WorkerEnv:
    """The ``env`` of one request. Never kept beyond it: bindings belong to the request."""

    def __init__(self, env: Any) -> None:
        # The SDK wraps env in converters that cost several crossings a call; D1Database needs none.
        self._env = getattr(env, "_env", env)
        self._sdk = env
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str, /) -> Any:
        if name in self._known:
            return self._known[name]
        value = getattr(self._env, name, None)
        if value is None or value is NULL:  # JSON's null, as wrangler.jsonc may have it
            raise KeyError(name)
        if name not in _wrappers:  # asking a value what it is takes several crossings
            _wrappers[name] = isinstance(value, JsProxy) and _wrapper(
                value, getattr(self._sdk, name)
            )
        wrap = _wrappers[name]
        self._known[name] = found = wrap(value) if wrap else value
        return found

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Return the binding *name*, or *default*, as a dict does: `env` is one everywhere else."""
        try:
            return self[name]
        except KeyError:
            return default


def _wrapper(value: Any, wrapped: Any) -> Callable[[Any], Any] | None:
    """Return the wrapper for a binding like *value*; None if neither we nor the SDK know it.

    *wrapped* is the same in the SDK's own converter, for KV, R2, queues, AI, Durable Objects and
    more: dicts become objects on the way out, and on the way back null becomes None.

    A service binding claims to have any method, since its Worker may have it: also ``prepare`` and
    ``limit``, by which databases and limiters are known. Only ``fetch`` tells it apart (AI has that
    too, and the SDK wraps AI itself), so it is looked for first. Under ``wrangler dev``, `send_email`
    is a service.
    """
    theirs = None if isinstance(wrapped, JsProxy) else type(wrapped)
    kind = getattr(value, "constructor", None)
    if kind == Array or (theirs is None and kind == Object):  # a variable, as wrangler.toml has it
        return _to_python
    may_be = theirs is None or hasattr(theirs, "fetch")
    if may_be and (hasattr(value, "fetch") or hasattr(value, "send")):
        return WorkersService
    if hasattr(value, "prepare"):
        return D1Database
    if hasattr(value, "limit"):
        return WorkersRateLimiter
    return theirs


def _to_python(value: Any) -> Any:
    return msgspec.json.decode(JSON.stringify(value))  # to_py leaves null as it is


class WorkersService:
    """A service binding, or what is called like one: `ASSETS` and `send_email`.

    Each attribute is the method of that name; whether the other Worker has it shows when it is
    called. Keyword arguments reach it as one object. What is handed over becomes JavaScript's, and
    what comes back Python's, as the SDK has it for other bindings. *binding* is ``env.NAME``, as
    JavaScript has it.
    """

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what Python asks of anything: JavaScript would say it is there
            raise AttributeError(name)
        binding = self._binding
        method: Any = getattr(binding, name)
        if hasattr(type(binding), name):
            # A service has `next` as it has any name, so that Pyodide takes it for an iterator, and gives
            # it a `send` of its own. The service's has a `then`, as it has any name, too: what a call
            # returned would be waited for, so it comes in an array.
            method = Array.of(0).map(Reflect.get.bind(None, binding, name, binding))[0]

        async def call(*given: Any, **named: Any) -> Any:
            if named:
                given = *given, named
            return python_from_rpc(await method(*map(python_to_rpc, given)))

        return call


class WorkersRateLimiter:
    """A ``[[ratelimits]]`` binding of ``wrangler.toml``. Counts per Cloudflare location."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def allows(self, key: str) -> bool:
        """Count *key* once, and return whether it is within the limit.

        Raises `ServiceUnavailable` where the limiter does not answer.
        """
        try:
            return bool((await self._binding.limit(key=key)).success)  # JavaScript gets an object
        except JsException as error:
            raise ServiceUnavailable from error
