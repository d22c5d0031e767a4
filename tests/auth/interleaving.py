"""Runs calls in every order that their trips to the database may take. Knows nothing of what they do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from framework.database import Database, Result, Statement, Value

__all__ = ["Call", "Order", "interleavings"]

T = TypeVar("T")

Call = Callable[[Database], Awaitable[Any]]
"""Does something with the database that it is handed, and with no other."""


class Order(NamedTuple):
    """One order of trips, by the numbers of the calls, and what each call returned."""

    trips: tuple[int, ...]
    results: list[Any]

    @property
    def is_serial(self) -> bool:
        """Whether each call made all its trips before another began."""
        return all(
            self.trips.index(call) + self.trips.count(call)
            == len(self.trips) - self.trips[::-1].index(call)
            for call in {*self.trips}
        )


class _Gate:
    """The database of one call: a trip waits until it is let through, and then happens at once."""

    def __init__(self, call: int, waiting: list[tuple[int, asyncio.Future[None]]]) -> None:
        self.call = call
        self.waiting = waiting
        self.inner: Database

    async def _pass(self) -> Database:
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append((self.call, turn))
        await turn
        return self.inner

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        return await (await self._pass()).first(type, sql, *parameters)

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        return await (await self._pass()).all(type, sql, *parameters)

    async def run(self, sql: str, *parameters: Value) -> int:
        return await (await self._pass()).run(sql, *parameters)

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        return await (await self._pass()).batch(statements)


async def interleavings(
    calls: Sequence[Call], begin: Callable[[], Database], tick: Callable[[], None]
) -> AsyncIterator[Order]:
    """Yield every order that the trips of *calls* may take, once each call has returned.

    *begin* returns the database as it is to be found each time; *tick* is called before each trip.
    """
    choices: list[int] = []
    while True:
        order, made = await _run(calls, begin(), tick, choices)
        yield order
        while made and made[-1][0] + 1 == made[-1][1]:
            made.pop()
        if not made:
            return
        choices = [choice for choice, _ in made]
        choices[-1] += 1


async def _run(
    calls: Sequence[Call], database: Database, tick: Callable[[], None], choices: Sequence[int]
) -> tuple[Order, list[tuple[int, int]]]:
    """Run *calls* once, by *choices* as far as they go; return what was chosen of how many, too."""
    waiting: list[tuple[int, asyncio.Future[None]]] = []
    gates = [_Gate(number, waiting) for number in range(len(calls))]
    for gate in gates:
        gate.inner = database
    tasks = [asyncio.ensure_future(call(gate)) for call, gate in zip(calls, gates, strict=True)]
    trips: list[int] = []
    made: list[tuple[int, int]] = []
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if len(waiting) < sum(not task.done() for task in tasks):
            continue  # somebody is still on the way to a trip, or to the end
        if not waiting:
            break
        waiting.sort(key=lambda each: each[0])
        choice = choices[len(made)] if len(made) < len(choices) else 0
        made.append((choice, len(waiting)))
        call, turn = waiting.pop(choice)
        trips.append(call)
        tick()
        turn.set_result(None)
    return Order(tuple(trips), [await task for task in tasks]), made
