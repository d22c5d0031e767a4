"""Makes, checks, lists and removes the keys that users sign in with. Knows no request, no session."""

from collections.abc import Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from framework.auth.errors import (
    AuthError,
    DuplicateKey,
    InvalidKey,
    InvalidPassword,
    InvalidUsername,
    OutdatedPassword,
    PasswordError,
    TooManyAttempts,
    UnknownKey,
    UnknownUser,
)
from framework.auth.limits import seconds_until
from framework.auth.models import Key, User
from framework.auth.passwords import BCRYPT
from framework.auth.settings import Settings
from framework.auth.storage import Storage
from framework.auth.store_attempts import Attempt
from framework.auth.store_users import StoredKey
from framework.auth.tokens import digest
from framework.auth.usernames import canonical_username
from framework.callables import settled
from framework.database import Database, ForeignKeyViolation, Result, Statement, UniqueViolation
from framework.log import log_error

__all__ = ["Keys", "Verified"]

U = TypeVar("U", bound=User)

_ID_MAX: Final = 255
"""Characters of ``provider:provider_user_id``, as the column has them (Lucia v2's too)."""


class Verified(NamedTuple, Generic[U]):
    """A key whose password was right."""

    key: StoredKey
    user: U
    is_known_device: bool
    """Whether the browser is one of theirs."""
    beside: Sequence[Result]
    """What was asked in the same trip."""


class Keys(Generic[U]):
    """The keys of all users: ``auth.keys``. Each method takes the database to look in.

    A key is named by its provider and by what the provider calls the user. Names at the provider
    that `Auth.sign_in` uses (``username``) are brought to their one form first, if they have one:
    `Auth.sign_up` refuses the others. Names at other providers are taken as they are. An invalid
    name raises `ValueError`: a provider that is empty or holds a ``:``, an empty id, or more than
    255 characters together. At `Auth`'s own provider that is `InvalidUsername`.
    """

    def __init__(self, store: Storage[U], settings: Settings) -> None:
        self._store = store
        self._hasher = settings.hasher
        self._check_password: Any = settings.check_password  # by mistake it returns something
        self._limits = settings.limits
        self._clock = settings.clock
        self._provider = settings.provider

    async def create(
        self,
        db: Database,
        user_id: str,
        provider: str,
        provider_user_id: str,
        password: str | None = None,
    ) -> Key:
        """Give the user *user_id* another way in, with a *password* or without.

        None means without one. Raises `DuplicateKey`, `UnknownUser`, and `PasswordError` for a
        password that is empty or cannot be hashed.
        """
        key = await self.make(user_id, provider, provider_user_id, password)
        try:
            await db.batch([self._store.insert_key(key)])
        except UniqueViolation as error:
            raise DuplicateKey("That key is taken.") from error
        except ForeignKeyViolation as error:
            raise UnknownUser from error
        return _shown(key)

    async def use(
        self, db: Database, provider: str, provider_user_id: str, password: str | None
    ) -> Key:
        """Return the key if *password* is its password; or if *password* is None and the key has none.

        Attempts with a password are counted and limited as in `Auth.sign_in`, and the password is
        hashed anew where its hash is outdated. Raises `InvalidKey`, `InvalidPassword` or
        `OutdatedPassword`, all at the same cost and alike to a client, and `TooManyRequests`.
        """
        key_id = self.id_of(provider, provider_user_id)
        if password is None:
            key = await self._find(db, key_id)
            if key is None:
                raise InvalidKey
            if key.hashed_password is not None:
                raise InvalidPassword
            return _shown(key)
        verified = await self.verify(db, key_id, password, None)
        statements, key = await self.renew_hash(verified.key, password)
        await db.batch([*statements, self._store.forget_attempts(digest(key_id))])
        return _shown(key)

    async def get(self, db: Database, provider: str, provider_user_id: str) -> Key:
        """Return the key of that name. Raises `UnknownKey`."""
        key = await self._find(db, self.id_of(provider, provider_user_id))
        if key is None:
            raise UnknownKey
        return _shown(key)

    async def for_user(self, db: Database, user_id: str) -> list[Key]:
        """Return the keys of *user_id*, by name, at most 100."""
        return [_shown(key) for key in await self._store.list_keys(db, user_id)]

    async def set_password(
        self, db: Database, provider: str, provider_user_id: str, password: str | None
    ) -> Key:
        """Give a key another password, or take it away; end all sessions of its user: one batch.

        The browsers that the user is known by are forgotten, and so is how often the key was tried.
        For programs: nobody is asked for the old one. Raises `UnknownKey` and `PasswordError`.
        """
        key_id, hashed = self.id_of(provider, provider_user_id), await self._hashed(password)
        results = await db.batch(
            [
                self._store.set_password(key_id, hashed),
                self._store.delete_sessions_of_key(key_id),
                self._store.forget_devices(key_id, hashed),
                self._store.forget_attempts(digest(key_id)),
            ]
        )
        key = results[0].first(StoredKey)
        if key is None:
            raise UnknownKey
        return _shown(key)

    async def forget_attempts(self, db: Database, provider: str, provider_user_id: str) -> None:
        """Forget the attempts on a key, from known browsers too, so that `Limits` refuse it no more."""
        key_id = self.id_of(provider, provider_user_id)
        forget = self._store.forget_attempts(digest(key_id))
        await db.batch([forget, self._store.forget_device_attempts(key_id)])

    async def delete(self, db: Database, provider: str, provider_user_id: str) -> bool:
        """Delete a key, whoever owns it; return whether there was one. Sessions that it began go on."""
        [result] = await db.batch([self._store.delete_key(self.id_of(provider, provider_user_id))])
        return result.changes > 0

    def id_of(self, provider: str, provider_user_id: str) -> str:
        """Return what the row of a key is called: ``provider:provider_user_id``."""
        if not provider or ":" in provider:
            raise ValueError(f"{provider!r} is not a provider: it must not be empty or contain a :")
        if provider == self._provider:
            provider_user_id = canonical_username(provider_user_id) or provider_user_id
        if not provider_user_id or len(provider) + len(provider_user_id) >= _ID_MAX:
            if provider == self._provider:
                raise InvalidUsername
            raise ValueError(
                f"a key's id must have at most {_ID_MAX} characters, and at least one after the :"
            )
        return f"{provider}:{provider_user_id}"

    async def make(
        self, user_id: str, provider: str, provider_user_id: str, password: str | None
    ) -> StoredKey:
        """Return a key with its password hashed. Nothing is written."""
        key_id = self.id_of(provider, provider_user_id)
        return StoredKey(key_id, user_id, await self._hashed(password))

    async def hash(self, password: str) -> str:
        """Return what is stored of *password*. Raises `PasswordError`."""
        if not password:  # whatever the hasher thinks: nobody could ever sign in with it
            raise PasswordError("A password must not be empty.")
        if self._check_password is not None:
            settled(await self._check_password(password), "check_password")
        return await self._hasher.hash(password)

    async def verify(
        self, db: Database, key_id: str, password: str, device: str | None, *beside: Statement
    ) -> Verified[U]:
        """Return the key *key_id* and its user if *password* is right: one trip, one hash.

        *device* is the digest of the browser's device cookie: one that its owner signed in with has
        a count of its own. *beside* is asked in the same trip. Raises as `use` does.
        """
        now, account = self._clock(), digest(key_id)
        counted = [self._store.count_attempt(account, now, self._limits)]
        if device is not None:
            counted = [*self._store.count_attempt_from(device, account, key_id, now, self._limits)]
        find = [self._store.find_key(key_id), self._store.find_user_by_key(key_id)]
        *others, keys, users = await db.batch([*beside, *counted, *find])
        attempts = [count.first(Attempt) for count in others[len(beside) :]]
        is_known = len(attempts) > 1 and attempts[0] is not None
        [attempt] = [each for each in attempts if each is not None]  # whichever was counted
        key, user = keys.first(StoredKey), self._store.read_user(users)
        self._refuse_many(attempt, is_known, now, user)
        stored = None if key is None else key.hashed_password
        verified = await self._hasher.verify(password, stored or self._hasher.dummy_hash)
        matches = settled(verified, "the hasher")
        if key is None or user is None:
            raise InvalidKey
        if not matches or not stored:
            is_outdated = (stored or "").startswith(BCRYPT)
            raise _about(user, OutdatedPassword() if is_outdated else InvalidPassword())
        return Verified(key, user, is_known, others[: len(beside)])

    async def renew_hash(self, key: StoredKey, password: str) -> tuple[list[Statement], StoredKey]:
        """Return what stores *password* anew where its hash is outdated, and the key after that."""
        if key.hashed_password is None or not self._hasher.is_outdated(key.hashed_password):
            return [], key
        try:
            hashed = await self._hasher.hash(password)
        except Exception as error:  # the password was right: the key goes on as it is
            if not isinstance(error, PasswordError):  # of a password shorter than today's
                log_error("a password could not be hashed anew", error)
            return [], key
        renewed = msgspec.structs.replace(key, hashed_password=hashed)
        return [self._store.change_password(key, hashed)], renewed

    def _refuse_many(self, attempt: Attempt, is_known: bool, now: int, user: U | None) -> None:
        limit = self._limits.device_attempts if is_known else self._limits.attempts
        until = attempt.refused_until(limit, self._limits.failures, now)
        if until is not None:
            wait = seconds_until(until, now)
            error = TooManyAttempts("Too many attempts for this account.", retry_after=wait)
            raise _about(user, error)

    async def _find(self, db: Database, key_id: str) -> StoredKey | None:
        [found] = await db.batch([self._store.find_key(key_id)])
        return found.first(StoredKey)

    async def _hashed(self, password: str | None) -> str | None:
        return None if password is None else await self.hash(password)


def _about(user: User | None, error: AuthError) -> AuthError:
    error.user_id = None if user is None else user.id
    return error


def _shown(key: StoredKey) -> Key:
    provider, _, provider_user_id = key.id.partition(":")
    return Key(provider, provider_user_id, key.user_id, key.hashed_password is not None)
