"""The Worker with FastAPI, behind the ASGI bridge of Cloudflare's SDK, as their docs write one."""

import hashlib
import time
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from workers import WorkerEntrypoint, asgi

FIND_SESSION = (
    "SELECT s.id AS s_id, s.user_id AS s_user_id, s.active_expires AS s_active_expires,"
    " s.idle_expires AS s_idle_expires, s.created_at AS s_created_at, u.id AS u_id,"
    " u.username AS u_username, u.role AS u_role FROM user_session s"
    " JOIN user u ON u.id = s.user_id WHERE s.id = ?1"
)
LIST_NOTES = "SELECT id, user_id, title, body, created_at, updated_at FROM note LIMIT 100"


class Account(BaseModel):
    """Who signs in."""

    id: str
    username: str
    role: str


class NewNote(BaseModel):
    """What a client sends."""

    title: str = Field(min_length=1, max_length=100)
    body: str = Field(max_length=10_000)
    tags: list[str] = Field(max_length=10)


class Note(BaseModel):
    """A row of `note`."""

    id: int
    user_id: str
    title: str
    body: str
    created_at: int
    updated_at: int


app = FastAPI()


async def authorized(
    request: Request, token: Annotated[str | None, Cookie(alias="__Host-auth_session")] = None
) -> Account:
    """Find the session."""
    if token is None or len(token) != 40:
        raise HTTPException(401, "sign in first")
    digest = hashlib.sha256(token.encode()).hexdigest()
    row = await request.scope["env"].DB.prepare(FIND_SESSION).bind(digest).first()
    if row is None or row["s_idle_expires"] <= time.time() * 1000:
        raise HTTPException(401, "sign in first")
    return Account(id=row["u_id"], username=row["u_username"], role=row["u_role"])


@app.get("/users/{id}")
async def show(id: int) -> dict[str, int | str]:
    """Show a user."""
    return {"id": id, "name": f"user {id}"}


@app.get("/me")
async def me(user: Annotated[Account, Depends(authorized)]) -> Account:
    """Show who is signed in."""
    return user


@app.post("/notes")
async def create(note: NewNote) -> dict[str, int | str]:
    """Take a note."""
    return {"title": note.title, "length": len(note.body), "tags": len(note.tags)}


@app.get("/notes")
async def index(request: Request) -> list[Note]:
    """List a hundred notes."""
    result = await request.scope["env"].DB.prepare(LIST_NOTES).all()
    return result.results


@app.get("/asked")
async def asked(request: Request) -> dict[str, bool]:
    """Ask for a hundred notes and leave them where they are: past the SDK, which would convert them."""
    await request.scope["env"]._env.DB.prepare(LIST_NOTES).all()
    return {"asked": True}


class Default(WorkerEntrypoint):
    """Hands everything to the bridge."""

    async def fetch(self, request: Any) -> Any:
        """Answer through ASGI."""
        return await asgi.fetch(app, request.js_object, self.env, self.ctx)
