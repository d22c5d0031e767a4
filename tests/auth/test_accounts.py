"""Signing up and in: who gets in, what it costs, and what happens in between."""

import asyncio
from typing import Any

import pytest

from framework.auth import GRACE, Argon2Hasher
from framework.response import Response
from framework.testing import json_of
from tests.auth.clock import START
from tests.auth.databases import HaltingDatabase
from tests.auth.hasher import quick_hasher
from tests.auth.world import PASSWORD, USERNAME, World

WINDOW = 15 * 60_000
COOKIE = "auth_session"
WRONG = "wrong horse"


async def sign_in(world: World, username: str = USERNAME, password: str = PASSWORD) -> Response:
    credentials = {"username": username, "password": password}
    return await world.browser().post("/sign-in", json=credentials)


async def code_of(answer: Response) -> tuple[int, str]:
    return answer.status, json_of(answer)["code"]


# --- Who gets in ---------------------------------------------------------------------------------


async def test_one_user_one_key_one_session(world: World) -> None:
    answer = await world.browser().post("/sign-up", json={"username": "Alice"})

    user = json_of(answer)
    (row,) = await world.rows("user")
    assert row.items() >= {
        "id": user["id"], "username": "Alice", "role": "user", "created_at": 0,
    }.items()  # fmt: skip
    (key,) = await world.rows("user_key")
    assert (key["id"], key["user_id"]) == ("username:alice", user["id"])
    (session,) = await world.rows("user_session")
    assert session["user_id"] == user["id"]
    assert session["created_at"] == session["authenticated_at"] == START


@pytest.mark.parametrize(
    ("username", "is_same"),
    [
        ("alice", True),
        ("ALICE", True),
        ("ａｌｉｃｅ", True),  # noqa: RUF001  # full-width
        ("Åalice", False),
        ("alicе", False),  # noqa: RUF001  # Cyrillic
        ("alice ", False),
        (" alice", False),
        ("alice\0", False),
        ("alice\n", False),
        ("alice\u200b", False),
        ("alice" + "\u0301" * 60, False),
        ("", False),
        ("alice" * 20, False),
    ],
    ids=ascii,
)
async def test_one_name_is_one_account(world: World, username: str, is_same: bool) -> None:
    await world.signed_up()

    answer = await sign_in(world, username)

    assert answer.status == (200 if is_same else 401)


@pytest.mark.parametrize("username", ["Bob", "bob", "ｂｏｂ"])  # noqa: RUF001  # full-width
async def test_of_two_sign_ups_at_once_one_is_refused(world: World, username: str) -> None:
    both = [world.browser().post("/sign-up", json={"username": n}) for n in ("bob", username)]

    answers = await asyncio.gather(*both)

    assert sorted(answer.status for answer in answers) == [201, 409]
    for table in ("user", "user_key", "user_session"):
        assert len(await world.rows(table)) == 1


@pytest.mark.parametrize(("path", "username"), [("/sign-in", USERNAME), ("/sign-up", "bob")])
async def test_the_session_that_was_brought_is_given_up(
    world: World, path: str, username: str
) -> None:
    browser = await world.signed_up()
    before = browser.fork(with_cookies=True)

    await browser.post(path, json={"username": username})

    assert (await before.get("/me")).status == 401
    assert (await browser.get("/me")).status == 200
    assert len(await world.rows("user_session")) == 1


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_a_token_that_was_planted_stays_worthless(world: World, path: str) -> None:
    await world.signed_up()
    planted = {"cookie": f"{COOKIE}={'a' * 40}"}
    name = USERNAME if path == "/sign-in" else "bob"

    answer = await world.browser().post(path, json={"username": name}, headers=planted)

    assert answer.status in {200, 201}
    assert "a" * 40 not in str(answer.headers)
    assert (await world.browser().get("/me", headers=planted)).status == 401


async def test_tokens_are_drawn_anew_each_time(world: World) -> None:
    await world.signed_up()

    tokens = {(await world.signed_in()).cookies[COOKIE] for _ in range(20)}

    assert len(tokens) == 20
    assert all(len(set(token)) > 10 for token in tokens)


@pytest.mark.parametrize("stored", [None, "", "garbage", "s2:x:y", "$argon2id$", "$2b$12$abc"])
async def test_what_is_no_hash_matches_nothing(world: World, stored: str | None) -> None:
    await world.signed_up()
    await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", stored)

    for password in (PASSWORD, "", stored or "", "null", "None"):
        assert await code_of(await sign_in(world, password=password)) == (
            401,
            "invalid-credentials",
        )


# --- What it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (USERNAME, WRONG),
        ("nobody", WRONG),
        ("", WRONG),
        ("n" * 300, WRONG),
        (USERNAME, ""),
        ("nobody", ""),
        (USERNAME, "p" * 2_000),
        ("nobody", "p" * 2_000),
    ],
    ids=["wrong", "unknown", "no name", "long name", "empty", "both", "long", "both long"],
)
async def test_to_be_refused_costs_one_verification(
    world: World, username: str, password: str
) -> None:
    await world.signed_up()
    world.hasher.reset()

    answer = await sign_in(world, username, password)

    assert await code_of(answer) == (401, "invalid-credentials")
    assert (world.hasher.hashes, len(world.hasher.verified)) == (0, 1)


@pytest.mark.parametrize("stored", [None, ""])
async def test_a_key_without_a_password_costs_the_same(world: World, stored: str | None) -> None:
    await world.signed_up()
    await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", stored)
    world.hasher.reset()

    await sign_in(world)

    assert world.hasher.verified == [world.hasher.dummy_hash]


async def test_nobody_has_the_same_parameters_as_everybody(world: World) -> None:
    await world.signed_up()
    world.hasher.reset()

    await sign_in(world, USERNAME, WRONG)
    await sign_in(world, "nobody", WRONG)

    parameters = [stored.split("$")[1:4] for stored in world.hasher.verified]
    assert parameters[0] == parameters[1]
    assert world.hasher.verified[1] == world.hasher.dummy_hash


async def test_a_refusal_says_nothing_about_who_exists(world: World) -> None:
    await world.signed_up()

    wrong, unknown = await sign_in(world, password=WRONG), await sign_in(world, "nobody", WRONG)

    assert (wrong.status, wrong.headers, wrong.body) == (
        unknown.status,
        unknown.headers,
        unknown.body,
    )


async def test_signing_up_hashes_once_and_signing_in_verifies_once(world: World) -> None:
    await world.signed_up()
    up = (world.hasher.hashes, len(world.hasher.verified))
    world.hasher.reset()

    await world.signed_in()

    assert up == (1, 0)
    assert (world.hasher.hashes, len(world.hasher.verified)) == (0, 1)


# --- Too many attempts ---------------------------------------------------------------------------


@pytest.mark.parametrize("username", [USERNAME, "nobody"])
async def test_many_attempts_at_once_cost_no_more_than_the_limit(
    world: World, username: str
) -> None:
    await world.signed_up()
    world.hasher.reset()

    answers = await asyncio.gather(*[sign_in(world, username, WRONG) for _ in range(100)])

    statuses = [answer.status for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 90)
    assert len(world.hasher.verified) == 10


@pytest.mark.parametrize(
    ("later", "status", "retry_after"),
    [
        (0, 429, "900"),
        (1, 429, "900"),
        (1_000, 429, "899"),
        (WINDOW - 1_000, 429, "1"),
        (WINDOW - 1, 429, "1"),
        (WINDOW, 200, None),
        (WINDOW + 1, 200, None),
    ],
)
async def test_the_window_ends_when_it_ends(
    world: World, later: int, status: int, retry_after: str | None
) -> None:
    await world.signed_up()
    for _ in range(10):
        await sign_in(world, password=WRONG)
    world.clock.now += later

    answer = await sign_in(world)

    assert (answer.status, answer.header("retry-after")) == (status, retry_after)


async def test_attempts_past_the_limit_do_not_move_the_window(world: World) -> None:
    await world.signed_up()
    for _ in range(30):
        await sign_in(world, password=WRONG)
        world.clock.now += WINDOW // 30

    assert (await sign_in(world)).status == 200


async def test_a_new_window_counts_from_one(world: World) -> None:
    await world.signed_up()
    for _ in range(11):
        await sign_in(world, password=WRONG)
    world.clock.now += WINDOW

    statuses = [(await sign_in(world, password=WRONG)).status for _ in range(11)]

    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize("username", ["ALICE", "ａｌｉｃｅ"])  # noqa: RUF001  # full-width
async def test_another_spelling_is_the_same_account(world: World, username: str) -> None:
    await world.signed_up()
    for _ in range(10):
        await sign_in(world, username, WRONG)

    assert (await sign_in(world)).status == 429


async def test_one_accounts_attempts_are_not_anothers(world: World) -> None:
    await world.signed_up()
    await world.signed_up("bob")
    for _ in range(11):
        await sign_in(world, "bob", WRONG)

    assert (await sign_in(world)).status == 200


async def test_signing_in_forgets_the_attempts(world: World) -> None:
    await world.signed_up()
    for _ in range(9):
        await sign_in(world, password=WRONG)

    assert (await sign_in(world)).status == 200
    assert await world.rows("sign_in_attempt") == []


async def test_no_name_is_kept_of_who_does_not_exist(world: World) -> None:
    await sign_in(world, "hunter2 typed into the wrong field", WRONG)

    (attempt,) = await world.rows("sign_in_attempt")
    assert "hunter2" not in str(attempt)
    assert len(attempt["account"]) == 64


async def test_changing_the_password_is_limited_like_signing_in(world: World) -> None:
    browser = await world.signed_up()
    for _ in range(5):
        assert (await browser.put("/password", json={"current": WRONG})).status == 401

    assert (await browser.put("/password", json={})).status == 429
    assert (await browser.get("/me")).status == 200


# --- Old parameters ------------------------------------------------------------------------------


@pytest.fixture
def strict_world() -> Any:
    """A world where everybody's hash has to be replaced: it was made with less."""
    world = World(hasher=Argon2Hasher())
    yield world
    world.close()


async def make_outdated(world: World) -> str:
    """Store a hash of the password with other parameters, and return it."""
    outdated = await quick_hasher().hash(PASSWORD)
    await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", outdated)
    return outdated


async def stored_hash(world: World) -> str:
    (key,) = await world.rows("user_key")
    return str(key["hashed_password"])


async def test_an_outdated_hash_is_replaced_at_sign_in(strict_world: World) -> None:
    await strict_world.signed_up()
    outdated = await make_outdated(strict_world)

    assert (await sign_in(strict_world)).status == 200

    replaced = await stored_hash(strict_world)
    assert replaced != outdated
    assert replaced.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await sign_in(strict_world)).status == 200
    assert await stored_hash(strict_world) == replaced


async def test_a_wrong_password_replaces_nothing(strict_world: World) -> None:
    await strict_world.signed_up()
    outdated = await make_outdated(strict_world)

    assert (await sign_in(strict_world, password=WRONG)).status == 401
    assert await stored_hash(strict_world) == outdated


async def test_who_is_verified_signs_in_even_if_the_hash_cannot_be_replaced(
    strict_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(password: str) -> str:
        raise OSError("the hash service is down")

    await strict_world.signed_up()
    outdated = await make_outdated(strict_world)
    monkeypatch.setattr(strict_world.hasher, "hash", fail)

    assert (await sign_in(strict_world)).status == 200
    assert await stored_hash(strict_world) == outdated
    assert "a password could not be hashed anew" in caplog.text


async def test_two_sign_ins_that_both_replace_it_both_succeed(strict_world: World) -> None:
    await strict_world.signed_up()
    await make_outdated(strict_world)

    answers = await asyncio.gather(sign_in(strict_world), sign_in(strict_world))

    assert [answer.status for answer in answers] == [200, 200]
    assert len(await strict_world.rows("user_session")) == 3
    assert (await sign_in(strict_world)).status == 200


# --- Meanwhile -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("PUT", "/password"), ("DELETE", "/me")])
async def test_a_password_that_was_changed_while_it_was_verified_signs_nobody_in(
    world: World, method: str, path: str
) -> None:
    owner = await world.signed_up()
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("INSERT INTO user_session")
    late = asyncio.create_task(sign_in(world))
    await halt.reached()
    assert (await owner.request(method, path, json={})).status == 204
    tables = ("user_session", "known_device")
    before = [await world.rows(table) for table in tables]

    halt.release()

    answer = await late
    assert await code_of(answer) == (401, "invalid-credentials")
    assert answer.header("set-cookie") is None
    assert [await world.rows(table) for table in tables] == before


async def test_of_two_password_changes_at_once_one_takes_place(world: World) -> None:
    browser = await world.signed_up()
    tabs = [browser.fork(with_cookies=True) for _ in range(2)]

    answers = await asyncio.gather(
        *[tab.put("/password", json={"new": f"new password {n}"}) for n, tab in enumerate(tabs)]
    )

    assert sorted(answer.status for answer in answers) == [204, 401]
    winner = [answer.status for answer in answers].index(204)
    assert (await sign_in(world, password=f"new password {winner}")).status == 200
    assert (await sign_in(world, password=f"new password {1 - winner}")).status == 401


async def test_changing_the_password_ends_every_session_and_begins_one(world: World) -> None:
    browser = await world.signed_up()
    others = [await world.signed_in() for _ in range(2)]
    before = browser.fork(with_cookies=True)

    assert (await browser.put("/password", json={})).status == 204

    assert [(await each.get("/me")).status for each in others] == [401] * 2
    assert (await browser.get("/me")).status == 200
    world.clock.now += GRACE
    assert (await before.get("/me")).status == 401
    assert len(await world.rows("user_session")) == 1


NEW = "battery staple"


async def test_changing_the_password_changes_every_password_of_the_user(world: World) -> None:
    browser, db = await world.signed_up(), world.sqlite
    await world.signed_up("bob")
    [user_id] = [user["id"] for user in await world.rows("user") if user["username"] == USERNAME]
    for provider, name in (("username", "alice2"), ("email", "alice@example.com")):
        await world.auth.keys.create(db, user_id, provider, name, PASSWORD)
    await world.auth.keys.create(db, user_id, "github", "7")

    assert (await browser.put("/password", json={})).status == 204

    for name in (USERNAME, "alice2"):
        assert (await sign_in(world, name)).status == 401
        assert (await sign_in(world, name, NEW)).status == 200
    key = await world.auth.keys.use(db, "email", "alice@example.com", NEW)
    assert key.user_id == user_id
    assert not (await world.auth.keys.get(db, "github", "7")).has_password
    assert (await sign_in(world, "bob")).status == 200


async def test_a_change_that_lost_changes_none_of_them(world: World) -> None:
    browser, db = await world.signed_up(), world.sqlite
    [user] = await world.rows("user")
    await world.auth.keys.create(db, user["id"], "username", "alice2", PASSWORD)
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("UPDATE user_key")
    late = asyncio.create_task(browser.put("/password", json={}))
    await halt.reached()
    await world.auth.keys.set_password(db, "username", USERNAME, "set meanwhile")
    halt.release()

    assert (await late).status == 401

    assert (await sign_in(world, "alice2")).status == 200


async def test_a_change_of_a_key_that_is_gone_meanwhile_is_refused(world: World) -> None:
    browser = await world.signed_up()  # sessions go on without the key
    world.database = halting = HaltingDatabase(world.sqlite)
    halt = halting.halt("UPDATE user_key")
    late = asyncio.create_task(browser.put("/password", json={}))
    await halt.reached()
    await world.auth.keys.delete(world.sqlite, "username", USERNAME)
    halt.release()

    answer = await late

    assert (answer.status, answer.header("set-cookie")) == (401, None)


@pytest.mark.parametrize("other", ["aaron", "zoe"])
async def test_a_key_without_a_password_is_not_in_the_way_of_a_change(
    world: World, other: str
) -> None:
    browser = await world.signed_up()
    [user] = await world.rows("user")
    await world.auth.keys.create(world.sqlite, user["id"], "username", other)

    assert (await browser.put("/password", json={})).status == 204

    assert (await sign_in(world, USERNAME, NEW)).status == 200
    assert not (await world.auth.keys.get(world.sqlite, "username", other)).has_password


async def test_deleting_a_user_leaves_nothing_of_theirs(world: World) -> None:
    browser = await world.signed_up()
    bob = await world.signed_up("bob")
    await world.signed_in()

    assert (await browser.delete("/me")).status == 204

    assert [user["username"] for user in await world.rows("user")] == ["bob"]
    assert len(await world.rows("user_key")) == len(await world.rows("user_session")) == 1
    assert (await bob.get("/me")).status == 200


@pytest.mark.parametrize(("unique", "status"), [("username", 409), ("role", 500)])
async def test_a_name_is_taken_only_where_it_is_the_name(
    world: World, unique: str, status: int
) -> None:
    world.sqlite.apply_schema(f"CREATE UNIQUE INDEX user_by_{unique} ON user({unique});")
    await world.sqlite.run("INSERT INTO user (id, username, role) VALUES ('u', 'bob', 'user')")

    answer = await world.browser().post("/sign-up", json={"username": "bob"})

    assert answer.status == status
    assert await world.rows("user_key") == []


@pytest.mark.parametrize(("name", "status"), [("bob", 409), ("carol", 500)])
async def test_an_index_over_an_expression_is_asked_whether_it_was_the_name(
    world: World, name: str, status: int
) -> None:
    world.sqlite.apply_schema("CREATE UNIQUE INDEX user_by_role ON user(lower(role));")
    await world.signed_up("bob")

    answer = await world.browser().post("/sign-up", json={"username": name})

    assert answer.status == status
    assert len(await world.rows("user_key")) == 1
