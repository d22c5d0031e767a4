"""Notes that somebody was here, once the answer is on its way. Knows no cookie and no guard."""

from typing import TypeVar

import msgspec

from framework.auth.models import Session, User, Validated
from framework.auth.sessions import Sessions
from framework.context import Context
from framework.database import Database
from framework.problem import report

__all__ = ["note_seen"]

U = TypeVar("U", bound=User)


async def note_seen(
    c: Context, db: Database, sessions: Sessions[U], found: Validated[U], now: int
) -> Validated[U]:
    """Return *found* as seen at *now*, which is written to *db* without the answer waiting for it."""
    await c.after_answer(_write(c, db, sessions, found.session, now))
    return Validated(msgspec.structs.replace(found.session, last_seen_at=now), found.user)


async def _write(
    c: Context, db: Database, sessions: Sessions[U], session: Session, now: int
) -> None:
    try:
        await sessions.note(db, session, now)
    except Exception as error:  # whatever it is: the request has nothing to do with it
        report(c, error)
