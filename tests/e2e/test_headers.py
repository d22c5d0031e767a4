"""What every answer says to browsers, whatever it is and however it went."""

import pytest

from framework import Response
from framework.testing import Client
from tests.e2e.page import ACCEPT
from tests.e2e.people import Person
from tests.e2e.service import Service

REQUESTS = [
    ("GET", "/", 200),
    ("GET", "/me", 401),
    ("GET", "/sessions", 401),
    ("GET", "/notes/1", 401),
    ("GET", "/nothing/here", 404),
    ("DELETE", "/", 405),
    ("OPTIONS", "/", 204),
    ("POST", "/sign-in", 422),
    ("GET", "/%ff", 400),
]


def policy_of(answer: Response) -> dict[str, str]:
    policy = answer.header("content-security-policy") or ""
    parts = [part.strip().partition(" ") for part in policy.split(";")]
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("accept", ["application/json", ACCEPT], ids=["json", "html"])
@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
async def test_every_answer_is_locked_down(
    browser: Client, method: str, path: str, status: int, accept: str
) -> None:
    body: dict[str, str] | None = {} if status == 422 else None

    answer = await browser.request(method, path, headers={"accept": accept}, json=body)

    assert answer.status == status
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") in {"same-origin", "strict-origin"}
    assert answer.header("cross-origin-resource-policy") == "same-origin"
    policy = policy_of(answer)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    if (answer.header("content-type") or "").startswith("text/html"):
        assert answer.header("cross-origin-opener-policy") == "same-origin"
    if status == 401:
        assert answer.header("cache-control") == "private, no-store"
    assert answer.header("strict-transport-security") is None


async def test_what_refuses_a_stranger_is_kept_by_no_cache(browser: Client, person: Person) -> None:
    wrong = {"username": person.username, "password": "not the password"}
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}

    refused = [
        await browser.post("/sign-in", json=wrong),
        await browser.post("/sign-in", json=wrong, headers=elsewhere),
    ]

    assert [answer.status for answer in refused] == [401, 403]
    for answer in refused:
        assert answer.header("cache-control") == "private, no-store"


async def test_over_https_browsers_are_told_to_stay_there(poser: Service) -> None:
    for path, accept in (("/", ACCEPT), ("/me", "application/json"), ("/nothing", ACCEPT)):
        answer = await poser.request(
            "GET", f"https://app.example.test{path}", headers=[("accept", accept)]
        )

        assert answer.header("strict-transport-security") == "max-age=31536000"
