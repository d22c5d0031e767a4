"""Sessions begun, validated, changed and ended by a program, with columns of the application's own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from framework import ConfigurationError, Context, public
from framework.auth import (
    GRACE,
    Auth,
    InvalidSession,
    NewSession,
    Session,
    UnknownSession,
    UnknownUser,
)
from framework.auth.store import Store, StoredKey
from framework.auth.tokens import digest, is_token
from framework.database import Statement
from framework.testing import json_of
from tests.auth.clock import START
from tests.auth.databases import CountingDatabase
from tests.auth.world import PASSWORD, USERNAME, Member, World

DAY = 86_400_000


class Visit(Session, frozen=True, kw_only=True):
    """A session with two columns of the application's own."""

    label: str = "new"
    visits: int = 0


@pytest.fixture
def shop() -> Iterator[World]:
    """A world whose sessions have columns of their own."""
    world = World(session=Visit)
    world.sqlite.apply_schema(
        "ALTER TABLE user_session ADD COLUMN label TEXT NOT NULL DEFAULT 'old';"
        "ALTER TABLE user_session ADD COLUMN visits INTEGER NOT NULL DEFAULT 7"
    )
    yield world
    world.close()


async def begun(world: World, **attributes: Any) -> NewSession[Member]:
    user = await world.auth.users.create(world.sqlite, None, username="Ann")
    return await world.auth.sessions.create(world.sqlite, user.id, **attributes)


async def ids(world: World) -> set[str]:
    return {row["id"] for row in await world.rows("user_session")}


# --- Beginning -----------------------------------------------------------------------------------


async def test_a_session_is_begun_in_one_trip_and_opened_by_its_token(world: World) -> None:
    user = await world.auth.users.create(world.sqlite, None, username="Ann")
    counting = CountingDatabase(world.sqlite)

    new = await world.auth.sessions.create(counting, user.id, country="NZ")

    assert len(counting.trips) == 1
    assert is_token(new.token)
    assert (new.user, new.session.id, new.session.country) == (user, digest(new.token), "NZ")
    session, found = await world.auth.sessions.validate(world.sqlite, new.token)
    assert (found, session) == (user, msgspec.structs.replace(new.session, fresh=False))
    headers = {"cookie": f"auth_session={new.token}"}
    assert (await world.browser().get("/recent", headers=headers)).status == 200


async def test_a_new_session_shows_no_token(world: World) -> None:
    new = await begun(world)

    assert new.token not in f"{new!r} {new} {[new]}"
    assert new.session.id not in repr(new)


async def test_a_session_is_somebodys(world: World) -> None:
    with pytest.raises(UnknownUser):
        await world.auth.sessions.create(world.sqlite, "nobody")


@pytest.mark.parametrize(
    "attributes",
    [{"id": "x"}, {"active_expires": 1}, {"user_id": "x"}, {"fresh": False}, {"colour": "red"}],
    ids=str,
)
async def test_what_is_no_attribute_begins_nothing(
    world: World, attributes: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        await begun(world, **attributes)

    assert await world.rows("user_session") == []


async def test_a_session_that_nobody_gave_a_password_for_is_not_recent(world: World) -> None:
    new = await begun(world, authenticated_at=0)

    headers = {"cookie": f"auth_session={new.token}"}
    assert (await world.browser().get("/recent", headers=headers)).status == 403


# --- Validating ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "statements", "fresh"),
    [
        (0, ["SELECT"], False),
        (DAY - 1, ["SELECT"], False),
        (DAY, ["SELECT", "UPDATE"], True),
        (15 * DAY - 1, ["SELECT", "UPDATE"], True),
    ],
)
async def test_validating_renews_what_is_idle(
    world: World, later: int, statements: list[str], fresh: bool
) -> None:
    new = await begun(world)
    world.clock.now += later
    counting = CountingDatabase(world.sqlite)

    session, _ = await world.auth.sessions.validate(counting, new.token)

    assert [sql.split()[0] for sql in counting.statements] == statements
    assert session.fresh is fresh
    assert session.state(world.clock.now).value == "active"
    again, _ = await world.auth.sessions.validate(world.sqlite, new.token)
    assert again == msgspec.structs.replace(session, fresh=False)


@pytest.mark.parametrize("later", [15 * DAY, 90 * DAY])
async def test_validating_buries_what_is_dead(world: World, later: int) -> None:
    new = await begun(world)
    world.clock.now += later

    with pytest.raises(InvalidSession):
        await world.auth.sessions.validate(world.sqlite, new.token)

    assert await world.rows("user_session") == []


@pytest.mark.parametrize("token", ["", "a" * 40, "a" * 39, "A" * 40, "x" * 100_000, "\ud800", "é"])
async def test_what_is_no_token_opens_nothing(world: World, token: str) -> None:
    new = await begun(world)

    for wrong in (token, new.session.id, new.session.handle, new.token.upper(), new.token + " "):
        with pytest.raises(InvalidSession):
            await world.auth.sessions.validate(world.sqlite, wrong)


async def test_many_renewals_at_once_leave_one_session_and_all_succeed(world: World) -> None:
    new = await begun(world)
    world.clock.now += DAY

    found = await asyncio.gather(
        *[world.auth.sessions.validate(world.sqlite, new.token) for _ in range(20)]
    )

    assert {each.session for each in found} == {found[0].session}
    assert found[0].session.fresh
    assert len(await world.rows("user_session")) == 1


# --- Finding, changing, ending -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "is_there"), [(0, True), (15 * DAY - 1, True), (15 * DAY, False)]
)
async def test_a_session_is_found_while_it_lives_and_not_renewed(
    world: World, later: int, is_there: bool
) -> None:
    new = await begun(world)
    world.clock.now += later
    before = await world.rows("user_session")

    for call in (
        world.auth.sessions.get(world.sqlite, new.session.id),
        world.auth.sessions.update(world.sqlite, new.session.id, country=None),
    ):
        if is_there:
            assert (await call).id == new.session.id
        else:
            with pytest.raises(UnknownSession):
                await call
    assert await world.rows("user_session") == before


@pytest.mark.parametrize("session_id", ["", "a" * 64, "x" * 10_000, "' OR 1=1 --"], ids=len)
async def test_a_session_that_is_not_there(world: World, session_id: str) -> None:
    await begun(world)
    sessions = world.auth.sessions

    with pytest.raises(UnknownSession):
        await sessions.get(world.sqlite, session_id)
    assert await sessions.end(world.sqlite, session_id) is False
    assert len(await world.rows("user_session")) == 1


async def test_one_is_ended_or_all_or_all_others(world: World) -> None:
    sessions, db = world.auth.sessions, world.sqlite
    first = await begun(world)
    others = [await sessions.create(db, first.user.id) for _ in range(4)]
    stranger = await begun(world)

    assert await sessions.end(db, others[0].session.id) is True
    assert await ids(world) == {each.session.id for each in [first, *others[1:], stranger]}
    assert await sessions.end_others(db, first.user.id, first.session.id) == 3
    assert await ids(world) == {first.session.id, stranger.session.id}
    assert await sessions.end_all(db, first.user.id) == 1
    assert await sessions.end_all(db, first.user.id) == 0
    assert await ids(world) == {stranger.session.id}


async def test_the_living_are_listed_newest_first_without_the_retired(world: World) -> None:
    sessions, db = world.auth.sessions, world.sqlite
    first = await begun(world)
    world.clock.now += 1
    second = await sessions.create(db, first.user.id)
    await sessions.create(db, first.user.id)
    await db.run(
        "UPDATE user_session SET active_expires = ?1, idle_expires = ?1 WHERE id NOT IN (?2, ?3)",
        world.clock.now + GRACE,
        first.session.id,
        second.session.id,
    )

    listed = await sessions.for_user(db, first.user.id)

    assert [each.id for each in listed] == [second.session.id, first.session.id]
    assert await sessions.for_user(db, "nobody") == []


# --- Columns of one's own ------------------------------------------------------------------------


async def test_attributes_are_columns_that_handlers_read(shop: World) -> None:
    new = await begun(shop, label="kitchen")

    assert new.session == Visit(
        id=digest(new.token),
        user_id=new.user.id,
        active_expires=START + DAY,
        idle_expires=START + 15 * DAY,
        created_at=START,
        authenticated_at=START,
        last_seen_at=START,
        fresh=True,
        label="kitchen",
    )
    session, _ = await shop.auth.sessions.validate(shop.sqlite, new.token)
    assert isinstance(session, Visit)
    assert (session.label, session.visits) == ("kitchen", 0)


async def test_a_handler_asks_for_its_own_session_type(shop: World) -> None:
    @shop.app.get("/visit", guard=shop.auth.guard())
    async def visit(session: Visit) -> str:
        return session.label

    @shop.app.get("/plain", guard=shop.auth.guard())
    async def plain(session: Session) -> str:
        return type(session).__name__

    browser = await shop.signed_up()

    assert (await browser.get("/visit")).body == b"new"
    assert (await browser.get("/plain")).body == b"Visit"


@pytest.mark.parametrize("path", ["/up", "/in"])
async def test_signing_up_and_in_write_attributes_with_the_session(shop: World, path: str) -> None:
    said: dict[str, Any] = {"label": "kitchen", "visits": 1, "country": "NZ"}

    @shop.app.post("/up", guard=public)
    async def sign_up(c: Context) -> Session:
        await shop.auth.sign_up(c, "bob", PASSWORD, session=said, role="cook")
        return c.get(shop.auth.session_slot)

    @shop.app.post("/in", guard=public)
    async def sign_in(c: Context) -> Session:
        await shop.auth.sign_in(c, USERNAME, PASSWORD, session=said)
        return c.get(shop.auth.session_slot)

    await shop.signed_up()
    browser = shop.browser()
    shop.database = counting = CountingDatabase(shop.sqlite)

    answer = await browser.post(path, headers={"user-agent": "a browser"})

    assert json_of(answer).items() >= said.items()
    [row] = [row for row in await shop.rows("user_session") if row["label"] == "kitchen"]
    assert row.items() >= {**said, "user_agent": "a browser"}.items()
    assert len([sql for sql in counting.statements if "INTO user_session" in sql]) == 1
    assert not any(sql.startswith("UPDATE user_session") for sql in counting.statements)
    assert (await browser.get("/me")).status == 200


@pytest.mark.parametrize("said", [{"colour": "red"}, {"id": "x"}, {"user_id": "x"}], ids=str)
async def test_what_is_no_attribute_signs_nobody_up_or_in(
    shop: World, said: dict[str, str]
) -> None:
    @shop.app.post("/up", guard=public)
    async def sign_up(c: Context) -> None:
        with pytest.raises(TypeError):
            await shop.auth.sign_up(c, "bob", PASSWORD, session=said)

    @shop.app.post("/in", guard=public)
    async def sign_in(c: Context) -> None:
        with pytest.raises(TypeError):
            await shop.auth.sign_in(c, USERNAME, PASSWORD, session=said)

    await shop.signed_up()
    browser = shop.browser()

    for path in ("/up", "/in"):
        assert (await browser.post(path)).status == 204
        assert (await browser.get("/me")).status == 401
    assert len(await shop.rows("user_session")) == len(await shop.rows("user")) == 1


async def test_an_attribute_is_set_and_goes_on(shop: World) -> None:
    browser = await shop.signed_up()
    [row] = await shop.rows("user_session")

    updated = await shop.auth.sessions.update(shop.sqlite, row["id"], label="kitchen", visits=3)
    shop.clock.now += DAY
    await browser.get("/me")
    await browser.post("/rotate")
    await browser.put("/password", json={})

    assert isinstance(updated, Visit)
    assert (updated.label, updated.visits) == ("kitchen", 3)
    [listed] = await shop.auth.sessions.for_user(shop.sqlite, row["user_id"])
    assert isinstance(listed, Visit)
    assert (listed.label, listed.visits) == ("kitchen", 3)


@pytest.mark.parametrize(
    "attributes",
    [
        {"id": "x"},
        {"user_id": "x"},
        {"active_expires": 2**52},
        {"idle_expires": 2**52},
        {"created_at": 2**52},
        {"authenticated_at": 2**52},
        {"last_seen_at": 2**52},
        {"fresh": True},
        {"colour": "red"},
        {"label = 'x' --": 1},
    ],
    ids=str,
)
async def test_what_its_own_life_decides_nobody_sets(
    shop: World, attributes: dict[str, Any]
) -> None:
    new = await begun(shop)

    with pytest.raises(TypeError, match="no attribute of Visit"):
        await shop.auth.sessions.update(shop.sqlite, new.session.id, **attributes)


class Demanding(Session, frozen=True, kw_only=True):
    """A session that signing in cannot begin."""

    label: str


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Demanding, "Demanding.label needs a default"),
        (Member, "no subclass of framework.auth.Session"),
        (
            msgspec.defstruct(
                "Odd", [("a", int, 0)], bases=(Session,), rename={"a": "a-b"}, frozen=True
            ),
            "'a-b' of Odd cannot name a column",
        ),
    ],
)
def test_a_session_type_that_cannot_be_one(kind: type[Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Auth(user=Member, session=kind)


async def test_a_field_may_have_another_name_than_its_column() -> None:
    kind = msgspec.defstruct(
        "Seen", [("agent", str | None, None)], bases=(Session,), rename={"agent": "label"},
        frozen=True, kw_only=True,
    )  # fmt: skip
    shop = World(session=kind)
    shop.sqlite.apply_schema("ALTER TABLE user_session ADD COLUMN label TEXT")

    new = await begun(shop, agent="curl")
    session, _ = await shop.auth.sessions.validate(shop.sqlite, new.token)
    updated: Any = await shop.auth.sessions.update(shop.sqlite, session.id, agent="wget")

    assert (session.agent, updated.agent) == ("curl", "wget")  # type: ignore[attr-defined]  # a field of its own
    assert (await shop.rows("user_session"))[0]["label"] == "wget"
    shop.close()


async def test_a_null_that_the_field_does_not_take_is_an_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(session=Visit)
    world.sqlite.apply_schema(
        "ALTER TABLE user_session ADD COLUMN label TEXT;"
        "ALTER TABLE user_session ADD COLUMN visits INTEGER NOT NULL DEFAULT 7"
    )
    browser = await world.signed_up()
    await world.sqlite.run("UPDATE user_session SET label = NULL")

    answer = await browser.get("/me")

    assert answer.status == 503
    assert "auth_session" in browser.cookies
    assert "got `null` - at `$[0].s_label`" in caplog.text
    world.close()


# --- Another store -------------------------------------------------------------------------------


async def test_a_client_that_names_no_agent_has_none(world: World) -> None:
    await world.signed_up()

    assert [row["user_agent"] for row in await world.rows("user_session")] == [None]


class Discreet(Store[Member]):
    """Keeps nothing of where somebody signs in from."""

    def insert_session(self, session: Session, key: StoredKey) -> Statement:
        """Insert *session* without the agent and the country."""
        return super().insert_session(
            msgspec.structs.replace(session, user_agent=None, country=None), key
        )


async def test_a_store_of_ones_own_is_asked() -> None:
    world = World(store=Discreet)
    browser = world.browser()
    await browser.request("POST", "/sign-up", json={}, headers={"user-agent": "curl/8"})

    assert [row["user_agent"] for row in await world.rows("user_session")] == [None]
    assert (await browser.get("/me")).status == 200
    world.close()
