"""What a password may be, and how it is hashed."""

import time
from typing import Any, NoReturn

import pytest
from argon2 import PasswordHasher

from framework.auth import Argon2Hasher, PasswordError, hash_password, verify_password
from framework.auth.passwords import ARGON2
from tests.auth.hasher import quick_hasher

HASHER = quick_hasher()


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
    assert asked == [ARGON2.nobody]


async def test_the_constant_hash_has_todays_parameters_and_nobodys_password() -> None:
    hasher = Argon2Hasher()

    assert hasher.nobody.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hasher.is_outdated(hasher.nobody)
    assert not await hasher.verify("password", hasher.nobody)


@pytest.mark.parametrize(
    "parameters", [{"memory_kib": 20_000}, {"time_cost": 3}, {"parallelism": 2}]
)
def test_other_parameters_ask_for_a_constant_hash_that_has_them(
    parameters: dict[str, int],
) -> None:
    with pytest.raises(ValueError, match="nobody="):
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
async def test_what_is_planted_as_a_hash_is_refused_without_work(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object) -> NoReturn:
        raise AssertionError("Argon2 was asked")

    monkeypatch.setattr(PasswordHasher, "verify", work)
    hasher = quick_hasher()

    assert not await hasher.verify("correct horse", stored)
    assert hasher.is_outdated(stored)


async def test_a_hash_that_only_looks_like_one_is_refused() -> None:
    for stored in (
        GOOD[:-1] + ("A" if GOOD[-1] != "A" else "B"),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "nFCERt7VuzMTR40IDrTYS"),
        GOOD.replace("nFCERt7VuzMTR40IDrTYSA", "n" * 64),
        GOOD[: GOOD.rindex("$") + 1] + "A" * 23,
        GOOD[: GOOD.rindex("$") + 1] + "A" * 86,
    ):
        assert not await HASHER.verify("nobody at all, nobody!", stored)


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
