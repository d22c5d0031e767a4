"""What a queue consumer is handed: a batch of messages. Knows nothing of the edge that brings them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar, overload

import msgspec

from framework.bindings import Env
from framework.context import Deployed
from framework.log import Log

__all__ = ["Batch", "Message", "QueueHandler", "Settle"]

T = TypeVar("T")
Outcome = Literal["ack", "retry"]
Settle = Callable[[Outcome, int | None], None]
"""Tells the queue what became of a message; the number is a delay in seconds."""


class Message:
    """One message. *timestamp* is when it was sent, in Unix milliseconds; *attempts* starts at 1."""

    __slots__ = ("_settle", "attempts", "body", "id", "outcome", "timestamp")

    def __init__(
        self,
        id: str,
        body: Any,
        *,
        timestamp: int = 0,
        attempts: int = 1,
        settle: Settle | None = None,
    ) -> None:
        self.id: str = id
        """The id that the queue gave it."""
        self.body: Any = body
        """What was sent: text, bytes, or what JSON holds. `read` checks it."""
        self.timestamp: int = timestamp
        self.attempts: int = attempts
        self.outcome: Outcome | None = None
        """``ack`` or ``retry``, or None until it is settled. Only the first call counts."""
        self._settle = settle

    @overload
    def read(self, type: type[T]) -> T: ...

    @overload
    def read(self, type: Any) -> Any: ...

    def read(self, type: Any) -> Any:
        """Return the body as a *type*, which may be a union of Structs that have tags.

        Raises `msgspec.ValidationError` if it does not fit.
        """
        return msgspec.convert(self.body, type, str_keys=True)  # JSON has no others

    def ack(self) -> None:
        """Acknowledge it: it is not delivered again, whatever becomes of the others."""
        self._settle_as("ack", None)

    def retry(self, *, delay: int | None = None) -> None:
        """Have it delivered again, *delay* seconds from now at the earliest.

        Past the queue's ``max_retries`` it is lost.
        """
        self._settle_as("retry", delay)

    def _settle_as(self, outcome: Outcome, delay: int | None) -> None:
        if self.outcome is None:
            self.outcome = outcome
            if self._settle is not None:
                self._settle(outcome, delay)

    def __repr__(self) -> str:
        return f"<Message {self.id}, attempt {self.attempts}>"


class Batch(Deployed):
    """What a queue brings at once.

    If the consumer returns, messages that it did not settle are acknowledged; if it raises, they are
    retried. `Message.ack` and `Message.retry` settle one.
    """

    __slots__ = ("messages", "queue")

    def __init__(self, queue: str, messages: Iterable[Message], env: Env) -> None:
        self.queue: str = queue
        """The name of the queue."""
        self.messages: Sequence[Message] = tuple(messages)
        """Its messages, to be settled one by one, by `ack_all` or by `retry_all`."""
        self.env = env

    @property
    def log(self) -> Log:
        """Writes lines of JSON that name the queue; see `Log`."""
        return Log({"queue": self.queue})

    def ack_all(self) -> None:
        """Acknowledge every message that is not settled."""
        for message in self.messages:
            message.ack()

    def retry_all(self, *, delay: int | None = None) -> None:
        """Have every message delivered again that is not settled; see `Message.retry`."""
        for message in self.messages:
            message.retry(delay=delay)

    def __repr__(self) -> str:
        return f"<Batch of {len(self.messages)} from {self.queue}>"


QueueHandler = Callable[[Batch], Awaitable[None]]
"""What consumes the messages of a queue."""
