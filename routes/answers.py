"""Answers one request in the two ways people ask: JSON for programs, pages for browsers."""

from collections.abc import Iterator
from typing import Annotated, Any

from framework import Context, HTTPError, Response
from framework.auth import InvalidLink, ReauthenticationRequired
from framework.errors import Unauthorized
from framework.problem import problem
from framework.response import Reply
from routes.forms import reset_link, sign_in_form
from routes.html import Markup, document, element, wants_html

Done = Annotated[Response, Reply(None, 204), Reply(None, 303)]
"""Nothing to say: 204, or 303 to a page where a browser asks."""


def done(c: Context, value: Any = None, status: int = 204, *, to: str = "/") -> Response:
    """Return *value* as JSON; a browser that sent a form is sent on to the page *to* instead."""
    if wants_html(c):
        return Response.redirect(to)
    return Response.empty(status) if value is None else Response.json(value, status)


async def show_error(c: Context, error: HTTPError) -> Response | None:
    """Return *error* as a page, where a browser asks for one, and else as the problem that it is."""
    if not wants_html(c):
        return problem(error).with_header("vary", "accept")
    detail = error.detail or error.code.replace("-", " ").capitalize() + "."
    misfits = [
        element("li", f"{(misfit.pointer or misfit.parameter or '').lstrip('/')}: {misfit.detail}")
        for misfit in error.errors
    ]
    response = document(
        detail,
        element("h2", "What was sent does not fit" if misfits else detail, class_="error"),
        element("ul", *misfits) if misfits else None,
        *_ways_on(c, error),
        status=error.status,
    )
    if "token" in c.params:  # the path is a secret, as on the page itself
        response = response.with_header("referrer-policy", "no-referrer")
    return response


def _ways_on(c: Context, error: HTTPError) -> Iterator[Markup]:
    asks_to_sign_in = isinstance(error, Unauthorized | ReauthenticationRequired)
    if asks_to_sign_in or (error.status, c.request.path) == (401, "/sign-in"):
        yield sign_in_form()
        yield reset_link()
    if isinstance(error, InvalidLink):
        yield element("p", element("a", "Ask for another link", href="/password-reset"))
    yield element("p", element("a", "Back to the start", href="/"))
