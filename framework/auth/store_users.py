"""The SQL of users and of the keys they sign in with. Knows no passwords and no clock."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from framework.auth.models import User
from framework.auth.store_columns import columns_of
from framework.database import Database, Result, Statement, statement

__all__ = ["StoredKey", "UserStore"]

U = TypeVar("U", bound=User)

_KEY: Final = "SELECT id, user_id, hashed_password FROM user_key WHERE"
_FIND_KEY: Final = f"{_KEY} id = ?1"
_LIST_KEYS: Final = f"{_KEY} user_id = ?1 ORDER BY id LIMIT 100"
_FIND_PASSWORD_KEY: Final = (
    f"{_KEY} user_id = ?1 AND substr(id, 1, length(?2)) = ?2 AND hashed_password IS NOT NULL"
    " ORDER BY id LIMIT 1"
)
_INSERT_KEY: Final = "INSERT INTO user_key (id, user_id, hashed_password) VALUES (?1, ?2, ?3)"
_CHANGE_PASSWORD: Final = (
    "UPDATE user_key SET hashed_password = ?2 WHERE id = ?1 AND hashed_password = ?3"
)
_CHANGE_OTHERS: Final = (
    "UPDATE user_key SET hashed_password = ?3"
    " WHERE user_id = ?1 AND id <> ?2 AND hashed_password IS NOT NULL"
    " AND EXISTS (SELECT 1 FROM user_key WHERE id = ?2 AND hashed_password = ?3)"
)
_SET_PASSWORD: Final = (
    "UPDATE user_key SET hashed_password = ?2 WHERE id = ?1 RETURNING id, user_id, hashed_password"
)
_DELETE_KEY: Final = "DELETE FROM user_key WHERE id = ?1"
# A user is always the last to go: what refers to one goes first.
_DELETE_USER: Final = (
    "DELETE FROM user_session WHERE user_id = ?1",
    "DELETE FROM user_key WHERE user_id = ?1",
    "DELETE FROM known_device WHERE user_id = ?1",
    "DELETE FROM user WHERE id = ?1",
)


class StoredKey(msgspec.Struct, frozen=True):
    """A row of ``user_key``."""

    id: str
    user_id: str
    hashed_password: str | None
    """None for a way in without a password."""

    def __repr__(self) -> str:
        return f"<StoredKey of {self.user_id}>"


class UserStore(Generic[U]):
    """The statements, for a user Struct whose fields are columns of ``user``.

    Methods that return a `Statement` are for a batch; the others make one trip.
    """

    def __init__(self, user_type: type[U]) -> None:
        self._user_type = user_type
        self._users = columns_of(user_type)
        names = self._users.select_list()
        self._find_user = f"SELECT {names} FROM user WHERE id = ?1"
        self._find_user_by_key = (
            f"SELECT {names} FROM user WHERE id = (SELECT user_id FROM user_key WHERE id = ?1)"
        )
        self._insert_user = f"INSERT INTO user ({names}) VALUES ({self._users.placeholders()})"

    def find_user(self, user_id: str) -> Statement:
        """Find the user *user_id*; see `read_user`."""
        return statement(self._find_user, user_id)

    def find_user_by_key(self, key_id: str) -> Statement:
        """Find the user of the key *key_id*; see `read_user`."""
        return statement(self._find_user_by_key, key_id)

    def read_user(self, result: Result) -> U | None:
        """Return the user that was found."""
        return result.first(self._user_type)

    def insert_user(self, user: U) -> Statement:
        """Insert *user*."""
        return Statement(self._insert_user, self._users.values(user))

    def update_user(self, user_id: str, attributes: Mapping[str, Any]) -> Statement:
        """Set *attributes* of the user *user_id*, and find the user; see `read_user`.

        Raises `TypeError` for what is no attribute, and for ``id``.
        """
        changes = self._users.assignments(attributes, {"id"})
        if not changes:
            return self.find_user(user_id)
        sql = f"UPDATE user SET {changes} WHERE id = ?1 RETURNING {self._users.select_list()}"
        return statement(sql, user_id, *attributes.values())

    def delete_user(self, user_id: str) -> Sequence[Statement]:
        """Delete sessions, keys, known browsers and then the user: in this order, in one batch."""
        return [statement(sql, user_id) for sql in _DELETE_USER]

    def insert_key(self, key: StoredKey) -> Statement:
        """Insert *key*."""
        return statement(_INSERT_KEY, key.id, key.user_id, key.hashed_password)

    def find_key(self, key_id: str) -> Statement:
        """Find the key *key_id*: gives a `StoredKey`."""
        return statement(_FIND_KEY, key_id)

    async def list_keys(self, db: Database, user_id: str) -> list[StoredKey]:
        """Return the keys of *user_id*, by id, at most 100."""
        return await db.all(StoredKey, _LIST_KEYS, user_id)

    async def find_password_key(
        self, db: Database, user_id: str, provider: str
    ) -> StoredKey | None:
        """Return the key of *user_id* at *provider* that has a password, the first by its id."""
        return await db.first(StoredKey, _FIND_PASSWORD_KEY, user_id, provider + ":")

    def change_password(self, key: StoredKey, hashed_password: str) -> Statement:
        """Give *key* another password, if it still has the one that was verified."""
        return statement(_CHANGE_PASSWORD, key.id, hashed_password, key.hashed_password)

    def change_other_passwords(self, changed: StoredKey) -> Statement:
        """Give each other password of the user what *changed* holds, if the change took place."""
        return statement(_CHANGE_OTHERS, changed.user_id, changed.id, changed.hashed_password)

    def set_password(self, key_id: str, hashed_password: str | None) -> Statement:
        """Give the key *key_id* a password, or take it away; gives the `StoredKey`, if there is one."""
        return statement(_SET_PASSWORD, key_id, hashed_password)

    def delete_key(self, key_id: str) -> Statement:
        """Delete the key *key_id*."""
        return statement(_DELETE_KEY, key_id)
