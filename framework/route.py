"""One route, made ready at import: its guard, its handler, and how they are called."""

from collections.abc import Awaitable, Callable
from typing import Any

from framework.answers import as_response
from framework.compose import Handler
from framework.context import Context
from framework.errors import HTTPError
from framework.guards import CompiledGuard, Guard
from framework.parameters import Parameter
from framework.patterns import Kind, Pattern
from framework.plan import Scope, make_plan
from framework.reads import Reads
from framework.response import Response
from framework.router import Declaration

__all__ = ["Route", "make_route"]

_UNNAMED = {Kind.LITERAL, Kind.STAR, Kind.STAR_REST}


class Route:
    """One route as it is served. Made at import, read by the listings and by OpenAPI."""

    __slots__ = (
        "declaration",
        "endpoint",
        "guard",
        "handler",
        "methods",
        "parameters",
        "path",
        "statements",
        "trips",
    )

    def __init__(
        self,
        declaration: Declaration,
        path: str,
        guard: Guard,
        compiled: CompiledGuard,
        parameters: tuple[Parameter, ...],
        handler: Handler,
    ) -> None:
        self.declaration = declaration
        self.methods = declaration.methods
        self.path = path
        self.guard = guard
        """What all of the application, its routers and the route ask for."""
        self.statements = len(compiled.reads) + compiled.statements
        """D1 statements that the guard runs for each request."""
        self.trips = len({read.database for read in compiled.reads}) + compiled.statements
        """How often the guard waits for D1 in each request."""
        self.parameters = parameters
        self.handler = handler
        self.endpoint = handler
        """The handler inside of its routers' middleware."""

    @property
    def name(self) -> str:
        """What the route is called in listings."""
        return self.declaration.name

    def __repr__(self) -> str:
        return f"<Route {' '.join(self.methods)} {self.path}: {self.guard}>"


def make_route(
    declaration: Declaration, path: str, guard: Guard, patterns: list[Pattern], *, with_body: bool
) -> Route:
    """Return the route of *declaration* at *path*, behind *guard*.

    *patterns* are those of all paths of the same decorator. Raises `ConfigurationError` for a guard
    or a handler that asks for what nothing there provides.
    """
    scope = Scope(_path_names(patterns), (), with_body)
    compiled = guard.compile(scope)
    plan = make_plan(
        declaration.signature, scope._replace(slots=compiled.slots, maybe=compiled.maybe)
    )
    handler = _make_handler(plan.call, None if guard.is_public else compiled)
    return Route(declaration, path, guard, compiled, plan.parameters, handler)


def _path_names(patterns: list[Pattern]) -> dict[str, bool]:
    """Return each name in *patterns*, and whether one of them leaves it out."""
    named = [{s.text for s in pattern if s.kind not in _UNNAMED} for pattern in patterns]
    return {name: any(name not in names for names in named) for name in set().union(*named)}


def _make_handler(
    call: Callable[[Context], Awaitable[Any]], compiled: CompiledGuard | None
) -> Handler:
    if compiled is None:

        async def answer(c: Context) -> Response:
            return as_response(await call(c))

        return answer

    check, reads = compiled.check, compiled.reads

    async def answer_guarded(c: Context) -> Response:
        c.private = True
        if reads:
            c.reads = Reads(reads)
        c.guard_outcome = "failed"  # until it has answered
        try:
            await check(c)
        except HTTPError as error:
            if error.status < 500:
                c.guard_outcome = "refused"
            raise
        c.guard_outcome = "passed"
        return as_response(await call(c))

    return answer_guarded
