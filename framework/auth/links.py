"""Links that let an account's owner choose a new password: stored as digests, used up, in SQL."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from framework.auth.codes import change_email, purge_codes, void_code
from framework.auth.limits import CLOCK_ERROR
from framework.auth.store_users import StoredKey
from framework.auth.tokens import digest
from framework.context import Context
from framework.database import Statement, statement
from framework.errors import ConfigurationError
from framework.origin import check_origin
from framework.request import is_loopback

__all__ = [
    "LINKS_PER_ACCOUNT",
    "LINK_LIFE",
    "Account",
    "Link",
    "find_account",
    "find_link",
    "forget_links",
    "insert_link",
    "public_origin",
    "purge_mailed",
    "replace_address",
    "shorten_link",
    "use_link",
]

LINK_LIFE: Final = 2 * 60 * 60_000
"""Milliseconds that a link is good for (Lucia's guidebook)."""

UNSENT_LIFE: Final = 15 * 60_000
"""Milliseconds that one is good for whose mail failed: it may have arrived. So long it counts as one."""

LINKS_PER_ACCOUNT: Final = 3
"""Links that are good at one time: past that no mail is sent, and the links that were sent stay good."""

PUBLIC_URL: Final = "PUBLIC_URL"
"""The variable that names the origin which links lead to."""

# The owner of an address goes before who merely took it as a username; and of several names the one that
# was asked with, whose attempts the link forgets.
_FIND_ACCOUNT: Final = (
    "SELECT u.id AS user_id, u.email, k.id AS key_id, k.hashed_password"
    " FROM user u JOIN user_key k ON k.user_id = u.id"
    " WHERE u.email <> '' AND u.email_verified_at IS NOT NULL AND k.hashed_password IS NOT NULL"
    " AND substr(k.id, 1, length(?3)) = ?3 AND u.id IN"
    " (SELECT user_id FROM user_key WHERE id = ?1 UNION ALL"
    " SELECT id FROM user WHERE email = ?2 AND email_verified_at IS NOT NULL)"
    " ORDER BY u.email = ?2 DESC, k.id = ?1 DESC, k.id LIMIT 1"
)
# Links of other names of theirs count as well, also where it is not known here whether they are good yet.
_INSERT: Final = (
    "INSERT INTO password_reset (id, user_id, email, key_id, replaces, expires_at)"
    " SELECT ?1, u.id, u.email, k.id, ?5, ?6 FROM user u JOIN user_key k ON k.user_id = u.id"
    " WHERE u.id = ?2 AND u.email = ?3 AND u.email_verified_at IS NOT NULL"
    " AND k.id = ?4 AND k.hashed_password = ?9 AND (SELECT count(*) FROM password_reset r"
    " JOIN user_key o ON o.id = r.key_id WHERE r.user_id = ?2 AND r.email = ?3"
    " AND (replaces = ?5 OR o.hashed_password <> ?9)"
    f" AND expires_at > ?7 AND expires_at <= ?7 + {LINK_LIFE + CLOCK_ERROR}) < ?8"
)
_LINKS: Final = (
    " FROM password_reset r JOIN user u ON u.id = r.user_id AND u.email = r.email"
    " AND u.email_verified_at IS NOT NULL"
)
# Neither over, nor sent by a clock that was ahead: it would be good until that moment has passed.
_ALIVE: Final = (
    f" WHERE r.id = ?1 AND r.expires_at > ?2 AND r.expires_at <= ?2 + {LINK_LIFE + CLOCK_ERROR}"
)
_FIND: Final = (
    "SELECT r.user_id, r.replaces, k.id AS key_id, k.hashed_password"
    f"{_LINKS} JOIN user_key k ON k.id = r.key_id{_ALIVE}"
)
_CHANGE: Final = (
    "UPDATE user_key SET hashed_password = ?5 WHERE id = ?3 AND hashed_password = ?4"
    f" AND user_id = (SELECT r.user_id{_LINKS}{_ALIVE})"
)
_END_LINKS: Final = (
    "DELETE FROM password_reset WHERE user_id = ?1"
    " AND EXISTS (SELECT 1 FROM user_key WHERE id = ?2 AND hashed_password = ?3)"
)
_FORGET: Final = "DELETE FROM password_reset WHERE user_id = ?1 AND email IS NOT ?2"
_SHORTEN: Final = "UPDATE password_reset SET expires_at = ?2 WHERE id = ?1"
_PURGE: Final = "DELETE FROM password_reset WHERE expires_at <= ?1"


class Account(msgspec.Struct, frozen=True):
    """Whom a link is sent to."""

    user_id: str
    email: str
    """Verified."""
    key_id: str
    """One of theirs that has a password."""
    hashed_password: str

    def __repr__(self) -> str:
        return f"<Account of {self.user_id}>"


class Link(msgspec.Struct, frozen=True):
    """A link that is good, and the key as it is now."""

    user_id: str
    replaces: str
    """The digest of the hash that the key had when the link was sent."""
    key_id: str
    hashed_password: str | None

    @property
    def is_good(self) -> bool:
        """Whether the password is still the one that it was when the link was sent."""
        return self.hashed_password is not None and digest(self.hashed_password) == self.replaces

    def __repr__(self) -> str:
        return f"<Link of {self.user_id}>"


def public_origin(c: Context) -> str:
    """Return the origin that links in mails lead to: the variable ``PUBLIC_URL``.

    It is never the Host of the request: somebody who asks for another's link writes that, and would
    make it lead to themselves. Where the variable is not set, the request's own origin is taken on
    plain http to this very machine; anywhere else this raises `ConfigurationError`, as it does for
    a variable that is not an origin.
    """
    with suppress(KeyError):
        return check_origin(str(c.env[PUBLIC_URL]))
    if is_loopback(c.request):
        return c.request.origin
    raise ConfigurationError(
        f"the variable {PUBLIC_URL} is missing: set it to the origin of links in mails, such as"
        " https://example.com; the Host header of a request cannot be trusted for that"
    )


def find_account(key_id: str, email: str | None, provider: str) -> Statement:
    """Find the `Account` that has the key *key_id* or has verified *email*.

    No row unless its address is verified and it has a password at *provider*.
    """
    return statement(_FIND_ACCOUNT, key_id, email, provider + ":")


def insert_link(token: str, account: Account, now: int) -> Statement:
    """Store the digest of *token*. Changes nothing where `LINKS_PER_ACCOUNT` are good already.

    Nor where the account was deleted since it was found, or its address or password changed.
    """
    bound = (account.email, account.key_id, digest(account.hashed_password))
    limits = (now + LINK_LIFE, now, LINKS_PER_ACCOUNT)
    return statement(
        _INSERT, digest(token), account.user_id, *bound, *limits, account.hashed_password
    )


def find_link(token: str, now: int) -> Statement:
    """Find the `Link` of *token*: not over, to an address that is still its user's."""
    return statement(_FIND, digest(token), now)


def use_link(token: str, link: Link, changed: StoredKey, now: int) -> Sequence[Statement]:
    """Make *changed* of the key of *link*, and end all links of its user.

    The first statement changes a row only where the link is still good: of two uses at once, the
    other finds none, and its second statement has nothing to do.
    """
    key = (changed.id, link.hashed_password, changed.hashed_password)
    return [
        statement(_CHANGE, digest(token), now, *key),
        statement(_END_LINKS, changed.user_id, changed.id, changed.hashed_password),
    ]


def shorten_link(token: str, now: int) -> Statement:
    """Let the link of *token*, whose mail failed at *now*, be good for `UNSENT_LIFE`."""
    return statement(_SHORTEN, digest(token), now + UNSENT_LIFE)


def forget_links(user_id: str, but_to: str | None = None) -> Statement:
    """Delete the links of *user_id*, but those that went to the address *but_to*."""
    return statement(_FORGET, user_id, but_to)


def replace_address(user_id: str, email: str | None) -> list[Statement]:
    """Give a user another address, not verified, or none. The same one stays as it is.

    Codes and links that went to another one are worth nothing, even if that is set again later.
    """
    return [change_email(user_id, email), void_code(user_id, email), forget_links(user_id, email)]


def purge_mailed(now: int) -> list[Statement]:
    """Delete the codes and links that are over at *now*."""
    return [*purge_codes(now), statement(_PURGE, now)]
