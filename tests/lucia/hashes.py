"""Passwords as Lucia 1, 2, 3 and better-auth store them, by the standard library alone."""

import hashlib
import unicodedata
from typing import Final

__all__ = ["BCRYPT", "FORMS", "LONG_SALT", "LUCIAS", "PASSWORD", "SHORT_SALT", "old_hash"]

PASSWORD: Final = "correct horse"

# Made by generateLuciaPasswordHash of the npm package lucia 2.7.7.
LUCIAS: Final = (
    "s2:55ihhiupgkxdfhv5:7220df338d50532b67a8141abe8cdb0d2f02fb238429f73c179880f1f9b185933d096490"
    "ef542f109fbc987a2b2b11e147342ae89dd723ac418aa6139fdb603b"
)
SHORT_SALT: Final = "55ihhiupgkxdfhv5"
LONG_SALT: Final = "00112233445566778899aabbccddeeff"


def old_hash(password: str, salt: str, block_size: int, prefix: str = "") -> str:
    """Return what Lucia would have stored, by the standard library alone."""
    normal = unicodedata.normalize("NFKC", password).encode()
    key = hashlib.scrypt(
        normal, salt=salt.encode(), n=16_384, r=block_size, p=1, dklen=64, maxmem=2**26
    )
    return f"{prefix}{salt}:{key.hex()}"


FORMS: Final = {
    "Lucia 2": LUCIAS,
    "Lucia 3, LegacyScrypt": old_hash(PASSWORD, LONG_SALT, 16, "s2:"),
    "Lucia 1": old_hash(PASSWORD, SHORT_SALT, 8),
    "Lucia 3, better-auth": old_hash(PASSWORD, LONG_SALT, 16),
}
BCRYPT: Final = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
