"""Users and keys, made and changed by a program: no request, no session."""

import asyncio
from typing import Any

import pytest

from framework.auth import (
    DuplicateKey,
    InvalidCredentials,
    InvalidKey,
    InvalidPassword,
    Key,
    NewKey,
    OutdatedPassword,
    PasswordError,
    UnknownKey,
    UnknownUser,
    hash_password,
)
from framework.database import ForeignKeyViolation, UniqueViolation
from framework.errors import TooManyRequests
from tests.auth.databases import CountingDatabase
from tests.auth.world import PASSWORD, Member, World

GITHUB = NewKey("github", "583231")


async def somebody(world: World, **attributes: Any) -> Member:
    return await world.auth.users.create(world.sqlite, None, **{"username": "Ann", **attributes})


# --- Users ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        (None, []),
        (GITHUB, [("github:583231", False)]),
        (NewKey("username", "Alice", PASSWORD), [("username:alice", True)]),
        (NewKey("email", "Ann@example.com", PASSWORD), [("email:Ann@example.com", True)]),
        (NewKey("oidc", "https://id.example/x:1"), [("oidc:https://id.example/x:1", False)]),
    ],
    ids=["without", "no password", "username", "another provider", "a colon in the id"],
)
async def test_a_user_is_made_with_a_key_or_without_in_one_trip(
    world: World, key: NewKey | None, keys: list[tuple[str, bool]]
) -> None:
    counting = CountingDatabase(world.sqlite)

    user = await world.auth.users.create(counting, key, username="Ann", role="admin")

    assert len(counting.trips) == 1
    (row,) = await world.rows("user")
    assert row.items() >= {
        "id": user.id, "username": "Ann", "role": "admin", "created_at": 0,
    }.items()  # fmt: skip
    rows = await world.rows("user_key")
    assert [(row["id"], row["hashed_password"] is not None) for row in rows] == keys
    assert all(row["user_id"] == user.id for row in rows)
    assert await world.auth.users.get(world.sqlite, user.id) == user


async def test_whoever_is_made_with_a_password_signs_in(world: World) -> None:
    key = NewKey("username", "Alice", PASSWORD)
    await world.auth.users.create(world.sqlite, key, username="Alice")

    assert (await (await world.signed_in()).get("/me")).status == 200


async def test_an_id_of_ones_own_is_taken(world: World) -> None:
    assert (await somebody(world, id="ann")).id == "ann"

    with pytest.raises(UniqueViolation):
        await somebody(world, id="ann")


async def test_a_key_that_is_taken_makes_no_user(world: World) -> None:
    await world.auth.users.create(world.sqlite, GITHUB, username="Ann")

    with pytest.raises(DuplicateKey):
        await world.auth.users.create(world.sqlite, GITHUB, username="Bob")

    assert [row["username"] for row in await world.rows("user")] == ["Ann"]


@pytest.mark.parametrize("attributes", [{}, {"username": "x", "nickname": "y"}], ids=str)
async def test_attributes_are_those_of_the_struct(world: World, attributes: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        await world.auth.users.create(world.sqlite, None, **attributes)

    assert await world.rows("user") == []


async def test_some_attributes_are_set_and_the_others_stay(world: World) -> None:
    user = await somebody(world)
    other = await somebody(world, username="Bob")

    updated = await world.auth.users.update(world.sqlite, user.id, role="admin", created_at=5)

    assert updated == Member(id=user.id, username="Ann", role="admin", created_at=5)
    assert await world.auth.users.get(world.sqlite, user.id) == updated
    assert await world.auth.users.get(world.sqlite, other.id) == other


@pytest.mark.parametrize(
    "attributes",
    [{"id": "x"}, {"nickname": "x"}, {"role = 'admin' --": "x"}, {"role": "admin", "": 1}],
    ids=str,
)
async def test_what_is_no_attribute_is_not_set(world: World, attributes: dict[str, Any]) -> None:
    user = await somebody(world)

    with pytest.raises(TypeError, match="no attribute of Member"):
        await world.auth.users.update(world.sqlite, user.id, **attributes)

    assert await world.auth.users.get(world.sqlite, user.id) == user


@pytest.mark.parametrize("attributes", [{}, {"role": "admin"}], ids=str)
@pytest.mark.parametrize("user_id", ["nobody", "", "x" * 10_000, "a\0b", "' OR 1=1 --"], ids=len)
async def test_nobody_is_found_and_nobody_is_changed(
    world: World, user_id: str, attributes: dict[str, str]
) -> None:
    await somebody(world)

    with pytest.raises(UnknownUser):
        await world.auth.users.update(world.sqlite, user_id, **attributes)
    assert [row["role"] for row in await world.rows("user")] == ["user"]


async def test_a_user_goes_with_all_that_is_theirs_in_one_trip(world: World) -> None:
    await world.signed_up()
    bob = await world.signed_up("bob")
    [alice] = [row["id"] for row in await world.rows("user") if row["username"] == "alice"]
    await world.auth.keys.create(world.sqlite, alice, "github", "1")
    counting = CountingDatabase(world.sqlite)

    done = await world.auth.users.delete(counting, alice)
    again = await world.auth.users.delete(world.sqlite, alice)

    assert (done, again, len(counting.trips)) == (True, False, 1)
    for table in ("user", "user_key", "user_session", "known_device"):
        assert len(await world.rows(table)) == 1, table
    assert (await bob.get("/me")).status == 200


async def test_a_user_that_something_refers_to_stays_whole(world: World) -> None:
    browser = await world.signed_up()
    await world.sqlite.run(
        "INSERT INTO note (user_id, title, body, created_at, updated_at)"
        " SELECT id, 't', 'b', 0, 0 FROM user"
    )
    [user] = await world.rows("user")

    with pytest.raises(ForeignKeyViolation):
        await world.auth.users.delete(world.sqlite, user["id"])

    assert (await browser.get("/me")).status == 200


# --- Keys ----------------------------------------------------------------------------------------


async def test_a_user_has_several_keys(world: World) -> None:
    user, other = await somebody(world), await somebody(world, username="Bob")
    keys = world.auth.keys
    await keys.create(world.sqlite, other.id, "github", "1")

    made = [
        await keys.create(world.sqlite, user.id, "username", "Ann", PASSWORD),
        await keys.create(world.sqlite, user.id, "email", "ann@example.com", PASSWORD),
        await keys.create(world.sqlite, user.id, "github", "2"),
    ]

    assert made == [
        Key("username", "ann", user.id, True),
        Key("email", "ann@example.com", user.id, True),
        Key("github", "2", user.id, False),
    ]
    assert await keys.for_user(world.sqlite, user.id) == [made[1], made[2], made[0]]
    assert await keys.for_user(world.sqlite, "nobody") == []
    for key in made:
        assert await keys.get(world.sqlite, key.provider, key.provider_user_id) == key


async def test_no_two_users_have_one_key(world: World) -> None:
    user, other = await somebody(world), await somebody(world, username="Bob")
    both = [world.auth.keys.create(world.sqlite, each.id, "github", "1") for each in (user, other)]

    outcomes = await asyncio.gather(*both, return_exceptions=True)

    assert sorted(type(each).__name__ for each in outcomes) == ["DuplicateKey", "Key"]
    assert len(await world.rows("user_key")) == 1


async def test_a_key_is_somebodys(world: World) -> None:
    with pytest.raises(UnknownUser):
        await world.auth.keys.create(world.sqlite, "nobody", "github", "1")


@pytest.mark.parametrize(
    ("provider", "provider_user_id"),
    [
        ("a:b", "x"),
        (":", "x"),
        ("", "x"),
        ("github", ""),
        ("github", "x" * 249),
        ("x" * 255, "x"),
    ],
    ids=["colon", "only a colon", "no provider", "no id", "long id", "long provider"],
)
async def test_a_name_that_is_none_is_refused_everywhere(
    world: World, provider: str, provider_user_id: str
) -> None:
    keys, db = world.auth.keys, world.sqlite
    user = await somebody(world)

    for call in (
        keys.create(db, user.id, provider, provider_user_id),
        keys.use(db, provider, provider_user_id, PASSWORD),
        keys.get(db, provider, provider_user_id),
        keys.set_password(db, provider, provider_user_id, PASSWORD),
        keys.delete(db, provider, provider_user_id),
        world.auth.users.create(db, NewKey(provider, provider_user_id), username="x"),
    ):
        with pytest.raises(ValueError, match=r"provider|255"):
            await call
    assert len(await world.rows("user")) == 1
    assert await world.rows("user_key") == []


async def test_the_longest_name_fits(world: World) -> None:
    user = await somebody(world)

    await world.auth.keys.create(world.sqlite, user.id, "github", "x" * 248)

    assert [len(row["id"]) for row in await world.rows("user_key")] == [255]


@pytest.mark.parametrize("password", ["", "short", "x" * 1025, "\ud800" * 8], ids=len)
async def test_a_password_that_is_none_is_refused_everywhere(world: World, password: str) -> None:
    keys, db = world.auth.keys, world.sqlite
    user = await somebody(world)
    await keys.create(db, user.id, "username", "ann", PASSWORD)

    for call in (
        keys.create(db, user.id, "email", "ann", password),
        keys.set_password(db, "username", "ann", password),
        world.auth.users.create(db, NewKey("email", "x", password), username="x"),
    ):
        with pytest.raises(PasswordError):
            await call

    assert len(await world.rows("user")) == len(await world.rows("user_key")) == 1
    assert (await keys.use(db, "username", "ann", PASSWORD)).user_id == user.id


async def with_keys(world: World) -> Member:
    """Return somebody with a password, a way in without one, and a hash that nobody verifies."""
    user, keys, db = await somebody(world), world.auth.keys, world.sqlite
    await keys.create(db, user.id, "username", "ann", PASSWORD)
    await keys.create(db, user.id, "github", "1")
    await keys.create(db, user.id, "bcrypt", "1", PASSWORD)
    await db.run("UPDATE user_key SET hashed_password = '$2a$10$x' WHERE id = 'bcrypt:1'")
    return user


@pytest.mark.parametrize(
    ("provider", "provider_user_id", "password"),
    [("username", "ann", PASSWORD), ("username", "ANN", PASSWORD), ("github", "1", None)],
)
async def test_a_key_is_used_with_what_it_asks_for(
    world: World, provider: str, provider_user_id: str, password: str | None
) -> None:
    user = await with_keys(world)

    key = await world.auth.keys.use(world.sqlite, provider, provider_user_id, password)

    assert (key.provider, key.user_id) == (provider, user.id)


@pytest.mark.parametrize(
    ("provider", "provider_user_id", "password", "error"),
    [
        ("username", "ann", PASSWORD + "x", InvalidPassword),
        ("username", "ann", "", InvalidPassword),
        ("username", "ann", None, InvalidPassword),
        ("username", "bob", PASSWORD, InvalidKey),
        ("username", "bob", None, InvalidKey),
        ("email", "ann", PASSWORD, InvalidKey),
        ("github", "1", PASSWORD, InvalidPassword),
        ("github", "1", "", InvalidPassword),
        ("bcrypt", "1", PASSWORD, OutdatedPassword),
    ],
)
async def test_a_program_learns_why_and_a_client_does_not(
    world: World,
    provider: str,
    provider_user_id: str,
    password: str | None,
    error: type[InvalidCredentials],
) -> None:
    await with_keys(world)

    with pytest.raises(InvalidCredentials) as caught:
        await world.auth.keys.use(world.sqlite, provider, provider_user_id, password)

    assert caught.type is error
    assert (caught.value.status, caught.value.code) == (401, "invalid-credentials")
    assert str(caught.value) == "The username or the password is wrong."


async def test_to_delete_says_whether_there_was_a_user(world: World) -> None:
    user = await somebody(world)

    deleted = [await world.auth.users.delete(world.sqlite, user.id) for _ in range(2)]

    assert deleted == [True, False]


async def test_using_a_key_hashes_an_outdated_password_anew(world: World) -> None:
    await with_keys(world)
    outdated, find = await hash_password(PASSWORD), "SELECT hashed_password FROM user_key"
    await world.sqlite.run(
        "UPDATE user_key SET hashed_password = ?1 WHERE id = 'username:ann'", outdated
    )

    await world.auth.keys.use(world.sqlite, "username", "ann", PASSWORD)

    [row] = await world.sqlite.all(dict, f"{find} WHERE id = 'username:ann'")
    assert row["hashed_password"] != outdated
    assert not world.hasher.is_outdated(row["hashed_password"])


async def test_using_a_key_is_limited_as_signing_in_is(world: World) -> None:
    browser, keys = await world.signed_up(), world.auth.keys
    for _ in range(10):
        with pytest.raises(InvalidPassword):
            await keys.use(world.sqlite, "username", "alice", "wrong horse")
    world.hasher.reset()

    with pytest.raises(TooManyRequests):
        await keys.use(world.sqlite, "username", "alice", PASSWORD)

    assert world.hasher.verified == []
    assert (await browser.get("/me")).status == 200


async def test_the_right_password_forgets_the_attempts(world: World) -> None:
    await world.signed_up()
    with pytest.raises(InvalidPassword):
        await world.auth.keys.use(world.sqlite, "username", "alice", "wrong horse")

    await world.auth.keys.use(world.sqlite, "username", "alice", PASSWORD)

    assert await world.rows("sign_in_attempt") == []


async def test_another_password_ends_all_sessions_in_the_same_trip(world: World) -> None:
    browser, bob = await world.signed_up(), await world.signed_up("bob")
    counting = CountingDatabase(world.sqlite)

    key = await world.auth.keys.set_password(counting, "username", "Alice", "battery staple")

    assert (key.has_password, len(counting.trips)) == (True, 1)
    assert (await browser.get("/me")).status == 401
    assert (await bob.get("/me")).status == 200
    answer = await world.browser().post("/sign-in", json={"password": "battery staple"})
    assert answer.status == 200


async def test_a_password_taken_away_signs_nobody_in(world: World) -> None:
    await world.signed_up()

    key = await world.auth.keys.set_password(world.sqlite, "username", "alice", None)

    assert not key.has_password
    assert (await world.browser().post("/sign-in", json={})).status == 401


async def test_a_key_that_is_not_there(world: World) -> None:
    keys, db = world.auth.keys, world.sqlite

    for call in (keys.get(db, "github", "1"), keys.set_password(db, "github", "1", PASSWORD)):
        with pytest.raises(UnknownKey):
            await call
    assert await keys.delete(db, "github", "1") is False


async def test_one_key_is_deleted_and_the_user_stays(world: World) -> None:
    user, keys, db = await somebody(world), world.auth.keys, world.sqlite
    for name in ("1", "2"):
        await keys.create(db, user.id, "github", name)

    assert await keys.delete(db, "github", "1") is True

    assert [key.provider_user_id for key in await keys.for_user(db, user.id)] == ["2"]
    assert await world.auth.users.get(db, user.id) == user


def test_a_new_key_shows_no_password() -> None:
    key = NewKey("username", "alice", "a secret password")

    assert "secret" not in f"{key!r} {key} {[key]}"
