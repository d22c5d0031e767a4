"""Finds functions for missing pages that nobody asks, since another router has one for the same paths."""

from collections.abc import Callable
from typing import Any

from framework.application import App
from framework.callables import place_of

__all__ = ["find_unasked"]


def find_unasked(app: App) -> list[str]:
    """Return a sentence, with its place, for each `not_found` of a router in *app* that is never asked."""
    first: dict[tuple[str | None, str], Callable[..., Any]] = {}
    found = []
    for chain in sorted(app.chains(), key=len):  # in the order in which they are asked
        handler = chain[-1].not_found_handler
        if handler is None:
            continue
        host = next((router.host for router in reversed(chain) if router.host), None)
        prefix = app.prefix + "".join([router.prefix for router in chain])
        other = first.setdefault((host, prefix), handler)
        if other is not handler:
            found.append(
                f"{place_of(handler)}: this not_found is never asked: {place_of(other)} is, for all"
                f" paths below {prefix or '/'}"
            )
    return found
