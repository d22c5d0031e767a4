"""Speaks HTTP/1.1 over a socket, as crooked as it is told to. Knows nothing of the app.

No client library sends what this suite has to send: paths as they are, any method, headers that
come twice, a body in chunks or longer than it says; and none keeps repeated headers apart as well.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from framework.request import split_url
from framework.response import Header, Response, make

__all__ = ["WireError", "exchange", "message"]

Send = Callable[[bytes], Awaitable[None]]
Ends = tuple[asyncio.StreamReader, Send]

_PORTS = {"http": 80, "https": 443}
_PATIENCE = 20
_READ_LIMIT = 64 * 1024


class WireError(Exception):
    """The server closed the connection, or answered with what is no HTTP."""


def message(
    method: str, target: str, headers: Sequence[Header], body: bytes | Sequence[bytes]
) -> list[bytes]:
    """Return a request in the pieces in which it is sent. A sequence of bytes goes in chunks."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if isinstance(body, bytes):
        if body or method in {"POST", "PUT", "PATCH"}:
            lines.append(f"content-length: {len(body)}")
        pieces = [body] if body else []
    else:
        lines.append("transfer-encoding: chunked")
        pieces = [*(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in body), b"0\r\n\r\n"]
    return ["\r\n".join([*lines, "connection: close", "", ""]).encode(), *pieces]


async def exchange(url: str, pieces: Sequence[bytes], *, is_head: bool = False) -> Response:
    """Send *pieces* to the server of *url* and return its answer. Raises `WireError`.

    Writing and reading go on at the same time, and apart: a server may refuse before it has read
    everything, and what it said then still counts.
    """
    scheme, host, _, _ = split_url(url)
    name, _, port = host.partition(":")
    connect = _connect_securely if scheme == "https" else _connect
    async with asyncio.timeout(_PATIENCE), connect(name, int(port or _PORTS[scheme])) as ends:
        reader, send = ends
        sending = asyncio.create_task(_send(send, pieces))
        try:
            return await _read_answer(reader, is_head)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WireError("the server closed the connection") from error
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(send: Send, pieces: Sequence[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            await send(piece)


@contextlib.asynccontextmanager
async def _connect(host: str, port: int) -> AsyncIterator[Ends]:
    """Open a bare socket: asyncio's streams lose what was received when a write fails."""
    loop = asyncio.get_running_loop()
    kind, *_, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
    reader = asyncio.StreamReader(_READ_LIMIT)
    with socket.socket(kind, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, address)
        receiving = asyncio.create_task(_receive(connection, reader))
        try:
            yield reader, lambda piece: loop.sock_sendall(connection, piece)
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)


async def _receive(connection: socket.socket, reader: asyncio.StreamReader) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while data := await loop.sock_recv(connection, _READ_LIMIT):
            reader.feed_data(data)
    reader.feed_eof()


@contextlib.asynccontextmanager
async def _connect_securely(host: str, port: int) -> AsyncIterator[Ends]:
    context = ssl.create_default_context()
    reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_READ_LIMIT)

    async def send(piece: bytes) -> None:
        writer.write(piece)
        await writer.drain()

    try:
        yield reader, send
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader, is_head: bool) -> Response:
    status, headers = await _read_head(reader)
    while 100 <= status < 200:
        status, headers = await _read_head(reader)
    named = dict(headers)
    if is_head or status in {204, 304}:
        body = b""
    elif "chunked" in named.get("transfer-encoding", ""):
        body = await _read_chunks(reader)
    elif "content-length" in named:
        body = await _read_exactly(reader, int(named["content-length"]), status)
    else:
        body = await reader.read()
    return make(body, status, headers)


async def _read_exactly(reader: asyncio.StreamReader, length: int, status: int) -> bytes:
    """Return a body. Of a 413, what came: who closes on unread data may reset the rest away."""
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if status != 413:
            raise
        return error.partial


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, list[Header]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise WireError(f"no HTTP: {lines[0]!r}")
    pairs = [line.partition(":") for line in lines[1:-2]]
    return int(rest[:3]), [(name.lower(), value.strip()) for name, _, value in pairs]


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(chunks)
