"""Keeps the session of a request: found, renewed, begun, replaced. Knows no passwords."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from framework.auth.errors import InvalidSession
from framework.auth.legacy_cookie import cookie_for
from framework.auth.limits import GRACE, Limits, seconds_until
from framework.auth.models import Session, State, User, Validated
from framework.auth.pending import Pending
from framework.auth.sessions import Sessions
from framework.auth.settings import Settings
from framework.auth.storage import Storage
from framework.auth.tokens import is_token
from framework.bearer_token import read_bearer
from framework.context import Context
from framework.database import Database, Result, Statement, Unavailable
from framework.errors import ConfigurationError
from framework.problem import report
from framework.security_log import log_event
from framework.slots import MemoSlot, Slot

__all__ = ["Memo", "RequestSessions"]

U = TypeVar("U", bound=User)


class Memo(Generic[U]):
    """What a credential of this request opens, kept so that the database is asked once.

    The cookie and the bearer token have one each. In Lucia v2 they shared one, so that a validated
    token passed for the cookie, without the cookie's protection against other sites.
    """

    __slots__ = ("found", "opened")

    def __init__(self, found: Validated[U] | None) -> None:
        self.found: Validated[U] | None = found
        self.opened: Validated[U] | None = found

    def end(self) -> None:
        """Let the credential open nothing any more; *opened* keeps what it opened."""
        self.found = None


class RequestSessions(Generic[U]):
    """The part of `Auth` that knows the session of a request."""

    def __init__(self, settings: Settings) -> None:
        user: type[U] = settings.user
        if not issubclass(user, User):
            raise ConfigurationError(f"{user!r} is no subclass of framework.auth.User")
        if not issubclass(settings.session, Session):
            raise ConfigurationError(
                f"{settings.session!r} is no subclass of framework.auth.Session"
            )
        self.limits: Limits = settings.limits
        self.clock: Callable[[], int] = settings.clock
        self.session_slot: Slot[Session] = Slot("session", settings.session)
        """Where its guards leave the session; signing up and in leave theirs there, too."""
        self.user_slot: Slot[U] = Slot("user", user)
        """Where its guards leave the user."""
        self._by_cookie: Slot[Memo[U]] = MemoSlot("what the cookie opens", Memo)
        self._by_bearer: Slot[Memo[U]] = MemoSlot("what the bearer token opens", Memo)
        self._database = settings.database
        self._user_type = user
        self._store: Storage[U] = settings.store(user, settings.session)
        self._cookie = cookie_for(settings.cookie, settings.sessions, settings.same_site)
        self._replaces_plain = settings.sessions == "migrate"
        self._grace = max(self.limits.grace, GRACE if self._replaces_plain else 0)
        self.sessions: Sessions[U] = Sessions(self._store, settings, self._cookie.id_of)

    def session(self, c: Context) -> Pending[Session | None]:
        """Return, once awaited, the session of this request's cookie, renewed where it is idle, or None.

        For public routes that show more to people who are signed in. Behind `guard`, ask for a
        parameter of type `Session` instead.
        """
        return Pending(c, "session(c)", self._session)

    async def _session(self, c: Context) -> Session | None:
        found = await self._validate(c)
        return None if found is None else found.session

    def user(self, c: Context) -> Pending[U | None]:
        """Return, once awaited, the user of this request's cookie, or None; see `session`."""
        return Pending(c, "user(c)", self._user)

    async def _user(self, c: Context) -> U | None:
        found = await self._validate(c)
        return None if found is None else found.user

    def _find_statement(self, c: Context) -> Statement | None:
        """Return the statement that finds the cookie's session; None where there is no cookie."""
        ids = self._presented_ids(c)
        return self._store.find_session(ids) if ids else None

    async def _validate(self, c: Context, read: Result | None = None) -> Validated[U] | None:
        """Return what the cookie of this request opens; *read* is what was found, if it was."""
        c.private = True
        memo = c.find(self._by_cookie)
        if memo is None:
            c.refuse_answered("the session was asked for")
            memo = Memo(await self._find(c, read))
            if memo.found is None and self._cookie.is_present(c.request):
                self._clear_cookie(c)
            c.set(self._by_cookie, memo)
        found = memo.found
        if found is not None and not self._is_by_bearer(c):
            self._hand_on(c, found)
        return found

    async def _find(self, c: Context, read: Result | None) -> Validated[U] | None:
        token = self._cookie.read(c.request)
        if token is None:
            if self._cookie.is_present(c.request):  # two that differ
                log_event(c, "malicious_extraneous", "session-cookie-twice")
            return None
        if read is None:
            found = await self._ask(c, self._find_statement(c))
        else:
            found = self._store.read_session(read)
        if found is None:
            return None
        now = self.clock()
        if self._replaces_plain and found.session.id == token and self._is_alive(found, now):
            return Validated(await self._replace_plain(c, found.session, now), found.user)
        found = await self._keep(c, found, now)
        if found is not None and found.session.fresh:
            self._send_cookie(c, token, found.session.idle_expires, now)
        return found

    async def _ask(self, c: Context, statement: Statement | None) -> Validated[U] | None:
        """Return the session that *statement* finds; None without one."""
        return None if statement is None else await self.sessions.find(self._db(c), statement)

    async def _keep(self, c: Context, found: Validated[U], now: int) -> Validated[U] | None:
        """Return *found* while it lives, renewed where it is idle, noted as seen where that is due."""
        kept = await self.sessions.renew_or_delete(self._db(c), found, now, partial(report, c))
        if kept is not None and self.sessions.is_due_to_note(kept.session, now):
            return await self._note_seen(c, kept, now)
        return kept

    async def _note_seen(self, c: Context, found: Validated[U], now: int) -> Validated[U]:
        """Return *found* as seen at *now*, which is written without the answer waiting for it."""
        await c.after_answer(self._write_seen(c, found.session, now))
        return Validated(msgspec.structs.replace(found.session, last_seen_at=now), found.user)

    async def _write_seen(self, c: Context, session: Session, now: int) -> None:
        try:
            await self.sessions.note(self._db(c), session, now)
        except Exception as error:  # whatever it is: the request has nothing to do with it
            report(c, error)

    def _is_alive(self, found: Validated[U], now: int) -> bool:
        session = found.session
        return session.state(now) is not State.DEAD and not self.sessions.is_over(session, now)

    async def _replace_plain(self, c: Context, session: Session, now: int) -> Session:
        """Return what takes the place of a session of Lucia's; that itself where it cannot be written."""
        try:
            return await self._replace(c, session, now, keeps_old=True)
        except Unavailable as error:
            report(c, error)
            return session

    def _find_bearer_statement(self, c: Context) -> Statement | None:
        token = read_bearer(c)
        if token is None or not is_token(token):
            return None
        return self._store.find_session([self._cookie.id_of(token)])

    async def _validate_bearer(self, c: Context, read: Result | None = None) -> Validated[U] | None:
        """Return what the bearer token of this request opens. Reads no cookie and sends none."""
        memo = c.find(self._by_bearer)
        if memo is not None:
            return memo.found
        c.refuse_answered("the session was asked for")
        if read is None:
            found = await self._ask(c, self._find_bearer_statement(c))
        else:
            found = self._store.read_session(read)
        if found is not None:
            found = await self._keep(c, found, self.clock())
        c.set(self._by_bearer, Memo(found))
        return found

    def _is_by_bearer(self, c: Context) -> bool:
        """Return whether the session that the guard handed on came by a bearer token."""
        memo = c.find(self._by_bearer)
        if memo is None or memo.opened is None:
            return False
        return c.find(self.session_slot) is memo.opened.session

    async def rotate_session(self, c: Context) -> Session:
        """Give this request's session another token and its browser another cookie; return the session.

        Call it where the rights of the user change, as when a role is given: a token that leaked
        before is then worth nothing. Times and attributes stay; agent and country become those of
        this request. It is one batch. The old token is good for `Limits.grace` more. Of two requests
        at once, one does it; the other returns the session as it was, which is over, or in its grace.
        Raises `ConfigurationError` behind `bearer_guard`, whose clients have no cookie that could be
        replaced, and `InvalidSession` after `sign_out` in the same request.
        """
        own, user = c.get(self.session_slot), c.get(self.user_slot)
        if self._is_by_bearer(c):
            raise ConfigurationError("rotate_session changes a cookie: a bearer token has none")
        memo = c.find(self._by_cookie)
        if memo is not None and memo.found is None:  # signed out by this very request
            raise InvalidSession
        session = await self._replace(c, own, self.clock(), keeps_old=self.limits.grace > 0)
        self._remember(c, session, user)
        return session

    async def _replace(self, c: Context, session: Session, now: int, *, keeps_old: bool) -> Session:
        """Return the session that takes the place of *session*; that itself where it is too late."""
        end = now + self._grace
        if session.idle_expires <= end:  # replaced before, or over in a moment anyway
            return session
        begun, token = self._new_session(c, session.user_id)
        created_at = session.created_at or now  # 0 where Lucia began it
        active, idle = self.sessions.ends(created_at, now)
        begun = msgspec.structs.replace(
            session,
            id=begun.id,
            active_expires=active,
            idle_expires=idle,
            created_at=created_at,
            last_seen_at=begun.last_seen_at,
            user_agent=begun.user_agent,
            country=begun.country,
            fresh=True,
        )
        statements = self._store.replace_session(session, begun, end)
        results = await self._db(c).batch(statements if keeps_old else statements[:1])
        if results[0].changes == 0:  # another request was first, and sends the cookie
            return session
        self._send_cookie(c, token, begun.idle_expires, now)
        return begun

    async def list_sessions(self, c: Context) -> list[Session]:
        """Return the living sessions of this request's user, newest first, at most 100."""
        return await self.sessions.for_user(self._db(c), c.get(self.session_slot).user_id)

    async def purge(self, db: Database) -> int:
        """Delete what is dead: sessions, past sign-in windows, browsers not seen for a year.

        Returns how many sessions it deleted. For a cron.
        """
        return await self._store.purge(db, self.clock())

    def _db(self, c: Context) -> Database:
        return c.database(self._database)

    def _new_session(
        self, c: Context, user_id: str, attributes: Mapping[str, Any] = {}
    ) -> tuple[Session, str]:
        agent = (c.request.headers.get("user-agent") or "")[:255] or None
        told = {"user_agent": agent, "country": c.request.country}
        return self.sessions.begin(user_id, **{**told, **attributes})

    def _end_presented(self, c: Context, read: Sequence[Result] = ()) -> list[Statement]:
        """Return the statements that end the session which the browser brought, if any.

        *read* is what was found of it a moment ago, if it was looked for. Without a grace, a
        session that has replaced it since then ends with it.
        """
        ids, now = self._presented_ids(c), self.clock()
        if self.limits.grace:
            return [self._store.retire_session(id, now + self.limits.grace) for id in ids]
        found = [self._store.read_session(each) for each in read]
        sessions = [each.session for each in found if each is not None]
        known = [each.id for each in sessions]
        return [  # what was found first: whether its row is still there is asked by the statement
            *[self._store.end_session(each, now, now + self._grace) for each in sessions],
            *[self._store.delete_session(id) for id in ids if id not in known],
        ]

    def _presented_ids(self, c: Context) -> tuple[str, ...]:
        token = self._cookie.read(c.request)
        if token is None or not is_token(token):
            return ()
        return self._cookie.ids(c.request, token)

    def _signed_in(self, c: Context, session: Session, token: str, user: U) -> None:
        c.private = True
        self._remember(c, session, user)
        self._send_cookie(c, token, session.idle_expires, self.clock())
        c.if_failed += (self._cookie.clear(c.request),)

    def _remember(self, c: Context, session: Session, user: U) -> None:
        """Let *session* be this request's from here on."""
        begun = Validated(session, user)
        self._hand_on(c, begun)
        c.set(self._by_cookie, Memo(begun))

    def _hand_on(self, c: Context, found: Validated[U]) -> None:
        """Leave session and user where handlers, guards and the security log find them."""
        c.actor = found.session
        c.set(self.session_slot, found.session)
        c.set(self.user_slot, found.user)

    def _drop_session(self, c: Context) -> None:
        """Let what opened this request's session open nothing, and have a browser forget it."""
        memo = c.find(self._by_bearer)
        if memo is not None and self._is_by_bearer(c):
            memo.end()
        else:
            self._clear_session(c)

    def _clear_session(self, c: Context) -> None:
        """Let this request have no session, and have the browser forget it."""
        c.private = True
        self._clear_cookie(c)
        c.set(self._by_cookie, Memo(None))

    def _forget_validated(self, c: Context) -> None:
        """Forget what cookie and bearer token open, but not what a guard has let in by a token."""
        if not self._is_by_bearer(c):
            c.forget(self._by_bearer)
        c.forget(self._by_cookie)

    def _send_cookie(self, c: Context, token: str, expires: int, now: int) -> None:
        age = max(1, seconds_until(expires, now))  # rounded up: the row is the judge
        c.send_cookie(self._cookie.send(c.request, token, age))
        self._clear_old_cookie(c)

    def _clear_cookie(self, c: Context) -> None:
        """Have the browser forget its session."""
        c.send_cookie(self._cookie.clear(c.request))
        self._clear_old_cookie(c)

    def _clear_old_cookie(self, c: Context) -> None:
        old = self._cookie.clear_old(c.request)
        if old is not None:
            c.send_cookie(old)
