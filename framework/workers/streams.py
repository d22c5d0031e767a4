"""Carries streams between JavaScript and Python, whole or as they come. Knows nothing of whose they are."""

from asyncio import ensure_future
from collections.abc import AsyncIterator
from typing import Any

from js import JSON, Array, Promise, Uint8Array
from pyodide.ffi import JsException, to_js

from framework.departure import Departure
from framework.outgoing_body import check_chunk, close_body

__all__ = ["TooLong", "pump", "read_stream"]


class TooLong(Exception):
    """The stream holds more than was to be read; it is cancelled."""


async def read_stream(stream: Any, limit: int, length: int | None = None) -> bytes:
    """Return what *stream* holds; never hold more than *limit* bytes and one chunk of it.

    JavaScript's null stands for an empty stream. Where its *length* is known, nothing is read past
    that, which saves a turn of the event loop, and what is long comes in few pieces. Raises
    `TooLong` past *limit* bytes, and `JsException` where the stream breaks.
    """
    total = length or limit + 1
    is_long = total > 4096  # workerd hands out as much without room
    try:
        reader = _reader(stream, is_long)
    except AttributeError:  # of None, or of JavaScript's null
        return b""
    chunks: list[bytes] = []
    size = 0
    while True:
        room = min(total - size, 65536)  # no more: a client may announce much and send nothing
        options = [Uint8Array.new(room), JSON.parse(f'{{"min":{room}}}')] if is_long else []
        step = await reader.read(*options)
        value = step.value
        if value is not None:  # what is less than the room may come with the end
            chunk: bytes = value.to_bytes()
            size += len(chunk)
            if size > limit:
                await reader.cancel()
                raise TooLong
            chunks.append(chunk)
        if step.done or size >= total:
            return b"".join(chunks)
        if not is_long:  # it comes in bits, each of which would cost as much as the whole
            reader.releaseLock()
            is_long = True
            reader = _reader(stream, is_long)


def _reader(stream: Any, is_long: bool) -> Any:
    """Return a reader of *stream*, one that looks at the room where it *is_long*."""
    try:
        return stream.getReader(JSON.parse('{"mode":"byob"}')) if is_long else stream.getReader()
    except JsException:  # no stream of bytes
        return stream.getReader()


async def pump(chunks: AsyncIterator[bytes], writer: Any) -> None:
    """Write *chunks* to the JavaScript stream of *writer*, and close both.

    Whatever the chunks wait for is cancelled when the client goes, as on the local server: that is no
    error. Where they break off, so does the stream, and this raises what they raise.
    """
    closed = ensure_future(_settle(Array.of(writer.closed)))
    try:
        with Departure(closed) as departure:
            async for chunk in chunks:
                if not await _call(writer, "write", to_js(check_chunk(chunk))):
                    return
            departure.ignore()
            await _call(writer, "close")
    except BaseException:
        await _call(writer, "abort")
        raise
    finally:
        await close_body(chunks)


async def _call(writer: Any, method: str, argument: Any = None) -> bool:
    """Call *method* of *writer*; return whether it succeeded: it does not where the client has gone."""
    return await _settle(Array.of(argument).map(getattr(writer, method).bind(writer)))


async def _settle(promises: Any) -> bool:
    """Wait for the one promise in the JavaScript array *promises*; return whether it was kept.

    A writer's are broken with undefined when the client goes. Pyodide cannot raise that, and would
    wait for ever: they are settled in JavaScript first.
    """
    [outcome] = await Promise.allSettled(promises)
    kept: bool = outcome.status == "fulfilled"
    return kept
