"""The nouns of sign-in: user, key, session, and how alive a session is. Knows no database, no clock."""

import hashlib
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from framework.slots import reserve

__all__ = ["Key", "NewKey", "NewSession", "Session", "State", "User", "Validated", "begin_anew"]


class State(Enum):
    """How alive a session is."""

    ACTIVE = "active"
    """Valid, and validating it writes nothing."""
    IDLE = "idle"
    """Valid, and renewed by the request that validates it."""
    DEAD = "dead"
    """Over: its row is deleted, and its cookie cleared."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account. `Auth` says how to add columns."""

    id: str
    """15 characters."""


U = TypeVar("U", bound=User)


class Key(msgspec.Struct, frozen=True):
    """One way for a user to sign in. Holds no hash, so that it may be shown to its owner."""

    provider: str
    """The first half of its name, such as ``username`` or ``github``."""
    provider_user_id: str
    """The other half, such as ``alice`` or ``583231``."""
    user_id: str
    has_password: bool
    """False for a key without a password, as for OAuth."""


class NewKey(msgspec.Struct, frozen=True):
    """A key to make with a user."""

    provider: str
    provider_user_id: str
    password: str | None = None
    """As it was typed; None for a way in without a password."""

    def __repr__(self) -> str:
        return f"<NewKey of {self.provider}>"


class SessionId(str):
    """The id of a session: text for programs, its handle wherever it is a value in an answer's JSON.

    As a key of a dict it is not replaced. msgspec's own encoder takes it with ``enc_hook=str``.
    """

    __slots__ = ()

    @property
    def shown_as(self) -> str:
        """What people may see in its place: 32 hex digits, derived from it."""
        return hashlib.sha256(b"kagari session handle " + self.encode()).hexdigest()[:32]

    def __repr__(self) -> str:
        return f"<SessionId {self.shown_as}>"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One signed-in browser. Times are Unix milliseconds."""

    id: str
    """The SHA-256 of the cookie's token, in hex: it finds the row and signs nobody in.

    With ``sessions="shared"`` it is the token itself, as in Lucia v2. People are shown `handle`
    instead, which is also what stands for it in JSON that a handler returns.
    """
    user_id: str
    active_expires: int
    idle_expires: int
    created_at: int = 0
    authenticated_at: int = 0
    user_agent: str | None = None
    """For people, as *country* and *last_seen_at* are: nothing is decided by them."""
    country: str | None = None
    last_seen_at: int = 0
    """When a request last came with it, as of up to `Limits.last_seen` ago; 0 where that is not known."""
    fresh: bool = False
    """Whether this request renewed or made the session."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "id", SessionId(self.id))

    def __init_subclass__(cls, **options: Any) -> None:
        """Let a `__post_init__` of *cls* come after this class's own, which no answer may lack."""
        super().__init_subclass__(**options)
        own = cls.__dict__.get("__post_init__")
        if own is not None:

            def both(self: Session) -> None:
                Session.__post_init__(self)
                own(self)

            cls.__post_init__ = both  # type: ignore[method-assign]  # no subclass may leave it out

    def state(self, now: int) -> State:
        """Return how alive this session is at *now*."""
        if now < self.active_expires:
            return State.ACTIVE
        return State.IDLE if now < self.idle_expires else State.DEAD

    @property
    def handle(self) -> str:
        """A name for this session that people may see: 32 hex digits, derived from *id*."""
        return SessionId(self.id).shown_as

    def __repr__(self) -> str:
        return f"<Session {self.handle} of {self.user_id}>"


def begin_anew(session: Session, begun: Session) -> Session:
    """Return *begun* with the columns that the app added to *session*, of the same user."""
    anew = {name: getattr(begun, name) for name in Session.__struct_fields__}
    return msgspec.structs.replace(session, **anew)


class Validated(NamedTuple, Generic[U]):
    """A living session and whose it is."""

    session: Session
    user: U


class NewSession(msgspec.Struct, Generic[U], frozen=True):
    """A session just begun, and whose it is."""

    session: Session
    user: U
    token: str
    """What opens it: kept nowhere else."""

    def __repr__(self) -> str:
        return f"<NewSession {self.session.handle} of {self.session.user_id}>"


reserve(User, "Auth")
reserve(Session, "Auth")
