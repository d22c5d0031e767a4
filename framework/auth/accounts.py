"""Makes accounts, and signs people in and out of them. Knows nothing of guards."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from framework.auth.errors import DuplicateKey, InvalidCredentials
from framework.auth.legacy_cookie import SessionFormat
from framework.auth.models import User
from framework.auth.passwords import Hasher, PasswordError
from framework.auth.sessions import SECOND, Limits, Sessions
from framework.auth.store import Key
from framework.auth.tokens import digest, new_user_id
from framework.auth.usernames import canonical_username
from framework.context import Context
from framework.database import Statement, UniqueViolation
from framework.errors import ConfigurationError, TooManyRequests

__all__ = ["Accounts"]

U = TypeVar("U", bound=User)


class Accounts(Sessions[U]):
    """The part of `Auth` that knows usernames and passwords."""

    def __init__(
        self,
        database: str,
        user: type[U],
        limits: Limits,
        cookie: str,
        hasher: Hasher,
        clock: Callable[[], int],
        sessions: SessionFormat,
        provider: str,
    ) -> None:
        super().__init__(database, user, limits, cookie, clock, sessions)
        if not provider or ":" in provider:
            raise ConfigurationError(f"provider={provider!r} cannot begin a key: it ends at the :")
        self._hasher = hasher
        self._provider = provider

    async def sign_up(self, c: Context, username: str, password: str, /, **attributes: Any) -> U:
        """Make a user with a password, sign them in, and return them.

        *attributes* are fields of the user Struct beside ``id``. User, key and session are written
        in one batch. Raises `DuplicateKey` where the name is taken, `ValueError` for a name that is
        none, `PasswordError` for a password that cannot be hashed.
        """
        canonical = canonical_username(username)
        if canonical is None:
            raise ValueError("a username has 3 to 64 ASCII letters, digits and . _ @ + -")
        user = self._user_type(id=new_user_id(), **attributes)
        hashed = await self._hasher.hash(password)
        key = Key(self._key_id(canonical), user.id, hashed)
        session, token = self._new_session(c, user.id)
        try:
            await self._db(c).batch(
                [
                    self._store.insert_user(user),
                    self._store.insert_key(key),
                    *self._give_up_presented(c),
                    self._store.insert_session(session, key),
                ]
            )
        except UniqueViolation as error:
            raise DuplicateKey from error
        self._signed_in(c, session, token, user)
        return user

    async def sign_in(self, c: Context, username: str, password: str) -> U:
        """Sign in who knows the password of *username*, and return them.

        Every sign-in makes a new session and ends the one that the browser brought. Raises
        `InvalidCredentials`, at the same cost whether or not there is such a user, and
        `TooManyRequests`, before any hash, past `Limits.attempts` for one account.
        """
        canonical = canonical_username(username) or username
        for _ in range(2):  # again where the hash was replaced meanwhile, as another sign-in does
            user = await self._try_sign_in(c, self._key_id(canonical), password)
            if user is not None:
                return user
        raise InvalidCredentials

    async def _try_sign_in(self, c: Context, key_id: str, password: str) -> U | None:
        """Sign in; None where the hash that was verified is no longer the one stored."""
        key, user = await self._verify(c, key_id, password)
        statements: list[Statement] = []
        if key.hashed_password is not None and self._hasher.is_outdated(key.hashed_password):
            with suppress(PasswordError):  # shorter than today's: it goes on as it is
                hashed = await self._hasher.hash(password)
                statements.append(self._store.change_password(key, hashed))
                key = msgspec.structs.replace(key, hashed_password=hashed)
        session, token = self._new_session(c, key.user_id)
        results = await self._db(c).batch(
            [
                *statements,
                *self._give_up_presented(c),
                self._store.forget_attempts(digest(key.id)),
                self._store.insert_session(session, key),
            ]
        )
        if results[-1].changes == 0:
            return None
        self._signed_in(c, session, token, user)
        return user

    async def _verify(self, c: Context, key_id: str, password: str) -> tuple[Key, U]:
        now = self.clock()
        account = digest(key_id)
        attempt, key, user = await self._store.find_for_sign_in(
            self._db(c), account, key_id, now, now + self.limits.window
        )
        if attempt.attempts > self.limits.attempts:
            wait = (attempt.resets_at - now + SECOND - 1) // SECOND
            raise TooManyRequests("Too many attempts for this account.", retry_after=wait)
        stored = None if key is None else key.hashed_password
        matches = await self._hasher.verify(password, stored or self._hasher.nobody)
        if not matches or not stored or key is None or user is None:
            raise InvalidCredentials
        return key, user

    async def sign_out(self, c: Context) -> None:
        """End the session of this request and clear its cookie, even where the database is out."""
        self._forget(c)
        session = c.get(self.session_slot)
        ids = dict.fromkeys([session.id, *self._presented_ids(c)])  # two where it was replaced
        await self._db(c).batch([self._store.delete_token(id) for id in ids])

    async def change_password(self, c: Context, current: str, new: str) -> None:
        """Change the password of this request's user; end all their sessions, and begin one anew.

        Raises `InvalidCredentials` where *current* is wrong, `TooManyRequests` like `sign_in`, and
        `PasswordError` for a password that cannot be hashed.
        """
        db = self._db(c)
        session = c.get(self.session_slot)
        known = await self._store.find_password_key(db, session.user_id, self._provider)
        if known is None:
            raise InvalidCredentials
        key, user = await self._verify(c, known.id, current)
        hashed = await self._hasher.hash(new)
        changed = msgspec.structs.replace(key, hashed_password=hashed)
        begun, token = self._new_session(c, user.id)
        begun = msgspec.structs.replace(
            begun, user_agent=session.user_agent, country=session.country
        )
        results = await db.batch(
            [
                self._store.change_password(key, hashed),
                self._store.delete_sessions_after_change(changed),
                self._store.forget_attempts(digest(key.id)),
                self._store.insert_session(begun, changed),
            ]
        )
        if results[0].changes == 0:
            raise InvalidCredentials
        self._signed_in(c, begun, token, user)

    async def delete_user(self, c: Context, first: Sequence[Statement] = ()) -> None:
        """Delete this request's user with sessions and keys, in one batch, and clear the cookie.

        *first* are the app's own statements for what belongs to the user; they run before.
        """
        session = c.get(self.session_slot)
        await self._db(c).batch([*first, *self._store.delete_user(session.user_id)])
        self._forget(c)

    def _key_id(self, canonical: str) -> str:
        return f"{self._provider}:{canonical}"
