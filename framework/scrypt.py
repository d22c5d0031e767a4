"""Where scrypt comes from: the standard library, or what the edge provides. Knows no passwords."""

import hashlib
from typing import Protocol

from framework.errors import ConfigurationError

__all__ = ["COST", "LENGTH", "MEMORY_LIMIT", "Scrypt", "provide_scrypt", "scrypt"]

COST = 16_384
"""scrypt's N: with a block size of 16, 32 MiB and 2^18 blocks, of the 2^20 that workerd allows."""

LENGTH = 64
"""Bytes of the derived key."""

MEMORY_LIMIT = 64 * 1024 * 1024
"""Bytes that scrypt may take: twice what it needs, since implementations add to it."""


class Scrypt(Protocol):
    """Computes scrypt (RFC 7914) with N = `COST`, p = 1 and `LENGTH` bytes of key."""

    async def __call__(self, password: bytes, salt: bytes, block_size: int, /) -> bytes:
        """Return the key of *password* and *salt*; *block_size* is scrypt's r."""


_provided: Scrypt | None = None


def provide_scrypt(implementation: Scrypt) -> None:
    """Compute scrypt with *implementation* from now on. For an edge whose Python has none."""
    global _provided  # one process, one edge
    _provided = implementation


async def scrypt(password: bytes, salt: bytes, block_size: int) -> bytes:
    """Return the scrypt key of *password* and *salt*; *block_size* is scrypt's r.

    Raises `ConfigurationError` where neither this Python nor the edge has scrypt.
    """
    if _provided is not None:
        return await _provided(password, salt, block_size)
    if not hasattr(hashlib, "scrypt"):
        raise ConfigurationError("this Python has no scrypt, and the edge provides none")
    return hashlib.scrypt(
        password, salt=salt, n=COST, r=block_size, p=1, dklen=LENGTH, maxmem=MEMORY_LIMIT
    )
