"""Users, keys and sessions in D1, Lucia's way. Layers: errors, models, tokens, limits, pending, telling
< passwords, usernames, emails, mail, session_cookie < store, codes, links, storage, settings, breached
< sessions, keys, devices < users, last_seen < request_sessions < endings < accounts < recovery, handle
< auth."""

from framework.auth.address_limit import RateLimiter
from framework.auth.auth import Auth
from framework.auth.emails import normalize_email
from framework.auth.errors import (
    AuthError,
    DuplicateEmail,
    DuplicateKey,
    InvalidCode,
    InvalidCredentials,
    InvalidEmail,
    InvalidKey,
    InvalidLink,
    InvalidPassword,
    InvalidSession,
    InvalidUsername,
    OutdatedPassword,
    PasswordError,
    ReauthenticationRequired,
    TooManyAttempts,
    UnknownKey,
    UnknownSession,
    UnknownUser,
)
from framework.auth.handle import AuthRequest
from framework.auth.keys import Keys
from framework.auth.limits import GRACE, Limits
from framework.auth.mail import BindingMailer, Mailer, Message, write_reset, write_verification
from framework.auth.models import (
    Key,
    NewKey,
    NewSession,
    Session,
    State,
    User,
    Validated,
)
from framework.auth.passwords import (
    Argon2Hasher,
    Hasher,
    PasswordCheck,
    hash_password,
    verify_password,
)
from framework.auth.sessions import Sessions
from framework.auth.storage import Storage
from framework.auth.usernames import USERNAME_PATTERN, canonical_username
from framework.auth.users import Users

__all__ = [
    "GRACE",
    "USERNAME_PATTERN",
    "Argon2Hasher",
    "Auth",
    "AuthError",
    "AuthRequest",
    "BindingMailer",
    "DuplicateEmail",
    "DuplicateKey",
    "Hasher",
    "InvalidCode",
    "InvalidCredentials",
    "InvalidEmail",
    "InvalidKey",
    "InvalidLink",
    "InvalidPassword",
    "InvalidSession",
    "InvalidUsername",
    "Key",
    "Keys",
    "Limits",
    "Mailer",
    "Message",
    "NewKey",
    "NewSession",
    "OutdatedPassword",
    "PasswordCheck",
    "PasswordError",
    "RateLimiter",
    "ReauthenticationRequired",
    "Session",
    "Sessions",
    "State",
    "Storage",
    "TooManyAttempts",
    "UnknownKey",
    "UnknownSession",
    "UnknownUser",
    "User",
    "Users",
    "Validated",
    "canonical_username",
    "hash_password",
    "normalize_email",
    "verify_password",
    "write_reset",
    "write_verification",
]
