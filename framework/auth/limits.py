"""How long things last and how often they may be tried, with the clock that says. Knows no database."""

import time
from typing import Final

import msgspec

from framework.cookies import AGE_LIMIT
from framework.errors import ConfigurationError

__all__ = ["CLOCK_ERROR", "FAILURES_KEPT", "GRACE", "SECOND", "Limits", "now", "seconds_until"]

SECOND: Final = 1000
"""One second in milliseconds."""

_MINUTE = 60 * SECOND
_DAY = 24 * 60 * _MINUTE

GRACE: Final = 10 * SECOND
"""Milliseconds that a cookie of Lucia's is still good once one of ours has replaced it; also a good
value for `Limits.grace`, where a grace is wanted at all."""

CLOCK_ERROR: Final = 60 * _MINUTE
"""How many milliseconds one clock may be ahead of another: an hour, as when daylight saving time is
missed. A row that claims to have begun further in the future than this was written by a wrong clock
and counts as over: nothing else would end it before that moment comes."""

FAILURES_KEPT: Final = 30 * _DAY
"""How many milliseconds after the end of its last window the failures of an account are forgotten,
and with them that it was refused for `Limits.failures`."""

_MOST: Final = 2**52
"""As milliseconds some 140,000 years: added to any moment of ours it is still exact in JavaScript and D1."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last, in milliseconds, and how often they may be tried.

    All are whole numbers, and none is 0 unless its text says so. Raises `ConfigurationError` that
    names the field for any other value, for a session whose cookie would outlive the 400 days that
    browsers allow, and for a *grace* as long as a session.
    """

    active: int = _DAY
    """How long a session can be used without a write (Lucia v2: 24 hours)."""
    idle: int = 14 * _DAY
    """How long after that any request renews it (Lucia v2: 14 days)."""
    absolute: int = 90 * _DAY
    """How long after the sign-in it ends, renewed or not."""
    last_seen: int = 60 * _MINUTE
    """`Session.last_seen_at` is moved at most so often: one write for each session, after an answer."""
    recent: int = 15 * _MINUTE
    """How long the password counts as just asked for."""
    attempts: int = 10
    """Sign-ins per account in one window; each costs one password hash."""
    device_attempts: int = 5
    """Sign-ins per window from a browser that signed in to the account before: counted apart."""
    device: int = 365 * _DAY
    """How long a browser counts as known after it last signed in. Where this is made shorter, those
    that were to be known for longer are not, until they sign in again."""
    window: int = 15 * _MINUTE
    """How long a window is, from its first attempt on."""
    failures: int = 100
    """Failures on end that an account, and each browser known to it, may have over all windows
    (NIST SP 800-63B-4: 100 at most); 0 for any number. After that no password is looked at.

    The count begins anew with a new password by a link, with `Keys.forget_attempts`, with a sign-in
    from a browser that is known to the account, and after thirty days without an attempt that
    counts. Anybody can use up somebody else's failures, in two and a half hours; the owner goes on
    in the browsers that they signed in with before. An account that can have neither such browsers
    (``device_cookie=None``, programs that keep no cookies) nor a verified address is then locked
    for thirty days at a time: consider 0 there, against the 960 guesses a day that the window alone
    allows."""
    sessions: int = 100
    """How many sessions a user may have; 0 for any number. Beginning one more ends the oldest.

    Only the newest 100 are listed, so that with more some cannot be ended one by one. In a database
    shared with Lucia v2 none is ended so: Lucia would not."""
    grace: int = 0
    """How long a session is still good after a sign-in, a password change or `Auth.rotate_session`
    has replaced it in its own browser. Not at all, as OWASP ASVS 5.0 asks (7.2.4, 7.4.3).

    A browser sends requests in parallel. Those that are under way when one of them changes the
    cookie still carry the old one: with `GRACE` they are answered, without it they are told that
    they are signed out. (A request that changes the account itself is told so in either case.) The
    price is that whoever stole that cookie can use it for so long; it cannot be renewed or rotated
    then, and is not `recent`."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value, least = getattr(self, name), 0 if name in _MAY_BE_NONE else 1
            if type(value) is not int or not least <= value <= _MOST:
                raise ConfigurationError(
                    f"Limits({name}={value!r}) must be a whole number from {least} to {_MOST}"
                )
        longest = min(self.active + self.idle, self.absolute)
        if longest > AGE_LIMIT * SECOND:
            raise ConfigurationError(
                "Limits(active=, idle=, absolute=) let a session go more than 400 days without a"
                " request, longer than browsers keep any cookie: make idle shorter"
            )
        if self.grace >= longest:
            raise ConfigurationError(
                f"Limits(grace={self.grace}) keeps a replaced session alive as long as a new one"
            )


_MAY_BE_NONE: Final = {"failures", "grace", "sessions"}


def seconds_until(moment: int, now: int) -> int:
    """Return how many seconds it is from *now* to *moment*, rounded up; both in milliseconds."""
    return -(-(moment - now) // SECOND)


def now() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000
