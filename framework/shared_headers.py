"""Headers as pairs; those that many answers have in common are encoded once. Knows no answers."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

__all__ = [
    "BYTES_HEADERS",
    "HTML_HEADERS",
    "JSON_HEADERS",
    "NO_SNIFF",
    "PROBLEM_HEADERS",
    "SENSITIVE_HEADERS",
    "SHARED_LIMIT",
    "TEXT_HEADERS",
    "Header",
    "SharedHeaders",
    "pairs_of",
]

V = TypeVar("V")

Header = tuple[str, str]
"""A name in lower case, and a value."""

SHARED_LIMIT = 256
"""How many extended sets of headers are kept; a program has fewer of them."""

SENSITIVE_HEADERS = frozenset({"location", "set-cookie"})
"""Names of headers whose values may hold secrets: none of them is kept beyond its answer."""


def pairs_of(given: Mapping[str, V] | Iterable[tuple[str, V]]) -> Iterable[tuple[str, V]]:
    """Return the pairs of *given*, a mapping or pairs."""
    return given.items() if isinstance(given, Mapping) else given


class SharedHeaders(tuple[Header, ...]):
    """Headers that many answers share as one object, which is never changed and never freed.

    Headers that are a tuple, shared or not, are complete: `finish` need not search them. What a layer
    adds to shared headers is shared as well if the value is the same as the last time, up to
    `SHARED_LIMIT` of them: values that change with each request are never kept.
    """

    made = 0
    """How many there are beside those that the framework starts with."""

    def __init__(self, pairs: Iterable[Header]) -> None:  # noqa: ARG002  the tuple takes them
        self.more: dict[tuple[str, Any], SharedHeaders] = {}
        """These with something added, by what `share` was told of it."""
        self.private: SharedHeaders | None = None
        """These for an answer that depends on who asks."""
        self.encoded: Any = None
        """What the edge has made of these."""
        self._last: dict[str, Any] = {}

    def share(self, name: str, value: Any, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        """Return *headers*, which are these with *value* added as *name*; shared if they may be."""
        if self._last.get(name) != value:
            if name in self._last or len(self._last) < SHARED_LIMIT:
                self._last[name] = value
        elif SharedHeaders.made < SHARED_LIMIT:
            SharedHeaders.made += 1
            headers = self.more[name, value] = SharedHeaders(headers)
        return headers


NO_SNIFF = ("x-content-type-options", "nosniff")
"""What every answer carries."""

TEXT_HEADERS = SharedHeaders([("content-type", "text/plain; charset=utf-8"), NO_SNIFF])
"""Those of text."""
HTML_HEADERS = SharedHeaders([("content-type", "text/html; charset=utf-8"), NO_SNIFF])
"""Those of a page."""
JSON_HEADERS = SharedHeaders([("content-type", "application/json"), NO_SNIFF])
"""Those of JSON."""
BYTES_HEADERS = SharedHeaders([("content-type", "application/octet-stream"), NO_SNIFF])
"""Those of bytes."""
PROBLEM_HEADERS = SharedHeaders([("content-type", "application/problem+json"), NO_SNIFF])
"""Those of an error (RFC 9457)."""
