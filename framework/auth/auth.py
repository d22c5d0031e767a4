"""What an application declares once: who its users are, and the guards that ask for a session."""

from collections.abc import Callable
from typing import TypeVar

from framework.auth.accounts import Accounts
from framework.auth.errors import ReauthenticationRequired
from framework.auth.legacy_cookie import SessionFormat
from framework.auth.models import Session, User
from framework.auth.passwords import ARGON2, Hasher
from framework.auth.sessions import Limits, now
from framework.context import Context
from framework.database import Result, Statement
from framework.errors import ConfigurationError, Forbidden, Unauthorized
from framework.guards import Guard, guard

__all__ = ["Auth"]

U = TypeVar("U", bound=User)

_LUCIAS_FORM = f"s2:{'0' * 16}:{'0' * 128}"


class Auth(Accounts[U]):
    """Users, passwords and sessions in the database bound as *database*.

    Touches no binding, clock or entropy when made: everything is read from the request's context.
    *user* is a Struct of the columns of ``user`` that each guarded request needs; *clock* returns
    Unix milliseconds. *sessions* says how they are kept: hashed, unless Lucia v2's are to go on (see
    docs/from-lucia.md). *provider* is what the ids of password keys begin with, before the ``:``.
    Raises `ConfigurationError` for a user Struct that cannot be one, and for a *provider* with a
    ``:``.
    """

    def __init__(
        self,
        database: str = "DB",
        *,
        user: type[U] = User,  # type: ignore[assignment]  # the default binds U to User
        limits: Limits = Limits(),  # noqa: B008  frozen
        cookie: str = "auth_session",
        hasher: Hasher = ARGON2,
        clock: Callable[[], int] = now,
        sessions: SessionFormat = "hashed",
        provider: str = "username",
    ) -> None:
        super().__init__(database, user, limits, cookie, hasher, clock, sessions, provider)
        if sessions == "shared" and hasher.is_outdated(_LUCIAS_FORM):
            raise ConfigurationError(
                'sessions="shared" leaves passwords in Lucia\'s form as well:'
                ' pass hasher=LuciaHasher(writes="s2")'
            )

    def guard(self) -> Guard:
        """Return the guard that lets pass who is signed in. Hands on `Session` and the user.

        One statement for each request. 401 where nobody is signed in, 503 where the database does
        not answer: the cookie stays then.
        """

        def find_session(c: Context) -> Statement | None:
            return self._find_statement(c)

        async def authorized(c: Context, found: Result | None) -> None:
            if await self._validate(c, found) is None:
                raise Unauthorized("Sign in first.")

        return guard(
            authorized,
            provides=(self.session_slot, self.user_slot),
            reads=find_session,
            database=self._database,
            refuses=(401,),
            scheme=self._cookie.scheme,
        )

    def recent(self) -> Guard:
        """Return the guard that lets pass who gave the password within `Limits.recent`.

        Stands behind `guard`; 403 ``reauthentication-required`` else.
        """

        async def recent(session: Session) -> None:
            if self.clock() - session.authenticated_at >= self.limits.recent:
                raise ReauthenticationRequired

        return guard(recent, refuses=(403,))

    def role(self, role: str) -> Guard:
        """Return the guard that lets pass users whose ``role`` is *role*; stands behind `guard`.

        Raises `ConfigurationError` where the user Struct has no such field.
        """
        if "role" not in self._user_type.__struct_fields__:
            raise ConfigurationError(f"{self._user_type.__name__} has no field named role")

        async def has_role(user: User) -> None:
            if getattr(user, "role", None) != role:
                raise Forbidden(f"This asks for the role {role}.")

        return guard(has_role, name=f"role({role})", refuses=(403,))
