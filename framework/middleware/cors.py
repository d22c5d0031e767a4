"""Lets pages of other origins read answers. Who may send, `App(origins=...)` says.

The application itself answers OPTIONS, without a guard: 204 with ``Allow`` where there is a route,
else 404. This layer adds to that answer, and to others, the headers that the browser waits for.
"""

import re
from collections.abc import Iterable

import msgspec

from framework.application import App, check_use
from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import ConfigurationError
from framework.middleware.options import check_header_names, check_integer
from framework.origin import SAFE_METHODS, check_origin
from framework.response import Header, Response, make
from framework.route import Route

__all__ = ["cors"]

_DAY = 24 * 3600
_METHOD = re.compile(r"[A-Z]+")
_ALLOW_ORIGIN = "access-control-allow-origin"
_ALLOW_METHODS = "access-control-allow-methods"


class _Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed, checked. Never changed by a request."""

    origins: frozenset[str]
    methods: frozenset[str]
    shared: tuple[Header, ...]
    preflight: tuple[Header, ...]
    actual: tuple[Header, ...]

    def allowed_origin(self, origin: str | None) -> str | None:
        """Return what to send as the allowed origin; None where *origin* is not."""
        if origin is None:
            return None
        if "*" in self.origins:
            return "*"
        return origin if origin in self.origins else None


def cors(
    origins: str | Iterable[str],
    *,
    methods: Iterable[str] = ("GET", "HEAD"),
    headers: Iterable[str] = (),
    exposed: Iterable[str] = (),
    credentials: bool = False,
    max_age: int = 600,
) -> Middleware:
    """Return a layer that lets pages of *origins*, exact ones or ``"*"``, read the answers.

    *methods* are those that they may use; *headers* those that they may send beside the few that
    need no permission; *exposed* those that they may read beside the few that anybody may.
    *credentials* lets them come with cookies. *max_age* is how many seconds a browser keeps the
    answer to a preflight.

    Raises `ConfigurationError` for ``"*"`` with *credentials* or an unsafe method, and for what is
    not an origin, method or header; also, when the app is prepared, on a router, and where an
    origin may use an unsafe method of a route but is not in ``App(origins=...)``, which would
    refuse it.
    """
    policy = _make_policy(origins, methods, headers, exposed, credentials, max_age)

    async def allow_origins(c: Context, call_next: Next) -> Response:
        response = _vary_by_origin(await call_next())
        origin = policy.allowed_origin(c.request.headers.get("origin"))
        if origin is None:
            return response
        wanted = c.request.headers.get("access-control-request-method")
        if c.request.method == "OPTIONS" and wanted is not None:
            return _answer_preflight(policy, response, origin, wanted)
        if c.request.method not in policy.methods:
            return response
        return _add(response, [(_ALLOW_ORIGIN, origin), *policy.shared, *policy.actual])

    def check(app: App, route: Route) -> None:
        _check_place(route, in_front=allow_origins in app.middleware)
        _check_senders(app, route, policy)

    return check_use(allow_origins, check)


def _make_policy(
    origins: str | Iterable[str],
    methods: Iterable[str],
    headers: Iterable[str],
    exposed: Iterable[str],
    credentials: bool,
    max_age: int,
) -> _Policy:
    listed = _check_origins(origins)
    allowed = _check_methods(methods)
    sent = check_header_names(headers)
    read = check_header_names(exposed)
    if credentials and "*" in listed:
        raise ConfigurationError(
            'cors: "*" with credentials would let every site act as the signed-in user: list the origins'
        )
    if credentials and "*" in {*sent, *read}:
        raise ConfigurationError(
            'cors: "*" with credentials is a header of that name to a browser: list the headers'
        )
    if "*" in listed and not allowed <= SAFE_METHODS:
        raise ConfigurationError(
            f'cors: "*" with {", ".join(sorted(allowed - SAFE_METHODS))} would be refused by the'
            " application, which takes unsafe requests from listed origins only: list them"
        )
    age = check_integer(max_age, "max_age", _DAY)
    return _Policy(
        origins=listed,
        methods=allowed,
        shared=(("access-control-allow-credentials", "true"),) if credentials else (),
        preflight=(
            *_listing("access-control-allow-headers", sent),
            ("access-control-max-age", str(age)),
        ),
        actual=_listing("access-control-expose-headers", read),
    )


def _check_origins(origins: str | Iterable[str]) -> frozenset[str]:
    listed = frozenset([origins] if isinstance(origins, str) else origins)
    if not listed:
        raise ConfigurationError("cors: no origins given: name at least one")
    if listed != {"*"}:
        for origin in listed:
            check_origin(origin)
    return listed


def _check_methods(methods: Iterable[str]) -> frozenset[str]:
    if isinstance(methods, str):
        raise ConfigurationError(f"cors: {methods!r} is one method: write a list of them")
    allowed = frozenset(methods)
    for method in allowed:
        if not _METHOD.fullmatch(method):
            cure = "name them" if method == "*" else "write it in capitals"
            raise ConfigurationError(f"cors: {method!r} is no method: {cure}")
    return allowed | {"HEAD"} if "GET" in allowed else allowed


def _listing(name: str, values: tuple[str, ...]) -> tuple[Header, ...]:
    return ((name, ", ".join(values)),) if values else ()


def _check_place(route: Route, *, in_front: bool) -> None:
    if not in_front:
        raise ConfigurationError(
            f"{route.declaration.place}: cors answers preflights, and those reach no router:"
            " app.use(cors(...))"
        )


def _check_senders(app: App, route: Route, policy: _Policy) -> None:
    unsafe = (policy.methods & {*route.methods}) - SAFE_METHODS
    strangers = policy.origins - {*app.origins}
    if unsafe and strangers:
        raise ConfigurationError(
            f"{route.declaration.place}: cors allows {', '.join(sorted(unsafe))} {route.path} to"
            f" {', '.join(sorted(strangers))}, and the application refuses it as cross-site: list"
            " them in App(origins=...) too, or leave the methods out"
        )


def _answer_preflight(policy: _Policy, response: Response, origin: str, wanted: str) -> Response:
    """Return *response* with leave to send *wanted*, where a route has it and *policy* allows it."""
    offered = policy.methods & {*(response.header("allow") or "").split(", ")}
    if response.status != 204 or wanted not in offered:
        return response
    methods = (_ALLOW_METHODS, ", ".join(sorted(offered)))
    return _add(response, [(_ALLOW_ORIGIN, origin), methods, *policy.shared, *policy.preflight])


def _vary_by_origin(response: Response) -> Response:
    """Return *response* marked as one that another origin might get differently."""
    for name, value in response.headers:
        if name == "vary" and {"origin", "*"} & {each.strip() for each in value.lower().split(",")}:
            return response
    return make(response.body, response.status, [*response.headers, ("vary", "origin")])


def _add(response: Response, added: list[Header]) -> Response:
    """Return *response* with *added* in place of its own headers of these names: never two origins."""
    names = {name for name, _ in added}
    others = [pair for pair in response.headers if pair[0] not in names]
    return make(response.body, response.status, [*others, *added])
