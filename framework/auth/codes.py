"""Codes of eight digits that prove an address: drawn, stored as digests, tried, used up, in SQL."""

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from framework.database import Statement, statement

__all__ = [
    "CODES_PER_ADDRESS",
    "CODES_PER_WINDOW",
    "CODE_LIFE",
    "CODE_PATTERN",
    "CODE_TRIES",
    "CODE_WINDOW",
    "CodeState",
    "change_email",
    "digest_code",
    "forget_code",
    "issue_code",
    "new_code",
    "purge_codes",
    "use_code",
    "void_code",
]

CODE_LIFE: Final = 5 * 60_000
"""Milliseconds that a code is good for (Lucia's guidebook)."""

CODE_TRIES: Final = 5
"""How often one code may be tried, right or wrong."""

CODES_PER_WINDOW: Final = 5
"""Codes sent to one user in a window; with the tries, 25 guesses at one in 100,000,000. Using one
does not begin the count anew."""

CODES_PER_ADDRESS: Final = 2 * CODES_PER_WINDOW
"""Codes sent to one address in a window, whoever asks: 50 guesses. A code past that is not mailed,
and cannot be used. It is twice as many as for a user, whose windows begin at other times, so that
one user alone never reaches it."""

CODE_WINDOW: Final = 60 * 60_000
"""The window in milliseconds, from its first code on."""

CODE_PATTERN: Final = r"^[0-9]{8}\Z"

_ALL: Final = 10**8
_FAIR: Final = 2**32 - 2**32 % _ALL
"""Of the numbers of 32 bits below this, each code comes from as many as any other."""

# A clock that was put back would else refuse for as long as it was wrong.
_CAP: Final = "UPDATE email_code SET resets_at = ?2 WHERE user_id = ?1 AND resets_at > ?2"
_COUNT_ADDRESS: Final = (
    "INSERT INTO email_count (email, sent, resets_at) SELECT email, 1, ?2 FROM user"
    " WHERE id = ?1 AND email IS NOT NULL AND email_verified_at IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM email_code WHERE user_id = ?1 AND resets_at > ?3 AND sent >= ?4)"
    " ON CONFLICT (email) DO UPDATE SET"
    " sent = CASE WHEN resets_at <= ?3 THEN 1 ELSE sent + 1 END,"
    " resets_at = CASE WHEN resets_at <= ?3 THEN ?2 ELSE min(resets_at, ?2) END"
)
# One row a user, so that a new code replaces the old one. A code past the address's limit, which is not
# mailed, is stored as expired: otherwise one could guess at a code that nobody ever received.
_ISSUE: Final = (
    "INSERT INTO email_code (user_id, email, code, tries, expires_at, sent, resets_at)"
    " SELECT id, email, ?2, 0, CASE WHEN"
    " (SELECT sent FROM email_count WHERE email = user.email) > ?7 THEN 0 ELSE ?3 END,"
    " 1, ?4 FROM user"
    " WHERE id = ?1 AND email IS NOT NULL AND email_verified_at IS NULL"
    " ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, code = excluded.code, tries = 0,"
    " expires_at = excluded.expires_at,"
    " sent = CASE WHEN resets_at <= ?5 THEN 1 ELSE sent + 1 END,"
    " resets_at = CASE WHEN resets_at <= ?5 THEN excluded.resets_at ELSE resets_at END"
    " WHERE resets_at <= ?5 OR sent < ?6"
)
_STATE: Final = (
    "SELECT u.email, u.email_verified_at, c.resets_at, coalesce(e.sent, 0) AS sent_to_address"
    " FROM user u LEFT JOIN email_code c ON c.user_id = u.id"
    " LEFT JOIN email_count e ON e.email = u.email WHERE u.id = ?1"
)
_TRY: Final = "UPDATE email_code SET tries = tries + 1 WHERE user_id = ?1"
_VERIFY: Final = (
    "UPDATE user SET email_verified_at = ?4 WHERE id = ?1 AND EXISTS (SELECT 1 FROM email_code"
    " WHERE user_id = ?1 AND code = ?2 AND tries <= ?3 AND expires_at > ?4 AND email = user.email)"
)
# The row stays, with how many were sent, until the purge. No digest is empty.
_USE: Final = "UPDATE email_code SET code = '', expires_at = 0 WHERE user_id = ?1 AND code = ?2"
_CHANGE_EMAIL: Final = (
    "UPDATE user SET email = ?2, email_verified_at = NULL WHERE id = ?1 AND email IS NOT ?2"
)
_VOID: Final = (
    "UPDATE email_code SET code = '', expires_at = 0 WHERE user_id = ?1 AND email IS NOT ?2"
)
_FORGET: Final = "DELETE FROM email_code WHERE user_id = ?1"
_PURGE: Final = "DELETE FROM email_code WHERE expires_at <= ?1 AND resets_at <= ?1"
# An address stands there in plain, so no longer than it counts.
_PURGE_ADDRESSES: Final = "DELETE FROM email_count WHERE resets_at <= ?1"


class CodeState(msgspec.Struct, frozen=True):
    """What there is to verify. Times are Unix milliseconds."""

    email: str | None
    email_verified_at: int | None
    resets_at: int | None
    """When the window ends and more codes are sent."""
    sent_to_address: int
    """How many went there in a window, this one and those for others included."""


def new_code() -> str:
    """Return eight digits from the system's CSPRNG, each code as likely as any other."""
    while True:
        number = int.from_bytes(os.urandom(4), "big")
        if number < _FAIR:
            return f"{number % _ALL:08}"


def digest_code(code: str, user_id: str, secret: bytes) -> str:
    """Return what is stored of *code*: its HMAC-SHA256, in hex, with the user in it.

    Eight digits are guessed from any hash in a moment; with a *secret* that is not in the database
    they are not. Without one (empty), what protects them is their short life.
    """
    import hmac  # few requests come with a code: kept off the cold-start path

    return hmac.digest(secret, f"kagari code {user_id} {code}".encode(), "sha256").hex()


def issue_code(user_id: str, digest: str, now: int) -> Sequence[Statement]:
    """Store *digest* for a user whose address is not verified, in place of the one before.

    Past `CODES_PER_ADDRESS` it is stored as one that is over. The last statement but one changes
    nothing where there is no address to verify, or where too many codes were sent in the window;
    the last gives a `CodeState`, which tells the two apart.
    """
    ends = (now + CODE_LIFE, now + CODE_WINDOW)
    return [
        statement(_CAP, user_id, now + CODE_WINDOW),
        statement(_COUNT_ADDRESS, user_id, now + CODE_WINDOW, now, CODES_PER_WINDOW),
        statement(_ISSUE, user_id, digest, *ends, now, CODES_PER_WINDOW, CODES_PER_ADDRESS),
        statement(_STATE, user_id),
    ]


def use_code(user_id: str, digest: str, now: int) -> Sequence[Statement]:
    """Count a try, verify the address if *digest* is right for it, and use the code up.

    The second statement changes a row only where the code was right: of two uses at once, the other
    finds no code.
    """
    return [
        statement(_TRY, user_id),
        statement(_VERIFY, user_id, digest, CODE_TRIES, now),
        statement(_USE, user_id, digest),
    ]


def change_email(user_id: str, email: str | None) -> Statement:
    """Give a user another address, not verified, or none. The same one stays as it is."""
    return statement(_CHANGE_EMAIL, user_id, email)


def void_code(user_id: str, but_to: str | None) -> Statement:
    """Use up the code of *user_id*, unless it went to the address *but_to*. That it was sent counts."""
    return statement(_VOID, user_id, but_to)


def forget_code(user_id: str) -> Statement:
    """Delete the code of *user_id*, and how many were sent."""
    return statement(_FORGET, user_id)


def purge_codes(now: int) -> Sequence[Statement]:
    """Delete the codes that are over at *now*, and the counts of addresses."""
    return [statement(_PURGE, now), statement(_PURGE_ADDRESSES, now)]
