"""Reads the host that a router is for, as a path of its labels. Knows nothing of requests."""

import re
from collections.abc import Iterable

from framework.errors import ConfigurationError
from framework.patterns import Pattern, parse_pattern

__all__ = ["LOOPBACK", "host_name", "host_path", "only_host", "parse_host"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""What this very machine is called in URLs, without a port."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?|:[A-Za-z_][A-Za-z0-9_]*")


def parse_host(host: str) -> Pattern:
    """Return the pattern of *host*, such as ``api.example.com`` or ``:tenant.example.com``.

    Labels stand from the last to the first, so that what matches paths matches hosts as well, and
    the more literal of two hosts wins. Raises `ConfigurationError` for what is not a host: upper case,
    a port, an address in brackets, another script (write it as a browser sends it, in Punycode).
    """
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ConfigurationError(
            f"{host!r} is not a host: labels in lower case or :names, without a port"
        )
    [pattern] = parse_pattern("/" + "/".join(reversed(labels)))
    return pattern


def only_host(hosts: Iterable[str | None]) -> str | None:
    """Return the one of *hosts*, those of routers one below another. Raises `ConfigurationError` for two."""
    named = {host for host in hosts if host is not None}
    if len(named) > 1:
        raise ConfigurationError(f"a route is for one host, not for {' and '.join(sorted(named))}")
    return named.pop() if named else None


def host_name(host: str) -> str:
    """Return *host* without its port: ``localhost`` of ``localhost:8787``."""
    name, _, port = host.rpartition(":")
    return name if port.isdecimal() else host


def host_path(host: str) -> str:
    """Return *host*, as a request has it, as the path that `parse_host` patterns match.

    Case, a port and one dot at the end do not count.
    """
    plain = host_name(host).lower().removesuffix(".")
    return "" if "/" in plain else "/" + "/".join(reversed(plain.split(".")))
