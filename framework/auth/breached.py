"""Refuses passwords that are known from breaches: asks Have I Been Pwned. Knows no accounts."""

import hashlib
from typing import Final

from framework.auth.errors import PasswordError
from framework.auth.passwords import PasswordCheck, prepare_password
from framework.errors import ConfigurationError
from framework.fetching import FetchFailed, check_url, fetch
from framework.log import log_warning

__all__ = ["RANGE_URL", "not_breached"]

RANGE_URL: Final = "https://api.pwnedpasswords.com/range/"
"""Answers with all known digests that begin with five hex digits. Source: the service's API, version 3."""

_PREFIX: Final = 5
_TIMEOUT: Final = 2_000
_ANSWER_LIMIT: Final = 256 * 1024


def not_breached(*, range_url: str = RANGE_URL, strict: bool = False) -> PasswordCheck:
    """Return a check for `Auth` that refuses a password which was in a breach.

    The service is told the first five hex digits of the password's SHA-1, which some thousand
    passwords have in common, and nothing else; what comes back is padded. One request, two seconds
    at most, before the hash. Where it does not answer, the password is taken and the log says so;
    with *strict* it is 503. Raises `ConfigurationError` for a *range_url* that is no URL.
    """
    try:
        check_url(range_url)
    except ValueError as error:
        raise ConfigurationError(f"range_url: {error}") from None

    async def check(password: str) -> None:
        data = prepare_password(password)
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()
        try:
            known = await _ask(range_url, digest[:_PREFIX])
        except FetchFailed as error:
            if strict:
                raise
            log_warning(f"a password was not checked against known breaches: {error}")
            return
        if digest[_PREFIX:] in known:
            raise PasswordError("This password is known from a breach: choose another.")

    return check


async def _ask(url: str, prefix: str) -> set[str]:
    """Return what follows *prefix* in the known digests that begin with it. Raises `FetchFailed`."""
    answer = await fetch(
        url + prefix, headers={"add-padding": "true"}, timeout_ms=_TIMEOUT, limit=_ANSWER_LIMIT
    )
    if answer.status != 200:
        raise FetchFailed(f"{answer.host} answered {answer.status} about a breached password")
    lines = [line.split(":") for line in answer.body.decode("ascii", "replace").upper().split()]
    return {suffix for suffix, *count in lines if count != ["0"]}  # none is padding
