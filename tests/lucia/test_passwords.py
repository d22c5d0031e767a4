"""Passwords that Lucia stored sign in at Kagari's, and become Argon2id."""

import pytest

from framework.testing import json_of
from tests.lucia.asking import NEW_PASSWORD, credentials, names, signed_in
from tests.lucia.hashes import BCRYPT, FORMS, PASSWORD
from tests.lucia.places import Place
from tests.lucia.process import LuciaError

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("path", ["/hashed", "/migrate"])
async def test_a_password_of_lucias_signs_in_and_becomes_argon2id(place: Place, path: str) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    await place.pull()

    browser = await signed_in(place, path, username)
    await place.push()

    me = json_of(await browser.get(f"{path}/me"))
    (key,) = place.lucia.sql("SELECT * FROM user_key WHERE user_id = ?", user_id)
    assert (me["id"], me["username"]) == (user_id, username)
    assert key["hashed_password"].startswith("$argon2id$")
    await signed_in(place, path, username)


async def test_a_password_changed_in_lucia_counts(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, PASSWORD)
    place.lucia.call("updateKeyPassword", "username", username, NEW_PASSWORD)
    await place.pull()

    answer = await place.browser().post("/migrate/sign-in", json=credentials(username))

    assert answer.status == 401
    await signed_in(place, "/migrate", username, NEW_PASSWORD)


async def test_a_password_shorter_than_ours_signs_in_and_stays(place: Place) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, "sixsix")
    await place.pull()

    await signed_in(place, "/migrate", username, "sixsix")
    await place.push()

    (key,) = place.lucia.sql("SELECT * FROM user_key WHERE user_id = ?", user_id)
    assert key["hashed_password"].startswith("s2:")


@pytest.mark.parametrize("stored", FORMS.values(), ids=FORMS)
async def test_older_and_later_forms_sign_in_too(place: Place, stored: str) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    change = "UPDATE user_key SET hashed_password = ? WHERE user_id = ?"
    place.lucia.sql(change, stored, user_id)
    await place.pull()

    wrong = await place.browser().post("/migrate/sign-in", json=credentials(username, "wrong one"))
    await signed_in(place, "/migrate", username)
    await place.push()

    (key,) = place.lucia.sql("SELECT * FROM user_key WHERE user_id = ?", user_id)
    assert wrong.status == 401
    assert key["hashed_password"].startswith("$argon2id$")


@pytest.mark.parametrize("path", ["/migrate", "/shared"])
async def test_what_lucia_calls_outdated_signs_nobody_in(place: Place, path: str) -> None:
    username = next(names)
    user_id = place.lucia.create_user(username, PASSWORD)
    change = "UPDATE user_key SET hashed_password = ? WHERE user_id = ?"
    place.lucia.sql(change, BCRYPT, user_id)
    with pytest.raises(LuciaError, match="AUTH_OUTDATED_PASSWORD"):
        place.lucia.call("useKey", "username", username, PASSWORD)
    await place.pull()

    answer = await place.browser().post(f"{path}/sign-in", json=credentials(username))
    await place.push()

    (key,) = place.lucia.sql("SELECT * FROM user_key WHERE user_id = ?", user_id)
    assert (answer.status, json_of(answer)["code"]) == (401, "invalid-credentials")
    assert key["hashed_password"] == BCRYPT


async def test_a_key_without_a_password_signs_nobody_in(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, None)
    await place.pull()

    for password in ("", "null", PASSWORD):
        answer = await place.browser().post(
            "/migrate/sign-in", json=credentials(username, password)
        )
        assert answer.status == 401


async def test_keys_of_another_provider_sign_in_where_it_is_named(place: Place) -> None:
    email = f"{next(names)}@example.test"
    place.lucia.create_user(email, PASSWORD, "email")
    await place.pull()

    answer = await place.browser().post("/migrate/sign-in", json=credentials(email))

    assert answer.status == 401
    await signed_in(place, "/email", email)


async def test_a_password_in_other_letters_is_the_same_for_both(place: Place) -> None:
    username = next(names)
    place.lucia.create_user(username, "pässwörd ﬁ")  # composed, with a ligature
    await place.pull()

    for typed in ("pa\u0308sswo\u0308rd ﬁ", "pässwörd fi"):
        await signed_in(place, "/shared", username, typed)
