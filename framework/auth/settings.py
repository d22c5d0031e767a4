"""What an application decided when it made its `Auth`. Knows nothing of what is done with it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from framework.auth.legacy_cookie import SessionFormat
from framework.auth.limits import Limits, now
from framework.auth.mail import Mailer
from framework.auth.models import Session, User
from framework.auth.passwords import ARGON2, Hasher, PasswordCheck
from framework.auth.session_cookie import SameSite
from framework.auth.storage import Storage
from framework.auth.store import Store

__all__ = ["Settings"]


class Settings(NamedTuple):
    """What `Auth` was given, which says what each is for; and what it is unless given."""

    database: str
    user: type[Any] = User
    session: type[Session] = Session
    limits: Limits = Limits()
    cookie: str = "auth_session"
    same_site: SameSite = "Lax"
    device_cookie: str | None = "auth_device"
    rate_limiter: str | None = None
    hasher: Hasher = ARGON2
    check_password: PasswordCheck | None = None
    clock: Callable[[], int] = now
    sessions: SessionFormat = "hashed"
    provider: str = "username"
    mailer: Mailer | None = None
    store: Callable[[Any, type[Session]], Storage[Any]] = Store


Settings.__new__.__qualname__ = "Auth"  # whoever misspells an option reads this name
