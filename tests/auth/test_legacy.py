"""Passwords in Lucia's forms, and the ways that sessions are kept. Lucia itself is in `tests/lucia`."""

import hashlib
import logging
import re
from typing import Final

import pytest

import framework.scrypt
from framework import ConfigurationError
from framework.auth import Argon2Hasher, Auth, Hasher, PasswordError, verify_password
from framework.auth.legacy import LuciaHasher
from framework.auth.legacy_cookie import SessionFormat
from framework.scrypt import scrypt
from framework.testing import json_of
from tests.auth.hasher import CountingHasher, quick_hasher
from tests.auth.world import USERNAME, World
from tests.lucia.hashes import BCRYPT, FORMS, LONG_SALT, LUCIAS, PASSWORD, SHORT_SALT, old_hash

UNREADABLE: Final = {
    "bcrypt of a beta": BCRYPT,
    "bcrypt": BCRYPT.replace("$2a", "$2b"),
    "empty": "",
    "no key": f"s2:{SHORT_SALT}:",
    "no salt": f"s2::{LUCIAS[-128:]}",
    "short key": LUCIAS[:-2],
    "long key": LUCIAS + "00",
    "no hex": LUCIAS[:-1] + "g",
    "upper case": LUCIAS[:-128] + LUCIAS[-128:].upper(),
    "another version": "s3" + LUCIAS[2:],
    "four parts": LUCIAS + ":00",
    "line break": LUCIAS + "\n",
    "salt of 17": old_hash(PASSWORD, SHORT_SALT + "x", 8),
    "salt of 32 and no hex": old_hash(PASSWORD, "x" * 32, 16),
    "endless salt": f"s2:{'x' * 100_000}:{LUCIAS[-128:]}",
    "surrogate": "s2:\ud800" + LUCIAS[4:],
    "Argon2i": "$argon2i$v=19$m=7168,t=1,p=1$c29tZXRoaW5nc2FsdHk$Vrm23Sr8ZR7CGSkmnYZbHA",
}


def migrating() -> tuple[LuciaHasher, CountingHasher]:
    argon2 = CountingHasher(quick_hasher())
    return LuciaHasher(argon2=argon2), argon2


def sharing() -> LuciaHasher:
    return LuciaHasher(writes="s2", argon2=quick_hasher())


@pytest.fixture
def block_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what fills with the block size of each scrypt."""
    spent: list[int] = []

    async def counted(password: bytes, salt: bytes, block_size: int, /) -> bytes:
        spent.append(block_size)
        return hashlib.scrypt(
            password, salt=salt, n=16_384, r=block_size, p=1, dklen=64, maxmem=2**26
        )

    monkeypatch.setattr(framework.scrypt, "_provided", counted)
    return spent


@pytest.mark.parametrize("stored", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "hasher", [quick_hasher(), migrating()[0], sharing()], ids=["usual", "argon2id", "s2"]
)
async def test_every_form_is_read(hasher: Hasher, stored: str) -> None:
    assert await hasher.verify(PASSWORD, stored)
    assert not await hasher.verify("correct horsf", stored)


@pytest.mark.parametrize(
    "stored",
    [old_hash(PASSWORD, SHORT_SALT, 16), old_hash(PASSWORD, LONG_SALT, 8)],
    ids=["short salt, r=16", "long salt, r=8"],
)
async def test_the_salt_alone_tells_the_two_part_forms_apart(stored: str) -> None:
    assert not await sharing().verify(PASSWORD, stored)


@pytest.mark.parametrize("stored", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_read_is_nobodys_password(stored: str) -> None:
    for hasher in (quick_hasher(), migrating()[0], sharing()):
        assert await hasher.verify(PASSWORD, stored) is False
        assert hasher.is_outdated(stored)


@pytest.mark.parametrize("password", ["", "x" * 1_025, "pass\ud800word"], ids=len)
async def test_what_cannot_be_a_password_matches_nothing(password: str) -> None:
    for hasher in (quick_hasher(), migrating()[0], sharing()):
        assert not await hasher.verify(password, LUCIAS)


async def test_passwords_may_be_as_short_as_lucia_had_them() -> None:
    for hasher in (quick_hasher(), migrating()[0], sharing()):
        assert await hasher.verify("sixsix", old_hash("sixsix", SHORT_SALT, 16, "s2:"))


async def test_passwords_are_normalised_as_lucia_did() -> None:
    stored = old_hash("pässword fi", SHORT_SALT, 16, "s2:")
    hasher = sharing()

    for typed in ("pässword fi", "pa\u0308ssword ﬁ"):
        assert await hasher.verify(typed, stored)
        assert await hasher.verify(typed, await hasher.hash("pässword ﬁ"))


async def test_what_is_hashed_is_argon2id_unless_lucia_must_read_it() -> None:
    assert (await migrating()[0].hash(PASSWORD)).startswith("$argon2id$")
    assert re.fullmatch(r"s2:[0-9a-f]{32}:[0-9a-f]{128}", await sharing().hash(PASSWORD))


async def test_what_is_hashed_in_lucias_form_is_verified_and_never_the_same() -> None:
    hasher = sharing()

    first, second = [await hasher.hash(PASSWORD) for _ in range(2)]

    assert first != second
    assert await hasher.verify(PASSWORD, first)
    assert not await hasher.verify(PASSWORD + " ", first)


@pytest.mark.parametrize("password", ["", "7 chars", "x" * 1_025, "\ud800" * 8], ids=len)
async def test_new_passwords_are_as_long_as_everywhere(password: str) -> None:
    with pytest.raises(PasswordError):
        await sharing().hash(password)


@pytest.mark.parametrize(
    ("stored", "to_migrate", "to_share"),
    [
        (LUCIAS, True, False),
        (FORMS["Lucia 3, LegacyScrypt"], True, False),
        (FORMS["Lucia 1"], True, True),
        (FORMS["Lucia 3, better-auth"], True, True),
        (quick_hasher().dummy_hash, False, True),
    ],
    ids=[*FORMS, "Argon2id"],
)
def test_a_form_is_outdated_where_another_is_written(
    stored: str, to_migrate: bool, to_share: bool
) -> None:
    assert migrating()[0].is_outdated(stored) is to_migrate
    assert sharing().is_outdated(stored) is to_share


async def test_argon2id_is_read_by_both() -> None:
    stored = await quick_hasher().hash(PASSWORD)

    for hasher in (migrating()[0], sharing()):
        assert await hasher.verify(PASSWORD, stored)
        assert not await hasher.verify("correct horsf", stored)


@pytest.mark.parametrize("password", [PASSWORD, "wrong horse"])
@pytest.mark.parametrize(
    "stored",
    [*FORMS.values(), BCRYPT, "", "nobody", "new"],
    ids=[*FORMS, "bcrypt", "empty", "nobody", "new"],
)
async def test_migrating_costs_one_of_each_whoever_is_asked_for(
    stored: str, password: str, block_sizes: list[int]
) -> None:
    hasher, argon2 = migrating()
    known = {"nobody": hasher.dummy_hash, "new": await quick_hasher().hash(PASSWORD)}
    stored = known.get(stored, stored)

    if await hasher.verify(password, stored) and hasher.is_outdated(stored):
        await hasher.hash(password)  # as signing in does

    assert sum(block_sizes) == 16
    assert len(argon2.verified) + argon2.hashes == 1


@pytest.mark.parametrize("password", [PASSWORD, "wrong horse"])
@pytest.mark.parametrize(
    ("stored", "blocks"),
    [*[(form, 16) for form in FORMS.values()], (BCRYPT, 0), ("", 0), ("nobody", 0), ("new", 0)],
    ids=[*FORMS, "bcrypt", "empty", "nobody", "new"],
)
async def test_the_usual_hasher_spends_a_scrypt_on_old_hashes_alone(
    stored: str, blocks: int, password: str, block_sizes: list[int]
) -> None:
    hasher = quick_hasher()
    known = {"nobody": hasher.dummy_hash, "new": await hasher.hash(PASSWORD)}

    await hasher.verify(password, known.get(stored, stored))

    assert sum(block_sizes) == blocks


async def test_the_usual_hasher_signs_lucias_people_in_and_replaces_what_it_stored() -> None:
    world = World()
    await world.signed_up()
    await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", LUCIAS)

    wrong = await world.browser().post("/sign-in", json={"password": "wrong horse"})
    right = await world.browser().post("/sign-in", json={"password": PASSWORD})

    [key] = await world.rows("user_key")
    assert (wrong.status, right.status) == (401, 200)
    assert key["hashed_password"].startswith("$argon2id$")
    world.close()


class OwnHasher(Argon2Hasher):
    """Reads what an app's own `passwordHash` stored as well, as docs/from-lucia.md says."""

    async def verify(self, password: str, stored: str) -> bool:
        if stored == f"own:{hashlib.sha256(password.encode()).hexdigest()}":
            return True
        return await super().verify(password, stored)


async def test_what_an_app_hashed_in_its_own_way_is_read_and_replaced() -> None:
    world = World(hasher=OwnHasher())
    browser = await world.signed_up()
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", f"own:{digest}")

    wrong = await browser.fork().post("/sign-in", json={"password": "battery staple"})
    right = await browser.fork().post("/sign-in", json={})
    (key,) = await world.rows("user_key")

    assert (wrong.status, right.status) == (401, 200)
    assert key["hashed_password"].startswith("$argon2id$")
    assert (await browser.fork().post("/sign-in", json={})).status == 200
    world.close()


@pytest.mark.parametrize("stored", FORMS.values(), ids=FORMS)
async def test_verify_password_reads_them_too(stored: str) -> None:
    assert await verify_password(PASSWORD, stored)
    assert not await verify_password("correct horsf", stored)


@pytest.mark.parametrize("stored", [*FORMS.values(), BCRYPT, "", "nobody"])
async def test_sharing_costs_one_scrypt_whoever_is_asked_for(
    stored: str, block_sizes: list[int]
) -> None:
    argon2 = CountingHasher(quick_hasher())
    hasher = LuciaHasher(writes="s2", argon2=argon2)

    await hasher.verify("wrong horse", hasher.dummy_hash if stored == "nobody" else stored)

    assert sum(block_sizes) == 16
    assert argon2.verified == []


async def test_sharing_spends_the_scrypt_also_where_argon2id_does_not_match(
    block_sizes: list[int],
) -> None:
    hasher = sharing()
    stored = await quick_hasher().hash(PASSWORD)

    assert not await hasher.verify("wrong horse", stored)
    assert sum(block_sizes) == 16

    block_sizes.clear()
    assert await hasher.verify(PASSWORD, stored)
    await hasher.hash(PASSWORD)  # as signing in does
    assert sum(block_sizes) == 16


@pytest.mark.parametrize("password", [PASSWORD, "nobodynobodynobo", "password"])
async def test_nobody_has_a_password(password: str) -> None:
    for hasher in (migrating()[0], sharing()):
        assert not await hasher.verify(password, hasher.dummy_hash)


async def test_bcrypt_is_told_of_once_and_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hasher, _ = migrating()

    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            await hasher.verify(PASSWORD, BCRYPT)

    assert [record.name for record in caplog.records] == ["kagari"]
    assert "bcrypt" in caplog.text
    assert PASSWORD not in caplog.text
    assert BCRYPT[7:] not in caplog.text


async def test_a_python_without_scrypt_is_a_mistake_and_not_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(hashlib, "scrypt")

    with pytest.raises(ConfigurationError, match="no scrypt"):
        await scrypt(b"password", b"salt", 16)
    for hasher in (quick_hasher(), migrating()[0]):
        with pytest.raises(ConfigurationError, match="no scrypt"):
            await hasher.verify(PASSWORD, LUCIAS)


# --- Auth ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hasher", [quick_hasher(), migrating()[0]], ids=["Argon2id", "migrating"])
def test_sharing_sessions_asks_for_passwords_that_are_shared(hasher: Hasher) -> None:
    with pytest.raises(ConfigurationError, match=r'LuciaHasher\(writes="s2"\)'):
        Auth(sessions="shared", hasher=hasher)

    Auth(sessions="shared", hasher=sharing())


@pytest.mark.parametrize("sessions", ["plain", "", "Hashed"])
def test_sessions_are_kept_in_one_of_three_ways(sessions: SessionFormat) -> None:
    with pytest.raises(ConfigurationError, match="hashed, migrate, shared"):
        Auth(sessions=sessions)


@pytest.mark.parametrize("provider", ["", "user:name", ":"])
def test_a_provider_ends_where_the_colon_stands(provider: str) -> None:
    with pytest.raises(ConfigurationError, match="provider="):
        Auth(provider=provider)


@pytest.mark.parametrize(
    ("stored", "typed", "status"),
    [
        ("alice", "Alice", 200),
        ("Alice", "Alice", 401),
        ("strasse", "straße", 200),
        ("straße", "straße", 401),
        ("müller", "müller", 200),
        ("müller", "Müller", 401),
    ],
)
async def test_a_name_is_looked_up_in_its_one_form_and_as_it_is_where_it_has_none(
    stored: str, typed: str, status: int
) -> None:
    world = World()
    await world.sqlite.run("INSERT INTO user (id, username) VALUES ('old', 'old')")
    key = f"username:{stored}"
    await world.sqlite.run("INSERT INTO user_key VALUES (?1, 'old', ?2)", key, LUCIAS)

    typed_in = {"username": typed, "password": PASSWORD}
    answer = await world.browser().post("/sign-in", json=typed_in)

    assert answer.status == status
    world.close()


async def test_the_name_of_a_cookie_says_whose_session_it_opens() -> None:
    world = World(sessions="migrate")
    browser = world.browser("https://example.com")
    await browser.post("/sign-up", json={})
    ours, lucias = browser.cookies["__Host-auth_session"], "l" * 40
    await world.sqlite.run("INSERT INTO user (id, username) VALUES ('old', 'old')")
    await world.sqlite.run(
        "INSERT INTO user_session (id, user_id, active_expires, idle_expires)"
        " VALUES (?1, 'old', ?2, ?2)",
        lucias,
        world.clock.now + 60_000,
    )

    swapped = [f"auth_session={ours}", f"__Host-auth_session={lucias}"]
    answers = [await browser.fork().get("/me", headers={"cookie": each}) for each in swapped]

    assert [answer.status for answer in answers] == [401, 401]
    both = {"cookie": f"auth_session={lucias}; __Host-auth_session={ours}"}
    assert json_of(await browser.fork().get("/me", headers=both))["username"] == USERNAME
    world.close()


@pytest.mark.parametrize(("is_ended", "status"), [(False, 200), (True, 401)])
async def test_a_session_that_lucia_does_not_see_is_there_again_unless_it_was_ended(
    is_ended: bool, status: int
) -> None:
    world = World(sessions="migrate")
    migrating, browser = world.app, world.browser("https://example.com")
    await browser.post("/sign-up", json={})

    shared = World(hasher=sharing(), sessions="shared")
    world.app = shared.app
    if is_ended:
        await world.sqlite.run("DELETE FROM user_session WHERE length(id) = 64")
    answers = [await browser.post(path, json={}) for path in ("/sign-in", "/sign-out")]
    assert [answer.status for answer in answers] == [200, 204]
    assert (await browser.get("/me")).status == 401

    world.app = migrating
    assert (await browser.get("/me")).status == status
    world.close()
    shared.close()


@pytest.mark.parametrize(
    ("sessions", "status"), [("hashed", 401), ("migrate", 401), ("shared", 200)]
)
async def test_a_bearer_token_of_lucias_is_taken_while_its_database_is_shared(
    sessions: SessionFormat, status: int
) -> None:
    world = World(hasher=sharing() if sessions == "shared" else None, sessions=sessions)
    world.app.get("/api", guard=world.auth.bearer_guard())(lambda: "api")
    await world.sqlite.run("INSERT INTO user (id, username) VALUES ('old', 'old')")
    token = "l" * 40
    await world.sqlite.run(
        "INSERT INTO user_session (id, user_id, active_expires, idle_expires)"
        " VALUES (?1, 'old', ?2, ?2)",
        token,
        world.clock.now + 60_000,
    )

    bearing = {"authorization": f"Bearer {token}"}

    assert (await world.browser().get("/api", headers=bearing)).status == status
    world.close()


async def test_lucias_cookie_is_removed_by_name_where_it_came() -> None:
    world = World(sessions="migrate")
    browser = world.browser("https://example.com")
    removed = "auth_session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"

    new = await browser.post("/sign-up", json={})
    old = await browser.get("/me", headers={"cookie": "auth_session=old"})

    assert removed in [value for _, value in old.headers]
    assert removed not in [value for _, value in new.headers]
    world.close()


def test_a_shared_cookie_is_described_by_lucias_name() -> None:
    scheme = Auth(sessions="shared", hasher=sharing()).guard().scheme

    assert scheme is not None
    assert scheme.definition["name"] == "auth_session"
