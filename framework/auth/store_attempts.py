"""The SQL of attempts to sign in, and of the browsers that are known. Knows no passwords, no clock."""

from collections.abc import Sequence
from typing import Final

import msgspec

from framework.auth.store_users import StoredKey
from framework.database import Statement, statement

__all__ = ["Attempt", "AttemptStore"]

# The two counts go alike: a window begins with the first attempt and ends when it ends.
_COUNT: Final = (
    " attempts = CASE WHEN resets_at <= ?2 THEN 1 ELSE attempts + 1 END,"
    " resets_at = CASE WHEN resets_at <= ?2 THEN ?3 ELSE resets_at END"
)
_IS_KNOWN: Final = (
    " WHERE id = ?4 AND expires_at > ?2 AND user_id = (SELECT user_id FROM user_key WHERE id = ?5)"
)
_ATTEMPT: Final = (
    "INSERT INTO sign_in_attempt (account, attempts, resets_at) VALUES (?1, 1, ?3)"
    f" ON CONFLICT (account) DO UPDATE SET{_COUNT} RETURNING attempts, resets_at"
)
_ATTEMPT_UNLESS_KNOWN: Final = (
    "INSERT INTO sign_in_attempt (account, attempts, resets_at) SELECT ?1, 1, ?3"
    f" WHERE NOT EXISTS (SELECT 1 FROM known_device{_IS_KNOWN})"
    f" ON CONFLICT (account) DO UPDATE SET{_COUNT} RETURNING attempts, resets_at"
)
# Takes what the other takes; ?1 is of no use here.
_ATTEMPT_BY_KNOWN: Final = (
    f"UPDATE known_device SET{_COUNT}{_IS_KNOWN} RETURNING attempts, resets_at"
)
_FORGET_ATTEMPTS: Final = "DELETE FROM sign_in_attempt WHERE account = ?1"
_REMEMBER_DEVICE: Final = (
    "INSERT INTO known_device (id, user_id, attempts, resets_at, expires_at)"
    " SELECT ?1, ?2, 0, 0, ?3"
    " WHERE EXISTS (SELECT 1 FROM user_key WHERE id = ?4 AND hashed_password = ?5)"
    " ON CONFLICT (id) DO UPDATE SET attempts = 0, resets_at = 0, expires_at = excluded.expires_at"
)
# Who signs in without keeping cookies, as a program does, makes a new one each time.
_FORGET_OLD_DEVICES: Final = (
    "DELETE FROM known_device WHERE user_id = ?1 AND id NOT IN (SELECT id FROM known_device"
    " WHERE user_id = ?1 ORDER BY expires_at DESC, id LIMIT 20)"
)


class Attempt(msgspec.Struct, frozen=True):
    """How often an account was tried in the window that ends at *resets_at*, in milliseconds."""

    attempts: int
    resets_at: int


class AttemptStore:
    """The statements that count. *account* is the SHA-256 of a key's id."""

    def count_attempt(self, account: str, now: int, resets_at: int) -> Statement:
        """Count an attempt on *account*; gives an `Attempt`."""
        return statement(_ATTEMPT, account, now, resets_at)

    def count_attempt_from(
        self, device: str, account: str, key_id: str, now: int, resets_at: int
    ) -> list[Statement]:
        """Count an attempt from *device*, apart where it is known to the user of *key_id*.

        Two statements, of which one gives an `Attempt`: the first where the device is known.
        """
        values = (account, now, resets_at, device, key_id)
        return [statement(_ATTEMPT_BY_KNOWN, *values), statement(_ATTEMPT_UNLESS_KNOWN, *values)]

    def forget_attempts(self, account: str) -> Statement:
        """Forget how often *account* was tried."""
        return statement(_FORGET_ATTEMPTS, account)

    def remember_device(self, device: str, key: StoredKey, expires_at: int) -> Sequence[Statement]:
        """Know *device* as one of the user of *key*, if that has the password that was verified.

        The 20 browsers of a user that signed in last are known.
        """
        values = (device, key.user_id, expires_at, key.id, key.hashed_password)
        return [
            statement(_REMEMBER_DEVICE, *values),
            statement(_FORGET_OLD_DEVICES, key.user_id),
        ]
