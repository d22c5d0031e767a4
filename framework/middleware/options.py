"""Checks the options that several layers take. Knows nothing of what they are for."""

from collections.abc import Callable, Iterable
from math import isfinite
from types import FunctionType

from framework.callables import place_of, settled, wants_await
from framework.context import Context
from framework.cookies import TOKEN
from framework.errors import ConfigurationError

__all__ = [
    "check_header_name",
    "check_header_names",
    "check_integer",
    "check_seconds",
    "check_when",
]

When = Callable[[Context], bool]
"""Says of a request whether something is meant for it."""


def check_header_name(name: str) -> str:
    """Return *name* in lower case. Raises `ConfigurationError` for an invalid header name."""
    if not TOKEN.fullmatch(name):
        raise ConfigurationError(f"{name!r} is not a header name")
    return name.lower()


def check_header_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return *names* in lower case, none twice. Raises `ConfigurationError` for a lone string."""
    if isinstance(names, str):
        raise ConfigurationError(f"{names!r} is one header name: write a list of them")
    return tuple(dict.fromkeys(check_header_name(name) for name in names))


def check_integer(value: int, what: str, most: int) -> int:
    """Return *value*. Raises `ConfigurationError` unless it is a whole number from 0 to *most*."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ConfigurationError(f"{what} must be a whole number from 0 to {most}, not {value!r}")
    return value


def check_seconds(value: float, what: str) -> float:
    """Return *value*, in seconds. Raises `ConfigurationError` unless it is a number above 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or value <= 0:
        raise ConfigurationError(f"{what} must be a number of seconds above 0, not {value!r}")
    return value


def check_when(when: When | None) -> When | None:
    """Return *when*, which breaks where it returns what nobody awaits: that would be true for everybody.

    Raises `ConfigurationError` for an async function.
    """
    if isinstance(when, FunctionType) and wants_await(when):
        raise ConfigurationError(
            f"{place_of(when)}: {when.__name__} is async, but when= is not awaited"
        )
    if when is None:
        return None

    what = f"{place_of(when)}: when="
    return lambda c: settled(when(c), what)
