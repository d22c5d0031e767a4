"""Gives each request a name that its answer and its log lines carry. Knows nothing of logs."""

import os
import re

from framework.compose import Middleware, Next
from framework.context import Context
from framework.middleware.options import check_header_name
from framework.response import Response, make
from framework.shared_headers import SharedHeaders

__all__ = ["LENGTH_LIMIT", "find_request_id", "request_id"]

LENGTH_LIMIT = 128
"""Characters that an id of the client's may have to be taken over."""

_ID = re.compile(rf"[A-Za-z0-9_=-]{{1,{LENGTH_LIMIT}}}")
_RAY = "cf-ray"


def request_id(header: str = "x-request-id", *, inbound: bool = True) -> Middleware:
    """Return a layer that names each request, and sends the name as *header*.

    The name is what the client sent in *header*, if it is at most 128 letters, digits and ``_=-``
    (never if *inbound* is false); else Cloudflare's ``cf-ray``; else 128 random bits in hex. Raises
    `ConfigurationError` if *header* is not a header name.
    """
    name = check_header_name(header)
    sources = (name, _RAY) if inbound else (_RAY,)

    async def name_request(c: Context, call_next: Next) -> Response:
        value = _read(c, sources) or os.urandom(16).hex()
        c.request_id = value
        return _unshared(await call_next()).with_header(name, value)

    return name_request


def find_request_id(c: Context) -> str | None:
    """Return the name of this request, or None if no `request_id` layer gave it one."""
    return c.request_id


def _unshared(response: Response) -> Response:
    """Return *response* with headers of its own: there is room for a limited number of shared ones.

    Clients choose the names, and would use that up by sending each of them twice.
    """
    headers = response.headers
    if type(headers) is not SharedHeaders:
        return response
    return make(response.body, response.status, tuple(headers))


def _read(c: Context, sources: tuple[str, ...]) -> str | None:
    """Return the first id among the headers *sources* that cannot be anything else."""
    for name in sources:
        value = c.request.headers.get(name)
        if value is not None and _ID.fullmatch(value):
            return value
    return None
