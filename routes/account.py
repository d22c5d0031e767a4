"""Serves signing up, in and out, and one's own account."""

from typing import Annotated

import msgspec

from framework import Context, Form, Query, Response, Router, public
from framework.auth import (
    USERNAME_PATTERN,
    InvalidCredentials,
    Session,
    State,
    normalize_email,
)
from framework.auth.emails import EMAIL_MAX
from framework.auth.passwords import PASSWORD_MAX, PASSWORD_MIN
from framework.database import statement
from framework.errors import Conflict, Invalid, InvalidField
from framework.response import Reply
from routes.access import Member, auth, authorized, leaving, recent
from routes.answers import Done, done
from routes.forms import USERNAME_HINT
from routes.html import document, element, wants_html
from routes.sections import account_section

NewPassword = Annotated[str, msgspec.Meta(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)]
KnownPassword = Annotated[str, msgspec.Meta(max_length=PASSWORD_MAX)]

_DELETE_NOTES = "DELETE FROM note WHERE user_id = ?1"


def show_nothing(self: object) -> str:
    """Return a repr that shows no password."""
    return f"<{type(self).__name__}>"


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """What it takes to sign up. An empty *email* is none."""

    username: Annotated[str, msgspec.Meta(pattern=USERNAME_PATTERN, description=USERNAME_HINT)]
    password: NewPassword
    email: Annotated[str, msgspec.Meta(max_length=EMAIL_MAX)] = ""

    __repr__ = show_nothing


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """What it takes to sign in."""

    username: Annotated[str, msgspec.Meta(max_length=256)]
    password: KnownPassword

    __repr__ = show_nothing


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """What it takes to change the password."""

    current: KnownPassword
    new: NewPassword

    __repr__ = show_nothing


class Person(msgspec.Struct):
    """A user, as anybody who may see them sees them."""

    id: str
    username: str


class SignedIn(msgspec.Struct):
    """Who is signed in now."""

    user: Person


class OwnSession(msgspec.Struct):
    """The session of this request. Times are Unix milliseconds."""

    id: str
    state: State
    active_expires: int
    idle_expires: int


class Me(msgspec.Struct):
    """One's own account, and the session one looks at it with."""

    user: Person
    session: OwnSession


PasswordChanged = Annotated[None, Reply(None, 204), Reply(None, 401), Reply(None, 429)]

account = Router()


@account.post("/sign-up", guard=public)
async def sign_up(
    c: Context, new: NewAccount | Form[NewAccount]
) -> Annotated[
    Response, Reply(SignedIn, 201), Reply(None, 303), Reply(None, 409), Reply(None, 429)
]:
    """Make an account and sign in."""
    email, now = email_of(new.email), auth.clock()
    user = await auth.sign_up(c, new.username, new.password, email=email, created_at=now)
    return done(c, SignedIn(_person(user)), 201)


@account.post("/sign-in", guard=public)
async def sign_in(
    c: Context, credentials: Credentials | Form[Credentials]
) -> Annotated[Response, Reply(SignedIn), Reply(None, 303), Reply(None, 401), Reply(None, 429)]:
    """Sign in with a username and a password."""
    user = await auth.sign_in(c, credentials.username, credentials.password)
    return done(c, SignedIn(_person(user)), 200)


@account.post("/sign-out", guard=leaving)
async def sign_out(c: Context) -> Done:
    """End the session of this request."""
    await auth.sign_out(c)
    return done(c)


@account.get("/me", guard=authorized)
async def me(c: Context, user: Member, session: Session) -> Annotated[Response, Reply(Me)]:
    """Show who is signed in."""
    if wants_html(c):
        return document(user.username, element("p", "Signed in."), account_section(user, session))
    own = OwnSession(
        id=session.handle,
        state=session.state(auth.clock()),
        active_expires=session.active_expires,
        idle_expires=session.idle_expires,
    )
    return Response.json(Me(_person(user), own))


@account.put("/me/password", guard=authorized & recent)
async def change_password(c: Context, change: PasswordChange) -> PasswordChanged:
    """Change the password; every other session ends, and this one gets a new cookie."""
    try:
        await auth.change_password(c, change.current, change.new)
    except InvalidCredentials as error:
        raise InvalidCredentials("The current password is wrong.") from error


@account.post("/me/password", guard=authorized & recent)
async def change_password_by_form(
    c: Context, change: Form[PasswordChange]
) -> Annotated[Done, Reply(None, 429)]:
    """Change the password from a page: forms know no PUT."""
    await change_password(c, change)
    return done(c)


@account.delete("/me", guard=authorized & recent)
async def delete_account(c: Context, user: Member) -> None:
    """Delete the account and all that belongs to it."""
    await auth.delete_user(c, first=[statement(_DELETE_NOTES, user.id)])


@account.post("/me/delete", guard=authorized & recent)
async def delete_account_by_form(
    c: Context, user: Member, id: Query[str] = ""
) -> Annotated[Done, Reply(None, 409)]:
    """Delete the account from a page, which may say whose *id* it showed: forms know no DELETE."""
    if id not in ("", user.id):  # the page is from before somebody else signed in with this browser
        raise Conflict("Somebody else is signed in now.")
    await delete_account(c, user)
    return done(c)


def email_of(text: str) -> str | None:
    """Return the one form of the address *text*; None for an empty one. Raises `Invalid`."""
    email = normalize_email(text)
    if email is None and text.strip():
        detail = "This is not a valid e-mail address."
        raise Invalid(errors=[InvalidField(detail, pointer="/email")])
    return email


def _person(user: Member) -> Person:
    return Person(user.id, user.username)
