"""Lucia v2's AuthRequest: the session of one request, for routes that no guard stands before."""

from typing import Generic, TypeVar

from framework.auth.models import NewSession, User, Validated
from framework.auth.pending import Pending
from framework.auth.request_sessions import RequestSessions
from framework.context import Context

__all__ = ["AuthRequest"]

U = TypeVar("U", bound=User)


class AuthRequest(Generic[U]):
    """Validates, sets and forgets the session of one request; see `Auth.handle_request`."""

    def __init__(self, auth: RequestSessions[U], c: Context) -> None:
        self._auth = auth
        self._c = c

    def validate(self) -> Pending[Validated[U] | None]:
        """Return, once awaited, the cookie's session and its user, or None.

        Renewed where it is idle, with the cookie sent again. Asks the database once a request,
        however often and by whomever this is called.
        """
        return Pending(self._c, "validate()", self._auth._validate)

    def validate_bearer_token(self) -> Pending[Validated[U] | None]:
        """Return, once awaited, the session of the bearer token and its user, or None.

        It looks at no cookie and sends none; what it finds is kept apart from what `validate`
        finds.
        """
        return Pending(self._c, "validate_bearer_token()", self._auth._validate_bearer)

    def set_session(self, new: NewSession[U] | None) -> None:
        """Send the cookie of *new*, which is this request's session from here on; None clears it.

        With an answer that is an error it is cleared as well. The session that was the request's
        before lives on: `Sessions.end` ends it.
        """
        if new is None:
            self._auth._clear_session(self._c)
        else:
            self._auth._signed_in(self._c, new.session, new.token, new.user)

    def invalidate(self) -> None:
        """Forget what was found, so that the next call asks the database again."""
        self._auth._forget_validated(self._c)
