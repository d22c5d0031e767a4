"""Reads path patterns in Hono's grammar. Knows nothing of matching or of methods."""

import re
from enum import IntEnum
from functools import cache
from itertools import accumulate
from re import _constants, _parser  # type: ignore[attr-defined]  # no public parser exists
from typing import Any, NamedTuple

from framework.errors import ConfigurationError
from framework.paths import MalformedURL, decode_segment

__all__ = ["Kind", "Pattern", "Segment", "identity_of", "names_in", "parse_pattern"]


class Kind(IntEnum):
    """What a segment matches. The lower number wins, position by position."""

    LITERAL = 0
    CONSTRAINED = 1
    """``:id{[0-9]+}``: one segment that the regex matches whole."""
    NAMED = 2
    """``:id``: one segment that is not empty."""
    STAR = 3
    """``*`` in the middle: one segment that is not empty, not kept."""
    REST = 4
    """``:file{.+}`` at the end: all that is left, slashes too, if the regex matches it whole."""
    STAR_REST = 5
    """``*`` at the end: all that is left, or nothing; kept as ``*``."""


class Segment(NamedTuple):
    """One segment of a pattern."""

    kind: Kind
    text: str
    """The literal, or the name of the parameter."""
    regex: str = ""
    """What its value has to match."""


Pattern = tuple[Segment, ...]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r":(?P<name>[^{}?]*)(?:\{(?P<regex>.*)\})?(?P<optional>\?)?", re.DOTALL)
_ANYTHING = {".*", ".+", "[^/]*", "[^/]+"}
"""Constraints that are none, as they are usually written."""


@cache  # a route's path is read again for each other one of its decorator, and for each link to it
def parse_pattern(path: str) -> list[Pattern]:
    """Return the patterns that *path* stands for: one, or more if it has optional parameters.

    Of two that are alike, as ``/:a`` and ``/:b`` are in ``/:a?/:b?``, only the first is there.
    Raises `ConfigurationError` for a path that the grammar does not allow.
    """
    if not path.startswith("/"):
        raise ConfigurationError(f"the path {path!r} does not start with /")
    patterns: list[Pattern] = [()]
    texts = _split(path[1:])
    for index, text in enumerate(texts):
        segment, optional = _parse_segment(text, is_last=index == len(texts) - 1)
        patterns = [
            choice
            for pattern in patterns
            for choice in ([(*pattern, segment), pattern] if optional else [(*pattern, segment)])
        ]
    for pattern in patterns:
        _refuse_duplicates(path, pattern)
    parsed = [pattern or (Segment(Kind.LITERAL, ""),) for pattern in patterns]
    return list({identity_of(pattern): pattern for pattern in reversed(parsed)}.values())[::-1]


def names_in(pattern: Pattern) -> list[str]:
    """Return the names of the parameters of *pattern*."""
    unnamed = {Kind.LITERAL, Kind.STAR, Kind.STAR_REST}
    return [segment.text for segment in pattern if segment.kind not in unnamed]


def identity_of(pattern: Pattern) -> tuple[object, ...]:
    """Return a key that is equal for two patterns where one leaves nothing to the other.

    Names do not count, nor do constraints that everything fits.
    """
    return tuple(map(_identity, pattern))


def _identity(segment: Segment) -> tuple[Kind, str]:
    kind, text, regex = segment
    if kind is Kind.LITERAL:
        return kind, text
    return max(kind, Kind.STAR), "" if regex in _ANYTHING else regex  # one segment, or the rest


def _split(text: str) -> list[str]:
    """Split at the slashes that stand outside of braces."""
    segments = [""]
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if character == "/" and depth == 0:
            segments.append("")
        else:
            segments[-1] += character
    if depth:
        raise ConfigurationError(f"the braces of {text!r} do not pair")
    return segments


def _parse_segment(text: str, *, is_last: bool) -> tuple[Segment, bool]:
    if text == "*":
        return Segment(Kind.STAR_REST if is_last else Kind.STAR, "*"), False
    if not text.startswith(":"):
        return Segment(Kind.LITERAL, _literal(text, is_last=is_last)), False
    parts = _PARAMETER.fullmatch(text)
    if parts is None or not _NAME.fullmatch(parts["name"]):
        raise ConfigurationError(
            f"{text!r} is not a parameter: write :name, :name? or :name{{regex}}"
        )
    optional = parts["optional"] is not None
    if parts["regex"] is None:
        return Segment(Kind.NAMED, parts["name"]), optional
    if not parts["regex"] or not _is_paired(parts["regex"]):
        raise ConfigurationError(f"the regex of {text!r} is empty or its braces do not pair")
    spans = _may_match_slash(parts["regex"], text)
    kind = Kind.REST if spans and is_last else Kind.CONSTRAINED
    return Segment(kind, parts["name"], parts["regex"]), optional


def _is_paired(regex: str) -> bool:
    depth = [(character == "{") - (character == "}") for character in regex]
    return min(accumulate(depth)) >= 0


def _literal(text: str, *, is_last: bool) -> str:
    if not text and not is_last:
        raise ConfigurationError("a path with // can never match")
    is_framed = text[:1] + text[-1:] in {"<>", "{}"}  # as Flask and FastAPI have it
    if is_framed and text[1:-1].replace(":", "").isidentifier():
        raise ConfigurationError(f"{text!r} is not a parameter: write :name or :name{{regex}}")
    if "*" in text or "{" in text or text.endswith("?"):
        raise ConfigurationError(
            f"{text!r}: * fills a segment, and ? and {{}} belong to parameters, as :id{{[0-9]+}}"
        )
    try:
        return decode_segment(text)
    except MalformedURL as error:
        raise ConfigurationError(f"the segment {text!r} can never match: {error}") from None


def _refuse_duplicates(path: str, pattern: Pattern) -> None:
    names = names_in(pattern)
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{path!r} names :{name} twice")


def _may_match_slash(regex: str, text: str) -> bool:
    try:
        re.compile(regex)
        return _spans(_parser.parse(regex))
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigurationError(f"invalid regex in {text!r}: {error}") from None


def _spans(parsed: Any) -> bool:
    """Return whether a parsed regex may match a slash; rather too often than too rarely."""
    return any(_node_spans(operation, argument) for operation, argument in parsed)


def _node_spans(operation: Any, argument: Any) -> bool:
    slash = ord("/")
    if operation is _constants.LITERAL:
        return bool(argument == slash)
    if operation is _constants.NOT_LITERAL:
        return bool(argument != slash)
    if operation is _constants.IN:
        return _set_spans(argument, slash)
    if operation in {_constants.ANY, _constants.GROUPREF}:
        return True
    return any(_spans(part) for part in _inner(argument))


def _set_spans(members: Any, slash: int) -> bool:
    negated = members[0][0] is _constants.NEGATE
    categories = {
        _constants.CATEGORY_NOT_DIGIT,
        _constants.CATEGORY_NOT_WORD,
        _constants.CATEGORY_NOT_SPACE,
    }
    found = any(
        (operation is _constants.LITERAL and argument == slash)
        or (operation is _constants.RANGE and argument[0] <= slash <= argument[1])
        or (operation is _constants.CATEGORY and argument in categories)
        for operation, argument in members
    )
    return not found if negated else found


def _inner(argument: Any) -> list[Any]:
    """Return the regexes inside of a node's argument: of groups, repeats, branches."""
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, list | tuple):
        return [part for member in argument for part in _inner(member)]
    return []
