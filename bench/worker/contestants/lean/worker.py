"""The Worker by hand once more, past the SDK and straight to JavaScript, for all that it saves.

Nobody writes a whole application like this; it is the floor under everybody.
"""

import hashlib
import re
import time
from typing import Annotated, Any

import msgspec
from js import JSON, Headers
from js import Response as JSResponse
from workers import WorkerEntrypoint

ID = re.compile(r"0|[1-9][0-9]{0,15}")
LIMIT = 1024 * 1024
FIND_SESSION = (
    "SELECT s.id AS s_id, s.user_id AS s_user_id, s.active_expires AS s_active_expires,"
    " s.idle_expires AS s_idle_expires, s.created_at AS s_created_at, u.id AS u_id,"
    " u.username AS u_username, u.role AS u_role FROM user_session s"
    " JOIN user u ON u.id = s.user_id WHERE s.id = ?1"
)
LIST_NOTES = "SELECT id, user_id, title, body, created_at, updated_at FROM note LIMIT 100"
NO_SNIFF = [("content-type", "application/json"), ("x-content-type-options", "nosniff")]
PRIVATE = [*NO_SNIFF, ("cache-control", "private, no-store"), ("vary", "cookie")]


class NewNote(msgspec.Struct):
    """What a client sends."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    body: Annotated[str, msgspec.Meta(max_length=10_000)]
    tags: Annotated[list[str], msgspec.Meta(max_length=10)]


class Row(msgspec.Struct):
    """What the session's query gives, as far as it is read."""

    s_idle_expires: int
    u_id: str
    u_username: str
    u_role: str


class Note(msgspec.Struct):
    """A row of `note`."""

    id: int
    user_id: str
    title: str
    body: str
    created_at: int
    updated_at: int


decode_note = msgspec.json.Decoder(NewNote).decode
decode_rows = msgspec.json.Decoder(list[Row]).decode
decode_notes = msgspec.json.Decoder(list[Note]).decode
encode = msgspec.json.Encoder().encode


class Default(WorkerEntrypoint):
    """Five routes."""

    async def fetch(self, request: Any) -> Any:
        """Find the route by hand."""
        request = request.js_object
        scheme, _, rest = request.url.partition("://")
        host, _, path = rest.partition("?")[0].partition("/")
        method = request.method
        head, _, id = path.partition("/")
        if head == "users" and ID.fullmatch(id):
            if method not in ("GET", "HEAD"):
                return error(405, "method not allowed")
            return answer({"id": int(id), "name": f"user {int(id)}"})
        if path == "me" and method == "GET":
            return await self._me(request)
        if path == "notes" and method == "GET":
            result = await self.env._env.DB.prepare(LIST_NOTES).all()
            return answer(decode_notes(JSON.stringify(result.results)))
        if path == "asked" and method == "GET":
            await self.env._env.DB.prepare(LIST_NOTES).all()
            return answer({"asked": True})
        if path == "notes" and method == "POST":
            return await self._create(request, f"{scheme}://{host}")
        return error(404, "not found")

    async def _me(self, request: Any) -> Any:
        cookie = request.headers.get("cookie")
        token = ""
        for pair in cookie.split("; ") if isinstance(cookie, str) else ():
            name, _, value = pair.partition("=")
            if name == "__Host-auth_session":
                token = value
        if len(token) != 40:
            return error(401, "sign in first")
        digest = hashlib.sha256(token.encode()).hexdigest()
        result = await self.env._env.DB.prepare(FIND_SESSION).bind(digest).all()
        rows = decode_rows(JSON.stringify(result.results))
        if not rows or rows[0].s_idle_expires <= time.time() * 1000:
            return error(401, "sign in first")
        row = rows[0]
        return answer({"id": row.u_id, "username": row.u_username, "role": row.u_role}, PRIVATE)

    async def _create(self, request: Any, origin: str) -> Any:
        headers = request.headers
        if headers.get("sec-fetch-site") != "same-origin" and headers.get("origin") != origin:
            return error(403, "cross-site")
        if headers.get("content-type") != "application/json":
            return error(415, "send JSON")
        if int(headers.get("content-length") or 0) > LIMIT:
            return error(413, "too large")
        try:
            note = decode_note(await request.text())
        except msgspec.ValidationError as misfit:
            return error(422, str(misfit))
        except msgspec.DecodeError:
            return error(400, "not JSON")
        return answer({"title": note.title, "length": len(note.body), "tags": len(note.tags)})


def answer(value: Any, headers: list[tuple[str, str]] = NO_SNIFF) -> Any:
    """Return *value* as JSON."""
    return JSResponse.new(encode(value).decode(), headers=Headers.new(headers))


def error(status: int, detail: str) -> Any:
    """Return why not."""
    text = encode({"status": status, "detail": detail}).decode()
    return JSResponse.new(text, status=status, headers=Headers.new(PRIVATE))
