"""Users, keys and sessions in D1, Lucia's way. Layers: errors, models, tokens < passwords, usernames,
session_cookie, pending, store < sessions < accounts < auth."""

from framework.auth.auth import Auth
from framework.auth.errors import DuplicateKey, InvalidCredentials, ReauthenticationRequired
from framework.auth.models import Session, State, User
from framework.auth.passwords import (
    Argon2Hasher,
    Hasher,
    PasswordError,
    hash_password,
    verify_password,
)
from framework.auth.sessions import Limits
from framework.auth.usernames import USERNAME_PATTERN, canonical_username

__all__ = [
    "USERNAME_PATTERN",
    "Argon2Hasher",
    "Auth",
    "DuplicateKey",
    "Hasher",
    "InvalidCredentials",
    "Limits",
    "PasswordError",
    "ReauthenticationRequired",
    "Session",
    "State",
    "User",
    "canonical_username",
    "hash_password",
    "verify_password",
]
