"""Unsafe requests come from the site itself or from a listed origin, and are refused before all else."""

from collections.abc import Mapping
from itertools import product

import pytest

from framework import App, ConfigurationError, Context, Response, Router, guard, public
from framework.errors import Unauthorized
from framework.testing import json_of
from tests.answers import body_of

SITE = "http://localhost"
OTHER = "https://evil.example"
SAFE = ("GET", "HEAD", "OPTIONS")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "PURGE")
FETCH_SITES = (None, "same-origin", "same-site", "cross-site", "none", "", "SAME-ORIGIN", "made-up")
ORIGINS = (None, SITE, OTHER, "null", "")


def build(*origins: str) -> App:
    app = App(origins=origins)
    app.on([*UNSAFE, "GET"], "/", guard=public)(lambda: "in")
    return app


def headers_of(fetch_site: str | None, origin: str | None, cookie: str | None) -> dict[str, str]:
    named = {"sec-fetch-site": fetch_site, "origin": origin, "cookie": cookie}
    return {name: value for name, value in named.items() if value is not None}


@pytest.mark.parametrize("method", [*SAFE, *UNSAFE])
async def test_the_whole_matrix(method: str) -> None:
    app = build()

    for fetch_site, origin, cookie in product(FETCH_SITES, ORIGINS, (None, "", "a=1")):
        passes = (
            method in SAFE
            or fetch_site == "same-origin"
            or (fetch_site is None and origin == SITE)
            or (fetch_site is None and origin is None and not cookie)
        )
        response = await app.request(method, "/", headers=headers_of(fetch_site, origin, cookie))
        assert (response.status < 300) == passes, (fetch_site, origin, cookie)
        if not passes:
            assert response.status == 403
            assert json_of(response)["code"] == "cross-site"


@pytest.mark.parametrize("method", [*SAFE, "TRACE", *UNSAFE])
@pytest.mark.parametrize("below", ["", "/below"])
async def test_what_answers_where_no_route_does_is_asked_by_the_site_itself(
    method: str, below: str
) -> None:
    app, router = App(origins=["https://good.com"]), Router(below or "/unused")
    app.mount(router)

    @(router if below else app).not_found
    async def count(c: Context) -> Response:
        return Response.text("counted", 404)

    for origin, passes in ((OTHER, False), (SITE, True), ("https://good.com", True)):
        response = await app.request(method, below + "/notes", headers={"origin": origin})

        assert response.status == (404 if passes or method not in UNSAFE else 403)


@pytest.mark.parametrize(
    ("url", "origin", "passes"),
    [
        ("https://a.example/", "https://a.example", True),
        ("https://a.example:8443/", "https://a.example:8443", True),
        ("http://[::1]:8787/", "http://[::1]:8787", True),
        ("https://a.example/", "http://a.example", False),
        ("https://a.example/", "https://a.example:8443", False),
        ("https://a.example:8443/", "https://a.example", False),
        ("https://a.example/", "https://A.example", False),
        ("https://a.example/", "https://a.example.", False),
        ("https://a.example/", "https://a.example/", False),
        ("https://a.example/", "https://b.a.example", False),
        ("https://a.example/", "https://a.example.evil.com", False),
        ("https://a.example/", "https://a.example@evil.com", False),
        ("https://a.example/", "https://evil-a.example", False),
        ("https://a.example/", "a.example", False),
        ("https://a.example/", "https://a.example, https://evil.com", False),
        ("https://a.example/", "https://evil.com, https://a.example", False),
        ("https://a.example/", " https://a.example", False),
        ("https://a.example/", "https://а.example", False),  # noqa: RUF001  a Cyrillic letter
    ],
)
async def test_an_origin_is_compared_by_scheme_host_and_port(
    url: str, origin: str, passes: bool
) -> None:
    response = await build().request("POST", url, headers={"origin": origin})

    assert (response.status == 200) == passes


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("https://good.com", True),
        ("http://localhost:5173", True),
        ("https://good.com.evil.com", False),
        ("https://good.com@evil.com", False),
        ("https://good.com:444", False),
        ("https://GOOD.com", False),
        ("http://good.com", False),
        ("https://good.com.", False),
        ("https://xgood.com", False),
        ("https://sub.good.com", False),
        ("null", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("fetch_site", [None, "cross-site", "same-site"])
async def test_listed_origins_are_exact(origin: str, passes: bool, fetch_site: str | None) -> None:
    app = build("https://good.com", "http://localhost:5173")

    response = await app.request("POST", "/", headers=headers_of(fetch_site, origin, "a=1"))

    assert (response.status == 200) == passes


@pytest.mark.parametrize(
    "origin",
    [
        *("https://xn--gd-fkaa.com", "https://a0.z9-b.com:65535", "http://192.0.2.10:8787"),
        *("http://[::1]", "https://[2001:db8::f09:ace]:8443", "http://[::ffff:c000:201]"),
    ],
)
async def test_what_a_browser_writes_is_taken_as_an_origin(origin: str) -> None:
    response = await build(origin).request("POST", "/", headers={"origin": origin})

    assert response.status == 200


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "",
            "*",
            "null",
            "good.com",
            "//good.com",
            "https://",
            "https://good.com/",
            "ftp://a.com",
        ),
        *("https://*.good.com", "https://GOOD.com", "https://good.com:", "https://good.com:123456"),
        *("https://good.com:443", "http://good.com:80", "https://good.com\n", "https://a b.com"),
        *("https://a@good.com", "https://good.com?x", "https://gööd.com"),
        *("http://[::1", "http://::1]", "http://[]", "http://[::ffff:192.0.2.1]", "http://[::G]"),
    ],
)
def test_what_no_browser_would_write_is_refused_as_an_origin(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an origin"):
        App(origins=[origin])


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        (
            {"origin": OTHER},
            "The request comes from https://evil.example, but this site is http://localhost.",
        ),
        (
            {"origin": "https://a.example:8443", "sec-fetch-site": "cross-site"},
            "The request comes from https://a.example:8443, but this site is http://localhost.",
        ),
        ({"origin": "null"}, "The request comes from null, but this site is http://localhost."),
        (
            {"cookie": "a=1"},
            "The request comes from an unnamed origin (with cookies, programs have to send Origin),"
            " but this site is http://localhost.",
        ),
    ],
)
async def test_a_refusal_says_what_to_send(headers: dict[str, str], detail: str) -> None:
    response = await build().request("POST", "/", headers=headers)

    assert json_of(response) == {
        "title": "Forbidden",
        "status": 403,
        "code": "cross-site",
        "detail": detail,
    }


@pytest.mark.parametrize(
    "origin",
    [
        "CANARY",
        "https://canary<script>",
        "https://canary/path",
        "https://CANARY.com",
        "https://a.com, canary",
        "https://" + "canary." * 50 + "com",
        "javascript:canary",
        'https://canary"',
        "https://canary.com\ncanary",
    ],
)
async def test_a_hostile_origin_is_never_repeated(origin: str) -> None:
    response = await build().request("POST", "/", headers={"origin": origin})

    assert response.status == 403
    assert b"canary" not in body_of(response).lower()
    assert "malformed" in json_of(response)["detail"]


async def test_a_hostile_host_is_never_repeated() -> None:
    response = await build().request("POST", "http://<canary>/", headers={"origin": OTHER})

    assert response.status == 403
    assert b"canary" not in body_of(response)


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data", "", "x/y"]
)
async def test_the_content_type_decides_nothing(content_type: str) -> None:
    headers = {"origin": OTHER, "content-type": content_type}

    assert (await build().request("POST", "/", headers=headers, body=b"{}")).status == 403


async def test_it_is_refused_before_the_guard_and_the_body() -> None:
    asked: list[str] = []
    app = App()

    @guard
    async def closed(c: Context) -> None:
        asked.append("guard")
        raise Unauthorized

    app.post("/", guard=closed)(lambda: "in")
    response = await app.request("POST", "/", headers={"origin": OTHER}, body=b"x" * 2_000_000)

    assert (response.status, asked) == (403, [])


@pytest.mark.parametrize("path", ["/nowhere", "/%00"])
async def test_where_nothing_is_there_is_nothing_to_refuse(path: str) -> None:
    response = await build().request("POST", path, headers={"origin": OTHER})

    assert response.status in {400, 404}


async def test_one_app_s_origins_are_not_another_s() -> None:
    headers: Mapping[str, str] = {"origin": "https://good.com"}
    trusting, other = build("https://good.com"), build()

    answers = [
        (await app.request("POST", "/", headers=headers)).status for app in (trusting, other)
    ]

    assert answers == [200, 403]
