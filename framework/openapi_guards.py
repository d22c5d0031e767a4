"""Reads out of guards what a document says of them. Knows nothing of paths or bodies."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, count

from framework.guards import Guard, SecurityScheme
from framework.parameters import MISSING, Parameter, marker_of, name_of, provider_of
from framework.plan import read_signature
from framework.text_types import is_readable

__all__ = ["Access", "read_by_guards"]

_UNNAMEABLE = re.compile(r"[^A-Za-z0-9._-]")
"""What no key of the Components Object may hold."""


class Access:
    """What guards ask of a client. *schemes* are those of guards that do not say so themselves."""

    def __init__(self, schemes: Mapping[Guard, SecurityScheme]) -> None:
        self.used: dict[str, Mapping[str, object]] = {}
        """The definitions of the schemes that `requirements` named, by name."""
        self._schemes = schemes

    def requirements(self, guard: Guard) -> list[dict[str, list[str]]] | None:
        """Return the ways to pass *guard*, as far as schemes go. [] says that everybody may.

        None where a guard stands before the route and no scheme is known.
        """
        if guard.is_public:
            return []
        ways: list[dict[str, list[str]]] = [
            {self._name(scheme): [] for member in way if (scheme := self._scheme(member))}
            for way in guard.alternatives()
        ]
        # In OpenAPI, {} beside others means that anonymous clients pass, and a guard that has no
        # scheme may refuse them all the same: its way is left out, for a document may promise less
        # than is so and never more. `x-guard` has the whole.
        return [way for at, way in enumerate(ways) if way and way not in ways[:at]] or None

    def refusals(self, guard: Guard) -> Iterator[int]:
        """Yield the statuses that *guard* answers instead of the handler.

        A guard that does not say refuses with 401 where it has a scheme, else with 403. Any of them
        may break, which is 503.
        """
        for member in _members(guard):
            yield from member.refuses or ((401,) if self._scheme(member) else (403,))
            yield 503

    def _name(self, scheme: SecurityScheme) -> str:
        """Return what the document calls *scheme*: with a number where another has its name."""
        plain = _UNNAMEABLE.sub("_", scheme.name)
        names = chain([plain], (f"{plain}_{number}" for number in count(2)))
        definition = scheme.definition
        return next(name for name in names if self.used.setdefault(name, definition) == definition)

    def _scheme(self, guard: Guard) -> SecurityScheme | None:
        found = (scheme for known, scheme in self._schemes.items() if known is guard)
        return guard.scheme or next(found, None)


def _members(guard: Guard) -> list[Guard]:
    """Return the guards that *guard* is composed of, each once."""
    return [*{id(member): member for way in guard.alternatives() for member in way}.values()]


def read_by_guards(guard: Guard) -> Iterator[Parameter]:
    """Yield what *guard* and its providers read of a request, as `make_plan` does.

    What may be read from text, and is marked as read from nowhere else, is called a name of the path.
    Without a default, what one of several ways to pass reads is None where it is left out.
    """
    ways = guard.alternatives()
    for member in _members(guard):
        left_out = MISSING if all(member in way for way in ways) else None
        signatures = [*member.signatures]
        for signature in signatures:
            for name, annotation in signature.annotations.items():
                default = signature.defaults.get(name, left_out)
                source, type = marker_of(annotation)
                alias = name_of(annotation)
                if provider := provider_of(annotation):
                    signatures.append(read_signature(provider))  # its turn comes
                elif source:
                    yield Parameter(name, source, type, default, alias=alias)
                elif is_readable(type, with_several=False):
                    yield Parameter(alias or name, "path", type, default)
