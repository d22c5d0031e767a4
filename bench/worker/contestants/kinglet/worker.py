"""The Worker with Kinglet 2, as its readme writes one."""

import functools
import hashlib
import time
from http.cookies import SimpleCookie
from typing import Any

from kinglet import HTTPError, Kinglet, security_decorator, validate_json_body
from kinglet.validation import LengthValidator, RequiredValidator, ValidationSchema
from workers import WorkerEntrypoint

FIND_SESSION = (
    "SELECT s.id AS s_id, s.user_id AS s_user_id, s.active_expires AS s_active_expires,"
    " s.idle_expires AS s_idle_expires, s.created_at AS s_created_at, u.id AS u_id,"
    " u.username AS u_username, u.role AS u_role FROM user_session s"
    " JOIN user u ON u.id = s.user_id WHERE s.id = ?1"
)
LIST_NOTES = "SELECT id, user_id, title, body, created_at, updated_at FROM note LIMIT 100"

app = Kinglet()
schema = ValidationSchema(
    {
        "title": [RequiredValidator(), LengthValidator(min_length=1, max_length=100)],
        "body": [LengthValidator(max_length=10_000)],
    }
)


@security_decorator
def authorized(handler: Any) -> Any:
    """Ask for a session."""

    @functools.wraps(handler)
    async def wrapped(request: Any) -> Any:
        cookie = SimpleCookie(request.header("cookie") or "").get("__Host-auth_session")
        if cookie is None or len(cookie.value) != 40:
            raise HTTPError(401, "sign in first")
        digest = hashlib.sha256(cookie.value.encode()).hexdigest()
        row = await request.env.DB.prepare(FIND_SESSION).bind(digest).first()
        if row is None or row["s_idle_expires"] <= time.time() * 1000:
            raise HTTPError(401, "sign in first")
        request.user = {"id": row["u_id"], "username": row["u_username"], "role": row["u_role"]}
        return await handler(request)

    return wrapped


@app.get("/users/{id:int}", public=True)
async def show(request: Any) -> Any:
    """Show a user."""
    id = request.path_param_int("id")
    return {"id": id, "name": f"user {id}"}


@app.get("/me")
@authorized
async def me(request: Any) -> Any:
    """Show who is signed in."""
    return request.user


@app.post("/notes", public=True)
@validate_json_body
async def create(request: Any) -> Any:
    """Take a note."""
    note = await request.json()
    if not isinstance(note, dict) or not isinstance(note.get("title"), str):
        raise HTTPError(422, "the title is no text")
    tags = note.get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise HTTPError(422, "the tags are no texts")
    result = schema.validate(note)
    if not result.is_valid:
        raise HTTPError(422, str(result.errors))
    return {"title": note["title"], "length": len(note["body"]), "tags": len(tags)}


@app.get("/notes", public=True)
async def index(request: Any) -> Any:
    """List a hundred notes."""
    result = await request.env.DB.prepare(LIST_NOTES).all()
    return result.results


@app.get("/asked", public=True)
async def asked(request: Any) -> Any:
    """Ask for a hundred notes and leave them where they are: past the SDK, which would convert them."""
    await request.env._env.DB.prepare(LIST_NOTES).all()
    return {"asked": True}


class Default(WorkerEntrypoint):
    """Hands everything to Kinglet."""

    async def fetch(self, request: Any) -> Any:
        """Answer."""
        return await app(request, self.env)
