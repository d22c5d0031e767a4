"""Refuses unsafe requests that another site sent. Knows nothing of sessions."""

import re
from collections.abc import Collection

from framework.errors import ConfigurationError, CrossSite
from framework.request import Request

__all__ = ["SAFE_METHODS", "check_origin", "refuse_cross_site"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def check_origin(origin: str) -> str:
    """Return *origin* where it is one exactly as a browser writes it; else `ConfigurationError`."""
    scheme, _, rest = origin.partition("://")
    if not _ORIGIN.fullmatch(origin) or rest.endswith(_DEFAULT_PORTS[scheme]):
        raise ConfigurationError(
            f"{origin!r} is not an origin: write scheme://host or scheme://host:port, in lower case,"
            " without the default port of its scheme"
        )
    return origin


def refuse_cross_site(request: Request, trusted: Collection[str]) -> None:
    """Raise `CrossSite` for an unsafe request that comes neither from its own site nor a *trusted* origin.

    ``Sec-Fetch-Site`` decides where it is sent; else ``Origin``, compared with the scheme, host and
    port of the URL. A request with neither is refused if it carries a cookie, and else comes from
    no browser.
    """
    if request.method in SAFE_METHODS:
        return
    headers = request.headers
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site == "same-origin":
        return
    origin = headers.get("origin")
    if origin is None:
        if fetch_site is None and not headers.get("cookie"):
            return
    elif origin in trusted or (fetch_site is None and origin == request.origin):
        return
    here = _name(request.origin)  # the host is what the client wrote, too
    raise CrossSite(f"The request comes from {_name(origin)}, but this site is {here}.")


def _name(origin: str | None) -> str:
    """Return how to call *origin* in an error: itself where it is one, never arbitrary text."""
    if origin is None:
        return "an unnamed origin (with cookies, programs have to send Origin)"
    if len(origin) <= 255 and (origin == "null" or _ORIGIN.fullmatch(origin)):
        return origin
    return "a malformed origin"
