"""Makes accounts, and signs people in and out of them. Knows nothing of guards."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from framework.auth.address_limit import limit_address
from framework.auth.errors import InvalidCredentials, InvalidUsername
from framework.auth.failure_log import log_failures
from framework.auth.keys import Keys, Verified
from framework.auth.limits import SECOND
from framework.auth.models import NewKey, NewSession, User, begin_anew
from framework.auth.revocation import Revocation
from framework.auth.session_cookie import HostCookie
from framework.auth.settings import Settings
from framework.auth.store_users import StoredKey
from framework.auth.tokens import digest, is_token, new_token, new_user_id
from framework.auth.usernames import canonical_username
from framework.auth.users import Users, new_user, tell_of_columns, tell_of_name
from framework.context import Context
from framework.database import DatabaseError, Statement, UniqueViolation
from framework.errors import ConfigurationError
from framework.security_log import log_event

__all__ = ["Accounts"]

U = TypeVar("U", bound=User)


class Accounts(Revocation[U]):
    """The part of `Auth` that knows usernames and passwords."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        provider = settings.provider
        if not provider or ":" in provider:
            raise ConfigurationError(f"provider={provider!r} must not be empty or contain a :")
        self.keys: Keys[U] = Keys(self._store, settings)
        self.users: Users[U] = Users(self._store, settings, self.keys)
        self._provider = provider
        self._rate_limiter = settings.rate_limiter
        self._devices = None if (name := settings.device_cookie) is None else HostCookie(name)
        if name == settings.cookie:
            raise ConfigurationError(f"cookie= and device_cookie= are both {name!r}")

    async def sign_up(
        self,
        c: Context,
        username: str,
        password: str,
        /,
        *,
        session: Mapping[str, Any] = {},
        **attributes: Any,
    ) -> U:
        """Make a user with a password, sign them in, and return them. User, key and session are one batch.

        *attributes* are fields of the user Struct, all but ``id``. A field ``username`` gets the
        name as it was typed, unless *attributes* name another or `Auth` has another *provider*. An
        ``email`` is stored as it is given: hand in what `normalize_email` returns. *session* holds
        attributes of the session, as `Sessions.create` takes them; ``c.get(auth.session_slot)``
        returns the session that was begun.

        Raises `DuplicateKey` where the name is taken, `UniqueViolation` where the value of another
        unique column is, `InvalidUsername` for a name and `PasswordError` for a password that is
        not allowed, `TypeError` for an attribute that is missing or unknown, and `TooManyRequests`,
        before any hash, where a rate limiter refuses the client's address.
        """
        canonical = canonical_username(username)
        if canonical is None:
            raise InvalidUsername
        chosen = NewKey(self._provider, username)
        user = new_user(self._user_type, new_user_id(), chosen, attributes)
        await limit_address(c, self._rate_limiter)
        key = await self.keys.make(user.id, self._provider, canonical, password)
        begun, token = self._new_session(c, user.id, session)
        device, remember = self._remember_device(c, key, is_known=False)
        try:
            await self._db(c).batch(
                [
                    self._store.insert_user(user),
                    self._store.insert_key(key),
                    *self._end_presented(c),
                    *remember,
                    self._store.insert_session(begun, key),
                ]
            )
        except UniqueViolation as error:
            await tell_of_name(error, self._db(c), self._store.find_key(key.id))
            raise
        except DatabaseError as error:
            tell_of_columns(error, self._user_type)
            raise
        self._signed_in(c, begun, token, user)
        self._send_device(c, device)
        log_event(c, "user_created")
        return user

    async def sign_in(
        self, c: Context, username: str, password: str, *, session: Mapping[str, Any] = {}
    ) -> U:
        """Sign in whoever knows the password of *username*, and return them.

        Every sign-in makes a new session. It ends the one that the browser brought (see
        `Limits.grace`), and the oldest past `Limits.sessions`. *session* holds attributes, as for
        `sign_up`. An answer that is an error after all is sent without the cookie, as it is after
        `sign_up` and `begin_session`: nobody is signed in by it.

        Raises `InvalidCredentials`, at the same cost whether or not there is such a user. Raises
        `TooManyRequests`, before any hash, past `Limits.attempts` for one account, past
        `Limits.device_attempts` for a browser that signed in to it before, and where a rate limiter
        refuses the address.
        """
        begun = await self._sign_in(c, username, password, session, by_cookie=True)
        log_event(c, "authn_login_success")
        return begun.user

    async def issue_token(
        self, c: Context, username: str, password: str, *, session: Mapping[str, Any] = {}
    ) -> NewSession[U]:
        """Begin a session for a program that knows the password of *username*, and return its token.

        For `Auth.bearer_guard`. No cookie is sent, and the session that the request came with goes
        on. In all else it is `sign_in`: limited, counted and logged like that, and raises the same.
        """
        begun = await self._sign_in(c, username, password, session, by_cookie=False)
        c.private = True
        asking, c.actor = c.actor, begun.session
        log_event(c, "authn_login_success")
        c.actor = asking or begun.session  # what comes next is done by who asks, if they are known
        return begun

    async def _sign_in(
        self,
        c: Context,
        username: str,
        password: str,
        attributes: Mapping[str, Any],
        *,
        by_cookie: bool,
    ) -> NewSession[U]:
        await limit_address(c, self._rate_limiter)
        key_id = self._key_id(canonical_username(username) or username)
        with log_failures(c, "authn_login_fail"):
            for _ in range(2):  # again where another sign-in has replaced the hash meanwhile
                begun = await self._try_sign_in(c, key_id, password, attributes, by_cookie)
                if begun is not None:
                    return begun
            raise InvalidCredentials

    async def begin_session(
        self, c: Context, user_id: str, *, session: Mapping[str, Any] = {}
    ) -> U:
        """Sign in the user *user_id*, who proved in another way who they are, and return them.

        For what a password does not prove: the callback of another site, a passkey, a mailed link.
        As with `sign_in`, the session that the browser brought ends, and the oldest past
        `Limits.sessions`; *session* holds attributes, as for `sign_up`. No attempt is counted.
        Raises `UnknownUser`.
        """
        begun, token = self._new_session(c, user_id, session)
        user = await self.sessions.add(self._db(c), begun, self._end_presented(c))
        self._signed_in(c, begun, token, user)
        log_event(c, "authn_login_success")
        return user

    async def _try_sign_in(
        self, c: Context, key_id: str, password: str, attributes: Mapping[str, Any], by_cookie: bool
    ) -> NewSession[U] | None:
        """Sign in; None where the hash that was verified is no longer the one stored."""
        find = self._find_statement(c) if by_cookie else None
        verified = await self._verify(c, key_id, password, *([] if find is None else [find]))
        statements, key = await self.keys.renew_hash(verified.key, password)
        session, token = self._new_session(c, key.user_id, attributes)
        begun = [self._store.insert_session(session, key), *self.sessions.limit(session)]
        ended = self._end_presented(c, verified.beside) if by_cookie else []
        is_known = verified.is_known_device
        device, remember = self._remember_device(c, key, is_known=is_known, is_sent=by_cookie)
        results = await self._db(c).batch(
            [*statements, *ended, *remember, *self._forget_attempts(verified), *begun]
        )
        if results[-len(begun)].changes == 0:
            return None
        if by_cookie:
            self._signed_in(c, session, token, verified.user)
            self._send_device(c, device)
        return NewSession(session, verified.user, token)

    async def _verify(
        self, c: Context, key_id: str, password: str, *beside: Statement
    ) -> Verified[U]:
        brought = None if self._devices is None else self._devices.read(c.request)
        device = digest(brought) if brought is not None and is_token(brought) else None
        return await self.keys.verify(self._db(c), key_id, password, device, *beside)

    def _forget_attempts(self, verified: Verified[U]) -> list[Statement]:
        """Return the statements that forget the attempts which led here.

        From a known browser, this window's attempts by unknown ones still count: the owner's
        sign-in gives no new attempts to somebody who hammers the account.
        """
        account = digest(verified.key.id)
        if verified.is_known_device:
            return [self._store.forget_failures(account, self.clock())]
        return [self._store.forget_attempts(account)]

    def _remember_device(
        self, c: Context, key: StoredKey, *, is_known: bool, is_sent: bool = True
    ) -> tuple[str | None, list[Statement]]:
        """Return the token of this browser's device cookie, and what stores its digest.

        Where no cookie *is_sent*, as to a program, only a browser that *is_known* is remembered: each
        token would count as a failure of it otherwise.

        It signs nobody in. Who hammers an account uses up the attempts of all browsers that are not
        known to it; its owner's have a count of their own, and get in meanwhile (OWASP, "Slow Down
        Online Guessing Attacks with Device Cookies"). A token that is known to this very account
        goes on; any other is replaced, so that none can be planted.
        """
        if self._devices is None or not (is_known or is_sent):
            return None, []
        token = (self._devices.read(c.request) if is_known else None) or new_token()
        expires_at = self.clock() + self.limits.device
        return token, [*self._store.remember_device(digest(token), key, expires_at)]

    def _send_device(self, c: Context, token: str | None) -> None:
        if self._devices is not None and token is not None:
            c.send_cookie(self._devices.send(c.request, token, self.limits.device // SECOND))

    async def change_password(self, c: Context, current: str, new: str) -> None:
        """Change the password of this request's user; end all their sessions, and begin one anew.

        The session that asks ends as well (see `Limits.grace`). All passwords of the user change, at
        whatever provider, so that the old one opens nothing. No browser but this one is known any
        more. *current* is the password of the first key at `Auth`'s *provider*. Behind
        `bearer_guard` no session is begun, and the client signs in again.

        Raises `InvalidCredentials` where *current* is wrong, `InvalidSession` where the session ended
        meanwhile, `TooManyRequests` like `sign_in`, and `PasswordError`, which counts as no attempt,
        for a *new* one that is not allowed.
        """
        with log_failures(c, "authn_password_change_fail"):
            await self._change_password(c, current, new)
        log_event(c, "authn_password_change")

    async def _change_password(self, c: Context, current: str, new: str) -> None:
        session = c.get(self.session_slot)
        known = await self._store.find_password_key(self._db(c), session.user_id, self._provider)
        if known is None:
            raise InvalidCredentials
        verified = await self._verify(c, known.id, current)
        hashed = await self._hash_new(c, verified, new)
        changed = msgspec.structs.replace(verified.key, hashed_password=hashed)
        begun, token = self._new_session(c, verified.user.id)
        begun = begin_anew(session, begun)
        is_known, by_bearer = verified.is_known_device, self._is_by_bearer(c)
        device, remember = self._remember_device(
            c, changed, is_known=is_known, is_sent=not by_bearer
        )
        own = session.id if self.limits.grace and not by_bearer else ""
        results = await self._write(
            c,
            [
                self._store.change_password(verified.key, hashed),
                *self._end_old_passwords(changed, own, digest(device or "")),
                *self._forget_attempts(verified),
                *remember,
                *([] if by_bearer else [self._store.insert_session(begun, changed)]),
            ],
        )
        if results[0].changes == 0:
            raise InvalidCredentials
        if not by_bearer:
            before = c.if_failed  # what comes next does not take back the password
            self._signed_in(c, begun, token, verified.user)
            c.if_failed = before
            self._send_device(c, device)

    def _end_old_passwords(
        self, changed: StoredKey, own: str = "", device: str = ""
    ) -> list[Statement]:
        """Return the statements that end all that the passwords before *changed* had opened.

        All passwords of the user change, at whatever provider; the session *own* goes on for the
        grace, and *device* is still known.
        """
        return [
            self._store.change_other_passwords(changed),
            *self._store.change_sessions(changed, own, self.clock() + self.limits.grace),
            self._store.forget_devices(changed.id, changed.hashed_password, device),
        ]

    async def _hash_new(self, c: Context, verified: Verified[U], new: str) -> str:
        """Return the hash of *new*. If it is refused, the attempt that led here is not counted as a guess."""
        try:
            return await self.keys.hash(new)
        except Exception:  # a breach list that is out, too
            is_known = verified.is_known_device
            _, remember = self._remember_device(c, verified.key, is_known=is_known, is_sent=False)
            await self._db(c).batch([*self._forget_attempts(verified), *remember])
            raise

    async def delete_user(self, c: Context, first: Sequence[Statement] = ()) -> None:
        """Delete this request's user with all that `Auth` keeps of them, and clear the cookie: one batch.

        *first* are the app's own statements for what belongs to the user; they run before. It asks
        for no password: put it behind `Auth.recent`. Raises `InvalidSession`, and nothing is
        deleted, where the session ended meanwhile.
        """
        await self._write(c, self.users.deletion(c.get(self.session_slot).user_id, first))
        self._drop_session(c)
        log_event(c, "user_deleted")

    def _key_id(self, canonical: str) -> str:
        return f"{self._provider}:{canonical}"
