"""Writes path patterns as OpenAPI has them. Knows nothing of routes."""

import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

from framework.openapi_schemas import portable_regex
from framework.patterns import Kind, Pattern, Segment

__all__ = ["PathParameter", "Template", "templates"]

_SUB_DELIMITERS = ":@!$&'()*+,;="
"""What may stand in a path segment as it is, beside letters, digits and ``-._~`` (RFC 3986)."""

_NAME = re.compile(r"\{[^}]*\}")

_WHOLE_REST = {Kind.REST: "All that is left of the path, slashes too."}
_UNNAMED = {
    Kind.STAR: "Any one segment.",
    Kind.STAR_REST: "All that is left of the path, slashes too, or nothing.",
}


class PathParameter(NamedTuple):
    """One parameter of a template."""

    name: str
    source: str
    """Its name in the route, empty for a wildcard."""
    regex: str
    description: str


class Template(NamedTuple):
    """A path as OpenAPI writes it: ``/notes/{id}``."""

    path: str
    parameters: tuple[PathParameter, ...]

    @property
    def hierarchy(self) -> str:
        """The path without the names in it, which tell no two paths apart in OpenAPI."""
        return _NAME.sub("{}", self.path)

    def called(self, names: Iterable[str]) -> "Template":
        """Return this template with its parameters called *names*."""
        parameters = tuple(
            one._replace(name=name) for one, name in zip(self.parameters, names, strict=True)
        )
        given = iter(parameters)
        return Template(_NAME.sub(lambda _: f"{{{next(given).name}}}", self.path), parameters)


def templates(pattern: Pattern) -> Iterator[Template]:
    """Yield the ways to write *pattern*: the plain one first, then with its names numbered.

    OpenAPI tells two routes apart by their paths alone, and ``/:id{[0-9]+}`` and ``/:id`` are both
    ``/{id}``: the second is ``/{id_2}`` then. A template without parameters has one way.
    """
    for number in count(1):
        template = _template(pattern, "" if number == 1 else f"_{number}")
        yield template
        if not template.parameters:
            return


def _template(pattern: Pattern, suffix: str) -> Template:
    parameters: list[PathParameter] = []
    texts: list[str] = []
    for segment in pattern:
        if segment.kind is Kind.LITERAL:
            texts.append(quote(segment.text, safe=_SUB_DELIMITERS))
        else:
            taken = {s.text for s in pattern} | {parameter.name for parameter in parameters}
            parameters.append(_parameter(segment, taken, suffix))
            texts.append(f"{{{parameters[-1].name}}}")
    return Template("/" + "/".join(texts), tuple(parameters))


def _parameter(segment: Segment, taken: set[str], suffix: str) -> PathParameter:
    if segment.kind in _UNNAMED:
        names = (f"wildcard{number or ''}{suffix}" for number in count())
        name = next(name for name in names if name not in taken)
        return PathParameter(name, "", "", _UNNAMED[segment.kind])
    regex = f"^(?:{segment.regex})$" if "|" in segment.regex else f"^{segment.regex}$"
    return PathParameter(
        segment.text + suffix,
        segment.text,
        portable_regex(regex) if segment.regex else "",
        _WHOLE_REST.get(segment.kind, ""),
    )
