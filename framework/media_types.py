"""Says which media type a client likes best of what there is: Accept. Sends nothing."""

import re
from collections.abc import Iterator, Sequence

from framework.context import Context

__all__ = ["best_media_type", "read_ranges"]

_MOST = 30
"""How many parts of a header are looked at; browsers name about eight."""

_LONGEST = 255
"""Characters of a range that is looked at: a media type has no more (RFC 6838, 4.2), a language 35."""

_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def best_media_type(c: Context, offered: Sequence[str]) -> str | None:
    """Return which of *offered*, media types in lower case, ``Accept`` ranks highest.

    A type has the weight of the range that fits it most closely (RFC 9110, 12.5.1). Of equal ones,
    the one that the header names first wins, then the one that stands first in *offered*; that is
    the first of all where there is no header. None where the client takes none of them.
    """
    ranges = dict(read_ranges(c, "accept"))
    best, liking = None, (0.0, 0)
    for kind in offered:
        group = kind.partition("/")[0]
        found = next((r for r in (kind, f"{group}/*", "*/*") if r in ranges), "")
        weight, place = ranges.get(found, (0.0, 0)) if ranges else (1.0, 0)
        if (weight, place) > liking:
            best, liking = kind, (weight, place)
    return best


def read_ranges(c: Context, header: str) -> Iterator[tuple[str, tuple[float, int]]]:
    """Yield each range of *header* in lower case, its weight, and how early it stands; the first last."""
    parts = (c.request.headers.get(header) or "").lower().split(",", _MOST)[:_MOST]
    for place, part in reversed([*enumerate(parts)]):
        name, *parameters = [text.strip() for text in part.split(";")]
        if 0 < len(name) <= _LONGEST:
            yield name, (_weight(parameters), -place)


def _weight(parameters: Sequence[str]) -> float:
    """Return the ``q`` among *parameters*; 0 for one that is malformed."""
    for text in parameters:
        name, _, value = text.partition("=")
        if name == "q":
            return float(value) if _WEIGHT.fullmatch(value) else 0.0
    return 1.0
