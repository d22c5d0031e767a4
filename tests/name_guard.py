"""A guard of the tests' own: it knows people by the name they say."""

from framework import Context, Slot, guard
from framework.errors import Unauthorized

__all__ = ["WHO", "known"]

WHO = Slot("who asks", str)


@guard(provides=WHO)
async def known(c: Context) -> str:
    """Let pass whoever says a name."""
    name = c.request.headers.get("x-name")
    if name is None:
        raise Unauthorized
    return name
