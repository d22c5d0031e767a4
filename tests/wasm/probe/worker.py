"""A Worker that shows what the harness gives it. Answers by path; knows nothing of the framework."""

import asyncio
import json
import random
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import js
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw
from workers import Response, WorkerEntrypoint


def attempt(chance: Callable[[], object]) -> str:
    """Return the error that *chance* raises, by type and text."""
    try:
        return f"allowed: {chance()}"
    except Exception as refused:
        return f"{type(refused).__name__}: {refused}"


def os_urandom() -> bytes:
    """Draw from the system the plainest way."""
    import os

    return os.urandom(8)


CHANCES: dict[str, Callable[[], object]] = {
    "os.urandom": os_urandom,
    "random.random": random.random,
    "random.SystemRandom": lambda: random.SystemRandom().random(),
    "random.Random": lambda: random.Random().random(),
    "secrets.token_bytes": lambda: secrets.token_bytes(8),
    "uuid.uuid4": uuid.uuid4,
    "crypto.randomUUID": lambda: js.crypto.randomUUID(),
}
AT_IMPORT = {name: attempt(chance) for name, chance in CHANCES.items()}
TIME_AT_IMPORT = time.time()
hasher = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)


class Default(WorkerEntrypoint):
    """Answers GET /name?argument with what the method of that name returns."""

    async def fetch(self, request: Any) -> Any:
        """Find the method and call it."""
        address = urlsplit(request.url)
        return await getattr(self, f"_{address.path.strip('/')}")(request, unquote(address.query))

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        """Leave a row behind."""
        insert = "INSERT INTO probe (id, note) VALUES (?, ?)"
        await self.env.DB.prepare(insert).bind(controller.cron, f"{env} {ctx}").run()

    async def _chances(self, _request: Any, _query: str) -> Any:
        in_request = {name: attempt(chance) for name, chance in CHANCES.items()}
        return Response.from_json(
            {"import": AT_IMPORT, "request": in_request, "time": TIME_AT_IMPORT}
        )

    async def _hash(self, _request: Any, password: str) -> Any:
        return js.Response.new(hasher.hash(password))

    async def _verify(self, _request: Any, query: str) -> Any:
        stored, password = query.split(" ")
        try:
            return js.Response.new(str(hasher.verify(stored, password)))
        except VerifyMismatchError as mismatch:
            return js.Response.new(str(mismatch))

    async def _raw(self, _request: Any, password: str) -> Any:
        raw = hash_secret_raw(password.encode(), b"saltsalt", 1, 64, 1, 16, Type.ID)
        return js.Response.new(raw.hex())

    async def _request(self, request: Any, _query: str) -> Any:
        given = request.js_object
        headers = json.loads(js.JSON.stringify(js.Object.fromEntries(given.headers)))
        about = {"method": given.method, "url": given.url, "country": given.cf.country}
        return Response.from_json({**about, "headers": headers})

    async def _cookies(self, _request: Any, _query: str) -> Any:
        headers = js.Headers.new()
        headers.append("set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
        headers.append("set-cookie", "b=2")
        return js.Response.new("", headers=headers)

    async def _upload(self, request: Any, limit: str) -> Any:
        reader = request.js_object.body.getReader()
        size = 0
        while not (chunk := await reader.read()).done:
            size += chunk.value.length
            if size > int(limit):
                await reader.cancel()
                return js.Response.new(str(size), status=413)
        return js.Response.new(str(size))

    async def _status(self, _request: Any, status: str) -> Any:
        return js.Response.new(None, status=int(status))

    async def _sleep(self, _request: Any, seconds: str) -> Any:
        await asyncio.sleep(float(seconds))
        return js.Response.new("slept")

    async def _later(self, _request: Any, note: str) -> Any:
        insert = self.env.DB.prepare("INSERT INTO probe (id, note) VALUES ('later', ?)")
        self.ctx.waitUntil(insert.bind(note).run())
        return js.Response.new("soon")

    async def _first(self, _request: Any, identity: str) -> Any:
        row = await self.env.DB.prepare("SELECT * FROM probe WHERE id = ?").bind(identity).first()
        return Response.from_json(row)

    async def _eval(self, _request: Any, _query: str) -> Any:
        return js.Response.new(attempt(lambda: js.eval("1")))

    async def _fail(self, _request: Any, text: str) -> Any:
        raise ValueError(text)
