"""What an application declares once: who its users are, and the guards that ask for a session."""

from collections.abc import Callable
from typing import Annotated, Final, Generic, TypedDict, TypeVar, Unpack, overload

import msgspec

from framework.auth.auth_request import AuthRequest
from framework.auth.errors import InvalidSession, ReauthenticationRequired
from framework.auth.legacy_cookie import SessionFormat
from framework.auth.limits import Limits, now
from framework.auth.mail import Mailer
from framework.auth.models import Session, User
from framework.auth.passwords import ARGON2, Hasher, PasswordCheck
from framework.auth.recovery import Recovery
from framework.auth.session_cookie import SameSite
from framework.auth.settings import Settings
from framework.auth.storage import Storage
from framework.auth.store import Store
from framework.context import Context
from framework.database import Result, Statement
from framework.errors import ConfigurationError, Forbidden
from framework.guards import Guard, SecurityScheme, guard

__all__ = ["Auth"]

U = TypeVar("U", bound=User)

_LUCIA_HASH: Final = f"s2:{'0' * 16}:{'0' * 128}"

_BEARER: Final = SecurityScheme(
    "session_token",
    {"type": "http", "scheme": "bearer", "description": "The token of a session."},
)
_CHALLENGE: Final = (("www-authenticate", 'Bearer realm="session"'),)


class _Options(TypedDict, Generic[U], total=False):
    """What `Auth` takes beside the database and the users, for type checkers."""

    session: type[Session]
    limits: Limits
    cookie: str
    same_site: SameSite
    device_cookie: str | None
    rate_limiter: str | None
    hasher: Hasher
    check_password: PasswordCheck | None
    clock: Callable[[], int]
    sessions: SessionFormat
    provider: str
    mailer: Mailer | None
    store: Callable[[type[U], type[Session]], Storage[U]]


class Auth(Recovery[U]):
    """Users, passwords and sessions in the database bound as *database*; another `Auth` there shares them.

    - *user*, *session*: subclasses of `User` and `Session`, with a field for each further column
      that is to be read with each guarded request. Those of a session need a default, in the table
      and in the class.
    - *limits*: how long things last, and how often they may be tried.
    - *cookie*, *same_site*: name and SameSite of the session's cookie, which is always Path=/ and
      HttpOnly, and Secure but on plain http to this machine. Where it is Secure, ``__Host-`` is put
      before the name, unless *sessions* is ``"shared"``: write it without.
    - *device_cookie*: name of the cookie that lets an account's owner in while others hammer it; None
      sends none. With another *database*, both need other names: each `Auth` clears what it does not know.
    - *rate_limiter*: name of a binding of Workers' rate limiting API, which is asked about the
      client's address before anything is read or hashed. Where none is bound, nothing is asked.
    - *hasher*: how passwords are hashed.
    - *check_password*: may refuse a password that somebody chooses, as
      ``framework.auth.breached.not_breached()`` does.
    - *clock*: returns Unix milliseconds.
    - *sessions*: ``"migrate"`` or ``"shared"`` where sessions of Lucia v2 are to go on (see
      docs/from-lucia.md).
    - *provider*: what the ids of password keys begin with, before the ``:``.
    - *mailer*: sends the codes and links of verification and reset. Without one neither works, what
      another `Auth` keeps for them is never deleted, and their tables and columns may be missing.
    - *store*: makes a `Storage` other than the one that ships, from the two Structs.

    No binding, clock or entropy is touched when it is made. ``auth.users``, ``auth.keys`` and
    ``auth.sessions`` are for programs: they take a database rather than a request. Raises
    `ConfigurationError` for Structs that cannot be rows, a *provider* with a ``:``, unknown values
    of *sessions* and *same_site*, names that no cookie can have or that both cookies have, and a
    *mailer* beside a *store* that is no `Store`, since codes and links are written to the tables of
    ``schema.sql``.
    """

    @overload
    def __init__(
        self: "Auth[User]", database: str = "DB", **options: Unpack[_Options[User]]
    ) -> None: ...

    @overload
    def __init__(
        self, database: str = "DB", *, user: type[U], **options: Unpack[_Options[U]]
    ) -> None: ...

    def __init__(  # type: ignore[misc]  # where no user is given, U is User
        self,
        database: str = "DB",
        *,
        user: type[U] = User,  # type: ignore[assignment]  # as above
        session: type[Session] = Session,
        limits: Limits = Limits(),  # noqa: B008  frozen
        cookie: str = "auth_session",
        same_site: SameSite = "Lax",
        device_cookie: str | None = "auth_device",
        rate_limiter: str | None = None,
        hasher: Hasher = ARGON2,
        check_password: PasswordCheck | None = None,
        clock: Callable[[], int] = now,
        sessions: SessionFormat = "hashed",
        provider: str = "username",
        mailer: Mailer | None = None,
        store: Callable[[type[U], type[Session]], Storage[U]] = Store,
    ) -> None:
        if sessions == "shared" and hasher.is_outdated(_LUCIA_HASH):
            raise ConfigurationError(
                'sessions="shared" leaves passwords in Lucia\'s form as well:'
                ' pass hasher=LuciaHasher(writes="s2")'
            )
        if mailer is not None and not (isinstance(store, type) and issubclass(store, Store)):
            raise ConfigurationError(
                "mailer= writes to the tables of schema.sql, which a store= that is no Store does not have"
            )
        super().__init__(
            Settings(
                database=database,
                user=user,
                session=session,
                limits=limits,
                cookie=cookie,
                same_site=same_site,
                device_cookie=device_cookie,
                rate_limiter=rate_limiter,
                hasher=hasher,
                check_password=check_password,
                clock=clock,
                sessions=sessions,
                provider=provider,
                mailer=mailer,
                store=store,
            )
        )

    def guard(self, *, for_sign_out: bool = False) -> Guard:
        """Return a guard that admits people who are signed in. Hands on the session and the user.

        It runs one statement for each request. It refuses with 401 where nobody is signed in, and
        answers 503 where the database does not answer; the cookie stays then. *for_sign_out* is for
        the route that signs out: the cookie is cleared even then, and the statement is a trip of
        its own, not in one with what other guards read.
        """
        if for_sign_out:
            return self._guard_for_sign_out()

        def find_session(c: Context) -> Statement | None:
            return self._find_statement(c)

        async def authorized(c: Context, found: Result | None) -> None:
            if await self._validate(c, found) is None:
                raise InvalidSession

        return guard(
            authorized,
            provides=(self.session_slot, self.user_slot),
            reads=find_session,
            database=self._database,
            refuses=(401,),
            scheme=self._cookie.scheme,
        )

    def _guard_for_sign_out(self) -> Guard:
        async def authorized(c: Context) -> None:
            if await self._find_for_sign_out(c) is None:
                raise InvalidSession

        return guard(
            authorized,
            provides=(self.session_slot, self.user_slot),
            database=self._database,
            statements=1,
            refuses=(401,),
            scheme=self._cookie.scheme,
        )

    def bearer_guard(self) -> Guard:
        """Return a guard that admits requests with a session's token as ``Authorization: Bearer``.

        For clients that are not browsers. Hands on the session and the user as `guard` does, at the
        same cost. It reads no cookie and sends none: `session` and `user` still mean the cookie's.
        Refuses with 401 and ``WWW-Authenticate``. ``guard() | bearer_guard()`` takes either.
        """

        def find_session(c: Context) -> Statement | None:
            return self._find_bearer_statement(c)

        async def bearer(c: Context, found: Result | None) -> None:
            valid = await self._validate_bearer(c, found)
            if valid is None:
                raise InvalidSession("Send the token of a session.", headers=_CHALLENGE)
            self._hand_on(c, valid)

        return guard(
            bearer,
            name=_BEARER.name,
            provides=(self.session_slot, self.user_slot),
            reads=find_session,
            database=self._database,
            refuses=(401,),
            scheme=_BEARER,
        )

    def handle_request(self, c: Context) -> AuthRequest[U]:
        """Return an object like Lucia's AuthRequest, which validates, sets and forgets the session of *c*."""
        return AuthRequest(self, c)

    def recent(self) -> Guard:
        """Return a guard that admits people who gave their password within `Limits.recent`.

        Put it behind `guard`. Refuses with 403 ``reauthentication-required``.
        """

        async def recent(session: Annotated[Session, self.session_slot]) -> None:
            if not self.sessions.is_recent(session, self.clock()):
                raise ReauthenticationRequired

        return guard(recent, refuses=(403,))

    def role(self, role: str) -> Guard:
        """Return a guard that admits users whose ``role`` is *role*. Put it behind `guard`.

        The field may be an Enum; *role* is then one of its values. Raises `ConfigurationError` where
        the user Struct has no such field, and where that field can never be *role*.
        """
        types = {field.name: field.type for field in msgspec.structs.fields(self._user_type)}
        if "role" not in types:
            raise ConfigurationError(f"{self._user_type.__name__} has no field named role")
        try:
            wanted = msgspec.convert(msgspec.to_builtins(role), types["role"])
        except msgspec.ValidationError:
            name = self._user_type.__name__
            raise ConfigurationError(f"{name}.role is never {role!r}: nobody would pass") from None

        async def has_role(user: Annotated[User, self.user_slot]) -> None:
            if getattr(user, "role", None) != wanted:
                raise Forbidden(f"This is for users with the role {role}.")

        return guard(has_role, name=f"role({role})", refuses=(403,))
