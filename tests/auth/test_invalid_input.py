"""Names and passwords that are none: what a client reads, what stays as it was, what a program gets wrong."""

import logging
import pickle
import re
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import pytest

from framework import App, Context, public
from framework.auth import (
    USERNAME_PATTERN,
    Auth,
    AuthError,
    InvalidUsername,
    NewKey,
    PasswordError,
    User,
)
from framework.auth.passwords import PASSWORD_MAX, PASSWORD_MIN
from framework.database import ConstraintViolation, DatabaseError, MissingColumn
from framework.local.sqlite import SQLiteDatabase
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.databases import CountingDatabase
from tests.auth.recovering import NEW, Recovering
from tests.auth.world import PASSWORD, Member, World

NO_NAMES: Final = {
    "empty": "",
    "short": "al",
    "long": "a" * 65,
    "longer": "a" * 100_000,
    "dot first": ".bob",
    "blank": "bob ",
    "colon": "bob:x",
    "accent": "bób",
    "Cyrillic": "аdmin",  # noqa: RUF001  # that is the point
    "null": "bob\0",
    "line": "bob\n",
}
NO_PASSWORDS: Final = {
    "empty": "",
    "7": "seven 7",
    "7 of many bytes": "🔥" * 7,
    "1025": "p" * 1_025,
    "a million": "p" * 1_000_000,
    "surrogate": "eight 8\ud800",
}

BAD_NAME: Final = {
    "title": "Unprocessable Content",
    "status": 422,
    "code": "invalid-username",
    "detail": "A username must be 3 to 64 ASCII letters, digits or . _ @ + -, not starting with a symbol.",
}
BAD_PASSWORD: Final = {
    "title": "Unprocessable Content",
    "status": 422,
    "code": "unusable-password",
}
BAD_LENGTH: Final = {**BAD_PASSWORD, "detail": "A password must have 8 to 1024 characters."}
BAD_TEXT: Final = {**BAD_PASSWORD, "detail": "A password must be text without lone surrogates."}
EMPTY: Final = {**BAD_PASSWORD, "detail": "A password must not be empty."}

each_name = pytest.mark.parametrize(
    "username", [*NO_NAMES.values(), "bob\ud800"], ids=[*NO_NAMES, "surrogate"]
)
each_password = pytest.mark.parametrize("password", NO_PASSWORDS.values(), ids=NO_PASSWORDS.keys())


def refusal_of(password: str) -> dict[str, Any]:
    """Return the problem that a client reads who chose *password*."""
    if not password:
        return EMPTY
    return BAD_TEXT if "\ud800" in password else BAD_LENGTH


async def ask(world: World, call: Any) -> Response:
    """Return what a handler is answered that does what *call* does, and nothing of its own."""
    app = App()

    @app.post("/", guard=public)
    async def handle(c: Context) -> None:
        await call(c)

    return await app.request("POST", "/", env={**world.env, "DB": world.database})


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


# --- What a client reads -------------------------------------------------------------------------


@each_name
async def test_a_name_that_is_none_signs_nobody_up(
    world: World, username: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.database = counting = CountingDatabase(world.sqlite)

    answer = await ask(world, lambda c: world.auth.sign_up(c, username, PASSWORD))

    assert json_of(answer) == BAD_NAME
    assert (world.hasher.hashes, counting.trips, logged(caplog)) == (0, [], [])
    assert "set-cookie" not in dict(answer.headers)


@each_password
async def test_a_password_that_is_none_signs_nobody_up(
    world: World, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.database = counting = CountingDatabase(world.sqlite)

    answer = await ask(world, lambda c: world.auth.sign_up(c, "alice", password))

    assert json_of(answer) == refusal_of(password)
    assert (counting.trips, logged(caplog)) == ([], [])
    assert "set-cookie" not in dict(answer.headers)


@pytest.mark.parametrize("password", ["", "seven 7", "p" * 1_025], ids=len)
async def test_a_password_that_is_none_changes_none(world: World, password: str) -> None:
    browser = await world.signed_up()

    answer = await browser.put("/password", json={"new": password})

    assert json_of(answer) == refusal_of(password)
    assert (await browser.get("/me")).status == 200
    assert (await (await world.signed_in()).get("/me")).status == 200


@pytest.mark.parametrize("is_known", [True, False], ids=["known browser", "unknown"])
async def test_a_password_that_is_none_is_no_attempt(world: World, is_known: bool) -> None:
    browser = await world.signed_up()
    if not is_known:
        await world.sqlite.run("DELETE FROM known_device")

    answers = [await browser.put("/password", json={"new": "short"}) for _ in range(25)]

    assert {answer.status for answer in answers} == {422}
    assert await world.rows("sign_in_attempt") == []
    assert (await browser.put("/password", json={})).status == 204


async def test_whoever_does_not_know_it_is_counted_whatever_the_new_one(world: World) -> None:
    browser = await world.signed_up()
    wrong = {"current": "wrong horse", "new": "short"}

    statuses = [(await browser.put("/password", json=wrong)).status for _ in range(6)]

    assert statuses == [401] * 5 + [429]


async def test_whoever_does_not_know_the_password_hears_of_that_alone(world: World) -> None:
    browser = await world.signed_up()

    answer = await browser.put("/password", json={"current": "wrong horse", "new": "short"})

    assert (answer.status, json_of(answer)["code"]) == (401, "invalid-credentials")


@pytest.mark.parametrize("password", ["", "seven 7", "p" * 1_025], ids=len)
async def test_a_password_that_is_none_uses_no_link_up(
    recovering: Recovering, password: str
) -> None:
    await recovering.verified()
    token = await recovering.mailed()

    answer = await recovering.reset(token, password)

    assert json_of(answer) == refusal_of(password)
    assert await recovering.signs_in(PASSWORD) == 200
    assert (await recovering.reset(token)).status == 204
    assert await recovering.signs_in(NEW) == 200


@each_password
async def test_a_program_that_makes_keys_hands_the_answer_on(world: World, password: str) -> None:
    auth, db = world.auth, world.sqlite
    user = await auth.users.create(db, NewKey("username", "ann", PASSWORD), username="Ann")

    for call in (
        lambda _: auth.keys.create(db, user.id, "email", "ann", password),
        lambda _: auth.keys.set_password(db, "username", "ann", password),
        lambda _: auth.users.create(db, NewKey("email", "bob", password), username="Bob"),
    ):
        assert json_of(await ask(world, call)) == refusal_of(password)
    assert len(await world.rows("user_key")) == 1


@pytest.mark.parametrize("name", ["", "n" * 247, "n" * 1_000_000], ids=len)
async def test_a_name_that_no_key_can_have_is_a_bad_name(world: World, name: str) -> None:
    auth, db = world.auth, world.sqlite

    for call in (
        lambda _: auth.users.create(db, NewKey("username", name, PASSWORD), username="Ann"),
        lambda _: auth.keys.create(db, "somebody", "username", name, PASSWORD),
        lambda _: auth.keys.use(db, "username", name, PASSWORD),
        lambda _: auth.keys.get(db, "username", name),
        lambda _: auth.keys.delete(db, "username", name),
    ):
        answer = json_of(await ask(world, call))
        assert (answer["status"], answer["code"]) == (422, "invalid-username")


@pytest.mark.parametrize(
    ("provider", "name"), [("", "1"), ("git:hub", "1"), ("github", ""), ("github", "1" * 249)]
)
async def test_what_no_client_chose_is_a_fault_of_the_program(
    world: World, provider: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask(world, lambda _: world.auth.keys.use(world.sqlite, provider, name, None))

    assert (answer.status, len(logged(caplog))) == (500, 1)


# --- What stays as it was ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "password"),
    [(name, PASSWORD) for name in NO_NAMES.values()]
    + [(name, password) for name in ("alice", "nobody") for password in NO_PASSWORDS.values()],
    ids=lambda value: ascii(value)[:20],
)
async def test_signing_in_with_them_is_answered_as_ever_at_the_same_cost(
    world: World, username: str, password: str
) -> None:
    await world.signed_up()
    usual = await ask(world, lambda c: world.auth.sign_in(c, "nobody", "wrong horse"))
    world.hasher.reset()

    answer = await ask(world, lambda c: world.auth.sign_in(c, username, password))

    assert (answer.status, answer.headers, answer.body) == (401, usual.headers, usual.body)
    assert (world.hasher.hashes, len(world.hasher.verified)) == (0, 1)


@pytest.mark.parametrize("error", [InvalidUsername(), PasswordError("It is in the dictionary.")])
def test_they_go_on_being_value_errors(error: AuthError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # our own

    for each in (error, copy):
        assert isinstance(each, ValueError)
        assert isinstance(each, AuthError)
        assert (each.status, each.refusal) == (422, False)
        assert str(each) == each.detail
        assert repr(each) == f"{type(error).__name__}({each.detail!r})"


async def test_what_a_hasher_of_ones_own_says_is_what_a_client_reads() -> None:
    class Choosy:
        """Takes no password."""

        dummy_hash = "nobody"

        async def hash(self, password: str) -> str:
            raise PasswordError("This password is in a list of leaked ones.")

        async def verify(self, password: str, stored: str) -> bool:
            return False

        def is_outdated(self, stored: str) -> bool:
            return False

    world = World(hasher=Choosy())

    answer = await ask(world, lambda c: world.auth.sign_up(c, "alice", PASSWORD))

    said = "This password is in a list of leaked ones."
    assert json_of(answer) == {**BAD_PASSWORD, "detail": said}
    world.close()


# --- The name, and the attributes that a program leaves out --------------------------------------


@pytest.mark.parametrize(
    ("username", "attributes", "stored"),
    [
        ("Alice", {}, "Alice"),
        ("ＡＬＩＣＥ", {}, "ＡＬＩＣＥ"),  # noqa: RUF001  # full-width
        ("Alice", {"role": "admin"}, "Alice"),
        ("Alice", {"username": "Alice in Chains"}, "Alice in Chains"),
        ("Alice", {"username": ""}, ""),
    ],
    ids=ascii,
)
async def test_the_name_is_stored_as_typed_unless_another_is_given(
    world: World, username: str, attributes: dict[str, Any], stored: str
) -> None:
    auth, db = world.auth, world.sqlite

    answer = await ask(world, lambda c: auth.sign_up(c, username, PASSWORD, **attributes))
    made = await auth.users.create(db, NewKey("username", username + "2", PASSWORD), **attributes)

    assert answer.status == 204
    [first, second] = sorted((row["username"] for row in await world.rows("user")), key=len)
    assert first == stored
    assert made.username == second == attributes.get("username", username + "2")
    assert {row["id"] for row in await world.rows("user_key")} == {
        "username:alice",
        "username:alice2",
    }


async def test_only_the_name_of_a_password_is_a_username(world: World) -> None:
    for key in (None, NewKey("github", "583231"), NewKey("email", "ann@example.com", PASSWORD)):
        with pytest.raises(TypeError, match="a new Member needs username"):
            await world.auth.users.create(world.sqlite, key)

    assert await world.rows("user") == []


class Aged(Member, frozen=True, kw_only=True):
    """A user with a field that no table has."""

    age: int = 0


@pytest.mark.parametrize(
    ("user", "kind", "status", "words"),
    [
        (User, ConstraintViolation, 500, "NOT NULL constraint failed: user.username: .* of User,"),
        (Aged, MissingColumn, 503, "table user has no column named age: .* the fields of Aged,"),
    ],
)
async def test_a_struct_that_is_not_the_table_is_named(
    world: World,
    user: type[User],
    kind: type[DatabaseError],
    status: int,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    auth, words = Auth(user=user), rf"{words} and the Struct is named by Auth\(user=...\)"
    world.database = strict = SQLiteDatabase()
    schema = (Path(__file__).parents[2] / "schema.sql").read_text()
    strict.apply_schema(schema.replace("NOT NULL DEFAULT ''", "NOT NULL", 1))

    answer = await ask(world, lambda c: auth.sign_up(c, "alice", PASSWORD))
    with pytest.raises(kind, match=words) as refused:
        await auth.users.create(strict, NewKey("username", "alice", PASSWORD))

    assert answer.status == status
    assert re.search(words, caplog.messages[0])
    assert type(refused.value) is kind
    assert await strict.all(dict, "SELECT * FROM user") == []
    strict.close()


async def test_what_else_the_table_refuses_is_said_as_it_is(world: World) -> None:
    world.sqlite.apply_schema(
        "CREATE TRIGGER no_cooks BEFORE INSERT ON user WHEN new.role = 'cook'"
        " BEGIN SELECT RAISE(ABORT, 'no cooks'); END"
    )

    with pytest.raises(ConstraintViolation, match="no cooks") as refused:
        await world.auth.users.create(world.sqlite, None, username="Ann", role="cook")

    assert "Auth(user=...)" not in str(refused.value)


class Anonymous(User, frozen=True, kw_only=True):
    """A user whose row says something else than a name."""

    role: str = "user"


class Named(User, frozen=True, kw_only=True):
    """A user who may have a name."""

    username: str = ""


@pytest.mark.parametrize(
    ("user", "provider", "stored"),
    [
        (Anonymous, "username", "unnamed"),
        (Named, "username", "alice@example.com"),
        (Named, "email", ""),
    ],
)
async def test_an_address_is_nobodys_name_and_a_field_that_is_not_there_is_not_filled(
    world: World, user: type[User], provider: str, stored: str
) -> None:
    await world.sqlite.run("ALTER TABLE user RENAME COLUMN username TO old")
    await world.sqlite.run("ALTER TABLE user ADD COLUMN username TEXT NOT NULL DEFAULT 'unnamed'")
    await world.sqlite.run("ALTER TABLE user DROP COLUMN old")
    auth = Auth(user=user, provider=provider, hasher=world.hasher, clock=world.clock)

    answer = await ask(world, lambda c: auth.sign_up(c, "alice@example.com", PASSWORD))

    assert answer.status == 204
    assert [row["username"] for row in await world.rows("user")] == [stored]


class Demanding(Member, frozen=True, kw_only=True):
    """A user of whom more has to be said."""

    email: str
    email_verified_at: int


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "a new Demanding needs email, email_verified_at: pass each by name, or give it a"
             " default"),
        ({"email": "a@b.co"}, "a new Demanding needs email_verified_at: pass each by name, or give"
                              " it a default"),
        ({"emial": "a@b.co"}, "'emial' is no attribute of Demanding that can be set"),
        ({"id": "alice"}, "'id' is no attribute of Demanding that can be set"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_program_that_leaves_an_attribute_out_reads_which(
    world: World, attributes: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    auth = Auth(user=Demanding, hasher=world.hasher, clock=world.clock)
    world.database = counting = CountingDatabase(world.sqlite)

    answer = await ask(world, lambda c: auth.sign_up(c, "alice", PASSWORD, **attributes))

    assert (answer.status, json_of(answer)["code"]) == (500, "internal-error")
    assert logged(caplog) == [f"POST /: {said!r}"]
    assert "a@b.co" not in caplog.text
    assert (world.hasher.hashes, counting.trips) == (0, [])


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "needs email, email_verified_at"),
        ({"email": "a@b.co", "email_verified_at": 0, "emial": 1}, "'emial' is no attribute"),
    ],
    ids=str,
)
async def test_so_does_a_program_that_makes_users(
    world: World, attributes: dict[str, Any], said: str
) -> None:
    auth = Auth(user=Demanding, hasher=world.hasher)

    with pytest.raises(TypeError, match=said):
        await auth.users.create(world.sqlite, NewKey("username", "alice", PASSWORD), **attributes)

    assert (world.hasher.hashes, await world.rows("user")) == (0, [])


class Strict(User, frozen=True, kw_only=True):
    """A user who checks what they are made of."""

    username: str

    def __post_init__(self) -> None:
        raise TypeError("nobody is good enough")


async def test_what_the_struct_itself_says_is_left_as_it_is(world: World) -> None:
    auth = Auth(user=Strict, hasher=world.hasher)

    with pytest.raises(TypeError, match="nobody is good enough"):
        await auth.users.create(world.sqlite, None, username="x")


# --- As the guide does it ------------------------------------------------------------------------


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """What it takes to sign up."""

    username: Annotated[
        str,
        msgspec.Meta(pattern=USERNAME_PATTERN, description="3 to 64 letters, digits, . _ @ + -"),
    ]
    password: Annotated[str, msgspec.Meta(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)]


@pytest.mark.parametrize(
    ("username", "password", "status", "code", "pointers"),
    [
        ("bob", PASSWORD, 201, None, None),
        ("al", PASSWORD, 422, "invalid-request", ["/username"]),
        ("bob", "short", 422, "invalid-request", ["/password"]),
        ("al", "short", 422, "invalid-request", ["/username", "/password"]),
        ("Alice", PASSWORD, 409, "duplicate-key", None),
    ],
)
async def test_a_body_that_is_checked_first_is_told_all_at_once(
    world: World,
    username: str,
    password: str,
    status: int,
    code: str | None,
    pointers: list[str] | None,
) -> None:
    app = App()

    @app.post("/sign-up", guard=public)
    async def sign_up(c: Context, new: NewAccount) -> Response:
        user = await world.auth.sign_up(c, new.username, new.password)
        return Response.json({"id": user.id}, 201)

    client = Client(app, env={"DB": world.sqlite})
    await client.post("/sign-up", json={"username": "alice", "password": PASSWORD})

    answer = await client.post("/sign-up", json={"username": username, "password": password})

    assert (answer.status, json_of(answer).get("code")) == (status, code)
    errors = json_of(answer).get("errors")
    assert (errors and [error["pointer"] for error in errors]) == pointers
