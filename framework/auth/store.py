"""The SQL of users, keys and sessions: one function a statement. Knows no passwords and no clock."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from framework.auth.models import Session, User
from framework.database import Database, Result, Statement, statement
from framework.errors import ConfigurationError

__all__ = ["Attempt", "Key", "Store"]

U = TypeVar("U", bound=User)

_SESSION_COLUMNS = (
    "id", "user_id", "active_expires", "idle_expires", "created_at", "authenticated_at",
    "user_agent", "country",
)  # fmt: skip
_SESSIONS = ", ".join(_SESSION_COLUMNS)

_INSERT_KEY = "INSERT INTO user_key (id, user_id, hashed_password) VALUES (?1, ?2, ?3)"
_INSERT_SESSION = (
    f"INSERT INTO user_session ({_SESSIONS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
    " WHERE EXISTS (SELECT 1 FROM user_key WHERE id = ?9 AND hashed_password = ?10)"
)
_RENEW = (
    "UPDATE user_session SET active_expires = max(active_expires, ?2),"
    " idle_expires = max(idle_expires, ?3) WHERE id = ?1 AND idle_expires > ?4"
)
_LIST_SESSIONS = (
    f"SELECT {_SESSIONS} FROM user_session WHERE user_id = ?1 AND idle_expires > ?2"
    " ORDER BY created_at DESC, id LIMIT 100"
)
_DELETE_SESSION = "DELETE FROM user_session WHERE id = ?1 AND user_id = ?2"
_DELETE_TOKEN = "DELETE FROM user_session WHERE id = ?1"
_DELETE_DEAD = "DELETE FROM user_session WHERE id = ?1 AND idle_expires = ?2"
_DELETE_SESSIONS = "DELETE FROM user_session WHERE user_id = ?1"
_DELETE_OTHERS = "DELETE FROM user_session WHERE user_id = ?1 AND id <> ?2"
_DELETE_AFTER_CHANGE = (
    "DELETE FROM user_session WHERE user_id = ?1"
    " AND EXISTS (SELECT 1 FROM user_key WHERE id = ?2 AND hashed_password = ?3)"
)
_CHANGE_PASSWORD = "UPDATE user_key SET hashed_password = ?2 WHERE id = ?1 AND hashed_password = ?3"
_DELETE_KEYS = "DELETE FROM user_key WHERE user_id = ?1"
_DELETE_USER = "DELETE FROM user WHERE id = ?1"
_ATTEMPT = (
    "INSERT INTO sign_in_attempt (account, attempts, resets_at) VALUES (?1, 1, ?3)"
    " ON CONFLICT (account) DO UPDATE SET"
    " attempts = CASE WHEN resets_at <= ?2 THEN 1 ELSE attempts + 1 END,"
    " resets_at = CASE WHEN resets_at <= ?2 THEN ?3 ELSE resets_at END"
    " RETURNING attempts, resets_at"
)
_FORGET_ATTEMPTS = "DELETE FROM sign_in_attempt WHERE account = ?1"
_PURGE = (
    "DELETE FROM user_session WHERE idle_expires <= ?1",
    "DELETE FROM sign_in_attempt WHERE resets_at <= ?1",
)


class Key(msgspec.Struct, frozen=True):
    """How a user signs in. *hashed_password* is None for a way in without a password."""

    id: str
    user_id: str
    hashed_password: str | None

    def __repr__(self) -> str:
        return f"<Key of {self.user_id}>"


class Attempt(msgspec.Struct, frozen=True):
    """How often an account was tried in the window that ends at *resets_at*, in milliseconds."""

    attempts: int
    resets_at: int


class Store(Generic[U]):
    """The statements, for a user Struct whose fields are columns of ``user``.

    Methods that return a `Statement` are for a batch; the others make one trip.
    """

    def __init__(self, user_type: type[U]) -> None:
        self._user_type = user_type
        self._user_columns = _columns(user_type)
        self._row_type = _row_type(user_type)
        users = ", ".join(f"u.{name} AS u_{name}" for name in self._user_columns)
        sessions = ", ".join(f"s.{name} AS s_{name}" for name in _SESSION_COLUMNS)
        find_session = (
            f"SELECT {sessions}, {users} FROM user_session s"
            " JOIN user u ON u.id = s.user_id WHERE s.id IN "
        )
        self._find_session = {1: find_session + "(?1)", 2: find_session + "(?1, ?2)"}
        plain = ", ".join(f"u.{name}" for name in self._user_columns)
        self._find_user_by_key = (
            f"SELECT {plain} FROM user u JOIN user_key k ON k.user_id = u.id WHERE k.id = ?1"
        )
        names = ", ".join(self._user_columns)
        marks = ", ".join(f"?{index}" for index in range(1, len(self._user_columns) + 1))
        self._insert_user = f"INSERT INTO user ({names}) VALUES ({marks})"

    def find_session(self, ids: Sequence[str]) -> Statement:
        """Find the session that has one of *ids*, one or two, dead or alive, and its user."""
        return Statement(self._find_session[len(ids)], tuple(ids))

    def read_session(self, result: Result) -> tuple[Session, U] | None:
        """Return the session and the user that `find_session` found."""
        row = result.first(self._row_type)
        if row is None:
            return None
        values = msgspec.structs.astuple(row)
        split = len(_SESSION_COLUMNS)
        session = Session(**dict(zip(_SESSION_COLUMNS, values[:split], strict=True)))
        user = self._user_type(**dict(zip(self._user_columns, values[split:], strict=True)))
        return session, user

    async def find_for_sign_in(
        self, db: Database, account: str, key_id: str, now: int, resets_at: int
    ) -> tuple[Attempt, Key | None, U | None]:
        """Count an attempt on *account* and return the count, the key and its user: one trip."""
        results = await db.batch(
            [
                statement(_ATTEMPT, account, now, resets_at),
                statement(
                    "SELECT id, user_id, hashed_password FROM user_key WHERE id = ?1", key_id
                ),
                statement(self._find_user_by_key, key_id),
            ]
        )
        attempt = results[0].first(Attempt)
        if attempt is None:
            raise LookupError("RETURNING gave no row")
        return attempt, results[1].first(Key), results[2].first(self._user_type)

    async def find_password_key(self, db: Database, user_id: str, provider: str) -> Key | None:
        """Return the key of *user_id* at *provider*."""
        return await db.first(
            Key,
            "SELECT id, user_id, hashed_password FROM user_key"
            " WHERE user_id = ?1 AND substr(id, 1, length(?2)) = ?2 LIMIT 1",
            user_id,
            provider + ":",
        )

    async def list_sessions(self, db: Database, user_id: str, now: int) -> list[Session]:
        """Return the sessions of *user_id* that are alive at *now*, newest first, at most 100."""
        return await db.all(Session, _LIST_SESSIONS, user_id, now)

    async def renew(self, db: Database, id: str, active: int, idle: int, now: int) -> bool:
        """Move both ends of session *id* forward, never back; return whether it was still there."""
        return await db.run(_RENEW, id, active, idle, now) > 0

    async def delete_dead(self, db: Database, session: Session) -> None:
        """Delete *session* unless it was renewed since it was read."""
        await db.run(_DELETE_DEAD, session.id, session.idle_expires)

    async def delete_session(self, db: Database, id: str, user_id: str) -> bool:
        """Delete session *id* if it is of *user_id*; return whether it was there."""
        return await db.run(_DELETE_SESSION, id, user_id) > 0

    async def delete_other_sessions(self, db: Database, user_id: str, id: str) -> int:
        """Delete the sessions of *user_id* but *id*; return how many there were."""
        return await db.run(_DELETE_OTHERS, user_id, id)

    async def purge(self, db: Database, now: int) -> int:
        """Delete what is dead at *now*: sessions and sign-in windows; return how many sessions."""
        results: list[Result] = await db.batch([statement(sql, now) for sql in _PURGE])
        return results[0].changes

    def insert_user(self, user: U) -> Statement:
        """Insert *user*."""
        return Statement(self._insert_user, msgspec.structs.astuple(user))

    def insert_key(self, key: Key) -> Statement:
        """Insert *key*."""
        return statement(_INSERT_KEY, key.id, key.user_id, key.hashed_password)

    def insert_session(self, session: Session, key: Key) -> Statement:
        """Insert *session* if *key* still has the password that was verified."""
        values = [getattr(session, name) for name in _SESSION_COLUMNS]
        return statement(_INSERT_SESSION, *values, key.id, key.hashed_password)

    def delete_token(self, id: str) -> Statement:
        """Delete the session *id*, whoever's it is: the one that a browser gives up for another."""
        return statement(_DELETE_TOKEN, id)

    def change_password(self, key: Key, hashed_password: str) -> Statement:
        """Give *key* another password, if it still has the one that was verified."""
        return statement(_CHANGE_PASSWORD, key.id, hashed_password, key.hashed_password)

    def delete_sessions_after_change(self, key: Key) -> Statement:
        """Delete all sessions of *key*'s user, if the change to *key*'s password took place."""
        return statement(_DELETE_AFTER_CHANGE, key.user_id, key.id, key.hashed_password)

    def forget_attempts(self, account: str) -> Statement:
        """Forget how often *account* was tried."""
        return statement(_FORGET_ATTEMPTS, account)

    def delete_user(self, user_id: str) -> Sequence[Statement]:
        """Delete the sessions, the keys and then the user: in this order, in one batch."""
        return [statement(sql, user_id) for sql in (_DELETE_SESSIONS, _DELETE_KEYS, _DELETE_USER)]


def _columns(user_type: type[User]) -> tuple[str, ...]:
    fields = msgspec.structs.fields(user_type)
    for field in fields:
        if not (field.encode_name.isascii() and field.encode_name.isidentifier()):
            raise ConfigurationError(f"{field.encode_name!r} of {user_type.__name__} is no column")
    return tuple(field.encode_name for field in fields)


def _row_type(user_type: type[User]) -> type[Any]:
    """Return a Struct for one row of session and user together."""
    sessions = {field.name: field for field in msgspec.structs.fields(Session)}
    fields = [(f"s_{name}", sessions[name].type) for name in _SESSION_COLUMNS]
    fields += [
        (f"u_{field.encode_name}", field.type) for field in msgspec.structs.fields(user_type)
    ]
    return msgspec.defstruct("SessionAndUser", fields, frozen=True)
