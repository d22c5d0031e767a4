"""Carries the session's token in a cookie, as safe as the URL allows. Knows no database."""

from typing import Literal

from framework.auth.tokens import digest
from framework.cookies import AGE_LIMIT, TOKEN, SetCookie
from framework.errors import ConfigurationError
from framework.request import Request, is_loopback
from framework.session_scheme import session_cookie

__all__ = ["HostCookie", "SameSite", "SessionCookie"]

SameSite = Literal["Lax", "Strict"]
"""Whether the cookie comes along when a link on another site is followed. ``None`` is not offered."""


class HostCookie:
    """A cookie for this host alone: ``__Host-``, Secure, HttpOnly, Path=/, and a SameSite.

    Only on plain http to this very machine are Secure and the prefix left out, since browsers
    differ there. The URL decides, never a setting. Raises `ConfigurationError` for a *name* that is
    none.
    """

    def __init__(self, name: str, same_site: SameSite = "Lax") -> None:
        if not TOKEN.fullmatch(name):
            raise ConfigurationError(f"{name!r} cannot name a cookie")
        self._plain = name
        self._strict = "__Host-" + name
        self._same_site = same_site

    def read(self, request: Request) -> str | None:
        """Return the token that *request* carries; None where there is none, or two that differ."""
        return request.cookie(self._name(request))

    def send(self, request: Request, token: str, max_age: int) -> SetCookie:
        """Return the cookie that carries *token* for *max_age* seconds, 400 days at most."""
        return SetCookie(
            name=self._name(request),
            value=token,
            max_age=min(max_age, AGE_LIMIT),  # by a clock that is behind, a row may live longer
            secure=not is_loopback(request),
            same_site=self._same_site,
        )

    def _name(self, request: Request) -> str:
        return self._plain if is_loopback(request) else self._strict


class SessionCookie(HostCookie):
    """The session's cookie, and what the row of its token is called."""

    def __init__(self, name: str, same_site: SameSite = "Lax") -> None:
        super().__init__(name, same_site)
        self.scheme = session_cookie(name)

    def is_present(self, request: Request) -> bool:
        """Return whether *request* carries a session cookie at all, good or bad."""
        return self._name(request) in request.cookies

    def clear(self, request: Request) -> SetCookie:
        """Return the cookie that removes the session's."""
        return self.send(request, "", 0)

    def clear_old(self, request: Request) -> SetCookie | None:  # noqa: ARG002  for who has another
        """Return the cookie that removes one under an older name; None where there is no such."""
        return None

    def id_of(self, token: str) -> str:
        """Return what the row of *token* is called: its digest."""
        return digest(token)

    def ids(self, request: Request, token: str) -> tuple[str, ...]:  # noqa: ARG002  as `clear_old`
        """Return what the row of *token*, which *request* carries, may be called."""
        return (self.id_of(token),)
