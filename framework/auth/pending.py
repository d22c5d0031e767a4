"""An answer that must be awaited, and that says so when it is not. Knows nothing of what it is."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, NoReturn, TypeVar

__all__ = ["Pending"]

T = TypeVar("T")


class Pending(Generic[T]):
    """What ``await`` turns into a value. Used as a truth value it raises `TypeError`.

    A plain coroutine is true: ``if auth.session(c)`` without ``await`` would let everybody in, as
    the guide's own example did. This cannot be written.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Awaitable[T]]) -> None:
        self._make = make

    def __await__(self) -> Generator[Any, None, T]:
        return self._make().__await__()

    def __bool__(self) -> NoReturn:
        raise TypeError("await this before asking whether it is there")
