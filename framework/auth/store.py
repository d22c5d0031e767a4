"""The store that ships: sessions in SQL, with users, keys and attempts. Knows no passwords, no clock."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from framework.auth.models import Session, User, Validated
from framework.auth.store_attempts import PURGE_ATTEMPTS, Attempt, AttemptStore
from framework.auth.store_columns import Columns, columns_of
from framework.auth.store_revocation import RevocationStore
from framework.auth.store_users import StoredKey, UserStore
from framework.database import Database, Result, Statement, statement
from framework.errors import ConfigurationError

__all__ = ["Attempt", "Store", "StoredKey"]

U = TypeVar("U", bound=User)

_FIXED: Final = {*Session.__struct_fields__} - {"user_agent", "country"}
"""What of a session its own life decides, and nobody sets."""

# What is idle, and nothing else: not what another request renewed, nor what is about to end.
_RENEW: Final = (
    "UPDATE user_session SET active_expires = ?2, idle_expires = ?3, last_seen_at = ?5"
    " WHERE id = ?1 AND active_expires <= ?4 AND idle_expires > ?4"
)
# Of many requests at once one finds a row that is old enough.
_NOTE_SEEN: Final = "UPDATE user_session SET last_seen_at = ?2 WHERE id = ?1 AND last_seen_at <= ?3"
_DELETE_SESSION: Final = "DELETE FROM user_session WHERE id = ?1"
_DELETE_DEAD: Final = "DELETE FROM user_session WHERE id = ?1 AND idle_expires = ?2"
_DELETE_SESSIONS: Final = "DELETE FROM user_session WHERE user_id = ?1"
_DELETE_SESSIONS_OF_KEY: Final = (
    "DELETE FROM user_session WHERE user_id = (SELECT user_id FROM user_key WHERE id = ?1)"
)
_DELETE_AFTER_CHANGE: Final = (
    "DELETE FROM user_session WHERE user_id = ?1 AND id <> ?4"
    " AND EXISTS (SELECT 1 FROM user_key WHERE id = ?2 AND hashed_password = ?3)"
)
# Never idle from here on, so that no renewal revives it, one that is under way included. It always ends
# sooner than it did, be it in a moment: by that it is known to whoever has read it before.
_RETIRE: Final = (
    "UPDATE user_session SET active_expires = min(idle_expires - 1, ?2),"
    " idle_expires = min(idle_expires - 1, ?2), authenticated_at = 0 WHERE id = ?1"
)
_RETIRE_AFTER_CHANGE: Final = (
    f"{_RETIRE} AND EXISTS (SELECT 1 FROM user_key WHERE id = ?3 AND hashed_password = ?4)"
)
# The row itself goes on, so that the columns which the app added keep what they hold. What was replaced
# ends sooner than it did when it was read, whatever the time is by now.
_REPLACE: Final = (
    "UPDATE user_session SET id = ?2, active_expires = ?3, idle_expires = ?4, created_at = ?5,"
    " user_agent = ?6, country = ?7, last_seen_at = ?8 WHERE id = ?1 AND idle_expires >= ?9"
)
_KEPT: Final = {"id": "?1", "active_expires": "?3", "idle_expires": "?3", "authenticated_at": "0"}
"""What differs in a row that is kept for a moment from the row that takes its place."""
_PURGE: Final = (
    "DELETE FROM user_session WHERE idle_expires <= ?1",
    PURGE_ATTEMPTS,
    "DELETE FROM known_device WHERE expires_at <= ?1",
)


class Store(UserStore[U], AttemptStore, RevocationStore, Generic[U]):
    """`Storage` in the tables of ``schema.sql``, on D1 or on SQLite.

    The fields of the user Struct are columns of ``user``, those of the session Struct of
    ``user_session``. Raises `ConfigurationError` for fields that cannot be.
    """

    def __init__(self, user_type: type[U], session_type: type[Session] = Session) -> None:
        super().__init__(user_type)
        self._session_type = session_type
        self._sessions = columns_of(session_type, without={"fresh"})
        _refuse_required(session_type)
        self._row_type = _row_type(self._sessions, self._users)
        both = f"{self._sessions.select_list('s')}, {self._users.select_list('u')}"
        find = f"SELECT {both} FROM user_session s JOIN user u ON u.id = s.user_id WHERE s.id IN "
        self._find_session = {1: find + "(?1)", 2: find + "(?1, ?2)"}
        names, marks = self._sessions.select_list(), self._sessions.placeholders()
        count = len(self._sessions.fields)
        self._list_sessions = (
            f"SELECT {names} FROM user_session WHERE user_id = ?1 AND idle_expires > ?2"
            " ORDER BY created_at DESC, id LIMIT 100"
        )
        kept = self._sessions.select_list(instead=_KEPT)
        self._keep = (
            f"INSERT INTO user_session ({names}) SELECT {kept} FROM user_session WHERE id = ?2"
        )
        self._add_session = f"INSERT INTO user_session ({names}) VALUES ({marks})"
        self._insert_session = (
            f"INSERT INTO user_session ({names}) SELECT {marks} WHERE EXISTS (SELECT 1 FROM"
            f" user_key WHERE id = ?{count + 1} AND hashed_password = ?{count + 2})"
        )

    def find_session(self, ids: Sequence[str]) -> Statement:
        """Find the session that has one of *ids*, one or two, dead or alive, and its user."""
        return Statement(self._find_session[len(ids)], tuple(ids))

    def read_session(self, result: Result) -> Validated[U] | None:
        """Return the session and the user that `find_session` found."""
        row = result.first(self._row_type)
        if row is None:
            return None
        values = msgspec.structs.astuple(row)
        split = len(self._sessions.fields)
        session = self._session_type(
            **dict(zip(self._sessions.fields, values[:split], strict=True))
        )
        user = self._user_type(**dict(zip(self._users.fields, values[split:], strict=True)))
        return Validated(session, user)

    async def list_sessions(self, db: Database, user_id: str, now: int) -> list[Session]:
        """Return the sessions of *user_id* that are alive at *now*, newest first, at most 100."""
        found: list[Session] = await db.all(self._session_type, self._list_sessions, user_id, now)
        return found

    async def renew(
        self, db: Database, id: str, active: int, idle: int, now: int, seen_at: int
    ) -> bool:
        """Give session *id* new ends and *seen_at*, if it is idle at *now*; return whether it was."""
        return await db.run(_RENEW, id, active, idle, now, seen_at) > 0

    async def note_seen(self, db: Database, id: str, now: int, before: int) -> bool:
        """Let session *id* be seen at *now*, if it was last at *before* or sooner; return whether."""
        return await db.run(_NOTE_SEEN, id, now, before) > 0

    async def update_session(
        self, db: Database, id: str, attributes: Mapping[str, Any], now: int
    ) -> Session | None:
        """Set *attributes* of session *id*; return it, None where none is alive at *now*.

        Raises `TypeError` for what is no attribute, and for what its own life decides.
        """
        changes = self._sessions.assignments(attributes, _FIXED)
        where = f"WHERE id = ?1 AND idle_expires > ?{len(attributes) + 2}"
        names = self._sessions.select_list()
        sql = f"SELECT {names} FROM user_session {where}"
        if changes:
            sql = f"UPDATE user_session SET {changes} {where} RETURNING {names}"
        return await db.first(self._session_type, sql, id, *attributes.values(), now)

    async def delete_dead(self, db: Database, session: Session) -> None:
        """Delete *session* unless it was renewed since it was read."""
        await db.run(_DELETE_DEAD, session.id, session.idle_expires)

    async def purge(self, db: Database, now: int) -> int:
        """Delete what is dead at *now*: sessions, sign-in windows, known browsers.

        Returns how many sessions.
        """
        results: list[Result] = await db.batch([statement(sql, now) for sql in _PURGE])
        return results[0].changes

    def add_session(self, session: Session) -> Statement:
        """Insert *session*, whoever its user is."""
        return Statement(self._add_session, self._sessions.values(session))

    def insert_session(self, session: Session, key: StoredKey) -> Statement:
        """Insert *session* if *key* still has the password that was verified."""
        values = self._sessions.values(session)
        return Statement(self._insert_session, (*values, key.id, key.hashed_password))

    def delete_session(self, id: str) -> Statement:
        """Delete the session *id*, whoever's it is."""
        return statement(_DELETE_SESSION, id)

    def delete_sessions(self, user_id: str) -> Statement:
        """Delete all sessions of *user_id*."""
        return statement(_DELETE_SESSIONS, user_id)

    def delete_sessions_of_key(self, key_id: str) -> Statement:
        """Delete all sessions of the user of *key_id*."""
        return statement(_DELETE_SESSIONS_OF_KEY, key_id)

    def retire_session(self, id: str, end: int) -> Statement:
        """Let session *id* end at *end*, or sooner; it is not `recent` from now on."""
        return statement(_RETIRE, id, end)

    def change_sessions(self, key: StoredKey, own: str, end: int) -> Sequence[Statement]:
        """Delete all sessions of *key*'s user and let the one called *own* end at *end*.

        Both only if the change to *key*'s password took place.
        """
        changed = (key.id, key.hashed_password)
        return [
            statement(_DELETE_AFTER_CHANGE, key.user_id, *changed, own),
            statement(_RETIRE_AFTER_CHANGE, own, end, *changed),
        ]

    def replace_session(self, old: Session, session: Session, end: int) -> Sequence[Statement]:
        """Make *session* of the row of *old*, which stays good until *end*; the first tells whether.

        Of two at once one finds a row; the other finds what is left of it.
        """
        values = (session.active_expires, session.idle_expires, session.created_at)
        about = (session.user_agent, session.country, session.last_seen_at)
        return [
            statement(_REPLACE, old.id, session.id, *values, *about, old.idle_expires),
            statement(self._keep, old.id, session.id, end),
        ]


def _refuse_required(session_type: type[Session]) -> None:
    """Refuse attributes without a default: signing in begins sessions and knows none of them."""
    own = {field.name for field in msgspec.structs.fields(Session)}
    for field in msgspec.structs.fields(session_type):
        if field.name not in own and field.required:
            raise ConfigurationError(f"{session_type.__name__}.{field.name} needs a default")


def _row_type(sessions: Columns, users: Columns) -> type[Any]:
    """Return a Struct for one row of session and user together."""
    fields = [
        (prefix + field.encode_name, field.type)
        for prefix, each in (("s_", sessions), ("u_", users))
        for field in each.fields.values()
    ]
    return msgspec.defstruct("SessionAndUser", fields, frozen=True)
