"""Reads out of guards what a document says of them. Knows nothing of paths or bodies."""

from collections.abc import Collection, Iterator, Mapping

from framework.guards import Guard, SecurityScheme
from framework.parameters import MISSING, Parameter, marker_of

__all__ = ["Access", "members", "read_by_guards"]

Requirement = dict[str, list[str]]


class Access:
    """What guards ask of a client. *schemes* are those of guards that do not say so themselves."""

    def __init__(self, schemes: Mapping[Guard, SecurityScheme]) -> None:
        self.used: dict[str, Mapping[str, object]] = {}
        """The definitions of the schemes that `requirements` named, by name."""
        self._schemes = schemes

    def requirements(self, guard: Guard) -> list[Requirement]:
        """Return the ways to pass *guard*, as far as schemes go; none where it asks for none."""
        ways: list[Requirement] = []
        for alternative in guard.alternatives():
            schemes = [scheme for member in alternative if (scheme := self._scheme(member))]
            self.used.update({scheme.name: scheme.definition for scheme in schemes})
            way: Requirement = {scheme.name: [] for scheme in schemes}
            if way not in ways:
                ways.append(way)
        return ways if any(ways) else []

    def refusals(self, guard: Guard) -> Iterator[int]:
        """Yield the statuses that *guard* answers instead of the handler.

        A guard that does not say refuses with 401 where it has a scheme, else with 403. Any of them
        may break, which is 503.
        """
        for member in members(guard):
            yield from member.refuses or ((401,) if self._scheme(member) else (403,))
            yield 503

    def _scheme(self, guard: Guard) -> SecurityScheme | None:
        return guard.scheme or self._schemes.get(guard)


def members(guard: Guard) -> list[Guard]:
    """Return the guards that *guard* is composed of, each once."""
    return list(dict.fromkeys(member for way in guard.alternatives() for member in way))


def read_by_guards(guard: Guard, path_names: Collection[str]) -> Iterator[Parameter]:
    """Yield what *guard* reads of a request whose path has *path_names*, as `make_plan` does."""
    for member in members(guard):
        for signature in member.signatures:
            for name, annotation in signature.annotations.items():
                default = signature.defaults.get(name, MISSING)
                source, type = marker_of(annotation)
                if source:
                    yield Parameter(name, source, type, default)
                elif name in path_names and annotation is not MISSING:
                    yield Parameter(name, "path", type, default)
