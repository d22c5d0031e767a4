"""Answers one request in the two ways people ask: JSON for programs, pages for browsers."""

from typing import Annotated, Any

from framework import Context, HTTPError, Response
from framework.auth import InvalidLink, ReauthenticationRequired
from framework.errors import TooManyRequests, Unauthorized
from framework.origin import refuse_cross_site
from framework.parameters import FORM_TYPE
from framework.problem import problem
from framework.response import Reply
from routes.forms import email_form, note_form, sign_in_form, sign_up_form
from routes.html import Markup, document, element, wants_html

Done = Annotated[Response, Reply(None, 204), Reply(None, 303)]
"""Nothing to say: 204, or 303 to a page where a browser asks."""

_LONGEST = 2**18
"""Bytes of a form that is shown again: two long notes."""


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
        detail += f" Try again in {-(-int(error.headers[0][1]) // 60)} min."
    misfits = [
        element("li", f"{(misfit.pointer or misfit.parameter or '').lstrip('/')}: {misfit.detail}")
        for misfit in error.errors
    ]
    response = document(
        detail,
        element("h2", "What was sent does not fit" if misfits else detail, class_="error"),
        element("ul", *misfits) if misfits else None,
        sign_in_form() if isinstance(error, Unauthorized | ReauthenticationRequired) else None,
        await _form_again(c, error),
        element("p", element("a", "Ask for another link", href="/password-reset"))
        if isinstance(error, InvalidLink)
        else None,
        element("p", element("a", "Back to the start", href="/")),
        status=error.status,
    )
    if "token" in c.params:  # the path is a secret, as on the page itself
        response = response.with_header("referrer-policy", "no-referrer")
    return response


async def _form_again(c: Context, error: HTTPError) -> Markup | None:
    """Return the form that was sent, as it was filled in but for passwords."""
    request, path = c.request, c.request.path
    is_ours = path.startswith(("/sign-", "/me/email", "/notes")) and request.method == "POST"
    if not is_ours or request.media_type != FORM_TYPE or error.status in {408, 413}:
        return None  # other types may hold a password anywhere; nothing is read twice
    request.body_limit = _LONGEST
    try:
        refuse_cross_site(request, c.app.origins)  # which fills in no form of ours
        sent = await request.form()
        size = len(await request.bytes())
    except HTTPError:  # the first is told
        return None
    c.private = True
    draft = {name: texts[0] for name, texts in sent.items() if name[:1] != "/"}
    for misfit in reversed(error.errors):
        draft[""] = pointer = misfit.pointer or ""
        draft[pointer] = misfit.detail
    match path.split("/") if size <= _LONGEST else ():
        case [_, "sign-in"]:
            return sign_in_form(draft)
        case [_, "sign-up"]:
            return sign_up_form(draft)
        case [_, "me", "email"]:
            return email_form(draft)
        case [_, "notes"] | [_, "notes", _]:
            return note_form(path, draft)
    return None
