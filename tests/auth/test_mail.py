"""What a mail is, and that what sends it is there or is missed in words."""

import asyncio
from typing import Any

import pytest

from framework.auth.mail import BindingMailer, Mailer, Message, write_reset, write_verification
from framework.context import Context, Job
from framework.errors import ConfigurationError
from framework.local.mail import ConsoleMail
from framework.queues import Batch
from framework.request import Request

MESSAGE = Message("bob@example.com", "Your code", "12345678")


def context(**env: Any) -> Context:
    return Context(Request.build("GET", "/"), env)


class Kept:
    """A binding that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    async def send(self, **fields: str) -> None:
        self.sent.append(fields)


@pytest.mark.parametrize(
    ("env", "fields"),
    [
        ({}, {}),
        ({"MAIL_FROM": "notes@example.com"}, {"from": "notes@example.com"}),
    ],
    ids=["no sender", "sender"],
)
async def test_a_binding_is_given_what_workers_take(
    env: dict[str, str], fields: dict[str, str]
) -> None:
    binding = Kept()

    await BindingMailer().send(context(EMAIL=binding, **env), MESSAGE)

    expected = {"to": "bob@example.com", "subject": "Your code", "text": "12345678"}
    assert binding.sent == [expected | fields]


async def test_a_cron_and_a_consumer_of_a_queue_send_without_a_request() -> None:
    binding = Kept()
    env = {"EMAIL": binding}

    for sender in (Job("17 3 * * *", env, 0), Batch("mails", [], env)):
        await BindingMailer().send(sender, MESSAGE)

    assert [mail["to"] for mail in binding.sent] == ["bob@example.com"] * 2


async def test_a_missing_binding_is_named() -> None:
    mailer = BindingMailer("POST")

    with pytest.raises(ConfigurationError, match="binding POST is missing: add it under"):
        mailer.check(context())
    with pytest.raises(ConfigurationError, match="binding POST is missing"):
        await mailer.send(context(), MESSAGE)


class SendsAlone(Mailer):
    """As the docs have one: mypy refuses it where it would have to say `check`, too."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def send(self, c: Context, message: Message) -> None:
        self.sent.append(message)


async def test_a_mailer_has_to_say_send_alone() -> None:
    mailer = SendsAlone()

    mailer.check(context())
    await mailer.send(context(), MESSAGE)

    assert mailer.sent == [MESSAGE]


class Refusing:
    """A binding that refuses what it is given, as Cloudflare's does a mail from nobody."""

    async def send(self, **_: str) -> None:
        raise TypeError("of undefined (reading 'email')")


async def test_a_mail_that_is_refused_for_want_of_a_sender_says_so() -> None:
    with pytest.raises(ConfigurationError, match="there is no MAIL_FROM: set") as told:
        await BindingMailer().send(context(EMAIL=Refusing()), MESSAGE)
    assert isinstance(told.value.__cause__, TypeError)

    with pytest.raises(TypeError, match="undefined"):
        await BindingMailer().send(context(EMAIL=Refusing(), MAIL_FROM="a@example.com"), MESSAGE)


@pytest.mark.parametrize("broken", ["a\nb", "a\rb", "a\r\nBcc: eve@example.com"])
def test_no_mail_begins_another_header(broken: str) -> None:
    with pytest.raises(ValueError, match="must be one line each"):
        Message(broken, "Hello", "")
    with pytest.raises(ValueError, match="must be one line each"):
        Message("bob@example.com", broken, "")


@pytest.mark.parametrize("message", [MESSAGE, write_reset("bob@example.com", "https://x/12345678")])
def test_no_repr_shows_what_a_mail_says(message: Message) -> None:
    for text in (repr(message), str(message), f"{[message]}"):
        assert "12345678" not in text
        assert "bob@" not in text


def test_a_mail_says_what_it_brings() -> None:
    assert "12345678" in write_verification("bob@example.com", "12345678").text
    assert (
        "\nhttps://example.com/x\n" in write_reset("bob@example.com", "https://example.com/x").text
    )


def test_in_development_mails_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(BindingMailer().send(context(EMAIL=ConsoleMail()), MESSAGE))

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "to: bob@example.com\nsubject: Your code\n\n12345678\nend" in printed.err


def test_a_printed_mail_does_not_colour_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    message = Message("bob@example.com", "\x1b[2J", "one\r\n\x1b]0;title\x07\u202e\tü")

    asyncio.run(BindingMailer().send(context(EMAIL=ConsoleMail()), message))

    printed = capsys.readouterr().err
    assert "subject: \\x1b[2J\n\none\n\\x1b]0;title\\x07\\u202e\\tü\nend" in printed
