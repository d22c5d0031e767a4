"""Hashes passwords while users come from Lucia: at one cost for old and new, or as Lucia 2 does."""

import os
from typing import Literal

from framework.auth.lucia_hash import BLOCK_SIZE, normalize_for_lucia, read_lucia_hash
from framework.auth.passwords import ARGON2, BCRYPT, PASSWORD_MAX, Hasher, prepare_password
from framework.log import log_warning
from framework.scrypt import scrypt

__all__ = ["LuciaHasher"]

_ARGON2 = "$argon2id$"
_NOBODYS_SALT = b"nobodynobodynobo"
_NOBODY = f"s2:{_NOBODYS_SALT.decode()}:{'0' * 128}"
"""Verified where there is no user, so that this costs the same. No password is known to have it."""


class LuciaHasher:
    """Verifies what Lucia 1, 2, 3 and better-auth stored; hashes with *argon2*, or as Lucia 2 does.

    With ``writes="argon2id"`` every form but Argon2id is outdated, and so replaced when its owner
    signs in next. Each verification then costs one scrypt and one Argon2id, 70 to 100 ms in the
    Worker, whether the account is old, new or not there. Drop this hasher when no old hash is left.

    With ``writes="s2"`` it makes hashes that Lucia 2 verifies, for a database that Lucia still
    uses. Each verification costs one scrypt, whether or not the account is there. An Argon2id hash
    is still read, at its own cost besides.
    """

    def __init__(
        self, *, writes: Literal["argon2id", "s2"] = "argon2id", argon2: Hasher = ARGON2
    ) -> None:
        self._writes_s2 = writes == "s2"
        self._argon2 = argon2
        self._has_warned = False
        self.dummy_hash: str = _NOBODY if self._writes_s2 else argon2.dummy_hash

    async def hash(self, password: str) -> str:
        """Return a hash of *password* to store. Raises `PasswordError`."""
        if not self._writes_s2:
            return await self._argon2.hash(password)
        salt = os.urandom(16).hex()  # twice as long as Lucia's, which takes any
        key = await scrypt(prepare_password(password), salt.encode(), BLOCK_SIZE)
        return f"s2:{salt}:{key.hex()}"

    async def verify(self, password: str, stored: str) -> bool:
        """Return whether *stored* is a hash of *password*; False for whatever it cannot read.

        Passwords of any length from 1 on are compared: Lucia set no minimum. Raises
        `ConfigurationError` where there is no scrypt, rather than call a right password wrong.
        """
        prepared = normalize_for_lucia(password, PASSWORD_MAX)
        if prepared is None:
            return False
        lucias = read_lucia_hash(stored)
        if lucias is None:
            return await self._verify_other(password, prepared, stored)
        matches = await lucias.matches(prepared)
        if not matches:  # a match is hashed anew, at the same cost
            await self._spend_argon2(password)
        return matches

    async def _verify_other(self, password: str, prepared: bytes, stored: str) -> bool:
        """Verify Argon2id; refuse, at the same cost, what nobody can read."""
        if stored.startswith(_ARGON2):
            matches = await self._argon2.verify(password, stored)
            if matches and self._writes_s2:  # hashed anew, which costs the scrypt
                return True
        else:
            matches = False
            if stored.startswith(BCRYPT):
                self._warn()
            await self._spend_argon2(password)
        await scrypt(prepared, _NOBODYS_SALT, BLOCK_SIZE)
        return matches

    async def _spend_argon2(self, password: str) -> None:
        """Take the time of an Argon2id, where there are people with one."""
        if not self._writes_s2:
            await self._argon2.verify(password, self._argon2.dummy_hash)

    def is_outdated(self, stored: str) -> bool:
        """Return whether *stored* has another form than this hasher writes."""
        if self._writes_s2:
            return read_lucia_hash(stored) is None or not stored.startswith("s2:")
        return self._argon2.is_outdated(stored)

    def _warn(self) -> None:
        """Say once, and without saying whose, that an account cannot sign in."""
        if self._has_warned:
            return
        self._has_warned = True
        log_warning(
            "a password is stored as bcrypt ($2a), which no version of Lucia 2 verifies either:"
            " its owner must be given a new one"
        )
