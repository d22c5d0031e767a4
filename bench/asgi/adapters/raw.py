"""Handwritten ASGI with msgspec: the floor that everything else is measured against."""

from collections.abc import Callable
from typing import Any

import msgspec

from bench.asgi.client import ASGI
from bench.asgi.shared import GROUPS, SESSIONS, Item

QUIRKS: dict[str, Any] = {}

START = "http.response.start"
BODY = "http.response.body"
TEXT = (b"content-type", b"text/plain; charset=utf-8")
JSON = (b"content-type", b"application/json")

encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(Item).decode


async def _answer(send: Any, status: int, body: bytes, *headers: Any) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": START, "status": status, "headers": [*headers, length]})
    await send({"type": BODY, "body": body})


async def _read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def small() -> ASGI:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return None
        path, method = scope["path"], scope["method"]
        if path == "/":
            if method != "GET":
                return await _answer(send, 405, b"", (b"allow", b"GET"))
            return await _answer(send, 200, b"Hello, World!", TEXT)
        if path.startswith("/users/"):
            if method != "GET":
                return await _answer(send, 405, b"", (b"allow", b"GET"))
            text = path[7:]
            if not text.isdecimal():
                return await _answer(send, 404, b"")
            return await _answer(send, 200, encode({"id": int(text)}), JSON)
        if path == "/items":
            if method != "POST":
                return await _answer(send, 405, b"", (b"allow", b"POST"))
            try:
                item = decode_item(await _read(receive))
            except msgspec.DecodeError:
                return await _answer(send, 422, b"")
            return await _answer(send, 200, encode(item), JSON)
        if path == "/me":
            user = _find_user(scope["headers"])
            if user is None:
                return await _answer(send, 401, b"")
            return await _answer(send, 200, encode(user), JSON)
        return await _answer(send, 404, b"")

    return app


def _find_user(headers: Any) -> Any:
    for name, value in headers:
        if name == b"cookie":
            for pair in value.split(b"; "):
                key, _, token = pair.partition(b"=")
                if key == b"session":
                    return SESSIONS.get(token.decode("latin-1"))
    return None


def table() -> ASGI:
    groups = {f"r{group}" for group in range(GROUPS)}

    async def app(scope: Any, _: Any, send: Any) -> None:
        if scope["type"] != "http":
            return None
        if scope["method"] != "GET":
            return await _answer(send, 405, b"", (b"allow", b"GET"))
        parts = scope["path"].split("/")
        count = len(parts)
        if count < 3 or parts[1] not in groups:
            return await _answer(send, 404, b"")
        if parts[2] == "users":
            if count == 3:
                body = b"ok"
            elif count == 4:
                body = parts[3].encode()
            elif count == 6 and parts[4] == "posts":
                body = f"{parts[3]} {parts[5]}".encode()
            else:
                return await _answer(send, 404, b"")
        elif count == 4 and parts[2] == "static" and parts[3] == "page":
            body = b"ok"
        else:
            return await _answer(send, 404, b"")
        return await _answer(send, 200, body, TEXT)

    return app


def _layered(wrap: Callable[[ASGI, int], ASGI]) -> ASGI:
    app = small()
    for number in reversed(range(5)):
        app = wrap(app, number)
    return app


def _pass(app: ASGI, _: int) -> ASGI:
    async def layer(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return layer


def _set_header(app: ASGI, number: int) -> ASGI:
    header = (f"x-layer-{number}".encode(), b"1")

    async def layer(scope: Any, receive: Any, send: Any) -> None:
        async def send_more(message: Any) -> None:
            if message["type"] == START:
                message["headers"].append(header)
            await send(message)

        await app(scope, receive, send_more)

    return layer


def middlewares() -> ASGI:
    return _layered(_pass)


def headers() -> ASGI:
    return _layered(_set_header)
