"""Lets answers of public routes be kept by caches. Knows nothing of any cache.

What depends on who asks is never kept: the application sends ``private, no-store`` for it,
whatever a layer says, and this layer refuses to be put around a guard in the first place.
"""

from collections.abc import Collection, Iterable

from framework.application import App, check_use
from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import ConfigurationError
from framework.middleware.options import check_header_names, check_integer
from framework.response import Response
from framework.route import Route

__all__ = ["cache"]

_YEAR = 365 * 24 * 3600

_SAYS_ITSELF = frozenset(
    {"cache-control", "cdn-cache-control", "cloudflare-cdn-cache-control", "expires", "pragma"}
)
"""Headers by which an answer says how it is kept."""


def cache(
    max_age: int,
    *,
    shared: int | None = None,
    stale_while_revalidate: int | None = None,
    stale_if_error: int | None = None,
    immutable: bool = False,
    vary: Iterable[str] = (),
    streams: bool = False,
) -> Middleware:
    """Return a layer that sends ``Cache-Control: public`` with answers to GET that have status 200.

    A 304 that stands for such an answer gets it as well (RFC 9110, 15.4.5).

    All times are in whole seconds, at most a year; *shared* is the one for caches that many people
    share, if it differs, which then send nothing that is stale (RFC 9111, 5.2.2.10);
    *stale_while_revalidate*, *stale_if_error* and *immutable* are the directives of these names.
    *vary* lists the request headers that an answer depends on. Raises `ConfigurationError` for an
    invalid option, and where it wraps a route behind a guard.

    It leaves alone answers that say themselves how they are kept, that set a cookie or depend on
    who asks, those to a request with ``Authorization``, those of a handler that looked at the
    cookies, whether there were any or not, those of a route with a `Header` parameter that *vary*
    does not list, and those of a mounted application, which may have looked. They say nothing of
    caches then, and some keep such answers: `no_cache` is for that.

    Streams are left alone as well, unless *streams* is true: they can look at the request after
    this layer has decided. Pass it if every stream below sends the same to everybody.

    Only ``c.cookies``, ``c.request.cookies``, ``c.request.cookie`` and `Cookie` parameters are seen
    as looks at the cookies. A handler that reads the ``cookie`` of ``c.request.headers`` has to set
    ``c.private``, or to send a ``Cache-Control`` of its own.
    """
    header = (
        "cache-control",
        _directives(max_age, shared, stale_while_revalidate, stale_if_error, immutable),
    )
    names = check_header_names(vary)
    if "*" in names:
        raise ConfigurationError("Vary: * would keep every cache from using what it keeps")
    added = [header, *([("vary", ", ".join(names))] if names else [])]

    async def allow_caching(c: Context, call_next: Next) -> Response:
        response = await call_next()
        if _reads_another(c.route, names) or not _may_be_kept(c, response, streams):
            return response
        return Response(response.body, response.status, [*response.headers, *added])

    return check_use(allow_caching, _refuse_guarded)


def _directives(
    max_age: int,
    shared: int | None,
    stale_while_revalidate: int | None,
    stale_if_error: int | None,
    immutable: bool,
) -> str:
    times = {
        "max-age": max_age,
        "s-maxage": shared,
        "stale-while-revalidate": stale_while_revalidate,
        "stale-if-error": stale_if_error,
    }
    said = [
        f"{name}={check_integer(seconds, name, _YEAR)}"
        for name, seconds in times.items()
        if seconds is not None
    ]
    return ", ".join(["public", *said, *(["immutable"] if immutable else [])])


def _may_be_kept(c: Context, response: Response, streams: bool) -> bool:
    return (
        response.status in {200, 304}
        and (streams or isinstance(response.body, bytes))
        and c.request.method in {"GET", "HEAD"}
        and not c.private
        and not c.cookies_to_send()
        and response.header("set-cookie") is None
        and _SAYS_ITSELF.isdisjoint([name for name, _ in response.headers])
        and c.request.headers.get("authorization") is None
        and not c.request.were_cookies_read
    )


def _reads_another(route: Route | None, names: Collection[str]) -> bool:
    """Return whether *route* has a `Header` parameter that is none of *names*."""
    parameters = () if route is None else route.parameters
    return any(
        each.source == "header" and each.sent_name.lower() not in names for each in parameters
    )


def _refuse_guarded(app: App, route: Route) -> None:  # noqa: ARG001  any will do
    if not route.guard.is_public:
        raise ConfigurationError(
            f"{route.declaration.place}: {route.path} is behind {route.guard}, so nothing may keep"
            " its answers: use cache(...) on a router of public routes"
        )
