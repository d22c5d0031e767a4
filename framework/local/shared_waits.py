"""Finds what modules keep by which one request would wait for another. Knows nothing of what uses it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from framework.local.program import Module, assigned, is_a

__all__ = ["find_shared_waits"]

_WAITED_FOR = (
    *(asyncio.Lock, asyncio.Event, asyncio.Condition, asyncio.Semaphore, asyncio.Barrier),
    *(asyncio.Queue, asyncio.Future),
)


def find_shared_waits(modules: Sequence[Module]) -> list[str]:
    """Return a sentence, with its place, for each lock, event, queue or future that *modules* keep.

    That is in a name, or in what a name of theirs stands for, if its class is theirs, too.
    """
    own = {module.names.get("__name__") for module in modules}
    return [
        f"{place}: {name} is shared by requests, and the Worker ends a request that waits for another:"
        " make it in the handler, or let the database decide (docs/routing.md, Between requests)"
        for place, name, value in assigned(modules)
        if _holds_waits(value, own)
    ]


def _holds_waits(value: Any, own: set[Any]) -> bool:
    is_own = type(value).__module__ in own
    parts = vars(value).values() if is_own and hasattr(value, "__dict__") else ()
    return any(map(_is_waited_for, [value, *parts]))


def _is_waited_for(value: Any) -> bool:
    """Return whether *value* is one of them, or makes one for each key."""
    if is_a(value, defaultdict):
        return value.default_factory in _WAITED_FOR
    return is_a(value, _WAITED_FOR)
