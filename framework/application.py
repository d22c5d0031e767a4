"""The application: routes made ready at import, and one function that answers a request."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from itertools import product
from types import MethodType
from typing import Any, TypeVar

from framework.answers import answer, as_response, check_response, finish, read_stream
from framework.callables import check_callable, place_of
from framework.compose import Handler, Middleware, Next, compose
from framework.context import Context, Env, Job
from framework.errors import BadRequest, ConfigurationError, as_fault
from framework.fallback import Fallback
from framework.guards import Guard, all_of
from framework.hosts import HostMatcher, only_host
from framework.matcher import Matcher
from framework.multipart import FormFields
from framework.origin import check_origin, refuse_cross_site
from framework.paths import MalformedURL, decode_path
from framework.patterns import parse_pattern
from framework.queues import Batch, QueueHandler
from framework.request import BODY_LIMIT, Request
from framework.response import Response
from framework.route import Call, Route
from framework.router import Declaration, Router
from framework.security_log import SecurityLog, check_security_log, write_event
from framework.shared_headers import pairs_of
from framework.urls import build_path

__all__ = ["App", "UseCheck", "check_use"]

CronHandler = Callable[[Job], Awaitable[None]]
"""What runs at a tick of a cron trigger."""
UseCheck = Callable[["App", "Route"], None]
"""Raises `ConfigurationError` where a layer cannot wrap that route of that application."""
WaitUntil = Callable[[Awaitable[Any]], None]
C = TypeVar("C", bound=CronHandler)
Q = TypeVar("Q", bound=QueueHandler)
F = TypeVar("F", bound=Callable[..., Any])

_USE_CHECK = "check_use"


class App(Router):
    """A web application: declare routes on it, mount routers, and hand it to an edge.

    - *guard* stands before every route.
    - *origins*, beside the site's own, may send unsafe requests (POST and the like).
    - *body_limit* is in bytes.
    - *redirect_slashes* answers 308 where a path matches only with a slash added to its end, or
      taken from it.
    - *check_answers* compares what each handler returns with its annotation, and answers 500 where
      they differ. `kagari dev` does; tests set ``app.check_answers`` before the first request.
    - *security_log* is called with the context and each `SecurityEvent`; None keeps no log.

    A route without any guard, and one whose paths another route already has, raise
    `ConfigurationError` where they are declared.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        guard: Guard | None = None,
        origins: Iterable[str] = (),
        body_limit: int = BODY_LIMIT,
        redirect_slashes: bool = False,
        check_answers: bool = False,
        security_log: SecurityLog | None = write_event,
    ) -> None:
        super().__init__(prefix, guard=guard)
        self.redirect_slashes = redirect_slashes
        self.check_answers = check_answers
        self.security_log: SecurityLog | None = check_security_log(security_log)
        if isinstance(origins, str):
            raise ConfigurationError(f"origins={origins!r} is one origin: write a list of them")
        self.origins: Collection[str] = frozenset(check_origin(origin) for origin in origins)
        self.body_limit = body_limit
        self.routes: list[Route] = []
        self._paths: dict[str, list[str]] = {}
        """The paths of routes by their names."""
        self.crons: dict[str, CronHandler] = {}
        self.queues: dict[str, QueueHandler] = {}
        self._sites: HostMatcher[Route] = HostMatcher()
        self._matcher: Matcher[Route] | None = None
        """Finds all routes, with a call less than `_sites`; None where some are for hosts."""
        self._fallback = self._make_fallback()
        self._outermost: Middleware | None = self._prepare_and_enter
        """The layer around all others; None where there is none."""
        self._inside: Handler = self._dispatch
        """What is inside of it."""

    def cron(self, schedule: str) -> Callable[[C], C]:
        """Return a decorator: its function runs at each tick of *schedule*, as in ``[triggers] crons``.

        Raises `ConfigurationError` for a schedule that does not have five fields or already has a
        function, and for a function that is not async or takes anything but a `Job`.
        """
        if isinstance(schedule, str) and len(schedule.split()) != 5:
            raise ConfigurationError(
                f"{schedule!r} is no schedule: write five fields, as '17 3 * * *'"
            )
        return _register(self.crons, schedule, f"the cron {schedule!r} already has a function", Job)

    async def run_cron(self, schedule: str, env: Env, time: int) -> None:
        """Run the function of *schedule*, due at *time* in Unix milliseconds.

        Raises what the function raises, so that the platform counts it as failed, and
        `ConfigurationError` where no function has that schedule.
        """
        if schedule not in self.crons:
            raise ConfigurationError(f"no function runs at the cron {schedule!r}")
        await self.crons[schedule](Job(schedule, env, time))

    def queue(self, name: str) -> Callable[[Q], Q]:
        """Return a decorator: its function consumes the queue *name*, as ``[[queues.consumers]]`` has it.

        Raises `ConfigurationError` for a queue that already has a function, and for a function that
        is not async or takes anything but a `Batch`.
        """
        return _register(self.queues, name, f"the queue {name!r} already has a consumer", Batch)

    async def run_queue(self, batch: Batch) -> None:
        """Call the consumer of ``batch.queue`` with *batch*, then acknowledge what it did not settle.

        Raises what the consumer raises, after marking for retry the messages that it did not
        settle, and `ConfigurationError` where the queue has no consumer.
        """
        if batch.queue not in self.queues:
            batch.retry_all()
            raise ConfigurationError(f"no function consumes the queue {batch.queue!r}")
        try:
            await self.queues[batch.queue](batch)
        except BaseException:
            batch.retry_all()
            raise
        batch.ack_all()

    def access(self) -> dict[tuple[str, str], str]:
        """Return the access table: the guard expression of each method and path, sorted by path.

        The path of a route for one host stands behind ``//`` and the host.
        """
        return {
            (method, route.location): str(route.guard)
            for route in sorted(self.routes, key=lambda route: route.location)
            for method in route.methods
        }

    def url_for(self, name: str, /, **parameters: object) -> str:
        """Return the path of the route called *name*, with *parameters* in their places, encoded.

        A parameter that is None is left out. Raises `ConfigurationError` for a name that no route has,
        for parameters that do not fit, and for those that fit several routes of that name.
        """
        if name not in self._paths:
            raise ConfigurationError(f"no route is called {name!r}")
        return build_path(self._paths[name], parameters)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        json: Any = None,
        form: FormFields | None = None,
        body: bytes | str | None = None,
        env: Env | None = None,
    ) -> Response:
        """Return the answer to a request made in this process, its stream read to the end.

        *path* may be an absolute URL; else the site is http://localhost. *json* is anything msgspec
        encodes but None, which sends nothing (write ``body="null"``). *form* becomes an urlencoded
        body, or a multipart one if there is a `File` among its values. *env* holds the bindings by
        name. What handlers hand to ``wait_until`` is done when this returns.

        Raises the first error that such work raises, `ValueError` for more than one of *json*, *form*
        and *body*, and `TypeError` for what no form can send.
        """
        from framework.body_encoding import encode_body  # as its name says: no part of a cold start

        pairs = list(pairs_of(headers))
        data, media_type = encode_body(json, form, body)
        if media_type and all(name.lower() != "content-type" for name, _ in pairs):
            pairs.append(("content-type", media_type))
        request = Request.build(method, path, pairs, data)
        work: list[Awaitable[Any]] = []
        response = await self.handle(request, {} if env is None else env, work.append)
        try:
            return await read_stream(response)
        finally:
            await _await_all(work)

    async def handle(
        self, request: Request, env: Env, wait_until: WaitUntil | None = None
    ) -> Response:
        """Return the answer to *request*. Errors become answers: no `Exception` is raised.

        *env* holds the bindings by name; *wait_until* is given what goes on after the answer.
        """
        if request.body_limit != self.body_limit:
            request.body_limit = self.body_limit
        c = Context(request, env, wait_until, self)
        try:
            outermost = self._outermost
            if outermost is None:
                return answer(c, await self._find_endpoint(c)(c))
            response = await outermost(c, MethodType(self._inside, c))
            is_answer = type(response) is Response  # any of a subclass takes the longer way
            return finish(c, response if is_answer else check_response(response, outermost))
        except BaseException as error:
            return finish(c, await self._fallback.explain(c, error))

    def adopt(self, declaration: Declaration) -> None:
        """Make *declaration* a route. Raises `ConfigurationError`, naming its file and line."""
        path = self._full_path(declaration, declaration.path)
        try:
            patterns = parse_pattern(path)
            route = self._make_route(declaration, path)
            matcher = self._sites.matcher(route.host)
            for method, pattern in product(declaration.methods, patterns):
                owner = matcher.owner(method, pattern)
                if owner is not None:
                    raise ConfigurationError(
                        f"{declaration.place}: {method} {path} is declared at"
                        f" {owner.declaration.place} already, as {owner.path}"
                    )
        except ConfigurationError as error:
            if declaration.place in str(error):
                raise
            raise ConfigurationError(f"{declaration.place}: {error}") from None
        for method, pattern in product(declaration.methods, patterns):
            matcher.add(method, pattern, route)
        self.routes.append(route)
        self._paths.setdefault(declaration.name, []).append(path)
        self._changed()

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
        patterns = [
            pattern
            for sibling in declaration.paths
            for pattern in parse_pattern(self._full_path(declaration, sibling))
        ]
        host = only_host(router.host for router in declaration.routers)
        return Route(declaration, path, all_of(*asked), patterns, host)

    def _collected(self) -> list[Declaration]:
        raise ConfigurationError("an App is served, not mounted: make it a Router")

    def _changed(self) -> None:
        self._outermost = self._prepare_and_enter

    def prepare(self) -> None:
        """Fold all middleware, once. Edges call this at import.

        Raises `ConfigurationError` where a layer wraps a route that it cannot wrap, as `cache` a
        guarded one.
        """
        self._fallback = self._make_fallback()
        for route in self.routes:
            layers = [layer for router in route.declaration.routers for layer in router.middleware]
            for layer in (*self.middleware, *layers):
                check: UseCheck | None = getattr(layer, _USE_CHECK, None)
                if check is not None:
                    check(self, route)
            if self.check_answers:
                route.check_answers()
            route.endpoint = route.handler
            if layers:
                route.endpoint = compose(layers, self._explained(route.handler), self._wrap)
        self._matcher = None if self._sites.by_host else self._sites.anywhere
        # Nothing is wrapped around the outermost layer: `handle` explains its errors.
        self._outermost = self.middleware[0] if self.middleware else None
        self._inside = compose(self.middleware[1:], self._dispatch, self._wrap)

    def _make_fallback(self) -> Fallback:
        return Fallback(self, self._sites, redirect_slashes=self.redirect_slashes)

    async def _prepare_and_enter(self, c: Context, _: Next) -> Response:
        self.prepare()
        outermost = self._outermost
        if outermost is None:
            return await self._inside(c)
        return check_response(await outermost(c, MethodType(self._inside, c)), outermost)

    def _wrap(self, layer: Middleware, handler: Handler) -> Handler:
        """Return *handler* wrapped in *layer*: errors of either reach the layers around as answers."""
        explain = self._fallback.explain

        async def answer(c: Context) -> Response:
            try:
                response = await layer(c, MethodType(handler, c))
                return response if type(response) is Response else check_response(response, layer)
            except BaseException as error:
                return await explain(c, error)

        return answer

    def _explained(self, call: Call) -> Handler:
        """Return *call* as a handler: its values and errors reach the layers around as answers."""

        async def answer(c: Context) -> Response:
            try:
                return as_response(c, await call(c))
            except BaseException as error:
                return await self._fallback.explain(c, error)

        return answer

    async def _dispatch(self, c: Context) -> Response:
        try:
            return as_response(c, await self._find_endpoint(c)(c))
        except BaseException as error:
            return await self._fallback.explain(c, error)

    def _find_endpoint(self, c: Context) -> Call:
        """Return what answers this request. Raises `HTTPError` where nothing may."""
        request = c.request
        path = request.path
        if path is not request.plain_path and ("%" in path or not path.isprintable()):
            path = _decode(path)  # any other is decoded as it stands
        method = request.method
        if method == "HEAD":
            method = "GET"
        matcher = self._matcher
        if matcher is None:
            found = self._sites.find(request.host, method, path)
        else:
            found = matcher.find(method, path)
        if found is None:
            return self._fallback.handler_for(request, path)
        route, c.params = found
        c.route = route
        if method != "GET":
            refuse_cross_site(request, self.origins)
        return route.endpoint


def _decode(path: str) -> str:
    try:
        return decode_path(path)
    except MalformedURL as error:
        raise BadRequest(f"The path is malformed: {error}.") from None


def check_use(layer: Middleware, check: UseCheck) -> Middleware:
    """Return *layer*; *check* is called for each route that it wraps, when the app is prepared.

    *check* raises `ConfigurationError` for a route where the layer could not keep what it promises.
    """
    layer.__dict__[_USE_CHECK] = check
    return layer


def _register(kept: dict[str, Any], name: str, problem: str, kind: type) -> Callable[[F], F]:
    """Return a decorator that keeps a function as *name*; it raises *problem* for a second one."""
    noun = kind.__name__.lower()
    if not isinstance(name, str):
        raise ConfigurationError(f"{place_of(name)}: name the schedule or the queue in parentheses")

    def decorate(handler: F) -> F:
        takes = (f"{noun}: {kind.__name__}",)
        check_callable(handler, takes, f"function of a {noun}", kind)
        if kept.setdefault(name, handler) is not handler:
            raise ConfigurationError(problem)
        return handler

    return decorate


async def _await_all(work: list[Awaitable[Any]]) -> None:
    """Await all of *work*, also what is added meanwhile, and then raise the first error."""
    errors: list[Exception] = []
    for each in work:
        try:
            await each
        except BaseException as error:
            errors.append(as_fault(error))
    if errors:
        raise errors[0]
