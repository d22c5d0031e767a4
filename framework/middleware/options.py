"""Checks the options that several layers take. Knows nothing of what they are for."""

import re
from collections.abc import Iterable
from math import isfinite

from framework.errors import ConfigurationError

__all__ = ["check_header_name", "check_header_names", "check_seconds", "check_whole"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_header_name(name: str) -> str:
    """Return *name* in lower case. Raises `ConfigurationError` where it names no header."""
    if not _TOKEN.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no header name")
    return name.lower()


def check_header_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return *names* in lower case, none twice. Raises `ConfigurationError` for a lone string."""
    if isinstance(names, str):
        raise ConfigurationError(f"{names!r} is one header name: write a list of them")
    return tuple(dict.fromkeys(check_header_name(name) for name in names))


def check_whole(value: int, what: str, most: int) -> int:
    """Return *value* where it is a whole number from 0 to *most*; else `ConfigurationError`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ConfigurationError(f"{what} is a whole number from 0 to {most}, not {value!r}")
    return value


def check_seconds(value: float, what: str) -> float:
    """Return *value* where it is a time longer than none; else `ConfigurationError`."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or value <= 0:
        raise ConfigurationError(f"{what} is a number of seconds above 0, not {value!r}")
    return value
