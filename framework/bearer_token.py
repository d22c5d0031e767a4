"""Reads the token out of an Authorization header. Knows nothing of guards or users."""

import re

from framework.context import Context

__all__ = ["CREDENTIAL_LIMIT", "read_bearer"]

CREDENTIAL_LIMIT = 8 * 1024
"""Characters that an Authorization header may have; a longer one is not looked at."""

_BEARER = re.compile(r"bearer ([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE | re.ASCII)


def read_bearer(c: Context) -> str | None:
    """Return the bearer token of the request, or None where it carries no well-formed one.

    The scheme's case does not matter (RFC 9110, 11.1); one space follows it, and nothing else.
    Token or not, the answer counts as depending on who asks from then on, and stays out of every
    cache.
    """
    c.private = True
    header = c.request.headers.get("authorization") or ""
    found = _BEARER.fullmatch(header) if len(header) <= CREDENTIAL_LIMIT else None
    return None if found is None else found[1]
