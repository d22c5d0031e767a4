"""Asks the platform's rate limiter about the address of a request. Knows no accounts.

The count for each account is exact and in the database; this one is for who tries a few passwords
on each of many accounts, and stands before it: nothing is read and nothing is hashed.
"""

from functools import cache
from typing import Final, Protocol

from framework.client_network import UNKNOWN, client_network
from framework.context import Context
from framework.errors import RETRY_SOON, HTTPError, ServiceUnavailable, TooManyRequests
from framework.log import log_warning
from framework.security_log import log_event

__all__ = ["RateLimiter", "limit_address"]

_RETRY_AFTER: Final = 60
"""Seconds: the longer of the two periods that Workers' limiters have. A limiter does not say which it has."""


class RateLimiter(Protocol):
    """A binding of Workers' rate limiting API, as the Worker and the local server hand it out."""

    async def allows(self, key: str) -> bool:
        """Count *key* once, and return whether it is within its limit.

        It raises where that cannot be told: the answer is then 503, neither a refusal nor a pass.
        """
        ...


async def limit_address(c: Context, binding: str | None) -> None:
    """Raise `TooManyRequests` where the limiter *binding* refuses the address of this request.

    An IPv6 client counts by its /64; all clients whose address is not known have one count between
    them, and the log says so once. Does nothing where no limiter is bound as *binding*. Raises
    `ServiceUnavailable` where the limiter raises anything that is not an `HTTPError`.
    """
    if binding is None:
        return
    try:
        limiter: RateLimiter = c.env[binding]
    except KeyError:
        return
    network = client_network(c)
    if network == UNKNOWN:
        _warn()
    try:
        is_allowed = await limiter.allows(f"sign-in {network}")
    except HTTPError:
        raise
    except Exception as fault:
        raise ServiceUnavailable(headers=RETRY_SOON) from fault
    if not is_allowed:
        error = TooManyRequests("Too many attempts from this address.", retry_after=_RETRY_AFTER)
        log_event(c, "excess_rate_limit_exceeded", "address", error=error)
        raise error


@cache
def _warn() -> None:
    """Say, once in each process, that clients cannot be told apart."""
    log_warning(
        "the address of a client is not known: all such clients share one count, which any can use up"
    )
