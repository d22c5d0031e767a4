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
"""For how many milliseconds a plain cookie of Lucia's is still good once a hashed one replaced it,
and what to give `Limits.grace` where one is wanted at all."""

CLOCK_ERROR: Final = 60 * _MINUTE
"""How many milliseconds one clock may be ahead of another: an hour, as when daylight saving time is
missed. A row that claims to have begun further in the future than this was written by a wrong clock
and counts as over: nothing else would end it before that moment comes."""

FAILURES_KEPT: Final = 30 * _DAY
"""How many milliseconds after the end of its last window the failures of an account are forgotten,
and with them that it was refused for `Limits.failures`."""

_MOST: Final = 2**52
"""As milliseconds some 140,000 years: any moment of ours and this are exact in JavaScript, and D1."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last, in milliseconds, and how often they may be tried.

    Whole numbers, none of them 0 but where it says so. Raises `ConfigurationError`, with the name
    of the field, for any other, for a session whose cookie would outlive the 400 days that browsers
    allow, and for a *grace* as long as a session.
    """

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
    failures: int = 100
    """Failures on end that an account, and each browser known to it, may have over all windows
    (NIST SP 800-63B-4: 100 at most); 0 for any number. After that no password is looked at.

    A new password by a link, `Keys.forget_attempts`, a sign-in from a browser that is known to the
    account, and `FAILURES_KEPT` without an attempt that counts begin it anew. Anybody can use up
    somebody's, in two and a half hours; the owner goes on in the browsers that they signed in with
    before. Where an account can have neither those (``device_cookie=None``, programs that keep no
    cookies) nor a verified address, that is thirty days at a time: weigh 0 there, against the 960
    guesses a day that the window alone allows.
    """
    sessions: int = 100
    """Sessions of one user; 0 for any number. To begin one more ends those that began first.

    Only the newest 100 are listed, so that with more some cannot be ended one by one. In a database
    shared with Lucia v2 none is ended so: Lucia would not.
    """
    grace: int = 0
    """A session that was replaced in its own browser, by a sign-in, a password change or
    `Auth.rotate_session`, is good for so long after. None, by OWASP ASVS 5.0, 7.2.4 and 7.4.3.

    A browser sends requests in parallel. Those under way when another of them changed the cookie still
    carry the old one: with `GRACE` they are answered, without it told that they are signed out, as one
    that changes the account itself always is. The price is that whoever stole that very cookie keeps
    it so long; it cannot be renewed or rotated then, and is not `recent`.
    """

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
