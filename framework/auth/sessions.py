"""Begins, validates, lists and ends sessions, for any user. Knows no request and no cookie."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from framework.auth.errors import InvalidSession, UnknownSession, UnknownUser
from framework.auth.limits import CLOCK_ERROR, GRACE
from framework.auth.models import NewSession, Session, State, User, Validated
from framework.auth.settings import Settings
from framework.auth.storage import Storage
from framework.auth.tokens import is_token, new_token
from framework.database import Database, ForeignKeyViolation, Statement, Unavailable
from framework.log import log_error

__all__ = ["Sessions"]

U = TypeVar("U", bound=User)


class Sessions(Generic[U]):
    """The sessions of all users: ``auth.sessions``. Each method takes the database to look in.

    A session is named by `Session.id` and opened by its token, which only `create` returns.
    """

    def __init__(self, store: Storage[U], settings: Settings, id_of: Callable[[str], str]) -> None:
        is_shared = settings.sessions == "shared"
        self._store = store
        self._session_type = settings.session
        self._limits = limits = settings.limits
        self._clock = settings.clock
        self._id_of = id_of
        self._keeps_last_seen = not is_shared  # Lucia moves nothing: it would mislead
        self._most = 0 if is_shared else limits.sessions  # nor does it end any: they are its own
        self._grace = max(limits.grace, GRACE)

    async def create(self, db: Database, user_id: str, /, **attributes: Any) -> NewSession[U]:
        """Begin a session for the user *user_id*, and end their oldest past `Limits.sessions`: one batch.

        *attributes* are fields of the session Struct. The session counts as `recent`, as after
        giving a password, unless ``authenticated_at=0`` is among them. Sends no cookie: that is for
        `AuthRequest.set_session`. Raises `UnknownUser`, and `TypeError` for what is not an
        attribute.
        """
        session, token = self.begin(user_id, **attributes)
        return NewSession(session, await self.add(db, session), token)

    async def add(self, db: Database, session: Session, first: Sequence[Statement] = ()) -> U:
        """Write *session*, which `begin` made, after *first*; return its user. Raises `UnknownUser`."""
        written = [*first, self._store.add_session(session), *self.limit(session)]
        try:
            *_, found = await db.batch([*written, self._store.find_user(session.user_id)])
        except ForeignKeyViolation as error:
            raise UnknownUser from error
        user = self._store.read_user(found)
        if user is None:
            raise UnknownUser
        return user

    async def validate(self, db: Database, token: str) -> Validated[U]:
        """Return the session that *token* opens and its user, renewed where it is idle.

        It runs one statement, and a write where the session was idle: `Session.fresh` is then true,
        and the cookie, if there is one, has to be sent again. Where the database can be read and
        not written to, an idle session is returned as it is, and the log says so.
        `Session.last_seen_at` is not moved for an active one. Raises `InvalidSession`.
        """
        if not is_token(token):
            raise InvalidSession
        found = await self.find(db, self._store.find_session([self._id_of(token)]))
        if found is not None:
            found = await self.renew_or_delete(db, found, self._clock(), _log)
        if found is None:
            raise InvalidSession
        return found

    async def get(self, db: Database, session_id: str) -> Session:
        """Return the living session *session_id*, as it is: not renewed. Raises `UnknownSession`."""
        return await self.update(db, session_id)

    async def for_user(self, db: Database, user_id: str) -> list[Session]:
        """Return the living sessions of *user_id*, newest first, at most 100.

        Those that end within `GRACE`, or `Limits.grace`, are left out: they were replaced.
        """
        return await self._store.list_sessions(db, user_id, self._clock() + self._grace)

    async def update(self, db: Database, session_id: str, /, **attributes: Any) -> Session:
        """Set *attributes* of a living session and return it: one statement.

        No value is held against the type of its field, as in `Users.update`. Raises
        `UnknownSession`, and `TypeError` for what is no attribute: an id, a time.
        """
        updated = await self._store.update_session(db, session_id, attributes, self._clock())
        if updated is None:
            raise UnknownSession
        return updated

    async def end(self, db: Database, session_id: str) -> bool:
        """End the session *session_id* at once; return whether it was there."""
        [result] = await db.batch([self._store.delete_session(session_id)])
        return result.changes > 0

    async def end_all(self, db: Database, user_id: str) -> int:
        """End all sessions of *user_id* at once; return how many there were."""
        [result] = await db.batch([self._store.delete_sessions(user_id)])
        return result.changes

    async def end_others(self, db: Database, user_id: str, session_id: str) -> int:
        """End the sessions of *user_id* but *session_id*; return how many there were."""
        [result] = await db.batch([self._store.delete_other_sessions(user_id, session_id)])
        return result.changes

    async def find(self, db: Database, statement: Statement) -> Validated[U] | None:
        """Return the session that *statement* finds, dead or alive, and its user; see
        `Storage.find_session`.
        """
        [result] = await db.batch([statement])
        return self._store.read_session(result)

    def begin(self, user_id: str, /, **attributes: Any) -> tuple[Session, str]:
        """Return a session that begins now and its token. Nothing is written."""
        now = self._clock()
        token = new_token()
        active, idle = self.ends(now, now)
        seen_at = self._seen_at(now)
        times = {"created_at": now, "authenticated_at": now, "last_seen_at": seen_at}
        session = self._session_type(
            id=self._id_of(token),
            user_id=user_id,
            active_expires=active,
            idle_expires=idle,
            fresh=True,
            **{**times, **attributes},
        )
        return session, token

    def limit(self, session: Session) -> list[Statement]:
        """Return the statements that end the user's oldest past `Limits.sessions`, once *session*
        is there.
        """
        if self._most == 0:
            return []
        return [self._store.limit_sessions(session, self._clock() + self._grace, self._most)]

    def ends(self, created_at: int, now: int) -> tuple[int, int]:
        """Return when a session that is used now stops being active, and when it ends."""
        end = (created_at or now) + self._limits.absolute  # 0 where Lucia began it
        active = min(now + self._limits.active, end)
        return active, min(now + self._limits.active + self._limits.idle, end)

    def is_over(self, session: Session, now: int) -> bool:
        """Return whether *session* ended, whatever its row says: too old, or begun after *now*.

        A session of Lucia's, which has no beginning, is neither.
        """
        age = now - session.created_at
        return session.created_at > 0 and not -CLOCK_ERROR <= age < self._limits.absolute

    def is_recent(self, session: Session, now: int) -> bool:
        """Return whether the password was given within `Limits.recent` of *now*, before or after.

        It may be after *now* by a clock that is a little ahead of this one.
        """
        return abs(now - session.authenticated_at) < self._limits.recent

    def is_due_to_note(self, session: Session, now: int) -> bool:
        """Return whether it is time to `note` that *session* was seen at *now*.

        Not where it is idle still: to renew it failed, and so would this.
        """
        return (
            self._keeps_last_seen
            and session.last_seen_at <= now - self._limits.last_seen
            and now < session.active_expires
        )

    async def note(self, db: Database, session: Session, now: int) -> None:
        """Write down that *session* was seen at *now*, unless that was done meanwhile."""
        await self._store.note_seen(db, session.id, now, now - self._limits.last_seen)

    def _seen_at(self, now: int) -> int:
        """Return what to store as the time when a session was seen at *now*: 0 in a shared database."""
        return now if self._keeps_last_seen else 0

    async def renew_or_delete(
        self, db: Database, found: Validated[U], now: int, report: Callable[[Exception], None]
    ) -> Validated[U] | None:
        """Return *found* while it lives, renewed where it is idle; else delete it.

        The writes are housekeeping: if one fails, *report* gets the error and nothing is raised. A
        session that is over is refused all the same, and an idle one stays valid, but is not renewed.
        """
        session, state = found.session, found.session.state(now)
        if state is State.DEAD or self.is_over(session, now):
            try:
                await self._store.delete_dead(db, session)
            except Exception as error:  # whatever it is: nobody is signed in by this
                report(error)
            return None
        return found if state is State.ACTIVE else await self._renew(db, found, now, report)

    async def _renew(
        self, db: Database, found: Validated[U], now: int, report: Callable[[Exception], None]
    ) -> Validated[U] | None:
        session = found.session
        active, idle = self.ends(session.created_at, now)
        seen_at = self._seen_at(now)
        try:
            is_renewed = await self._store.renew(db, session.id, active, idle, now, seen_at)
        except Unavailable as error:  # it was found, and has idle time left
            report(error)
            return found
        if is_renewed:
            renewed = msgspec.structs.replace(
                session,
                active_expires=active,
                idle_expires=idle,
                last_seen_at=seen_at,
                fresh=True,
            )
            return Validated(renewed, found.user)
        return await self._find_again(db, session, now)

    async def _find_again(self, db: Database, read: Session, now: int) -> Validated[U] | None:
        """Return what became of *read*, which another request renewed, replaced or ended."""
        found = await self.find(db, self._store.find_session([read.id]))
        if found is None or found.session.state(now) is not State.ACTIVE:
            return None
        is_renewed = found.session.idle_expires > read.idle_expires
        return Validated(msgspec.structs.replace(found.session, fresh=is_renewed), found.user)


def _log(error: Exception) -> None:
    log_error(f"a session was found, and could not be written: {str(error)!r}", error)
