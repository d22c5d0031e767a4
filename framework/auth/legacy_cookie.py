"""Carries sessions in Lucia v2's cookie, for as long as its sessions live. Knows no database."""

from typing import Literal, get_args

from framework.auth.session_cookie import SameSite, SessionCookie
from framework.cookies import SetCookie
from framework.errors import ConfigurationError
from framework.guards import SecurityScheme
from framework.request import Request

__all__ = ["MigratingCookie", "SessionFormat", "SharedCookie", "cookie_for"]

SessionFormat = Literal["hashed", "migrate", "shared"]
"""What a session's row is called, and its cookie.

- ``hashed``: the row's id is the SHA-256 of the cookie's token. No session of Lucia's is accepted.
- ``migrate``: the same, and a session that Lucia began is accepted once, and replaced. It is good
  for ten seconds more, for requests that were under way.
- ``shared``: Lucia's own: the row's id is what the cookie holds, and the cookie has Lucia's name.
  For a database that an app in JavaScript still uses. A leak of it signs people in."""


class MigratingCookie(SessionCookie):
    """Our cookie; and Lucia's, where ours is not there."""

    def read(self, request: Request) -> str | None:
        """Return the token of our cookie, or Lucia's session id where only that came."""
        name = self._name(request) if super().is_present(request) else self._plain
        return request.cookie(name)

    def is_present(self, request: Request) -> bool:
        """Return whether *request* carries either cookie, good or bad."""
        return super().is_present(request) or self._plain in request.cookies

    def ids(self, request: Request, token: str) -> tuple[str, ...]:
        """Return the ids that the row may have. The cookie's name tells which, where ours differs
        from Lucia's.
        """
        if self._name(request) == self._plain:
            return (self.id_of(token), token)
        return (self.id_of(token),) if super().is_present(request) else (token,)

    def clear_old(self, request: Request) -> SetCookie | None:
        """Return the cookie that removes Lucia's, where it came and is not called as ours."""
        if self._name(request) == self._plain or self._plain not in request.cookies:
            return None
        return SetCookie(name=self._plain, value="", max_age=0)


class SharedCookie(SessionCookie):
    """Lucia's cookie: its name on https too, and the row's id in it. Secure, HttpOnly, Path=/."""

    def __init__(self, name: str, same_site: SameSite = "Lax") -> None:
        super().__init__(name, same_site)
        self.scheme = SecurityScheme(
            "session",
            {
                "type": "apiKey",
                "in": "cookie",
                "name": name,
                "description": "The session cookie that signing in sets, here or in Lucia.",
            },
        )

    def _name(self, request: Request) -> str:  # noqa: ARG002  one name, wherever the request goes
        return self._plain

    def id_of(self, token: str) -> str:
        """Return what the row of *token* is called: *token*."""
        return token


_COOKIES: dict[SessionFormat, type[SessionCookie]] = {
    "hashed": SessionCookie,
    "migrate": MigratingCookie,
    "shared": SharedCookie,
}


def cookie_for(name: str, sessions: SessionFormat, same_site: SameSite) -> SessionCookie:
    """Return the cookie called *name* for *sessions*. Raises `ConfigurationError` for other words."""
    if sessions not in _COOKIES:
        raise ConfigurationError(f"sessions={sessions!r} is none of {', '.join(_COOKIES)}")
    if same_site not in get_args(SameSite):
        raise ConfigurationError(f"same_site={same_site!r} is neither Lax nor Strict")
    return _COOKIES[sessions](name, same_site)
