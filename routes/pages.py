"""Serves the home page and the health check."""

from framework import Context, Response, Router, public
from routes.access import auth
from routes.forms import sign_in_form, sign_up_form
from routes.html import document, element
from routes.notes import find_page
from routes.sections import account_section, notes_section, sessions_section
from routes.sessions import list_views

_NOTES_AT_HOME = 10

pages = Router()


@pages.get("/", guard=public)
async def home(c: Context) -> Response:
    """Show the home page: the ways in, or all that is one's own."""
    session = await auth.session(c)
    user = await auth.user(c)
    if session is None or user is None:
        return document(
            "Welcome",
            element("p", "Notes behind a session guard, in Python on Cloudflare Workers."),
            element("section", element("h2", "Sign in"), sign_in_form()),
            element("section", element("h2", "Sign up"), sign_up_form()),
            element("p", element("a", "The API", href="/docs")),
        )
    from asyncio import gather  # not at start

    notes, views = await gather(find_page(c, user, _NOTES_AT_HOME), list_views(c, session))
    return document(
        "Home",
        notes_section(notes),
        account_section(user, session),
        sessions_section(views),
    )


@pages.get("/health", guard=public)
async def health() -> dict[str, str]:
    """Say that the app answers."""
    return {"status": "ok"}
