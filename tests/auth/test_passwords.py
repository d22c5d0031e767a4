"""What a password may be, and how it is hashed."""

import time
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import hash_secret_raw

import framework.auth.passwords
from framework.auth import Argon2Hasher, PasswordError, hash_password, verify_password
from framework.auth.passwords import ARGON2
from tests.auth.hasher import quick_hasher
from tests.auth.world import World

HASHER = quick_hasher()


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Return what fills with the memory, passes and lanes of each Argon2 that was computed."""
    costs: list[tuple[int, int, int]] = []
    verify = PasswordHasher.verify

    def counted_verify(argon2: PasswordHasher, stored: str, password: bytes) -> bool:
        asked = extract_parameters(stored)
        computed = (asked.memory_cost, asked.time_cost, asked.parallelism)
        try:
            matches = verify(argon2, stored, password)
        except VerifyMismatchError:  # any other error comes before the work
            costs.append(computed)
            raise
        costs.append(computed)
        return matches

    def counted_hash(secret: bytes, salt: bytes, **options: Any) -> bytes:
        costs.append((options["memory_cost"], options["time_cost"], options["parallelism"]))
        return hash_secret_raw(secret, salt, **options)

    monkeypatch.setattr(PasswordHasher, "verify", counted_verify)
    monkeypatch.setattr(framework.auth.passwords, "hash_secret_raw", counted_hash)
    return costs


async def test_the_parameters_are_those_of_owasp() -> None:
    stored = await hash_password("correct horse")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await verify_password("correct horse", stored)
    assert not await verify_password("wrong horse", stored)


@pytest.mark.parametrize("password", ["correct horse", "", None, b"correct horse", 1])
@pytest.mark.parametrize("stored", [None, "", "x", b"x", 1])
async def test_whatever_is_asked_is_no_match_rather_than_an_error(
    password: Any, stored: Any
) -> None:
    assert await verify_password(password, stored) is False


async def test_no_hash_costs_as_much_and_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def verify(_: str, stored: str) -> bool:
        asked.append(stored)
        return True

    monkeypatch.setattr(ARGON2, "verify", verify)

    assert await verify_password("correct horse", None) is False
    assert asked == [ARGON2.dummy_hash]


async def test_the_constant_hash_has_todays_parameters_and_nobodys_password() -> None:
    hasher = Argon2Hasher()

    assert hasher.dummy_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hasher.is_outdated(hasher.dummy_hash)
    assert not await hasher.verify("password", hasher.dummy_hash)


@pytest.mark.parametrize(
    "parameters", [{"memory_kib": 20_000}, {"time_cost": 3}, {"parallelism": 2}]
)
def test_other_parameters_ask_for_a_constant_hash_that_has_them(
    parameters: dict[str, int],
) -> None:
    with pytest.raises(ValueError, match="dummy_hash="):
        Argon2Hasher(**parameters)  # type: ignore[arg-type]  # each is an int


async def test_the_same_password_is_never_hashed_the_same() -> None:
    assert await HASHER.hash("correct horse") != await HASHER.hash("correct horse")


@pytest.mark.parametrize(
    ("password", "other", "is_same"),
    [
        ("ﬁreplace", "fireplace", True),
        ("cafe\u0301 noir", "café noir", True),
        ("ｐａｓｓｗｏｒｄ", "password", True),  # noqa: RUF001  # full-width
        ("password ", "password", False),
        (" password", "password", False),
        ("Password", "password", False),
        ("pass\0word", "pass", False),
        ("password\0", "password", False),
        ("password\0a", "password\0b", False),
        ("paßword!", "password!", False),
        ("🔥" * 8, "🔥" * 9, False),
        *[("p" * n + "a", "p" * n + "b", False) for n in (8, 16, 55, 64, 71, 72, 73, 255, 1023)],
    ],
    ids=lambda value: ascii(value)[:20] if isinstance(value, str) else str(value),
)
async def test_what_counts_as_the_same_password(password: str, other: str, is_same: bool) -> None:
    assert await HASHER.verify(other, await HASHER.hash(password)) is is_same


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("mu\u0308nchen", "münchen"),  # as macOS may paste it
        ("\u1107\u1175\u1106\u1175\u11af\u1107\u1165\u11ab", "비밀번"),
        ("ﾊﾟｽﾜｰﾄﾞ!", "パスワード!"),  # half-width kana
    ],
)
async def test_too_short_is_the_same_however_it_is_typed(password: str, other: str) -> None:
    for each in (password, other):
        with pytest.raises(PasswordError):
            await HASHER.hash(each)


async def test_what_is_short_only_as_it_is_typed_signs_in() -> None:
    stored = await HASHER.hash("passw...")

    assert await HASHER.verify("passw…", stored)  # as a phone writes three dots


@pytest.mark.parametrize("length", [8, 64, 72, 73, 255, 256, 1024])
async def test_these_lengths_are_taken(length: int) -> None:
    assert await HASHER.verify("é" * length, await HASHER.hash("é" * length))


@pytest.mark.parametrize(
    "password",
    ["", "seven 7", "👨‍👩‍👧‍👦", "p" * 1025, "p" * 10_000_000, "\u0301" * 200_000, "eight 8\ud800"],
    ids=["empty", "7", "one emoji of 7", "1025", "10 MB", "marks", "surrogate"],
)
async def test_what_is_no_password_is_refused_without_work(password: str) -> None:
    stored = await HASHER.hash("correct horse")
    started = time.perf_counter()

    with pytest.raises(PasswordError) as caught:
        await HASHER.hash(password)
    assert not await HASHER.verify(password, stored)

    assert time.perf_counter() - started < 0.1
    assert not password or password not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_thousand_characters_that_grow_are_hashed_in_time() -> None:
    password = "\ufdfa" * 1024
    started = time.perf_counter()

    assert await HASHER.verify(password, await HASHER.hash(password))

    assert time.perf_counter() - started < 1


GOOD = "$argon2id$v=19$m=7168,t=1,p=1$nFCERt7VuzMTR40IDrTYSA$AJLWyIJfXmEtCF2QZHnEdckHBVY15W9U2PiUd5dFN3w"


@pytest.mark.parametrize(
    "stored",
    [
        "",
        " ",
        "correct horse",
        "null",
        "$argon2id$",
        GOOD[:-1] + "\n",
        GOOD + "\n",
        " " + GOOD,
        GOOD + "$" + GOOD,
        GOOD.replace("argon2id", "argon2i"),
        GOOD.replace("argon2id", "argon2d"),
        GOOD.replace("argon2id", "ARGON2ID"),
        GOOD.replace("v=19", "v=16"),
        GOOD.replace("v=19$", ""),
        GOOD.replace("m=7168", "m=4194304"),
        GOOD.replace("m=7168", "m=65537"),
        GOOD.replace("m=7168", "m=7167"),
        GOOD.replace("m=7168", "m=8"),
        GOOD.replace("m=7168", "m=٧١٦٨"),
        GOOD.replace("m=7168", "m=-1"),
        GOOD.replace("t=1", "t=0"),
        GOOD.replace("t=1", "t=11"),
        GOOD.replace("t=1", "t=4294967295"),
        GOOD.replace("p=1", "p=0"),
        GOOD.replace("p=1", "p=5"),
        GOOD.replace("p=1", "p=1,keyid=x"),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "nFCE"),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "n" * 1_000_000),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "é" * 22),
        "$2b$12$" + "a" * 53,
        "s2:" + "a" * 16 + ":" + "0" * 128,
        "pbkdf2_sha256$1$a$b",
        "0" * 10_000_000,
    ],
    ids=lambda stored: ascii(stored)[:40],
)
async def test_what_is_planted_as_a_hash_costs_what_nobodys_does(
    stored: str, spent: list[tuple[int, int, int]]
) -> None:
    assert not await HASHER.verify("correct horse", stored)

    assert spent == [(7_168, 1, 1)]
    assert HASHER.is_outdated(stored)


async def test_a_hash_that_only_looks_like_one_is_refused(
    spent: list[tuple[int, int, int]],
) -> None:
    for stored in (
        GOOD[:-1] + ("A" if GOOD[-1] != "A" else "B"),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "nFCERt7VuzMTR40IDrTYS"),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "n" * 64),
        GOOD[: GOOD.rindex("$") + 1] + "A" * 23,
        GOOD[: GOOD.rindex("$") + 1] + "A" * 86,
    ):
        assert not await HASHER.verify("nobody at all, nobody!", stored)

    assert spent == [(7_168, 1, 1)] * 5


# --- What a wrong password costs -----------------------------------------------------------------


def hasher_of(memory: int, passes: int, lanes: int) -> Argon2Hasher:
    costs = f"m={memory},t={passes},p={lanes}"
    nobody = f"$argon2id$v=19${costs}$bm9ib2R5bm9ib2R5bm9ibw${'A' * 43}"
    return Argon2Hasher(memory_kib=memory, time_cost=passes, parallelism=lanes, dummy_hash=nobody)


def stored_with(memory: int, passes: int, lanes: int) -> str:
    argon2 = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
    return argon2.hash("correct horse")


@pytest.mark.parametrize(
    ("today", "stored", "costs"),
    [
        ((19_456, 2, 1), (19_456, 2, 1), [(19_456, 2, 1)]),
        ((19_456, 2, 1), (7_168, 1, 1), [(7_168, 1, 1), (15_872, 2, 1)]),
        ((19_456, 2, 1), (19_456, 1, 1), [(19_456, 1, 1), (19_456, 1, 1)]),
        ((19_456, 2, 1), (19_455, 2, 1), [(19_455, 2, 1), (8, 1, 1)]),
        ((65_536, 3, 1), (19_456, 2, 1), [(19_456, 2, 1), (52_566, 3, 1)]),
        ((19_456, 2, 1), (19_456, 2, 4), [(19_456, 2, 4), (14_592, 2, 1)]),  # four threads, perhaps
        ((19_456, 2, 2), (19_456, 1, 1), [(19_456, 1, 1), (19_456, 1, 2)]),  # no threads, perhaps
        ((19_456, 2, 1), (19_456, 3, 1), [(19_456, 3, 1)]),
        ((7_168, 1, 1), (19_456, 2, 1), [(19_456, 2, 1)]),
    ],
)
async def test_a_wrong_password_costs_what_todays_hash_does_at_least(
    today: tuple[int, int, int],
    stored: tuple[int, int, int],
    costs: list[tuple[int, int, int]],
    spent: list[tuple[int, int, int]],
) -> None:
    known = stored_with(*stored)

    assert not await hasher_of(*today).verify("wrong horse", known)

    assert spent == costs
    assert sum(memory * passes for memory, passes, _ in spent) >= today[0] * today[1]


async def test_a_right_password_costs_no_more_since_it_is_hashed_anew(
    spent: list[tuple[int, int, int]],
) -> None:
    assert await ARGON2.verify("correct horse", stored_with(7_168, 1, 1))

    assert spent == [(7_168, 1, 1)]


@pytest.mark.parametrize("stored", ["nobody", "cheaper", ""])
async def test_what_cannot_be_a_password_costs_nothing_whatever_is_stored(
    stored: str, spent: list[tuple[int, int, int]]
) -> None:
    known = {"nobody": ARGON2.dummy_hash, "cheaper": stored_with(7_168, 1, 1)}

    assert not await ARGON2.verify("seven 7", known.get(stored, stored))

    assert spent == []


@pytest.mark.parametrize(
    ("stored", "costs"),
    [
        (None, [(19_456, 2, 1)]),
        ("", [(19_456, 2, 1)]),
        ("garbage", [(19_456, 2, 1)]),
        ("$2b$12$" + "a" * 53, [(19_456, 2, 1)]),
        ("s2:" + "a" * 16 + ":" + "0" * 128, [(19_456, 2, 1)]),
        ("nobody at all", [(19_456, 2, 1)]),
        ("today's", [(19_456, 2, 1)]),
        ("cheaper", [(7_168, 1, 1), (15_872, 2, 1)]),
    ],
)
async def test_signing_in_costs_the_same_whatever_is_stored(
    stored: str | None, costs: list[tuple[int, int, int]], spent: list[tuple[int, int, int]]
) -> None:
    world = World(hasher=Argon2Hasher())
    await world.signed_up()
    known = {"today's": stored_with(19_456, 2, 1), "cheaper": stored_with(7_168, 1, 1)}
    if stored == "nobody at all":
        await world.sqlite.run("DELETE FROM user_key")
    else:
        planted = known.get(stored or "", stored)
        await world.sqlite.run("UPDATE user_key SET hashed_password = ?1", planted)

    answer = await world.browser().post("/sign-in", json={"password": "wrong horse"})

    assert answer.status == 401
    assert spent == costs
    world.close()


@pytest.mark.parametrize(
    ("stored", "is_outdated"),
    [
        (GOOD, False),
        (GOOD.replace("t=1", "t=2"), True),
        (GOOD.replace("m=7168", "m=7169"), True),
        (GOOD.replace("p=1", "p=2"), True),
        ("garbage", True),
    ],
)
def test_which_hashes_are_outdated(stored: str, is_outdated: bool) -> None:
    assert HASHER.is_outdated(stored) is is_outdated


class Forgetful(Argon2Hasher):
    """Asks another, and forgets to await what that says."""

    async def verify(self, password: str, stored: str) -> bool:
        """Return what is true of every password."""
        return super().verify(password, stored)  # type: ignore[return-value]  # the mistake


async def accept(password: str) -> None:
    """Return what is to be awaited."""


async def forget(password: str) -> None:
    """Refuse nobody: what is to be asked is not."""
    return accept(password)  # type: ignore[return-value]  # the mistake


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    ("options", "path"),
    [({"hasher": Forgetful()}, "/sign-in"), ({"check_password": forget}, "/sign-up")],
    ids=["hasher", "check_password"],
)
async def test_what_forgets_to_await_lets_no_password_pass(
    options: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(**options)
    credentials = {"username": "bob", "password": "wrong horse"}
    if path == "/sign-in":
        await world.browser().post("/sign-up", json=credentials | {"password": "right horse"})

    assert (await world.browser().post(path, json=credentials)).status == 500
    assert "returned what it did not await" in caplog.text
    world.close()
