"""The application: routes made ready at import, and one function that answers a request."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from framework.compose import Handler, compose
from framework.context import Context, Env, Job
from framework.errors import (
    BadRequest,
    ConfigurationError,
    HTTPError,
    MethodNotAllowed,
    NotFound,
)
from framework.guards import Guard, all_of
from framework.matcher import Matcher
from framework.origin import SAFE_METHODS, check_origin, refuse_cross_site
from framework.parameters import FORM_TYPE, Parameter
from framework.paths import MalformedURL, decode_path
from framework.patterns import Kind, Pattern, parse_pattern
from framework.plan import Scope, make_plan
from framework.problem import as_http_error, problem
from framework.request import BODY_LIMIT, Request
from framework.response import EMPTY_STATUSES, Response, encode_json, make
from framework.router import Declaration, Router

__all__ = ["App", "ErrorHandler", "Route"]

CronHandler = Callable[[Job], Awaitable[None]]
ErrorHandler = Callable[[Context, HTTPError], Awaitable[Response | None]]
WaitUntil = Callable[[Awaitable[Any]], None]

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
    )

    def __init__(
        self,
        declaration: Declaration,
        path: str,
        guard: Guard,
        statements: int,
        parameters: tuple[Parameter, ...],
        handler: Handler,
    ) -> None:
        self.declaration = declaration
        self.methods = declaration.methods
        self.path = path
        self.guard = guard
        """What all of the application, its routers and the route ask for."""
        self.statements = statements
        """D1 statements that the guard runs for each request."""
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
            pairs.append(("content-type", "application/json"))
        elif form is not None:
            data = _encode_form(form)
            pairs.append(("content-type", FORM_TYPE))
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
            response = await (self._entry or self.prepare())(c)
        except Exception as error:
            response = await self._explain(c, error)
        return _finish(c, response)

    def adopt(self, declaration: Declaration) -> None:
        """Make *declaration* a route. Raises `ConfigurationError`, naming its file and line."""
        path = self._full_path(declaration, declaration.path)
        try:
            patterns = parse_pattern(path)
            route = self._make_route(declaration, path)
            for method in declaration.methods:
                for pattern in patterns:
                    _refuse_conflict(self._matcher.add(method, pattern, route), route, method)
        except ConfigurationError as error:
            if declaration.place in str(error):
                raise
            raise ConfigurationError(f"{declaration.place}: {error}") from None
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
        handler = _make_handler(plan.call, None if guard.is_public else compiled.check)
        return Route(declaration, path, guard, compiled.statements, plan.parameters, handler)

    def _changed(self) -> None:
        self._entry = None

    def prepare(self) -> Handler:
        """Fold all middleware, once, and return the outermost function. Edges call this at import."""
        for route in self.routes:
            layers = [layer for router in route.declaration.routers for layer in router.middleware]
            route.endpoint = (
                compose(layers, self._guarded_against_errors(route.handler))
                if layers
                else route.handler
            )
        self._entry = compose(self.middleware, self._dispatch)
        return self._entry

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
            path = decode_path(request.path)
            found = self._matcher.find("GET" if method == "HEAD" else method, path)
            if found is None:
                return self._without_route(method, path)
            route, c.params = found
            c.route = route
            if method not in SAFE_METHODS:
                refuse_cross_site(request, self.origins)
            response = await route.endpoint(c)
            return _without_body(response) if method == "HEAD" else response
        except MalformedURL as error:
            return await self._explain(c, BadRequest(f"The path is malformed: {error}."))
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
        response = None
        if self._error_handler is not None:
            try:
                response = await self._error_handler(c, known)
            except Exception as fault:
                known = as_http_error(fault)
                _log(c, known)
        return problem(known) if response is None else response


def _path_names(patterns: list[Pattern]) -> dict[str, bool]:
    """Return each name in *patterns*, and whether one of them leaves it out."""
    named = [{s.text for s in pattern if s.kind not in _UNNAMED} for pattern in patterns]
    return {name: any(name not in names for names in named) for name in set().union(*named)}


_UNNAMED = {Kind.LITERAL, Kind.STAR, Kind.STAR_REST}


def _refuse_conflict(owner: Route | None, route: Route, method: str) -> None:
    if owner is not None and owner is not route:
        raise ConfigurationError(
            f"{route.declaration.place}: {method} {route.path} is declared at"
            f" {owner.declaration.place} already, as {owner.path}"
        )


def _make_handler(call: Callable[[Context], Awaitable[Any]], check: Any) -> Handler:
    if check is None:

        async def answer(c: Context) -> Response:
            value = await call(c)
            return value if isinstance(value, Response) else _as_response(value)

        return answer

    async def answer_guarded(c: Context) -> Response:
        c.private = True
        await check(c)
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
    headers = [*response.headers, _NO_SNIFF]
    cookies = c.cookies_to_send()
    if c.private or cookies or response.header("set-cookie") is not None:
        headers = [pair for pair in headers if pair[0] != "cache-control"]
        headers += [_NO_STORE, _VARY, *(("set-cookie", cookie.header()) for cookie in cookies)]
    return make(response.body, response.status, headers)


def _without_body(response: Response) -> Response:
    if not isinstance(response.body, bytes) or response.status in EMPTY_STATUSES:
        return make(b"", response.status, response.headers)
    length = ("content-length", str(len(response.body)))
    return make(b"", response.status, [*response.headers, length])


async def _read_stream(response: Response) -> Response:
    chunks = [chunk async for chunk in response.body]  # type: ignore[union-attr]
    return make(b"".join(chunks), response.status, response.headers)


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
        msgspec.json.encode(str(cause)).decode(),
        exc_info=cause,
    )
