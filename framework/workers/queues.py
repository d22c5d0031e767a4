"""Reads what a queue brings to the Worker. Knows nothing of who consumes it."""

from collections.abc import Callable
from typing import Any

import msgspec
from js import JSON

from framework.bindings import Env
from framework.queues import Batch, Message, Settle

__all__ = ["read_batch"]


def read_batch(batch: Any, env: Env) -> Batch:
    """Return the JavaScript MessageBatch *batch*, or the SDK's wrapper of it, as a `Batch`."""
    plain = getattr(batch, "_binding", batch)  # how the SDK wraps it
    return Batch(plain.queue, [_read_message(message) for message in plain.messages], env)


def _read_message(message: Any) -> Message:
    return Message(
        message.id,
        _read_body(message.body),
        timestamp=_milliseconds(message.timestamp),
        attempts=int(message.attempts),
        settle=_settle(message),
    )


def _read_body(body: Any) -> Any:
    """Return text and bytes as they are, and anything else as what its JSON holds."""
    if isinstance(body, str | int | float):
        return body
    if hasattr(body, "byteLength"):
        return bytes(body.to_bytes())
    return msgspec.json.decode(JSON.stringify(body))  # null as well, which is no None in Pyodide


def _milliseconds(timestamp: Any) -> int:
    """Return a JavaScript Date, which Pyodide may have made a datetime, in Unix milliseconds."""
    read: Any = getattr(timestamp, "getTime", None)
    return int(read() if read is not None else timestamp.timestamp() * 1000)


def _settle(message: Any) -> Settle:
    retry: Callable[..., Any] = message.retry

    def settle(outcome: str, delay: int | None) -> None:
        if outcome == "ack":
            message.ack()
        elif delay is None:
            retry()
        else:
            retry(JSON.parse(f'{{"delaySeconds":{int(delay)}}}'))

    return settle
