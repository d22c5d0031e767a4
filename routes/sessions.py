"""Serves the list of one's signed-in browsers, and ends them."""

from typing import Annotated

from framework import Context, Response, Router
from framework.auth import Session
from framework.response import Reply
from routes.access import auth, authorized
from routes.answers import Done, done
from routes.html import document, wants_html
from routes.models import SessionPage, SessionView, view_session
from routes.sections import sessions_section

sessions = Router("/sessions", guard=authorized)


@sessions.get("/")
async def list_sessions(c: Context, own: Session) -> Annotated[Response, Reply(SessionPage)]:
    """List one's sessions, newest first; the one that asks is marked."""
    views = await list_views(c, own)
    if wants_html(c):
        return document("Sessions", sessions_section(views))
    return Response.json(SessionPage(views))


@sessions.delete("/:id")
async def end_session(c: Context, id: str) -> None:
    """End one of one's sessions."""
    await auth.end_session(c, id)


@sessions.post("/:id/delete")
async def end_session_by_form(c: Context, id: str) -> Done:
    """End one of one's sessions from a page: forms know no DELETE."""
    await auth.end_session(c, id)
    return done(c)


@sessions.post("/revoke-others")
async def end_other_sessions(c: Context) -> Done:
    """End all of one's sessions but the one that asks."""
    await auth.end_other_sessions(c)
    return done(c)


async def list_views(c: Context, own: Session) -> list[SessionView]:
    """Return one's living sessions as one sees them."""
    now = auth.clock()
    return [view_session(session, own, now) for session in await auth.list_sessions(c)]
