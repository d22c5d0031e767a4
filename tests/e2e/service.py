"""What the suite talks to: one server, wherever it runs, watched while it answers."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from framework import App
from framework.context import Env
from framework.request import split_url
from framework.response import Header, Response
from framework.testing import Client
from tests.e2e.backdoor import Backdoor
from tests.e2e.canary import Canary
from tests.e2e.mailbox import Mailbox
from tests.e2e.people import Person, sign_up
from tests.e2e.wire import exchange, message

__all__ = ["InProcess", "OverHTTP", "Service"]


class Service:
    """A server at *url*. Every answer is looked at: never a 5xx, never a secret but in its cookie."""

    def __init__(
        self, name: str, url: str, backdoor: Backdoor | None, mailbox: Mailbox | None = None
    ) -> None:
        self.name = name
        self.mailbox = mailbox
        self.url = url
        self.backdoor = backdoor
        self.canary = Canary()
        self._resident: Person | None = None

    @property
    def cookie_name(self) -> str:
        """What the session cookie is called at this URL."""
        return "auth_session" if self.url.startswith("http://") else "__Host-auth_session"

    def browser(self, **headers: str) -> Client:
        """Return a browser that looks at this server, without cookies."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(self, base_url=self.url, headers=named)

    async def resident(self) -> Person:
        """Return somebody who is signed in all the time, for tests that change nothing."""
        if self._resident is None:
            self._resident = await sign_up(self.browser(), self.canary)
        return self._resident

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[Header] = (),
        body: bytes | Sequence[bytes] = b"",
        env: Env | None = None,
    ) -> Response:
        """Return the answer to exactly this request; a *body* in pieces is sent in chunks.

        *env* is what `Client` hands on, and not used: the server has its own.
        """
        url = path if "://" in path.partition("?")[0] else self.url + path
        async with asyncio.timeout(20):
            response = await self._send(method, url, list(headers), body)
        self._look_at(response)
        return response

    async def _send(
        self, method: str, url: str, headers: list[Header], body: bytes | Sequence[bytes]
    ) -> Response:
        raise NotImplementedError

    def log(self) -> bytes:
        """Return all that the server has logged."""
        return b""

    def _look_at(self, response: Response) -> None:
        assert response.status < 500 or response.status == 501, (  # a method that is none
            f"{response.status}: {response.body!r}"
        )
        for name, value in response.headers:
            if name == "set-cookie":
                self._remember(value)
        shown = [value for name, value in response.headers if name != "set-cookie"]
        assert isinstance(response.body, bytes)
        assert self.canary.is_clean("\n".join(shown).encode()), "a secret in a header"
        assert self.canary.is_clean(response.body), "a secret in a body"

    def _remember(self, set_cookie: str) -> None:
        value = set_cookie.partition("=")[2].partition(";")[0]
        if value:
            self.canary.remember(value)

    def __repr__(self) -> str:
        return f"<Service {self.name} at {self.url}>"


class InProcess(Service):
    """The app in this process, through `App.request`."""

    def __init__(
        self,
        app: App,
        env: Env,
        backdoor: Backdoor,
        log: Callable[[], bytes],
        mailbox: Mailbox,
    ) -> None:
        super().__init__("in-process", "http://localhost", backdoor, mailbox)
        self._app = app
        self._env = env
        self._log = log

    async def _send(
        self, method: str, url: str, headers: list[Header], body: bytes | Sequence[bytes]
    ) -> Response:
        if not isinstance(body, bytes):
            body = b"".join(body)
        elif body:
            headers = [*headers, ("content-length", str(len(body)))]
        return await self._app.request(method, url, headers=headers, body=body, env=self._env)

    def log(self) -> bytes:
        """Return all that this process has logged since the suite began."""
        return self._log()


class OverHTTP(Service):
    """A server in another process, over a socket."""

    def __init__(
        self,
        name: str,
        url: str,
        backdoor: Backdoor | None = None,
        log: Callable[[], bytes] = bytes,
        mailbox: Mailbox | None = None,
    ) -> None:
        super().__init__(name, url, backdoor, mailbox)
        self._log = log

    async def _send(
        self, method: str, url: str, headers: list[Header], body: bytes | Sequence[bytes]
    ) -> Response:
        _, host, _, _ = split_url(url)
        target = url.partition("://")[2].removeprefix(host)
        if not any(name.lower() == "host" for name, _ in headers):
            headers = [("host", host), *headers]
        if self.name == "wasm" and not url.startswith(self.url):
            headers.append(
                ("x-forwarded-proto", url.partition(":")[0])
            )  # Miniflare's way to be told
        pieces = message(method, target, headers, body)
        return await exchange(self.url, pieces, is_head=method == "HEAD")

    def log(self) -> bytes:
        """Return all that the server has written to its standard error."""
        return self._log()
