"""Carries a request from JavaScript to the application, and the answer back, in few crossings."""

from asyncio import ensure_future, sleep
from collections.abc import Awaitable, Coroutine
from importlib import import_module
from inspect import signature  # the SDK imports it anyway
from time import monotonic
from typing import Any

from js import Object, Promise, TransformStream
from js import Response as JSResponse
from pyodide.ffi import to_js
from workers import WorkerEntrypoint

from framework.application import App
from framework.response import Response
from framework.shared_headers import SharedHeaders
from framework.workers.env import WorkerEnv
from framework.workers.incoming import read_request
from framework.workers.queues import read_batch
from framework.workers.streams import pump

__all__ = ["entrypoint"]

_HALVES = ("framework.workers.fetching", "framework.workers.scrypt")
"""Modules by which some apps ask JavaScript. Other apps do not upload them: `kagari build` finds out."""


def entrypoint(app: App) -> type[Any]:
    """Return the class that workerd makes an instance of for each request to *app*.

    Assign it to ``Default`` in the main module; `kagari build` writes that module. It has no public
    method but its handlers, since each would be callable over RPC.
    """
    for half in _HALVES:
        _provide(half)
    app.prepare()

    class Default(WorkerEntrypoint):
        """What workerd calls."""

        async def fetch(self, request: Any) -> Any:
            """Answer one HTTP request."""
            ctx = self.ctx
            held = _Held(
                app.handle(
                    read_request(getattr(request, "js_object", request)),
                    WorkerEnv(self.env),
                    _Later(ctx).begin,
                ),
                ctx,
            )
            try:
                response: Response = await held
            finally:
                if held.end:
                    held.end.resolve()
            return _to_javascript(response, ctx)

        # Pyodide works out the signature for each request; stored here, that costs a third less.
        fetch.__dict__["__signature__"] = signature(fetch)

        async def scheduled(self, controller: Any, *_: Any) -> None:
            """Run what is due at one tick of a cron trigger."""
            await app.run_cron(controller.cron, WorkerEnv(self.env), int(controller.scheduledTime))

        async def queue(self, batch: Any, *_: Any) -> None:
            """Hand one batch of a queue to its consumer."""
            await app.run_queue(read_batch(batch, WorkerEnv(self.env)))

    return Default


def _provide(half: str) -> None:
    try:
        module = import_module(half)
    except ModuleNotFoundError as error:
        if error.name != half:
            raise
    else:
        module.provide()


class _Later:
    """Begins work once the answer has gone: it would wait for what that does first, and tell of it."""

    timer: Any = None
    """One for all that comes within 5 ms: workerd takes 1 ms for each, and has 10,000."""
    until = -1.0

    def __init__(self, ctx: Any) -> None:
        self.ctx = ctx

    def begin(self, work: Awaitable[Any]) -> None:
        """Let *work* begin in 50 ms; 1 ms is too few in workerd, and 5 are enough."""
        if monotonic() > self.until:
            self.timer = ensure_future(sleep(0.05))
            self.until = monotonic() + 0.005
        self.ctx.waitUntil(ensure_future(_after(self.timer, work)))


async def _after(timer: Awaitable[None], work: Awaitable[Any]) -> None:
    await timer
    await work


class _Held:
    """What is awaited in the place of *work*, and lets it come to its end where its client goes.

    Else workerd would drop it with what it waits for, and Pyodide would keep both for ever. It has 30 seconds
    for that. Who waits for nothing is not cut short, so that nothing is asked of JavaScript for that.
    """

    end: Any = None
    """The promise, with what keeps it, once it waits for something."""

    def __init__(self, work: Coroutine[Any, Any, Response], ctx: Any) -> None:
        # Thrown into *work* by a function that catches it first, an error would never be over there.
        self.send, self.throw = work.send, work.throw
        self.ctx = ctx

    def __await__(self) -> Any:
        return self

    def __next__(self) -> Any:
        awaited = self.send(None)
        if self.end is None:
            self.end = Promise.withResolvers()
            self.ctx.waitUntil(self.end.promise)
        return awaited


def _to_javascript(response: Response, ctx: Any) -> Any:
    body = response.body
    if isinstance(body, bytes):
        return JSResponse.new(_content(body, response), _options(response))
    channel = TransformStream.new()
    ctx.waitUntil(ensure_future(pump(body, channel.writable.getWriter())))
    return JSResponse.new(channel.readable, _options(response))


def _options(response: Response) -> Any:
    """Return status and headers as JavaScript takes them; what many answers share is made once.

    It is made in a request, never at import: no snapshot could hold it.
    """
    headers = response.headers
    if type(headers) is not SharedHeaders:
        return _make_options(response)
    if headers.encoded is None:
        headers.encoded = {}
    if response.status not in headers.encoded:
        headers.encoded[response.status] = _make_options(response)
    return headers.encoded[response.status]


def _make_options(response: Response) -> Any:
    options: dict[str, Any] = {"status": response.status, "headers": response.headers}
    if response.header("content-encoding"):  # it is so already: workerd would encode it once more
        options["encodeBody"] = "manual"
    return to_js(options, dict_converter=Object.fromEntries)


def _content(body: bytes, response: Response) -> Any:
    """Return *body* as JavaScript takes it: ASCII as text, which crosses at once, and else its bytes.

    Any other text would cross character by character. An answer without a type gets none from bytes.
    """
    if not body:
        return None
    return body.decode() if body.isascii() and response.header("content-type") else to_js(body)
