"""Describes an application in OpenAPI 3.1, from its routes. Knows nothing of requests.

Made when it is asked for, never at import: routes import this module inside of their handlers.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, count
from textwrap import dedent
from typing import Any

from framework.application import App
from framework.guards import Guard, SecurityScheme
from framework.openapi_guards import Access, read_by_guards
from framework.openapi_paths import PathParameter, Template, templates
from framework.openapi_responses import problems, responses
from framework.openapi_schemas import Schemas, default_of, sent_type
from framework.origin import SAFE_METHODS
from framework.parameters import MISSING, Parameter
from framework.patterns import Kind, Pattern, identity_of, parse_pattern
from framework.route import Route
from framework.session_scheme import session_cookie

__all__ = ["describe", "session_cookie"]

_METHODS = {"GET", "PUT", "POST", "DELETE", "PATCH"}
"""Those a Path Item can hold. HEAD and OPTIONS are automatic, and left out."""

_SOURCES = {"query", "header", "cookie"}


def describe(
    app: App,
    *,
    title: str,
    version: str,
    description: str = "",
    schemes: Mapping[Guard, SecurityScheme] | None = None,
    host: str | None = None,
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of *app*: all routes but the hidden ones.

    Routes for one host alone are in the document of that *host*, as its router names it.

    *title*, *version* and *description* are the document's Info. *schemes* says how clients show
    who they are, for guards that do not say so themselves. ``security`` of an operation names the
    ways to pass that have a scheme; it is empty for `public` alone, and left out where a guard has
    no scheme. ``x-guard`` of each operation is its guard as `App.access` lists it. Raises
    `ConfigurationError` for an answer that has no schema: a Struct with a field of several Structs
    that have no tags.
    """
    document = _Document(schemes or {})
    for route in sorted(app.routes, key=lambda route: route.host is None):  # the host's own first
        if route.host in {None, host}:
            document.add(route)
    return {
        "openapi": "3.1.1",
        "info": _stated({"title": title, "version": version, "description": description}),
        "tags": [document.tags[name] for name in sorted(document.tags)],
        "paths": document.paths,
        "components": document.components(),
    }


class _Document:
    """A document in the making."""

    def __init__(self, schemes: Mapping[Guard, SecurityScheme]) -> None:
        self.paths: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self._access = Access(schemes)
        self._schemas = Schemas()
        self._names: set[str] = set()
        self._owned: set[tuple[str, tuple[object, ...]]] = set()
        """What is taken already: the methods, and what tells two patterns apart."""
        self._alike: dict[str, dict[str, list[str]]] = {}
        """The names of the parameters by path, of the paths that differ in nothing else."""

    def add(self, route: Route) -> None:
        """Write an operation for each path and method of *route*, if it is not hidden.

        It writes none where the host has a route of its own, which was added before and answers
        there.
        """
        for pattern in parse_pattern(route.path):
            for method in route.methods:
                owned = method, identity_of(pattern)
                if method in _METHODS and owned not in self._owned:
                    self._owned.add(owned)
                    if route.declaration.hide:
                        continue
                    verb = method.lower()
                    template = next(self._templates(pattern, verb))
                    item = self.paths.setdefault(template.path, {})
                    item[verb] = self._operation(route, verb, template)

    def _templates(self, pattern: Pattern, verb: str) -> Iterator[Template]:
        """Yield the ways to write *pattern* that leave *verb* free, those that are written already first.

        ``/notes/{id}`` and ``/notes/{note}`` are identical in OpenAPI, which has one item for both: what
        the first route called its parameters is what a second one with another method calls them.
        """
        ways = templates(pattern)
        plain = next(ways)
        alike = self._alike.setdefault(plain.hierarchy, {})
        for template in chain([plain.called(names) for names in alike.values()], [plain], ways):
            if verb not in self.paths.get(template.path, ()):
                alike.setdefault(template.path, [one.name for one in template.parameters])
                yield template

    def components(self) -> dict[str, Any]:
        """Return what the operations refer to. Asked for once, after all of them."""
        answers = [each["responses"] for item in self.paths.values() for each in item.values()]
        return _stated(
            {
                "responses": problems(answers, self._schemas),  # which asks for schemas, too
                "schemas": self._schemas.write(),
                "securitySchemes": self._access.used,
            }
        )

    def _operation(self, route: Route, verb: str, template: Template) -> dict[str, Any]:
        signature = route.declaration.signature
        summary, description = _split_docstring(signature.function.__doc__ or "")
        read = [*route.parameters, *read_by_guards(route.guard)]
        refusals = self._refusals(route, verb, read, template)
        security = self._access.requirements(route.guard)
        operation = {
            "operationId": self._name(route.name, verb),
            "summary": summary or route.name.replace("_", " ").capitalize(),
            "description": description,
            "tags": [self._tag(route)],
            "parameters": self._parameters(read, template),
            "requestBody": self._body(route),
            "responses": responses(signature.returns, refusals, self._schemas),
            "x-guard": str(route.guard),
        }
        return _stated(operation) | ({} if security is None else {"security": security})

    def _name(self, name: str, verb: str) -> str:
        """Return *name* as an operationId: with the method where it is taken, then a number."""
        plain = f"{name}_{verb}"
        names = chain([name, plain], (f"{plain}_{number}" for number in count(2)))
        wanted = next(each for each in names if each not in self._names)
        self._names.add(wanted)
        return wanted

    def _tag(self, route: Route) -> str:
        """Return what groups *route*: the end of its own router's prefix, else its handler's module."""
        function = route.declaration.signature.function
        module = function.__module__.rpartition(".")[2]
        prefix = "".join(router.prefix for router in route.declaration.routers[-1:])
        segments = parse_pattern(prefix)[0] if prefix else ()
        name = next((s.text for s in reversed(segments) if s.kind is Kind.LITERAL), module)
        documented = _split_docstring(function.__globals__.get("__doc__") or "")[0]
        tag = self.tags.setdefault(name, {"name": name})
        if name == module and documented:
            tag["description"] = documented + "."
        return name

    def _parameters(self, read: list[Parameter], template: Template) -> list[dict[str, Any]]:
        """Return the Parameter Objects: those of the path in its order, then those of the rest."""
        typed = {parameter.name: parameter.type for parameter in read if parameter.source == "path"}
        others = {_sent_as(each): each for each in reversed(read) if each.source in _SOURCES}
        return [
            *[self._in_path(one, typed.get(one.source, str)) for one in template.parameters],
            *[self._elsewhere(parameter) for parameter in reversed(others.values())],
        ]

    def _in_path(self, one: PathParameter, type: Any) -> dict[str, Any]:
        schema = self._schemas.of(sent_type(type), **_stated({"pattern": one.regex}))
        described = _stated({"description": one.description})
        return {"name": one.name, "in": "path", "required": True, **described, "schema": schema}

    def _elsewhere(self, parameter: Parameter) -> dict[str, Any]:
        type = sent_type(parameter.type)
        return {
            "name": parameter.sent_name,
            "in": parameter.source,
            "required": parameter.default is MISSING,
            "schema": self._schemas.of(type, **default_of(type, parameter.default)),
        }

    def _body(self, route: Route) -> dict[str, Any]:
        for parameter in route.parameters:
            if parameter.source == "body":
                content = {
                    media_type: {"schema": self._schemas.of(type)}
                    for media_type, type in parameter.media_types.items()
                }
                return {"required": True, "content": content}
        return {}

    def _refusals(
        self, route: Route, verb: str, read: list[Parameter], template: Template
    ) -> Iterator[int]:
        """Yield the statuses of what may go wrong before the handler is asked."""
        sources = {parameter.source for parameter in read}
        if template.parameters:
            yield from (400, 404)
        if "query" in sources:
            yield 400
        if sources & _SOURCES:
            yield 422
        if "body" in sources:
            yield from (400, 413, 415, 422)
        if verb.upper() not in SAFE_METHODS:
            yield 403
        yield from self._access.refusals(route.guard)


def _sent_as(parameter: Parameter) -> tuple[str, str]:
    """Return what tells *parameter* from others in a request: headers are the same in any case."""
    name = parameter.sent_name
    return parameter.source, name.lower() if parameter.source == "header" else name


def _split_docstring(text: str) -> tuple[str, str]:
    """Return the first line without its full stop, and the rest."""
    first, _, rest = text.strip().partition("\n")
    return first.strip().removesuffix("."), dedent(rest).strip()


def _stated(fields: dict[str, Any]) -> dict[str, Any]:
    """Return *fields* without those that say nothing."""
    return {name: value for name, value in fields.items() if value}
