"""Folds middleware around a handler, once. Knows nothing of routes."""

from collections.abc import Awaitable, Callable, Sequence
from types import MethodType

from framework.context import Context
from framework.response import Response

__all__ = ["Handler", "Middleware", "Next", "compose"]

Handler = Callable[[Context], Awaitable[Response]]
"""What answers a request in the end."""
Next = Callable[[], Awaitable[Response]]
"""Called and awaited by a middleware for the answer of everything inside it."""
Middleware = Callable[[Context, Next], Awaitable[Response]]
"""``async def layer(c, call_next)``: answers itself, or changes what ``await call_next()`` gives."""


def compose(
    layers: Sequence[Middleware],
    handler: Handler,
    wrap: Callable[[Middleware, Handler], Handler] | None = None,
) -> Handler:
    """Return *handler* wrapped in *layers*, the first listed outermost.

    *wrap* puts one layer around a handler; without it, the layer is simply called.
    """
    for layer in reversed(layers):
        handler = (wrap or _wrap)(layer, handler)
    return handler


def _wrap(layer: Middleware, handler: Handler) -> Handler:
    def wrapped(c: Context) -> Awaitable[Response]:
        return layer(c, MethodType(handler, c))  # half of what a partial takes

    return wrapped
