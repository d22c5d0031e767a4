"""What an application decided when it made its `Auth`. Knows nothing of what is done with it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from framework.auth.legacy_cookie import SessionFormat
from framework.auth.limits import Limits
from framework.auth.mail import Mailer
from framework.auth.models import Session
from framework.auth.passwords import Hasher, PasswordCheck
from framework.auth.session_cookie import SameSite
from framework.auth.storage import Storage

__all__ = ["Settings"]


class Settings(NamedTuple):
    """What `Auth` was given; see there."""

    database: str
    user: type[Any]
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
    store: Callable[[Any, type[Session]], Storage[Any]]
