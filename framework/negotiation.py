"""Says what a client likes best of what there is: Accept and Accept-Language. Sends nothing.

An answer that depends on either has to say so, or a cache hands it to who likes another:
``response.with_header("vary", "accept")``.
"""

from collections.abc import Mapping, Sequence

from framework.context import Context
from framework.media_types import best_media_type, read_ranges

__all__ = ["best_language", "best_media_type"]


def best_language(c: Context, offered: Sequence[str]) -> str | None:
    """Return which of *offered*, tags such as ``en`` and ``pt-BR``, ``Accept-Language`` ranks highest.

    Who asks for ``de-CH`` gets ``de`` if there is no ``de-CH`` (RFC 4647, 3.4), and who asks for
    ``pt`` gets ``pt-BR``. The first of *offered* where the client does not say or takes anything;
    None where it takes none of them.
    """
    ranges = dict(read_ranges(c, "accept-language"))
    if not ranges:
        return next(iter(offered), None)
    left: dict[str, str] = {}
    for tag in offered:
        if ranges.get(tag.lower(), (1.0, 0))[0] > 0:
            left.setdefault(tag.lower(), tag)
    unnamed = next((tag for low, tag in left.items() if low not in ranges), None)
    for wanted, (weight, _) in sorted(ranges.items(), key=lambda each: each[1], reverse=True):
        if weight > 0 and (found := unnamed if wanted == "*" else _look_up(wanted, left)):
            return found
    return None


def _look_up(wanted: str, known: Mapping[str, str]) -> str | None:
    """Return the tag that is *wanted*, else a more general one, else a more specific one."""
    shorter = wanted
    while shorter:
        if shorter in known:
            return known[shorter]
        shorter = shorter.rpartition("-")[0]
    return next((tag for low, tag in known.items() if low.startswith(f"{wanted}-")), None)
