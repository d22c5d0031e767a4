"""How long things last and how often they may be tried, with the clock that says. Knows no database."""

import time
from typing import Final

import msgspec

__all__ = ["GRACE", "SECOND", "Limits", "now", "seconds_until"]

SECOND: Final = 1000
"""One second in milliseconds."""

_MINUTE = 60 * SECOND
_DAY = 24 * 60 * _MINUTE

GRACE: Final = 10 * SECOND
"""For how many milliseconds a plain cookie of Lucia's is still good once a hashed one replaced it,
and what to give `Limits.grace` where one is wanted at all."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last, in milliseconds, and how often they may be tried."""

    active: int = _DAY
    """A session is used without a write for so long (Lucia v2: 24 hours)."""
    idle: int = 14 * _DAY
    """After that, any request renews it for so long (Lucia v2: 14 days)."""
    absolute: int = 90 * _DAY
    """Renewed or not, it ends so long after the sign-in."""
    last_seen: int = 60 * _MINUTE
    """`Session.last_seen_at` is moved at most so often: one write for each session, after an answer."""
    recent: int = 15 * _MINUTE
    """The password counts as just asked for so long."""
    attempts: int = 10
    """Sign-ins per account in one window; each costs one password hash."""
    device_attempts: int = 5
    """Sign-ins per window from a browser that signed in to the account before: counted apart."""
    device: int = 365 * _DAY
    """A browser counts as known so long after it last signed in."""
    window: int = 15 * _MINUTE
    """The window, from the first attempt on."""
    grace: int = 0
    """A session that was replaced in its own browser, by a sign-in, a password change or
    `Auth.rotate_session`, is good for so long after. None, by OWASP ASVS 5.0, 7.2.4 and 7.4.3.

    A browser sends requests in parallel. Those under way when another of them changed the cookie still
    carry the old one: with `GRACE` they are answered, without it told that they are signed out. The
    price is that whoever stole that very cookie keeps it so long; it cannot be renewed or rotated
    then, and is not `recent`.
    """


def seconds_until(moment: int, now: int) -> int:
    """Return how many seconds it is from *now* to *moment*, rounded up; both in milliseconds."""
    return -(-(moment - now) // SECOND)


def now() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000
