"""Finds the value registered for a host, a method and a path. Knows nothing of handlers."""

from typing import Generic, TypeVar

from framework.errors import ConfigurationError
from framework.hosts import host_path, parse_host
from framework.matcher import Matcher, Parameters

__all__ = ["HostMatcher"]

T = TypeVar("T")


class HostMatcher(Generic[T]):
    """A matcher for any host, and one for each host that has values of its own, which comes first."""

    def __init__(self) -> None:
        self.anywhere: Matcher[T] = Matcher()
        self.by_host: dict[str, Matcher[T]] = {}
        self._hosts: Matcher[Matcher[T]] = Matcher()

    def matcher(self, host: str | None) -> Matcher[T]:
        """Return the matcher for *host* as a router declares it, made where there is none.

        Raises `ConfigurationError` where the same hosts are known by other names: a request has one set
        of parameters, whichever router declared its route.
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
        if not self.by_host:
            return found
        site = self._hosts.find("", host_path(host))
        return found if site is None else {**found, **site[0].find_all(path, other_than)}
