"""One route, made ready at import: its guard, its handler, and how they are called."""

from typing import Any

from framework.context import Context
from framework.errors import ConfigurationError, HTTPError
from framework.guard_reads import ReadBatch
from framework.guards import CompiledGuard, Guard
from framework.hosts import parse_host
from framework.origin import SAFE_METHODS
from framework.patterns import Pattern, names_in
from framework.plan import Call, Scope, make_plan
from framework.router import Declaration

__all__ = ["Call", "Route"]


class Route:
    """One route as it is served: that of *declaration* at *path*, behind *guard*.

    Made at import, read by the listings and by OpenAPI. *patterns* are those of all paths of the same
    decorator, *host* that of its routers. Raises `ConfigurationError` for a guard or a handler that asks
    for what nothing there provides.
    """

    def __init__(
        self,
        declaration: Declaration,
        path: str,
        guard: Guard,
        patterns: list[Pattern],
        host: str | None,
    ) -> None:
        names = _path_names(patterns)
        for name in () if host is None else names_in(parse_host(host)):
            if name in names:
                raise ConfigurationError(f"{path!r} and the host {host!r} both name :{name}")
            names[name] = False
        with_body = not SAFE_METHODS & {*declaration.methods}
        scope = Scope(names, (), with_body)
        compiled = guard.compile(scope)
        scope = scope._replace(slots=compiled.slots, maybe=compiled.maybe)
        call, parameters = make_plan(declaration.signature, scope)
        if with_body and all(parameter.source != "body" for parameter in parameters):
            call = _bounded(call)
        self.declaration = declaration
        self.methods: tuple[str, ...] = declaration.methods
        self.path = path
        self.host = host
        """The host that requests have to be for; None for any."""
        self.guard = guard
        """What all of the application, its routers and the route ask for."""
        self.statements: int = len(compiled.reads) + compiled.statements
        """D1 statements that the guard runs for each request."""
        self.trips: int = len({read.database for read in compiled.reads}) + compiled.statements
        """How often the guard waits for D1 in each request."""
        self.parameters = parameters
        self._call = call
        self._compiled = None if guard.is_public else compiled
        self.handler: Call = _guard_call(call, self._compiled)
        """The guard and then the handler; returns what the handler returns."""
        self.endpoint: Call = self.handler
        """The same inside of its routers' middleware."""

    def check_answers(self) -> None:
        """From now on, hold what the handler returns against its annotation."""
        from framework.answer_check import make_answer_check  # development: not at a Worker's start

        signature, call = self.declaration.signature, self._call
        check = make_answer_check(signature.returns, f"{signature.place}: {signature.name}")
        if check is None:
            return

        async def checked(c: Context) -> Any:
            value = await call(c)
            check(value)
            return value

        self.handler = _guard_call(checked, self._compiled)

    @property
    def location(self) -> str:
        """The path, after ``//`` and the host where there is one, as listings show it."""
        return self.path if self.host is None else f"//{self.host}{self.path}"

    @property
    def name(self) -> str:
        """What the route is called in listings."""
        return self.declaration.name

    def __repr__(self) -> str:
        return f"<Route {' '.join(self.methods)} {self.location}: {self.guard}>"


def _bounded(call: Call) -> Call:
    """Return *call* for a handler that declares no body: one that is too long is 413 all the same."""

    async def call_bounded(c: Context) -> Any:
        c.request.check_length()
        return await call(c)

    return call_bounded


def _path_names(patterns: list[Pattern]) -> dict[str, bool]:
    """Return each name in *patterns*, and whether one of them leaves it out."""
    named = [{*names_in(pattern)} for pattern in patterns]
    return {name: any(name not in names for names in named) for name in set().union(*named)}


def _guard_call(call: Call, compiled: CompiledGuard | None) -> Call:
    if compiled is None:
        return call

    check, reads = compiled.check, compiled.reads

    async def call_guarded(c: Context) -> Any:
        c.private = True
        if reads:
            c.reads = ReadBatch(reads)
        try:
            await check(c)
        except BaseException as error:
            is_refusal = isinstance(error, HTTPError) and error.status < 500
            c.guard_outcome = "refused" if is_refusal else "failed"
            raise
        c.guard_outcome = "passed"
        return await call(c)

    return call_guarded
