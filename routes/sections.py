"""The parts that pages are made of: the account, its sessions, its notes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from framework.auth import Session
from framework.paths import encode_segment
from routes.access import Member
from routes.agents import browser_name
from routes.forms import (
    Draft,
    button,
    code_form,
    email_form,
    field,
    form,
    new_password_field,
    note_form,
    username_for_managers,
)
from routes.html import Markup, element
from routes.models import Note, NotePage, SessionView


def account_section(user: Member, session: Session) -> Markup:
    """Return what one may do with one's account."""
    until = when(session.idle_expires)
    return element(
        "section",
        element("h2", "Account"),
        element("p", "Signed in as ", element("strong", user.username), f" until {until}."),
        element("p", element("a", "All users", href="/admin/users"))
        if user.role == "admin"
        else None,
        button("/sign-out", "Sign out"),
        element("h3", "Change the password"),
        form(
            "/me/password",
            username_for_managers(user.username),
            field("current", "Current password", "password", autocomplete="current-password"),
            new_password_field("new", "New password"),
            submit="Change the password",
        ),
        *_email_parts(user),
        element(
            "details",
            element("summary", "Delete the account"),
            element("p", "Notes, sessions and the account itself go at once, for good."),
            button(f"/me/delete?id={encode_segment(user.id)}", "Delete the account"),
        ),
    )


def email_section(user: Member) -> Markup:
    """Return what one may do with one's e-mail address."""
    return element("section", element("h2", "Account"), *_email_parts(user))


def _email_parts(user: Member) -> list[Markup]:
    is_verified = user.email_verified_at is not None
    title = element("h3", "E-mail address")
    if user.email is None:
        return [title, email_form()]
    said = " is verified." if is_verified else " is not verified yet."
    known = element("p", element("strong", user.email), said)
    steps = [
        button("/me/email/verification", "Send a code"),
        element("p", "A code is on its way.", id="sent", hidden=True),  # but for /#sent
        code_form(),
    ]
    change = element("summary", "Change the address"), email_form(Draft({"email": user.email}))
    return [title, known, *([] if is_verified else steps), element("details", *change)]


def sessions_section(sessions: Sequence[SessionView]) -> Markup:
    """Return the list of signed-in browsers, each with a button to end it."""
    return element(
        "section",
        element("h2", "Sessions"),
        element("ul", *[_session_item(session) for session in sessions], class_="rows"),
        button("/sessions/revoke-others", "End all other sessions") if len(sessions) > 1 else None,
    )


def _session_item(session: SessionView) -> Markup:
    agent = browser_name(session.user_agent)
    country = f", {session.country}" if session.country else ""
    seen = f", last seen {when(session.last_seen_at)}" if session.last_seen_at else ""
    return element(
        "li",
        element("span", f"{agent}{country}", title=session.user_agent),
        element("span", f"since {when(session.created_at)}{seen}", class_="quiet"),
        element("strong", "this browser")
        if session.current
        else button(f"/sessions/{session.id}/delete", "End"),
    )


def notes_section(page: NotePage) -> Markup:
    """Return a page of notes, with forms to add, change and delete."""
    return element(
        "section",
        element("h2", "Notes"),
        note_form(),
        element("ul", *[_note_item(note) for note in page.notes], class_="rows"),
        element("p", element("a", "Older notes", href=f"/notes?cursor={page.next}"))
        if page.next
        else None,
    )


def _note_item(note: Note) -> Markup:
    return element(
        "li",
        element("a", note.title.strip() or "Untitled", href=f"/notes/{note.id}"),
        element("span", when(note.created_at), class_="quiet"),
        button(f"/notes/{note.id}/delete", "Delete"),
    )


def when(milliseconds: int) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
