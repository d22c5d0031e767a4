"""Says what a mail is and how one is sent, and writes those that recovery needs. Knows no users."""

from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from framework.callables import settled
from framework.context import Context, Deployed
from framework.errors import ConfigurationError

__all__ = ["BindingMailer", "Mailer", "Message", "deliver", "write_reset", "write_verification"]


class Message(msgspec.Struct, frozen=True):
    """A mail in plain text."""

    to: str
    """One line, as *subject* is: more than one raises `ValueError`."""
    subject: str
    text: str
    """Holds a code or a link: it shows in no repr, and whoever sends it must not log it."""

    def __post_init__(self) -> None:
        if {"\r", "\n"} & {*self.to, *self.subject}:  # it would begin a header of its own
            raise ValueError("an address and a subject must be one line each")

    def __repr__(self) -> str:
        return f"<Message {self.subject!r}>"


class Mailer(Protocol):
    """How mails are sent. A subclass needs `send` only."""

    def check(self, c: Context) -> None:  # noqa: ARG002  for who has something to look at
        """Raise `ConfigurationError` where what `send` needs is not configured.

        Asked before anything is looked up, so that the answer is the same for everybody.
        """
        return  # to type checkers, a method without a statement would be abstract

    async def send(self, c: Context, message: Message) -> None:
        """Send *message*, or raise. What is raised is logged, so it must not repeat the text."""
        ...


async def deliver(mailer: Mailer, c: Context, message: Message) -> None:
    """Send *message* by *mailer*. Raises what that raises, and `TypeError` where it awaited nothing."""
    sending: Any = mailer.send(c, message)
    settled(await sending, "the mailer")


class BindingMailer(Mailer):
    """Sends through a binding whose ``send`` takes ``to``, ``from``, ``subject`` and ``text``.

    Such are ``[[send_email]]`` in the Worker, what the local server binds in its place, which
    prints the mail to the terminal, and a service binding to another Worker that has such a method.
    *sender* is the variable that holds the address to write from; where it is not set, no ``from``
    is sent along. A `Job` or a `Batch` may stand for *c*, where a cron or a consumer of a queue sends.
    """

    def __init__(self, binding: str = "EMAIL", *, sender: str = "MAIL_FROM") -> None:
        self._binding = binding
        self._sender = sender

    def check(self, c: Context | Deployed) -> None:
        """Raise `ConfigurationError` where the binding is missing."""
        self._find(c)

    async def send(self, c: Context | Deployed, message: Message) -> None:
        """Send *message*. Raises what the binding raises; `ConfigurationError` where no sender is set."""
        binding = self._find(c)
        fields = {"to": message.to, "subject": message.subject, "text": message.text}
        with suppress(KeyError):
            fields["from"] = c.env[self._sender]
        try:
            await binding.send(**fields)  # JavaScript gets them as one object
        except Exception as error:
            if "from" in fields:
                raise
            raise ConfigurationError(  # Cloudflare's own says: of undefined (reading 'email')
                f"no mail was sent, and there is no {self._sender}: set it to the sender's address under"
                " [vars] in wrangler.toml"
            ) from error

    def _find(self, c: Context | Deployed) -> Any:
        try:
            return c.env[self._binding]
        except KeyError:
            raise ConfigurationError(
                f"no mail can be sent, since the binding {self._binding} is missing: add it under"
                " [[send_email]] in wrangler.toml (docs/security.md, Mail)"
            ) from None


_VERIFICATION: Final = """\
{code} is the code that verifies this address. It is good for five minutes.

Whoever asked for it is signed in to an account and says that this address is theirs. If that was
not you, do nothing: without the code nothing happens. Give it to nobody.
"""

_RESET: Final = """\
To choose a new password, open

{link}

within two hours. It works once, and signs out every browser that is signed in.

If you did not ask for this, do nothing: your password stays as it is.
"""


def write_verification(to: str, code: str) -> Message:
    """Return the mail that brings *code* to the address *to*."""
    return Message(to, "Your code", _VERIFICATION.format(code=code))


def write_reset(to: str, link: str) -> Message:
    """Return the mail that brings *link*, where a new password is chosen, to the address *to*."""
    return Message(to, "A new password", _RESET.format(link=link))
