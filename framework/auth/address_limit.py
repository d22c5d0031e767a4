"""Asks the platform's rate limiter about the address of a request. Knows no accounts.

The count for each account is exact and in the database; this one is for who tries a few passwords
on each of many accounts, and stands before it: nothing is read and nothing is hashed.
"""

from typing import Final, Protocol

from framework.addresses import client_network
from framework.context import Context
from framework.errors import TooManyRequests
from framework.security_log import tell

__all__ = ["RateLimiter", "limit_address"]

_RETRY_AFTER: Final = 60
"""Seconds: the longer of the two periods that a limiter of Workers may have. It does not say which."""


class RateLimiter(Protocol):
    """What a binding of Workers' rate limiting API is here, in the Worker and in development."""

    async def allows(self, key: str) -> bool:
        """Count *key* once, and return whether it is within its limit."""
        ...


async def limit_address(c: Context, binding: str | None) -> None:
    """Raise `TooManyRequests` where the limiter *binding* refuses the address of this request.

    An IPv6 client counts by its /64. Nothing where no limiter is bound as *binding*.
    """
    if binding is None:
        return
    try:
        limiter: RateLimiter = c.env[binding]
    except KeyError:
        return
    if not await limiter.allows(f"sign-in {client_network(c)}"):
        error = TooManyRequests("Too many attempts from this address.", retry_after=_RETRY_AFTER)
        tell(c, "excess_rate_limit_exceeded", "address", error=error)
        raise error
