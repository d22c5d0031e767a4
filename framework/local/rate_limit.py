"""Stands in for Workers' rate limiting API in local development. Knows nothing of what it limits."""

import time
from collections.abc import Callable

__all__ = ["LocalRateLimiter"]


class LocalRateLimiter:
    """Allows *limit* uses of each key in any window of *period* seconds, counted in this process.

    A window begins with the first use after the one before it ended. *clock* returns seconds.
    """

    def __init__(
        self, limit: int, period: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._period = period
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}
        """When the window of each key ends, and how often the key was used in it."""

    async def allows(self, key: str) -> bool:
        """Count *key* once, and return whether it is within the limit."""
        now = self._clock()
        self._windows = {k: window for k, window in self._windows.items() if window[0] > now}
        end, uses = self._windows.get(key, (now + self._period, 0))
        self._windows[key] = (end, uses + 1)
        return uses < self._limit
