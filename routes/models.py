"""What the app sends and takes, beside accounts. Times are Unix milliseconds."""

from typing import Annotated

import msgspec

from framework.auth import Session, State


class SessionView(msgspec.Struct):
    """One signed-in browser, as its owner sees it. *id* names it and signs nobody in."""

    id: str
    current: bool
    state: State
    created_at: int
    last_seen_at: Annotated[
        int, msgspec.Meta(description="When it was last used, up to an hour late; 0: not known.")
    ]
    active_expires: int
    idle_expires: int
    user_agent: str | None
    country: str | None


class SessionPage(msgspec.Struct):
    """One's living sessions, newest first."""

    sessions: list[SessionView]


def view_session(session: Session, own: Session, now: int) -> SessionView:
    """Return *session* as its owner sees it, who looks at it with *own*."""
    is_own = session.id == own.id
    return SessionView(
        id=session.handle,
        current=is_own,
        state=session.state(now),
        created_at=session.created_at,
        # That this request came with it may be written after the answer.
        last_seen_at=own.last_seen_at if is_own else session.last_seen_at,
        active_expires=session.active_expires,
        idle_expires=session.idle_expires,
        user_agent=session.user_agent,
        country=session.country,
    )


class NewNote(msgspec.Struct, forbid_unknown_fields=True):
    """What its owner writes of a note."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    body: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


class Note(msgspec.Struct):
    """A note, as its owner sees it."""

    id: int
    title: str
    body: str
    created_at: int
    updated_at: int


class NotePage(msgspec.Struct):
    """Notes, newest first; *next* is the cursor of the page that follows, or null."""

    notes: list[Note]
    next: str | None
