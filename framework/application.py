"""The application: routes made ready at import, and one function that answers a request."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from framework.compose import Handler, Middleware, compose
from framework.context import Context, Env, Job
from framework.errors import (
    BadRequest,
    ConfigurationError,
    HTTPError,
    MethodNotAllowed,
    NotFound,
)
from framework.guards import CompiledGuard, Guard, all_of
from framework.matcher import Matcher
from framework.origin import SAFE_METHODS, check_origin, refuse_cross_site
from framework.parameters import FORM_TYPE, JSON_TYPE, Parameter
from framework.paths import MalformedURL, decode_path
from framework.patterns import Kind, Pattern, parse_pattern
from framework.plan import Scope, make_plan
from framework.problem import as_http_error, problem
from framework.reads import Reads
from framework.request import BODY_LIMIT, Request
from framework.response import EMPTY_STATUSES, Response, encode_json, make
from framework.router import Declaration, Router

__all__ = ["App", "ErrorHandler", "Route", "UseCheck", "check_use"]

CronHandler = Callable[[Job], Awaitable[None]]
"""What runs at a tick of a cron trigger."""
ErrorHandler = Callable[[Context, HTTPError], Awaitable[Response | None]]
"""Makes the answer for an error, or returns None to leave it to problem+json."""
UseCheck = Callable[["App", "Route"], None]
"""Raises `ConfigurationError` where a layer is not for a route of that application."""
WaitUntil = Callable[[Awaitable[Any]], None]

_USE_CHECK = "check_use"
_NO_SNIFF = ("x-content-type-options", "nosniff")
_NO_STORE = ("cache-control", "private, no-store")
_VARY = ("vary", "cookie")


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


class App(Router):
    """A web application. Declare routes on it, mount routers, hand it to an edge.

    *guard* stands before every route. *origins* may send unsafe requests beside the site's own.
    *body_limit* is in bytes. A route that no guard stands before anywhere raises
    `ConfigurationError` where it is declared; so does one that another owns already.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        guard: Guard | None = None,
        origins: Iterable[str] = (),
        body_limit: int = BODY_LIMIT,
    ) -> None:
        super().__init__(prefix, guard=guard)
        self.origins: Collection[str] = frozenset(check_origin(origin) for origin in origins)
        self.body_limit = body_limit
        self.routes: list[Route] = []
        self.crons: dict[str, CronHandler] = {}
        self._matcher: Matcher[Route] = Matcher()
        self._error_handler: ErrorHandler | None = None
        self._entry: Handler | None = None

    def on_error(self, handler: ErrorHandler) -> ErrorHandler:
        """Let *handler* make the answer for every error; None leaves it to problem+json."""
        self._error_handler = handler
        return handler

    def cron(self, schedule: str) -> Callable[[CronHandler], CronHandler]:
        """Let a function run at each tick of *schedule*, as ``[triggers] crons`` writes it.

        Raises `ConfigurationError` for a schedule that has a function already.
        """

        def decorate(handler: CronHandler) -> CronHandler:
            if self.crons.setdefault(schedule, handler) is not handler:
                raise ConfigurationError(f"the cron {schedule!r} runs two functions")
            return handler

        return decorate

    async def run_cron(self, schedule: str, env: Env, time: int) -> None:
        """Run the function of *schedule*, due at *time* in Unix milliseconds.

        Raises what the function raises, so that the platform counts it as failed, and
        `ConfigurationError` where no function has that schedule.
        """
        if schedule not in self.crons:
            raise ConfigurationError(f"no function runs at the cron {schedule!r}")
        await self.crons[schedule](Job(schedule, env, time))

    def access(self) -> dict[tuple[str, str], str]:
        """Return the access table: the guard expression by method and path, in path order."""
        return {
            (method, route.path): str(route.guard)
            for route in sorted(self.routes, key=lambda route: route.path)
            for method in route.methods
        }

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        json: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        env: Env | None = None,
    ) -> Response:
        """Return the answer to a request made in this process, its stream read to the end.

        *path* may be an absolute URL; else the site is http://localhost. *json* is anything msgspec
        encodes, *form* becomes an urlencoded body; *env* holds the bindings by name.
        """
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        data = body.encode() if isinstance(body, str) else body or b""
        if json is not None:
            data = encode_json(json)
            _declare_type(pairs, JSON_TYPE)
        elif form is not None:
            data = _encode_form(form)
            _declare_type(pairs, FORM_TYPE)
        request = Request.build(method, path, pairs, data)
        response = await self.handle(request, {} if env is None else env)
        return response if isinstance(response.body, bytes) else await _read_stream(response)

    async def handle(
        self, request: Request, env: Env, wait_until: WaitUntil | None = None
    ) -> Response:
        """Return the answer to *request*. Raises nothing but what ends the process."""
        request.body_limit = self.body_limit
        c = Context(request, env, wait_until)
        try:
            return _finish(c, await (self._entry or self.prepare())(c))
        except Exception as error:
            return _finish(c, await self._explain(c, error))

    def adopt(self, declaration: Declaration) -> None:
        """Make *declaration* a route. Raises `ConfigurationError`, naming its file and line."""
        path = self._full_path(declaration, declaration.path)
        try:
            patterns = parse_pattern(path)
            route = self._make_route(declaration, path)
            for method, pattern in product(declaration.methods, patterns):
                _refuse_conflict(self._matcher.owner(method, pattern), route, method)
        except ConfigurationError as error:
            if declaration.place in str(error):
                raise
            raise ConfigurationError(f"{declaration.place}: {error}") from None
        for method, pattern in product(declaration.methods, patterns):
            self._matcher.add(method, pattern, route)
        self.routes.append(route)
        self._entry = None

    def _full_path(self, declaration: Declaration, path: str) -> str:
        prefix = self.prefix + "".join(router.prefix for router in declaration.routers)
        return prefix if prefix and path in {"", "/"} else prefix + path

    def _make_route(self, declaration: Declaration, path: str) -> Route:
        guards = [self.guard, *(router.guard for router in declaration.routers), declaration.guard]
        asked = [guard for guard in guards if guard is not None]
        if not asked:
            raise ConfigurationError(
                f"{' '.join(declaration.methods)} {path} names no guard: say guard=public or who"
                " may pass"
            )
        guard = all_of(*asked)
        siblings = [self._full_path(declaration, sibling) for sibling in declaration.paths]
        patterns = [pattern for sibling in siblings for pattern in parse_pattern(sibling)]
        scope = Scope(
            _path_names(patterns), (), with_body=not SAFE_METHODS & {*declaration.methods}
        )
        compiled = guard.compile(scope)
        plan = make_plan(declaration.signature, scope._replace(slots=compiled.slots))
        handler = _make_handler(plan.call, None if guard.is_public else compiled)
        return Route(declaration, path, guard, compiled, plan.parameters, handler)

    def _collected(self) -> list[Declaration]:
        raise ConfigurationError("an App is served, not mounted: make it a Router")

    def _changed(self) -> None:
        self._entry = None

    def prepare(self) -> Handler:
        """Fold all middleware, once, and return the outermost function. Edges call this at import.

        Raises `ConfigurationError` where a layer wraps a route that it is not for.
        """
        for route in self.routes:
            layers = [layer for router in route.declaration.routers for layer in router.middleware]
            for layer in (*self.middleware, *layers):
                _check_use(layer, self, route)
            route.endpoint = self._fold(layers, route.handler)
        self._entry = self._fold(self.middleware, self._dispatch)
        return self._entry

    def _fold(self, layers: Sequence[Middleware], handler: Handler) -> Handler:
        """Return *handler* in *layers*. What one raises, those around it see as an answer."""
        for layer in reversed(layers):
            handler = compose([layer], self._guarded_against_errors(handler))
        return handler

    def _guarded_against_errors(self, handler: Handler) -> Handler:
        async def answer(c: Context) -> Response:
            try:
                return await handler(c)
            except Exception as error:
                return await self._explain(c, error)

        return answer

    async def _dispatch(self, c: Context) -> Response:
        request = c.request
        method = request.method
        try:
            path = _decoded(request.path)
            found = self._matcher.find("GET" if method == "HEAD" else method, path)
            if found is None:
                return self._without_route(method, path)
            route, c.params = found
            c.route = route
            if method not in SAFE_METHODS:
                refuse_cross_site(request, self.origins)
            response: Response = await route.endpoint(c)
            return response
        except Exception as error:
            return await self._explain(c, error)

    def _without_route(self, method: str, path: str) -> Response:
        """Answer where no route is: OPTIONS, a method that is not allowed, or nothing here."""
        routes = self._matcher.find_all(path)
        methods = {name for name, route in routes.items() if not route.declaration.hide}
        if not methods:
            raise NotFound
        allow = ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
        if method == "OPTIONS":
            return make(b"", 204, [("allow", allow)])
        raise MethodNotAllowed(headers=(("allow", allow),))

    async def _explain(self, c: Context, error: Exception) -> Response:
        """Return the answer that tells of *error*; log it where the fault is ours."""
        known = as_http_error(error)
        if known.status >= 500:
            _log(c, known)
        try:
            handler = self._error_handler
            response = None if handler is None else await handler(c, known)
            return problem(known) if response is None else _checked(response)
        except Exception as fault:
            return _explain_fault(c, fault)


def check_use(layer: Middleware, check: UseCheck) -> Middleware:
    """Return *layer*, with *check* called for each route it wraps, when the app is prepared.

    *check* raises `ConfigurationError` where the layer could not keep there what it promises.
    """
    layer.__dict__[_USE_CHECK] = check
    return layer


def _check_use(layer: Middleware, app: App, route: Route) -> None:
    check: UseCheck | None = getattr(layer, _USE_CHECK, None)
    if check is not None:
        check(app, route)


def _decoded(path: str) -> str:
    try:
        return decode_path(path)
    except MalformedURL as error:
        raise BadRequest(f"The path is malformed: {error}.") from None


def _path_names(patterns: list[Pattern]) -> dict[str, bool]:
    """Return each name in *patterns*, and whether one of them leaves it out."""
    named = [{s.text for s in pattern if s.kind not in _UNNAMED} for pattern in patterns]
    return {name: any(name not in names for names in named) for name in set().union(*named)}


_UNNAMED = {Kind.LITERAL, Kind.STAR, Kind.STAR_REST}


def _refuse_conflict(owner: Route | None, route: Route, method: str) -> None:
    if owner is not None:
        raise ConfigurationError(
            f"{route.declaration.place}: {method} {route.path} is declared at"
            f" {owner.declaration.place} already, as {owner.path}"
        )


def _make_handler(
    call: Callable[[Context], Awaitable[Any]], compiled: CompiledGuard | None
) -> Handler:
    if compiled is None:

        async def answer(c: Context) -> Response:
            value = await call(c)
            return value if isinstance(value, Response) else _as_response(value)

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
        value = await call(c)
        return value if isinstance(value, Response) else _as_response(value)

    return answer_guarded


def _as_response(value: Any) -> Response:
    """Return what a handler gave back as an answer: text, nothing, bytes, or JSON."""
    if value is None:
        return make(b"", 204, [])
    if isinstance(value, str):
        return Response.text(value)
    if isinstance(value, bytes):
        return Response.bytes(value)
    return make(encode_json(value), 200, [_JSON])


_JSON = ("content-type", "application/json")


def _finish(c: Context, response: Response) -> Response:
    """Return *response* with what every answer carries, and what guards and handlers owe."""
    if c.request.method == "HEAD":
        response = _without_body(response)
    headers = [*response.headers, _NO_SNIFF]
    cookies = c.cookies_to_send()
    if c.private or cookies or response.header("set-cookie") is not None:
        headers = [pair for pair in headers if pair[0] != "cache-control"]
        headers += [_NO_STORE, _VARY, *(("set-cookie", cookie.header()) for cookie in cookies)]
    return make(response.body, response.status, headers)


def _without_body(response: Response) -> Response:
    if not isinstance(response.body, bytes) or response.status in EMPTY_STATUSES:
        return make(b"", response.status, response.headers)
    return make(b"", response.status, response.headers).with_header(
        "content-length", str(len(response.body))
    )


async def _read_stream(response: Response) -> Response:
    chunks = [chunk async for chunk in response.body]  # type: ignore[union-attr]
    return make(b"".join(chunks), response.status, response.headers)


def _declare_type(pairs: list[tuple[str, str]], media_type: str) -> None:
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("content-type", media_type))


def _explain_fault(c: Context, fault: Exception) -> Response:
    """Return the answer where the error handler, or the error it was to tell of, is at fault."""
    known = as_http_error(fault)
    _log(c, known)
    try:
        return problem(known)
    except ValueError:
        return problem(HTTPError())


def _checked(response: object) -> Response:
    if not isinstance(response, Response):
        raise TypeError(f"the error handler returned a {type(response).__name__}")
    return response


def _encode_form(fields: Mapping[str, str]) -> bytes:
    from urllib.parse import urlencode  # in-process calls only: kept off the cold-start path

    return urlencode(fields).encode()


def _log(c: Context, error: HTTPError) -> None:
    import logging  # off the cold-start path: most requests have nothing to say

    cause = error.__cause__ or error
    place = c.route.path if c.route is not None else "no route"
    logging.getLogger("kagari").error(
        "%s %s: %s",
        c.request.method,
        place,
        repr(str(cause)),  # on one line, whatever it holds
        exc_info=cause,
    )
