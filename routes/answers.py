"""Answers one request in the two ways people ask: JSON for programs, pages for browsers."""

from typing import Annotated, Any

from framework import Context, HTTPError, Response
from framework.auth import InvalidLink, ReauthenticationRequired
from framework.errors import CrossSite, TooManyRequests, Unauthorized
from framework.parameters import FORM_TYPE
from framework.problem import problem
from framework.response import Reply
from routes.forms import Draft, email_form, note_form, sign_in_form, sign_up_form
from routes.html import Markup, document, element, wants_html

Done = Annotated[Response, Reply(None, 204), Reply(None, 303)]
"""Nothing to say: 204, or 303 to a page where a browser asks."""

_LONGEST = 2**18
"""Bytes of a form that is shown again."""


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
    if isinstance(error, TooManyRequests):
        seconds = int(dict(error.headers)["retry-after"])
        unit, size = ("h", 3600) if seconds > 7200 else ("min", 60)
        detail += f" Try again in {-(-seconds // size)} {unit}."
    misfits = [
        element("li", f"{(misfit.pointer or misfit.parameter or '').lstrip('/')}: {misfit.detail}")
        for misfit in error.errors
    ]
    asks_who = isinstance(error, Unauthorized | ReauthenticationRequired)
    again = await _form_again(c, error)
    if asks_who and again:
        again = Markup(element("p", "Once you are signed in, send this again:") + again)
    response = document(
        detail,
        element("h2", "What was sent does not fit" if misfits else detail, class_="error"),
        element("ul", *misfits) if misfits else None,
        # Beside this page, or what was typed here would be gone.
        sign_in_form(target="_blank" if again else None) if asks_who else None,
        again,
        element("p", element("a", "Ask for another link", href="/password-reset"))
        if isinstance(error, InvalidLink)
        else None,
        element("p", element("a", "Back to the start", href="/")),
        status=error.status,
    )
    if "token" in c.params:  # the path is a secret, as on the page itself
        response = response.with_header("referrer-policy", "strict-origin")
    return response


async def _form_again(c: Context, error: HTTPError) -> Markup | None:
    """Return the form of ours that was sent, as it was filled in but for passwords; else None."""
    request = c.request
    form = None if c.route is None else _SHOWN_AGAIN.get(c.route.name)
    # Other types may hold a password anywhere; 408 and 413 are not read again.
    if form is None or request.media_type != FORM_TYPE or error.status in {408, 413}:
        return None
    if isinstance(error, CrossSite):  # another site fills in no form of ours
        return None
    request.body_limit = _LONGEST
    try:
        sent = await request.form()
        if len(await request.bytes()) > _LONGEST:
            return None
    except HTTPError:  # the first is told
        return None
    c.private = True
    texts = {name: values[0] for name, values in sent.items()}
    flaws = {(misfit.pointer or "").lstrip("/"): misfit.detail for misfit in error.errors}
    return form(Draft(texts, flaws), request.path)


_SHOWN_AGAIN = {
    "sign_in": sign_in_form,
    "sign_up": sign_up_form,
    "change_email": email_form,
    "add_note": note_form,
    "change_note_by_form": note_form,
}
