"""The SQL of what ends sessions, or needs one that has not ended. Knows no attributes and no clock."""

from typing import Final

from framework.auth.models import Session
from framework.database import Statement, statement

__all__ = ["RevocationStore"]

_DELETE_OTHERS: Final = "DELETE FROM user_session WHERE user_id = ?1 AND id <> ?2"
# What was replaced, and is still good after ?5 until ?4 at most, ends with any of its user's. A session
# that is gone, or has no more than that left, got another token: one that began in the same moment. What
# is left of one of Lucia's says when that was. What was replaced after ?5 has a little more than ?4, and
# less than the ?6 that it had when it was read.
_END: Final = (
    "DELETE FROM user_session WHERE id = ?1"
    " OR user_id = ?2 AND authenticated_at = 0 AND idle_expires > ?5 AND idle_expires <= ?4"
    " OR user_id = ?2 AND created_at > 0"
    " AND created_at IN (?3, (SELECT created_at FROM user_session WHERE id = ?1))"
    " AND NOT EXISTS (SELECT 1 FROM user_session WHERE id = ?1 AND idle_expires > ?4"
    " AND idle_expires >= ?6)"
)
# There is no such row: it breaks NOT NULL, and all of the batch is undone.
_REQUIRE: Final = (
    "INSERT INTO user_session (id, user_id, active_expires, idle_expires)"
    " SELECT NULL, NULL, NULL, NULL WHERE NOT EXISTS"
    " (SELECT 1 FROM user_session WHERE id = ?1 AND idle_expires >= ?2)"
)
# What is over, or will be by ?3, goes before what lives; the one that was just begun never does.
_LIMIT: Final = (
    "DELETE FROM user_session WHERE user_id = ?1 AND id NOT IN"
    " (SELECT id FROM user_session WHERE user_id = ?1"
    " ORDER BY id = ?2 DESC, idle_expires > ?3 DESC, created_at DESC, id LIMIT ?4)"
    " AND EXISTS (SELECT 1 FROM user_session WHERE id = ?2)"
)


class RevocationStore:
    """The statements. *session* is as the guard read it: the row may be another by now."""

    def delete_other_sessions(self, user_id: str, id: str) -> Statement:
        """Delete the sessions of *user_id* but *id*."""
        return statement(_DELETE_OTHERS, user_id, id)

    def end_session(self, session: Session, now: int, end: int) -> Statement:
        """Delete *session*, or what it became meanwhile, and what its user's were before.

        What was replaced ends after *now*, by *end*. Changes nothing where the session is gone for good.
        """
        read = session.created_at, end, now, session.idle_expires
        return statement(_END, session.id, session.user_id, *read)

    def require_session(self, session: Session) -> Statement:
        """Fail, and its batch with it, unless *session* is there and was not replaced since."""
        return statement(_REQUIRE, session.id, session.idle_expires)

    def limit_sessions(self, session: Session, end: int, most: int) -> Statement:
        """Delete the oldest sessions of *session*'s user, so that *most* are left; never *session*.

        Those that end by *end* go first. Changes nothing where *session* was not inserted.
        """
        return statement(_LIMIT, session.user_id, session.id, end, most)
