"""The SQL of attempts to sign in, and of the browsers that are known. Knows no passwords, no clock."""

from collections.abc import Sequence
from typing import Final

import msgspec

from framework.auth.limits import CLOCK_ERROR, FAILURES_KEPT, Limits
from framework.auth.store_users import StoredKey
from framework.database import Statement, statement

__all__ = ["PURGE_ATTEMPTS", "Attempt", "AttemptStore"]

# Accounts and devices are counted alike. A window begins with the first attempt and lasts as long as
# one that begins now, at most: otherwise a clock that was set back would lock the account for as long
# as it had been wrong. When a window ends, its failures (?6 at most, since no more were looked at)
# are added to the earlier ones, if those are less than ?8 old. A row that reaches ?7 failures no longer
# changes, and expires ?8 after its window.
_FAILURES: Final = "failures + min(attempts, ?6)"
_IS_FORGOTTEN: Final = "resets_at + ?8 <= ?2"
_COUNT: Final = (
    f" attempts = CASE WHEN {_IS_FORGOTTEN} THEN 1"
    " WHEN resets_at > ?2 THEN attempts + 1"
    f" WHEN {_FAILURES} >= ?7 THEN attempts ELSE 1 END,"
    f" failures = CASE WHEN {_IS_FORGOTTEN} THEN 0"
    f" WHEN resets_at > ?2 OR {_FAILURES} >= ?7 THEN failures ELSE {_FAILURES} END,"
    f" resets_at = CASE WHEN {_IS_FORGOTTEN} THEN ?3 WHEN resets_at > ?2 THEN min(resets_at, ?3)"
    f" WHEN {_FAILURES} >= ?7 THEN resets_at ELSE ?3 END"
)
_COUNTED: Final = " RETURNING attempts, failures, resets_at"
# Until ?9 at most: what would be known for longer was stored by a clock that was ahead.
_IS_KNOWN: Final = (
    " WHERE id = ?4 AND expires_at > ?2 AND expires_at <= ?9"
    " AND user_id = (SELECT user_id FROM user_key WHERE id = ?5)"
)
_ATTEMPT: Final = (
    "INSERT INTO sign_in_attempt (account, attempts, resets_at) VALUES (?1, 1, ?3)"
    f" ON CONFLICT (account) DO UPDATE SET{_COUNT}{_COUNTED}"
)
_ATTEMPT_UNLESS_KNOWN: Final = (
    "INSERT INTO sign_in_attempt (account, attempts, resets_at) SELECT ?1, 1, ?3"
    f" WHERE NOT EXISTS (SELECT 1 FROM known_device{_IS_KNOWN})"
    f" ON CONFLICT (account) DO UPDATE SET{_COUNT}{_COUNTED}"
)
# Takes what the other takes; ?1 is of no use here.
_ATTEMPT_BY_KNOWN: Final = f"UPDATE known_device SET{_COUNT}{_IS_KNOWN}{_COUNTED}"
_FORGET_ATTEMPTS: Final = "DELETE FROM sign_in_attempt WHERE account = ?1"
_FORGET_FAILURES: Final = (
    "UPDATE sign_in_attempt SET failures = 0,"
    " attempts = CASE WHEN resets_at > ?2 THEN attempts ELSE 0 END WHERE account = ?1"
    " AND (failures > 0 OR attempts > 0 AND resets_at <= ?2)"
)
PURGE_ATTEMPTS: Final = (
    f"DELETE FROM sign_in_attempt WHERE resets_at <= ?1 - {FAILURES_KEPT // 30}"
    f" AND (attempts = 1 AND failures = 0 OR resets_at <= ?1 - {FAILURES_KEPT})"
)
"""Deletes the attempts that no longer count at ``?1``. A row that was tried only once is kept for a
day: somebody may try once on each of a million names, and once a day on one name is 365 guesses a
year."""

# What was counted in a window that ended at 0 is forgotten.
_FORGET_DEVICE_ATTEMPTS: Final = (
    "UPDATE known_device SET resets_at = 0"
    " WHERE user_id = (SELECT user_id FROM user_key WHERE id = ?1)"
)
_REMEMBER_DEVICE: Final = (
    "INSERT INTO known_device (id, user_id, attempts, resets_at, expires_at)"
    " SELECT ?1, ?2, 0, 0, ?3"
    " WHERE EXISTS (SELECT 1 FROM user_key WHERE id = ?4 AND hashed_password = ?5)"
    " ON CONFLICT (id) DO UPDATE SET resets_at = 0, expires_at = excluded.expires_at"
)
# Who signs in without keeping cookies, as a program does, makes a new one each time. What is known for
# longer than ?2 is not known at all, and takes nobody's place.
_FORGET_OLD_DEVICES: Final = (
    "DELETE FROM known_device WHERE user_id = ?1 AND id NOT IN (SELECT id FROM known_device"
    " WHERE user_id = ?1 AND expires_at <= ?2 ORDER BY expires_at DESC, id LIMIT 20)"
)
_FORGET_DEVICES: Final = (
    "DELETE FROM known_device WHERE id <> ?3"
    " AND user_id = (SELECT user_id FROM user_key WHERE id = ?1 AND hashed_password IS ?2)"
)


class Attempt(msgspec.Struct, frozen=True):
    """How often an account was tried."""

    attempts: int
    """In the window that ends at *resets_at*."""
    resets_at: int
    """Unix milliseconds."""
    failures: int = 0
    """In the windows before, without a success since. Past `Limits.failures` no further window begins."""

    def refused_until(self, limit: int, failures: int, now: int) -> int | None:
        """Return until when this attempt is refused, in Unix milliseconds; None where it is not.

        *limit* is how many a window takes, *failures* how many there may be on end, 0 for any number.
        """
        is_last = failures > 0 and self.failures + min(self.attempts, limit) >= failures
        allowed = min(limit, failures - self.failures) if failures else limit
        if self.resets_at > now and self.attempts <= allowed:
            return None
        return self.resets_at + (FAILURES_KEPT if is_last else 0)


class AttemptStore:
    """The statements that count. *account* is the SHA-256 of a key's id."""

    def count_attempt(self, account: str, now: int, limits: Limits) -> Statement:
        """Count an attempt on *account*; gives an `Attempt`."""
        counts = _counts(limits, limits.attempts)
        return statement(_ATTEMPT, account, now, now + limits.window, None, None, *counts)

    def count_attempt_from(
        self, device: str, account: str, key_id: str, now: int, limits: Limits
    ) -> list[Statement]:
        """Count an attempt from *device*, apart where it is known to the user of *key_id*.

        Two statements, of which one gives an `Attempt`: the first where the device is known.
        """
        values = (account, now, now + limits.window, device, key_id)
        latest = now + limits.device + CLOCK_ERROR
        return [
            statement(_ATTEMPT_BY_KNOWN, *values, *_counts(limits, limits.device_attempts), latest),
            statement(_ATTEMPT_UNLESS_KNOWN, *values, *_counts(limits, limits.attempts), latest),
        ]

    def forget_attempts(self, account: str) -> Statement:
        """Forget how often *account* was tried."""
        return statement(_FORGET_ATTEMPTS, account)

    def forget_failures(self, account: str, now: int) -> Statement:
        """Forget how often *account* was tried, but for the window that is not over at *now*."""
        return statement(_FORGET_FAILURES, account, now)

    def forget_device_attempts(self, key_id: str) -> Statement:
        """Forget how often the user of *key_id* was tried from known browsers, which stay known."""
        return statement(_FORGET_DEVICE_ATTEMPTS, key_id)

    def remember_device(self, device: str, key: StoredKey, expires_at: int) -> Sequence[Statement]:
        """Remember *device* as one of the user of *key*, if that has the password that was verified.

        The 20 browsers of a user that signed in last are known.
        """
        values = (device, key.user_id, expires_at, key.id, key.hashed_password)
        return [
            statement(_REMEMBER_DEVICE, *values),
            statement(_FORGET_OLD_DEVICES, key.user_id, expires_at + CLOCK_ERROR),
        ]

    def forget_devices(self, key_id: str, hashed_password: str | None, keep: str = "") -> Statement:
        """Forget the known browsers of the user of *key_id*, except *keep*, if the key has that hash."""
        return statement(_FORGET_DEVICES, key_id, hashed_password, keep)


def _counts(limits: Limits, limit: int) -> tuple[int, int, int]:
    """Return what is counted: attempts of a window, failures on end, and how long those are kept."""
    return limit, limits.failures, FAILURES_KEPT if limits.failures else 0
