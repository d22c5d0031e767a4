"""Tells the security log of proofs that were none. Knows no database."""

from collections.abc import Iterator
from contextlib import contextmanager

from framework.auth.errors import InvalidCredentials, InvalidLink, TooManyAttempts
from framework.context import Context
from framework.security_log import EventName, tell

__all__ = ["telling"]


@contextmanager
def telling(c: Context, failure: EventName) -> Iterator[None]:
    """Tell of *failure* where what is inside raises that somebody could not prove who they are.

    An account that was tried too often is told of as locked.
    """
    try:
        yield
    except (InvalidCredentials, InvalidLink) as error:
        tell(c, failure, user_id=error.user_id, error=error)
        raise
    except TooManyAttempts as error:
        tell(c, "authn_login_lock", user_id=error.user_id, error=error)
        raise
