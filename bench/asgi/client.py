"""Calls an ASGI application as a server does, in this process. Knows no workload.

A request gets its own scope with its own ``state``, a ``receive`` that gives the body once and then
waits for the end of the answer to say ``http.disconnect``, and a ``send`` that notes that end.
"""

from asyncio import Future, create_task, get_running_loop
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from bench.asgi.workloads import Request

__all__ = ["ASGI", "Lifespan", "call_each", "exchange"]

Message = MutableMapping[str, Any]
ASGI = Callable[[Any, Any, Any], Awaitable[Any]]

_DISCONNECT = {"type": "http.disconnect"}


class _Exchange:
    """The server's side of one request."""

    __slots__ = ("body", "ended", "waiter")

    def __init__(self, body: bytes) -> None:
        self.body: bytes | None = body
        self.ended = False
        self.waiter: Future[None] | None = None

    async def receive(self) -> Message:
        body = self.body
        if body is not None:
            self.body = None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self.ended:
            self.waiter = get_running_loop().create_future()
            await self.waiter
        return _DISCONNECT

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.ended = True
            if self.waiter is not None and not self.waiter.done():
                self.waiter.set_result(None)


class _Recorded(_Exchange):
    """One request whose answer is kept."""

    __slots__ = ("messages",)

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        await super().send(message)


async def call_each(app: ASGI, requests: Sequence[Request]) -> None:
    """Let *app* answer *requests*, one after the other. This is what is timed."""
    for scope, body in requests:
        scope = scope.copy()
        scope["state"] = {}
        exchange = _Exchange(body)
        await app(scope, exchange.receive, exchange.send)


async def exchange(app: ASGI, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body of the answer to *request*."""
    recorded = _Recorded(request.body)
    await app({**request.scope, "state": {}}, recorded.receive, recorded.send)
    start, *rest = recorded.messages
    headers = [(name.decode().lower(), value.decode()) for name, value in start.get("headers", ())]
    return start["status"], headers, b"".join(message.get("body", b"") for message in rest)


class Lifespan:
    """Starts an application, as a server does before the first request."""

    def __init__(self, app: ASGI) -> None:
        self._app = app
        self._task: Any = None
        self._started: Any = None
        self._asked = False

    async def start(self) -> None:
        """Return when the application has started, or has said that it knows no lifespan."""
        loop = get_running_loop()
        self._started = loop.create_future()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = create_task(self._run(scope))
        await self._started

    def stop(self) -> None:
        """Give the application up, without the shutdown that a server would send."""
        self._task.cancel()

    async def _run(self, scope: Message) -> None:
        try:
            await self._app(scope, self._receive, self._send)
        except Exception:  # some know no lifespan, and say so in their own way
            if self._started.done():
                raise
        if not self._started.done():
            self._started.set_result(None)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "lifespan.startup"}
        never: Message = await get_running_loop().create_future()
        return never

    async def _send(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application did not start: {message}")
        if not self._started.done():
            self._started.set_result(None)
