"""In a shared database, what one of the two writes the other takes."""

import pytest

from framework.testing import json_of
from tests.lucia.asking import (
    NEW_PASSWORD,
    attributes_of,
    cookies_of,
    credentials,
    lucias_cookie,
    names,
    signed_in,
)
from tests.lucia.hashes import PASSWORD
from tests.lucia.places import Place
from tests.lucia.process import LuciaError

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_signs_up_here_signs_in_at_lucias(place: Place) -> None:
    username = next(names)
    browser = place.browser()
    answer = await browser.post("/shared/sign-up", json=credentials(username))
    await place.push()

    key = place.lucia.call("useKey", "username", username, PASSWORD)
    user = place.lucia.call("getUser", key["userId"])

    assert answer.status == 201
    assert user == {"userId": json_of(answer)["id"], "username": username}
    with pytest.raises(LuciaError, match="AUTH_INVALID_PASSWORD"):
        place.lucia.call("useKey", "username", username, NEW_PASSWORD)


async def test_a_session_begun_here_is_one_of_lucias(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    await place.pull()
    browser = await signed_in(place, "/shared", username)
    session_id = browser.cookies["auth_session"]
    await place.push()

    session = place.lucia.call("validateSession", session_id)
    request = {
        "method": "POST",
        "url": "https://example.test/",
        "headers": {"cookie": f"auth_session={session_id}", "origin": "https://example.test"},
    }
    handled = place.lucia.call("handle", request)

    assert session["user"] == {"userId": user_id, "username": username}
    assert (session["state"], session["fresh"]) == ("active", False)
    assert handled["session"]["sessionId"] == session_id


async def test_a_session_that_lucia_renews_goes_on_here_and_back(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, PASSWORD)
    await place.pull()
    browser = await signed_in(place, "/shared", username)
    session_id = browser.cookies["auth_session"]
    await place.push()
    make_idle = "UPDATE user_session SET active_expires = 1 WHERE id = ?"

    place.lucia.sql(make_idle, session_id)
    renewed_there = place.lucia.call("validateSession", session_id)
    place.lucia.sql(make_idle, session_id)
    await place.pull()
    answer = await browser.get("/shared/me")
    await place.push()

    assert renewed_there["fresh"] is True
    assert json_of(answer)["fresh"] is True
    assert cookies_of(answer.headers)["auth_session"].startswith(session_id)
    assert place.lucia.call("validateSession", session_id)["state"] == "active"


async def test_a_session_of_lucias_stays_as_it_is_in_shared_mode(place: Place) -> None:
    user_id = place.lucia.create_user(next(names), PASSWORD)
    session_id = place.lucia.create_session(user_id)
    await place.pull()

    answer = await place.browser().get("/shared/me", headers=lucias_cookie(session_id))
    await place.push()

    assert (answer.status, cookies_of(answer.headers)) == (200, {})
    assert json_of(answer)["session"] != session_id
    assert place.lucia.call("validateSession", session_id)["user"]["userId"] == user_id


async def test_the_cookie_is_lucias_but_for_how_it_says_when(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, PASSWORD)
    await place.pull()

    answer = await place.browser().post("/shared/sign-in", json=credentials(username))

    ours, _device = [value for name, value in answer.headers if name == "set-cookie"]
    theirs = place.lucia.call("cookie", None)
    assert attributes_of(ours) == attributes_of(theirs)
    assert ours.partition("=")[0] == theirs.partition("=")[0] == "auth_session"


async def test_signing_out_there_signs_out_here_and_the_other_way(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, PASSWORD)
    await place.pull()
    first, second = [await signed_in(place, "/shared", username) for _ in range(2)]
    held = second.cookies["auth_session"]

    await second.post("/shared/sign-out")
    await place.push()
    with pytest.raises(LuciaError, match="AUTH_INVALID_SESSION_ID"):
        place.lucia.call("validateSession", held)
    place.lucia.call("invalidateSession", first.cookies["auth_session"])
    await place.pull()

    assert (await first.get("/shared/me")).status == 401
    assert first.cookies.keys() == {"__Host-auth_device"}


async def test_a_password_changed_here_is_changed_there(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    old = place.lucia.create_session(user_id)
    await place.pull()
    browser = await signed_in(place, "/shared", username)
    change = {"current": PASSWORD, "new": NEW_PASSWORD}
    answer = await browser.put("/shared/password", json=change)
    await place.push()

    key = place.lucia.call("useKey", "username", username, NEW_PASSWORD)
    sessions = place.lucia.call("getAllUserSessions", user_id)

    assert (answer.status, key["userId"]) == (204, user_id)
    assert [each["sessionId"] for each in sessions] == [browser.cookies["auth_session"]] != [old]


async def test_a_password_of_lucias_is_left_alone_in_shared_mode(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    before = place.lucia.sql("SELECT * FROM user_key WHERE user_id = ?", user_id)
    await place.pull()

    await signed_in(place, "/shared", username)
    await place.push()

    assert place.lucia.sql("SELECT * FROM user_key WHERE user_id = ?", user_id) == before


async def test_sessions_of_both_are_listed_and_ended_together(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    theirs = place.lucia.create_session(user_id)
    await place.pull()
    browser = await signed_in(place, "/shared", username)

    listed = json_of(await browser.get("/shared/sessions"))
    ended = await browser.post("/shared/others")
    await place.push()

    assert sorted(each["current"] for each in listed) == [False, True]
    assert not {each["handle"] for each in listed} & {theirs, browser.cookies["auth_session"]}
    assert json_of(ended) == 1
    (left,) = place.lucia.call("getAllUserSessions", user_id)
    assert left["sessionId"] == browser.cookies["auth_session"]


async def test_lucia_deletes_whom_kagari_signed_up(place: Place) -> None:
    browser = place.browser()
    answer = await browser.post("/shared/sign-up", json=credentials(next(names)))
    await place.push()

    place.lucia.call("deleteUser", json_of(answer)["id"])
    await place.pull()

    assert (await browser.get("/shared/me")).status == 401
