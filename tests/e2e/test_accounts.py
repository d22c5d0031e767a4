"""Signing up, in and out; one's own account."""

import json
import re

import pytest

from framework.response import Response
from framework.testing import Client, json_of
from tests.e2e.assertions import cookies_of, is_problem, misfits_of, plain_headers, text_of
from tests.e2e.backdoor import Backdoor
from tests.e2e.people import Person, new_username
from tests.e2e.service import Service

_STALE = "UPDATE user_session SET authenticated_at = authenticated_at - 900000 WHERE user_id = ?1"


def sent(service: Service) -> list[str]:
    """What is set when a session begins."""
    ending = "Path=/; HttpOnly; SameSite=Lax"
    if service.url.startswith("https://"):
        ending = "Path=/; Secure; HttpOnly; SameSite=Lax"
    return [f"{service.cookie_name}=TOKEN; Max-Age=AGE; {ending}"]


def cleared(service: Service) -> list[str]:
    """What is set when a session ends."""
    return [sent(service)[0].replace("TOKEN", "").replace("AGE", "0")]


def is_signed_in(answer: Response, service: Service, status: int, username: str) -> bool:
    assert answer.status == status, answer.body
    user = json_of(answer)["user"]
    assert user.keys() == {"id", "username"}
    assert re.fullmatch("[a-z2-7]{15}", user["id"])
    assert user["username"] == username
    assert cookies_of(answer) == sent(service)
    return True


# --- Signing up ----------------------------------------------------------------------------------


async def test_signing_up_signs_in(service: Service, browser: Client) -> None:
    username, password = new_username(), service.canary.new_password()

    answer = await browser.post("/sign-up", json={"username": username, "password": password})

    assert is_signed_in(answer, service, 201, username)
    assert (await browser.get("/me")).status == 200


async def test_the_cookie_lasts_as_long_as_the_session(service: Service, browser: Client) -> None:
    credentials = {"username": new_username(), "password": service.canary.new_password()}

    answer = await browser.post("/sign-up", json=credentials)

    age = re.search(r"Max-Age=(\d+)", answer.header("set-cookie") or "")
    assert age is not None
    assert 15 * 86400 - 60 < int(age[1]) <= 15 * 86400


async def test_on_https_the_cookie_is_bound_to_the_host(poser: Service) -> None:
    browser = Client(poser, base_url="https://app.example.test")
    credentials = {"username": new_username(), "password": poser.canary.new_password()}

    answer = await browser.post("/sign-up", json=credentials)

    assert cookies_of(answer) == [
        "__Host-auth_session=TOKEN; Max-Age=AGE; Path=/; Secure; HttpOnly; SameSite=Lax"
    ]
    assert browser.cookies.keys() == {"__Host-auth_session", "__Host-auth_device"}
    assert (await browser.get("/me")).status == 200


@pytest.mark.parametrize("written", [str.lower, str.upper, str.title], ids=lambda f: f.__name__)
async def test_a_username_is_taken_however_it_is_written(
    person: Person, browser: Client, service: Service, written: type[str]
) -> None:
    username = written(person.username)

    answer = await browser.post(
        "/sign-up", json={"username": username, "password": service.canary.new_password()}
    )

    assert is_problem(answer, 409, "duplicate-key")
    assert cookies_of(answer) == []
    assert username not in str(answer.body)


@pytest.mark.parametrize(
    "username",
    [
        "",
        "ab",
        "a" * 65,
        "-abc",
        "a bc",
        "abc\n",
        "abc\0",
        "ábc",
        "аdmin",  # noqa: RUF001  # the look-alike is the point
        "ａｂｃ",  # noqa: RUF001  # so are the full-width letters
        "abc\u200b",
        "<b>abc</b>",
        "abc:def",
    ],
    ids=ascii,
)
async def test_what_is_no_username(browser: Client, service: Service, username: str) -> None:
    credentials = {"username": username, "password": service.canary.new_password()}

    answer = await browser.post("/sign-up", json=credentials)

    assert misfits_of(answer) == {"/username"}
    assert cookies_of(answer) == []


@pytest.mark.parametrize("length", [0, 1, 7, 1025, 100_000])
async def test_what_is_no_password(browser: Client, length: int) -> None:
    answer = await browser.post(
        "/sign-up", json={"username": new_username(), "password": "p" * length}
    )

    assert misfits_of(answer) == {"/password"}


@pytest.mark.parametrize(
    "password",
    ["eight  8", "p" * 72, "p" * 1024, "👩‍👩‍👧‍👦👩‍👩‍👧‍👦", " " * 8, "nul\0nul\0", "مرحبا بالعالم"],
    ids=["8", "72", "1024", "emoji", "spaces", "NUL", "right to left"],
)
async def test_what_is_a_password(browser: Client, password: str) -> None:
    credentials = {"username": new_username(), "password": password}

    assert (await browser.post("/sign-up", json=credentials)).status == 201
    assert (await browser.post("/sign-in", json=credentials)).status == 200


async def test_no_part_of_a_long_password_is_ignored(browser: Client) -> None:
    username = new_username()
    await browser.post("/sign-up", json={"username": username, "password": "p" * 1024})

    for other in ("p" * 1023, "p" * 72, "p" * 1023 + "q"):
        answer = await browser.post("/sign-in", json={"username": username, "password": other})
        assert is_problem(answer, 401, "invalid-credentials")


@pytest.mark.parametrize(
    ("body", "misfits"),
    [
        ({}, {"/username", "/password"}),
        ({"username": "a", "password": "b"}, {"/username", "/password"}),
        ({"username": 1, "password": None}, {"/username", "/password"}),
        ({"username": "alice", "password": "long enough", "role": "admin"}, {""}),
        ([], {""}),
        ("text", {""}),
        (None, {""}),
    ],
    ids=["nothing", "short", "types", "one more", "array", "string", "null"],
)
async def test_all_that_does_not_fit_is_named(
    browser: Client, body: object, misfits: set[str]
) -> None:
    headers = {"content-type": "application/json"}

    answer = await browser.post("/sign-up", body=json.dumps(body), headers=headers)

    assert misfits_of(answer) == misfits


async def test_what_was_sent_is_not_repeated(browser: Client) -> None:
    body = {"username": "!!canary!!", "password": "hunter2", "hunter3": "hunter4"}

    answer = await browser.post("/sign-up", json=body)

    assert answer.status == 422
    assert not re.search("canary|hunter", text_of(answer))


# --- Signing in ----------------------------------------------------------------------------------


async def test_signing_in(person: Person, service: Service, browser: Client) -> None:
    answer = await person.sign_in(browser)

    assert is_signed_in(answer, service, 200, person.username)
    assert json_of(answer)["user"]["id"] == person.id
    assert browser.cookies != person.browser.cookies
    assert (await browser.get("/me")).status == 200
    assert (await person.browser.get("/me")).status == 200


async def test_signing_in_ends_the_session_that_was_brought(person: Person) -> None:
    before = person.browser.fork(with_cookies=True)

    await person.sign_in(person.browser)

    assert (await before.get("/me")).status == 401
    assert (await person.browser.get("/me")).status == 200


async def test_a_token_that_somebody_else_chose_is_never_used(
    person: Person, service: Service, browser: Client
) -> None:
    planted = {"cookie": f"{service.cookie_name}={'a' * 40}"}
    credentials = {"username": person.username, "password": person.password}

    answer = await browser.post("/sign-in", json=credentials, headers=planted)

    assert is_signed_in(answer, service, 200, person.username)
    assert (await service.browser().get("/me", headers=planted)).status == 401


async def test_a_wrong_name_and_a_wrong_password_look_the_same(
    person: Person, service: Service, browser: Client
) -> None:
    password = service.canary.new_password()

    wrong = [
        await browser.post("/sign-in", json={"username": username, "password": password})
        for username in (person.username, new_username(), "?", "", "x" * 256)
    ]

    assert is_problem(wrong[0], 401, "invalid-credentials")
    assert {(each.status, each.body, *plain_headers(each)) for each in wrong} == {
        (401, wrong[0].body, *plain_headers(wrong[0]))
    }
    assert [cookies_of(each) for each in wrong] == [[]] * len(wrong)


@pytest.mark.parametrize("password", ["", "short", "p" * 1024])
async def test_a_password_that_could_be_none_is_just_wrong(
    resident: Person, browser: Client, password: str
) -> None:
    credentials = {"username": resident.username, "password": password}

    assert is_problem(await browser.post("/sign-in", json=credentials), 401, "invalid-credentials")


async def test_a_failed_sign_in_leaves_the_session_alone(person: Person, service: Service) -> None:
    credentials = {"username": person.username, "password": service.canary.new_password()}

    answer = await person.browser.post("/sign-in", json=credentials)

    assert (answer.status, cookies_of(answer)) == (401, [])
    assert (await person.browser.get("/me")).status == 200


async def test_too_many_attempts_are_refused(
    person: Person, service: Service, browser: Client
) -> None:
    wrong = {"username": person.username.upper(), "password": service.canary.new_password()}
    for _ in range(10):
        assert (await browser.post("/sign-in", json=wrong)).status == 401

    refused = [await browser.post("/sign-in", json=wrong), await person.sign_in(browser)]

    for answer in refused:
        assert is_problem(answer, 429, "too-many-requests")
        assert 0 < int(answer.header("retry-after") or 0) <= 900
        assert cookies_of(answer) == []
    assert (await person.browser.get("/me")).status == 200


async def test_signing_in_forgets_earlier_attempts(
    person: Person, service: Service, browser: Client
) -> None:
    wrong = {"username": person.username, "password": service.canary.new_password()}
    for stranger in (browser, browser.fork()):
        for _ in range(6):
            assert (await stranger.post("/sign-in", json=wrong)).status == 401
        assert (await person.sign_in(stranger)).status == 200


async def test_the_owner_gets_in_while_others_hammer_the_account(
    person: Person, service: Service, browser: Client
) -> None:
    wrong = {"username": person.username, "password": service.canary.new_password()}
    for _ in range(12):
        await browser.post("/sign-in", json=wrong)

    stranger, owner = await person.sign_in(browser), await person.sign_in(person.browser)

    assert is_problem(stranger, 429, "too-many-requests")
    assert is_signed_in(owner, service, 200, person.username)


# --- Signing out ---------------------------------------------------------------------------------


async def test_signing_out_ends_the_session(person: Person, service: Service) -> None:
    before = person.browser.fork(with_cookies=True)

    answer = await person.browser.post("/sign-out")

    assert (answer.status, answer.body) == (204, b"")
    assert cookies_of(answer) == cleared(service)
    assert [name for name in person.browser.cookies if name.endswith("session")] == []
    assert is_problem(await before.get("/me"), 401, "unauthorized")


async def test_signing_out_twice_is_refused_and_clears_the_cookie(
    person: Person, service: Service
) -> None:
    before = person.browser.fork(with_cookies=True)
    await person.browser.post("/sign-out")

    answer = await before.post("/sign-out")

    assert is_problem(answer, 401, "unauthorized")
    assert cookies_of(answer) == cleared(service)


# --- One's own account ---------------------------------------------------------------------------


async def test_me(person: Person) -> None:
    me = json_of(await person.browser.get("/me"))

    assert me["user"] == {"id": person.id, "username": person.username}
    assert me["session"].keys() == {"id", "state", "active_expires", "idle_expires"}
    assert me["session"]["state"] == "active"
    assert me["session"]["idle_expires"] - me["session"]["active_expires"] == 14 * 86_400_000


async def test_nobody_is_me(browser: Client) -> None:
    answer = await browser.get("/me")

    assert is_problem(answer, 401, "unauthorized")
    assert cookies_of(answer) == []


async def test_changing_the_password(person: Person, service: Service, browser: Client) -> None:
    await person.sign_in(browser)
    before = person.browser.fork(with_cookies=True)
    new = service.canary.new_password()

    answer = await person.browser.put("/me/password", json={"current": person.password, "new": new})

    assert (answer.status, answer.body, cookies_of(answer)) == (204, b"", sent(service))
    assert (await person.browser.get("/me")).status == 200
    assert (await browser.get("/me")).status == 401
    assert (await before.get("/me")).status == 401
    assert (await person.browser.get("/me")).status == 200
    assert is_problem(await person.sign_in(browser), 401, "invalid-credentials")
    credentials = {"username": person.username, "password": new}
    assert (await browser.post("/sign-in", json=credentials)).status == 200


async def test_changing_the_password_asks_for_the_current_one(
    person: Person, service: Service
) -> None:
    other, new = service.canary.new_password(), service.canary.new_password()

    answer = await person.browser.put("/me/password", json={"current": other, "new": new})

    assert is_problem(answer, 401, "invalid-credentials")
    assert cookies_of(answer) == []
    assert (await person.browser.get("/me")).status == 200
    assert (await person.sign_in(service.browser())).status == 200


@pytest.mark.parametrize("new", ["", "seven 7", "p" * 1025])
async def test_a_new_password_is_one(resident: Person, new: str) -> None:
    answer = await resident.browser.put(
        "/me/password", json={"current": resident.password, "new": new}
    )

    assert misfits_of(answer) == {"/new"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/me/password"),
        ("POST", "/me/password"),
        ("DELETE", "/me"),
        ("POST", "/me/delete"),
    ],
)
async def test_what_ends_an_account_asks_for_the_password_again(
    person: Person, backdoor: Backdoor, method: str, path: str
) -> None:
    await backdoor.sql(_STALE, person.id)

    answer = await person.browser.request(method, path)

    assert is_problem(answer, 403, "reauthentication-required")
    assert (await person.browser.get("/me")).status == 200


async def test_a_page_from_before_somebody_else_signed_in_deletes_nobody(
    person: Person, resident: Person
) -> None:
    answer = await person.browser.post(f"/me/delete?id={resident.id}")

    assert is_problem(answer, 409, "conflict")
    assert (await person.browser.get("/me")).status == 200
    assert (await resident.browser.get("/me")).status == 200


@pytest.mark.parametrize("is_said", [True, False])
async def test_a_page_deletes_the_account_that_it_shows(person: Person, is_said: bool) -> None:
    answer = await person.browser.post("/me/delete" + f"?id={person.id}" * is_said)

    assert answer.status == 204
    assert (await person.browser.get("/me")).status == 401


async def test_after_signing_in_again_the_account_may_be_deleted(
    person: Person, backdoor: Backdoor
) -> None:
    await backdoor.sql(_STALE, person.id)
    await person.sign_in(person.browser)

    assert (await person.browser.delete("/me")).status == 204


async def test_deleting_the_account(person: Person, service: Service, browser: Client) -> None:
    await person.sign_in(browser)

    answer = await person.browser.delete("/me")

    assert (answer.status, answer.body, cookies_of(answer)) == (204, b"", cleared(service))
    assert (await browser.get("/me")).status == 401
    assert is_problem(await person.sign_in(browser), 401, "invalid-credentials")


async def test_nothing_is_left_of_a_deleted_account(person: Person, backdoor: Backdoor) -> None:
    counts = {
        table: f"SELECT count(*) AS rows FROM {table} WHERE {column} = ?1"
        for table, column in [
            ("user", "id"),
            ("user_key", "user_id"),
            ("user_session", "user_id"),
            ("note", "user_id"),
        ]
    }
    await person.browser.post("/notes", json={"title": "Mine"})
    before = {table: await backdoor.sql(sql, person.id) for table, sql in counts.items()}

    await person.browser.delete("/me")

    after = {table: await backdoor.sql(sql, person.id) for table, sql in counts.items()}
    assert all(rows == [{"rows": 1}] for rows in before.values())
    assert all(rows == [{"rows": 0}] for rows in after.values())


async def test_the_name_of_a_deleted_account_is_free(person: Person, browser: Client) -> None:
    await person.browser.delete("/me")
    credentials = {"username": person.username, "password": person.password}

    answer = await browser.post("/sign-up", json=credentials)

    assert answer.status == 201
    assert json_of(answer)["user"]["id"] != person.id
