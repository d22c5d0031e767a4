"""Sends all that a route's guards want to read to the database in one trip. Knows no guards."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from framework.context import Context, Slot
from framework.database import Result, Statement
from framework.errors import ConfigurationError, HTTPError

__all__ = ["Read", "Reads"]


class Read(NamedTuple):
    """One statement that a guard declares.

    *make* returns it for a request, or None where there is nothing to read, as without a cookie;
    it may refuse by raising `HTTPError`, which the guard then does. The outcome is left in *slot*.
    """

    make: Callable[[Context], Awaitable[Statement | None]]
    database: str
    slot: Slot[Result]


class Reads:
    """The statements of one request's guards, sent together when the first outcome is asked for.

    Nothing is sent for a request whose first guard refuses without an outcome.
    """

    __slots__ = ("_declared", "_outcomes")

    def __init__(self, declared: Sequence[Read]) -> None:
        self._declared = declared
        self._outcomes: dict[Slot[Result], Result | HTTPError | None] | None = None

    async def take(self, c: Context, read: Read) -> Result | None:
        """Return the outcome of *read*, None where it had nothing to read.

        Raises the `HTTPError` that its statement refused with, and `DatabaseError`.
        """
        if self._outcomes is None:
            self._outcomes = await self._send(c)
        outcome = self._outcomes[read.slot]
        if isinstance(outcome, HTTPError):
            raise outcome
        return outcome

    async def _send(self, c: Context) -> dict[Slot[Result], Result | HTTPError | None]:
        outcomes: dict[Slot[Result], Result | HTTPError | None] = {}
        batches: dict[str, list[tuple[Slot[Result], Statement]]] = {}
        for read in self._declared:
            try:
                statement = await read.make(c)
            except HTTPError as refusal:
                outcomes[read.slot] = refusal
                continue
            outcomes[read.slot] = None
            if statement is not None:
                _check(statement)
                batches.setdefault(read.database, []).append((read.slot, statement))
        for database, batch in batches.items():
            results = await c.database(database).batch([statement for _, statement in batch])
            outcomes.update(zip((slot for slot, _ in batch), results, strict=True))
        return outcomes


def _check(statement: object) -> None:
    if not isinstance(statement, Statement):
        raise ConfigurationError(f"reads= gave {type(statement).__name__}, not a statement(...)")
