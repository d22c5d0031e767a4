"""Refuses requests for a host that is not ours. Knows nothing of routes."""

import re

from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import BadRequest, ConfigurationError
from framework.response import Response

__all__ = ["UntrustedHost", "trusted_hosts"]

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\]"
_PORT = r"(?P<port>:[0-9]{1,5})?"
_ENTRY = re.compile(rf"(?:\*\.(?!\[))?(?:{_NAME}){_PORT}")
_HOST = re.compile(rf"(?P<name>{_NAME}){_PORT}")


class UntrustedHost(BadRequest):
    """The request is for a host that this application does not serve."""

    code = "untrusted-host"


def trusted_hosts(*hosts: str) -> Middleware:
    """Return a layer that answers 400 ``untrusted-host`` to requests for any host but *hosts*.

    ``example.com`` is that host alone, ``*.example.com`` whatever stands one level below it, as in
    a certificate: neither ``example.com`` nor ``a.b.example.com``. An entry without a port goes with
    any, one with a port with that port alone. Raises `ConfigurationError` for an entry that is not
    a host in lower case, and if there are no entries.
    """
    for entry in hosts:
        if not _ENTRY.fullmatch(entry):
            raise ConfigurationError(f"{entry!r} is not a host: write example.com or *.example.com")
    if not hosts:
        raise ConfigurationError("trusted_hosts() without a host would refuse every request")
    trusted = frozenset(hosts)

    async def refuse_other_hosts(c: Context, call_next: Next) -> Response:
        if trusted.isdisjoint(_spellings(c.request.host.lower())):
            raise UntrustedHost("This host is not served here.")
        return await call_next()

    return refuse_other_hosts


def _spellings(host: str) -> tuple[str, ...]:
    """Return every entry that admits *host*; none if it is not a host."""
    match = _HOST.fullmatch(host)
    if match is None:
        return ()
    parent = match["name"].partition(".")[2]
    return match["name"], host, f"*.{parent}", f"*.{parent}{match['port'] or ''}"
