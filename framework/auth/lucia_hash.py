"""Reads the passwords that Lucia stored. Knows no other form, and makes none.

All of Lucia's forms are scrypt with N = 16384, p = 1, 64 bytes of key in hex, the salt as its own
text, the password normalised by NFKC. They differ in scrypt's r, and one of them shares its look
with another, so that only the length of the salt tells:

    s2:<salt>:<key>          r = 16   Lucia 2; Lucia 3's LegacyScrypt
    <16 characters>:<key>    r = 8    Lucia 1
    <32 hex digits>:<key>    r = 16   Lucia 3's Scrypt, better-auth
"""

import re
import unicodedata
from hmac import compare_digest
from typing import Final, NamedTuple

from framework.scrypt import scrypt

__all__ = ["BLOCK_SIZE", "LuciaHash", "normalize_for_lucia", "read_lucia_hash"]

BLOCK_SIZE: Final = 16
"""scrypt's r, since Lucia 2."""

_OLD_BLOCK_SIZE: Final = 8

_FORM = re.compile(
    r"(?:s2:(?P<s2>[A-Za-z0-9_-]{16,64})|(?P<hex>[0-9a-f]{32})|(?P<old>[A-Za-z0-9_-]{16}))"
    r":(?P<key>[0-9a-f]{128})"
)


class LuciaHash(NamedTuple):
    """A hash taken apart."""

    salt: bytes
    key: bytes
    block_size: int
    """scrypt's r."""

    def __repr__(self) -> str:
        return "<LuciaHash>"

    async def matches(self, prepared: bytes) -> bool:
        """Return whether this is the hash of *prepared*, what `normalize_for_lucia` gave.

        Costs one scrypt, or two of half the size. Raises `ConfigurationError` where there is no
        scrypt, rather than call a right password wrong.
        """
        key = await scrypt(prepared, self.salt, self.block_size)
        if self.block_size == _OLD_BLOCK_SIZE:  # half the work of the others: do it twice
            await scrypt(prepared, self.salt, self.block_size)
        return compare_digest(key, self.key)


def read_lucia_hash(stored: str) -> LuciaHash | None:
    """Return the hash that *stored* is; None where it has none of Lucia's forms."""
    parts = _FORM.fullmatch(stored)
    if parts is None:
        return None
    salt = parts["s2"] or parts["hex"] or parts["old"]
    block_size = _OLD_BLOCK_SIZE if parts["old"] else BLOCK_SIZE
    return LuciaHash(salt.encode(), bytes.fromhex(parts["key"]), block_size)


def normalize_for_lucia(password: str, longest: int) -> bytes | None:
    """Return what Lucia hashed of *password*, which may be short: Lucia set no minimum.

    None where it cannot have been a password: empty, over *longest* code points, a lone surrogate.
    """
    if not 1 <= len(password) <= longest:
        return None
    try:
        return unicodedata.normalize("NFKC", password).encode()
    except UnicodeEncodeError:
        return None
