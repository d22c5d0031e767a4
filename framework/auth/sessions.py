"""Keeps the session of a request: found, renewed, begun, ended. Knows no passwords."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from framework.auth.legacy_cookie import SessionFormat, cookie_for
from framework.auth.legacy_sessions import GRACE, replace_session
from framework.auth.models import Session, State, User
from framework.auth.pending import Pending
from framework.auth.store import Store
from framework.auth.tokens import is_token, new_token
from framework.context import Context, Slot
from framework.database import Database, Result, Statement
from framework.errors import ConfigurationError, NotFound

__all__ = ["Limits", "Sessions", "now"]

U = TypeVar("U", bound=User)

SECOND = 1000
_MINUTE = 60 * SECOND
_DAY = 24 * 60 * _MINUTE


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last, in milliseconds, and how often they may be tried."""

    active: int = _DAY
    """A session is used without a write for so long (Lucia v2: 24 hours)."""
    idle: int = 14 * _DAY
    """After that, any request renews it for so long (Lucia v2: 14 days)."""
    absolute: int = 90 * _DAY
    """Renewed or not, it ends so long after the sign-in."""
    recent: int = 15 * _MINUTE
    """The password counts as just asked for so long."""
    attempts: int = 10
    """Sign-ins per account in one window; each costs one password hash."""
    window: int = 15 * _MINUTE
    """The window, from the first attempt on."""


def now() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class _Nobody:
    """Says that nobody is signed in, so that one request asks the database once."""


_NOBODY = Slot("nobody", _Nobody)


class Sessions(Generic[U]):
    """The part of `Auth` that keeps sessions."""

    def __init__(
        self,
        database: str,
        user: type[U],
        limits: Limits,
        cookie: str,
        clock: Callable[[], int],
        sessions: SessionFormat,
    ) -> None:
        if not issubclass(user, User):
            raise ConfigurationError(f"{user!r} is no subclass of framework.auth.User")
        self.limits = limits
        self.clock = clock
        self.session_slot: Slot[Session] = Slot("session", Session)
        self.user_slot: Slot[U] = Slot("user", user)
        self._database = database
        self._user_type = user
        self._store = Store(user)
        self._cookie = cookie_for(cookie, sessions)
        self._replaces_plain = sessions == "migrate"

    def session(self, c: Context) -> Pending[Session | None]:
        """Return, once awaited, the session of this request, renewed where it is idle; or None.

        For public routes that show more to who is signed in. Behind `guard`, ask for `Session`.
        """
        return Pending(lambda: self._session(c))

    async def _session(self, c: Context) -> Session | None:
        found = await self._validate(c)
        return None if found is None else found[0]

    def user(self, c: Context) -> Pending[U | None]:
        """Return, once awaited, the user of this request, or None; see `session`."""
        return Pending(lambda: self._user(c))

    async def _user(self, c: Context) -> U | None:
        found = await self._validate(c)
        return None if found is None else found[1]

    def _find_statement(self, c: Context) -> Statement | None:
        """Return the statement that finds the session of this request; None where there is none."""
        ids = self._presented_ids(c)
        return self._store.find_session(ids) if ids else None

    async def _validate(self, c: Context, read: Result | None = None) -> tuple[Session, U] | None:
        """Return the session of this request and its user; *read* is what was found, if it was."""
        c.private = True
        known = c.find(self.session_slot)
        if known is not None:
            return known, c.get(self.user_slot)
        if c.find(_NOBODY) is not None:
            return None
        found = await self._find(c, read)
        if found is None:
            if self._cookie.is_present(c.request):
                self._forget(c)
            c.set(_NOBODY, _Nobody())
            return None
        c.set(self.session_slot, found[0])
        c.set(self.user_slot, found[1])
        return found

    async def _find(self, c: Context, read: Result | None) -> tuple[Session, U] | None:
        """Return the session that the cookie opens and its user, renewed where it is idle."""
        token = self._cookie.read(c.request)
        if token is None:
            return None
        db = self._db(c)
        if read is None:
            statement = self._find_statement(c)
            if statement is None:
                return None
            [read] = await db.batch([statement])
        found = self._store.read_session(read)
        if found is None:
            return None
        session, user = found
        now = self.clock()
        if now >= session.created_at + self.limits.absolute and session.created_at > 0:
            await self._store.delete_session(db, session.id, session.user_id)
            return None
        state = session.state(now)
        if self._replaces_plain and session.id == token and state is not State.DEAD:
            return await self._replace(c, session, now), user
        match state:
            case State.ACTIVE:
                return session, user
            case State.IDLE:
                renewed = await self._renew(c, session, token, now)
                return None if renewed is None else (renewed, user)
            case State.DEAD:
                await self._store.delete_dead(db, session)
                return None

    async def _renew(self, c: Context, session: Session, token: str, now: int) -> Session | None:
        active, idle = self._expiries(session.created_at or now, now)
        if not await self._store.renew(self._db(c), session.id, active, idle, now):
            return None
        self._send(c, token, idle, now)
        return msgspec.structs.replace(
            session, active_expires=active, idle_expires=idle, fresh=True
        )

    async def _replace(self, c: Context, session: Session, now: int) -> Session:
        """Return the session that takes the place of *session*, which Lucia began."""
        if session.idle_expires <= now + GRACE:  # replaced before, or over in a moment anyway
            return session
        begun, token = self._new_session(c, session.user_id)
        created_at = session.created_at or now  # ours where the database was shared, else Lucia's
        active, idle = self._expiries(created_at, now)
        begun = msgspec.structs.replace(
            begun,
            active_expires=active,
            idle_expires=idle,
            created_at=created_at,
            authenticated_at=session.authenticated_at,
        )
        results = await self._db(c).batch(replace_session(session.id, begun, now))
        if results[0].changes == 0:  # another request was first, and sends the cookie
            return session
        self._send(c, token, begun.idle_expires, now)
        return begun

    async def list_sessions(self, c: Context) -> list[Session]:
        """Return the living sessions of this request's user, newest first, at most 100."""
        now = self.clock() + (GRACE if self._replaces_plain else 0)  # without what was replaced
        return await self._store.list_sessions(self._db(c), c.get(self.session_slot).user_id, now)

    async def end_session(self, c: Context, handle: str) -> None:
        """End the session of this request's user that *handle* names. Raises `NotFound`."""
        own = c.get(self.session_slot)
        for session in await self.list_sessions(c):
            if session.handle == handle:
                await self._store.delete_session(self._db(c), session.id, own.user_id)
                if session.id == own.id:
                    self._forget(c)
                return
        raise NotFound

    async def end_other_sessions(self, c: Context) -> int:
        """End the sessions of this request's user but this one; return how many there were."""
        own = c.get(self.session_slot)
        return await self._store.delete_other_sessions(self._db(c), own.user_id, own.id)

    async def purge(self, db: Database) -> int:
        """Delete dead sessions and past sign-in windows; return how many sessions. For a cron."""
        return await self._store.purge(db, self.clock())

    def _db(self, c: Context) -> Database:
        return c.database(self._database)

    def _expiries(self, created_at: int, now: int) -> tuple[int, int]:
        end = created_at + self.limits.absolute
        active = min(now + self.limits.active, end)
        return active, min(now + self.limits.active + self.limits.idle, end)

    def _new_session(self, c: Context, user_id: str) -> tuple[Session, str]:
        now = self.clock()
        token = new_token()
        active, idle = self._expiries(now, now)
        session = Session(
            id=self._cookie.id_of(token),
            user_id=user_id,
            active_expires=active,
            idle_expires=idle,
            created_at=now,
            authenticated_at=now,
            user_agent=(c.request.headers.get("user-agent") or "")[:255] or None,
            country=c.request.country,
            fresh=True,
        )
        return session, token

    def _give_up_presented(self, c: Context) -> list[Statement]:
        """Return the statement that ends the session which the browser brought, if any."""
        return [self._store.delete_token(id) for id in self._presented_ids(c)]

    def _presented_ids(self, c: Context) -> tuple[str, ...]:
        token = self._cookie.read(c.request)
        if token is None or not is_token(token):
            return ()
        return self._cookie.ids(c.request, token)

    def _signed_in(self, c: Context, session: Session, token: str, user: U) -> None:
        c.private = True
        c.set(self.session_slot, session)
        c.set(self.user_slot, user)
        self._send(c, token, session.idle_expires, self.clock())

    def _send(self, c: Context, token: str, expires: int, now: int) -> None:
        age = max(1, -(-(expires - now) // SECOND))  # rounded up: the row is the judge
        c.send_cookie(self._cookie.send(c.request, token, age))
        self._forget_old(c)

    def _forget(self, c: Context) -> None:
        """Have the browser forget its session."""
        c.send_cookie(self._cookie.clear(c.request))
        self._forget_old(c)

    def _forget_old(self, c: Context) -> None:
        old = self._cookie.clear_old(c.request)
        if old is not None:
            c.send_cookie(old)
