"""Draws the nonce of a request, for a Content-Security-Policy. Knows no policy."""

import os

from framework.context import Context
from framework.slots import Slot

__all__ = ["NONCE", "find_nonce", "nonce"]

NONCE = "'nonce'"
"""Stands in a policy for the nonce of the request, which `nonce` returns."""


_slot = Slot("nonce", str)


def nonce(c: Context) -> str:
    """Return the nonce of this request, for the ``nonce`` attribute of scripts and styles.

    Drawn when first asked for (128 random bits, in hex). The answer then stays out of every cache,
    since a nonce that is seen twice protects nobody. Raises `TypeError` where a stream is the first to
    ask: the policy has been sent without it.
    """
    found = c.find(_slot)
    if found is None:
        c.refuse_answered("a nonce was asked for")
        c.private = True
        found = os.urandom(16).hex()
        c.set(_slot, found)
    return found


def find_nonce(c: Context) -> str | None:
    """Return the nonce of this request, or None where nobody has asked for one."""
    return c.find(_slot)
