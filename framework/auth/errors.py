"""What signing in can refuse, beside what any request can. Each with Lucia v2's code where it has one."""

from framework.errors import Conflict, Forbidden, HTTPError

__all__ = ["DuplicateKey", "InvalidCredentials", "ReauthenticationRequired"]


class InvalidCredentials(HTTPError):
    """The name or the password is wrong. Never says which, nor whether there is such a user."""

    status = 401
    code = "invalid-credentials"
    detail = "The username or the password is wrong."
    lucia = ("AUTH_INVALID_KEY_ID", "AUTH_INVALID_PASSWORD")


class DuplicateKey(Conflict):
    """Somebody signs in with that key already."""

    code = "duplicate-key"
    detail = "That username is taken."
    lucia = ("AUTH_DUPLICATE_KEY_ID",)


class ReauthenticationRequired(Forbidden):
    """Signed in, but the password was asked for too long ago for this."""

    code = "reauthentication-required"
    detail = "Sign in again to do this."
