"""Reads what a queue brings to the Worker. Knows nothing of who consumes it."""

from typing import Any

import msgspec
from js import JSON
from pyodide.ffi import JsBuffer

from framework.bindings import Env
from framework.body import check_depth
from framework.log import log_error
from framework.queues import Batch, Message, Settle

__all__ = ["read_batch"]


def read_batch(batch: Any, env: Env) -> Batch:
    """Return the JavaScript MessageBatch *batch*, or the SDK's wrapper of it, as a `Batch`.

    A message that holds what JSON cannot, or nests deeper than JSON may, is logged and delivered again,
    until the queue gives it up: those beside it are consumed.
    """
    plain = getattr(batch, "_binding", batch)  # how the SDK wraps it
    messages: list[Message] = []
    for message in plain.messages:
        try:
            messages.append(_read_message(message))
        except Exception as error:  # whatever its sender put into it
            log_error(f"the queue {plain.queue}: the message {message.id} cannot be read", error)
            message.retry()
    return Batch(plain.queue, messages, env)


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
    if isinstance(body, JsBuffer):  # an object may have a `byteLength` of its own
        return bytes(body.to_bytes())
    text = JSON.stringify(body)  # null as well, which is no None in Pyodide
    if text == "{}" and hasattr(body, "size"):
        raise TypeError("a Map or a Set is not JSON")
    data = text.encode()
    check_depth(data)  # it would end the isolate, and those beside it with it
    return msgspec.json.decode(data)


def _milliseconds(timestamp: Any) -> int:
    """Return a JavaScript Date, which Pyodide may have made a datetime, in Unix milliseconds."""
    read: Any = getattr(timestamp, "getTime", None)
    return int(read() if read is not None else timestamp.timestamp() * 1000)


def _settle(message: Any) -> Settle:
    def settle(outcome: str, delay: int | None) -> None:
        if outcome == "ack":
            message.ack()
        elif delay is None:
            message.retry()
        else:
            message.retry(delaySeconds=int(delay))  # JavaScript gets an object

    return settle
