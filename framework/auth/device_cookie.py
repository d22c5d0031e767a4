"""Carries the cookie that tells a browser which signed in before from one that never did.

Knows no database. An attacker who hammers an account uses up the attempts of all browsers that are
not known to it; its owner's have a count of their own, and get in meanwhile (OWASP, "Slow Down
Online Guessing Attacks with Device Cookies").
"""

from framework.auth.limits import SECOND
from framework.auth.session_cookie import HostCookie
from framework.auth.tokens import is_token, new_token
from framework.context import Context
from framework.cookies import AGE_LIMIT, SetCookie

__all__ = ["DeviceCookie"]


class DeviceCookie:
    """A cookie that signs nobody in, and is good for one account: that of the last sign-in."""

    def __init__(self, name: str) -> None:
        self._cookie = HostCookie(name)

    def read(self, c: Context) -> str | None:
        """Return the token that this request carries; None where it is none."""
        token = self._cookie.read(c.request)
        return token if token is not None and is_token(token) else None

    def draw(self) -> str:
        """Return a token for a browser that has none for this account: 200 bits."""
        return new_token()

    def send(self, c: Context, token: str, lifetime: int) -> SetCookie:
        """Return the cookie that carries *token* for *lifetime* milliseconds, or as long as one may."""
        return self._cookie.send(c.request, token, min(lifetime // SECOND, AGE_LIMIT))
