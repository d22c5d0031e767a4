"""The nouns of sign-in: user, session, and how alive a session is. Knows no database and no clock."""

import hashlib
from enum import Enum

import msgspec

from framework.context import reserve

__all__ = ["Session", "State", "User"]


class State(Enum):
    """How alive a session is."""

    ACTIVE = "active"
    """Valid, and validating it writes nothing."""
    IDLE = "idle"
    """Valid, and renewed by the request that validates it."""
    DEAD = "dead"
    """Over. Its row goes, and its cookie."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account.

    Subclass it with what else the ``user`` table holds and hand the class to `Auth`; the fields are
    the columns that each guarded request reads. *id* is 15 characters.
    """

    id: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One signed-in browser. Times are Unix milliseconds.

    *id* is the SHA-256 of the cookie's token, in hex: it finds the row and signs nobody in. With
    ``sessions="shared"`` it is the token itself, as in Lucia v2. Show people `handle` instead.
    *fresh* says that this request renewed or made the session.
    """

    id: str
    user_id: str
    active_expires: int
    idle_expires: int
    created_at: int = 0
    authenticated_at: int = 0
    user_agent: str | None = None
    country: str | None = None
    fresh: bool = False

    def state(self, now: int) -> State:
        """Return how alive this session is at *now*."""
        if now < self.active_expires:
            return State.ACTIVE
        return State.IDLE if now < self.idle_expires else State.DEAD

    @property
    def handle(self) -> str:
        """A name for this session that people may see: 32 hex digits, derived from *id*."""
        return hashlib.sha256(b"kagari session handle " + self.id.encode()).hexdigest()[:32]

    def __repr__(self) -> str:
        return f"<Session {self.handle} of {self.user_id}>"


reserve(User)
reserve(Session)
