"""A Worker whose answers tell what its edge made of what it was handed."""

import asyncio
import gc
import gzip
import sys
from asyncio import ensure_future, sleep
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

import js
import msgspec
from pyodide.ffi import JsException

from framework import App, Batch, Context, Form, Query, Request, Response, public
from framework.middleware.timeout import timeout
from framework.router import Router
from framework.workers import entrypoint
from framework.workers.streams import TooLong, read_stream

app = App()


@app.get("/files/:file{.+}", guard=public)
async def show_file(file: str) -> str:
    return file


class Stay(msgspec.Struct):
    days: int


@app.post("/stay", guard=public)
async def stay(stay: Form[Annotated[Stay, "how long"]]) -> int:
    return stay.days


@app.get("/header", guard=public)
async def header() -> Response:
    return Response("", headers=[("x", "café"), ("set-cookie", "a=é")])


@app.get("/mail", guard=public)
async def mail(c: Context) -> str:
    message = {"to": "ada@example.com", "from": "b@example.com", "subject": "s", "text": "t"}
    return str((await c.env["EMAIL"].send(**message)).messageId)


@app.get("/mail/many", guard=public)
async def mail_to_many(c: Context) -> str:
    sender = {"email": "b@example.com", "name": "Bob"}
    message: dict[str, Any] = {"from": sender, "subject": "s", "text": "t", "html": "<p>t"}
    sent = await c.env["EMAIL"].send(to=["ada@example.com", "cy@example.com"], **message)
    return str(sent.messageId)


@app.get("/service", guard=public)
async def service(c: Context) -> list[Any]:
    service = c.env["SERVICE"]
    answer = await service.fetch("https://service.test/a")
    sent = await service.send(to="ada")
    return [await answer.text(), await service.prepare("b"), sent, hasattr(service, "__await__")]


@app.get("/service/values", guard=public)
async def service_values(c: Context) -> list[Any]:
    service = c.env["SERVICE"]
    given = await service.given({"a": [1]}, [1], b"\x00", None, "a", 1.5, True, key={"b": None})
    kinds = await service.kinds()
    seconds = kinds["date"].timestamp()
    return [given, bytes(kinds["bytes"]).hex(), kinds["list"], kinds["nothing"], seconds]


@app.post("/service", guard=public)
async def service_takes(c: Context) -> Response:
    asked = {"x-asked": "yes"}
    answer = await c.env["SERVICE"].fetch(
        "https://service.test/a", method="PUT", headers=asked, body=await c.request.bytes()
    )
    return Response(await answer.bytes(), headers=[("x-told", answer.headers["x-told"])])


@app.get("/service/absent", guard=public)
async def absent(c: Context) -> str:
    return str(await c.env["SERVICE"].absent())


in_time = Router("/in-time")
in_time.use(timeout(5))


@in_time.get("/", guard=public)
async def quick() -> str:
    return "quick"


app.mount(in_time)


BODIES = {
    "ascii": Response.text("plain"),
    "latin": Response.text("café"),
    "beyond": Response.json(["猫", "😀"]),
    "binary": Response.bytes(b"\x00\xff"),
    "in-ascii": Response.bytes(b"plain"),
    "untyped": Response(b"plain"),
    "untyped-text": Response("café"),
    "latin-1": Response(
        "café".encode("latin-1"), headers=[("content-type", "text/plain; charset=latin-1")]
    ),
}


@app.get("/bodies/:name", guard=public)
async def body(name: str) -> Response:
    return BODIES[name]


@app.post("/size", guard=public)
async def size(c: Context) -> int:
    return len(await c.request.bytes())


@app.post("/echo", guard=public)
async def echo(c: Context) -> bytes:
    return await c.request.bytes()


async def work() -> int:
    return sum(range(5_000_000))


@app.get("/busy/:when", guard=public)
async def busy(c: Context, when: str) -> None:
    if when == "after":
        c.wait_until(work())
    else:
        await work()


begun: list[int] = []


async def begin(number: int) -> None:
    begun.append(number)


@app.get("/many", guard=public)
async def wait_for_many(c: Context, count: Query[int]) -> None:
    for number in range(count):
        c.wait_until(begin(number))


@app.get("/begun", guard=public)
async def show_begun() -> list[int | bool]:
    return [len(begun), begun == sorted(begun)]


@app.get("/made/:kind", guard=public)
async def read_made(kind: str, length: Query[int], limit: Query[int]) -> str:
    stream = js.Response.new("x" * 20_000).body
    if kind == "values":  # is no stream of bytes
        stream = stream.pipeThrough(js.TransformStream.new())
    try:
        return str(len(await read_stream(stream, limit, length)))
    except TooLong:
        return "too long"


@app.get("/no-name", guard=public)
async def no_name(c: Context) -> bool:
    return c.request.headers.get("no name") is None


@app.get("/nothing", guard=public)
async def nothing() -> None: ...


@app.get("/compressed", guard=public)
async def compressed() -> Response:
    return Response(gzip.compress(b"hello"), headers=[("content-encoding", "gzip")])


@app.get("/cancelled", guard=public)
async def cancelled() -> None:
    waiting = ensure_future(sleep(3600))
    waiting.cancel()
    await waiting


@app.get("/handled", guard=public)
async def handled() -> str:
    with suppress(JsException):
        await js.Promise.reject(js.Error.new("no"))
    return str(sys.exc_info()[1])


over: list[str] = []
"""Which streams have run their ``finally``."""


async def chunks(name: str, *given: Any, pause: float = 0) -> AsyncIterator[Any]:
    try:
        for chunk in given:
            yield chunk
            await sleep(pause)
    finally:
        over.append(name)


async def endless() -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"x" * 1000
            await sleep(0.001)
    finally:
        over.append("endless")


@app.get("/streams/over", guard=public)
async def list_over() -> list[str]:
    return over


@app.get("/streams/:name", guard=public)
async def stream(name: str) -> Response:
    bodies = {
        "endless": endless(),
        "waiting": chunks("waiting", b"first", b"second", pause=3600),
        "whole": chunks("whole", b"a", bytearray(b"b"), memoryview(b"c")),
        "text": chunks("text", b"a", "b"),
    }
    return Response(bodies[name])


@app.get("/ends", guard=public)
async def end_late() -> None:
    try:
        await sleep(0.5)
    finally:
        over.append("late")


@app.get("/requests", guard=public)
async def count_requests() -> int:
    return sum(isinstance(each, Request) for each in gc.get_objects())


came = asyncio.Event()
"""What no request may wait for: another one sets it."""


@app.get("/waits", guard=public)
async def wait_for_another() -> None:
    await came.wait()


@app.post("/messages", guard=public)
async def send_message(c: Context) -> None:
    await c.env["MAILS"].send(await c.request.json())


consumed: list[Any] = []


@app.get("/messages", guard=public)
async def list_consumed() -> list[Any]:
    return consumed


@app.queue("mails")
async def consume(batch: Batch) -> None:
    for message in batch.messages:
        consumed.append(["mails", message.body, message.attempts])
        if message.body == "bad":
            raise ValueError("nobody takes this one")


@app.queue("given-up")
async def consume_given_up(batch: Batch) -> None:
    consumed.extend(["given-up", message.body, message.attempts] for message in batch.messages)


@app.get("/objects", guard=public)
async def count_objects() -> int:
    gc.collect()
    return len(gc.get_objects())


Default = entrypoint(app)
