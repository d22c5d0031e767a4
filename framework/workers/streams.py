"""Reads a JavaScript ReadableStream up to a size. Knows nothing of whose it is."""

from typing import Any

__all__ = ["TooLong", "read_stream"]


class TooLong(Exception):
    """The stream holds more than was to be read; it is cancelled."""


async def read_stream(stream: Any, limit: int, length: int | None = None) -> bytes:
    """Return what *stream* holds; never hold more than *limit* bytes and one chunk of it.

    JavaScript's null is an empty one. Where its *length* is known, nothing is asked of it past that:
    a turn of the event loop less. Raises `TooLong` past *limit* bytes, and `JsException` where
    the stream breaks.
    """
    try:
        reader = stream.getReader()
    except AttributeError:  # of None, or of JavaScript's null
        return b""
    chunks: list[bytes] = []
    size = 0
    while True:
        step = await reader.read()
        if step.done:
            return b"".join(chunks)
        chunk: bytes = step.value.to_bytes()
        size += len(chunk)
        if size > limit:
            await reader.cancel()
            raise TooLong
        chunks.append(chunk)
        if size == length:
            return b"".join(chunks)
