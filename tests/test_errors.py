"""An error carries a status, a code and a sentence of ours; whether it is a refusal follows from it."""

from typing import Any

import pytest

from framework import App, HTTPError, public
from framework.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    CrossSite,
    Forbidden,
    Invalid,
    InvalidField,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)
from framework.testing import json_of


@pytest.mark.parametrize(
    ("kind", "status", "code", "refusal"),
    [
        (BadRequest, 400, "malformed-request", False),
        (Unauthorized, 401, "unauthorized", True),
        (Forbidden, 403, "forbidden", True),
        (CrossSite, 403, "cross-site", False),
        (NotFound, 404, "not-found", True),
        (MethodNotAllowed, 405, "method-not-allowed", False),
        (Conflict, 409, "conflict", False),
        (ContentTooLarge, 413, "content-too-large", False),
        (UnsupportedMediaType, 415, "unsupported-media-type", False),
        (Invalid, 422, "invalid-request", False),
        (ServiceUnavailable, 503, "unavailable", False),
        (HTTPError, 500, "internal-error", False),
    ],
)
def test_an_error_has_its_status_and_code(
    kind: type[HTTPError], status: int, code: str, refusal: bool
) -> None:
    error = kind()

    assert (error.status, error.code, error.refusal) == (status, code, refusal)
    assert kind("A sentence.", code="other").detail == "A sentence."
    assert kind(code="other").code == "other"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "malformed-request"),
        (403, "forbidden"),
        (404, "not-found"),
        (418, "error"),
        (599, "error"),
    ],
)
def test_a_status_brings_its_code(status: int, code: str) -> None:
    error = HTTPError(status, "A sentence.", headers=[("a", "b")])

    assert (error.status, error.code, error.detail) == (status, code, "A sentence.")
    assert error.headers == (("a", "b"),)
    assert HTTPError(status, code="mine").code == "mine"


@pytest.mark.parametrize(
    "headers", [{"a": "b", "c": "d"}, [("a", "b"), ("c", "d")], iter([("a", "b"), ("c", "d")])]
)
def test_headers_are_pairs_or_a_mapping(headers: Any) -> None:
    assert HTTPError(401, headers=headers).headers == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize("headers", ["ab", [("a", 1)], [("a", "b", "c")], {"a": None}, 5])
def test_headers_that_could_not_be_sent_are_refused_where_they_are_given(headers: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        HTTPError(401, headers=headers)


@pytest.mark.parametrize("status", [-1, 0, 100, 200, 204, 302, 304, 399, 600, 1000])
def test_a_status_that_tells_of_no_error_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="not an error status"):
        HTTPError(status)


class Suspended(HTTPError):
    """Fixes its status, as applications do."""

    status = 403
    code = "suspended"


class Quarantined(Suspended):
    """Inherits it."""


class Loud(Forbidden):
    """Says itself that nobody else is to be asked."""

    refusal = False


class Teapot(Unauthorized):
    """Leaves the refusals."""

    status = 418


@pytest.mark.parametrize(
    ("kind", "refusal"), [(Suspended, True), (Quarantined, True), (Loud, False), (Teapot, False)]
)
def test_a_subclass_is_a_refusal_where_its_status_says_so(
    kind: type[HTTPError], refusal: bool
) -> None:
    assert kind().refusal is refusal


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-found"), (409, "conflict"), (410, "error"), (500, "internal-error")],
)
def test_a_subclass_without_a_code_has_that_of_its_status(status: int, code: str) -> None:
    kind = type("Own", (HTTPError,), {"status": status})

    assert kind().code == kind("With a sentence.").code == HTTPError(status).code == code


def test_a_subclass_keeps_the_code_that_it_inherits() -> None:
    assert Teapot().code == "unauthorized"


class OutOfStock(Conflict):
    """Made as plain exceptions may be, without a word to its base."""

    def __init__(self, item: int) -> None:
        self.item = item


class SignIn(Unauthorized):
    """Says once for all how to sign in."""

    headers = (("www-authenticate", "Bearer"),)


async def test_a_subclass_that_does_not_call_its_base_is_answered_all_the_same() -> None:
    app = App()

    @app.get("/", guard=public)
    async def buy() -> None:
        raise OutOfStock(7)

    response = await app.request("GET", "/")

    assert (response.status, json_of(response)["code"]) == (409, "conflict")


def test_a_subclass_may_fix_its_headers() -> None:
    assert SignIn().headers == (("www-authenticate", "Bearer"),)
    assert SignIn(headers={"a": "b"}).headers == (("a", "b"),)


@pytest.mark.parametrize("status", [200, 302, 399, 600])
def test_a_subclass_tells_of_an_error(status: int) -> None:
    with pytest.raises(ValueError, match="not an error status"):
        type("Fine", (HTTPError,), {"status": status})


@pytest.mark.parametrize(
    ("seconds", "header"), [(30, "30"), (1, "1"), (0, "1"), (-5, "1"), (2.5, "3")]
)
def test_asking_too_often_says_when_to_come_back(seconds: Any, header: str) -> None:
    assert TooManyRequests(retry_after=seconds).headers == (("retry-after", header),)


def test_an_error_reads_as_its_sentence_or_its_code() -> None:
    assert str(NotFound("No such note.")) == "No such note."
    assert str(NotFound()) == "not-found"


def test_misfits_are_kept() -> None:
    misfit = InvalidField("Expected int.", pointer="/a")

    assert Invalid(errors=[misfit]).errors == (misfit,)
