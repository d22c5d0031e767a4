"""A value that a program has to await, and which tells if it does not. Knows nothing of what it is."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, NoReturn, TypeVar

from framework.context import Context

__all__ = ["Pending"]

T = TypeVar("T")


class Pending(Generic[T]):
    """A value to be awaited; *call* names the call that it came from, for errors.

    A plain coroutine is true, and never None: ``if auth.session(c)`` without ``await`` would let
    everybody in, as an example in Lucia's guide did. This raises `TypeError` as a truth value, and
    the context knows until it is awaited, so that a guard which forgets to does not pass, and the
    answer of a handler which forgets to is not sent.
    """

    __slots__ = ("_c", "_make", "call")

    def __init__(self, c: Context, call: str, make: Callable[[Context], Awaitable[T]]) -> None:
        self._c = c
        self._make = make
        self.call: str = call
        c.private = True
        c.unawaited = [*(c.unawaited or ()), self]

    def __await__(self) -> Generator[Any, None, T]:
        self._c.unawaited = [other for other in self._c.unawaited or () if other is not self]
        return self._make(self._c).__await__()

    def __bool__(self) -> NoReturn:
        raise TypeError("await this before testing it: until then it would always be true")
