"""Random histories of two people and three browsers, against a model of who must be signed in."""

import random
from typing import Final

import pytest

from framework import Context
from framework.auth.tokens import digest
from framework.testing import text_of
from tests.auth.recovering import Recovering
from tests.auth.world import PASSWORD

PEOPLE: Final = ["alice", "bob"]
MINUTE: Final = 60_000
YEAR: Final = 366 * 24 * 60 * MINUTE
TABLES: Final = (
    "user_session", "sign_in_attempt", "known_device", "email_code", "email_count", "password_reset",
)  # fmt: skip


class NoHasher:
    """Hashes nothing, so that there is time for long histories; no two hashes are alike."""

    dummy_hash = "0:"

    def __init__(self) -> None:
        self.count = 0

    async def hash(self, password: str) -> str:
        self.count += 1
        return f"{self.count}:{password}"

    async def verify(self, password: str, stored: str) -> bool:
        return stored.partition(":")[2] == password

    def is_outdated(self, stored: str) -> bool:
        return stored == self.dummy_hash


class History:
    """Each method is something that happens, and what must come of it.

    People are known by their names here, sessions and links by their tokens.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = Recovering()
        self.world.hasher.inner = NoHasher()
        add_routes(self.world)
        self.browsers = [self.world.browser() for _ in range(3)]
        self.passwords: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.verified: set[str] = set()
        self.living: dict[str, str] = {}
        self.issued: list[str] = []
        self.codes: dict[str, tuple[str, int]] = {}
        self.links: dict[str, tuple[str, int]] = {}
        self.mailed: list[str] = [""]

    async def begin(self) -> None:
        """Let there be two people with verified addresses."""
        for number, name in enumerate(PEOPLE):
            self.browsers[number] = await self.world.verified(name, f"{name}@example.com")
            self.passwords[name], self.addresses[name] = PASSWORD, f"{name}@example.com"
            self.verified.add(name)
            self.issued.append(self.browsers[number].cookies["auth_session"])
            self.living[self.issued[-1]] = name

    def turn(self) -> None:
        """Let one of the browsers be the one that asks."""
        self.browser = self.chance.choice(self.browsers)
        self.before = self.browser.cookies.get("auth_session", "")
        self.name = self.living.get(self.before, "")

    async def ask(self, method: str, path: str, **json: str) -> int:
        return (await self.browser.request(method, path, json=json)).status

    def begins(self, name: str) -> None:
        token = self.browser.cookies.get("auth_session", "")
        assert token not in ("", *self.issued)
        self.living.pop(self.before, None)
        self.living[token] = name
        self.issued.append(token)

    def all_end(self, name: str, *, but: str = "") -> None:
        self.living = {t: who for t, who in self.living.items() if who != name or t == but}

    def links_end(self, name: str) -> None:
        self.links = {link: to for link, to in self.links.items() if to[0] != name}

    def code_ends(self, name: str) -> None:
        self.codes[name] = (self.codes[name][0] if name in self.codes else "0", 0)

    def guess(self, name: str) -> str:
        is_right = self.chance.random() < 0.7
        return self.passwords.get(name, "nobody's") if is_right else "wrong password"

    async def sign_up(self) -> None:
        name, password = self.chance.choice(PEOPLE), f"first {len(self.issued)}"
        status = await self.ask("POST", "/sign-up", username=name, password=password)
        assert status == (409 if name in self.passwords else 201)
        if status == 201:
            self.passwords[name] = password
            self.begins(name)

    async def sign_in(self) -> None:
        name = self.chance.choice(PEOPLE)
        password, spelt = self.guess(name), self.chance.choice([name, name.upper()])
        status = await self.ask("POST", "/sign-in", username=spelt, password=password)
        assert status in ({200, 429} if password == self.passwords.get(name) else {401, 429})
        if status == 200:
            self.begins(name)

    async def end_or_rotate(self) -> None:
        path = self.chance.choice(["/sign-out", "/rotate", "/others"])
        assert (await self.ask("POST", path) == 401) is (not self.name)
        if self.name and path == "/sign-out":
            del self.living[self.before]
        elif self.name and path == "/rotate":
            self.begins(self.name)
        elif self.name:
            self.all_end(self.name, but=self.before)

    async def change_password(self) -> None:
        current, new = self.guess(self.name), f"next {len(self.issued)}"
        status = await self.ask("PUT", "/password", current=current, new=new)
        is_right = current == self.passwords.get(self.name)
        assert status in ({204, 429} if is_right else {401, 429})
        if status == 204:
            self.passwords[self.name] = new
            self.all_end(self.name)
            self.links_end(self.name)
            self.begins(self.name)

    async def delete_account(self) -> None:
        if self.chance.random() < 0.9:  # seldom, so that there is somebody
            return
        assert await self.ask("DELETE", "/me") == (204 if self.name else 401)
        self.all_end(self.name)
        self.links_end(self.name)
        self.code_ends(self.name)
        self.passwords.pop(self.name, "")
        self.addresses.pop(self.name, "")
        self.verified.discard(self.name)

    async def give_address(self) -> None:
        address = self.chance.choice(["new@example.com", f"{self.name}@example.com"])
        status = await self.ask("POST", "/email", email=address)
        assert status == (204 if self.name else 401)
        if self.name and self.addresses.get(self.name) != address:
            self.addresses[self.name] = address
            self.verified.discard(self.name)
            self.code_ends(self.name)
            self.links_end(self.name)

    async def ask_for_a_code(self) -> None:
        mails, name = self.world.mailbox.mails, self.name
        before, is_due = len(mails), name in self.addresses and name not in self.verified
        status = await self.ask("POST", "/code")
        assert status in ({204, 429} if is_due else {409 if name else 401})
        if status == 204:
            self.code_ends(name)
        if len(mails) > before:  # else too many went to that address
            assert mails[-1].to == self.addresses[name]
            self.codes[name] = (self.world.mailbox.code, self.world.clock.now + 5 * MINUTE)

    async def use_a_code(self) -> None:
        name, whose = self.name, self.chance.choice([self.name, self.name, *PEOPLE])
        code, until = self.codes.get(whose, ("0", 0))
        is_good = name == whose and until > self.world.clock.now
        is_taken = any(self.addresses[who] == self.addresses.get(name) for who in self.verified)
        status = await self.ask("POST", "/verify", code=code)
        assert status == (409 if is_taken else 204) if is_good else status in {401, 422}
        if status == 204:
            self.verified.add(name)
            self.code_ends(name)

    async def ask_for_a_link(self) -> None:
        mails, name, now = (
            self.world.mailbox.mails,
            self.chance.choice(PEOPLE),
            self.world.clock.now,
        )
        before, good = (
            len(mails),
            [to for to in self.links.values() if to[0] == name and to[1] > now],
        )
        assert (await self.world.ask(name)).status == 202
        assert len(mails) - before == (name in self.verified and len(good) < 3)
        if len(mails) > before:
            assert mails[-1].to == self.addresses[name]
            self.links[self.world.mailbox.token] = (name, now + 120 * MINUTE)
            self.mailed.append(self.world.mailbox.token)

    async def use_a_link(self) -> None:
        link, password = self.chance.choice(self.mailed[-3:]), f"chosen {len(self.mailed)}"
        name, until = self.links.get(link, ("", 0))
        status = (await self.world.reset(link, password)).status
        assert status == (204 if until > self.world.clock.now else 404)
        if status == 204:
            self.passwords[name] = password
            self.all_end(name)
            self.links_end(name)

    async def wait(self) -> None:
        self.world.clock.now += self.chance.choice([1, 6, 16, 61, 121, 25 * 60]) * MINUTE
        await self.world.auth.purge(self.world.sqlite)

    async def look(self) -> None:
        """See that the rows are those of who is signed in."""
        rows = {row["id"]: row["user_id"] for row in await self.world.rows("user_session")}
        users = {row["username"].lower(): row["id"] for row in await self.world.rows("user")}
        assert rows == {digest(token): users[name] for token, name in self.living.items()}

    async def end(self) -> None:
        """See whom each cookie opens that was ever sent, and that nothing stays for ever."""
        for token in self.issued:
            header = {"cookie": f"auth_session={token}"}
            answer = await self.world.request("GET", "/me", headers=header)
            assert answer.status == (200 if token in self.living else 401)
            assert answer.status == 401 or text_of(answer) == self.living[token]
        self.world.clock.now += 2 * YEAR
        await self.world.auth.purge(self.world.sqlite)
        assert [await self.world.rows(table) for table in TABLES] == [[]] * len(TABLES)
        self.world.close()


def add_routes(world: Recovering) -> None:
    auth, authorized = world.auth, world.auth.guard()

    @world.app.post("/sign-out", guard=authorized)
    async def sign_out(c: Context) -> None:
        await auth.sign_out(c)

    @world.app.post("/rotate", guard=authorized)
    async def rotate(c: Context) -> None:
        await auth.rotate_session(c)

    @world.app.post("/others", guard=authorized)
    async def end_others(c: Context) -> None:
        await auth.end_other_sessions(c)


@pytest.mark.parametrize("seed", range(60))
async def test_nobody_is_signed_in_who_should_not_be(seed: int) -> None:
    history = History(seed)
    await history.begin()
    happenings = [
        *(history.sign_up, history.sign_in, history.end_or_rotate, history.change_password),
        *(history.delete_account, history.give_address, history.ask_for_a_code),
        *(history.use_a_code, history.use_a_code, history.ask_for_a_link, history.use_a_link),
        history.wait,
    ]
    usual = history.chance.choices(happenings, k=16)  # in each history others happen often
    for _ in range(150):
        history.turn()
        await history.chance.choice(usual)()
        await history.look()
    await history.end()
