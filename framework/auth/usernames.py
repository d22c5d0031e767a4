"""Gives a username one canonical form. Knows nothing of users."""

import re
import unicodedata

__all__ = ["USERNAME_PATTERN", "canonical_username"]

USERNAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{2,63}\Z"
"""3 to 64 ASCII letters, digits and ``. _ @ + -``: nothing that could be taken for another."""

_USERNAME = re.compile(USERNAME_PATTERN)


def canonical_username(username: str) -> str | None:
    """Return the one form of *username* that accounts are told apart by, or None if it is none.

    NFKC and case folding first, so that ``Alice`` and full-width letters are ``alice``; what is not
    ASCII then is refused, and with it every look-alike.
    """
    if len(username) > 64:
        return None
    folded = unicodedata.normalize("NFKC", username).casefold()
    return folded if _USERNAME.match(folded) else None
