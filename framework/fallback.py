"""Answers where no route does, and for errors: 404, 405, OPTIONS, redirects, handlers of routers."""

from collections.abc import Sequence

from framework.answers import check_response, fail
from framework.compose import Handler
from framework.context import Context
from framework.errors import HTTPError, NotFound, as_fault
from framework.hosts import HostMatcher, only_host
from framework.origin import refuse_cross_site
from framework.paths import MalformedURL, decode_path, encode_segment
from framework.patterns import parse_pattern
from framework.problem import (
    as_http_error,
    explain_fault,
    method_not_allowed,
    not_found,
    problem,
    refuse_method,
    report,
)
from framework.request import Request
from framework.response import Response, make
from framework.route import Route
from framework.router import Router
from framework.security_log import log_refusal

__all__ = ["Fallback"]

_AUTH_STATUSES = frozenset({401, 403})
_Areas = HostMatcher[tuple[Router, ...]]
"""Routers by the paths below them, each with those that it is mounted on, outermost first."""


class Fallback:
    """Answers what no route of an application does. Made anew whenever its routers change."""

    def __init__(self, app: Router, sites: HostMatcher[Route], *, redirect_slashes: bool) -> None:
        self._app = app
        self._sites = sites
        self._redirect_slashes = redirect_slashes
        self._with_errors = _find_areas(app, "error_handler")
        self._with_not_found = _find_areas(app, "not_found_handler")
        """Where routers with handlers of their own are, for paths that no route matches."""
        routers = [app, *(chain[-1] for chain in app.chains())]
        self._is_plain = all(
            each.error_handler is None and each.not_found_handler is None for each in routers
        )

    def handler_for(self, request: Request, path: str) -> Handler:
        """Return what answers *request*, which no route does; *path* is decoded.

        Raises `MethodNotAllowed` or `NotFound` where a handler of errors may want to answer.
        """
        method = request.method
        routes = self._sites.find_all(request.host, path, method)
        methods = tuple([name for name, route in routes.items() if not route.declaration.hide])
        if not methods:
            return self._missing(request, path)
        if method == "OPTIONS":
            return _options(methods)
        if self._is_plain:
            return refuse_method(methods)
        raise method_not_allowed(methods)

    async def explain(self, c: Context, error: BaseException) -> Response:
        """Return the answer for *error*, and log it where the fault is ours.

        Raises *error* itself where it ends the process or this task: nobody is answered then.
        """
        known = as_http_error(as_fault(error))
        c.unawaited = None  # the error decides the answer, so a missing await no longer matters
        c.drop_unsent()
        fail(c)
        if known.status in _AUTH_STATUSES:
            c.private = True
        log_refusal(c, known)
        try:
            response = await self._ask_handlers(c, known)
            if known.status >= 500 and response.status >= 500:
                report(c, known)  # one below 500 says that it was no fault of ours
            return response
        except BaseException as fault:
            if known.status >= 500 and fault is not known:
                report(c, known)
            return explain_fault(c, as_fault(fault))
        finally:
            known.with_traceback(None)  # raised again, it would keep what each request had in hand

    def _missing(self, request: Request, path: str) -> Handler:
        """Return what answers where no route matches: a redirect, or the nearest not-found handler."""
        if self._redirect_slashes and "//" not in path:
            other = path[:-1] if path.endswith("/") else path + "/"
            routes = self._sites.find_all(request.host, other).values()
            if not all(route.declaration.hide for route in routes):
                return _redirect(other)
        if self._is_plain:
            return not_found
        for router in self._around(self._with_not_found, request, path):
            if router.not_found_handler is not None:
                return _answering(router.not_found_handler)
        raise NotFound

    def _around(self, areas: _Areas, request: Request, path: str) -> Sequence[Router]:
        """Return the routers that *path* lies below, the nearest of *areas* first, the application last."""
        found = areas.find(request.host, "", path)
        return (self._app,) if found is None else (*reversed(found[0]), self._app)

    def _routers_for_error(self, c: Context) -> Sequence[Router]:
        """Return the routers that an error concerns, the nearest first, the application last."""
        if c.route is not None:
            return (*reversed(c.route.declaration.routers), self._app)
        try:
            return self._around(self._with_errors, c.request, decode_path(c.request.path))
        except MalformedURL:
            return (self._app,)

    async def _ask_handlers(self, c: Context, error: HTTPError) -> Response:
        """Return what the nearest handler answers to *error*, or the problem that it is."""
        for router in self._routers_for_error(c):
            handler = router.error_handler
            response = None if handler is None else await handler(c, error)
            if response is not None:
                return _failing(check_response(response, handler), error)
        return problem(error)


def _failing(response: Response, error: HTTPError) -> Response:
    """Return *response*, which answers *error*, with the error's status where it says that all went well.

    That is what an answer says that names no status. With the status of the error it gets the headers
    that it lacks: HTTP allows no 405 without ``Allow``, and no 401 without a challenge.
    """
    if response.status < 300:
        response = response.with_status(error.status)
    if response.status != error.status:
        return response
    own = dict(response.headers)
    lacking = [pair for pair in error.headers if pair[0].lower() not in own]
    return Response(response.body, response.status, [*response.headers, *lacking])


def _redirect(path: str) -> Handler:
    location = "/".join([encode_segment(segment) for segment in path.split("/")])

    async def redirect(c: Context) -> Response:
        given = c.request.query_string  # may hold what no header does: edges leave it as it came
        query = "".join([each if "!" <= each <= "~" else encode_segment(each) for each in given])
        return Response.redirect(f"{location}?{query}" if query else location, 308)

    return redirect


def _answering(handler: Handler) -> Handler:
    """Return *handler*, checked to return a `Response`, and one that says that nothing was found.

    It may do whatever a route does, so it is asked no more for other sites than a route is.
    """

    async def answer(c: Context) -> Response:
        refuse_cross_site(c.request, c.app.origins)
        return _failing(check_response(await handler(c), handler), NotFound())

    return answer


def _options(methods: tuple[str, ...]) -> Handler:
    async def answer_options(c: Context) -> Response:  # noqa: ARG001  a handler like any
        return make(b"", 204, [*method_not_allowed(methods).headers])

    return answer_options


def _find_areas(app: Router, handler: str) -> _Areas:
    """Return where the routers are that have a *handler* of their own, by the paths below them."""
    areas: _Areas = HostMatcher()
    for chain in sorted(app.chains(), key=len):
        # Also without handlers: a host has none of a less literal one's, as it has none of its routes.
        site = areas.matcher(only_host(router.host for router in chain))
        if getattr(chain[-1], handler) is not None:
            below = app.prefix + "".join(router.prefix for router in chain)
            for pattern in parse_pattern(below + "/*"):
                site.add("", pattern, chain)  # unless another router has it already
    return areas
