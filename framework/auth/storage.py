"""Says what `Auth` needs of its store: a statement for each thing it does. Knows no SQL.

`Store` is the one that ships. Another, for tables that look different, is given to `Auth` as
*store*, and has to pass the suite in ``tests/conformance/storage_cases.py``. It returns statements
rather than making calls, since what belongs together goes in one batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from framework.auth.limits import Limits
from framework.auth.models import Session, User, Validated
from framework.auth.store_users import StoredKey
from framework.database import Database, Result, Statement

__all__ = ["Storage"]

U = TypeVar("U", bound=User)


class Storage(Protocol[U]):
    """Users, keys, sessions and attempts in a SQL database.

    What returns a `Statement` goes into a batch; a method that takes the database makes one trip.
    Times are Unix milliseconds. What is not there is None, False or nothing, never an error. A key
    or a user that is there already raises `UniqueViolation`, one that refers to a user who is not
    there `ForeignKeyViolation`.
    """

    def find_user(self, user_id: str) -> Statement:
        """Find the user *user_id*; see `read_user`."""
        ...

    def find_user_by_key(self, key_id: str) -> Statement:
        """Find the user of the key *key_id*; see `read_user`."""
        ...

    def read_user(self, result: Result) -> U | None:
        """Return the user that was found."""
        ...

    def insert_user(self, user: U) -> Statement:
        """Insert *user*."""
        ...

    def update_user(self, user_id: str, attributes: Mapping[str, Any]) -> Statement:
        """Set *attributes* of the user *user_id* and find them; see `read_user`. Raises `TypeError`
        for what cannot be set.
        """
        ...

    def delete_user(self, user_id: str) -> Sequence[Statement]:
        """Delete the user *user_id*, last, after all that refers to them."""
        ...

    def find_key(self, key_id: str) -> Statement:
        """Find the key *key_id*: gives a `StoredKey`."""
        ...

    async def list_keys(self, db: Database, user_id: str) -> list[StoredKey]:
        """Return the keys of *user_id*, by id."""
        ...

    async def find_password_key(
        self, db: Database, user_id: str, provider: str
    ) -> StoredKey | None:
        """Return the key of *user_id* at *provider* that has a password, the first by its id."""
        ...

    def insert_key(self, key: StoredKey) -> Statement:
        """Insert *key*."""
        ...

    def change_password(self, key: StoredKey, hashed_password: str) -> Statement:
        """Give *key* another password, if it still has the one that *key* holds."""
        ...

    def change_other_passwords(self, changed: StoredKey) -> Statement:
        """Give the user's other passwords the hash in *changed*, if the key of *changed* has that now."""
        ...

    def set_password(self, key_id: str, hashed_password: str | None) -> Statement:
        """Give a key a password, or take it away; the row is the `StoredKey`."""
        ...

    def delete_key(self, key_id: str) -> Statement:
        """Delete the key *key_id*."""
        ...

    def find_session(self, ids: Sequence[str]) -> Statement:
        """Find the session that has one of *ids*, one or two, dead or alive, and its user."""
        ...

    def read_session(self, result: Result) -> Validated[U] | None:
        """Return the session and the user that `find_session` found."""
        ...

    async def list_sessions(self, db: Database, user_id: str, now: int) -> list[Session]:
        """Return the sessions of *user_id* that are alive at *now*, newest first."""
        ...

    def add_session(self, session: Session) -> Statement:
        """Insert *session*."""
        ...

    def insert_session(self, session: Session, key: StoredKey) -> Statement:
        """Insert *session*, if *key* still has the password that it holds."""
        ...

    async def renew(
        self, db: Database, id: str, active: int, idle: int, now: int, seen_at: int
    ) -> bool:
        """Give session *id* new ends and *seen_at*, if it is idle at *now*; return whether it was."""
        ...

    async def note_seen(self, db: Database, id: str, now: int, before: int) -> bool:
        """Note that session *id* was seen at *now*, if it was last seen at *before* or earlier;
        return whether.
        """
        ...

    async def update_session(
        self, db: Database, id: str, attributes: Mapping[str, Any], now: int
    ) -> Session | None:
        """Set *attributes* of a living session; return it. Raises `TypeError` as `update_user`."""
        ...

    def replace_session(self, old: Session, session: Session, end: int) -> Sequence[Statement]:
        """Make *session* of the row of *old*, which stays good until *end*; the first tells whether.

        Changes nothing where the row was replaced since *old* was read.
        """
        ...

    def retire_session(self, id: str, end: int) -> Statement:
        """Let session *id* end at *end*, and sooner than it would, and never be renewed."""
        ...

    def change_sessions(self, key: StoredKey, own: str, end: int) -> Sequence[Statement]:
        """Delete all sessions of *key*'s user and retire *own*, if *key* has the password it holds."""
        ...

    def delete_sessions_of_key(self, key_id: str) -> Statement:
        """Delete all sessions of the user of *key_id*."""
        ...

    def delete_sessions(self, user_id: str) -> Statement:
        """Delete all sessions of *user_id*."""
        ...

    def delete_session(self, id: str) -> Statement:
        """Delete the session *id*."""
        ...

    def delete_other_sessions(self, user_id: str, id: str) -> Statement:
        """Delete the sessions of *user_id* but *id*."""
        ...

    def end_session(self, session: Session, now: int, end: int) -> Statement:
        """Delete *session*, what it was replaced by since it was read, and what it replaced.

        What was replaced ends after *now*, by *end*. Changes nothing where none of them is there.
        """
        ...

    def require_session(self, session: Session) -> Statement:
        """Fail with `ConstraintViolation`, unless *session* is there and was not replaced since."""
        ...

    def limit_sessions(self, session: Session, end: int, most: int) -> Statement:
        """Delete the oldest of *session*'s user past *most*, if *session* is there: that stays.

        Those that end by *end* go first.
        """
        ...

    async def delete_dead(self, db: Database, session: Session) -> None:
        """Delete *session*, unless it was renewed since it was read."""
        ...

    async def purge(self, db: Database, now: int) -> int:
        """Delete all that is dead at *now*; return how many sessions."""
        ...

    def count_attempt(self, account: str, now: int, limits: Limits) -> Statement:
        """Count an attempt on *account*; gives an `Attempt`.

        A window ends `Limits.window` after *now* at the latest. Where `Limits.failures` is not 0,
        the failures of earlier windows add up, until the account is forgotten or no window has
        ended for `FAILURES_KEPT`; past `Limits.failures` nothing changes.
        """
        ...

    def count_attempt_from(
        self, device: str, account: str, key_id: str, now: int, limits: Limits
    ) -> Sequence[Statement]:
        """Count an attempt; apart from others where *device* is known to the user of *key_id*.

        A device that would be known for longer than `Limits.device` and `CLOCK_ERROR` from *now* is
        not known. Two statements, of which one gives an `Attempt`: the first where the device is.
        """
        ...

    def forget_attempts(self, account: str) -> Statement:
        """Forget how often *account* was tried."""
        ...

    def forget_failures(self, account: str, now: int) -> Statement:
        """Forget how often *account* was tried, but for the window that is not over at *now*."""
        ...

    def forget_device_attempts(self, key_id: str) -> Statement:
        """Forget how often the user of *key_id* was tried from known browsers, which stay known."""
        ...

    def remember_device(self, device: str, key: StoredKey, expires_at: int) -> Sequence[Statement]:
        """Remember *device* as one of *key*'s user, if *key* has the password that it holds."""
        ...

    def forget_devices(self, key_id: str, hashed_password: str | None, keep: str = "") -> Statement:
        """Forget the known browsers of the user of *key_id*, except *keep*, if the key has that hash."""
        ...
