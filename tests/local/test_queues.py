"""What a handler sends to a queue reaches the consumer of the same app, on this machine as in the Worker."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from framework import App, Batch, Bindings, public
from framework.errors import ConfigurationError
from framework.local.environment import EnvironmentProblem, make_environment

SETTINGS = """
[[queues.producers]]
queue = "mails"
binding = "MAILS"

[[queues.producers]]
queue = "others"
binding = "OTHERS"

[[queues.consumers]]
queue = "mails"
max_retries = 2
"""


class Queue(Protocol):
    """What a handler has of a queue."""

    async def send(self, body: object, *, delaySeconds: int = 0) -> None: ...
    async def sendBatch(self, messages: list[dict[str, object]]) -> None: ...


class Env(Bindings):
    MAILS: Queue
    OTHERS: Queue


def environment(root: Path, app: App, settings: str = SETTINGS) -> dict[str, Any]:
    """Return the bindings that the local server makes for *app*."""
    (root / "wrangler.toml").write_text(settings)
    return make_environment(root, root / "db", dict.fromkeys(app.queues, app.run_queue))[0]


async def until(is_done: Callable[[], bool]) -> None:
    """Wait until what goes on in the background is done."""
    for _ in range(5_000):
        if is_done():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError


async def test_what_is_sent_is_consumed_as_json_holds_it(tmp_path: Path) -> None:
    app, got = App(), list[object]()

    @app.post("/", guard=public)
    async def send(env: Env) -> None:
        await env.MAILS.send({"to": ("ada", 1)})
        await env.MAILS.sendBatch([{"body": "text"}, {"body": b"bytes"}, {"body": None}])

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        assert batch.bindings(Env).MAILS is batch.env["MAILS"]
        assert batch.queue == "mails"
        got.extend(message.body for message in batch.messages)

    answer = await app.request("POST", "/", env=environment(tmp_path, app))
    await until(lambda: len(got) == 4)

    assert answer.status == 204
    assert got == [{"to": ["ada", 1]}, "text", b"bytes", None]


async def test_a_message_comes_again_until_it_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, attempts = App(), list[int]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        attempts.append(batch.messages[0].attempts)
        if len(attempts) == 1:
            raise ValueError("out")
        batch.retry_all(delay=0)

    await environment(tmp_path, app)["MAILS"].send(1)
    await until(lambda: "gave up" in caplog.text)

    assert attempts == [1, 2, 3]
    assert "the consumer of the queue mails failed" in caplog.text
    assert "ValueError: out" in caplog.text
    assert caplog.records[-1].getMessage() == "the queue mails gave up message 1 after 3 attempts"


async def test_a_message_may_be_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, waits = App(), list[float]()
    sleep = asyncio.sleep

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        batch.messages[0].retry(delay=60)

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    queue = environment(tmp_path, app)["MAILS"]
    with monkeypatch.context() as patch:
        patch.setattr("asyncio.sleep", wait)
        await queue.send(1, delaySeconds=5)
        for _ in range(20):
            await sleep(0)

    assert waits == [5, 60, 60]


@pytest.mark.parametrize("body", [object(), float("nan"), {1, 2}])
async def test_what_json_does_not_hold_is_refused(tmp_path: Path, body: object) -> None:
    app = App()

    @app.queue("mails")
    async def consume(batch: Batch) -> None: ...

    with pytest.raises((TypeError, ValueError), match="JSON"):
        await environment(tmp_path, app)["MAILS"].send(body)


async def test_a_queue_that_another_worker_consumes_is_not_here(tmp_path: Path) -> None:
    app = App()

    @app.queue("mails")
    async def consume(batch: Batch) -> None: ...

    env = environment(tmp_path, app)

    with pytest.raises(KeyError):
        env["OTHERS"]
    with pytest.raises(ConfigurationError, match="make worker serves with it"):
        await Batch("mails", [], env).bindings(Env).OTHERS.send(1)


def test_what_is_no_number_of_retries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="max_retries of the queue mails"):
        environment(tmp_path, App(), SETTINGS.replace("= 2", '= "2"'))
