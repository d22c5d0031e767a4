"""Finds what is registered for a host, whose labels are read as a path. Knows nothing of requests."""

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

from framework.errors import ConfigurationError
from framework.matcher import Matcher, Parameters
from framework.patterns import Pattern, parse_pattern

__all__ = ["LOOPBACK", "HostMatcher", "host_name", "host_path", "only_host", "parse_host"]

T = TypeVar("T")

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
    """Return the one host among *hosts* of nested routers, or None. Raises `ConfigurationError` for two."""
    named = {*filter(None, hosts)}
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


class HostMatcher(Generic[T]):
    """A matcher for any host, and one for each host that has values of its own, which comes first."""

    def __init__(self) -> None:
        self.anywhere: Matcher[T] = Matcher()
        self.by_host: dict[str, Matcher[T]] = {}
        self._hosts: Matcher[Matcher[T]] = Matcher()

    def matcher(self, host: str | None) -> Matcher[T]:
        """Return the matcher for *host* as a router declares it, made where there is none.

        Raises `ConfigurationError` where a pattern of the same hosts has other names: a request has
        one set of parameters, whichever router declared its route.
        """
        if host is None:
            return self.anywhere
        pattern = parse_host(host)
        known = self._hosts.owner("", pattern)
        if known is None:
            known = self.by_host[host] = Matcher()
            self._hosts.add("", pattern, known)
        elif host not in self.by_host:
            first = next(name for name, matcher in self.by_host.items() if matcher is known)
            raise ConfigurationError(f"{first!r} and {host!r} are the same hosts: name them alike")
        return known

    def find(self, host: str, method: str, path: str) -> tuple[T, Parameters] | None:
        """Return the value and the parameters, those of the host too; *host* is a request's."""
        site = self._hosts.find("", host_path(host)) if self.by_host else None
        if site is not None:
            found = site[0].find(method, path)
            if found is not None:
                return found[0], {**site[1], **found[1]}
        return self.anywhere.find(method, path)

    def find_all(self, host: str, path: str, other_than: str = "") -> dict[str, T]:
        """Return the value of each method that has one for *path*. For 405 and OPTIONS."""
        found = self.anywhere.find_all(path, other_than)
        site = self._hosts.find("", host_path(host)) if self.by_host else None
        return found if site is None else {**found, **site[0].find_all(path, other_than)}
