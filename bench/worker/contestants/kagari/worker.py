"""The Worker with Kagari, as its guide writes one."""

from typing import Annotated

import msgspec

from framework import App, Context, public
from framework.auth import Auth, User
from framework.workers import entrypoint


class Account(User):
    """Who signs in."""

    username: str
    role: str


class NewNote(msgspec.Struct):
    """What a client sends."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    body: Annotated[str, msgspec.Meta(max_length=10_000)]
    tags: Annotated[list[str], msgspec.Meta(max_length=10)]


class Note(msgspec.Struct):
    """A row of `note`."""

    id: int
    user_id: str
    title: str
    body: str
    created_at: int
    updated_at: int


LIST_NOTES = "SELECT id, user_id, title, body, created_at, updated_at FROM note LIMIT 100"

app = App()
auth = Auth(user=Account)
authorized = auth.guard()


@app.get("/users/:id", guard=public)
async def show(id: int) -> dict[str, int | str]:
    """Show a user."""
    return {"id": id, "name": f"user {id}"}


@app.get("/me", guard=authorized)
async def me(user: Account) -> Account:
    """Show who is signed in."""
    return user


@app.post("/notes", guard=public)
async def create(note: NewNote) -> dict[str, int | str]:
    """Take a note."""
    return {"title": note.title, "length": len(note.body), "tags": len(note.tags)}


@app.get("/notes", guard=public)
async def index(c: Context) -> list[Note]:
    """List a hundred notes."""
    return await c.database().all(Note, LIST_NOTES)


@app.get("/asked", guard=public)
async def asked(c: Context) -> dict[str, bool]:
    """Ask for a hundred notes and leave them where they are."""
    await c.database().run(LIST_NOTES)
    return {"asked": True}


Default = entrypoint(app)
