"""A hasher that counts, and is quick."""

from typing import Final

from framework.auth import Argon2Hasher, Hasher

__all__ = ["CountingHasher", "quick_hasher"]

_NOBODY: Final = (
    "$argon2id$v=19$m=7168,t=1,p=1$nFCERt7VuzMTR40IDrTYSA"
    "$AJLWyIJfXmEtCF2QZHnEdckHBVY15W9U2PiUd5dFN3w"
)


def quick_hasher() -> Argon2Hasher:
    """Return Argon2id with the least that its bounds allow."""
    return Argon2Hasher(memory_kib=7_168, time_cost=1, parallelism=1, dummy_hash=_NOBODY)


class CountingHasher:
    """Hashes with *inner*, and remembers what it was asked to do."""

    def __init__(self, inner: Hasher) -> None:
        self.inner = inner
        self.dummy_hash = inner.dummy_hash
        self.hashes = 0
        self.verified: list[str] = []

    def reset(self) -> None:
        """Forget what was counted."""
        self.hashes = 0
        self.verified = []

    async def hash(self, password: str) -> str:
        """Hash, and count it."""
        self.hashes += 1
        return await self.inner.hash(password)

    async def verify(self, password: str, stored: str) -> bool:
        """Verify, and remember against what."""
        self.verified.append(stored)
        return await self.inner.verify(password, stored)

    def is_outdated(self, stored: str) -> bool:
        """Ask the inner one."""
        return self.inner.is_outdated(stored)
