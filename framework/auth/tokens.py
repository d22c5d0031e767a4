"""Draws what must not be guessed, and digests what must not be read. Entropy only in a request."""

import base64
import hashlib
import os
import re

__all__ = ["digest", "is_token", "new_token", "new_user_id"]

_TOKEN = re.compile(r"[a-z0-9]{40}")


def new_token() -> str:
    """Return a session token: 40 characters that carry 200 bits from the system's CSPRNG."""
    return base64.b32encode(os.urandom(25)).decode().lower()


def new_user_id() -> str:
    """Return a user id: 15 characters that carry 75 bits."""
    return new_token()[:15]


def is_token(text: str) -> bool:
    """Return whether *text* could be a session token of ours or of Lucia v2's."""
    return _TOKEN.fullmatch(text) is not None


def digest(text: str) -> str:
    """Return the SHA-256 of *text* in hex: all that is stored of a token.

    A plain hash is enough for 200 random bits (OWASP ASVS 5.0, 6.5.2); passwords get Argon2id.
    """
    return hashlib.sha256(text.encode()).hexdigest()
