"""What a handler sends to a queue reaches the consumer of the same app, on this machine as in the Worker."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
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

WITH_DEAD = SETTINGS + 'dead_letter_queue = "dead"\n[[queues.consumers]]\nqueue = "dead"\n'


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


def consuming(got: list[object] | None = None) -> App:
    """Return an app that keeps in *got* what it consumes."""
    app = App()
    kept: list[object] = [] if got is None else got

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        kept.extend(message.body for message in batch.messages)

    return app


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
        await env.MAILS.send({"to": ["ada", 1]})
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


async def wait_for_what_is_cancelled() -> None:
    work = asyncio.create_task(asyncio.sleep(60))
    work.cancel()
    await work


async def end_the_process() -> None:
    sys.exit(2)


@pytest.mark.parametrize(
    ("fail", "said"),
    [
        (wait_for_what_is_cancelled, "the consumer of the queue mails failed"),
        (end_the_process, "sys.exit(2) was called"),
    ],
)
async def test_a_consumer_that_is_stopped_in_another_way_has_failed(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[], Coroutine[Any, Any, None]],
    said: str,
) -> None:
    app, attempts = App(), list[int]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        attempts.append(batch.messages[0].attempts)
        await fail()

    await environment(tmp_path, app)["MAILS"].send(1)
    await until(lambda: "gave up" in caplog.text)

    assert attempts == [1, 2, 3]
    assert said in caplog.text


async def waits_of(
    sending: Coroutine[Any, Any, None], monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """Return the seconds that are waited after *sending*, none of which goes by."""
    waits, sleep = list[float](), asyncio.sleep

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    with monkeypatch.context() as patch:
        patch.setattr("asyncio.sleep", wait)
        await sending
        for _ in range(20):
            await sleep(0)
    return waits


async def test_a_message_may_be_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        batch.messages[0].retry(delay=60)

    queue = environment(tmp_path, app)["MAILS"]

    assert await waits_of(queue.send(1, delaySeconds=5), monkeypatch) == [5, 60, 60]


async def test_a_message_comes_again_as_late_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        batch.retry_all()

    queue = environment(tmp_path, app, SETTINGS + "retry_delay = 30\n")["MAILS"]

    assert await waits_of(queue.send(1), monkeypatch) == [0, 30, 30]


@pytest.mark.parametrize(
    "body", [object(), float("nan"), {1, 2}, ("a", 1), {"a": [(1,)]}, {"a": 2**53 - 1}, 1 - 2**53]
)
async def test_what_json_does_not_hold_in_the_worker_is_refused(
    tmp_path: Path, body: object
) -> None:
    with pytest.raises((TypeError, ValueError), match="JSON"):
        await environment(tmp_path, consuming())["MAILS"].send(body)


@pytest.mark.parametrize(
    ("body", "options", "problem"),
    [
        ("a" * 128_001, {}, "a message of 128001 bytes is over 128000"),
        ("é" * 64_001, {}, "a message of 128002 bytes is over 128000"),
        ([b"bytes"], {}, r"a bytes is not JSON: send msgspec.to_builtins\(...\)"),
        (Batch("mails", [], {}), {}, r"a Batch is not JSON: send msgspec.to_builtins\(...\)"),
        (1, {"contentType": "text"}, "contentType 'text' does not fit a int"),
        ("text", {"contentType": "bytes"}, "contentType 'bytes' does not fit a str"),
        (b"bytes", {"contentType": "json"}, "contentType 'json' does not fit a bytes"),
        (1, {"contentType": "xml"}, "contentType is text, bytes, json or v8, not 'xml'"),
        (1, {"delaySeconds": -1}, "a delay is 0 to 86400 whole seconds, not -1"),
        (1, {"delaySeconds": 86_401}, "a delay is 0 to 86400 whole seconds, not 86401"),
        (1, {"delaySeconds": 0.5}, "a delay is 0 to 86400 whole seconds, not 0.5"),
    ],
)
async def test_what_cloudflare_does_not_take_is_refused(
    tmp_path: Path, body: object, options: dict[str, object], problem: str
) -> None:
    queue = environment(tmp_path, consuming())["MAILS"]

    for sent in (queue.send(body, **options), queue.send(body, options)):
        with pytest.raises((TypeError, ValueError), match=problem):
            await sent


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([], "a batch has 1 to 100 messages, and this one 0"),
        ([{"body": 1}] * 101, "a batch has 1 to 100 messages, and this one 101"),
        (({"body": 1},), "sendBatch takes a list, and not a tuple"),
        ([{"body": 1}, {}], "a message of a batch has a body"),
        ([{"body": 1}, {"body": 1, "delaySeconds": -1}], "a delay is 0 to 86400"),
        ([{"body": "a" * 100_000}] * 3, "a batch of 300000 bytes is over 256000"),
    ],
)
async def test_of_a_batch_all_is_sent_or_nothing(
    tmp_path: Path, messages: list[dict[str, object]], problem: str
) -> None:
    got: list[object] = []
    queue = environment(tmp_path, consuming(got))["MAILS"]

    with pytest.raises((TypeError, ValueError), match=problem):
        await queue.sendBatch(messages)
    await queue.send("last")
    await until(lambda: "last" in got)

    assert got == ["last"]


async def test_a_body_has_no_name(tmp_path: Path) -> None:
    queue = environment(tmp_path, consuming())["MAILS"]

    with pytest.raises(TypeError, match="positional"):
        await queue.send(body=1)


async def test_what_comes_together_is_a_batch(tmp_path: Path) -> None:
    app, sizes = App(), list[int]()
    settings = SETTINGS + "max_batch_size = 3\n"

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        sizes.append(len(batch.messages))

    await environment(tmp_path, app, settings)["MAILS"].sendBatch([{"body": n} for n in range(7)])
    await until(lambda: sum(sizes) == 7)

    assert sizes == [3, 3, 1]


async def test_a_batch_has_ten_messages_at_most(tmp_path: Path) -> None:
    app, sizes = App(), list[int]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        sizes.append(len(batch.messages))

    queue = environment(tmp_path, app)["MAILS"]
    for number in range(11):
        await queue.send(number)
    await until(lambda: sum(sizes) == 11)

    assert sizes == [10, 1]


async def test_of_a_batch_that_failed_what_was_not_acknowledged_comes_again(tmp_path: Path) -> None:
    app, got = App(), list[list[object]]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        got.append([message.body for message in batch.messages])
        if len(got) == 1:
            batch.messages[0].ack()
            batch.messages[1].retry(delay=-1)

    await environment(tmp_path, app)["MAILS"].sendBatch([{"body": n} for n in range(3)])
    await until(lambda: len(got) == 2)

    assert got == [[0, 1, 2], [1, 2]]


async def test_what_is_given_up_goes_to_the_queue_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, got = App(), list[tuple[object, int]]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        batch.retry_all()

    @app.queue("dead")
    async def bury(batch: Batch) -> None:
        got.extend((message.body, message.attempts) for message in batch.messages)

    await environment(tmp_path, app, WITH_DEAD)["MAILS"].send("letter")
    await until(lambda: bool(got))

    assert got == [("letter", 1)]
    assert "the queue mails gave up message 1 after 3 attempts" in caplog.text


async def test_messages_of_two_queues_are_told_apart(tmp_path: Path) -> None:
    app, got = App(), list[object]()
    settings = WITH_DEAD.replace('"others"', '"dead"').replace("max_retries = 2", "max_retries = 0")

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        await batch.bindings(Env).OTHERS.send("own")
        batch.retry_all()

    @app.queue("dead")
    async def bury(batch: Batch) -> None:
        bodies = [message.body for message in batch.messages]
        got.append(bodies)
        if len(got) == 1:
            batch.messages[0].ack()
            batch.messages[1].retry()

    await environment(tmp_path, app, settings)["MAILS"].send("letter")
    await until(lambda: len(got) == 2)

    assert got == [["own", "letter"], ["letter"]]


async def test_a_consumer_may_send_to_its_own_queue(tmp_path: Path) -> None:
    app, got = App(), list[object]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        for message in batch.messages:
            got.append(message.body)
            if message.body:
                await batch.bindings(Env).MAILS.send(message.body - 1)

    await environment(tmp_path, app)["MAILS"].send(3)
    await until(lambda: 0 in got)

    assert got == [3, 2, 1, 0]


async def test_a_consumer_that_hangs_holds_up_no_other_batch(tmp_path: Path) -> None:
    app, got = App(), list[object]()

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        if batch.messages[0].body == "hang":
            await asyncio.Event().wait()
        got.append(batch.messages[0].body)

    queue = environment(tmp_path, app)["MAILS"]
    await queue.send("hang")
    await asyncio.sleep(0.01)
    await queue.send("go")
    await until(lambda: bool(got))

    assert got == ["go"]


async def test_a_consumer_knows_nothing_of_the_request_that_sent(tmp_path: Path) -> None:
    app, found = App(), list[str]()
    variable: ContextVar[str] = ContextVar("variable", default="none")

    @app.post("/", guard=public)
    async def send(env: Env) -> None:
        variable.set("of the request")
        await env.MAILS.send(1)

    @app.queue("mails")
    async def consume(batch: Batch) -> None:
        found.append(variable.get())

    await app.request("POST", "/", env=environment(tmp_path, app))
    await until(lambda: bool(found))

    assert found == ["none"]


async def test_a_queue_that_another_worker_consumes_is_not_here(tmp_path: Path) -> None:
    app = App()

    @app.queue("mails")
    async def consume(batch: Batch) -> None: ...

    env = environment(tmp_path, app)

    with pytest.raises(KeyError):
        env["OTHERS"]
    with pytest.raises(ConfigurationError, match="kagari cron has not: make worker serves with it"):
        await Batch("mails", [], env).bindings(Env).OTHERS.send(1)


@pytest.mark.parametrize(
    "setting", ['max_retries = "2"', "max_retries = 101", "max_batch_size = 0", "retry_delay = 0.5"]
)
def test_what_is_no_number_that_a_consumer_may_have_is_refused(
    tmp_path: Path, setting: str
) -> None:
    name = setting.partition(" ")[0]

    with pytest.raises(EnvironmentProblem, match=f"{name} of the queue mails"):
        environment(tmp_path, App(), SETTINGS.replace("max_retries = 2", setting))
