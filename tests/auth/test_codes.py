"""Codes of eight digits: who gets one, for how long it is good, and how often it is tried."""

import asyncio
import hashlib
import itertools
import os

import pytest

from framework import App, Context, public
from framework.auth import Auth
from framework.auth.codes import (
    CODE_LIFE,
    CODE_TRIES,
    CODE_WINDOW,
    CODES_PER_ADDRESS,
    CODES_PER_WINDOW,
    new_code,
)
from framework.errors import ConfigurationError
from framework.response import Response
from framework.testing import Client, json_of
from tests.auth.clock import START
from tests.auth.databases import CountingDatabase
from tests.auth.recovering import ADDRESS, Recovering
from tests.auth.world import USERNAME, Member

DAY = 86_400_000


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status, json_of(answer)["code"]


async def verify(browser: Client, code: str) -> int:
    return (await browser.post("/verify", json={"code": code})).status


async def is_verified(world: Recovering, username: str = "alice") -> bool:
    rows = {row["username"]: row for row in await world.rows("user")}
    return rows[username]["email_verified_at"] is not None


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


# --- Drawing one ---------------------------------------------------------------------------------


def test_a_code_is_eight_digits() -> None:
    codes = [new_code() for _ in range(2_000)]

    assert all(len(code) == 8 and code.isascii() and code.isdecimal() for code in codes)
    assert len(set(codes)) > 1_990
    assert {code[0] for code in codes} == set("0123456789")


def test_no_code_is_likelier_than_another(monkeypatch: pytest.MonkeyPatch) -> None:
    fair = 42 * 10**8
    drawn = itertools.chain([2**32 - 1, fair, fair - 1], itertools.repeat(7))
    monkeypatch.setattr(os, "urandom", lambda size: next(drawn).to_bytes(size, "big"))

    assert [new_code(), new_code()] == ["99999999", "00000007"]


# --- Using one -----------------------------------------------------------------------------------


async def test_the_code_that_was_mailed_verifies(recovering: Recovering) -> None:
    browser = await recovering.addressed()

    assert (await browser.post("/code")).status == 204
    assert [mail.to for mail in recovering.mailbox.mails] == [ADDRESS]
    assert not await is_verified(recovering)
    assert (
        await verify(browser, f" {recovering.mailbox.code[:4]} {recovering.mailbox.code[4:]}\n")
        == 204
    )

    (user,) = await recovering.rows("user")
    assert user["email_verified_at"] == START
    [row] = await recovering.rows("email_code")
    assert (row["code"], row["expires_at"], row["sent"]) == ("", 0, 1)


@pytest.mark.parametrize(
    ("later", "status"),
    [(0, 204), (CODE_LIFE - 1, 204), (CODE_LIFE, 422), (CODE_LIFE + 1, 422), (-1, 204)],
)
async def test_a_code_is_good_for_five_minutes(
    recovering: Recovering, later: int, status: int
) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    recovering.clock.now += later

    assert await verify(browser, recovering.mailbox.code) == status
    assert await is_verified(recovering) is (status == 204)


@pytest.mark.parametrize("sent", [1, 2])
@pytest.mark.parametrize(("wrong", "status"), [(CODE_TRIES - 1, 204), (CODE_TRIES, 422)])
async def test_a_code_is_tried_five_times(
    recovering: Recovering, wrong: int, status: int, sent: int
) -> None:
    browser = await recovering.addressed()
    for _ in range(sent):
        await browser.post("/code")
    code = recovering.mailbox.code

    answers = [await browser.post("/verify", json={"code": other_than(code)}) for _ in range(wrong)]

    assert {code_of(answer) for answer in answers} == {(422, "invalid-code")}
    assert await verify(browser, code) == status


async def test_what_somebody_else_tries_counts_as_no_try(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    bob = await recovering.addressed("bob", "bob@example.com")
    await browser.post("/code")
    code = recovering.mailbox.code

    tried = {await verify(bob, code) for _ in range(CODE_TRIES)}

    assert tried == {422}
    assert await verify(browser, code) == 204


async def test_tries_at_once_are_counted_too(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    code = recovering.mailbox.code
    wrong = [verify(browser.fork(with_cookies=True), other_than(code)) for _ in range(50)]

    statuses = await asyncio.gather(*wrong, verify(browser.fork(with_cookies=True), code))

    assert set(statuses) == {422}
    assert not await is_verified(recovering)


async def test_of_many_uses_at_once_one_succeeds(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    code = recovering.mailbox.code

    uses = [verify(browser.fork(with_cookies=True), code) for _ in range(CODE_TRIES)]

    assert sorted(await asyncio.gather(*uses)) == [204] + [422] * (CODE_TRIES - 1)


async def test_a_new_code_takes_the_place_of_the_old(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    old = recovering.mailbox.code
    for _ in range(CODE_TRIES):
        await verify(browser, other_than(old))

    await browser.post("/code")

    assert await verify(browser, old) == 422
    assert await verify(browser, recovering.mailbox.code) == 204
    assert await verify(browser, recovering.mailbox.code) == 422


@pytest.mark.parametrize("email", ["other@example.com", None])
async def test_a_code_is_for_the_address_it_was_mailed_to(
    recovering: Recovering, email: str | None
) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")

    await browser.post("/email", json={"email": email})

    assert await verify(browser, recovering.mailbox.code) == 422
    assert not await is_verified(recovering)


@pytest.mark.parametrize("email", [ADDRESS, "other@example.com", None])
async def test_what_one_changes_leaves_the_codes_and_addresses_of_others(
    recovering: Recovering, email: str | None
) -> None:
    alice, bob = await recovering.addressed(), await recovering.addressed("bob", "bob@example.com")
    await bob.post("/code")
    await recovering.verified("carol", "carol@example.com")

    assert (await alice.post("/email", json={"email": email})).status == 204

    assert await is_verified(recovering, "carol")
    assert await verify(bob, recovering.mailbox.code) == 204


async def test_who_leaves_takes_no_code_of_others_along(recovering: Recovering) -> None:
    alice, bob = await recovering.addressed(), await recovering.addressed("bob", "bob@example.com")
    await bob.post("/code")

    assert (await alice.delete("/me")).status == 204

    assert await verify(bob, recovering.mailbox.code) == 204


async def test_the_same_address_keeps_its_code_and_is_verified_for_good(
    recovering: Recovering,
) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    await browser.post("/email", json={"email": ADDRESS})
    assert await verify(browser, recovering.mailbox.code) == 204

    await browser.post("/email", json={"email": ADDRESS})

    assert await is_verified(recovering)


@pytest.mark.parametrize(("email", "changes"), [(ADDRESS, 0), ("other@example.com", 1), (None, 1)])
async def test_another_address_is_one_row_and_the_same_one_none(
    recovering: Recovering, email: str | None, changes: int
) -> None:
    browser = await recovering.verified()
    recovering.database = counting = CountingDatabase(recovering.sqlite)

    assert (await browser.post("/email", json={"email": email})).status == 204

    assert counting.changes == changes
    (user,) = await recovering.rows("user")
    assert (user["email"], user["email_verified_at"]) == (email, None if changes else 1)


@pytest.mark.parametrize("email", ["other@example.com", None])
async def test_an_address_that_comes_back_brings_no_code_along(
    recovering: Recovering, email: str | None
) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    code = recovering.mailbox.code

    await browser.post("/email", json={"email": email})
    await browser.post("/email", json={"email": ADDRESS})

    assert await verify(browser, code) == 422
    await browser.post("/code")
    assert await verify(browser, recovering.mailbox.code) == 204


async def test_a_code_is_for_one_address_however_the_user_got_another(
    recovering: Recovering,
) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    change = "UPDATE user SET email = ?1"
    await recovering.sqlite.run(change, "other@example.com")  # as an administrator may

    assert await verify(browser, recovering.mailbox.code) == 422
    assert not await is_verified(recovering)


async def test_a_code_is_for_whoever_asked(recovering: Recovering) -> None:
    alice, bob = await recovering.addressed(), await recovering.addressed("bob", "bob@example.com")
    await alice.post("/code")

    assert await verify(bob, recovering.mailbox.code) == 422
    await bob.post("/code")
    assert await verify(alice, recovering.mailbox.code) == 422
    assert not await is_verified(recovering, "bob")


@pytest.mark.parametrize("code", ["", "1" * 8, "1" * 10_000, "１２３４５６７８", "' OR 1=1", "\0"])  # noqa: RUF001  full-width digits
async def test_what_is_no_code_verifies_nothing(recovering: Recovering, code: str) -> None:
    browser = await recovering.addressed()

    assert await verify(browser, code) == 422
    await browser.post("/code")
    assert await verify(browser, code) == 422


# --- Getting one ---------------------------------------------------------------------------------


async def test_there_has_to_be_an_address_that_is_not_verified(recovering: Recovering) -> None:
    nowhere, verified = await recovering.signed_up("bob"), await recovering.verified()

    answers = [await browser.post("/code") for browser in (nowhere, verified)]

    assert [code_of(answer) for answer in answers] == [(409, "conflict")] * 2
    assert [json_of(answer)["detail"] for answer in answers] == [
        "There is no address to verify.",
        "The address is verified already.",
    ]
    assert (recovering.mailbox.mails, await recovering.rows("email_code")) == ([], [])


async def test_a_code_is_two_rows_and_to_send_none_is_none(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    recovering.database = counting = CountingDatabase(recovering.sqlite)

    for _ in range(CODES_PER_WINDOW):
        counting.reset()
        assert (await browser.post("/code")).status == 204
        assert counting.changes == 2  # the code, and the count of its address
    counting.reset()
    assert (await browser.post("/code")).status == 429
    await recovering.sqlite.run("UPDATE user SET email_verified_at = 1")
    assert (await browser.post("/code")).status == 409
    assert counting.changes == 0


async def test_codes_are_limited_for_each_account(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    asked = [await browser.post("/code") for _ in range(CODES_PER_WINDOW)]
    assert {answer.status for answer in asked} == {204}
    code = recovering.mailbox.code
    recovering.clock.now += CODE_WINDOW - 1

    await browser.post("/email", json={"email": "other@example.com"})  # another is no way around
    refused = await browser.post("/code")

    assert (refused.status, refused.header("retry-after")) == (429, "1")
    assert len(recovering.mailbox.mails) == CODES_PER_WINDOW
    recovering.clock.now += 1
    asked = [await browser.post("/code") for _ in range(CODES_PER_WINDOW + 1)]
    assert [answer.status for answer in asked] == [204] * CODES_PER_WINDOW + [429]
    assert asked[-1].header("retry-after") == str(CODE_WINDOW // 1000)
    assert recovering.mailbox.code != code


async def test_codes_are_limited_for_each_address_and_nobody_is_told(
    recovering: Recovering,
) -> None:
    names = [f"user{number}" for number in range(4)]
    browsers = [await recovering.addressed(name) for name in names]
    other = await recovering.addressed("other", "other@example.com")
    asked = [
        [await browser.post("/code") for _ in range(CODES_PER_WINDOW + 1)]
        for browser in (*browsers, other)
    ]

    def told(answers: list[Response]) -> list[tuple[int, object, object]]:
        return [(answer.status, answer.headers, answer.body) for answer in answers]

    assert [answer.status for answer in asked[0]] == [204] * CODES_PER_WINDOW + [429]
    assert all(told(answers) == told(asked[0]) for answers in asked)
    sent = [mail.to for mail in recovering.mailbox.mails]
    assert (sent.count(ADDRESS), len(sent)) == (CODES_PER_ADDRESS, CODES_PER_ADDRESS + 5)
    assert await verify(other, recovering.mailbox.code) == 204


async def test_to_leave_and_to_come_back_is_no_way_around(recovering: Recovering) -> None:
    for number in range(6):
        browser = await recovering.addressed(f"user{number}")
        for _ in range(CODES_PER_WINDOW - 1):
            await browser.post("/code")
        await browser.post("/email", json={"email": f"user{number}@example.com"})
        await browser.post("/code")
        await browser.delete("/me")

    sent = [mail.to for mail in recovering.mailbox.mails]
    assert (sent.count(ADDRESS), len(sent)) == (CODES_PER_ADDRESS, CODES_PER_ADDRESS + 6)


async def test_to_use_a_code_is_no_way_around(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    for _ in range(CODES_PER_WINDOW - 1):
        await browser.post("/code")
    await browser.post("/email", json={"email": "own@example.com"})
    await browser.post("/code")
    assert await verify(browser, recovering.mailbox.code) == 204
    await browser.post("/email", json={"email": ADDRESS})

    refused = await browser.post("/code")

    assert (refused.status, refused.header("retry-after")) == (429, str(CODE_WINDOW // 1000))
    assert len(recovering.mailbox.mails) == CODES_PER_WINDOW
    recovering.clock.now += CODE_WINDOW
    assert (await browser.post("/code")).status == 204


async def test_a_code_that_is_not_mailed_cannot_be_used(
    recovering: Recovering, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        browser = await recovering.addressed(f"user{number}")
        for _ in range(CODES_PER_WINDOW):
            await browser.post("/code")
    alice = await recovering.addressed()
    monkeypatch.setattr("framework.auth.recovery.new_code", lambda: "12345678")

    assert (await alice.post("/code")).status == 204

    assert len(recovering.mailbox.mails) == CODES_PER_ADDRESS
    recovering.clock.now -= 1  # nor where the clock is put back
    assert await verify(alice, "12345678") == 422
    recovering.clock.now += CODE_WINDOW + 1
    assert (await alice.post("/code")).status == 204
    assert await verify(alice, "12345678") == 204


async def test_the_guesses_of_an_hour_are_fifty_for_an_address(
    recovering: Recovering, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0
    monkeypatch.setattr("framework.auth.recovery.new_code", lambda: "12345678")
    for number in range(4):  # of each account, the last try of each code is the right one
        browser = await recovering.addressed(f"user{number}")
        for _ in range(CODES_PER_WINDOW):
            await browser.post("/code")
            for _ in range(CODE_TRIES - 1):
                await verify(browser, "00000000")
            if await verify(browser, "12345678") == 204:
                looked_at += CODE_TRIES
                await recovering.sqlite.run("UPDATE user SET email_verified_at = NULL")

    assert looked_at == CODES_PER_ADDRESS * CODE_TRIES == 50


@pytest.mark.parametrize(("later", "rows"), [(CODE_WINDOW - 1, 1), (CODE_WINDOW, 0)])
async def test_a_purge_takes_a_used_code_and_its_address_with_the_window(
    recovering: Recovering, later: int, rows: int
) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    await verify(browser, recovering.mailbox.code)
    recovering.clock.now += later

    await recovering.auth.purge(recovering.sqlite)

    assert len(await recovering.rows("email_code")) == rows
    assert len(await recovering.rows("email_count")) == rows


async def test_a_purge_leaves_a_code_that_is_good_past_its_window(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    recovering.clock.now += CODE_WINDOW - 1
    await browser.post("/code")
    recovering.clock.now += 1

    await recovering.auth.purge(recovering.sqlite)

    assert await verify(browser, recovering.mailbox.code) == 204


async def test_one_account_alone_gets_all_of_its_codes(recovering: Recovering) -> None:
    browser = await recovering.addressed("alice", "mistyped@example.com")
    await browser.post("/code")
    await browser.post("/email", json={"email": ADDRESS})
    recovering.clock.now += CODE_WINDOW - 1
    first = [(await browser.post("/code")).status for _ in range(CODES_PER_WINDOW - 1)]
    recovering.clock.now += 1
    second = [(await browser.post("/code")).status for _ in range(CODES_PER_WINDOW)]

    assert {*first, *second} == {204}
    assert len(recovering.mailbox.mails) == 2 * CODES_PER_WINDOW


@pytest.mark.parametrize(
    ("later", "is_sent"), [(CODE_WINDOW - 1, False), (CODE_WINDOW, True)], ids=["before", "after"]
)
async def test_the_window_of_an_address_ends(
    recovering: Recovering, later: int, is_sent: bool
) -> None:
    for number in range(3):
        browser = await recovering.addressed(f"user{number}")
        for _ in range(CODES_PER_WINDOW):
            await browser.post("/code")
    alice = await recovering.addressed()
    recovering.clock.now += later
    await recovering.auth.purge(recovering.sqlite)

    assert (await alice.post("/code")).status == 204

    assert len(recovering.mailbox.mails) == CODES_PER_ADDRESS + is_sent
    assert len(await recovering.rows("email_count")) == 1


async def test_after_the_window_of_an_address_another_begins(recovering: Recovering) -> None:
    browsers = [await recovering.addressed(f"user{number}") for number in range(3)]

    async def mailed() -> int:
        before = len(recovering.mailbox.mails)
        for browser in browsers:
            for _ in range(CODES_PER_WINDOW):
                await browser.post("/code")
        return len(recovering.mailbox.mails) - before

    assert await mailed() == CODES_PER_ADDRESS
    recovering.clock.now += CODE_WINDOW  # and nothing is purged
    assert await mailed() == CODES_PER_ADDRESS
    recovering.clock.now += CODE_WINDOW - 1
    fresh = await recovering.addressed()
    await fresh.post("/code")
    recovering.clock.now += 1
    await fresh.post("/code")
    assert len(recovering.mailbox.mails) == 2 * CODES_PER_ADDRESS + 1


async def test_a_code_that_was_refused_does_not_count_for_its_address(
    recovering: Recovering,
) -> None:
    alice, bob = await recovering.addressed(), await recovering.addressed("bob")
    asked = [(await alice.post("/code")).status for _ in range(CODES_PER_WINDOW)]
    recovering.clock.now += CODE_LIFE
    asked += [(await alice.post("/code")).status for _ in range(CODES_PER_ADDRESS)]

    assert asked == [204] * CODES_PER_WINDOW + [429] * CODES_PER_ADDRESS
    assert (await bob.post("/code")).status == 204
    assert await verify(bob, recovering.mailbox.code) == 204
    conflicts = [(await bob.post("/code")).status for _ in range(CODES_PER_ADDRESS)]
    assert set(conflicts) == {409}
    assert (await recovering.rows("email_count"))[0]["sent"] == CODES_PER_WINDOW + 1


@pytest.mark.parametrize("path", ["/code", "/lost"])
async def test_the_limiter_of_addresses_is_asked_before_anything(
    recovering: Recovering, path: str
) -> None:
    class Refusing:
        async def allows(self, key: str) -> bool:
            return not key

    auth = Auth(
        user=Member,
        hasher=recovering.hasher,
        clock=recovering.clock,
        mailer=recovering.mailbox,
        rate_limiter="LIMITER",
    )
    app = App()

    @app.post("/code", guard=auth.guard())
    async def send_code(c: Context) -> None:
        await auth.send_verification(c)

    @app.post("/lost", guard=public)
    async def request_reset(c: Context) -> None:
        await auth.request_reset(c, USERNAME)

    browser = await recovering.addressed()
    recovering.app = app
    recovering.env["LIMITER"] = Refusing()

    answer = await browser.post(path)

    assert code_of(answer) == (429, "too-many-requests")
    assert recovering.mailbox.mails == []
    assert await recovering.rows("email_code") == []


async def test_a_mailer_that_lacks_something_costs_no_code(
    recovering: Recovering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(c: Context) -> None:
        raise ConfigurationError("the binding EMAIL is missing")

    browser = await recovering.addressed()
    monkeypatch.setattr(recovering.mailbox, "check", lacking)

    assert (await browser.post("/code")).status == 500
    assert await recovering.rows("email_code") == []


async def test_a_clock_that_was_put_back_refuses_no_longer_than_a_window(
    recovering: Recovering,
) -> None:
    browser = await recovering.addressed()
    recovering.clock.now += 10 * DAY
    for _ in range(CODES_PER_WINDOW):
        assert (await browser.post("/code")).status == 204
    recovering.clock.now -= 10 * DAY

    refused = await browser.post("/code")

    assert (refused.status, refused.header("retry-after")) == (429, str(CODE_WINDOW // 1000))
    recovering.clock.now += CODE_WINDOW
    assert (await browser.post("/code")).status == 204


async def test_nor_does_it_limit_an_address_for_longer(recovering: Recovering) -> None:
    browsers = [await recovering.addressed(f"user{number}") for number in range(3)]
    recovering.clock.now += 10 * DAY
    for browser in browsers:
        for _ in range(CODES_PER_WINDOW):
            await browser.post("/code")
    assert len(recovering.mailbox.mails) == CODES_PER_ADDRESS
    recovering.clock.now -= 10 * DAY
    alice = await recovering.addressed()
    await alice.post("/code")
    assert len(recovering.mailbox.mails) == CODES_PER_ADDRESS

    recovering.clock.now += CODE_WINDOW
    await alice.post("/code")

    assert len(recovering.mailbox.mails) == CODES_PER_ADDRESS + 1


async def test_a_code_that_was_refused_leaves_the_one_before(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    for _ in range(CODES_PER_WINDOW + 1):
        await browser.post("/code")

    assert await verify(browser, recovering.mailbox.code) == 204


# --- What is stored ------------------------------------------------------------------------------


async def test_a_code_is_stored_as_a_digest(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")

    (row,) = await recovering.rows("email_code")

    code = recovering.mailbox.code
    assert len(row["code"]) == 64
    assert code not in str(row)
    assert row["code"] != hashlib.sha256(code.encode()).hexdigest()


async def test_with_a_secret_a_code_cannot_be_guessed_from_the_database() -> None:
    world = Recovering(CODE_SECRET="s" * 32)
    browser = await world.addressed()
    await browser.post("/code")
    code = world.mailbox.code
    (row,) = await world.rows("email_code")
    del world.env["CODE_SECRET"]

    assert await verify(browser, code) == 422  # not even by who knows the code

    world.env["CODE_SECRET"] = "s" * 32
    assert await verify(browser, code) == 204
    world.close()
    assert len(row["code"]) == 64


@pytest.mark.parametrize("secret", ["", "s" * 31, b"s" * 40, object()])
async def test_what_is_no_long_text_is_no_secret(
    caplog: pytest.LogCaptureFixture, secret: object
) -> None:
    world = Recovering(CODE_SECRET=secret)
    browser = await world.addressed()

    assert (await browser.post("/code")).status == 500
    assert "CODE_SECRET has to be text of 32 characters or more" in caplog.text
    world.close()
