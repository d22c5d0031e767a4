"""Asks a binding of Workers' rate limiting API. Knows nothing of what is limited."""

from typing import Any

from js import Object
from pyodide.ffi import JsException, to_js

from framework.errors import ServiceUnavailable

__all__ = ["WorkersRateLimiter"]


class WorkersRateLimiter:
    """A ``[[ratelimits]]`` binding of ``wrangler.toml``. Counts per Cloudflare location."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def allows(self, key: str) -> bool:
        """Count *key* once, and return whether it is within the limit.

        Raises `ServiceUnavailable` where the limiter does not answer.
        """
        options = to_js({"key": key}, dict_converter=Object.fromEntries)
        try:
            outcome = await self._binding.limit(options)
        except JsException as error:
            raise ServiceUnavailable from error
        return bool(outcome.success)
