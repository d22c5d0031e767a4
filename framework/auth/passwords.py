"""Hashes and verifies passwords, at the same cost whether or not there is a user. Knows no users."""

import re
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw

from framework.auth.errors import PasswordError

__all__ = [
    "ARGON2",
    "BCRYPT",
    "PASSWORD_MAX",
    "PASSWORD_MIN",
    "Argon2Hasher",
    "Hasher",
    "PasswordCheck",
    "hash_password",
    "prepare_password",
    "verify_password",
]

BCRYPT = "$2a"
"""The beginning of a hash that a beta of Lucia 1 stored. Lucia 2 calls it AUTH_OUTDATED_PASSWORD,
and nothing here can verify it."""

PASSWORD_MIN = 8
"""Code points after NFKC (OWASP ASVS 5.0, 6.2.1; 15 are advised there, and better). As typed, one
keyboard's eight may be another's seven, and what was chosen on the one would not do on the other."""

PASSWORD_MAX = 1024
"""Code points as typed. No more get to NFKC, whose time is quadratic in combining marks."""

MEMORY_KIB = 19_456
TIME_COST = 2
PARALLELISM = 1
"""The least that OWASP's Password Storage Cheat Sheet asks of Argon2id: 19 MiB, two passes, one lane."""

DUMMY_HASH = f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p={PARALLELISM}${'A' * 22}${'A' * 43}"
"""Verified where there is no user, so that this costs the same. No password is known to have it."""

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,6}),t=([0-9]{1,2}),p=([0-9])"
    r"\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86}"
)
_BOUNDS = (range(7_168, 65_536 + 1), range(1, 10 + 1), range(1, 4 + 1))
"""Costs within which a hash is verified at all: KiB of memory, passes, lanes."""

_LEAST_PER_LANE = 8
"""KiB of memory that Argon2 asks for at least, for each lane (RFC 9106, 3.1)."""


def prepare_password(password: str) -> bytes:
    """Return what is hashed of *password*: its NFKC in UTF-8. Raises `PasswordError`."""
    text = unicodedata.normalize("NFKC", password[: PASSWORD_MAX + 1])
    if len(text) < PASSWORD_MIN or len(password) > PASSWORD_MAX:
        raise PasswordError(f"A password must have {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise PasswordError("A password must be text without lone surrogates.") from None


class _Costs(NamedTuple):
    """What Argon2 was told to spend."""

    memory: int
    """KiB."""
    passes: int
    lanes: int


def _costs_of(stored: str) -> _Costs | None:
    """Return the costs of *stored*; None where it is not a PHC string, or not within bounds."""
    parts = _PHC.fullmatch(stored)
    if parts is None:
        return None
    costs = _Costs(*map(int, parts.groups()))
    is_within = all(cost in bounds for cost, bounds in zip(costs, _BOUNDS, strict=True))
    return costs if is_within else None


PasswordCheck = Callable[[str], Awaitable[None]]
"""Awaited with each password that somebody chooses, before it is hashed; raises `PasswordError` for
one that may not be chosen. Never asked about passwords that are in use already."""


class Hasher(Protocol):
    """How passwords are hashed. Async, so that the work can be done elsewhere: a Durable Object,
    a service binding. Each method takes the password as it was typed."""

    dummy_hash: str
    """A hash with this hasher's own costs, to verify where there is no user."""

    async def hash(self, password: str) -> str:
        """Return a hash to store, with its parameters. Raises `PasswordError`."""
        ...

    async def verify(self, password: str, stored: str) -> bool:
        """Return whether *stored* is a hash of *password*; False for whatever it cannot read.

        To return False costs at least as much as to verify `dummy_hash`, whatever is stored: else a
        wrong password tells which accounts have a hash of another kind, and so which there are.
        """
        ...

    def is_outdated(self, stored: str) -> bool:
        """Return whether *stored* was made with other parameters than today's."""
        ...


class Argon2Hasher:
    """Argon2id in PHC strings, in this process. 30 to 50 ms in the Worker, 19 MiB of memory.

    Hashes that Lucia stored are verified as well; they are outdated, and so replaced at the next
    sign-in. That costs one scrypt besides, so that the time of a refusal tells who has such a hash:
    where many do, `framework.auth.legacy.LuciaHasher` takes as long for everybody.
    """

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        time_cost: int = TIME_COST,
        parallelism: int = PARALLELISM,
        dummy_hash: str = DUMMY_HASH,
    ) -> None:
        self._argon2 = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism
        )
        if self._argon2.check_needs_rehash(dummy_hash) or _costs_of(dummy_hash) is None:
            raise ValueError(
                "dummy_hash= must be a hash with the parameters given, and within bounds"
            )
        self._costs = _Costs(memory_kib, time_cost, parallelism)
        self.dummy_hash = dummy_hash

    async def hash(self, password: str) -> str:
        """Return a PHC string for *password*. Raises `PasswordError`."""
        return self._argon2.hash(prepare_password(password))

    async def verify(self, password: str, stored: str) -> bool:
        """Return whether *stored* is a PHC string of *password*, or a hash of Lucia's.

        A string with costs outside of our bounds is not verified at all: one planted with 4 GiB
        would take the isolate with it. For that and for whatever else cannot be read, `dummy_hash` is
        verified instead; a wrong password for a hash that was cheaper costs the difference as well.
        """
        if not isinstance(stored, str):  # None, as of a key without a password
            stored = ""
        costs = _costs_of(stored)
        if costs is None and await _is_lucias(password, stored):
            return True  # hashed anew next, which costs what `dummy_hash` does
        try:
            prepared = prepare_password(password)
        except PasswordError:
            return False
        if costs is None:
            self._verify_dummy(prepared)
            return False
        try:
            return self._argon2.verify(stored, prepared)
        except VerifyMismatchError:
            self._spend_missing_cost(costs)
        except (Argon2Error, InvalidHashError):  # looks like a PHC string, and is not
            self._verify_dummy(prepared)
        return False

    def _verify_dummy(self, prepared: bytes) -> None:
        with suppress(Argon2Error):
            self._argon2.verify(self.dummy_hash, prepared)

    def _spend_missing_cost(self, spent: _Costs) -> None:
        """Spend what *spent* lacks of today's costs, whether or not each lane has a thread."""
        memory, passes, lanes = self._costs
        counted = spent.memory * spent.passes * min(lanes, spent.lanes) // spent.lanes
        missing = memory * passes - counted
        if missing <= 0:
            return
        passes = -(-missing // memory)
        hash_secret_raw(
            b"",
            bytes(16),
            time_cost=passes,
            memory_cost=max(-(-missing // passes), _LEAST_PER_LANE * lanes),
            parallelism=lanes,
            hash_len=32,
            type=Type.ID,
        )

    def is_outdated(self, stored: str) -> bool:
        """Return whether *stored* was made with other parameters than this hasher's."""
        return _costs_of(stored) is None or self._argon2.check_needs_rehash(stored)


async def _is_lucias(password: str, stored: str) -> bool:
    """Return whether *stored* is what Lucia would have stored of *password*."""
    from framework.auth.lucia_hash import (  # of few: not at start
        normalize_for_lucia,
        read_lucia_hash,
    )

    lucias = read_lucia_hash(stored)
    prepared = normalize_for_lucia(password, PASSWORD_MAX)
    return lucias is not None and prepared is not None and await lucias.matches(prepared)


ARGON2 = Argon2Hasher()
"""The hasher used unless `Auth` is given another."""


async def hash_password(password: str) -> str:
    """Return an Argon2id PHC string for *password*.

    The password is taken as typed, normalised by NFKC and nothing else. Raises `PasswordError` for
    fewer than 8 code points after that, for more than 1024 before, and for a lone surrogate.
    """
    return await ARGON2.hash(password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Return whether *stored*, a PHC string or a hash of Lucia's, is one of *password*.

    Never raises for bad input; `ConfigurationError` where a hash of Lucia's needs a scrypt that is not there.
    *stored* is None for a key without a password: never a match, at the cost of a real check.
    """
    if not isinstance(password, str):
        return False
    matches = await ARGON2.verify(password, ARGON2.dummy_hash if stored is None else stored)
    return matches and stored is not None
