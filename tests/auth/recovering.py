"""An application with verification and reset: its people, and the mails they get."""

import re
from typing import Any, Final

import msgspec

from framework import App, Context, Response, public
from framework.auth import Auth, Limits, Message
from framework.context import Context as AnyContext
from framework.testing import Client
from tests.auth.world import USERNAME, Member, World, make_site

__all__ = ["ADDRESS", "NEW", "Mailbox", "Recovering"]

ADDRESS: Final = "alice@example.com"
NEW: Final = "battery staple"


class Address(msgspec.Struct):
    """An address, or none."""

    email: str | None = ADDRESS


class Code(msgspec.Struct):
    """A code."""

    code: str


class Lost(msgspec.Struct):
    """Whose password is lost."""

    account: str = USERNAME


class Chosen(msgspec.Struct):
    """The token of a link, and a password."""

    token: str
    password: str = NEW


class Mailbox:
    """A mailer that keeps every mail, or fails with *error*."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.error: Exception | None = None

    def check(self, c: AnyContext) -> None:
        """Find nothing missing."""

    async def send(self, c: AnyContext, message: Message) -> None:
        """Keep *message*."""
        if self.error is not None:
            raise self.error
        self.mails.append(message)

    @property
    def code(self) -> str:
        """The code in the newest mail."""
        [code] = re.findall(r"\b[0-9]{8}\b", self.mails[-1].text)
        return str(code)

    @property
    def link(self) -> str:
        """The link in the newest mail."""
        [link] = re.findall(r"^http\S+$", self.mails[-1].text, re.MULTILINE)
        return str(link)

    @property
    def token(self) -> str:
        """The token of the link in the newest mail."""
        return self.link.rpartition("/")[2]


class Recovering(World):
    """A world whose people have addresses."""

    def __init__(self, *, check_password: Any = None, **env: Any) -> None:
        super().__init__()
        self.mailbox = Mailbox()
        self.env = env
        self.auth = Auth(
            user=Member,
            limits=Limits(),
            hasher=self.hasher,
            clock=self.clock,
            mailer=self.mailbox,
            check_password=check_password,
        )
        self.app = _make_app(self.auth)

    async def request(self, method: str, path: str, **content: Any) -> Response:
        """Return the answer to a request, with the variables of this world."""
        env = {"DB": self.database, **self.env}
        return await self.app.request(method, path, **{**content, "env": env})

    async def addressed(self, username: str = USERNAME, email: str = ADDRESS) -> Client:
        """Return the browser of somebody new whose address is not verified."""
        browser = await self.signed_up(username)
        answer = await browser.post("/email", json=Address(email))
        assert answer.status == 204
        return browser

    async def verified(self, username: str = USERNAME, email: str = ADDRESS) -> Client:
        """Return the browser of somebody new whose address is verified."""
        browser = await self.addressed(username, email)
        await self.sqlite.run("UPDATE user SET email_verified_at = 1 WHERE username = ?1", username)
        return browser

    async def mailed(self, account: str = USERNAME) -> str:
        """Return the token that was mailed to *account*."""
        await self.ask(account)
        return self.mailbox.token

    async def ask(self, account: str = USERNAME) -> Response:
        """Ask for a link, as anybody may."""
        return await self.browser().post("/lost", json=Lost(account))

    async def reset(self, token: str, password: str = NEW) -> Response:
        """Choose a password with a link."""
        return await self.browser().post("/reset", json=Chosen(token, password))

    async def signs_in(self, password: str, username: str = USERNAME) -> int:
        """Return what signing in with *password* is answered."""
        credentials = {"username": username, "password": password}
        return (await self.browser().post("/sign-in", json=credentials)).status


def _make_app(auth: Auth[Member]) -> App:
    app = make_site(auth)
    authorized = auth.guard()

    @app.get("/me", guard=authorized)
    async def me(user: Member) -> str:
        return user.username

    @app.delete("/me", guard=authorized)
    async def delete_me(c: Context) -> None:
        await auth.delete_user(c)

    @app.post("/email", guard=authorized)
    async def set_email(c: Context, address: Address) -> None:
        await auth.set_email(c, address.email)

    @app.post("/code", guard=authorized)
    async def send_code(c: Context) -> None:
        await auth.send_verification(c)

    @app.post("/verify", guard=authorized)
    async def verify(c: Context, sent: Code) -> None:
        await auth.verify_email(c, sent.code)

    @app.post("/lost", guard=public)
    async def request_reset(c: Context, lost: Lost) -> Response:
        await auth.request_reset(c, lost.account)
        return Response.json({"status": "asked"}, 202)

    @app.get("/reset/:token", guard=public)
    async def check(c: Context, token: str) -> None:
        await auth.check_reset(c, token)

    @app.post("/reset", guard=public)
    async def reset(c: Context, chosen: Chosen) -> None:
        await auth.reset_password(c, chosen.token, chosen.password)

    return app
