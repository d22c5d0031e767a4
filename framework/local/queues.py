"""Stands in for a queue that the app itself consumes. Knows nothing of who sends to it."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import Context as ContextVars
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

from framework.bindings import Env
from framework.errors import as_fault
from framework.local.background import Background, contain
from framework.log import log_error
from framework.queues import Batch, Message

__all__ = ["BOUNDS", "Consume", "Delivery", "LocalQueue"]

Consume = Callable[[Batch], Awaitable[None]]
"""What is called with each batch, as `App.run_queue`."""

# What Cloudflare's queues take; source: developers.cloudflare.com/queues/platform/limits
MAX_BATCH = 100
MAX_RETRIES = 100
MAX_MESSAGE_BYTES = 128_000
MAX_BATCH_BYTES = 256_000
MAX_DELAY = 86_400
MAX_EXACT = 2**53 - 2
"""Larger integers become BigInts in Pyodide, which no JSON holds: the message could not be read."""

NONE: Mapping[str, Any] = MappingProxyType({})

_log = logging.getLogger("kagari")


class Delivery(NamedTuple):
    """How messages reach the consumer, by the names of ``[[queues.consumers]]``. As Cloudflare has it."""

    max_retries: int = 3
    max_batch_size: int = 10
    retry_delay: int = 0


BOUNDS = {
    "max_retries": (0, MAX_RETRIES),
    "max_batch_size": (1, MAX_BATCH),
    "retry_delay": (0, MAX_DELAY),
}
"""The least and the most that each of them may be."""


class _Sent(NamedTuple):
    """A message on its way."""

    id: str
    data: bytes
    decode: Callable[[bytes], Any]
    """Makes the body of the data."""
    timestamp: int
    attempts: int = 1

    def read(self, settle: Callable[[str, int | None], None]) -> Message:
        body = self.decode(self.data)
        return Message(
            self.id, body, timestamp=self.timestamp, attempts=self.attempts, settle=settle
        )


class LocalQueue:
    """Takes what a Workers queue takes, and has *consume* called in this process.

    A batch is what has come by then, as many as *delivery* allows; the next one does not wait for it. A
    message that is given up goes to `dead_letters`, if there is such a queue; the log says so. What is
    not consumed when the server ends is lost. *env* holds the consumer's bindings.
    """

    def __init__(self, name: str, consume: Consume, env: Env, delivery: Delivery) -> None:
        self.dead_letters: LocalQueue | None = None
        self._name = name
        self._consume = consume
        self._env = env
        self._delivery = delivery
        self._ids = count(1)
        self._arrived: list[_Sent] = []
        self._background = Background()

    async def send(self, body: Any, options: Mapping[str, Any] = NONE, /, **more: Any) -> None:
        """Send *body*: text, bytes, or what JSON holds.

        Of the options, ``contentType`` and ``delaySeconds`` count. Raises `TypeError` or `ValueError`
        for what the Worker would not send, Cloudflare not take, or nobody be able to read.
        """
        self._send([{**options, **more, "body": body}])

    async def sendBatch(
        self, messages: list[Any], options: Mapping[str, Any] = NONE, /, **more: Any
    ) -> None:
        """Send the ``body`` of each of *messages*, which may have options of its own; all, or none."""
        if not isinstance(messages, list):
            raise TypeError(f"sendBatch takes a list, and not a {type(messages).__name__}")
        delay = {**options, **more}.get("delaySeconds", 0)
        self._send([{"delaySeconds": delay, **message} for message in messages])

    def _send(self, messages: list[dict[str, Any]]) -> None:
        if not 0 < len(messages) <= MAX_BATCH:
            raise ValueError(f"a batch has 1 to {MAX_BATCH} messages, and this one {len(messages)}")
        sent = [
            (self._pack(each), _checked_delay(each.get("delaySeconds", 0))) for each in messages
        ]
        size = sum(len(each.data) for each, _ in sent)
        if size > MAX_BATCH_BYTES:
            raise ValueError(f"a batch of {size} bytes is over {MAX_BATCH_BYTES}")
        for each, delay in sent:
            self._start(self._bring(each, delay))

    def _pack(self, message: Mapping[str, Any]) -> _Sent:
        if "body" not in message:
            raise TypeError("a message of a batch has a body")
        data, decode = _packed(message["body"], message.get("contentType", "v8"))
        if len(data) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {len(data)} bytes is over {MAX_MESSAGE_BYTES}")
        return _Sent(str(next(self._ids)), data, decode, time.time_ns() // 1_000_000)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        # A consumer knows nothing of the request that sent to it, so context variables begin anew.
        ContextVars().run(self._background.start, work)

    async def _bring(self, sent: _Sent, delay: int) -> None:
        await asyncio.sleep(delay)
        self._arrived.append(sent)
        self._start(self._deliver())  # once what arrives with it is there

    async def _deliver(self) -> None:
        size = self._delivery.max_batch_size
        batch, self._arrived = self._arrived[:size], self._arrived[size:]
        if not batch:
            return
        outcomes: dict[int, tuple[str, int | None]] = {}

        def settle(place: int, outcome: str, delay: int | None) -> None:
            outcomes[place] = outcome, None if delay is None else _checked_delay(delay)

        unsettled = "ack"
        try:
            messages = [each.read(partial(settle, place)) for place, each in enumerate(batch)]
            await contain(self._consume(Batch(self._name, messages, self._env)))
        except BaseException as error:  # whatever the consumer raises has messages delivered again
            log_error(f"the consumer of the queue {self._name} failed", as_fault(error))
            unsettled = "retry"
        for place, each in enumerate(batch):
            outcome, delay = outcomes.get(place, (unsettled, None))
            if outcome == "retry":
                self._retry(each, self._delivery.retry_delay if delay is None else delay)

    def _retry(self, sent: _Sent, delay: int) -> None:
        if sent.attempts <= self._delivery.max_retries:
            self._start(self._bring(sent._replace(attempts=sent.attempts + 1), delay))
            return
        message = "the queue %s gave up message %s after %d attempts"
        _log.error(message, self._name, sent.id, sent.attempts)
        if self.dead_letters is not None:
            self.dead_letters._start(self.dead_letters._bring(sent._replace(attempts=1), 0))


def _packed(body: Any, kind: str) -> tuple[bytes, Callable[[bytes], Any]]:
    """Return *body* as it is sent as a *kind*, a ``contentType``, and what makes it of that again."""
    needed = {"text": str, "bytes": bytes, "json": object, "v8": object}.get(kind)
    if needed is None:
        raise TypeError(f"contentType is text, bytes, json or v8, not {kind!r}")
    if not isinstance(body, needed) or (kind == "json" and isinstance(body, bytes)):
        raise TypeError(f"contentType {kind!r} does not fit a {type(body).__name__}")
    if isinstance(body, bytes):
        return body, bytes
    if isinstance(body, str):
        return body.encode(), bytes.decode
    _check_plain(body)
    text = json.dumps(body, allow_nan=False, ensure_ascii=False, default=_refuse)
    return text.encode(), json.loads


def _refuse(value: object) -> NoReturn:
    name = type(value).__name__
    raise TypeError(f"a {name} is not JSON: send msgspec.to_builtins(...) of what has it")


def _check_plain(value: Any) -> None:
    """Refuse what Python's JSON takes, and the Worker does not."""
    if isinstance(value, tuple):
        raise TypeError("a tuple cannot be sent from the Worker: send a list, as JSON has it")
    if isinstance(value, int) and abs(value) > MAX_EXACT:
        raise ValueError(f"JSON in the Worker has no integer beyond ±(2^53 - 2): {value}")
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_plain(each)


def _checked_delay(delay: Any) -> int:
    if type(delay) is not int or not 0 <= delay <= MAX_DELAY:
        raise ValueError(f"a delay is 0 to {MAX_DELAY} whole seconds, not {delay!r}")
    return delay
