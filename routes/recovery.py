"""Serves one's e-mail address, and the way back in for who lost a password."""

from typing import Annotated

import msgspec

from framework import Context, Form, Response, Router, public
from framework.auth.codes import CODE_PATTERN
from framework.auth.emails import EMAIL_MAX
from framework.response import Reply
from routes.access import Member, auth, authorized, recent
from routes.account import NewPassword, email_of, show_nothing
from routes.answers import Done, done
from routes.forms import new_password_form, reset_form
from routes.html import document, element, wants_html
from routes.sections import email_section


class Address(msgspec.Struct, forbid_unknown_fields=True):
    """An e-mail address; an empty one is none."""

    email: Annotated[str, msgspec.Meta(max_length=EMAIL_MAX)]


class Code(msgspec.Struct, forbid_unknown_fields=True):
    """The code that was mailed."""

    code: Annotated[str, msgspec.Meta(pattern=CODE_PATTERN, description="Eight digits.")]

    __repr__ = show_nothing


class ForgottenAccount(msgspec.Struct, forbid_unknown_fields=True):
    """Whose password is lost: a username, or an e-mail address that was verified."""

    account: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class ChosenPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The password that takes the place of the lost one."""

    password: NewPassword

    __repr__ = show_nothing


class AddressView(msgspec.Struct):
    """One's e-mail address, or null. *verified_at* is in Unix milliseconds, or null."""

    email: str | None
    verified_at: int | None


class Asked(msgspec.Struct):
    """What is said whether or not there is such an account."""

    detail: str = "If the account has a verified address, a link is on its way there."


Requested = Annotated[Response, Reply(Asked, 202), Reply(None, 303), Reply(None, 429)]
Verified = Annotated[Done, Reply(None, 409)]
Sent = Annotated[Done, Reply(None, 409), Reply(None, 429)]
Reset = Annotated[Done, Reply(None, 404)]

recovery = Router()


@recovery.get("/me/email", guard=authorized)
async def show_email(c: Context, user: Member) -> Annotated[Response, Reply(AddressView)]:
    """Show one's e-mail address, and whether it is verified."""
    if wants_html(c):
        return document("Your address", email_section(user))
    return Response.json(AddressView(user.email, user.email_verified_at))


@recovery.post("/me/email", guard=authorized & recent)
async def change_email(c: Context, address: Address | Form[Address]) -> Done:
    """Change one's e-mail address, or remove it. Another one is to be verified first."""
    await auth.set_email(c, email_of(address.email))
    return done(c)


@recovery.post("/me/email/verification", guard=authorized)
async def send_code(c: Context) -> Sent:
    """Mail a code to one's address, which verifies it. The one before is worth nothing then."""
    await auth.send_verification(c)
    return done(c, to="/#sent")


@recovery.post("/me/email/verify", guard=authorized)
async def verify(c: Context, sent: Code | Form[Code]) -> Verified:
    """Verify one's address with the code that was mailed there."""
    await auth.verify_email(c, sent.code)
    return done(c)


@recovery.get("/password-reset", guard=public)
async def ask() -> Response:
    """Show the form that asks for a link."""
    return document(
        "A new password",
        element("h2", "A new password"),
        element("p", "A link goes to the e-mail address that was verified for the account."),
        reset_form(),
    )


@recovery.post("/password-reset", guard=public)
async def request_reset(c: Context, lost: ForgottenAccount | Form[ForgottenAccount]) -> Requested:
    """Mail a link that lets the account's owner choose a password. The answer never tells whether."""
    await auth.request_reset(c, lost.account)
    return done(c, Asked(), 202, to="/password-reset/sent")


@recovery.get("/password-reset/sent", guard=public)
async def say_sent() -> Response:
    """Say what happens now, whether or not there is such an account."""
    return document(
        "Look into your mail",
        element("h2", "Look into your mail"),
        element("p", Asked().detail, " It is good for two hours."),
        element("p", element("a", "Back to the start", href="/")),
    )


@recovery.get("/password-reset/:token", guard=public)
async def choose(
    c: Context, token: str
) -> Annotated[Response, Reply(str, 200, "text/html"), Reply(None, 404)]:
    """Show the form behind a link. Looking uses nothing up: mail scanners look, too."""
    await auth.check_reset(c, token)
    page = document(
        "A new password",
        element("h2", "A new password"),
        element("p", "Every browser that is signed in to the account is signed out."),
        new_password_form(c.request.path),
    )
    # The path is a secret; the origin is not, and the form has to come with it.
    return page.with_header("referrer-policy", "strict-origin")


@recovery.post("/password-reset/:token", guard=public)
async def reset(c: Context, token: str, chosen: ChosenPassword | Form[ChosenPassword]) -> Reset:
    """Choose a password with the token of a link. All sessions of the account end."""
    await auth.reset_password(c, token, chosen.password)
    return done(c)
