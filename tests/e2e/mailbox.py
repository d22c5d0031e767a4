"""Reads the mails that a server sends, wherever they end up."""

import asyncio
import re
from pathlib import Path
from typing import Any, Protocol

from framework.testing import json_of
from tests.e2e.wire import exchange, message

__all__ = ["HarnessMailbox", "Mailbox", "Outbox", "Terminal", "code_in", "link_in", "newest"]

Mail = dict[str, str]


class Mailbox(Protocol):
    """All mails so far, the oldest first, with ``to``, ``subject`` and ``text``."""

    async def mails(self) -> list[Mail]:
        """Return them."""


class Outbox:
    """The binding itself, of an app in this process."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []

    async def send(self, **fields: str) -> None:
        """Keep a mail."""
        self._mails.append(fields)

    async def mails(self) -> list[Mail]:
        """Return what was sent."""
        return list(self._mails)


class Terminal:
    """What the local server prints."""

    def __init__(self, log: Path) -> None:
        self._log = log

    async def mails(self) -> list[Mail]:
        """Return what stands between two rules in the log."""
        found = re.findall(r"^mail -+$\n(.*?)\n^end  -+$", self._log.read_text(), re.S | re.M)
        return [_parse(each) for each in found]


class HarnessMailbox:
    """What the Worker of the wasm tier sends through its binding."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def mails(self) -> list[Mail]:
        """Return what was sent."""
        host = self._url.partition("://")[2]
        pieces = message("POST", "/__harness/mails", [("host", host)], b"{}")
        mails: list[Mail] = json_of(await exchange(self._url, pieces), list[dict[str, Any]])
        return mails


async def newest(mailbox: Mailbox, to: str, number: int = 1) -> Mail:
    """Return the mail *number* to the address *to*, once it is there: it is sent after the answer."""
    for _ in range(100):
        found = [mail for mail in await mailbox.mails() if mail["to"] == to]
        if len(found) >= number:
            return found[number - 1]
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(found)} mails to {to}")


def code_in(mail: Mail) -> str:
    """Return the code in *mail*."""
    [code] = re.findall(r"\b[0-9]{8}\b", mail["text"])
    return str(code)


def link_in(mail: Mail) -> str:
    """Return the link in *mail*."""
    [link] = re.findall(r"^http\S+$", mail["text"], re.MULTILINE)
    return str(link)


def _parse(printed: str) -> Mail:
    head, _, text = printed.partition("\n\n")
    pairs = [line.partition(": ") for line in head.split("\n")]
    return {name: value for name, _, value in pairs} | {"text": text}
