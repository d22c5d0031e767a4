"""Logs failed sign-ins and resets to the security log. Knows no database."""

from collections.abc import Iterator
from contextlib import contextmanager

from framework.auth.errors import InvalidCredentials, InvalidLink, TooManyAttempts
from framework.context import Context
from framework.security_log import EventName, log_event

__all__ = ["log_failures"]


@contextmanager
def log_failures(c: Context, failure: EventName) -> Iterator[None]:
    """Log *failure* if the block raises an error that says that a password, code or link is wrong.

    An account that was tried too often is logged as ``authn_login_lock`` instead.
    """
    try:
        yield
    except (InvalidCredentials, InvalidLink) as error:
        log_event(c, failure, user_id=error.user_id, error=error)
        raise
    except TooManyAttempts as error:
        log_event(c, "authn_login_lock", user_id=error.user_id, error=error)
        raise
