"""What every route owes to HTTP: methods, headers, caches, the listings."""

import asyncio

import pytest

from framework.testing import Client, json_of
from tests.e2e.assertions import is_problem, text_of
from tests.e2e.page import ACCEPT
from tests.e2e.people import Person, sign_up
from tests.e2e.service import Service


async def test_health(browser: Client) -> None:
    answer = await browser.get("/health")

    assert (answer.status, json_of(answer)) == (200, {"status": "ok"})


async def test_the_api_is_described(browser: Client) -> None:
    answer = await browser.get("/openapi.json")

    document = json_of(answer)
    assert answer.status == 200
    assert document["openapi"].startswith("3.1")
    assert document["paths"].keys() >= {"/sign-up", "/me", "/notes", "/notes/{id}", "/admin/users"}


async def test_the_description_has_a_page(browser: Client) -> None:
    answer = await browser.get("/docs", headers={"accept": ACCEPT})

    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8")
    assert "/sign-up" in text_of(answer)


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("text/html, application/json", True),
        ("application/json, text/html", False),
        ("application/json;q=0.5, text/html;q=0.6", True),
        ("text/html;q=0.5, application/json;q=0.6", False),
        ("text/html;q=0, application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=2", False),
        ("text/html;q=", False),
        ("*/*", False),
        ("", False),
        (ACCEPT, True),
    ],
)
async def test_a_page_is_for_who_likes_it_best(browser: Client, accept: str, is_page: bool) -> None:
    for path in ("/nowhere", "/me"):
        answer = await browser.get(path, headers={"accept": accept})

        types = [value for name, value in answer.headers if name == "content-type"]
        assert types == ["text/html; charset=utf-8" if is_page else "application/problem+json"]
        assert "accept" in ", ".join(value for name, value in answer.headers if name == "vary")


@pytest.mark.parametrize("path", ["/", "/health", "/me", "/notes", "/nowhere", "/sign-in"])
async def test_head_is_get_without_a_body(resident: Person, path: str) -> None:
    get = await resident.browser.get(path)
    head = await resident.browser.request("HEAD", path)

    assert (head.status, head.body) == (get.status, b"")
    assert head.header("content-type") == get.header("content-type")
    assert head.header("allow") == get.header("allow")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/me", "DELETE, GET, HEAD, OPTIONS"),
        ("/sign-in", "OPTIONS, POST"),
        ("/me/password", "OPTIONS, POST, PUT"),
        ("/notes", "GET, HEAD, OPTIONS, POST"),
        ("/notes/1", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
    ],
)
async def test_a_path_says_what_it_allows(browser: Client, path: str, allow: str) -> None:
    options = await browser.request("OPTIONS", path)
    refused = await browser.request("PATCH", path)

    assert (options.status, options.header("allow"), options.body) == (204, allow, b"")
    assert is_problem(refused, 405, "method-not-allowed")
    assert refused.header("allow") == allow


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/ME",
        "/me/",
        "//me",
        "/me//password",
        "//evil.example/",
        "/notes/x/delete",
        "/app.py",
        "/.git/config",
        "/static/../schema.sql",
        "/%2e%2e/schema.sql",
    ],
)
async def test_nothing_is_there(browser: Client, path: str) -> None:
    answer = await browser.get(path)

    assert is_problem(answer, 404, "not-found")
    assert answer.header("location") is None


@pytest.mark.parametrize(
    ("path", "status"),
    [("/me", 200), ("/notes", 200), ("/", 200), ("/admin/users", 403), ("/notes/999999999", 404)],
)
async def test_what_depends_on_who_asks_stays_out_of_caches(
    resident: Person, path: str, status: int
) -> None:
    answer = await resident.browser.get(path)

    assert answer.status == status
    assert answer.header("cache-control") == "private, no-store"
    varying = ", ".join([value for name, value in answer.headers if name == "vary"])
    assert "cookie" in varying.lower()


@pytest.mark.parametrize(("path", "status"), [("/me", 401), ("/", 200), ("/notes/1", 401)])
async def test_so_does_what_nobody_is_told(browser: Client, path: str, status: int) -> None:
    answer = await browser.get(path)

    assert answer.status == status
    assert answer.header("cache-control") == "private, no-store"


@pytest.mark.parametrize("path", ["/", "/health", "/me", "/nowhere", "/sign-in", "/%00"])
async def test_every_answer_is_what_it_says(browser: Client, path: str) -> None:
    answer = await browser.get(path)

    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("x-powered-by") is None
    assert (answer.header("content-type") or "").partition(";")[0] in {
        "application/json",
        "application/problem+json",
        "text/html",
    }


@pytest.mark.parametrize("header", ["x-http-method-override", "x-method-override", "x-http-method"])
async def test_a_header_does_not_change_the_method(person: Person, header: str) -> None:
    answer = await person.browser.post("/me", headers={header: "DELETE"})

    assert answer.status == 405
    assert (await person.browser.get("/me")).status == 200


async def test_many_people_at_once_are_told_apart(service: Service) -> None:
    people = [await sign_up(service.browser(), service.canary) for _ in range(5)]

    answers = await asyncio.gather(*[each.browser.get("/me") for each in people * 10])

    names = [json_of(answer)["user"]["username"] for answer in answers]
    assert names == [each.username for each in people] * 10
