"""What the Worker's bindings must do besides the conformance suite, over ones that misbehave.

Knows the driver and `Bindings` by their signatures only, so that the names of the cases can be read
where there is no D1.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from framework import App, Context, public
from framework.database import (
    ConstraintViolation,
    DatabaseError,
    Overloaded,
    Transient,
    Unavailable,
    statement,
)
from framework.errors import ServiceUnavailable
from framework.middleware.read_replicas import read_replicas
from framework.testing import Client, json_of
from tests.conformance.database_cases import SECRET, failure

__all__ = ["D1_CASES", "Platform"]


class Platform(msgspec.Struct):
    """What a case gets: the driver, `Bindings`, the real binding, and what conformance.mjs makes."""

    driver: Any
    bindings: Any
    binding: Any
    fakes: Any


Case = Callable[[Platform], Awaitable[None]]
D1_CASES: dict[str, Case] = {}


def d1_case(function: Case) -> Case:
    """Take *function* in, under its name."""
    D1_CASES[function.__name__] = function
    return function


class Wrapper:
    """Holds the binding where the SDK's wrapper holds it."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding


@d1_case
async def test_the_wrapper_of_the_sdk_is_taken_off(platform: Platform) -> None:
    db = platform.driver(Wrapper(platform.binding))

    assert await db.first(dict, "SELECT ? AS a", None) == {"a": None}


@d1_case
async def test_a_session_asks_as_its_database_does(platform: Platform) -> None:
    db = platform.driver(Wrapper(platform.binding))
    await db.run("INSERT INTO thing (text) VALUES (?)", "a")

    session = db.with_session("first-unconstrained")

    assert await session.first(dict, "SELECT text FROM thing") == {"text": "a"}
    results = await session.batch([statement("SELECT text FROM thing"), statement("SELECT 1 AS a")])
    assert [result.first(dict) for result in results] == [{"text": "a"}, {"a": 1}]


@d1_case
async def test_a_session_has_the_deadline_of_its_database(platform: Platform) -> None:
    db = platform.driver(platform.fakes.never(), deadline=22)

    error = await failure(Transient, db.with_session("first-primary").all(dict, "SELECT 1"))

    assert "did not answer within 22 ms" in str(error)
    assert platform.fakes.timers(22) == 0


@d1_case
async def test_who_wrote_and_who_did_not_are_answered(platform: Platform) -> None:
    app = App()
    app.use(read_replicas())

    @app.post("/", guard=public)
    async def create(c: Context) -> int:
        return await c.database().run("INSERT INTO thing (text) VALUES (?)", "a")

    @app.get("/", guard=public)
    async def index(c: Context) -> list[str]:
        assert type(c.database()) is not platform.driver
        return await c.database().all(str, "SELECT text FROM thing")

    env = platform.bindings(platform.fakes.env(platform.binding))
    client = Client(app, env, "https://example.test")

    assert json_of(await client.get("/")) == []
    assert client.cookies == {}
    assert (await client.post("/")).status == 200
    assert client.cookies == {"__Host-wrote_DB": "1"}
    assert json_of(await client.get("/")) == json_of(await client.fork().get("/")) == ["a"]


@d1_case
async def test_a_call_that_is_never_answered_ends(platform: Platform) -> None:
    db = platform.driver(platform.fakes.never(), deadline=21)

    for call in (
        db.first(dict, "SELECT ?", SECRET),
        db.all(dict, "SELECT 1"),
        db.run("DELETE FROM thing"),
        db.batch([statement("SELECT ?", SECRET)]),
    ):
        error = await failure(Transient, call)
        assert "did not answer within 21 ms" in str(error)
    assert platform.fakes.timers(21) == 0


@d1_case
async def test_a_late_answer_is_thrown_away(platform: Platform) -> None:
    db = platform.driver(platform.fakes.late(30), deadline=11)

    await failure(Transient, db.run("DELETE FROM thing"))
    await asyncio.sleep(0.05)

    assert platform.fakes.timers(11) == 0


@d1_case
async def test_a_slow_answer_in_time_counts(platform: Platform) -> None:
    db = platform.driver(platform.fakes.late(20), deadline=1001)

    assert await db.run("DELETE FROM thing") == 1
    assert platform.fakes.timers(1001) == 0


@d1_case
async def test_a_cancelled_call_takes_its_timer_down(platform: Platform) -> None:
    db = platform.driver(platform.fakes.never(), deadline=5001)
    call = asyncio.ensure_future(db.run("DELETE FROM thing"))
    await asyncio.sleep(0.01)
    assert platform.fakes.timers(5001) == 1

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    assert platform.fakes.timers(5001) == 0


@d1_case
async def test_what_d1_says_becomes_a_class(platform: Platform) -> None:
    for message, kind in (
        ("D1_ERROR: Network connection lost.", Transient),
        ("D1_ERROR: D1 DB is overloaded. Requests queued for too long.", Overloaded),
        ("D1_ERROR: internal error; reference = abc", Unavailable),
        (
            "D1_ERROR: marker: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)",
            ConstraintViolation,
        ),
        (f"D1_TYPE_ERROR: Type 'bigint' not supported for value '{SECRET}'", DatabaseError),
        ("something new", DatabaseError),
    ):
        db = platform.driver(platform.fakes.refusing(message))
        await failure(kind, db.first(dict, "SELECT 1"))
        await failure(kind, db.batch([statement("SELECT 1")]))


@d1_case
async def test_an_error_is_raised_from_what_d1_threw(platform: Platform) -> None:
    db = platform.driver(platform.fakes.refusing("D1_ERROR: Network connection lost."))

    error = await failure(Transient, db.run("SELECT 1"))

    assert "Network connection lost" in str(error.__cause__)


@d1_case
async def test_many_rows_are_what_few_rows_are(platform: Platform) -> None:
    db = platform.driver(platform.binding)
    sql = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
        " SELECT i, ?2 || i AS word, x'00ff' AS data, NULL AS gap FROM n"
    )
    word = 'Käse, 猫 and 🏮, "quoted"\u2028\\'

    for count in (1, 19, 20, 21, 1000):
        rows = await db.all(dict, sql, count, word)

        assert rows == [
            {"i": i, "word": f"{word}{i}", "data": b"\x00\xff", "gap": None}
            for i in range(1, count + 1)
        ]


@d1_case
async def test_thousands_of_calls_leave_nothing_behind(platform: Platform) -> None:
    db = platform.driver(platform.fakes.instant())

    async def call(times: int) -> int:
        for _ in range(times):
            await db.first(dict, "SELECT ?, ?, ?", None, b"bytes", "text")
            await db.batch([statement("SELECT ?", b"bytes")])
        gc.collect()
        return len(gc.get_objects())

    before = await call(100)
    proxies = platform.fakes.proxies()
    after = await call(2000)

    assert after - before < 50, (before, after)
    assert platform.fakes.proxies() - proxies < 50
    assert platform.fakes.timers(10_000) == 0


@d1_case
async def test_a_rate_limiter_that_is_out_is_an_outage(platform: Platform) -> None:
    env = platform.bindings(platform.fakes.env(platform.binding))

    error = await failure(ServiceUnavailable, env["BROKEN"].allows("a"))

    assert "the limiter is out" in str(error.__cause__)


@d1_case
async def test_what_sends_mails_takes_what_python_has(platform: Platform) -> None:
    from workers.rpc import _EnvWrapper  # only in the Worker's runtime

    mail = platform.bindings(_EnvWrapper(platform.fakes.env(platform.binding)))["MAIL"]
    message: dict[str, Any] = {"to": ["ada@example.com"], "from": {"email": "b@example.com"}}

    assert await mail.send(**message) == message


@d1_case
async def test_ai_is_no_service_though_it_has_a_fetch(platform: Platform) -> None:
    from workers.rpc import _EnvWrapper  # only in the Worker's runtime

    ai = platform.bindings(_EnvWrapper(platform.fakes.env(platform.binding)))["AI"]

    assert await ai.run("@cf/model") is None
    assert ai.gateway("a") == {"id": "a"}  # not awaited: what a service has always is
    assert await ai.run("@cf/model", {"prompt": "a"}) == {
        "model": "@cf/model",
        "inputs": {"prompt": "a"},
        "usage": None,
    }
