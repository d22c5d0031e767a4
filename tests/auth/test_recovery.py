"""Who is mailed a link, what strangers learn of it, and that no fault leaves anything half done."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from framework.auth import Auth, Message, NewKey, User
from framework.auth.links import LINK_LIFE, LINKS_PER_ACCOUNT, UNSENT_LIFE, Account, Link
from framework.context import Context
from framework.errors import ConfigurationError
from framework.request import Request
from framework.response import Response
from framework.testing import json_of
from tests.auth.databases import CountingDatabase, FaultyDatabase
from tests.auth.recovering import ADDRESS, NEW, Recovering
from tests.auth.world import PASSWORD, USERNAME

ROOT = Path(__file__).parents[2]


def shown(answer: Response) -> tuple[Any, ...]:
    """Return all that a client sees."""
    return answer.status, sorted(answer.headers), answer.body


# --- Who is written to ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "is_mailed"),
    [
        ("alice", True),
        ("ALICE", True),
        (ADDRESS, True),
        ("Alice@Example.COM", True),
        (f" {ADDRESS} ", True),
        ("bob", False),
        ("bob@example.com", False),
        ("nobody", False),
        ("nobody@example.com", False),
        ("", False),
        ("%", False),
        ("' OR 1=1 --", False),
        ("\0", False),
        ("username:alice", False),
        (f"{ADDRESS}\r\nBcc: eve@example.com", False),
        ("a" * 100_000, False),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_only_who_verified_an_address_is_written_to(
    recovering: Recovering, account: str, is_mailed: bool
) -> None:
    await recovering.verified()
    await recovering.addressed("bob", "bob@example.com")

    answer = await recovering.ask(account)

    assert answer.status == 202
    assert [mail.to for mail in recovering.mailbox.mails] == ([ADDRESS] if is_mailed else [])
    assert len(await recovering.rows("password_reset")) == (1 if is_mailed else 0)


async def test_a_username_that_is_somebodys_address_is_not_taken_for_them(
    recovering: Recovering,
) -> None:
    mallory = await recovering.verified(ADDRESS, "mallory@example.com")
    await recovering.verified("alice", ADDRESS)

    token = await recovering.mailed(ADDRESS)
    await recovering.reset(token)

    assert [mail.to for mail in recovering.mailbox.mails] == [ADDRESS]
    assert await recovering.signs_in(NEW, "alice") == 200
    assert (await mallory.get("/me")).status == 200


async def test_an_address_that_others_claim_is_its_owners(recovering: Recovering) -> None:
    await recovering.verified("alice", ADDRESS)
    mallory = await recovering.addressed("mallory", ADDRESS)

    assert (await mallory.post("/code")).status == 204
    verified = await mallory.post("/verify", json={"code": recovering.mailbox.code})

    assert (verified.status, json_of(verified)["code"]) == (409, "duplicate-email")
    await recovering.reset(await recovering.mailed(ADDRESS))
    assert await recovering.signs_in(NEW, "alice") == 200


async def test_who_has_no_password_is_sent_none(recovering: Recovering) -> None:
    key = NewKey("github", "1")
    user = await recovering.auth.users.create(recovering.sqlite, key, username="octo")
    sql = "UPDATE user SET email = ?2, email_verified_at = 1 WHERE id = ?1"
    await recovering.sqlite.run(sql, user.id, ADDRESS)

    await recovering.ask(ADDRESS)

    assert recovering.mailbox.mails == []


async def test_who_takes_an_address_as_a_name_keeps_no_mail_from_its_owner(
    recovering: Recovering,
) -> None:
    await recovering.verified("zoe", ADDRESS)
    await recovering.addressed(ADDRESS, ADDRESS)  # and claims it, too
    await recovering.ask(ADDRESS)
    assert [mail.to for mail in recovering.mailbox.mails] == [ADDRESS]

    own = "UPDATE user SET email = ?1, email_verified_at = 1 WHERE username = ?2"
    await recovering.sqlite.run(own, "mallory@example.com", ADDRESS)
    await recovering.reset(await recovering.mailed(ADDRESS))

    assert [mail.to for mail in recovering.mailbox.mails] == [ADDRESS] * 2
    assert await recovering.signs_in(NEW, "zoe") == 200


@pytest.mark.parametrize(
    ("change", "mails"),
    [
        ("UPDATE user_key SET id = 'email:' || id", 0),
        ("UPDATE user_key SET id = replace(id, ':', 's:')", 0),
        ("UPDATE user_key SET hashed_password = NULL", 0),
        ("INSERT INTO user_key (id, user_id) SELECT 'username:aa', user_id FROM user_key", 1),
    ],
    ids=[
        "at another provider",
        "at one that begins alike",
        "without a password",
        "another without",
    ],
)
async def test_a_link_is_for_a_password_at_our_provider(
    recovering: Recovering, caplog: pytest.LogCaptureFixture, change: str, mails: int
) -> None:
    await recovering.verified()
    await recovering.sqlite.run(change)

    for account in (ADDRESS, "aa"):
        assert (await recovering.ask(account)).status == 202

    assert len(recovering.mailbox.mails) == 2 * mails
    assert caplog.records == []
    if mails:
        await recovering.reset(recovering.mailbox.token)
        assert await recovering.signs_in(NEW) == 200


async def test_several_names_of_one_account_get_no_more_mails_than_one(
    recovering: Recovering,
) -> None:
    await recovering.verified()
    [user] = await recovering.rows("user")
    await recovering.auth.keys.create(recovering.sqlite, user["id"], "username", "zed", PASSWORD)

    for name in [USERNAME, "zed", ADDRESS] * LINKS_PER_ACCOUNT:
        await recovering.ask(name)

    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT


async def test_mails_are_limited_and_those_sent_go_on(recovering: Recovering) -> None:
    await recovering.verified()
    tokens = [await recovering.mailed() for _ in range(LINKS_PER_ACCOUNT)]

    answers = [await recovering.ask() for _ in range(3)]

    assert len({str(shown(answer)) for answer in answers}) == 1
    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT == len(set(tokens))
    for token in tokens:
        assert (await recovering.browser().get(f"/reset/{token}")).status == 204
    recovering.clock.now += LINK_LIFE
    await recovering.ask()
    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT + 1


async def test_asked_for_at_once_there_are_no_more(recovering: Recovering) -> None:
    await recovering.verified()

    await asyncio.gather(*[recovering.ask() for _ in range(50)])

    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "a@b.co\r\nBcc: c@d.co", "user@faß.de", "\u2100@x.com", "a" * 100_000]
)
async def test_what_is_no_address_is_refused_and_changes_nothing(
    recovering: Recovering, email: str
) -> None:
    browser = await recovering.verified()

    answer = await browser.post("/email", json={"email": email})

    assert (answer.status, json_of(answer)["code"]) == (422, "invalid-email")
    (user,) = await recovering.rows("user")
    assert (user["email"], user["email_verified_at"]) == (ADDRESS, 1)


# --- What strangers learn ------------------------------------------------------------------------

ACCOUNTS = ["alice", ADDRESS, "bob", "bob@example.com", "nobody", "nobody@example.com", "x" * 300]


async def test_the_answer_is_the_same_for_everybody(recovering: Recovering) -> None:
    await recovering.verified()
    await recovering.addressed("bob", "bob@example.com")

    answers = [await recovering.ask(account) for account in ACCOUNTS]

    assert len({str(shown(answer)) for answer in answers}) == 1


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_before_the_answer_the_database_is_asked_one_question(account: str) -> None:
    world = Recovering()
    await world.verified()
    await world.addressed("bob", "bob@example.com")
    world.database = counting = CountingDatabase(world.sqlite)
    body = f'{{"account":"{account}"}}'.encode()
    request = Request.build("POST", "/lost", [("content-type", "application/json")], body)
    later: list[Any] = []

    answer = await world.app.handle(request, {"DB": world.database}, later.append)

    assert answer.status == 202
    assert [len(trip) for trip in counting.trips] == [1]
    assert (len(later), world.mailbox.mails) == (1, [])
    assert world.hasher.hashes == 2  # those of the two sign-ups
    await later[0]
    assert len(world.mailbox.mails) == (1 if account in ACCOUNTS[:2] else 0)
    world.close()


async def test_a_mail_that_fails_is_not_told(
    recovering: Recovering, caplog: pytest.LogCaptureFixture
) -> None:
    await recovering.verified()
    recovering.mailbox.error = OSError("the post office is closed")

    answers = [await recovering.ask("alice"), await recovering.ask("nobody")]

    assert shown(answers[0]) == shown(answers[1])
    assert "the post office is closed" in caplog.text
    assert "/password-reset/" not in caplog.text


async def test_a_mail_that_nobody_awaited_was_not_sent(
    recovering: Recovering, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def forgets(_c: Context, _message: Message) -> Any:
        return asyncio.get_running_loop().create_future()

    await recovering.verified()
    bob = await recovering.addressed("bob", "bob@example.com")
    monkeypatch.setattr(recovering.mailbox, "send", forgets)

    assert (await recovering.ask()).status == 202
    assert (await bob.post("/code")).status == 500
    assert caplog.text.count("TypeError: the mailer returned what it did not await") == 2


@pytest.mark.parametrize("is_stored", [True, False], ids=["no mail", "answer lost"])
async def test_links_that_nobody_was_sent_keep_nobody_from_another_for_long(
    recovering: Recovering, is_stored: bool
) -> None:
    await recovering.verified()
    if is_stored:
        recovering.mailbox.error = OSError("the post office is closed")
    for _ in range(LINKS_PER_ACCOUNT):
        recovering.database = faulty = FaultyDatabase(recovering.sqlite)
        faulty.arm(0 if is_stored else 2, is_lost_after=True)
        assert (await recovering.ask()).status == 202
    recovering.mailbox.error, recovering.database = None, recovering.sqlite
    recovering.clock.now += UNSENT_LIFE - 1
    await recovering.ask()
    assert recovering.mailbox.mails == []
    recovering.clock.now += 1

    token = await recovering.mailed()

    assert (await recovering.reset(token)).status == 204


@pytest.mark.parametrize(("age", "status"), [(UNSENT_LIFE - 1, 204), (UNSENT_LIFE, 404)])
async def test_a_mail_that_arrived_although_it_failed_is_good_for_a_while(
    recovering: Recovering, monkeypatch: pytest.MonkeyPatch, age: int, status: int
) -> None:
    keep = recovering.mailbox.send

    async def send(c: Context, message: Message) -> None:
        await keep(c, message)
        raise TimeoutError

    monkeypatch.setattr(recovering.mailbox, "send", send)
    await recovering.verified()
    for _ in range(LINKS_PER_ACCOUNT + 1):
        await recovering.ask()
    assert len(recovering.mailbox.mails) == LINKS_PER_ACCOUNT
    recovering.clock.now += age

    assert (await recovering.reset(recovering.mailbox.token)).status == status


async def test_an_outage_after_one_is_not_told_either(recovering: Recovering) -> None:
    await recovering.verified()
    recovering.mailbox.error = OSError("the post office is closed")
    recovering.database = faulty = FaultyDatabase(recovering.sqlite)
    faulty.arm(3)

    assert (await recovering.ask()).status == 202

    assert len(await recovering.rows("password_reset")) == 1


# --- Where links lead ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "env", "origin"),
    [
        ("http://localhost", {}, "http://localhost"),
        ("http://localhost:8787", {}, "http://localhost:8787"),
        ("http://127.0.0.1:1", {}, "http://127.0.0.1:1"),
        ("http://[::1]:1", {}, "http://[::1]:1"),
        ("http://localhost", {"PUBLIC_URL": "https://notes.example"}, "https://notes.example"),
        ("https://evil.example", {"PUBLIC_URL": "https://notes.example"}, "https://notes.example"),
    ],
)
async def test_links_lead_home(base_url: str, env: dict[str, str], origin: str) -> None:
    world = Recovering(**env)
    await world.verified()

    await world.browser(base_url).post("/lost", json={})

    assert world.mailbox.link.startswith(f"{origin}/password-reset/")
    world.close()


@pytest.mark.parametrize(
    ("base_url", "env"),
    [
        ("https://evil.example", {}),
        ("http://evil.example", {}),
        ("https://localhost", {}),
        ("http://localhost.evil.example", {}),
        ("http://localhost:80.evil.example", {}),
        ("http://127.0.0.1.nip.io", {}),
        ("http://localhost@evil.example", {}),
        ("http://evil.example:8787", {}),
        ("http://localhost", {"PUBLIC_URL": ""}),
        ("http://localhost", {"PUBLIC_URL": "notes.example"}),
        ("http://localhost", {"PUBLIC_URL": "https://notes.example/"}),
    ],
)
@pytest.mark.parametrize("account", ["alice", "nobody"])
async def test_no_link_leads_where_a_request_says(
    base_url: str, env: dict[str, str], account: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = Recovering(**env)
    await world.verified()

    answer = await world.browser(base_url).post("/lost", json={"account": account})

    assert answer.status == 500
    assert world.mailbox.mails == []
    assert "PUBLIC_URL" in caplog.text or "is not an origin" in caplog.text
    world.close()


# --- Without a mailer ----------------------------------------------------------------------------


@pytest.mark.parametrize("account", [USERNAME, "nobody"])
async def test_a_mailer_that_lacks_something_fails_whoever_is_asked_for(
    recovering: Recovering, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    def lacking(c: Context) -> None:
        raise ConfigurationError("the binding EMAIL is missing")

    await recovering.verified()
    monkeypatch.setattr(recovering.mailbox, "check", lacking)

    assert (await recovering.ask(account)).status == 500
    assert recovering.mailbox.mails == []


async def test_without_a_mailer_it_is_said_what_is_missing(recovering: Recovering) -> None:
    auth: Auth[User] = Auth()
    c = Context(Request.build("POST", "/"), {"DB": recovering.sqlite})
    calls: list[Callable[[], Any]] = [
        lambda: auth.send_verification(c),
        lambda: auth.verify_email(c, "12345678"),
        lambda: auth.request_reset(c, "alice"),
        lambda: auth.check_reset(c, "a" * 40),
        lambda: auth.reset_password(c, "a" * 40, NEW),
    ]

    for call in calls:
        with pytest.raises(ConfigurationError, match="pass it mailer="):
            await call()


async def test_without_a_mailer_its_tables_are_not_asked_for() -> None:
    schema = (ROOT / "schema.sql").read_text()
    world = Recovering()
    plain: Auth[User] = Auth(clock=world.clock)

    @world.app.delete("/email", guard=plain.guard())
    async def give_up(c: Context) -> None:
        await plain.set_email(c, None)

    browser = await world.verified()
    for table in ("email_code", "password_reset"):
        assert table in schema
        await world.sqlite.run(f"DROP TABLE {table}")

    assert (await browser.delete("/email")).status == 204
    assert await plain.purge(world.sqlite) == 0
    world.close()


# --- Cleaning up ---------------------------------------------------------------------------------


async def test_what_is_over_is_purged_and_nothing_else(recovering: Recovering) -> None:
    await recovering.verified()
    bob = await recovering.addressed("bob", "bob@example.com")
    await recovering.ask()
    await bob.post("/code")
    recovering.clock.now += LINK_LIFE - 1
    carol = await recovering.addressed("carol", "carol@example.com")
    await carol.post("/code")

    await recovering.auth.purge(recovering.sqlite)
    assert [len(await recovering.rows(t)) for t in ("password_reset", "email_code")] == [1, 1]

    recovering.clock.now += 1
    await recovering.auth.purge(recovering.sqlite)
    assert [len(await recovering.rows(t)) for t in ("password_reset", "email_code")] == [0, 1]


async def test_a_count_of_codes_outlives_its_code(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    recovering.clock.now += 6 * 60_000

    await recovering.auth.purge(recovering.sqlite)

    assert len(await recovering.rows("email_code")) == 1


async def test_who_goes_takes_codes_and_links_along(recovering: Recovering) -> None:
    browser = await recovering.addressed()
    await browser.post("/code")
    await recovering.sqlite.run("UPDATE user SET email_verified_at = 1")
    token = await recovering.mailed()

    await browser.delete("/me")

    assert await recovering.rows("email_code") == await recovering.rows("password_reset") == []
    assert (await recovering.reset(token)).status == 404


# --- Faults --------------------------------------------------------------------------------------

FLOWS = {
    "set the address": ("POST", "/email", {"email": "other@example.com"}),
    "send a code": ("POST", "/code", {}),
    "verify": ("POST", "/verify", {"code": "CODE"}),
    "verify, wrongly": ("POST", "/verify", {"code": "00000000"}),
    "ask for a link": ("POST", "/lost", {}),
    "reset": ("POST", "/reset", {"token": "TOKEN"}),
    "delete": ("DELETE", "/me", {}),
}


class Scene:
    """A world in which something is about to happen: a code and a link are under way."""

    def __init__(self) -> None:
        self.world = Recovering()
        self.faulty = FaultyDatabase(self.world.sqlite)
        self.browser = self.world.browser()
        self.secrets: dict[str, str] = {}

    async def set_up(self) -> "Scene":
        """Sign up two people, each in two browsers; the first has a link, the second a code."""
        world = self.world
        self.owner = await world.verified()
        await world.signed_in()
        self.secrets["TOKEN"] = await world.mailed()
        self.browser = await world.addressed("bob", "bob@example.com")
        await self.browser.post("/code")
        self.secrets["CODE"] = world.mailbox.code
        self.hashes = {row["hashed_password"] for row in await world.rows("user_key")}
        return self

    async def run(self, method: str, path: str, body: dict[str, str]) -> Response:
        """Let something happen."""
        self.world.database = self.faulty
        sent = {name: self.secrets.get(value, value) for name, value in body.items()}
        return await self.browser.request(method, path, json=sent)

    async def state(self) -> tuple[Any, ...]:
        """Return what is stored, random values left out."""
        world = self.world
        return (
            sorted((row["username"], row["email"], row["email_verified_at"])
                   for row in await world.rows("user")),
            [(row["id"], row["hashed_password"] in self.hashes)
             for row in await world.rows("user_key")],
            len(await world.rows("user_session")),
            len(await world.rows("known_device")),
            sorted((row["email"], row["tries"], row["sent"])
                   for row in await world.rows("email_code")),
            sorted(row["email"] for row in await world.rows("password_reset")),
        )  # fmt: skip


@pytest.mark.parametrize("is_lost_after", [False, True], ids=["not done", "answer lost"])
@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS.keys())
async def test_wherever_it_fails_all_is_done_or_nothing(
    flow: tuple[str, str, dict[str, str]], is_lost_after: bool
) -> None:
    clean = await Scene().set_up()
    before = await clean.state()
    clean.faulty.inner = counting = CountingDatabase(clean.world.sqlite)
    done = await clean.run(*flow)
    after = await clean.state()
    clean.world.close()
    assert done.status < 500

    for number in range(1, len(counting.statements) + 1):
        broken = await Scene().set_up()
        assert await broken.state() == before
        broken.faulty.arm(number, is_lost_after=is_lost_after)

        answer = await broken.run(*flow)

        in_background = flow[1] == "/lost" and number > 1
        assert answer.status == (202 if in_background else 503), number
        assert await broken.state() in (before, after), number
        broken.world.close()


def test_nothing_is_shown_of_a_link_or_an_account() -> None:
    account = Account("u", ADDRESS, "username:alice", "$argon2id$secret")
    link = Link("u", "digest", "username:alice", "$argon2id$secret")

    for text in (repr(account), repr(link)):
        assert "secret" not in text
        assert ADDRESS not in text
