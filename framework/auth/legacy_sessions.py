"""Replaces a session that Lucia began by one of ours. Knows no cookies."""

from typing import Final

from framework.auth.models import Session
from framework.database import Statement, statement

__all__ = ["GRACE", "replace_session"]

GRACE: Final = 10_000
"""For how many milliseconds a replaced session is good: for what its browser sent meanwhile.

Without it, the second of two requests sent at once would be told that it is signed out, and its
answer would remove the cookie that the first was just given.
"""

# The row itself goes on, so that the columns which the app added keep what they hold.
_REPLACE = (
    "UPDATE user_session SET id = ?2, active_expires = ?3, idle_expires = ?4, created_at = ?5,"
    " user_agent = ?6, country = ?7 WHERE id = ?1 AND idle_expires > ?8"
)
_KEEP_FOR_A_MOMENT = (
    "INSERT INTO user_session (id, user_id, active_expires, idle_expires)"
    " SELECT ?1, user_id, ?3, ?3 FROM user_session WHERE id = ?2"
)


def replace_session(old_id: str, session: Session, now: int) -> list[Statement]:
    """Return the batch that makes *session* of the row *old_id*, once; the first tells whether.

    Of two at once one finds a row; the other finds what is left of it, for `GRACE`.
    """
    end = now + GRACE
    values = (session.active_expires, session.idle_expires, session.created_at)
    about = (session.user_agent, session.country)
    return [
        statement(_REPLACE, old_id, session.id, *values, *about, end),
        statement(_KEEP_FOR_A_MOMENT, old_id, session.id, end),
    ]
