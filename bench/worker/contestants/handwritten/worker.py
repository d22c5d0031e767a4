"""The Worker as one would write it by hand, with Cloudflare's SDK and msgspec. Knows no framework."""

import hashlib
import re
import time
from http.cookies import SimpleCookie
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from workers import Response, WorkerEntrypoint

USER = re.compile(r"/users/(0|[1-9][0-9]{0,15})")
LIMIT = 1024 * 1024
FIND_SESSION = (
    "SELECT s.id AS s_id, s.user_id AS s_user_id, s.active_expires AS s_active_expires,"
    " s.idle_expires AS s_idle_expires, s.created_at AS s_created_at, u.id AS u_id,"
    " u.username AS u_username, u.role AS u_role FROM user_session s"
    " JOIN user u ON u.id = s.user_id WHERE s.id = ?1"
)
LIST_NOTES = "SELECT id, user_id, title, body, created_at, updated_at FROM note LIMIT 100"
NO_SNIFF = {"x-content-type-options": "nosniff"}
PRIVATE = {**NO_SNIFF, "cache-control": "private, no-store", "vary": "cookie"}


class NewNote(msgspec.Struct):
    """What a client sends."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    body: Annotated[str, msgspec.Meta(max_length=10_000)]
    tags: Annotated[list[str], msgspec.Meta(max_length=10)]


decode_note = msgspec.json.Decoder(NewNote).decode


class Default(WorkerEntrypoint):
    """Five routes."""

    async def fetch(self, request: Any) -> Any:
        """Find the route by hand."""
        url = urlsplit(request.url)
        method = request.method
        if match := USER.fullmatch(url.path):
            if method not in ("GET", "HEAD"):
                return error(405, "method not allowed")
            id = int(match[1])
            return answer({"id": id, "name": f"user {id}"})
        if url.path == "/me" and method == "GET":
            return await self._me(request)
        if url.path == "/notes" and method == "GET":
            result = await self.env.DB.prepare(LIST_NOTES).all()
            return answer(result.results)
        if url.path == "/asked" and method == "GET":
            await self.env._env.DB.prepare(
                LIST_NOTES
            ).all()  # past the SDK, which would convert the rows
            return answer({"asked": True})
        if url.path == "/notes" and method == "POST":
            return await self._create(request, f"{url.scheme}://{url.netloc}")
        return error(404, "not found")

    async def _me(self, request: Any) -> Any:
        cookie = SimpleCookie(request.headers.get("cookie") or "").get("__Host-auth_session")
        if cookie is None:
            return error(401, "sign in first", PRIVATE)
        digest = hashlib.sha256(cookie.value.encode()).hexdigest()
        if len(cookie.value) != 40:
            return error(401, "sign in first", PRIVATE)
        row = await self.env.DB.prepare(FIND_SESSION).bind(digest).first()
        if row is None or row["s_idle_expires"] <= time.time() * 1000:
            return error(401, "sign in first", PRIVATE)
        user = {"id": row["u_id"], "username": row["u_username"], "role": row["u_role"]}
        return answer(user, PRIVATE)

    async def _create(self, request: Any, origin: str) -> Any:
        headers = request.headers
        if headers.get("sec-fetch-site") != "same-origin" and headers.get("origin") != origin:
            return error(403, "cross-site")
        if (headers.get("content-type") or "").partition(";")[0].strip() != "application/json":
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


def answer(value: Any, headers: dict[str, str] = NO_SNIFF) -> Any:
    """Return *value* as JSON."""
    return Response.from_json(value, headers=headers)


def error(status: int, detail: str, headers: dict[str, str] = NO_SNIFF) -> Any:
    """Return why not."""
    return Response.from_json({"status": status, "detail": detail}, status, headers=headers)
