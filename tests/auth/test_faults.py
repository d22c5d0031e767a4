"""A database that fails: nobody is taken for signed out, and nothing is left half done."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from framework.auth import Argon2Hasher, InvalidSession
from framework.database import (
    DatabaseError,
    MissingColumn,
    MissingTable,
    Overloaded,
    Transient,
    Unavailable,
)
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.databases import (
    CountingDatabase,
    FaultyDatabase,
    HaltingDatabase,
    ReadOnlyDatabase,
)
from tests.auth.hasher import quick_hasher
from tests.auth.world import PASSWORD, World

DAY = 86_400_000


class Flow(NamedTuple):
    """One request that writes, and what it is made of."""

    method: str
    path: str
    json: dict[str, Any] = {}  # noqa: RUF012  # never changed
    later: int = 0
    """Milliseconds between signing up and this."""
    is_outdated: bool = False
    """Whether the stored hash is to be replaced."""
    clears: bool = False
    """Whether a failure may clear the cookie: signing out does, whatever happens."""
    unwritten: int = 503
    """The status where the session was read, and what keeps it in order was not written."""


FLOWS = {
    "sign up": Flow("POST", "/sign-up", {"username": "bob"}),
    "sign in": Flow("POST", "/sign-in"),
    "sign in, hash replaced": Flow("POST", "/sign-in", is_outdated=True),
    "sign out": Flow("POST", "/sign-out", clears=True),
    "change the password": Flow("PUT", "/password"),
    "delete": Flow("DELETE", "/me"),
    "renew": Flow("GET", "/me", later=DAY, unwritten=200),
    "bury": Flow("GET", "/me", later=15 * DAY, clears=True, unwritten=401),
    "end others": Flow("POST", "/others"),
    "rotate": Flow("POST", "/rotate"),
}


class Scene:
    """A world in which *flow* is about to happen, in the first of two browsers."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.world = World(hasher=Argon2Hasher() if flow.is_outdated else None)
        self.faulty = FaultyDatabase(self.world.sqlite)
        self.browser = self.world.browser()
        self.known: dict[str, str] = {}
        self.old_hash = ""

    async def set_up(self) -> "Scene":
        """Sign somebody up, twice signed in, with a note."""
        world = self.world
        self.browser = await world.signed_up()
        (own,) = await world.rows("user_session")
        await world.signed_in()
        sessions = await world.rows("user_session")
        self.known = {row["id"]: "own" if row == own else "other" for row in sessions}
        assert sorted(self.known.values()) == ["other", "own"]
        if self.flow.is_outdated:
            outdated = await quick_hasher().hash(PASSWORD)
            await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", outdated)
        self.old_hash = (await world.rows("user_key"))[0]["hashed_password"]
        await world.sqlite.run(
            "INSERT INTO note (user_id, title, body, created_at, updated_at)"
            " SELECT id, 't', 'b', 0, 0 FROM user"
        )
        world.clock.now += self.flow.later
        return self

    async def run(self) -> Response:
        """Let the flow happen."""
        self.world.database = self.faulty
        return await self.browser.request(self.flow.method, self.flow.path, json=self.flow.json)

    async def state(self) -> tuple[Any, ...]:
        """Return what is stored, random values named by what they are."""
        world = self.world
        sessions = await world.rows("user_session")
        return (
            sorted(user["username"] for user in await world.rows("user")),
            sorted(
                (key["id"], "old" if key["hashed_password"] == self.old_hash else "new")
                for key in await world.rows("user_key")
            ),
            sorted((self.known.get(row["id"], "new"), row["idle_expires"]) for row in sessions),
            len(await world.rows("note")),
        )

    async def is_whole(self) -> bool:
        """Return whether every row's user is there, with a key."""
        orphans = await self.world.sqlite.all(
            dict,
            "SELECT user_id FROM user_session UNION SELECT user_id FROM user_key UNION SELECT"
            " user_id FROM note EXCEPT SELECT u.id FROM user u JOIN user_key k ON k.user_id = u.id",
        )
        return orphans == []


@pytest.fixture
def scene(flow: Flow) -> Any:
    made: list[Scene] = []

    async def make() -> Scene:
        made.append(await Scene(flow).set_up())
        return made[-1]

    yield make
    for each in made:
        each.world.close()


@pytest.mark.parametrize("is_lost_after", [False, True], ids=["not done", "answer lost"])
@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS.keys())
async def test_wherever_it_fails_all_is_done_or_nothing(
    scene: Callable[[], Any], flow: Flow, is_lost_after: bool
) -> None:
    clean: Scene = await scene()
    before = await clean.state()
    counting = CountingDatabase(clean.world.sqlite)
    clean.faulty.inner = counting
    done = await clean.run()
    after = await clean.state()
    statements = len(counting.statements)
    assert done.status < 500
    assert statements > 0

    for number in range(1, statements + 1):
        broken: Scene = await scene()
        assert await broken.state() == before
        broken.faulty.arm(number, is_lost_after=is_lost_after)

        answer = await broken.run()

        assert answer.status == (503 if number == 1 else flow.unwritten), number
        assert (answer.header("retry-after") is not None) is (answer.status == 503)
        assert await broken.state() in (before, after), number
        assert await broken.is_whole()
        cookies = [value for name, value in answer.headers if name == "set-cookie"]
        assert cookies == [] or (flow.clears and "Max-Age=0" in cookies[0])
        again = await broken.browser.request(flow.method, flow.path, json=flow.json)
        assert again.status < 500


@pytest.mark.parametrize(
    "error",
    [
        Transient("D1_ERROR: Network connection lost."),
        Overloaded("D1_ERROR: D1 DB is overloaded."),
        Unavailable("D1_ERROR: database or disk is full: SQLITE_FULL"),
        MissingTable("D1_ERROR: no such table: user_session: SQLITE_ERROR"),
        MissingColumn("D1_ERROR: no such column: s.idle_expires: SQLITE_ERROR"),
        DatabaseError("D1_ERROR: incomplete input: SQLITE_ERROR"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("path", ["/me", "/greeting", "/admin", "/recent"])
async def test_an_outage_signs_nobody_out(world: World, path: str, error: DatabaseError) -> None:
    browser = await world.signed_up()
    world.database = faulty = FaultyDatabase(world.sqlite, error=error)
    faulty.arm(1)

    answer = await browser.get(path)

    is_ours = not isinstance(error, Unavailable) and path == "/greeting"
    assert answer.status == (500 if is_ours else 503)
    assert answer.header("set-cookie") is None
    assert "D1_ERROR" not in str(answer.body)
    assert (await browser.get("/me")).status == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me"), ("GET", "/greeting"), ("POST", "/sign-up")]
)
async def test_code_that_comes_before_its_migration_is_an_outage(
    world: World, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await world.signed_up()
    there, gone = "idle_expires", "not_yet"
    rename = "ALTER TABLE user_session RENAME COLUMN {} TO {}"
    world.sqlite.apply_schema(rename.format(there, gone))

    answer = await browser.request(method, path, json={"username": "bob", "password": PASSWORD})

    assert (answer.status, answer.header("retry-after")) == (503, "5")
    assert answer.header("set-cookie") is None
    assert "npx wrangler d1 migrations apply" in caplog.text
    world.sqlite.apply_schema(rename.format(gone, there))
    assert (await browser.get("/me")).status == 200


FULL = Unavailable("D1_ERROR: Exceeded maximum DB size.")


@pytest.mark.parametrize(
    ("path", "later", "status", "is_cleared", "reported"),
    [
        ("/me", 0, 200, False, 0),
        ("/me", DAY, 200, False, 1),
        ("/greeting", DAY, 200, False, 1),
        ("/me", 15 * DAY - 1, 200, False, 1),
        ("/me", 15 * DAY, 401, True, 1),
        ("/greeting", 15 * DAY, 200, True, 1),
        ("/me", 91 * DAY, 401, True, 1),
        ("/greeting", -DAY, 200, True, 1),
    ],
)
async def test_where_only_reading_works_only_writing_fails(
    world: World,
    caplog: pytest.LogCaptureFixture,
    path: str,
    later: int,
    status: int,
    is_cleared: bool,
    reported: int,
) -> None:
    browser = await world.signed_up()
    if later == 91 * DAY:
        await world.sqlite.run("UPDATE user_session SET active_expires = ?1", 2**50)
    before = await world.rows("user_session")
    world.clock.now += later
    world.database = ReadOnlyDatabase(world.sqlite, FULL)

    answer = await browser.get(path)

    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    assert answer.status == status
    assert [value.split(";")[1] for value in cookies] == ([" Max-Age=0"] if is_cleared else [])
    assert await world.rows("user_session") == before
    assert [record.levelname for record in caplog.records if record.name == "kagari"] == [
        "ERROR"
    ] * reported
    assert caplog.text.count("Exceeded maximum DB size") >= reported


async def test_what_could_not_be_renewed_is_not_fresh_and_is_renewed_later(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += DAY
    world.database = ReadOnlyDatabase(world.sqlite, FULL)
    unwritten = json_of(await browser.get("/me"))
    refused = await browser.post("/rotate")
    world.database = world.sqlite
    renewed = json_of(await browser.get("/me"))

    assert (unwritten["state"], unwritten["fresh"]) == ("idle", False)
    assert refused.status == 503
    assert (renewed["state"], renewed["fresh"]) == ("active", True)


async def test_a_session_of_lucias_that_cannot_be_replaced_goes_on_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(sessions="migrate")
    await world.signed_up()
    token = "l" * 40
    await world.sqlite.run("UPDATE user_session SET id = ?1, created_at = 0", token)
    world.database = ReadOnlyDatabase(world.sqlite, FULL)
    header = {"cookie": f"auth_session={token}"}

    answer = await world.browser().get("/me", headers=header)

    assert (answer.status, answer.header("set-cookie")) == (200, None)
    assert (await world.rows("user_session"))[0]["id"] == token
    assert "Exceeded maximum DB size" in caplog.text
    world.database = world.sqlite
    assert (await world.browser().get("/me", headers=header)).header("set-cookie") is not None
    world.close()


@pytest.mark.parametrize(("later", "is_valid"), [(DAY, True), (15 * DAY, False)])
async def test_programs_validate_where_only_reading_works(
    world: World, caplog: pytest.LogCaptureFixture, later: int, is_valid: bool
) -> None:
    browser = await world.signed_up()
    world.clock.now += later
    full = ReadOnlyDatabase(world.sqlite, FULL)

    try:
        valid = await world.auth.sessions.validate(full, browser.cookies["auth_session"])
    except InvalidSession:
        assert not is_valid
    else:
        assert is_valid
        assert not valid.session.fresh
    assert caplog.text.count("a session was found, and could not be written") == 1


async def test_an_outage_while_a_session_is_read_again_is_one(world: World) -> None:
    browser = await world.signed_up()
    world.clock.now += DAY
    world.database = faulty = FaultyDatabase(HaltingDatabase(world.sqlite))
    assert isinstance(faulty.inner, HaltingDatabase)
    halt = faulty.inner.halt("UPDATE user_session")
    faulty.arm(3)  # the session, its renewal, the session again
    renewal = asyncio.create_task(browser.get("/me"))
    await halt.reached()
    await world.sqlite.run("UPDATE user_session SET active_expires = ?1", world.clock.now + DAY)

    halt.release()

    answer = await renewal
    assert (answer.status, answer.header("set-cookie")) == (503, None)


async def test_an_outage_is_no_matter_to_who_is_not_asked(world: World) -> None:
    browser: Client = await world.signed_up()
    world.database = faulty = FaultyDatabase(world.sqlite)
    faulty.arm(1)

    assert (await browser.get("/public")).status == 200


async def test_a_missing_binding_lets_nobody_in_and_is_named_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await world.signed_up()

    answer = await world.app.request(
        "GET", "/me", headers={"cookie": f"auth_session={browser.cookies['auth_session']}"}, env={}
    )

    assert (answer.status, json_of(answer)["code"]) == (503, "unavailable")
    assert answer.header("set-cookie") is None
    assert "the binding DB is missing" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE user_session SET active_expires = 'soon'",
        "UPDATE user_session SET idle_expires = x'00'",
        "UPDATE user SET username = x'ff'",
    ],
)
async def test_a_row_that_makes_no_sense_lets_nobody_in(world: World, damage: str) -> None:
    browser = await world.signed_up()
    await world.sqlite.run(damage)

    answer = await browser.get("/me")

    assert answer.status in {401, 500, 503}
