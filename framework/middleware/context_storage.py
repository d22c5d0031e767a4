"""Keeps the context where code that was not handed it can ask for it. Knows nothing of answers."""

from contextvars import ContextVar

from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import ConfigurationError
from framework.response import Response

__all__ = ["context_storage", "current_context", "find_current_context"]

_current: ContextVar[Context | None] = ContextVar("kagari_context", default=None)


def context_storage() -> Middleware:
    """Return a layer below which `current_context` returns the context.

    Tasks that are started below it keep the context. A stream does not have it: it is read after
    the layers are done.
    """

    async def keep_context(c: Context, call_next: Next) -> Response:
        token = _current.set(c)
        try:
            return await call_next()
        finally:
            _current.reset(token)

    return keep_context


def current_context() -> Context:
    """Return the context of the request being answered. Raises `ConfigurationError` outside."""
    context = _current.get()
    if context is None:
        raise ConfigurationError("no context is kept here: app.use(context_storage())")
    return context


def find_current_context() -> Context | None:
    """Return the context of the request being answered, or None outside of one."""
    return _current.get()
