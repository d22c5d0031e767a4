"""Turns whatever went wrong into an answer. Knows nothing of routes."""

from functools import lru_cache

import msgspec

from framework.compose import Handler
from framework.context import Context
from framework.database import Unavailable
from framework.errors import (
    RETRY_SOON,
    HTTPError,
    InvalidField,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
)
from framework.log import log_error
from framework.response import Response, encode_json, make
from framework.shared_headers import PROBLEM_HEADERS, SharedHeaders

__all__ = [
    "Problem",
    "as_http_error",
    "explain_fault",
    "method_not_allowed",
    "not_found",
    "problem",
    "refuse_method",
    "report",
]

_TITLES = {
    404: "Not Found",
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    418: "Error",
    422: "Unprocessable Content",
}
"""Those that Python words differently from IANA's registry: 413, 414, 416 and 422 before 3.13, and
418, which has no title there. And 404, which is encoded at import."""


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong (RFC 9457). *code* is stable and for programs; *detail* is for people."""

    title: str
    status: int
    code: str
    detail: str | msgspec.UnsetType = msgspec.UNSET
    errors: tuple[InvalidField, ...] | msgspec.UnsetType = msgspec.UNSET
    """Every misfit at once, where the request does not fit the schema."""


def problem(error: HTTPError) -> Response:
    """Return *error* as an ``application/problem+json`` answer.

    Raises `ValueError` where one of its headers could break out of its line.
    """
    title = _find_title(error.status)
    detail = msgspec.UNSET if error.detail is None else error.detail
    body = encode_json(
        Problem(title, error.status, error.code, detail, error.errors or msgspec.UNSET)
    )
    if not error.headers:
        return make(body, error.status, PROBLEM_HEADERS)
    return Response(body, error.status, [*PROBLEM_HEADERS, *error.headers])


@lru_cache
def _find_title(status: int) -> str:
    """Return the title of *status*; "Error" if it has none."""
    if status in _TITLES:
        return _TITLES[status]
    from http import HTTPStatus  # off the cold-start path

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def method_not_allowed(methods: tuple[str, ...]) -> MethodNotAllowed:
    """Return the error of a path that has only *methods*; HEAD comes with GET, and OPTIONS always."""
    allowed = {*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}
    return MethodNotAllowed(headers=(("allow", ", ".join(sorted(allowed))),))


@lru_cache(64)
def refuse_method(methods: tuple[str, ...]) -> Handler:
    """Return what answers with `method_not_allowed`, where nobody handles errors."""
    return _refusal(method_not_allowed(methods))


def _refusal(error: HTTPError) -> Handler:
    """Return what answers with *error*: encoded once, and copied, since an answer may be changed."""
    response = problem(error)
    body, headers = response.body, SharedHeaders(response.headers)

    async def refuse(c: Context) -> Response:  # noqa: ARG001  a handler like any
        return make(body, error.status, headers)

    return refuse


not_found: Handler = _refusal(NotFound())
"""Answers with 404, where nobody handles errors."""


def as_http_error(error: Exception) -> HTTPError:
    """Return what the client may know of *error*: what is unreachable or late is 503, a bug is 500."""
    if isinstance(error, HTTPError):
        return error
    result = HTTPError()
    if isinstance(error, Unavailable | TimeoutError | ConnectionError):
        result = ServiceUnavailable(headers=RETRY_SOON)
    result.__cause__ = error
    return result


def explain_fault(c: Context, fault: Exception) -> Response:
    """Return the answer where an error handler fails, or the error that it was to answer cannot be sent."""
    known = as_http_error(fault)
    if known.status >= 500:  # a handler may raise what it was given, or another refusal
        report(c, known)
    try:
        return problem(known)
    except ValueError as error:  # of its headers
        return explain_fault(c, error)


def report(c: Context, error: Exception) -> None:
    """Log *error*, with what caused it and where."""
    known = as_http_error(error)
    cause = known.__cause__ or known
    place = c.route.path if c.route is not None else "no route"
    log_error(f"{c.request.method} {place}: {str(cause)!r}", cause)
