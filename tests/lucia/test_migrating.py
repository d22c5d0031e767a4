"""Sessions that Lucia began are good once at Kagari's, and replaced."""

import asyncio
import time

import pytest

from framework.testing import json_of
from tests.lucia.asking import cookies_of, credentials, lucias_cookie, names, signed_in
from tests.lucia.hashes import PASSWORD
from tests.lucia.places import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_session_of_lucias_is_replaced_in_the_request_that_brings_it(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    await place.pull()
    browser = place.browser()

    answer = await browser.get("/migrate/me", headers=lucias_cookie(session_id))
    await place.push()

    cookies = cookies_of(answer.headers)
    rows = place.lucia.sql("SELECT * FROM user_session WHERE user_id = ?", user_id)
    (new,) = [row for row in rows if row["id"] != session_id]
    assert (answer.status, json_of(answer)["id"]) == (200, user_id)
    assert cookies.keys() == {"__Host-auth_session", "auth_session"}
    assert cookies["auth_session"].startswith("; Max-Age=0")
    assert session_id not in cookies["__Host-auth_session"]
    assert (len(new["id"]), new["authenticated_at"]) == (64, 0)
    assert 0 < new["created_at"] < new["active_expires"] < new["idle_expires"]
    assert (await browser.get("/migrate/me")).status == 200
    assert len(json_of(await browser.get("/migrate/sessions"))) == 1


async def test_a_replaced_session_is_good_for_ten_seconds_more(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    await place.pull()
    await place.browser().get("/migrate/me", headers=lucias_cookie(session_id))

    late = await place.browser().get("/migrate/me", headers=lucias_cookie(session_id))

    assert (late.status, cookies_of(late.headers)) == (200, {})
    left = json_of(late)["idle_expires"] - time.time() * 1000
    assert 0 < left <= 10_000


async def test_a_replaced_session_is_over_after_that(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    await place.pull()
    browser = place.browser()
    await browser.get("/migrate/me", headers=lucias_cookie(session_id))
    await place.push()
    end = "UPDATE user_session SET active_expires = 1, idle_expires = 1 WHERE id = ?"
    place.lucia.sql(end, session_id)
    await place.pull()

    late = await place.browser().get("/migrate/me", headers=lucias_cookie(session_id))

    assert late.status == 401
    assert (await browser.get("/migrate/me")).status == 200


async def test_two_requests_at_once_replace_it_once(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    await place.pull()
    browsers = [place.browser() for _ in range(5)]

    answers = await asyncio.gather(
        *(each.get("/migrate/me", headers=lucias_cookie(session_id)) for each in browsers)
    )
    await place.push()

    rows = place.lucia.sql("SELECT id FROM user_session WHERE user_id = ?", user_id)
    assert [answer.status for answer in answers] == [200] * 5
    assert sum(bool(cookies_of(answer.headers)) for answer in answers) == 1
    assert sorted(len(row["id"]) for row in rows) == [40, 64]


async def test_an_idle_session_of_lucias_is_replaced_and_renewed(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    place.lucia.sql("UPDATE user_session SET active_expires = 1 WHERE id = ?", session_id)
    await place.pull()

    answer = await place.browser().get("/migrate/me", headers=lucias_cookie(session_id))

    me = json_of(answer)
    assert me["fresh"] is True
    assert me["active_expires"] > time.time() * 1000 + 23 * 3600 * 1000


async def test_a_dead_session_of_lucias_is_removed(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    place.lucia.sql(
        "UPDATE user_session SET active_expires = 1, idle_expires = 2 WHERE id = ?", session_id
    )
    await place.pull()

    answer = await place.browser().get("/migrate/me", headers=lucias_cookie(session_id))
    await place.push()

    assert answer.status == 401
    assert cookies_of(answer.headers)["auth_session"].startswith("; Max-Age=0")
    assert place.lucia.sql("SELECT * FROM user_session WHERE id = ?", session_id) == []


async def test_what_was_shared_is_migrated_with_its_age(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    await place.pull()
    session_id = (await signed_in(place, "/shared", username)).cookies["auth_session"]
    await place.push()
    (before,) = place.lucia.sql("SELECT * FROM user_session WHERE id = ?", session_id)
    browser = place.browser()

    answer = await browser.get("/migrate/recent", headers=lucias_cookie(session_id))
    await place.push()

    rows = place.lucia.sql("SELECT * FROM user_session WHERE user_id = ?", user_id)
    (after,) = [row for row in rows if row["id"] != session_id]
    assert answer.status == 200
    assert after["created_at"] == before["created_at"] > 0
    assert after["authenticated_at"] == before["authenticated_at"]


async def test_a_migrated_session_is_not_recent(place: Place) -> None:
    username = next(names)
    session_id = place.lucia.create_session(place.lucia.create_user(username, PASSWORD))
    await place.pull()
    browser = place.browser()

    first = await browser.get("/migrate/recent", headers=lucias_cookie(session_id))
    await browser.post("/migrate/sign-in", json=credentials(username))

    assert (first.status, json_of(first)["code"]) == (403, "reauthentication-required")
    assert (await browser.get("/migrate/recent")).status == 200


async def test_signing_in_and_out_ends_the_session_of_lucias(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    first, second = (place.lucia.create_session(user_id) for _ in range(2))
    await place.pull()

    browser = place.browser()
    headers = lucias_cookie(first)
    await browser.post("/migrate/sign-in", json=credentials(username), headers=headers)
    out = await place.browser().post("/migrate/sign-out", headers=lucias_cookie(second))
    await place.push()

    rows = place.lucia.sql("SELECT id FROM user_session WHERE user_id = ?", user_id)
    assert out.status == 204
    assert [len(row["id"]) for row in rows] == [64]
    assert (await browser.get("/migrate/me")).status == 200


async def test_a_hashed_session_is_not_taken_from_lucias_cookie(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, PASSWORD)
    await place.pull()
    browser = await signed_in(place, "/migrate", username)
    token = browser.cookies["__Host-auth_session"]

    answer = await place.browser().get("/migrate/me", headers=lucias_cookie(token))

    assert answer.status == 401


async def test_a_stored_digest_signs_nobody_in(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    await place.pull()
    await signed_in(place, "/migrate", username)
    await place.push()

    (row,) = place.lucia.sql("SELECT id FROM user_session WHERE user_id = ?", user_id)

    for path in ("/migrate/me", "/hashed/me"):
        for name in ("auth_session", "__Host-auth_session"):
            headers = {"cookie": f"{name}={row['id']}"}
            assert (await place.browser().get(path, headers=headers)).status == 401


async def test_a_session_of_lucias_about_to_end_is_left_to_end(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    end = "UPDATE user_session SET active_expires = 1, idle_expires = ? WHERE id = ?"
    place.lucia.sql(end, round(time.time() * 1000) + 8_000, session_id)
    await place.pull()

    answer = await place.browser().get("/migrate/me", headers=lucias_cookie(session_id))

    assert (answer.status, cookies_of(answer.headers)) == (200, {})


async def test_migrating_works_on_localhost_where_both_cookies_have_one_name(place: Place) -> None:
    session_id = place.lucia.create_session(place.lucia.create_user(next(names), PASSWORD))
    await place.pull()
    browser = place.browser("http://localhost")

    answer = await browser.get("/migrate/me", headers=lucias_cookie(session_id))

    assert cookies_of(answer.headers).keys() == {"auth_session"}
    assert browser.cookies["auth_session"] != session_id
    assert (await browser.get("/migrate/me")).status == 200


async def test_hashed_takes_no_session_of_lucias(place: Place) -> None:
    session_id = place.lucia.create_session(place.lucia.create_user(next(names), PASSWORD))
    await place.pull()

    for name in ("auth_session", "__Host-auth_session"):
        headers = {"cookie": f"{name}={session_id}"}
        assert (await place.browser().get("/hashed/me", headers=headers)).status == 401
