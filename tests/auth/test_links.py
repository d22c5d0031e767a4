"""Links that replace a lost password: for how long, how often, for whom, and what they end."""

import asyncio
import hashlib
from typing import Any

import msgspec
import pytest

from framework import Context, public
from framework.auth import Auth, NewKey
from framework.auth.limits import CLOCK_ERROR
from framework.auth.links import LINK_LIFE, LINKS_PER_ACCOUNT
from framework.database import UniqueViolation
from framework.response import Response
from framework.testing import json_of
from tests.auth.databases import CountingDatabase, HaltingDatabase
from tests.auth.recovering import ADDRESS, NEW, Chosen, Recovering
from tests.auth.world import PASSWORD, USERNAME, Member


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status, json_of(answer)["code"]


# --- For how long, and how often -----------------------------------------------------------------


async def test_a_link_replaces_the_password(recovering: Recovering) -> None:
    await recovering.verified()

    token = await recovering.mailed()
    answer = await recovering.reset(token)

    assert (answer.status, answer.header("set-cookie")) == (204, None)
    assert [mail.to for mail in recovering.mailbox.mails] == [ADDRESS]
    assert recovering.mailbox.link == f"http://localhost/password-reset/{token}"
    assert await recovering.signs_in(PASSWORD) == 401
    assert await recovering.signs_in(NEW) == 200


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (0, 204),
        (LINK_LIFE - 1, 204),
        (LINK_LIFE, 404),
        (LINK_LIFE + 1, 404),
        (-1, 204),
        (-CLOCK_ERROR, 204),
        (-CLOCK_ERROR - 1, 404),
        (-10 * 365 * 86_400_000, 404),
    ],
)
async def test_a_link_is_good_for_two_hours(
    recovering: Recovering, later: int, status: int
) -> None:
    await recovering.verified()
    token = await recovering.mailed()
    recovering.clock.now += later

    looked = await recovering.browser().get(f"/reset/{token}")
    used = await recovering.reset(token)

    assert (looked.status, used.status) == (status, status)
    assert await recovering.signs_in(PASSWORD) == (401 if status == 204 else 200)


@pytest.mark.parametrize(
    ("ahead", "is_sent"), [(CLOCK_ERROR, False), (CLOCK_ERROR + 1, True), (86_400_000, True)]
)
async def test_links_from_the_future_keep_nobody_from_getting_another(
    recovering: Recovering, ahead: int, is_sent: bool
) -> None:
    await recovering.verified()
    recovering.clock.now += ahead
    for _ in range(LINKS_PER_ACCOUNT):
        await recovering.mailed()
    recovering.clock.now -= ahead

    await recovering.ask()

    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT + is_sent
    assert (await recovering.reset(recovering.mailbox.token)).status == 204


async def test_a_link_works_once(recovering: Recovering) -> None:
    await recovering.verified()
    token = await recovering.mailed()
    await recovering.reset(token)

    answer = await recovering.reset(token, "yet another one")

    assert code_of(answer) == (404, "invalid-link")
    assert await recovering.signs_in(NEW) == 200


async def test_of_many_uses_at_once_one_succeeds(recovering: Recovering) -> None:
    await recovering.verified()
    token = await recovering.mailed()
    chosen = [f"battery staple {number}" for number in range(20)]

    answers = await asyncio.gather(*[recovering.reset(token, each) for each in chosen])

    statuses = [answer.status for answer in answers]
    assert sorted(statuses) == [204] + [404] * 19
    assert await recovering.signs_in(chosen[statuses.index(204)]) == 200


async def test_a_use_that_comes_second_changes_nothing(recovering: Recovering) -> None:
    await recovering.verified()
    token = await recovering.mailed()
    recovering.database = halting = HaltingDatabase(recovering.sqlite)
    halt = halting.halt("UPDATE user_key")
    late = asyncio.create_task(recovering.reset(token, "the late one"))
    await halt.reached()
    await recovering.reset(token)
    browser = recovering.browser()
    await browser.post("/sign-in", json={"password": NEW})

    halt.release()

    assert (await late).status == 404
    assert (await browser.get("/me")).status == 200
    assert len(await recovering.rows("known_device")) == 1
    assert await recovering.signs_in(NEW) == 200


async def test_looking_at_a_link_uses_nothing_up(recovering: Recovering) -> None:
    await recovering.verified()
    token = await recovering.mailed()

    looked = [await recovering.browser().get(f"/reset/{token}") for _ in range(3)]

    assert [answer.status for answer in looked] == [204] * 3
    assert looked[0].header("cache-control") == "private, no-store"
    assert (await recovering.reset(token)).status == 204


@pytest.mark.parametrize("password", ["", "short", "p" * 1025])
async def test_a_password_that_is_refused_leaves_the_link(
    recovering: Recovering, password: str
) -> None:
    await recovering.verified()
    token = await recovering.mailed()

    refused = await recovering.reset(token, password)

    assert refused.status >= 400
    assert await recovering.signs_in(PASSWORD) == 200
    assert (await recovering.reset(token)).status == 204


@pytest.mark.parametrize(
    "token", ["", "x", "a" * 40, "A" * 40, "a" * 41, "%", "' OR 1=1 --", "\0", "é" * 40]
)
async def test_what_is_no_link_costs_no_hash(recovering: Recovering, token: str) -> None:
    await recovering.verified()
    await recovering.ask()
    recovering.hasher.reset()
    recovering.database = counting = CountingDatabase(recovering.sqlite)

    assert code_of(await recovering.reset(token)) == (404, "invalid-link")
    assert recovering.hasher.hashes == 0
    assert len(counting.trips) == (1 if token == "a" * 40 else 0)


async def test_the_digest_of_a_token_is_no_token(recovering: Recovering) -> None:
    await recovering.verified()
    token = await recovering.mailed()

    (row,) = await recovering.rows("password_reset")

    assert row["id"] == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(row)
    for value in {str(each) for each in row.values()}:
        for part in (value, value[:40], value[-40:]):
            assert (await recovering.reset(part)).status == 404


# --- What it is bound to -------------------------------------------------------------------------


async def test_a_changed_password_ends_the_links_before_it(recovering: Recovering) -> None:
    browser = await recovering.verified()
    token = await recovering.mailed()

    await browser.put("/password", json={"current": PASSWORD, "new": NEW})

    assert (await recovering.reset(token, "yet another one")).status == 404
    assert (await recovering.reset(await recovering.mailed())).status == 204


@pytest.mark.parametrize("password", [NEW, None])
async def test_so_does_one_that_a_program_set(recovering: Recovering, password: str | None) -> None:
    await recovering.verified()
    token = await recovering.mailed()

    await recovering.auth.keys.set_password(recovering.sqlite, "username", "alice", password)

    assert (await recovering.reset(token)).status == 404


@pytest.mark.parametrize("email", ["other@example.com", None])
async def test_another_address_ends_the_links_to_the_old_one(
    recovering: Recovering, email: str | None
) -> None:
    browser = await recovering.verified()
    token = await recovering.mailed()

    await browser.post("/email", json={"email": email})
    await recovering.sqlite.run("UPDATE user SET email_verified_at = 1 WHERE email IS NOT NULL")

    assert (await recovering.reset(token)).status == 404
    assert await recovering.signs_in(PASSWORD) == 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE user SET email = 'other@example.com' WHERE username = 'alice'",
        "UPDATE user SET email_verified_at = NULL WHERE username = 'alice'",
        "UPDATE user_key SET user_id = (SELECT id FROM user WHERE username = 'bob')",
    ],
    ids=["another address", "not verified", "another user's key"],
)
async def test_a_link_is_for_what_it_was_sent_for_whoever_changed_that(
    recovering: Recovering, change: str
) -> None:
    await recovering.verified()
    await recovering.signed_up("bob")
    token = await recovering.mailed()
    await recovering.sqlite.run(change)

    assert (await recovering.reset(token)).status == 404
    assert await recovering.signs_in(PASSWORD) == 200


async def test_an_address_that_is_somebody_elses_by_now_brings_no_link_along(
    recovering: Recovering,
) -> None:
    await recovering.verified()
    token = await recovering.mailed()
    await recovering.sqlite.run("UPDATE user SET email = NULL")
    await recovering.verified("bob")

    assert (await recovering.reset(token)).status == 404
    assert await recovering.signs_in(PASSWORD) == 200


@pytest.mark.parametrize("call", [("POST", "/email"), ("DELETE", "/me")], ids=["email", "leave"])
async def test_what_one_ends_leaves_the_links_of_others(
    recovering: Recovering, call: tuple[str, str]
) -> None:
    alice = await recovering.verified()
    await recovering.verified("bob", "bob@example.com")
    token = await recovering.mailed("bob")

    await alice.request(*call, json={"email": "other@example.com"})

    assert (await recovering.reset(token)).status == 204


async def test_an_address_that_comes_back_brings_no_link_along(recovering: Recovering) -> None:
    browser = await recovering.verified()
    token = await recovering.mailed()

    await browser.post("/email", json={"email": "other@example.com"})
    await browser.post("/email", json={"email": ADDRESS})
    await recovering.sqlite.run("UPDATE user SET email_verified_at = 1")

    assert (await recovering.reset(token)).status == 404
    assert (await recovering.reset(await recovering.mailed())).status == 204


async def verified_with_link(world: Recovering) -> tuple[str, str]:
    """Return the id of the only user, whose address is verified, and the token of a link sent there."""
    await world.verified()
    token = await world.mailed()
    (user,) = await world.rows("user")
    return user["id"], token


class Addressed(Member, frozen=True, kw_only=True):
    email: str | None = None
    email_verified_at: int | None = None


@pytest.mark.parametrize("at_once", [False, True])
async def test_an_address_that_a_program_sets_is_not_verified(
    recovering: Recovering, at_once: bool
) -> None:
    world = recovering
    users = Auth(user=Addressed, mailer=world.mailbox).users
    id, token = await verified_with_link(world)

    user = await users.update(world.database, id, email=ADDRESS, role="admin")
    assert (user.role, user.email_verified_at) == ("admin", 1)
    user = await users.update(world.database, id, email="other@example.com")
    assert (user.email, user.email_verified_at) == ("other@example.com", None)
    if at_once:
        user = await users.update(world.database, id, email=ADDRESS, email_verified_at=2)
    else:
        await users.update(world.database, id, email=ADDRESS)
        user = await users.update(world.database, id, email_verified_at=2)

    assert user.email_verified_at == 2
    assert (await world.reset(token)).status == 404
    assert (await world.reset(await world.mailed())).status == 204


async def test_who_has_no_address_is_answered_as_nobody_is_whatever_was_verified(
    recovering: Recovering,
) -> None:
    world = recovering
    id, _ = await verified_with_link(world)
    mails = len(world.mailbox.mails)

    await Auth(user=Addressed).users.update(world.database, id, email=None)
    answers = [await world.ask(name) for name in (USERNAME, "nobody")]

    assert [(answer.status, answer.body) for answer in answers] == [(202, answers[1].body)] * 2
    assert len(world.mailbox.mails) == mails


class Renamed(Member, frozen=True, kw_only=True):
    address: str | None = msgspec.field(name="email", default=None)


async def test_an_address_is_known_by_its_column_whatever_the_program_calls_it(
    recovering: Recovering,
) -> None:
    world = recovering
    users = Auth(user=Renamed, mailer=world.mailbox).users
    id, token = await verified_with_link(world)

    await users.update(world.database, id, address="other@example.com")

    (user,) = await world.rows("user")
    assert (user["email"], user["email_verified_at"]) == ("other@example.com", None)
    assert (await world.reset(token)).status == 404


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"email": "other@example.com", "rank": 1}, TypeError),
        ({"email": "taken@example.com", "email_verified_at": 2}, UniqueViolation),
    ],
)
async def test_an_address_that_cannot_be_set_leaves_the_old_one_verified(
    recovering: Recovering, attributes: dict[str, Any], error: type[Exception]
) -> None:
    world = recovering
    users = Auth(user=Addressed, mailer=world.mailbox).users
    id, token = await verified_with_link(world)
    taken = "taken@example.com"
    await users.create(world.database, None, username="b", email=taken, email_verified_at=1)

    with pytest.raises(error):
        await users.update(world.database, id, **attributes)

    user = await users.get(world.database, id)
    assert (user.email, user.email_verified_at) == (ADDRESS, 1)
    assert (await world.reset(token)).status == 204


async def test_the_same_address_again_ends_nothing(recovering: Recovering) -> None:
    browser = await recovering.verified()
    token = await recovering.mailed()

    await browser.post("/email", json={"email": ADDRESS.upper()})

    (user,) = await recovering.rows("user")
    assert (user["email"], user["email_verified_at"]) == (ADDRESS, 1)
    assert (await recovering.reset(token)).status == 204


async def test_a_link_is_good_for_its_own_account_alone(recovering: Recovering) -> None:
    await recovering.verified()
    bob = await recovering.verified("bob", "bob@example.com")

    await recovering.reset(await recovering.mailed("alice"))

    assert (await bob.get("/me")).status == 200
    assert await recovering.signs_in(PASSWORD, "bob") == 200


# --- What it ends --------------------------------------------------------------------------------


async def test_all_sessions_end_and_none_begins(recovering: Recovering) -> None:
    first = await recovering.verified()
    second = await recovering.signed_in()
    bob = await recovering.verified("bob", "bob@example.com")

    await recovering.reset(await recovering.mailed("alice"))

    statuses = [(await browser.get("/me")).status for browser in (first, second, bob)]
    assert statuses == [401, 401, 200]
    assert len(await recovering.rows("user_session")) == 1


async def test_attempts_and_known_browsers_are_forgotten(recovering: Recovering) -> None:
    await recovering.verified()
    for _ in range(11):
        await recovering.signs_in("wrong horse")
    assert await recovering.signs_in(PASSWORD) == 429

    await recovering.reset(await recovering.mailed())

    assert await recovering.rows("known_device") == []
    assert await recovering.signs_in(NEW) == 200


async def test_browsers_are_forgotten_that_are_known_to_another_auth(
    recovering: Recovering,
) -> None:
    auth = Auth(
        user=Member,
        hasher=recovering.hasher,
        clock=recovering.clock,
        mailer=recovering.mailbox,
        device_cookie=None,
    )

    @recovering.app.post("/plain", guard=public)
    async def reset(c: Context, chosen: Chosen) -> None:
        await auth.reset_password(c, chosen.token, chosen.password)

    await recovering.verified()
    await recovering.signs_in(PASSWORD)
    assert await recovering.rows("known_device") != []

    answer = await recovering.browser().post("/plain", json=Chosen(await recovering.mailed()))

    assert (answer.status, await recovering.rows("known_device")) == (204, [])


async def test_other_links_of_the_account_end(recovering: Recovering) -> None:
    await recovering.verified()
    tokens = [await recovering.mailed() for _ in range(LINKS_PER_ACCOUNT)]

    assert (await recovering.reset(tokens[1])).status == 204

    assert await recovering.rows("password_reset") == []
    for token in tokens:
        assert (await recovering.reset(token, "yet another one")).status == 404


async def test_a_link_that_is_used_ends_nobody_else_s(recovering: Recovering) -> None:
    await recovering.verified()
    await recovering.verified("bob", "bob@example.com")
    token = await recovering.mailed("bob")

    await recovering.reset(await recovering.mailed())

    assert (await recovering.reset(token)).status == 204


async def test_links_for_a_name_that_was_deleted_keep_none_from_the_other(
    recovering: Recovering,
) -> None:
    browser = await recovering.verified()
    (user,) = await recovering.rows("user")
    keys, db = recovering.auth.keys, recovering.sqlite
    await keys.create(db, user["id"], "username", "alice.smith", PASSWORD)
    await browser.put("/password", json={"current": PASSWORD, "new": NEW})  # one hash for both
    for _ in range(LINKS_PER_ACCOUNT):
        await recovering.mailed()
    await keys.delete(db, "username", "alice")

    token = await recovering.mailed("alice.smith")

    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT + 1
    assert (await recovering.reset(token)).status == 204


async def test_links_that_are_worth_nothing_keep_no_other(recovering: Recovering) -> None:
    browser = await recovering.verified()
    (user,) = await recovering.rows("user")
    keys, db = recovering.auth.keys, recovering.sqlite
    await keys.create(db, user["id"], "username", "alice.smith", PASSWORD)
    for _ in range(LINKS_PER_ACCOUNT):
        await recovering.mailed()
    await browser.put("/password", json={"current": PASSWORD, "new": NEW})
    for _ in range(LINKS_PER_ACCOUNT + 1):
        await recovering.mailed("alice.smith")
    assert len(recovering.mailbox.mails) == 2 * LINKS_PER_ACCOUNT

    await recovering.sqlite.run("UPDATE user SET email = 'other@example.com'")

    assert (await recovering.reset(await recovering.mailed(), "yet another one")).status == 204
    assert recovering.mailbox.mails[-1].to == "other@example.com"


async def test_links_for_another_name_count_for_two_hours_also_where_they_are_worth_nothing(
    recovering: Recovering,
) -> None:
    await recovering.verified()
    (user,) = await recovering.rows("user")
    keys, db, mails = recovering.auth.keys, recovering.sqlite, recovering.mailbox.mails
    await keys.create(db, user["id"], "username", "second", "another password")
    for _ in range(LINKS_PER_ACCOUNT):
        await recovering.ask("second")
    await keys.set_password(db, "username", "second", "a third password")
    assert len(mails) == LINKS_PER_ACCOUNT

    await recovering.ask(USERNAME)
    assert len(mails) == LINKS_PER_ACCOUNT
    recovering.clock.now += LINK_LIFE
    await recovering.ask(USERNAME)
    assert len(mails) == LINKS_PER_ACCOUNT + 1


async def test_every_password_of_the_account_is_replaced(recovering: Recovering) -> None:
    await recovering.verified()
    (user,) = await recovering.rows("user")
    keys, db = recovering.auth.keys, recovering.sqlite
    await keys.create(db, user["id"], "username", "alice.smith", PASSWORD)
    await keys.create(db, user["id"], "github", "1")
    bob = NewKey("username", "bob", PASSWORD)
    await recovering.auth.users.create(db, bob, username="bob")

    await recovering.reset(await recovering.mailed())

    assert await recovering.signs_in(PASSWORD, "alice.smith") == 401
    assert await recovering.signs_in(NEW, "alice.smith") == 200
    assert await recovering.signs_in(PASSWORD, "bob") == 200
    assert not (await keys.get(db, "github", "1")).has_password


async def test_reset_takes_two_trips_and_one_hash(recovering: Recovering) -> None:
    await recovering.verified()
    token = await recovering.mailed()
    recovering.database = counting = CountingDatabase(recovering.sqlite)
    recovering.hasher.reset()

    await recovering.reset(token)

    assert len(counting.trips) == 2
    assert recovering.hasher.hashes == 1
