"""Requests that another site makes a browser send."""

import pytest

from framework.testing import Client
from tests.e2e.assertions import cookies_of, is_problem, text_of
from tests.e2e.people import Person, new_username
from tests.e2e.service import Service

_UNSAFE = [
    ("POST", "/sign-up"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("PUT", "/me/password"),
    ("DELETE", "/me"),
    ("POST", "/me/delete"),
    ("POST", "/notes"),
    ("DELETE", "/sessions/x"),
]


@pytest.mark.parametrize(("method", "path"), _UNSAFE)
@pytest.mark.parametrize("fetch_site", ["cross-site", "same-site", "none", "", "SAME-ORIGIN"])
async def test_a_browser_that_says_cross_site_is_refused(
    resident: Person, method: str, path: str, fetch_site: str
) -> None:
    headers = {"sec-fetch-site": fetch_site}

    answer = await resident.browser.request(method, path, headers=headers)

    assert is_problem(answer, 403, "cross-site")
    assert cookies_of(answer) == []


@pytest.mark.parametrize(("method", "path"), _UNSAFE)
async def test_so_is_one_without_a_cookie(service: Service, method: str, path: str) -> None:
    headers = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]

    assert is_problem(await service.request(method, path, headers=headers), 403, "cross-site")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "garbage",
        "http://",
        "{url}.evil.example",
        "{url}@evil.example",
        "{url}/",
        "{url}:1",
        "{url}, {url}",
        "ftp://localhost",
    ],
)
async def test_without_fetch_metadata_the_origin_decides(
    person: Person, service: Service, origin: str
) -> None:
    cookie = f"{service.cookie_name}={person.browser.cookies[service.cookie_name]}"
    headers = [("origin", origin.replace("{url}", service.url)), ("cookie", cookie)]

    answer = await service.request("POST", "/sign-out", headers=headers)

    assert is_problem(answer, 403, "cross-site")
    assert (await person.browser.get("/me")).status == 200


async def test_another_scheme_is_another_origin(poser: Service) -> None:
    headers = [("origin", "http://app.example.test")]

    answer = await poser.request("POST", "https://app.example.test/sign-out", headers=headers)

    assert is_problem(answer, 403, "cross-site")


async def test_two_origins_are_none(service: Service) -> None:
    headers = [("origin", service.url), ("origin", "https://evil.example")]

    assert is_problem(
        await service.request("POST", "/sign-out", headers=headers), 403, "cross-site"
    )


async def test_both_origins_are_named(service: Service) -> None:
    headers = [("origin", "https://evil.example")]

    answer = await service.request("POST", "/sign-in", headers=headers)

    assert "https://evil.example" in text_of(answer)
    assert service.url in text_of(answer)


async def test_what_is_no_origin_is_not_repeated(service: Service) -> None:
    headers = [("origin", "<script>alert(1)</script>")]

    answer = await service.request("POST", "/sign-in", headers=headers)

    assert answer.status == 403
    assert "script" not in text_of(answer)


async def test_a_cookie_without_any_origin_is_refused(person: Person, service: Service) -> None:
    cookie = f"{service.cookie_name}={person.browser.cookies[service.cookie_name]}"

    answer = await service.request("POST", "/sign-out", headers=[("cookie", cookie)])

    assert is_problem(answer, 403, "cross-site")
    assert (await person.browser.get("/me")).status == 200


async def test_a_program_without_cookies_needs_no_origin(service: Service) -> None:
    username, password = new_username(), service.canary.new_password()
    body = f'{{"username": "{username}", "password": "{password}"}}'.encode()
    headers = [("content-type", "application/json")]

    assert (await service.request("POST", "/sign-up", headers=headers, body=body)).status == 201


async def test_the_sites_own_origin_is_enough(person: Person, service: Service) -> None:
    cookie = f"{service.cookie_name}={person.browser.cookies[service.cookie_name]}"
    headers = [("origin", service.url), ("cookie", cookie)]

    assert (await service.request("POST", "/sign-out", headers=headers)).status == 204


@pytest.mark.parametrize("path", ["/", "/me", "/notes"])
async def test_reading_may_come_from_anywhere(resident: Person, path: str) -> None:
    headers = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}

    answer = await resident.browser.get(path, headers=headers)

    assert answer.status == 200
    assert answer.header("access-control-allow-origin") is None


async def test_refused_before_the_body_is_read(browser: Client) -> None:
    headers = {"sec-fetch-site": "cross-site", "content-type": "application/json"}

    answer = await browser.post("/sign-in", body=b"[" * 100_000, headers=headers)

    assert is_problem(answer, 403, "cross-site")
