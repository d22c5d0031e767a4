"""Users, keys and sessions in D1, Lucia's way.

The layers, lowest first; a module imports only from those that stand before it:

1. errors, models, tokens, limits, pending, failure_log, usernames, emails, address_limit: values and refusals
2. lucia_hash, passwords, breached, legacy, session_cookie, legacy_cookie, mail: what people hold
3. store_columns, store_users, store_attempts, store_revocation, storage, store, codes, links,
   settings: the tables
4. sessions, keys, users: rows, one kind each
5. request_sessions, revocation, accounts, recovery, auth_request: one request
6. auth: the whole
"""

from framework.auth.address_limit import RateLimiter
from framework.auth.auth import Auth
from framework.auth.auth_request import AuthRequest
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
from framework.auth.store_attempts import Attempt
from framework.auth.store_users import StoredKey
from framework.auth.usernames import USERNAME_PATTERN, canonical_username
from framework.auth.users import Users

__all__ = [
    "GRACE",
    "USERNAME_PATTERN",
    "Argon2Hasher",
    "Attempt",
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
    "StoredKey",
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
