"""Builds the path of a route from its name. Knows nothing of matching."""

import re
from collections.abc import Iterable, Mapping

from msgspec import to_builtins

from framework.errors import ConfigurationError
from framework.paths import decode_segment, encode_segment
from framework.patterns import Kind, Segment, names_in, parse_pattern

__all__ = ["build_path"]


def build_path(paths: Iterable[str], parameters: Mapping[str, object]) -> str:
    """Return the path that *parameters* make of that one of *paths* which has just these names.

    What is None is left out. Raises `ConfigurationError` where none has them, where several do and
    differ, and for a value that its place would not match.
    """
    parameters = {name: value for name, value in parameters.items() if value is not None}
    patterns = [pattern for path in paths for pattern in parse_pattern(path)]
    built = {
        "".join(["/" + _segment(segment, parameters) for segment in pattern])
        for pattern in patterns
        if {*names_in(pattern)} == parameters.keys()
    }
    if len(built) != 1:
        given = ", ".join(sorted(parameters)) or "no parameters"
        problem = "that fits several paths" if built else "that fits none of the paths"
        raise ConfigurationError(f"{given} given, and {problem}: {', '.join(paths)}")
    return built.pop()


def _segment(segment: Segment, parameters: Mapping[str, object]) -> str:
    if segment.kind is Kind.LITERAL:
        return encode_segment(segment.text)
    if segment.kind in {Kind.STAR, Kind.STAR_REST}:
        raise ConfigurationError("a path with * has no name for what stands there")
    value = parameters[segment.text]
    plain = to_builtins(value, enc_hook=str)  # of an Enum, its value
    text = str(value if isinstance(plain, dict | tuple) else plain)  # a class may have its own
    parts = text.split("/")
    is_rest = segment.kind is Kind.REST
    *before, last = parts
    fits = (
        (is_rest or not before)
        and (not segment.regex or re.fullmatch(segment.regex, text))
        and all(_can_be_asked(part) for part in before)
        and (_can_be_asked(last) or (is_rest and not last))
    )
    if not fits:
        raise ConfigurationError(f":{segment.text} does not match what was given for it")
    return "/".join([encode_segment(part) for part in parts])


def _can_be_asked(part: str) -> bool:
    """Return whether a path can have *part* as a segment that is not empty."""
    try:
        return decode_segment(encode_segment(part)) != ""
    except ValueError:  # refused in a path, or half a surrogate pair
        return False
