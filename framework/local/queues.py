"""Stands in for a queue that the app itself consumes. Knows nothing of who sends to it."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

from framework.bindings import Env
from framework.log import log_error
from framework.queues import Batch, Message

__all__ = ["DEFAULT_RETRIES", "Consume", "LocalQueue"]

Consume = Callable[[Batch], Awaitable[None]]
"""What is called with each batch, as `App.run_queue`."""

DEFAULT_RETRIES = 3
"""How often a message comes again where no ``max_retries`` says so, as Cloudflare has it."""

_log = logging.getLogger("kagari")


class _Sent(NamedTuple):
    """A message on its way."""

    id: str
    body: str | bytes
    is_json: bool
    timestamp: int

    def read(self, attempts: int, settle: Callable[[str, int | None], None]) -> Message:
        body = json.loads(self.body) if self.is_json else self.body
        return Message(self.id, body, timestamp=self.timestamp, attempts=attempts, settle=settle)


class LocalQueue:
    """Takes what a Workers queue takes, and has *consume* called in this process, a message at a time.

    A message comes again *retries* times at most, and is then given up, which the log says. What is
    not consumed when the server ends is lost. *env* holds the consumer's bindings.
    """

    def __init__(self, name: str, consume: Consume, env: Env, retries: int) -> None:
        self._name = name
        self._consume = consume
        self._env = env
        self._retries = retries
        self._ids = count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, body: Any, *, delaySeconds: int = 0, **_: Any) -> None:
        """Send *body*: text, bytes, or what JSON holds. Raises `TypeError` for anything else."""
        is_json = not isinstance(body, str | bytes)
        data = json.dumps(body, allow_nan=False) if is_json else body
        now = time.time_ns() // 1_000_000
        self._start(_Sent(str(next(self._ids)), data, is_json, now), 1, delaySeconds)

    async def sendBatch(self, messages: Iterable[Any], *, delaySeconds: int = 0, **_: Any) -> None:
        """Send the ``body`` of each of *messages*."""
        for message in messages:
            await self.send(**{"delaySeconds": delaySeconds, **message})

    def _start(self, sent: _Sent, attempts: int, delay: int) -> None:
        task = asyncio.create_task(self._deliver(sent, attempts, delay))
        self._tasks.add(task)  # a loop alone would let it be collected
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, sent: _Sent, attempts: int, delay: int) -> None:
        await asyncio.sleep(delay)
        delays: list[int] = []

        def settle(outcome: str, delay: int | None) -> None:
            if outcome == "retry":
                delays.append(delay or 0)

        try:
            await self._consume(Batch(self._name, [sent.read(attempts, settle)], self._env))
        except Exception as error:  # whatever the consumer raises has the message delivered again
            log_error(f"the consumer of the queue {self._name} failed", error)
        if not delays:
            return
        if attempts > self._retries:
            _log.error(
                "the queue %s gave up message %s after %d attempts", self._name, sent.id, attempts
            )
        else:
            self._start(sent, attempts + 1, delays[0])
