"""What every `Storage` must do, as facts. Knows neither the driver nor the runner.

The first 44 say what Lucia v2's adapter tests say (`main.ts`: 34, `session.ts`: 10), method by
method; those after them say what Lucia asked of nobody. Runs on CPython over SQLite and under
Pyodide over D1, so it imports nothing but the framework. Each case gets the tables of ``schema.sql``
without rows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from framework.auth.auth import Auth
from framework.auth.errors import UnknownSession
from framework.auth.limits import FAILURES_KEPT, GRACE, Limits
from framework.auth.models import Session, User, Validated
from framework.auth.storage import Storage
from framework.auth.store import Store
from framework.auth.store_attempts import Attempt
from framework.auth.store_users import StoredKey
from framework.database import (
    ConstraintViolation,
    Database,
    DatabaseError,
    ForeignKeyViolation,
    Statement,
    UniqueViolation,
)

__all__ = ["LUCIAS", "RESET", "SCHEMA", "STORAGE_CASES", "Place"]

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text("utf-8")
RESET = (
    "DELETE FROM user_session",
    "DELETE FROM user_key",
    "DELETE FROM known_device",
    "DELETE FROM sign_in_attempt",
    "DELETE FROM user",
)

NOW = 1_800_000_000_000
LIMITS = Limits()
E = TypeVar("E", bound=DatabaseError)


class Person(User, frozen=True, kw_only=True):
    """A user with a username."""

    username: str


class Place:
    """A store, the database it is asked in, and the sessions that are kept in it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = NOW
        self.store: Storage[Person] = Store(Person)
        auth = Auth(user=Person, limits=LIMITS, clock=lambda: self.now, store=lambda *_: self.store)
        self.sessions = auth.sessions

    async def do(self, *statements: Statement) -> list[int]:
        """Run *statements* in one batch; return how many rows each changed."""
        return [result.changes for result in await self.db.batch(statements)]

    async def user(self, user_id: str) -> Person | None:
        """Return the user *user_id*."""
        [result] = await self.db.batch([self.store.find_user(user_id)])
        return self.store.read_user(result)

    async def key(self, key_id: str) -> StoredKey | None:
        """Return the key *key_id*."""
        [result] = await self.db.batch([self.store.find_key(key_id)])
        return result.first(StoredKey)

    async def session(self, id: str) -> Session | None:
        """Return the living session *id*."""
        return await self.store.update_session(self.db, id, {}, self.now)

    async def session_and_user(self, *ids: str) -> Validated[Person] | None:
        """Return the session that has one of *ids* and its user."""
        [result] = await self.db.batch([self.store.find_session(ids)])
        return self.store.read_session(result)

    async def count(self, table: str) -> int:
        """Return how many rows *table* has."""
        [row] = await self.db.all(dict, f"SELECT count(*) AS rows FROM {table}")
        return int(row["rows"])

    async def attempt(self, *statements: Statement) -> list[int | None]:
        """Return the count that each statement gives, None where it gives none."""
        found = [result.first(Attempt) for result in await self.db.batch(statements)]
        return [None if each is None else each.attempts for each in found]


ANN = Person(id="ann", username="ann")
BOB = Person(id="bob", username="bob")
ANNS_KEY = StoredKey("username:ann", "ann", "a hash")
BOBS_KEY = StoredKey("username:bob", "bob", "another")


def session_of(user: User, id: str, **changes: Any) -> Session:
    session = Session(
        id=id,
        user_id=user.id,
        active_expires=NOW + LIMITS.active,
        idle_expires=NOW + LIMITS.active + LIMITS.idle,
        created_at=NOW,
        authenticated_at=NOW,
        user_agent="curl/8",
        country="NZ",
        last_seen_at=NOW,
    )
    return msgspec.structs.replace(session, **changes)


ANNS = session_of(ANN, "anns session")
BOBS = session_of(BOB, "bobs session")

STORAGE_CASES: dict[str, Callable[[Database], Awaitable[None]]] = {}


def case(function: Callable[[Place], Awaitable[None]]) -> Callable[[Place], Awaitable[None]]:
    """Take *function* in, under its name; it finds nothing but the tables."""

    async def run(db: Database) -> None:
        await function(Place(db))

    STORAGE_CASES[function.__name__] = run
    return function


def settled(function: Callable[[Place], Awaitable[None]]) -> Callable[[Place], Awaitable[None]]:
    """Take *function* in; it finds Ann and Bob, each with a key and a session."""

    async def run(db: Database) -> None:
        place = Place(db)
        store = place.store
        await place.do(
            *[store.insert_user(user) for user in (ANN, BOB)],
            *[store.insert_key(key) for key in (ANNS_KEY, BOBS_KEY)],
            *[store.add_session(session) for session in (ANNS, BOBS)],
        )
        await function(place)

    STORAGE_CASES[function.__name__] = run
    return function


async def failure(kind: type[E], call: Awaitable[object]) -> E:
    """Return the error of exactly that *kind* that *call* ends with."""
    [error] = await asyncio.gather(call, return_exceptions=True)
    assert type(error) is kind, repr(error)
    return error


# --- getUser, setUser, deleteUser, updateUser -----------------------------------------------------


@settled
async def test_get_user_returns_the_target(place: Place) -> None:
    assert await place.user("ann") == ANN


@settled
async def test_get_user_returns_none_for_an_unknown_id(place: Place) -> None:
    assert await place.user("nobody") is None


@case
async def test_set_user_inserts_a_user_alone(place: Place) -> None:
    await place.do(place.store.insert_user(ANN))

    assert (await place.user("ann"), await place.count("user_key")) == (ANN, 0)


@case
async def test_set_user_inserts_a_user_and_a_key(place: Place) -> None:
    await place.do(place.store.insert_user(ANN), place.store.insert_key(ANNS_KEY))

    assert (await place.user("ann"), await place.key("username:ann")) == (ANN, ANNS_KEY)


@settled
async def test_set_user_refuses_a_key_that_is_there(place: Place) -> None:
    cat = Person(id="cat", username="cat")
    key = StoredKey("username:ann", "cat", None)

    error = await failure(
        UniqueViolation, place.do(place.store.insert_user(cat), place.store.insert_key(key))
    )

    assert (error.table, error.columns) == ("user_key", ("id",))


@settled
async def test_set_user_inserts_nothing_where_it_fails(place: Place) -> None:
    key = StoredKey("username:new", "ann", None)

    await failure(
        UniqueViolation, place.do(place.store.insert_key(key), place.store.insert_user(ANN))
    )

    assert await place.key("username:new") is None


@settled
async def test_delete_user_deletes_the_target(place: Place) -> None:
    changes = await place.do(*place.store.delete_user("ann"))

    assert changes[-1] == 1
    assert (await place.user("ann"), await place.user("bob")) == (None, BOB)


@settled
async def test_delete_user_is_silent_for_an_unknown_id(place: Place) -> None:
    changes = await place.do(*place.store.delete_user("nobody"))

    assert (changes[-1], await place.count("user")) == (0, 2)


@settled
async def test_update_user_sets_the_username(place: Place) -> None:
    [result] = await place.db.batch([place.store.update_user("ann", {"username": "anna"})])

    assert (
        place.store.read_user(result)
        == await place.user("ann")
        == Person(id="ann", username="anna")
    )
    assert await place.user("bob") == BOB


# --- getKey, setKey, updateKey, getKeysByUserId, deleteKeysByUserId, deleteKey --------------------


@settled
async def test_get_key_returns_the_target(place: Place) -> None:
    assert await place.key("username:ann") == ANNS_KEY


@settled
async def test_get_key_returns_none_for_an_unknown_id(place: Place) -> None:
    assert await place.key("username:nobody") is None


@settled
async def test_set_key_inserts_a_key(place: Place) -> None:
    key = StoredKey("github:1", "ann", None)

    await place.do(place.store.insert_key(key))

    assert await place.key("github:1") == key


@settled
async def test_set_key_refuses_a_key_that_is_there(place: Place) -> None:
    key = StoredKey("username:ann", "bob", "stolen")

    await failure(UniqueViolation, place.do(place.store.insert_key(key)))

    assert await place.key("username:ann") == ANNS_KEY


@settled
async def test_set_key_refuses_a_user_that_is_not_there(place: Place) -> None:
    key = StoredKey("github:1", "nobody", None)

    await failure(ForeignKeyViolation, place.do(place.store.insert_key(key)))


@settled
async def test_update_key_sets_the_password(place: Place) -> None:
    [result] = await place.db.batch([place.store.set_password("username:ann", "new")])

    expected = StoredKey("username:ann", "ann", "new")
    assert result.first(StoredKey) == await place.key("username:ann") == expected
    assert await place.key("username:bob") == BOBS_KEY


@settled
async def test_get_keys_by_user_returns_the_targets(place: Place) -> None:
    second = StoredKey("github:1", "ann", None)
    await place.do(place.store.insert_key(second))

    assert await place.store.list_keys(place.db, "ann") == [second, ANNS_KEY]


@settled
async def test_get_keys_by_user_returns_none_where_none_matches(place: Place) -> None:
    assert await place.store.list_keys(place.db, "nobody") == []


@settled
async def test_delete_keys_by_user_deletes_the_targets(place: Place) -> None:
    await place.do(place.store.insert_key(StoredKey("github:1", "ann", None)))

    await place.do(*place.store.delete_user("ann"))

    assert await place.store.list_keys(place.db, "ann") == []
    assert await place.store.list_keys(place.db, "bob") == [BOBS_KEY]


@settled
async def test_delete_keys_by_user_is_silent_for_an_unknown_id(place: Place) -> None:
    await place.do(*place.store.delete_user("nobody"))

    assert await place.count("user_key") == 2


@settled
async def test_delete_key_deletes_the_target(place: Place) -> None:
    assert await place.do(place.store.delete_key("username:ann")) == [1]

    assert (await place.key("username:ann"), await place.key("username:bob")) == (None, BOBS_KEY)


@settled
async def test_delete_key_is_silent_for_an_unknown_id(place: Place) -> None:
    assert await place.do(place.store.delete_key("username:nobody")) == [0]

    assert await place.count("user_key") == 2


# --- getSession, getSessionsByUserId, setSession, deleteSession, deleteSessionsByUserId, ----------
# --- updateSession, getSessionAndUser -------------------------------------------------------------


@settled
async def test_get_session_returns_the_target(place: Place) -> None:
    assert await place.session("anns session") == ANNS


@settled
async def test_get_session_returns_none_for_an_unknown_id(place: Place) -> None:
    assert await place.session("no session") is None


@settled
async def test_get_sessions_by_user_returns_the_targets(place: Place) -> None:
    newer = session_of(ANN, "newer", created_at=NOW + 1)
    await place.do(place.store.add_session(newer))

    assert await place.store.list_sessions(place.db, "ann", NOW) == [newer, ANNS]


@settled
async def test_get_sessions_by_user_returns_none_where_none_matches(place: Place) -> None:
    assert await place.store.list_sessions(place.db, "nobody", NOW) == []


@settled
async def test_set_session_inserts_a_session(place: Place) -> None:
    session = session_of(ANN, "new", user_agent=None, country=None, authenticated_at=0)

    await place.do(place.store.add_session(session))

    assert await place.session("new") == session


@settled
async def test_set_session_refuses_a_user_that_is_not_there(place: Place) -> None:
    nobody = Person(id="nobody", username="nobody")

    await failure(ForeignKeyViolation, place.do(place.store.add_session(session_of(nobody, "new"))))


@settled
async def test_delete_session_deletes_the_target(place: Place) -> None:
    assert await place.do(place.store.delete_session("anns session")) == [1]

    assert await place.session("anns session") is None
    assert await place.session("bobs session") == BOBS


@settled
async def test_delete_session_is_silent_for_an_unknown_id(place: Place) -> None:
    assert await place.do(place.store.delete_session("no session")) == [0]

    assert await place.count("user_session") == 2


@settled
async def test_delete_sessions_by_user_deletes_the_targets(place: Place) -> None:
    await place.do(place.store.add_session(session_of(ANN, "second")))

    assert await place.do(place.store.delete_sessions("ann")) == [2]

    assert await place.session("bobs session") == BOBS


@settled
async def test_delete_sessions_by_user_is_silent_for_an_unknown_id(place: Place) -> None:
    assert await place.do(place.store.delete_sessions("nobody")) == [0]

    assert await place.count("user_session") == 2


@settled
async def test_update_session_sets_the_country(place: Place) -> None:
    changed = await place.store.update_session(place.db, "anns session", {"country": "SE"}, NOW)

    assert changed == await place.session("anns session")
    assert changed == msgspec.structs.replace(ANNS, country="SE")
    assert await place.session("bobs session") == BOBS


@settled
async def test_get_session_and_user_returns_both(place: Place) -> None:
    assert await place.session_and_user("anns session") == Validated(ANNS, ANN)


@settled
async def test_get_session_and_user_returns_none_for_an_unknown_id(place: Place) -> None:
    assert await place.session_and_user("no session") is None


# --- session.ts: the same of sessions alone, as an application asks for them ----------------------


@settled
async def test_sessions_get_returns_the_target(place: Place) -> None:
    assert await place.sessions.get(place.db, "anns session") == ANNS


@settled
async def test_sessions_get_refuses_an_unknown_id(place: Place) -> None:
    [error] = await asyncio.gather(
        place.sessions.get(place.db, "no session"), return_exceptions=True
    )

    assert type(error) is UnknownSession


@settled
async def test_sessions_of_returns_the_targets(place: Place) -> None:
    assert await place.sessions.for_user(place.db, "ann") == [ANNS]


@settled
async def test_sessions_of_returns_none_where_none_matches(place: Place) -> None:
    assert await place.sessions.for_user(place.db, "nobody") == []


@settled
async def test_sessions_create_inserts_a_session(place: Place) -> None:
    new = await place.sessions.create(place.db, "ann", country="SE")

    valid = await place.sessions.validate(place.db, new.token)
    assert (valid.user, valid.session.country) == (ANN, "SE")
    assert await place.count("user_session") == 3


@settled
async def test_sessions_end_deletes_the_target(place: Place) -> None:
    assert await place.sessions.end(place.db, "anns session") is True

    assert await place.sessions.for_user(place.db, "ann") == []
    assert await place.sessions.for_user(place.db, "bob") == [BOBS]


@settled
async def test_sessions_end_is_silent_for_an_unknown_id(place: Place) -> None:
    assert await place.sessions.end(place.db, "no session") is False

    assert await place.count("user_session") == 2


@settled
async def test_sessions_end_all_deletes_the_targets(place: Place) -> None:
    await place.sessions.create(place.db, "ann")

    assert await place.sessions.end_all(place.db, "ann") == 2
    assert await place.sessions.for_user(place.db, "bob") == [BOBS]


@settled
async def test_sessions_end_all_is_silent_for_an_unknown_id(place: Place) -> None:
    assert await place.sessions.end_all(place.db, "nobody") == 0

    assert await place.count("user_session") == 2


@settled
async def test_sessions_update_sets_the_country(place: Place) -> None:
    changed = await place.sessions.update(place.db, "anns session", country="SE")

    assert changed == msgspec.structs.replace(ANNS, country="SE")


LUCIAS = len(STORAGE_CASES)
"""How many of the cases are Lucia's."""


# --- Beyond Lucia: what may happen at once --------------------------------------------------------


@settled
async def test_a_session_is_begun_only_with_the_password_that_was_verified(place: Place) -> None:
    session = session_of(ANN, "new")
    await place.do(place.store.set_password("username:ann", "changed"))

    assert await place.do(place.store.insert_session(session, ANNS_KEY)) == [0]
    bobs = StoredKey("username:ann", "ann", BOBS_KEY.hashed_password)
    assert await place.do(place.store.insert_session(session, bobs)) == [0]
    current = StoredKey("username:ann", "ann", "changed")
    assert await place.do(place.store.insert_session(session, current)) == [1]


@settled
async def test_of_two_changes_of_one_password_one_takes_place(place: Place) -> None:
    same = StoredKey("username:bob2", "bob", ANNS_KEY.hashed_password)
    await place.do(place.store.insert_key(same))
    changes = await asyncio.gather(
        *[place.do(place.store.change_password(ANNS_KEY, new)) for new in ("first", "second")]
    )

    assert sorted(changes) == [[0], [1]]
    assert await place.key(same.id) == same


@settled
async def test_a_change_that_took_no_place_ends_no_session(place: Place) -> None:
    changed = StoredKey("username:ann", "ann", str(BOBS_KEY.hashed_password))
    await place.do(place.store.add_session(session_of(ANN, "other")))

    await place.do(*place.store.change_sessions(changed, "anns session", NOW + GRACE))

    assert await place.session("anns session") == ANNS
    assert await place.session("other") is not None


@settled
async def test_a_change_ends_the_others_and_retires_ones_own(place: Place) -> None:
    await place.do(place.store.add_session(session_of(ANN, "other")))

    await place.do(*place.store.change_sessions(ANNS_KEY, "anns session", NOW + GRACE))

    [left] = await place.store.list_sessions(place.db, "ann", NOW)
    ends = (left.active_expires, left.idle_expires, left.authenticated_at)
    assert (left.id, *ends) == ("anns session", NOW + GRACE, NOW + GRACE, 0)
    assert await place.session("bobs session") == BOBS


@settled
async def test_what_is_idle_is_renewed_and_nothing_else(place: Place) -> None:
    active, idle, dead = NOW, NOW + LIMITS.active, NOW + LIMITS.active + LIMITS.idle

    for at, is_renewed in ((active, False), (idle - 1, False), (idle, True), (dead, False)):
        done = await place.store.renew(place.db, "anns session", at + 5, at + 9, at, 0)
        assert done is is_renewed, at
        await place.do(place.store.delete_session("anns session"), place.store.add_session(ANNS))


@settled
async def test_what_was_retired_is_not_renewed(place: Place) -> None:
    idle = NOW + LIMITS.active
    await place.do(place.store.retire_session("anns session", idle + GRACE))

    for at in (idle, idle + GRACE - 1, idle + GRACE):
        assert not await place.store.renew(place.db, "anns session", at + 5, at + 9, at, at)


@settled
async def test_a_renewal_moves_both_ends_and_when_it_was_seen(place: Place) -> None:
    at = NOW + LIMITS.active
    assert await place.store.renew(place.db, "anns session", at + 5, at + 9, at, at + 1)

    place.now = at
    moved = {"active_expires": at + 5, "idle_expires": at + 9, "last_seen_at": at + 1}
    assert await place.session("anns session") == msgspec.structs.replace(ANNS, **moved)
    assert await place.session("bobs session") == BOBS


@settled
async def test_a_session_is_noted_as_seen_where_that_is_long_ago(place: Place) -> None:
    hour = LIMITS.last_seen

    async def note(id: str, at: int) -> bool:
        return await place.store.note_seen(place.db, id, at, at - hour)

    assert await note("anns session", NOW + hour - 1) is False
    assert await place.session("anns session") == ANNS
    assert await note("anns session", NOW + hour) is True
    seen = msgspec.structs.replace(ANNS, last_seen_at=NOW + hour)
    assert await place.session("anns session") == seen
    assert await note("anns session", NOW + hour + 1) is False
    assert await note("no session", NOW + hour) is False
    assert (await place.session("bobs session"), await place.count("user_session")) == (BOBS, 2)


@settled
async def test_of_many_notes_at_once_one_is_written(place: Place) -> None:
    at = NOW + LIMITS.last_seen

    done = await asyncio.gather(
        *[place.store.note_seen(place.db, "anns session", at, NOW) for _ in range(5)]
    )

    assert sorted(done) == [False, False, False, False, True]


@settled
async def test_what_takes_a_sessions_place_says_when_it_was_seen(place: Place) -> None:
    new = session_of(ANN, "new", last_seen_at=NOW + 7)

    await place.do(*place.store.replace_session(ANNS, new, NOW + GRACE))

    found = {
        each.id: each.last_seen_at for each in await place.store.list_sessions(place.db, "ann", NOW)
    }
    assert found == {"new": NOW + 7, "anns session": NOW + 7}


@settled
async def test_what_ends_sooner_is_not_made_to_end_later(place: Place) -> None:
    await place.do(place.store.retire_session("anns session", ANNS.idle_expires + 1))

    session = await place.session("anns session")
    assert session is not None
    assert session.active_expires == session.idle_expires == ANNS.idle_expires - 1
    await failure(ConstraintViolation, place.do(place.store.require_session(ANNS)))


@settled
async def test_of_many_replacements_at_once_one_takes_place(place: Place) -> None:
    new = [session_of(ANN, f"new {number}") for number in range(5)]
    replacing = [place.store.replace_session(ANNS, each, NOW + GRACE) for each in new]

    changes = await asyncio.gather(*[place.do(*statements) for statements in replacing])

    assert sorted(each[0] for each in changes) == [0, 0, 0, 0, 1]
    left = await place.store.list_sessions(place.db, "ann", NOW)
    assert len(left) == 2
    old = await place.session("anns session")
    assert old is not None
    assert (old.active_expires, old.idle_expires, old.authenticated_at) == (
        NOW + GRACE,
        NOW + GRACE,
        0,
    )


@settled
async def test_what_was_replaced_is_not_replaced_whatever_the_clocks_say(place: Place) -> None:
    first, second = session_of(ANN, "first"), session_of(ANN, "second")
    await place.do(*place.store.replace_session(ANNS, first, NOW + GRACE + 1))

    assert await place.do(*place.store.replace_session(ANNS, second, NOW + GRACE)) == [0, 0]
    await place.do(place.store.retire_session("bobs session", NOW + GRACE + 1))
    assert await place.do(*place.store.replace_session(BOBS, second, NOW + GRACE)) == [0, 0]


@settled
async def test_what_was_renewed_meanwhile_is_replaced(place: Place) -> None:
    idle = NOW + LIMITS.active
    await place.store.renew(place.db, "anns session", idle + 5, ANNS.idle_expires + 9, idle, idle)

    replacing = place.store.replace_session(ANNS, session_of(ANN, "new"), NOW + GRACE)

    assert await place.do(*replacing) == [1, 1]


@settled
async def test_one_of_two_ids_is_enough(place: Place) -> None:
    for ids in (("anns session", "no session"), ("no session", "anns session")):
        assert await place.session_and_user(*ids) == Validated(ANNS, ANN)


@settled
async def test_a_session_that_was_renewed_meanwhile_is_not_buried(place: Place) -> None:
    stale = msgspec.structs.replace(ANNS, idle_expires=ANNS.idle_expires - 1)

    await place.store.delete_dead(place.db, stale)
    kept = await place.session("anns session")
    await place.store.delete_dead(place.db, ANNS)

    assert kept == ANNS
    assert await place.session("anns session") is None
    assert await place.session("bobs session") == BOBS  # which ends in the same moment


@settled
async def test_the_sessions_of_a_key_are_those_of_its_user(place: Place) -> None:
    assert await place.do(place.store.delete_sessions_of_key("username:ann")) == [1]
    assert await place.do(place.store.delete_sessions_of_key("username:nobody")) == [0]
    assert await place.session("bobs session") == BOBS


async def living(place: Place, user_id: str) -> list[str]:
    rows = await place.db.all(
        dict, "SELECT id FROM user_session WHERE user_id = ?1 ORDER BY id", user_id
    )
    return [str(row["id"]) for row in rows]


@settled
async def test_a_batch_is_done_while_its_session_is_there(place: Place) -> None:
    store = place.store
    country = Statement("UPDATE user_session SET country = 'SE' WHERE id = ?1", ("bobs session",))

    assert await place.do(store.require_session(ANNS), country) == [0, 1]
    await place.do(store.delete_session("anns session"), store.retire_session("bobs session", NOW))
    await place.do(
        *[store.add_session(session_of(user, f"{user.id}s other")) for user in (ANN, BOB)]
    )
    for session in (ANNS, BOBS):  # one is gone, one was replaced
        done = store.delete_key("username:bob")
        await failure(ConstraintViolation, place.do(done, store.require_session(session)))

    assert await place.key("username:bob") == BOBS_KEY


@settled
async def test_a_session_is_ended_and_nothing_beside_it(place: Place) -> None:
    twin = session_of(ANN, "began in the same moment")
    old = session_of(ANN, "ends by itself", created_at=NOW - 1, idle_expires=NOW + GRACE)
    await place.do(*[place.store.add_session(session) for session in (twin, old)])

    assert await place.do(place.store.end_session(ANNS, NOW, NOW + GRACE)) == [1]

    left = [twin.id, old.id]
    assert (await living(place, "ann"), await living(place, "bob")) == (left, [BOBS.id])


@settled
async def test_lucias_sessions_did_not_begin_in_one_moment(place: Place) -> None:
    gone, other = (session_of(ANN, id, created_at=0) for id in ("gone", "other"))
    await place.do(place.store.add_session(other))

    assert await place.do(place.store.end_session(gone, NOW, NOW + GRACE)) == [0]


@settled
async def test_a_session_ends_with_what_replaced_it(place: Place) -> None:
    store = place.store
    for end, count in ((NOW, 1), (NOW + GRACE, 2)):
        new, later = session_of(ANN, "new"), session_of(ANN, "later", created_at=NOW + 1)
        statements = store.replace_session(ANNS, new, end)
        await place.do(store.add_session(later), *(statements if end > NOW else statements[:1]))

        assert await place.do(store.end_session(ANNS, NOW, end)) == [count]
        assert await living(place, "ann") == ["later"]
        assert await place.do(store.end_session(ANNS, NOW, end)) == [0]
        await place.do(store.delete_sessions("ann"), store.add_session(ANNS))


@settled
async def test_so_it_does_where_the_clock_that_ends_it_is_behind(place: Place) -> None:
    store, new = place.store, session_of(ANN, "new")
    await place.do(*store.replace_session(ANNS, new, NOW + GRACE + 1))

    assert await place.do(store.end_session(ANNS, NOW, NOW + GRACE)) == [2]

    assert await living(place, "ann") == []


@settled
async def test_one_of_lucias_ends_with_what_replaced_it(place: Place) -> None:
    store, lucias = place.store, session_of(ANN, "lucias", created_at=0)
    new = session_of(ANN, "new", created_at=NOW + 1)
    await place.do(store.add_session(lucias))
    await place.do(*store.replace_session(lucias, new, NOW + GRACE))

    assert await place.do(store.end_session(lucias, NOW, NOW + GRACE)) == [2]
    assert await living(place, "ann") == [ANNS.id]


@settled
async def test_a_session_ends_with_what_it_replaced(place: Place) -> None:
    store, new, bobs = place.store, session_of(ANN, "new"), session_of(BOB, "bobs")
    later = session_of(ANN, "not replaced yet", created_at=NOW + 1)
    await place.do(*store.replace_session(ANNS, new, NOW + GRACE))
    await place.do(*store.replace_session(BOBS, bobs, NOW + GRACE))
    await place.do(store.add_session(later), store.retire_session(later.id, NOW + GRACE + 1))

    assert await place.do(store.end_session(new, NOW, NOW + GRACE)) == [2]

    left = ([later.id], [bobs.id, BOBS.id])
    assert (await living(place, "ann"), await living(place, "bob")) == left


@settled
async def test_the_oldest_sessions_past_the_limit_are_deleted(place: Place) -> None:
    store = place.store
    for number in range(1, 5):
        await place.do(store.add_session(session_of(ANN, f"{number}", created_at=NOW + number)))
    await place.do(store.retire_session("4", NOW + GRACE))
    new = session_of(ANN, "new", created_at=NOW - 9)  # as by a clock that was put back

    assert await place.do(store.limit_sessions(new, NOW + GRACE, 1)) == [0]
    await place.do(store.add_session(new))
    assert await place.do(store.limit_sessions(new, NOW + GRACE, 6)) == [0]
    assert await place.do(store.limit_sessions(new, NOW + GRACE, 3)) == [3]

    assert await living(place, "ann") == ["2", "3", "new"]
    assert await place.do(store.limit_sessions(new, NOW + GRACE, 1)) == [2]
    assert (await living(place, "ann"), await living(place, "bob")) == (["new"], [BOBS.id])


@settled
async def test_the_other_sessions_of_a_user_are_deleted_and_counted(place: Place) -> None:
    for number in range(3):
        await place.do(place.store.add_session(session_of(ANN, f"other {number}")))

    assert await place.do(place.store.delete_other_sessions("ann", "anns session")) == [3]
    assert await living(place, "ann") == ["anns session"]
    assert await living(place, "bob") == ["bobs session"]


# --- Beyond Lucia: attempts, and browsers that are known ------------------------------------------

WINDOW = NOW + LIMITS.window
YEAR = NOW + LIMITS.device


@case
async def test_attempts_are_counted_in_windows(place: Place) -> None:
    store = place.store

    counts = [await place.attempt(store.count_attempt("a", NOW, LIMITS)) for _ in range(3)]
    other = await place.attempt(store.count_attempt("b", NOW, LIMITS))
    later = await place.attempt(store.count_attempt("a", WINDOW, LIMITS))

    assert (counts, other, later) == ([[1], [2], [3]], [1], [1])


@case
async def test_attempts_at_once_are_each_counted(place: Place) -> None:
    counts = await asyncio.gather(
        *[place.attempt(place.store.count_attempt("a", NOW, LIMITS)) for _ in range(20)]
    )

    assert sorted(count or 0 for [count] in counts) == [*range(1, 21)]


@case
async def test_attempts_are_forgotten(place: Place) -> None:
    await place.attempt(place.store.count_attempt("a", NOW, LIMITS))

    await place.do(place.store.forget_attempts("a"))

    assert await place.attempt(place.store.count_attempt("a", NOW, LIMITS)) == [1]


async def counted(place: Place, now: int, limits: Limits = LIMITS) -> Attempt:
    """Count an attempt on the account a, and return what came of it."""
    [result] = await place.db.batch([place.store.count_attempt("a", now, limits)])
    attempt = result.first(Attempt)
    assert attempt is not None
    return attempt


@case
async def test_what_failed_in_windows_before_is_counted_on(place: Place) -> None:
    few = Limits(attempts=3, failures=8, window=10)
    seen = [await counted(place, NOW + at, few) for at in (0, 1, 2, 3, 10, 11, 20, 21, 22, 23)]

    assert seen == [
        *[Attempt(attempts, NOW + 10) for attempts in (1, 2, 3, 4)],
        *[Attempt(attempts, NOW + 20, 3) for attempts in (1, 2)],
        *[Attempt(attempts, NOW + 30, 5) for attempts in (1, 2, 3, 4)],
    ]
    last = Attempt(4, NOW + 30, 5)
    for later in (NOW + 30, NOW + 29 + FAILURES_KEPT):
        assert await counted(place, later, few) == last
    forgotten = NOW + 30 + FAILURES_KEPT
    assert await counted(place, forgotten, few) == Attempt(1, forgotten + 10)


@case
async def test_failures_are_counted_on_only_where_that_is_asked_for(place: Place) -> None:
    any_number = Limits(failures=0)

    seen = [await counted(place, NOW + at * LIMITS.window, any_number) for at in range(3)]

    assert [(attempt.attempts, attempt.failures) for attempt in seen] == [(1, 0)] * 3


@case
async def test_a_window_ends_no_later_than_one_that_began_now(place: Place) -> None:
    await counted(place, NOW + FAILURES_KEPT)

    assert await counted(place, NOW) == Attempt(2, WINDOW)
    assert await counted(place, NOW + 1) == Attempt(3, WINDOW)


@case
async def test_failures_are_forgotten_but_for_the_window(place: Place) -> None:
    for at in (NOW, NOW + 1, WINDOW, WINDOW + 1):
        await counted(place, at)

    await place.do(place.store.forget_failures("a", WINDOW + 1))
    assert await counted(place, WINDOW + 2) == Attempt(3, WINDOW + LIMITS.window)

    over = WINDOW + LIMITS.window
    await place.do(place.store.forget_failures("a", over))
    assert await counted(place, over) == Attempt(1, over + LIMITS.window)
    assert await place.do(place.store.forget_failures("nobody", NOW)) == [0]


@settled
async def test_a_known_browser_has_a_count_of_its_own(place: Place) -> None:
    store = place.store
    await place.do(*store.remember_device("device", ANNS_KEY, YEAR))

    async def count(device: str, key_id: str, now: int = NOW) -> list[int | None]:
        return await place.attempt(*store.count_attempt_from(device, key_id, key_id, now, LIMITS))

    assert await count("device", "username:ann") == [1, None]
    assert await count("device", "username:ann") == [2, None]
    assert await count("other", "username:ann") == [None, 1]
    assert await count("device", "username:bob") == [None, 1]
    assert await count("device", "username:nobody") == [None, 1]
    assert await count("device", "username:ann", WINDOW) == [1, None]
    assert await count("device", "username:ann", YEAR) == [None, 1]


@settled
async def test_to_sign_in_again_forgets_a_known_browsers_attempts(place: Place) -> None:
    store = place.store
    counted = store.count_attempt_from("device", "a", "username:ann", NOW, LIMITS)
    await place.do(*store.remember_device("device", ANNS_KEY, YEAR))
    await place.attempt(*counted)

    await place.do(*store.remember_device("device", ANNS_KEY, YEAR))

    assert await place.attempt(*counted) == [1, None]
    assert await place.count("known_device") == 1


@settled
async def test_nor_do_failures_of_a_known_browser_outlive_a_sign_in(place: Place) -> None:
    store = place.store

    async def count(now: int) -> Attempt | None:
        counted = store.count_attempt_from("device", "a", "username:ann", now, LIMITS)
        known, _ = await place.db.batch(counted)
        return known.first(Attempt)

    await place.do(*store.remember_device("device", ANNS_KEY, YEAR))
    await count(NOW)
    assert await count(WINDOW) == Attempt(1, WINDOW + LIMITS.window, 1)

    await place.do(*store.remember_device("device", ANNS_KEY, YEAR))

    assert await count(WINDOW + 5) == Attempt(1, WINDOW + 5 + LIMITS.window, 0)


@settled
async def test_a_browser_is_known_only_with_the_password_that_was_verified(place: Place) -> None:
    wrong = StoredKey("username:ann", "ann", "wrong")

    await place.do(*place.store.remember_device("device", wrong, YEAR))

    assert await place.count("known_device") == 0


@settled
async def test_the_twenty_browsers_that_signed_in_last_are_known(place: Place) -> None:
    await place.do(*place.store.remember_device("bobs", BOBS_KEY, YEAR))
    await place.do(*place.store.remember_device("bobs too", BOBS_KEY, YEAR + 23))
    for number in range(23):
        await place.do(*place.store.remember_device(f"{number}", ANNS_KEY, YEAR + number))

    rows = await place.db.all(dict, "SELECT id FROM known_device ORDER BY expires_at, id")
    anns = [f"{number}" for number in range(3, 23)]
    assert [row["id"] for row in rows] == ["bobs", *anns, "bobs too"]


@settled
async def test_browsers_are_forgotten_but_one_by_who_has_the_password(place: Place) -> None:
    store = place.store
    for device in ("one", "two"):
        await place.do(*store.remember_device(device, ANNS_KEY, YEAR))
    await place.do(*store.remember_device("bobs", BOBS_KEY, YEAR))

    await place.attempt(store.count_attempt_from("one", "a", "username:ann", NOW, LIMITS)[0])
    assert await place.do(store.forget_device_attempts("username:nobody")) == [0]
    assert await place.do(store.forget_device_attempts("username:ann")) == [2]
    again = store.count_attempt_from("one", "a", "username:ann", NOW, LIMITS)[0]
    assert await place.attempt(again) == [1]
    assert await place.do(store.forget_devices("username:ann", "never stored")) == [0]
    assert await place.do(store.forget_devices("username:nobody", None)) == [0]
    assert await place.do(store.forget_devices("username:ann", None)) == [0]
    assert await place.do(store.forget_devices("username:ann", "a hash", "one")) == [1]
    assert await place.do(store.forget_devices("username:ann", "a hash")) == [1]
    await place.do(*store.remember_device("one", ANNS_KEY, YEAR))
    await place.do(store.set_password("username:ann", None))
    assert await place.do(store.forget_devices("username:ann", None)) == [1]
    assert await place.count("known_device") == 1


@settled
async def test_the_passwords_of_a_user_change_together(place: Place) -> None:
    store = place.store
    for key in (
        StoredKey("username:ann2", "ann", "a hash"),
        StoredKey("email:ann", "ann", "a third"),
        StoredKey("github:1", "ann", None),
    ):
        await place.do(store.insert_key(key))
    changed = StoredKey("username:ann", "ann", "changed")

    bobs = StoredKey("username:ann", "ann", BOBS_KEY.hashed_password)
    assert await place.do(store.change_other_passwords(changed)) == [0]
    assert await place.do(store.change_other_passwords(bobs)) == [0]
    await place.do(
        store.change_password(ANNS_KEY, "changed"), store.change_other_passwords(changed)
    )

    keys = await store.list_keys(place.db, "ann")
    assert {key.id: key.hashed_password for key in keys} == {
        "email:ann": "changed",
        "github:1": None,
        "username:ann": "changed",
        "username:ann2": "changed",
    }
    assert await place.key("username:bob") == BOBS_KEY


@settled
async def test_what_is_dead_is_purged(place: Place) -> None:
    await place.do(
        place.store.count_attempt("a", NOW, LIMITS),
        *place.store.remember_device("device", ANNS_KEY, YEAR),
        place.store.retire_session("anns session", NOW + 5),
    )

    assert await place.store.purge(place.db, NOW + 4) == 0
    assert await place.store.purge(place.db, NOW + 5) == 1
    counts = [await place.count(table) for table in ("user_session", "sign_in_attempt")]
    assert [*counts, await place.count("known_device")] == [1, 1, 1]
    assert await place.store.purge(place.db, YEAR) == 1
    assert [await place.count(table) for table in ("sign_in_attempt", "known_device")] == [0, 0]


@settled
async def test_attempts_are_purged_when_they_no_longer_count(place: Place) -> None:
    day = FAILURES_KEPT // 30
    kept = [("one, today", 1, 0, day - 1), ("with failures", 1, 1, day), ("two", 2, 0, day)]
    kept += [("this month", 2, 1, FAILURES_KEPT - 1)]
    gone = [("one", 1, 0, day), ("last month", 1, 1, FAILURES_KEPT), ("all", 2, 9, FAILURES_KEPT)]
    for account, attempts, failures, ago in kept + gone:
        await place.db.run(
            "INSERT INTO sign_in_attempt (account, attempts, failures, resets_at)"
            " VALUES (?1, ?2, ?3, ?4)",
            account, attempts, failures, NOW - ago,
        )  # fmt: skip

    await place.store.purge(place.db, NOW)

    left = await place.db.all(dict, "SELECT account FROM sign_in_attempt")
    assert {row["account"] for row in left} == {account for account, *_ in kept}


@settled
async def test_the_password_key_of_a_user_is_found_by_its_provider(place: Place) -> None:
    await place.do(place.store.insert_key(StoredKey("user:ann", "ann", "x")))

    async def find(user_id: str, provider: str) -> StoredKey | None:
        return await place.store.find_password_key(place.db, user_id, provider)

    assert await find("ann", "username") == ANNS_KEY
    assert await find("ann", "user") == StoredKey("user:ann", "ann", "x")
    assert (await find("ann", "use"), await find("nobody", "username")) == (None, None)


@settled
async def test_of_several_the_first_that_has_a_password_is_found(place: Place) -> None:
    for id, hashed in (("username:aa", None), ("username:zz", "x"), ("username:ab", "y")):
        await place.do(place.store.insert_key(StoredKey(id, "ann", hashed)))

    found = await place.store.find_password_key(place.db, "ann", "username")

    assert found == StoredKey("username:ab", "ann", "y")


@settled
async def test_the_user_of_a_key_is_found(place: Place) -> None:
    for key_id, user in (("username:ann", ANN), ("username:nobody", None)):
        [result] = await place.db.batch([place.store.find_user_by_key(key_id)])
        assert place.store.read_user(result) == user


@settled
async def test_the_living_are_listed_idle_or_not_and_a_hundred_of_them(place: Place) -> None:
    store, end = place.store, ANNS.idle_expires
    ids = [f"session {number:03}" for number in range(101)]
    await place.do(*[store.add_session(session_of(ANN, id, created_at=NOW + 1)) for id in ids])

    idle = await store.list_sessions(place.db, "ann", end - 1)

    assert [session.id for session in idle] == ids[:100]
    assert await store.list_sessions(place.db, "ann", end) == []


@settled
async def test_a_hundred_keys_are_listed(place: Place) -> None:
    ids = [f"github:{number:03}" for number in range(101)]
    await place.do(*[place.store.insert_key(StoredKey(id, "ann", None)) for id in ids])

    assert [key.id for key in await place.store.list_keys(place.db, "ann")] == ids[:100]
