"""Ends sessions, and guards writes by the session that asks for them. Knows no passwords."""

from collections.abc import Sequence
from typing import TypeVar

from framework.auth.errors import InvalidSession, UnknownSession
from framework.auth.models import Session, User
from framework.auth.request_sessions import RequestSessions
from framework.context import Context
from framework.database import (
    ConstraintViolation,
    ForeignKeyViolation,
    Result,
    Statement,
    UniqueViolation,
)
from framework.security_log import log_event

__all__ = ["Revocation"]

U = TypeVar("U", bound=User)


class Revocation(RequestSessions[U]):
    """The part of `Auth` that ends sessions, and checks that this request's has not ended meanwhile."""

    async def sign_out(self, c: Context) -> None:
        """End the session of this request and clear its cookie, even where the database is out.

        Sessions that it replaced, or that replaced it meanwhile, end with it. On a public route it
        ends the session of the cookie, if there is one. Raises `InvalidSession` if the session had
        already ended, as when the password was changed meanwhile.
        """
        session = c.find(self.session_slot) or await self._find_for_sign_out(c)
        if session is None:
            return
        now = self.clock()
        ids = () if self._is_by_bearer(c) else self._presented_ids(c)
        self._drop_session(c)
        ended = await self._db(c).batch(
            [
                self._store.end_session(session, now, now + self._grace),
                # another one where it was replaced
                *[self._store.delete_session(id) for id in ids if id != session.id],
            ]
        )
        if not any(each.changes for each in ended):
            raise InvalidSession
        log_event(c, "session_expired", "logout")

    async def _find_for_sign_out(self, c: Context) -> Session | None:
        """Return the session that the cookie opens; where nobody can tell, clear the cookie first."""
        try:
            found = await self._validate(c)
        except BaseException:  # a layer that sets a time limit cancels it
            self._clear_cookie(c)
            raise
        return None if found is None else found.session

    async def end_session(self, c: Context, handle: str) -> None:
        """End the session of this request's user that *handle* names.

        Raises `UnknownSession` where there is none, or where it got another token since it was
        listed and lives on under another handle; and `InvalidSession` where this request's own is
        over.
        """
        own = c.get(self.session_slot)
        for session in await self.list_sessions(c):
            if session.handle == handle:
                [ended] = await self._write(c, [self._store.delete_session(session.id)])
                if not ended.changes:
                    break
                if session.id == own.id:
                    self._drop_session(c)
                log_event(c, "session_expired", "revoked")
                return
        raise UnknownSession

    async def end_other_sessions(self, c: Context) -> int:
        """End the sessions of this request's user but this one; return how many there were.

        Raises `InvalidSession` where this one is over.
        """
        own = c.get(self.session_slot)
        [ended] = await self._write(c, [self._store.delete_other_sessions(own.user_id, own.id)])
        if ended.changes:
            log_event(c, "session_expired", "revoked")
        return ended.changes

    async def _write(self, c: Context, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in one batch, if this request's session is still the one that was let in.

        Where it was ended or replaced before, or since the guard looked, nothing is written, and
        this raises `InvalidSession`. The cookie is cleared where the row is gone; while it has its
        grace the cookie stays, since the browser may have the new one by now.
        """
        own = c.get(self.session_slot)
        if own.idle_expires <= self.clock() + self._grace and not own.authenticated_at:
            raise InvalidSession  # it was replaced before, and is in its grace
        try:
            required = [self._store.require_session(own), *statements]
            return (await self._db(c).batch(required))[1:]
        except (UniqueViolation, ForeignKeyViolation):
            raise
        except ConstraintViolation as error:  # ours, or one of the app's own
            found = await self._ask(c, self._store.find_session([own.id]))
            if found is None:
                self._drop_session(c)
            elif found.session.idle_expires >= own.idle_expires:
                raise
            raise InvalidSession from error
