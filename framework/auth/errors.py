"""What `Auth` refuses, beyond what any request is refused for: one closed tree. Knows no database.

Each class carries the codes that Lucia v2 had for it in ``lucia``. A client reads the status, the
code and one sentence: for all errors that end a sign-in these are the same to the last letter, and
only the program can tell them apart. Lucia's AUTH_INVALID_REQUEST is `framework.errors.CrossSite`.
"""

from framework.errors import (
    Conflict,
    Forbidden,
    HTTPError,
    NotFound,
    TooManyRequests,
    Unauthorized,
)

__all__ = [
    "AuthError",
    "DuplicateEmail",
    "DuplicateKey",
    "InvalidCode",
    "InvalidCredentials",
    "InvalidEmail",
    "InvalidKey",
    "InvalidLink",
    "InvalidPassword",
    "InvalidSession",
    "InvalidUsername",
    "OutdatedPassword",
    "PasswordError",
    "ReauthenticationRequired",
    "TooManyAttempts",
    "UnknownKey",
    "UnknownSession",
    "UnknownUser",
]


class AuthError(HTTPError):
    """The root of the tree. Never raised itself."""

    lucia: tuple[str, ...] = ()
    """Lucia v2's codes for this; none where Lucia knows nothing of the kind."""
    user_id: str | None = None
    """Whose password was tried, for the security log alone; None where nobody's was."""


class InvalidCredentials(AuthError):
    """The name or the password is wrong. Never says which, nor whether there is such a user."""

    status = 401
    code = "invalid-credentials"
    detail = "The username or the password is wrong."
    lucia: tuple[str, ...] = (
        "AUTH_INVALID_KEY_ID",
        "AUTH_INVALID_PASSWORD",
        "AUTH_OUTDATED_PASSWORD",
    )


class InvalidKey(InvalidCredentials):
    """There is no such key. The client reads what `InvalidCredentials` says, and nothing else."""

    lucia = ("AUTH_INVALID_KEY_ID",)


class InvalidPassword(InvalidCredentials):
    """The password is not that of the key; or one was given and the key has none, or the other way round."""

    lucia = ("AUTH_INVALID_PASSWORD",)


class OutdatedPassword(InvalidCredentials):
    """The password is stored as bcrypt (``$2a``), which nothing here can verify."""

    lucia = ("AUTH_OUTDATED_PASSWORD",)


class TooManyAttempts(AuthError, TooManyRequests):
    """The account was tried too often. *retry_after* is in whole seconds."""


class InvalidSession(AuthError, Unauthorized):
    """The session is over, or never was."""

    detail = "Sign in first."
    lucia = ("AUTH_INVALID_SESSION_ID",)


class DuplicateKey(AuthError, Conflict):
    """Somebody signs in with that key already."""

    code = "duplicate-key"
    detail = "That username is taken."
    lucia = ("AUTH_DUPLICATE_KEY_ID",)


class UnknownUser(AuthError, NotFound):
    """No user has that id."""

    detail = "There is no such user."
    lucia = ("AUTH_INVALID_USER_ID",)


class UnknownKey(AuthError, NotFound):
    """No key has that provider and that id."""

    detail = "There is no such key."
    lucia = ("AUTH_INVALID_KEY_ID",)


class UnknownSession(AuthError, NotFound):
    """No living session has that id."""

    detail = "There is no such session."
    lucia = ("AUTH_INVALID_SESSION_ID",)


class ReauthenticationRequired(AuthError, Forbidden):
    """Signed in, but the password was asked for too long ago for this."""

    code = "reauthentication-required"
    detail = "Sign in again to do this."


class DuplicateEmail(AuthError, Conflict):
    """Somebody else has verified that address. Told only to somebody who has proved that it is theirs."""

    code = "duplicate-email"
    detail = "Another account has verified this address."


class InvalidEmail(AuthError, ValueError):
    """What somebody gave as their e-mail address is none; see `normalize_email`."""

    status = 422
    code = "invalid-email"
    detail = "This is not a valid e-mail address."


class InvalidUsername(AuthError, ValueError):
    """What somebody chose to sign in with is not a name. Never raised by `Auth.sign_in`."""

    status = 422
    code = "invalid-username"
    detail = (
        "A username must be 3 to 64 ASCII letters, digits or . _ @ + -, not starting with a symbol."
    )


class PasswordError(AuthError, ValueError):
    """A password cannot be used: it is too short, too long, or not text. Never holds the password.

    A `Hasher` or a `PasswordCheck` raises it for whatever else it refuses. The client reads the
    text that it is raised with.
    """

    status = 422
    code = "unusable-password"
    detail = "This password cannot be used."


class InvalidCode(AuthError):
    """The code is wrong, used, replaced or too old, was tried too often, or was sent to another address."""

    status = 422
    code = "invalid-code"
    detail = "This code is wrong or has expired. Request a new one."


class InvalidLink(AuthError, NotFound):
    """The link is used or too old, or was sent for a password or an address that has changed since."""

    code = "invalid-link"
    detail = "This link is no longer valid. Request a new one."
