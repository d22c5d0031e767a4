"""A Worker that asks another server, and lets another framework answer. The server is ELSEWHERE."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from framework import App, Context, public
from framework.fetching import fetch
from framework.interop import asgi_handler
from framework.middleware.timeout import timeout
from framework.response import Response
from framework.router import Router
from framework.streaming import stream
from framework.turnstile import turnstile
from framework.workers import entrypoint

app = App()


class Wanted(msgspec.Struct):
    """What to ask for, and how."""

    path: str = "/"
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = {}
    timeout_ms: int = 5_000
    limit: int = 100_000


class Got(msgspec.Struct):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: str


@app.post("/fetch", guard=public)
async def fetch_for(c: Context, wanted: Wanted) -> Got:
    answer = await fetch(
        c.env["ELSEWHERE"] + wanted.path,
        method=wanted.method,
        headers=wanted.headers,
        body=wanted.body.encode("latin-1"),
        timeout_ms=wanted.timeout_ms,
        limit=wanted.limit,
    )
    return Got(answer.status, list(answer.headers), answer.body.decode("latin-1"))


@app.get("/at-port/:port", guard=public)
async def fetch_at(port: int) -> int:
    return (await fetch(f"http://127.0.0.1:{port}/")).status


@app.get("/growth", guard=public)
async def growth(c: Context) -> int:
    """Return how many objects 200 calls leave behind."""

    async def call(times: int) -> int:
        for _ in range(times):
            await fetch(c.env["ELSEWHERE"] + "/", method="POST", body=b"x" * 1000)
        gc.collect()
        return len(gc.get_objects())

    before = await call(20)
    return await call(200) - before


hasty = Router("/hasty")
hasty.use(timeout(0.3))


@hasty.get("/", guard=public)
async def hasty_fetch(c: Context) -> int:
    return (await fetch(c.env["ELSEWHERE"] + "/silent")).status


app.mount(hasty)


@app.get("/impatient", guard=public)
async def impatient_fetch(c: Context) -> str:
    """Return whether the other server saw the call end that was given up."""
    call = asyncio.ensure_future(fetch(c.env["ELSEWHERE"] + "/watched"))
    await asyncio.wait([call], timeout=0.2)
    call.cancel()
    await asyncio.wait([call])
    return (await fetch(c.env["ELSEWHERE"] + "/left")).body.decode()


@app.get("/person", guard=turnstile(verify_url="http://127.0.0.1:PORT/siteverify"))
async def person() -> str:
    return "in"


@app.get("/stream", guard=public)
async def numbers() -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for n in range(3):
            yield b"%d" % n
            await asyncio.sleep(0)

    return stream(chunks())


async def foreign(scope: Any, receive: Any, send: Any) -> None:
    """Answer as an ASGI application does."""
    message = await receive()
    path = scope["path"]
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    if path == "/m/stream":
        for n in range(3):
            await asyncio.sleep(0.01)
            await send({"type": "http.response.body", "body": b"%d" % n, "more_body": True})
    told = [path, scope["root_path"], scope["client"][0], message["body"].decode()]
    await send({"type": "http.response.body", "body": " ".join(told).encode()})


app.all("/m", "/m/*", guard=public)(asgi_handler(foreign))

Default = entrypoint(app)
