"""Refuses, where it is declared, what could not be called when a request comes. Knows no request."""

from collections.abc import Callable
from types import FunctionType, GenericAlias
from typing import Any, TypeVar, get_type_hints

from framework.errors import ConfigurationError

__all__ = ["check_callable", "place_of", "settled", "wants_await"]

T = TypeVar("T")

_COROUTINE = 0x80  # CO_COROUTINE
_VARARGS = 0x04  # CO_VARARGS


def check_callable(
    function: Any, takes: tuple[str, ...], what: str, kind: type | None = None
) -> None:
    """Raise `ConfigurationError` unless *function* is async and can be called with *takes*.

    *takes* names the arguments, for the error; *what* says what the function is meant to be; *kind*
    is the class of its first argument. Only plain functions are examined: any other callable is
    trusted.
    """
    if not callable(function):
        raise ConfigurationError(f"{function!r} is not a {what}: it cannot be called")
    if isinstance(function, type):
        raise ConfigurationError(
            f"{function.__qualname__} is a class, not a {what}: write a function, as"
            f" async def name({', '.join(takes)})"
        )
    if not isinstance(function, FunctionType):
        return
    problem = _misfit(function, len(takes)) or (_mistake(function, kind) if kind else "")
    if problem:
        raise ConfigurationError(
            f"{place_of(function)}: {function.__qualname__} is not a {what}, since it {problem}: write"
            f" async def {function.__name__}({', '.join(takes)}), or call it if it makes one"
        )


def _misfit(function: FunctionType, count: int) -> str:
    code = function.__code__
    required = code.co_argcount - len(function.__defaults__ or ())
    named = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
    if required > count or named:
        return f"takes more than {count} argument{'s' * (count > 1)}"
    if code.co_argcount < count and not code.co_flags & _VARARGS:
        return f"takes fewer than {count} argument{'s' * (count > 1)}"
    return "" if wants_await(function) else "is not async"


def _mistake(function: FunctionType, kind: type) -> str:
    """Return why the first argument cannot be a *kind*; "" where its annotation does not say."""
    if hasattr(function, "__wrapped__"):  # `wraps` has put another function's annotations here
        return ""
    if not function.__code__.co_argcount:  # `*args` comes behind arguments that are named
        return ""
    try:
        asked = get_type_hints(function).get(function.__code__.co_varnames[0], Any)
    except (NameError, AttributeError, SyntaxError, TypeError):
        return ""
    name = asked.__name__ if isinstance(asked, type) else asked
    return "" if asked is Any or _fits(kind, asked) else f"asks for {name}"


def _fits(kind: type, asked: Any) -> bool:
    """Return whether a *kind* may be what an annotation asks for: any may, unless that is a class."""
    try:
        return issubclass(kind, asked)
    except TypeError:
        return not isinstance(asked, GenericAlias)  # a list[int] is a list, though


def wants_await(function: Callable[..., Any]) -> bool:
    """Return whether the plain *function* is declared ``async``."""
    return bool(function.__code__.co_flags & _COROUTINE)


def settled(answer: T, what: str) -> T:
    """Return *answer*, which *what* gave. Raises `TypeError` for what nobody awaited: it is always true."""
    if hasattr(answer, "__await__"):
        raise TypeError(f"{what} returned what it did not await")
    return answer


def place_of(function: Any) -> str:
    """Return the file and line where *function* stands, or its name where it is not a plain function."""
    code = getattr(function, "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}:{code.co_firstlineno}"
