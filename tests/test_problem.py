"""Whatever goes wrong becomes a problem of RFC 9457 that says nothing of how we are made."""

import pytest

from framework import HTTPError
from framework.database import DatabaseError, Overloaded, Transient, Unavailable
from framework.errors import (
    Invalid,
    InvalidField,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
)
from framework.problem import as_http_error, problem
from framework.testing import json_of


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (NotFound(), {"title": "Not Found", "status": 404, "code": "not-found"}),
        (
            NotFound("No such note."),
            {"title": "Not Found", "status": 404, "code": "not-found", "detail": "No such note."},
        ),
        (
            HTTPError(418, "I am a teapot.", code="teapot"),
            {"title": "Error", "status": 418, "code": "teapot", "detail": "I am a teapot."},
        ),
        (
            Invalid(errors=[InvalidField("a", pointer=""), InvalidField("b", parameter="query:c")]),
            {
                "title": "Unprocessable Content",
                "status": 422,
                "code": "invalid-request",
                "detail": "The request does not fit the schema.",
                "errors": [
                    {"detail": "a", "pointer": ""},
                    {"detail": "b", "parameter": "query:c"},
                ],
            },
        ),
    ],
)
def test_an_error_becomes_a_problem(error: HTTPError, body: dict[str, object]) -> None:
    response = problem(error)

    assert response.status == error.status
    assert response.header("content-type") == "application/problem+json"
    assert json_of(response) == body


def test_a_problem_carries_the_headers_of_its_error() -> None:
    assert problem(MethodNotAllowed(headers=[("Allow", "GET")])).header("allow") == "GET"
    assert problem(TooManyRequests(retry_after=7)).header("retry-after") == "7"


def test_a_header_of_an_error_cannot_break_out() -> None:
    with pytest.raises(ValueError, match="control character"):
        problem(HTTPError(401, headers=[("www-authenticate", "Basic\r\nset-cookie: a=1")]))


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Unavailable("D1 is out", "SELECT secret"), 503, "5"),
        (Transient("reset", "SELECT secret"), 503, "5"),
        (Overloaded("full", "SELECT secret"), 503, "5"),
        (DatabaseError("no such column", "SELECT secret"), 500, None),
        (RuntimeError("secret"), 500, None),
        (KeyError("secret"), 500, None),
        (ServiceUnavailable(), 503, None),
        (TimeoutError("secret"), 503, "5"),
        (ConnectionResetError("secret"), 503, "5"),
        (OSError("secret"), 500, None),
    ],
    ids=repr,
)
def test_what_breaks_says_only_whether_to_come_back(
    error: Exception, status: int, retry: str | None
) -> None:
    response = problem(as_http_error(error))

    assert (response.status, response.header("retry-after")) == (status, retry)
    assert b"secret" not in bytes(json_of(response, dict).__repr__(), "utf-8")


REGISTRY = {
    **{400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden"},
    **{404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable"},
    **{407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict"},
    **{410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large"},
    **{414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable"},
    **{417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content"},
    **{423: "Locked", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required"},
    **{428: "Precondition Required", 429: "Too Many Requests"},
    **{431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons"},
    **{500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway"},
    **{503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported"},
    **{506: "Variant Also Negotiates", 507: "Insufficient Storage", 508: "Loop Detected"},
    **{510: "Not Extended", 511: "Network Authentication Required"},
}
"""IANA's registry of HTTP status codes, as of 2026."""


@pytest.mark.parametrize("status", range(400, 600))
def test_the_title_is_the_one_that_the_status_has(status: int) -> None:
    assert json_of(problem(HTTPError(status)))["title"] == REGISTRY.get(status, "Error")


def test_the_cause_is_kept_for_the_log() -> None:
    cause = RuntimeError("secret")

    assert as_http_error(cause).__cause__ is cause
    assert as_http_error(known := NotFound()) is known
