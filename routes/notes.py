"""Serves the example resource: notes that belong to who wrote them."""

from typing import Annotated

from msgspec import Meta

from framework import Context, Form, Query, Response, Router, Slot, guard
from framework.database import ForeignKeyViolation, Result, Statement, statement
from framework.errors import NotFound, Unauthorized
from framework.response import Reply
from routes.access import Member, auth, authorized
from routes.answers import Done, done
from routes.forms import Draft, button, note_form
from routes.html import document, element, wants_html
from routes.models import NewNote, Note, NotePage
from routes.sections import notes_section

Cursor = Annotated[str, Meta(pattern=r"^[0-9]{1,15}\Z")]
Limit = Annotated[int, Meta(ge=1, le=100)]

Changed = Annotated[Response, Reply(Note), Reply(None, 303)]

NOTE = Slot("note", Note)

_FIND = "SELECT id, title, body, created_at, updated_at, user_id FROM note WHERE id = ?1"
_LIST = (
    "SELECT id, title, body, created_at, updated_at FROM note"
    " WHERE user_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
)
_INSERT = (
    "INSERT INTO note (user_id, title, body, created_at, updated_at)"
    " VALUES (?1, ?2, ?3, ?4, ?4) RETURNING id, title, body, created_at, updated_at"
)
_UPDATE = (
    "UPDATE note SET title = ?3, body = ?4, updated_at = ?5"
    " WHERE id = ?1 AND user_id = ?2 RETURNING id, title, body, created_at, updated_at"
)
_DELETE = "DELETE FROM note WHERE id = ?1 AND user_id = ?2"

_AFTER_ALL = 2**53 - 1

notes = Router("/notes", guard=authorized)


class OwnedNote(Note):
    """A note, and whose it is."""

    user_id: str


def find_note(id: int) -> Statement:
    """Find the note, whoever's it is."""
    return statement(_FIND, id)


@guard(reads=find_note, provides=NOTE, refuses=(404,))
async def owns_note(found: Result, user: Member) -> Note:
    """Let pass whose note it is. To anybody else it does not exist."""
    note = found.first(OwnedNote)
    if note is None or note.user_id != user.id:
        raise NotFound
    return Note(note.id, note.title, note.body, note.created_at, note.updated_at)


@notes.get("/")
async def list_notes(
    c: Context, user: Member, cursor: Query[Cursor | None] = None, limit: Query[Limit] = 20
) -> Annotated[Response, Reply(NotePage)]:
    """List one's notes, newest first."""
    page = await find_page(c, user, limit, int(cursor) if cursor else _AFTER_ALL)
    return document("Notes", notes_section(page)) if wants_html(c) else Response.json(page)


@notes.post("/")
async def add_note(
    c: Context, user: Member, new: NewNote | Form[NewNote]
) -> Annotated[Response, Reply(Note, 201), Reply(None, 303)]:
    """Write a note."""
    try:
        note = await c.database().first(Note, _INSERT, user.id, new.title, new.body, auth.clock())
    except ForeignKeyViolation:  # the account was deleted since its guard passed
        raise Unauthorized("Sign in first.") from None
    if note is None:
        raise LookupError("INSERT … RETURNING gave no row")
    return done(c, note, 201)


@notes.get("/:id{[0-9]+}", guard=owns_note)
async def show_note(c: Context, note: Note) -> Annotated[Response, Reply(Note)]:
    """Show one of one's notes."""
    if not wants_html(c):
        return Response.json(note)
    return document(
        note.title,
        element("h2", note.title),
        note_form(Draft({"title": note.title, "body": note.body}), f"/notes/{note.id}"),
        button(f"/notes/{note.id}/delete", "Delete"),
        element("p", element("a", "All notes", href="/notes")),
    )


@notes.put("/:id{[0-9]+}", guard=owns_note)
async def change_note(
    c: Context, note: Note, user: Member, new: NewNote | Form[NewNote]
) -> Changed:
    """Rewrite one of one's notes."""
    changed = await c.database().first(
        Note, _UPDATE, note.id, user.id, new.title, new.body, auth.clock()
    )
    if changed is None:
        raise NotFound
    return done(c, changed, 200, to=f"/notes/{note.id}")


@notes.post("/:id{[0-9]+}", guard=owns_note)
async def change_note_by_form(c: Context, note: Note, user: Member, new: Form[NewNote]) -> Changed:
    """Rewrite one of one's notes from a page: forms know no PUT."""
    return await change_note(c, note, user, new)


@notes.delete("/:id{[0-9]+}", guard=owns_note)
async def delete_note(c: Context, note: Note, user: Member) -> None:
    """Delete one of one's notes."""
    await c.database().run(_DELETE, note.id, user.id)


@notes.post("/:id{[0-9]+}/delete", guard=owns_note)
async def delete_note_by_form(c: Context, note: Note, user: Member) -> Done:
    """Delete one of one's notes from a page: forms know no DELETE."""
    await delete_note(c, note, user)
    return done(c)


async def find_page(c: Context, user: Member, limit: int, before: int = _AFTER_ALL) -> NotePage:
    """Return up to *limit* notes of *user* that are older than *before*, newest first."""
    found = await c.database().all(Note, _LIST, user.id, before, limit + 1)
    shown = found[:limit]
    return NotePage(shown, str(shown[-1].id) if len(found) > limit else None)
