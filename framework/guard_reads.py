"""Sends all that a route's guards want to read to the database in one trip. Knows no guards."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from framework.context import Context
from framework.database import Result, Statement
from framework.errors import ConfigurationError, HTTPError
from framework.slots import Slot

__all__ = ["Read", "ReadBatch"]


class Read(NamedTuple):
    """One statement that a guard declares.

    *make* returns it for a request, or None where there is nothing to read, as without a cookie;
    it may refuse by raising `HTTPError`, which the guard then does. The outcome is left in *slot*.
    """

    make: Callable[[Context], Awaitable[Statement | None]]
    database: str
    slot: Slot[Result]


_Made = Statement | HTTPError | None
"""What a read came to: what is to be sent, its refusal, or nothing."""


class ReadBatch:
    """The statements of one request's guards, sent together when the first outcome is asked for.

    Nothing is sent for a request whose first guard has nothing to read, as without a cookie, and
    refuses.
    """

    __slots__ = ("_declared", "_made", "_outcomes")

    def __init__(self, declared: Sequence[Read]) -> None:
        self._declared = declared
        self._made: dict[Slot[Result], _Made] = {}
        self._outcomes: dict[Slot[Result], Result] | None = None

    async def take(self, c: Context, read: Read) -> Result | None:
        """Return the outcome of *read*, None where it had nothing to read.

        Raises the `HTTPError` that its statement refused with, and `DatabaseError`.
        """
        made = await self._make(c, read)
        if isinstance(made, HTTPError):
            raise made
        if made is None:
            return None
        if self._outcomes is None:
            self._outcomes = await self._send(c)
        return self._outcomes[read.slot]

    async def _make(self, c: Context, read: Read) -> _Made:
        if read.slot not in self._made:
            try:
                self._made[read.slot] = statement = await read.make(c)
            except HTTPError as refusal:
                self._made[read.slot] = refusal
            else:
                if not isinstance(statement, Statement | None):
                    kind = type(statement).__name__
                    raise ConfigurationError(f"reads= gave {kind}, not a statement(...)")
        return self._made[read.slot]

    async def _send(self, c: Context) -> dict[Slot[Result], Result]:
        batches: dict[str, list[tuple[Slot[Result], Statement]]] = {}
        for read in self._declared:
            made = await self._make(c, read)
            if isinstance(made, Statement):
                batches.setdefault(read.database, []).append((read.slot, made))
        outcomes: dict[Slot[Result], Result] = {}
        for database, batch in batches.items():
            results = await c.database(database).batch([statement for _, statement in batch])
            outcomes.update(zip((slot for slot, _ in batch), results, strict=True))
        return outcomes
