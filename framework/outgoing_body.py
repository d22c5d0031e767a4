"""What the body of an answer may be: bytes, or a stream that yields some. Knows nothing of answers."""

from collections.abc import AsyncIterator
from typing import Any

__all__ = ["body_of", "bytes_of", "check_chunk", "check_stream", "close_body"]


def bytes_of(given: object) -> bytes | None:
    """Return what is sent of *given*, bytes or text, which is UTF-8; None where it is neither."""
    if isinstance(given, str):
        return given.encode()
    return bytes(given) if isinstance(given, bytes | bytearray | memoryview) else None


def body_of(given: Any) -> bytes | AsyncIterator[bytes]:
    """Return the body that *given* stands for: text is sent in UTF-8. Raises `TypeError`."""
    whole = bytes_of(given)
    if whole is not None:
        return whole
    check_stream(given, "a body is bytes, text or an async iterator of bytes")
    stream: AsyncIterator[bytes] = given
    return stream


def check_stream(given: object, rule: str) -> None:
    """Raise `TypeError` where *given* is no async iterator, though *rule* says so."""
    if hasattr(given, "__aiter__"):
        return
    hint = "Response.json(...) sends what can be JSON"
    if hasattr(given, "__await__"):
        hint = "await it"
    elif hasattr(given, "__next__"):
        hint = "write its function with async def"
    elif callable(given):
        hint = "call it"
    raise TypeError(f"{rule}, not a {type(given).__name__}: {hint}")


def check_chunk(chunk: bytes) -> bytes:
    """Return *chunk*, a part of a stream. Raises `TypeError` where it is not bytes."""
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise TypeError(
            f"a stream yields bytes, not {type(chunk).__name__}: framework.streaming.stream takes text"
        )
    return chunk


async def close_body(body: object) -> None:
    """Close *body* if it is a stream that can be closed: an async generator runs its ``finally``."""
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()
