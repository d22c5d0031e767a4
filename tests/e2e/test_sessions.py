"""Signed-in browsers: how long they stay so, how they are listed and ended."""

import asyncio
import hashlib
from typing import Any

import pytest

from framework.testing import Client, json_of
from tests.e2e.assertions import cookies_of, is_problem
from tests.e2e.backdoor import Backdoor
from tests.e2e.page import Visitor
from tests.e2e.people import Person, sign_up
from tests.e2e.service import Service
from tests.e2e.test_accounts import cleared, sent

_DAY = 86_400_000
_ROWS = "SELECT * FROM user_session WHERE user_id = ?1"
_IDLE = (
    "UPDATE user_session SET active_expires = active_expires - ?2,"
    " idle_expires = idle_expires - ?2, created_at = created_at - ?2 WHERE user_id = ?1"
)


def token(browser: Client) -> str:
    (value,) = [v for name, v in browser.cookies.items() if name.endswith("auth_session")]
    return value


async def listed(browser: Client) -> list[dict[str, Any]]:
    sessions: list[dict[str, Any]] = json_of(await browser.get("/sessions"))["sessions"]
    return sessions


# --- How long they last --------------------------------------------------------------------------


async def test_an_active_session_is_used_without_a_write(
    person: Person, backdoor: Backdoor
) -> None:
    before = await backdoor.sql(_ROWS, person.id)

    answer = await person.browser.get("/me")

    assert (answer.status, cookies_of(answer)) == (200, [])
    assert await backdoor.sql(_ROWS, person.id) == before


async def test_an_idle_session_is_renewed_with_its_cookie(
    person: Person, backdoor: Backdoor, service: Service
) -> None:
    before = token(person.browser)
    await backdoor.sql(_IDLE, person.id, 2 * _DAY)
    (idle,) = await backdoor.sql(_ROWS, person.id)

    answer = await person.browser.get("/me")

    assert (answer.status, cookies_of(answer)) == (200, sent(service))
    assert token(person.browser) == before
    (renewed,) = await backdoor.sql(_ROWS, person.id)
    for moved in ("active_expires", "idle_expires"):
        assert 0 <= renewed[moved] - idle[moved] - 2 * _DAY < 60_000
    changed = {key for key in idle if idle[key] != renewed[key]}
    assert changed - {"last_seen_at"} == {"active_expires", "idle_expires"}
    assert 0 <= renewed["last_seen_at"] - idle["last_seen_at"] < 60_000
    session = json_of(answer)["session"]
    assert session["state"] == "active"
    assert session["idle_expires"] == renewed["idle_expires"]
    assert cookies_of(await person.browser.get("/me")) == []


@pytest.mark.parametrize("path", ["/me", "/"])
async def test_a_dead_session_is_gone_with_its_cookie(
    person: Person, backdoor: Backdoor, service: Service, path: str
) -> None:
    await backdoor.sql(_IDLE, person.id, 16 * _DAY)

    answer = await person.browser.get(path)

    assert answer.status == (401 if path == "/me" else 200)
    assert cookies_of(answer) == cleared(service)
    assert await backdoor.sql(_ROWS, person.id) == []


async def test_no_session_outlives_ninety_days(person: Person, backdoor: Backdoor) -> None:
    old = "UPDATE user_session SET created_at = created_at - ?2 WHERE user_id = ?1"
    await backdoor.sql(old, person.id, 90 * _DAY)

    assert (await person.browser.get("/me")).status == 401
    assert await backdoor.sql(_ROWS, person.id) == []


async def test_a_renewal_goes_no_further_than_ninety_days(
    person: Person, backdoor: Backdoor
) -> None:
    await backdoor.sql(_IDLE, person.id, 2 * _DAY)
    old = "UPDATE user_session SET created_at = created_at - ?2 WHERE user_id = ?1"
    await backdoor.sql(old, person.id, 87 * _DAY)

    session = json_of(await person.browser.get("/me"))["session"]

    (row,) = await backdoor.sql(_ROWS, person.id)
    assert session["idle_expires"] == row["created_at"] + 90 * _DAY


async def test_a_session_is_stored_as_a_digest(person: Person, backdoor: Backdoor) -> None:
    (row,) = await backdoor.sql(_ROWS, person.id)

    assert row["id"] == hashlib.sha256(token(person.browser).encode()).hexdigest()
    tables = ["user", "user_key", "user_session", "sign_in_attempt", "note"]
    everything = [row for table in tables for row in await backdoor.sql(f"SELECT * FROM {table}")]
    assert token(person.browser) not in str(everything)
    assert person.password not in str(everything)


async def test_a_password_is_stored_as_argon2id(person: Person, backdoor: Backdoor) -> None:
    (key,) = await backdoor.sql("SELECT * FROM user_key WHERE user_id = ?1", person.id)

    assert key["id"] == f"username:{person.username}"
    assert key["hashed_password"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_reading_makes_no_session(person: Person, backdoor: Backdoor) -> None:
    nobody = person.browser.fork()
    count = "SELECT count(*) AS rows FROM user_session"
    before = await backdoor.sql(count)

    for path in ("/", "/health", "/me", "/sessions", "/notes", "/admin/users"):
        await nobody.get(path)
        await nobody.request("HEAD", path)
        await nobody.request("OPTIONS", path)

    assert await backdoor.sql(count) == before


# --- The list ------------------------------------------------------------------------------------


async def test_the_list_of_sessions(person: Person, service: Service) -> None:
    other = service.browser(user_agent="Lynx/2.9")
    await person.sign_in(other)

    sessions = await listed(person.browser)

    assert [each["user_agent"] for each in sessions if each["current"]] == ["Firefox/1.0"]
    assert [each["user_agent"] for each in sessions if not each["current"]] == ["Lynx/2.9"]
    assert sessions[0].keys() == {
        "id",
        "current",
        "state",
        "created_at",
        "last_seen_at",
        "active_expires",
        "idle_expires",
        "user_agent",
        "country",
    }
    assert [each["current"] for each in await listed(other)] == [
        not each["current"] for each in sessions
    ]
    assert sessions[0]["created_at"] >= sessions[1]["created_at"]


async def test_a_session_keeps_the_country_that_the_platform_names(poser: Service) -> None:
    # In the Worker it is that of `request.cf`, whatever a header says; Miniflare is in the US.
    header = "NZ" if poser.name == "wasm" else "US"
    browser = poser.browser(user_agent="Lynx/2.9", cf_ipcountry=header)
    await sign_up(browser, poser.canary)

    (session,) = await listed(browser)
    page = await Visitor(browser).open("/sessions")

    assert (session["country"], session["user_agent"]) == ("US", "Lynx/2.9")
    assert ", US since 20" in page.text


async def test_a_session_is_last_seen_to_the_hour(
    person: Person, service: Service, backdoor: Backdoor
) -> None:
    other = service.browser()
    await person.sign_in(other)
    earlier = "UPDATE user_session SET last_seen_at = last_seen_at - ?2 WHERE user_id = ?1"
    await backdoor.sql(earlier, person.id, _DAY)
    before = [row["last_seen_at"] for row in await backdoor.sql(_ROWS, person.id)]

    sessions = await listed(person.browser)
    after = await seen_later(backdoor, person, before)
    await person.browser.get("/me")

    (own,) = [each["last_seen_at"] for each in sessions if each["current"]]
    (others,) = [each["last_seen_at"] for each in sessions if not each["current"]]
    assert others in before
    assert others < own - _DAY + 60_000
    assert sorted(after) == sorted([others, own])
    assert [row["last_seen_at"] for row in await backdoor.sql(_ROWS, person.id)] == after


async def seen_later(backdoor: Backdoor, person: Person, before: list[int]) -> list[int]:
    """Return when the sessions of *person* were last seen, once that differs: it is written late."""
    for _ in range(100):
        after: list[int] = [row["last_seen_at"] for row in await backdoor.sql(_ROWS, person.id)]
        if after != before:
            return after
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was written")


async def test_the_page_says_when_each_was_last_seen(
    person: Person, service: Service, backdoor: Backdoor
) -> None:
    await person.sign_in(service.browser())
    visitor = Visitor(person.browser)

    both = await visitor.open("/sessions")
    forget = "UPDATE user_session SET last_seen_at = 0 WHERE user_id = ?1 AND user_agent IS NULL"
    await backdoor.sql(forget, person.id)
    one = await visitor.open("/sessions")

    assert (both.text.count(", last seen 20"), one.text.count(", last seen 20")) == (2, 1)


async def test_a_session_has_one_name_in_the_list_and_in_me(person: Person) -> None:
    (session,) = await listed(person.browser)

    assert json_of(await person.browser.get("/me"))["session"]["id"] == session["id"]


async def test_what_names_a_session_signs_nobody_in(person: Person, service: Service) -> None:
    (session,) = await listed(person.browser)
    digest = hashlib.sha256(token(person.browser).encode()).hexdigest()

    for value in (session["id"], digest, digest[:40]):
        planted = {"cookie": f"{service.cookie_name}={value}"}
        assert (await service.browser().get("/me", headers=planted)).status == 401


async def test_dead_sessions_are_not_listed(
    person: Person, service: Service, backdoor: Backdoor
) -> None:
    await backdoor.sql(_IDLE, person.id, 16 * _DAY)
    browser = service.browser()
    await person.sign_in(browser)

    assert [each["current"] for each in await listed(browser)] == [True]


# --- Ending them ---------------------------------------------------------------------------------


async def test_ending_another_session(person: Person, service: Service) -> None:
    other = service.browser()
    await person.sign_in(other)
    (ended,) = [each["id"] for each in await listed(person.browser) if not each["current"]]

    answer = await person.browser.delete(f"/sessions/{ended}")

    assert (answer.status, answer.body, cookies_of(answer)) == (204, b"", [])
    assert (await other.get("/me")).status == 401
    assert (await person.browser.get("/me")).status == 200
    assert is_problem(await person.browser.delete(f"/sessions/{ended}"), 404, "not-found")


async def test_ending_ones_own_session_is_signing_out(person: Person, service: Service) -> None:
    (own,) = [each["id"] for each in await listed(person.browser)]

    answer = await person.browser.delete(f"/sessions/{own}")

    assert (answer.status, cookies_of(answer)) == (204, cleared(service))
    assert (await person.browser.get("/me")).status == 401


@pytest.mark.parametrize("how", ["DELETE", "POST"])
async def test_somebody_elses_session_is_not_there(
    person: Person, resident: Person, how: str
) -> None:
    (theirs,) = [each["id"] for each in await listed(person.browser)]
    path = f"/sessions/{theirs}" + ("/delete" if how == "POST" else "")

    answer = await resident.browser.request(how, path)

    assert is_problem(answer, 404, "not-found")
    assert (await person.browser.get("/me")).status == 200


@pytest.mark.parametrize("name", ["0" * 32, "x", "'%20OR%201=1--", "%25", "_" * 1000])
async def test_no_session_has_that_name(resident: Person, name: str) -> None:
    assert is_problem(await resident.browser.delete(f"/sessions/{name}"), 404, "not-found")


async def test_ending_all_other_sessions(
    person: Person, stranger: Person, service: Service
) -> None:
    others = [service.browser() for _ in range(3)]
    for other in others:
        await person.sign_in(other)

    answer = await person.browser.post("/sessions/revoke-others")

    assert (answer.status, answer.body, cookies_of(answer)) == (204, b"", [])
    assert [(await other.get("/me")).status for other in others] == [401] * 3
    assert (await person.browser.get("/me")).status == 200
    assert (await stranger.browser.get("/me")).status == 200
    assert [each["current"] for each in await listed(person.browser)] == [True]
