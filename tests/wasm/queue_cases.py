"""What the Worker's edge makes of a queue's messages, as the SDK hands them over and as they come."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from framework import App, Batch

__all__ = ["QUEUE_CASES"]

BODIES = ["text", {"to": "ada", "tags": [1, None]}, b"\x01\x02", b"\x03", None, 5]


async def queue_reads_every_kind_of_body(fakes: Any) -> None:
    from framework.workers.queues import read_batch

    batch = read_batch(fakes.bring(), {})

    assert batch.queue == "mails"
    assert [message.body for message in batch.messages] == BODIES
    assert [message.id for message in batch.messages] == ["m0", "m1", "m2", "m3", "m4", "m5"]
    assert [message.timestamp for message in batch.messages] == [1000, 2000, 3000, 4000, 5000, 6000]
    assert [message.attempts for message in batch.messages] == [1, 2, 3, 4, 5, 6]


async def queue_reads_an_object_that_is_named_like_bytes(fakes: Any) -> None:
    from js import JSON

    from framework.workers.queues import read_batch

    file = {"name": "a.txt", "byteLength": 5, "size": 5}

    batch = read_batch(fakes.bringAll(JSON.parse(msgspec.json.encode([file]).decode())), {})

    assert [message.body for message in batch.messages] == [file]


async def queue_reads_what_the_sdk_wraps(fakes: Any) -> None:
    from workers.rpc import _BindingWrapper

    from framework.workers.queues import read_batch

    batch = read_batch(_BindingWrapper(fakes.bring()), {})

    assert [message.body for message in batch.messages] == BODIES


async def queue_is_told_what_became_of_each_message(fakes: Any) -> None:
    from framework.workers.queues import read_batch

    app = App()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        batch.messages[0].ack()
        batch.messages[1].retry(delay=60)
        batch.messages[2].retry()

    brought = fakes.bring()
    await app.run_queue(read_batch(brought, {}))

    told = [tuple(each) for each in brought.told.to_py()]
    assert told == [
        (0, "ack", -1),
        (1, "retry", 60),
        (2, "retry", -1),
        (3, "ack", -1),
        (4, "ack", -1),
        (5, "ack", -1),
    ]


async def queue_brings_what_can_be_read_beside_what_cannot(fakes: Any) -> None:
    from framework.workers.queues import read_batch

    app = App()
    consumed: list[Any] = []

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        consumed.extend(message.body for message in batch.messages)

    for kind in ("map", "set", "nothing", "big", "half", "deep"):
        consumed.clear()
        brought = fakes.bringUnreadable(kind)
        await app.run_queue(read_batch(brought, {}))

        assert consumed == ["before", "after"], kind
        told = sorted(tuple(each) for each in brought.told.to_py())
        assert told == [(0, "ack", -1), (1, "retry", -1), (2, "ack", -1)], kind


QUEUE_CASES: dict[str, Callable[[Any], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        queue_reads_every_kind_of_body,
        queue_reads_an_object_that_is_named_like_bytes,
        queue_reads_what_the_sdk_wraps,
        queue_is_told_what_became_of_each_message,
        queue_brings_what_can_be_read_beside_what_cannot,
    )
}
