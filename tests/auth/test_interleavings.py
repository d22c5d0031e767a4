"""Of two requests at once, whatever their trips' order, what is left is as if one had come first."""

import json
from functools import partial
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import pytest

from framework.auth import GRACE, Limits
from framework.auth.tokens import digest
from framework.database import Database
from framework.local.sqlite import SQLiteDatabase
from framework.response import Response
from framework.testing import Client
from tests.auth.interleaving import interleavings
from tests.auth.world import World

COOKIE = "auth_session"
LUCIAS = "l" * 40


class Flow(NamedTuple):
    """One request, and which browser sends it."""

    method: str
    path: str
    json: dict[str, str] | None = None
    by: str = "own"

    def __str__(self) -> str:
        return f"{self.method} {self.path} by {self.by}"


FLOWS = [
    Flow("GET", "/me"),
    Flow("POST", "/sign-in", {}),
    Flow("POST", "/sign-out"),
    Flow("POST", "/rotate"),
    Flow("PUT", "/password", {"new": "battery staple"}),
    Flow("POST", "/others", by="other"),
    Flow("DELETE", "/me"),
    Flow("POST", "/others"),
]


class PlainHasher:
    """Hashes nothing, and is at once."""

    dummy_hash = "plain$"

    async def hash(self, password: str) -> str:
        """Return *password* as it is."""
        return f"plain${password}"

    async def verify(self, password: str, stored: str) -> bool:
        """Compare."""
        return stored == f"plain${password}"

    def is_outdated(self, stored: str) -> bool:
        """Find everything as it should be."""
        return not stored.startswith("plain$")


class Door:
    """An application that is asked with a database of its own."""

    def __init__(self, world: World, database: Database) -> None:
        self._world = world
        self._database = database

    async def request(self, method: str, path: str, **content: Any) -> Response:
        """Return the answer."""
        content["env"] = {"DB": self._database}
        return await self._world.app.request(method, path, **content)


class Scene:
    """A world to which alice has signed in with two browsers, to be found so again and again."""

    def __init__(self, **options: Any) -> None:
        self.world = World(hasher=PlainHasher(), **options)
        self.world.app.security_log = None
        self.now = 0
        self.cookies: dict[str, dict[str, str]] = {}
        self.stored = b""

    async def set_up(self, *, is_lucias: bool) -> "Scene":
        """Sign alice up and in."""
        world = self.world
        browsers = {"own": await world.signed_up()}
        world.clock.now += 1_000
        browsers["other"] = await world.signed_in()
        self.cookies = {name: each.cookies for name, each in browsers.items()}
        if is_lucias:
            await world.sqlite.run(
                "UPDATE user_session SET id = ?1, created_at = 0, authenticated_at = 0 WHERE id = ?2",
                LUCIAS,
                digest(self.cookies["own"][COOKIE]),
            )
            self.cookies["own"] = {COOKIE: LUCIAS}
        self.now = world.clock.now = world.clock.now + 1_000
        self.stored = world.sqlite._connection.serialize()
        return self

    def begin(self) -> Database:
        """Return the database as `set_up` left it."""
        self.world.sqlite.close()
        self.world.sqlite = SQLiteDatabase()
        self.world.sqlite._connection.deserialize(self.stored)
        self.world.clock.now = self.now
        return self.world.sqlite

    def tick(self) -> None:
        """Let a millisecond pass."""
        self.world.clock.now += 1

    async def send(self, flow: Flow, database: Database) -> str | None:
        """Send *flow*; return the cookie that came back, if one did."""
        browser = Client(Door(self.world, database))
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies[flow.by].items())
        answer = await browser.request(
            flow.method, flow.path, json=flow.json, headers={"cookie": cookies}
        )
        assert answer.status < 500, (flow, answer.body)
        return browser.cookies.get(COOKIE)

    async def left(self, sent: list[str | None]) -> str:
        """Return what is stored, with sessions named by who got their cookie; but for what has its grace."""
        names = {digest(each[COOKIE]): name for name, each in self.cookies.items()}
        names |= {LUCIAS: "lucias"}
        names |= {digest(each): f"sent {place}" for place, each in enumerate(sent) if each}
        soon = self.world.clock.now + 2 * GRACE
        sessions = [
            names.get(row["id"], "nobody's")
            for row in await self.world.rows("user_session")
            if row["idle_expires"] > soon
        ]
        keys = [row["hashed_password"] for row in await self.world.rows("user_key")]
        return json.dumps([sorted(sessions), keys, len(await self.world.rows("user"))])


@pytest.mark.parametrize(
    ("options", "is_lucias"),
    [({}, False), ({"limits": Limits(grace=GRACE)}, False), ({"sessions": "migrate"}, True)],
    ids=["no grace", "grace", "lucias"],
)
async def test_of_two_requests_one_comes_first(options: dict[str, Any], is_lucias: bool) -> None:
    scene = await Scene(**options).set_up(is_lucias=is_lucias)
    unexplained: list[str] = []

    # What one of Lucia's does first, to be replaced, is a step of its own: between it and the end of the
    # others somebody may sign out, which ends it as well.
    for pair in combinations_with_replacement(FLOWS[:-1] if is_lucias else FLOWS, 2):
        calls = [partial(scene.send, flow) for flow in pair]
        serial: set[str] = set()
        others: dict[str, str] = {}
        async for order in interleavings(calls, scene.begin, scene.tick):
            left = await scene.left(order.results)
            if order.is_serial:
                serial.add(left)
            else:
                others[left] = f"{pair[0]}, {pair[1]}, as {order.trips}, left {left}"
        unexplained += [told for left, told in others.items() if left not in serial]

    assert "\n".join(unexplained) == ""
    scene.world.close()
