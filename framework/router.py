"""Collects declarations: which function answers which method and path, behind which guard."""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from framework.callables import check_callable, place_of
from framework.compose import Handler, Middleware
from framework.context import Context
from framework.errors import ConfigurationError, HTTPError
from framework.guards import Guard, check_guard
from framework.hosts import parse_host
from framework.patterns import parse_pattern
from framework.plan import Signature, read_signature
from framework.response import Response
from framework.route_checks import check_declaration, check_not_found_handler, check_paths

__all__ = ["ALL_METHODS", "Declaration", "ErrorHandler", "Router"]

ErrorHandler = Callable[[Context, HTTPError], Awaitable[Response | None]]
"""Makes the answer for an error, or returns None to leave it to problem+json."""
F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=ErrorHandler)
H = TypeVar("H", bound=Handler)
ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""What `Router.all` answers. HEAD comes with GET, OPTIONS is automatic."""


class Declaration(NamedTuple):
    """One decorator's worth: what was declared, and below which routers."""

    methods: tuple[str, ...]
    path: str
    paths: tuple[str, ...]
    """All the paths of the same decorator, this one too."""
    guard: Guard | None
    signature: Signature
    name: str
    hide: bool
    routers: "tuple[Router, ...]" = ()
    """The outermost first."""

    @property
    def place(self) -> str:
        """The file and line of the function."""
        return self.signature.place


class Router:
    """A group of routes with a common path prefix, guard and middleware.

    Guards add up: what a route asks for is what its application, its routers and itself ask for.
    Mounting is live: routes may be added before or after. *host*, as in ``api.example.com`` or
    ``:tenant.example.com``, keeps the routes to requests for that host, where they come before those
    for any; its names are parameters like the path's. Raises `ConfigurationError` for a prefix that
    does not start with a slash or ends with one, or that is not a path, and for what is not a host.
    """

    def __init__(
        self, prefix: str = "", *, guard: Guard | None = None, host: str | None = None
    ) -> None:
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise ConfigurationError(
                f"the prefix {prefix!r} has to start with / and must not end with it; Router() has none"
            )
        parse_pattern(prefix or "/")
        if guard is not None:
            check_guard(guard)
        if host is not None:
            parse_host(host)
        self.prefix = prefix
        self.guard = guard
        self.host = host
        self.middleware: list[Middleware] = []
        self.error_handler: ErrorHandler | None = None
        self.not_found_handler: Handler | None = None
        self._declarations: list[Declaration] = []
        self._parents: list[Router] = []
        self._mounted: list[Router] = []

    def get(
        self, *paths: str, guard: Guard | None = None, name: str | None = None, hide: bool = False
    ) -> Callable[[F], F]:
        """Declare a GET route, and HEAD, at each of *paths*, behind *guard*; `on` tells of the options."""
        return self._declare(("GET",), paths, guard, name, hide)

    def post(
        self, *paths: str, guard: Guard | None = None, name: str | None = None, hide: bool = False
    ) -> Callable[[F], F]:
        """Declare a POST route at each of *paths*, behind *guard*; `on` tells of the options."""
        return self._declare(("POST",), paths, guard, name, hide)

    def put(
        self, *paths: str, guard: Guard | None = None, name: str | None = None, hide: bool = False
    ) -> Callable[[F], F]:
        """Declare a PUT route at each of *paths*, behind *guard*; `on` tells of the options."""
        return self._declare(("PUT",), paths, guard, name, hide)

    def patch(
        self, *paths: str, guard: Guard | None = None, name: str | None = None, hide: bool = False
    ) -> Callable[[F], F]:
        """Declare a PATCH route at each of *paths*, behind *guard*; `on` tells of the options."""
        return self._declare(("PATCH",), paths, guard, name, hide)

    def delete(
        self, *paths: str, guard: Guard | None = None, name: str | None = None, hide: bool = False
    ) -> Callable[[F], F]:
        """Declare a DELETE route at each of *paths*, behind *guard*; `on` tells of the options."""
        return self._declare(("DELETE",), paths, guard, name, hide)

    def all(
        self, *paths: str, guard: Guard | None = None, name: str | None = None, hide: bool = False
    ) -> Callable[[F], F]:
        """Declare a route for GET, POST, PUT, PATCH, DELETE at each of *paths*, behind *guard*; see `on`."""
        return self._declare(ALL_METHODS, paths, guard, name, hide)

    def on(
        self,
        methods: str | Sequence[str],
        *paths: str,
        guard: Guard | None = None,
        name: str | None = None,
        hide: bool = False,
    ) -> Callable[[F], F]:
        """Declare a route for each of *methods* at each of *paths*, below this router's prefix.

        Returns the function unchanged. *guard* stands behind those of the application and of the
        routers above. *name* is what listings and `url_for` call the route: the function's name
        unless given. *hide* keeps it out of OpenAPI, and answers 404 where another method would get
        405. Raises `ConfigurationError`, naming file and line, for whatever could not be served.
        """
        listed = (methods,) if isinstance(methods, str) else tuple(methods)
        return self._declare(tuple(method.upper() for method in listed), paths, guard, name, hide)

    def use(self, *layers: Middleware) -> None:
        """Wrap every route below this router in *layers*, the first listed outermost.

        Whether the routes are declared before or after does not matter. Raises `ConfigurationError`
        for a function that is not async or takes other arguments, and for a guard.
        """
        for layer in layers:
            if isinstance(layer, (str, Guard)):
                raise ConfigurationError(
                    f"{layer!r} is not a layer: write Router(prefix, guard=...).use(layer)"
                )
            check_callable(layer, ("c", "call_next"), "layer", Context)
        self.middleware.extend(layers)
        self._changed()

    def on_error(self, handler: E) -> E:
        """Let *handler* answer errors of the routes below this router, and of paths there without a route.

        It takes the context and the `HTTPError`, and returns a `Response`, or None to leave it to
        the router above, in the end to problem+json. An answer below 300, as one that names no
        status, gets the error's; one with the error's status gets the error's headers that it
        lacks. The nearest is asked first. Raises `ConfigurationError` for a second one, and for one
        that is not async or takes other arguments.
        """
        check_callable(handler, ("c", "error"), "handler of errors", Context)
        _refuse_second(self.error_handler, handler)
        self.error_handler = handler
        self._changed()
        return handler

    def not_found(self, handler: H) -> H:
        """Let *handler* answer below this router's prefix where there is no route at all.

        It takes the context and returns a `Response`; one below 300, as one that names no status, is
        sent with 404. To answer 200 there, declare a route: ``@app.get("/*", guard=public)``.
        Raises `ConfigurationError` for a function that is not async, takes other arguments, or is
        annotated to return anything else, and for a second one.
        """
        check_callable(handler, ("c",), "handler", Context)
        check_not_found_handler(handler)
        _refuse_second(self.not_found_handler, handler)
        self.not_found_handler = handler
        self._changed()
        return handler

    def mount(self, router: "Router") -> None:
        """Serve the routes of *router*, also later ones, below this router's prefix.

        Raises `ConfigurationError` if it is mounted here already, or above, and for an `App`.
        """
        if router is self or any(self is chain[-1] for chain in router.chains()):
            raise ConfigurationError("a router cannot be mounted below itself")
        if self in router._parents:
            raise ConfigurationError(f"the router at {router.prefix!r} is mounted here already")
        for declaration in router._collected():
            self.adopt(declaration)
        router._parents.append(self)
        self._mounted.append(router)
        self._changed()  # it may have no routes, and handlers

    def adopt(self, declaration: Declaration) -> None:
        """Hand *declaration* of a router below on to whatever this router is mounted on."""
        for parent in self._parents:
            parent.adopt(declaration._replace(routers=(self, *declaration.routers)))

    def chains(self) -> Iterator[tuple["Router", ...]]:
        """Yield, for each router mounted below this one, the chain of routers that leads to it."""
        for router in self._mounted:
            yield (router,)
            yield from ((router, *more) for more in router.chains())

    def _collected(self) -> list[Declaration]:
        """Return all declarations of this router and those below, each with its routers."""
        below = [declaration for router in self._mounted for declaration in router._collected()]
        return [d._replace(routers=(self, *d.routers)) for d in [*self._declarations, *below]]

    def _changed(self) -> None:
        """Tell whatever this router is mounted on that its middleware or one of its handlers changed."""
        for parent in self._parents:
            parent._changed()

    def _declare(
        self,
        methods: tuple[str, ...],
        paths: tuple[str, ...],
        guard: Guard | None,
        name: str | None,
        hide: bool,
    ) -> Callable[[F], F]:
        check_paths(paths, methods)
        paths = tuple("/*" if path == "*" else path for path in paths)  # as Hono writes it

        def decorate(function: F) -> F:
            signature = read_signature(function, sys._getframe(1))
            try:
                check_declaration(methods, paths, guard, signature.returns)
            except ConfigurationError as error:
                raise ConfigurationError(f"{signature.place}: {signature.name}: {error}") from None
            for path in paths:
                declared = Declaration(
                    methods, path, paths, guard, signature, name or signature.name, hide
                )
                self.adopt(declared)
                self._declarations.append(declared)  # if nothing above refuses it
            return function

        return decorate


def _refuse_second(present: object, given: object) -> None:
    """Raise for another handler where there is one, which would be asked no more."""
    if present is not None and present is not given:
        raise ConfigurationError(
            f"{place_of(given)}: {place_of(present)} is asked here already: write one function for all"
        )
