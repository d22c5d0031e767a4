"""What a consumer says of a message counts once; what it says nothing of follows how it ended."""

import json
from typing import Any, assert_type

import msgspec
import pytest

from framework import App, Batch, Bindings, ConfigurationError, Job, Message


class Mail(msgspec.Struct):
    to: str


class Added(msgspec.Struct, tag=True):
    id: int


class Removed(msgspec.Struct, tag=True):
    id: int


Change = Added | Removed


def make_batch(*bodies: Any, env: Any = None, told: list[Any] | None = None) -> Batch:
    def settle(index: int) -> Any:
        return None if told is None else lambda outcome, delay: told.append((index, outcome, delay))

    messages = [Message(str(i), body, settle=settle(i)) for i, body in enumerate(bodies)]
    return Batch("mails", messages, env or {})


async def test_a_consumer_that_returns_has_done_all() -> None:
    app = App()
    seen: list[str] = []
    told: list[Any] = []

    @app.queue("mails")
    async def send(batch: Batch) -> None:
        seen.extend(message.read(Mail).to for message in batch.messages)

    await app.run_queue(make_batch({"to": "a"}, {"to": "b"}, told=told))

    assert seen == ["a", "b"]
    assert told == [(0, "ack", None), (1, "ack", None)]


async def test_a_consumer_that_raises_gets_back_what_it_said_nothing_of() -> None:
    app = App()
    told: list[Any] = []

    @app.queue("mails")
    async def send(batch: Batch) -> None:
        batch.messages[0].ack()
        batch.messages[1].retry(delay=60)
        batch.messages[2].read(Mail)

    batch = make_batch({}, {}, {"to": 5}, {}, told=told)
    with pytest.raises(msgspec.ValidationError):
        await app.run_queue(batch)

    assert told == [(0, "ack", None), (1, "retry", 60), (2, "retry", None), (3, "retry", None)]
    assert [message.outcome for message in batch.messages] == ["ack", "retry", "retry", "retry"]


async def test_the_first_word_counts() -> None:
    app = App()
    told: list[Any] = []

    @app.queue("mails")
    async def send(batch: Batch) -> None:
        batch.messages[0].retry()
        batch.messages[0].ack()
        batch.retry_all(delay=5)
        batch.ack_all()

    await app.run_queue(make_batch(1, 2, told=told))

    assert told == [(0, "retry", None), (1, "retry", 5)]


async def test_a_consumer_asks_for_what_its_deployment_binds() -> None:
    class Env(Bindings):
        SENDER: str

    app = App()
    seen: list[str] = []

    @app.queue("mails")
    async def send(batch: Batch) -> None:
        seen.append(batch.bindings(Env).SENDER)

    await app.run_queue(make_batch(1, env={"SENDER": "a@example.com"}))

    assert seen == ["a@example.com"]


def test_a_message_says_when_it_was_sent_and_how_often_it_came() -> None:
    first, again = Message("1", {}), Message("2", {}, timestamp=1_700_000_000_000, attempts=2)

    assert (first.timestamp, first.attempts) == (0, 1)
    assert (again.timestamp, again.attempts) == (1_700_000_000_000, 2)
    again.ack()  # of no queue
    assert repr(again) == "<Message 2, attempt 2>"


async def test_an_empty_batch_is_taken() -> None:
    app = App()
    seen: list[Batch] = []

    @app.queue("mails")
    async def send(batch: Batch) -> None:
        seen.append(batch)

    await app.run_queue(make_batch())

    assert [batch.messages for batch in seen] == [()]


def test_a_message_is_read_as_one_type_or_as_one_of_several() -> None:
    message = Message("1", {"type": "Removed", "id": 5})

    assert message.read(Change) == message.read(Removed) == Removed(5)
    assert_type(message.read(Change), Any)
    assert_type(message.read(Removed), Removed)
    with pytest.raises(msgspec.ValidationError):
        message.read(Added)


def test_a_message_that_was_json_has_keys_of_any_type() -> None:
    assert Message("1", {"1": "a"}).read(dict[int, str]) == {1: "a"}


async def test_a_queue_without_a_consumer_loses_nothing() -> None:
    told: list[Any] = []

    with pytest.raises(ConfigurationError, match="no function consumes the queue 'mails'"):
        await App().run_queue(make_batch(1, told=told))

    assert told == [(0, "retry", None)]


def test_a_queue_has_one_consumer() -> None:
    app = App()

    async def send(batch: Batch) -> None: ...

    async def other(batch: Batch) -> None: ...

    assert app.queue("mails")(send) is send
    app.queue("mails")(send)
    with pytest.raises(ConfigurationError, match="already has a consumer"):
        app.queue("mails")(other)


async def test_a_consumer_has_the_database() -> None:
    app = App()
    seen: list[Any] = []

    @app.queue("mails")
    async def send(batch: Batch) -> None:
        seen.append(batch.database())
        with pytest.raises(ConfigurationError, match="OTHER is missing"):
            batch.database("OTHER")

    await app.run_queue(make_batch(env={"DB": "database"}))

    assert seen == ["database"]


async def test_a_consumer_logs_with_the_name_of_its_queue(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = App()

    @app.queue("mails")
    async def deliver(batch: Batch) -> None:
        batch.log.info("delivered", messages=len(batch.messages))

    await app.run_queue(Batch("mails", [], {}))

    line = json.loads(capsys.readouterr().out)
    assert (line["queue"], line["message"], line["messages"]) == ("mails", "delivered", 0)


async def test_a_job_logs_with_its_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    app = App()

    @app.cron("0 3 * * *")
    async def tidy(job: Job) -> None:
        job.log.warning("nothing to do", cron="another")

    await app.run_cron("0 3 * * *", {}, 0)

    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["cron"]) == ("warning", "0 3 * * *")


def test_a_repr_shows_no_body() -> None:
    batch = make_batch("5ec7e7")

    assert "5ec7e7" not in f"{batch!r} {batch.messages[0]!r}"
