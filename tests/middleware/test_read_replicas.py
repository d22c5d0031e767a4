"""Safe requests read nearby, the rest and whoever wrote at the primary."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest

from framework import App, Bindings, ConfigurationError, Context, Request, Response, Router, public
from framework.compose import Middleware, Next
from framework.database import Database, Transient, statement
from framework.errors import Conflict
from framework.local.sqlite import SQLiteDatabase
from framework.middleware.cache import cache
from framework.middleware.database_meter import MeteredDatabase, meter_of
from framework.middleware.etag import etag
from framework.middleware.read_replicas import read_replicas
from framework.middleware.server_timing import server_timing
from framework.middleware.timeout import timeout
from framework.streaming import stream
from framework.testing import Client, json_of, text_of
from tests.auth.recovering import Recovering
from tests.auth.world import World
from tests.lagging_database import LaggingDatabase

COOKIE = "wrote_DB"
WROTE = {COOKIE: "1"}
COUNT = "SELECT count(*) FROM note"
INSERT = "INSERT INTO note (title) VALUES ('new')"


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.app.use(read_replicas())
    lagging = made.database = LaggingDatabase(made.sqlite)
    yield made
    lagging.close()
    made.close()


@pytest.fixture
def database() -> Iterator[LaggingDatabase]:
    primary = SQLiteDatabase()
    primary.apply_schema("CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT)")
    lagging = LaggingDatabase(primary)
    yield lagging
    lagging.close()
    primary.close()


Use = Callable[[Database], Awaitable[Any]]


def make_app(*layers: Middleware, use: Use | None = None) -> App:
    """Return an application of notes; *use* is what its page /use does with the database."""
    app = App()
    app.use(*(layers or [read_replicas()]))

    @app.get("/", guard=public)
    async def index(c: Context) -> list[str]:
        return await c.database().all(str, "SELECT title FROM note ORDER BY id")

    @app.post("/", guard=public)
    async def create(c: Context) -> int:
        return await c.database().run(INSERT)

    @app.on(["GET", "POST"], "/use", guard=public)
    async def used(c: Context) -> str:
        if use is not None:
            await use(c.database())
        return "used"

    return app


def cookies_of(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "set-cookie"]


async def test_who_signs_in_is_signed_in_though_no_replica_has_heard_of_it(world: World) -> None:
    browser = await world.signed_up()

    assert (await browser.get("/me")).status == 200
    forget_write(browser)  # proof that the replica is behind
    assert (await browser.get("/me")).status == 401


async def test_who_signs_out_is_signed_out_though_no_replica_has_heard_of_it(world: World) -> None:
    browser = await world.signed_up()
    lagging(world).catch_up()
    session = browser.cookies["auth_session"]

    await browser.post("/sign-out")

    old = f"auth_session={session}"
    assert (await world.request("GET", "/me", headers=[("cookie", old)])).status == 200
    old += f"; {COOKIE}={browser.cookies[COOKIE]}"
    assert (await world.request("GET", "/me", headers=[("cookie", old)])).status == 401


async def test_a_session_that_was_ended_elsewhere_reads_a_while_and_never_writes(
    world: World,
) -> None:
    here = await world.signed_up()
    forget_write(here)
    there = await world.signed_in()
    lagging(world).catch_up()
    await there.post("/others")

    assert (await here.get("/me")).status == 200
    assert (await here.fork(with_cookies=True).post("/rotate")).status == 401
    assert (await here.fork(with_cookies=True).delete("/me")).status == 401
    lagging(world).catch_up()
    assert (await here.get("/me")).status == 401


async def test_an_ended_session_that_is_idle_is_not_renewed_from_a_replica(world: World) -> None:
    here = await world.signed_up()
    forget_write(here)
    there = await world.signed_in()
    world.clock.now += world.limits.active + 1
    lagging(world).catch_up()
    await there.post("/others")

    assert (await here.get("/me")).status == 401
    assert len(await world.rows("user_session")) == 1


async def test_a_page_that_renews_a_session_is_a_change(world: World) -> None:
    browser = await world.signed_up()
    lagging(world).catch_up()
    world.clock.now += world.limits.active + 1
    forget_write(browser)

    response = await browser.get("/me")

    assert json_of(response)["fresh"]
    assert browser.cookies[COOKIE] == "1"


async def test_a_replica_that_is_further_behind_than_the_cookie_lasts_signs_out(
    world: World,
) -> None:
    browser = await world.signed_up()
    forget_write(browser)

    assert (await browser.get("/me")).status == 401
    assert "auth_session" not in browser.cookies


async def test_who_wrote_sees_it_at_once_and_others_when_the_replica_does(
    database: LaggingDatabase,
) -> None:
    author = Client(make_app(), {"DB": database})
    other = author.fork()
    await author.post("/")

    assert json_of(await author.get("/")) == ["new"]
    assert json_of(await other.get("/")) == []
    database.catch_up()
    assert json_of(await other.get("/")) == ["new"]


@pytest.mark.parametrize(
    ("use", "is_change"),
    [
        (lambda db: db.run(INSERT), True),
        (lambda db: db.run("DELETE FROM note"), False),
        (lambda db: db.batch([statement("SELECT 1"), statement(INSERT)]), True),
        (lambda db: db.batch([statement("SELECT 1"), statement("DELETE FROM note")]), False),
        (lambda db: db.batch([statement("SELECT 1"), statement("SELECT 2")]), False),
        (lambda db: db.batch([]), False),
        (lambda db: db.first(dict, f"{INSERT} RETURNING id"), True),
        (lambda db: db.all(dict, f"-- SELECT\n{INSERT} RETURNING id"), True),
        (lambda db: db.all(dict, f"WITH a AS (SELECT 1)\n{INSERT} RETURNING id"), True),
        (lambda db: db.all(dict, f"with a(b) as (select 1) replace{INSERT[6:]}"), True),
        (lambda db: db.first(int, "SELECT 1"), False),
        (lambda db: db.first(int, "\n\tselect 1"), False),
        (lambda db: db.all(str, "WITH inserted(b) AS (SELECT 'a')\nSELECT b FROM inserted"), False),
        (lambda db: db.all(int, "VALUES (1)"), True),  # for all that is known of it
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_changes_something_leaves_a_cookie_and_nothing_else_does(
    database: LaggingDatabase, method: str, use: Use, is_change: bool
) -> None:
    client = Client(make_app(use=use), {"DB": database})

    assert (await client.request(method, "/use")).status == 200

    assert client.cookies == (WROTE if is_change else {})


async def test_the_cookie_lasts_five_minutes(database: LaggingDatabase) -> None:
    response = await make_app().request("POST", "/", env={"DB": database})

    assert "Max-Age=300" in cookies_of(response)[0]


@pytest.mark.parametrize(
    ("origin", "cookie"),
    [
        ("https://example.test", "__Host-wrote_DB=1; Max-Age=60; Path=/; Secure; HttpOnly"),
        ("http://localhost", "wrote_DB=1; Max-Age=60; Path=/; HttpOnly"),
    ],
)
async def test_the_cookie_is_as_safe_as_a_session_and_sent_with_each_change(
    database: LaggingDatabase, origin: str, cookie: str
) -> None:
    client = Client(make_app(read_replicas(seconds=60)), {"DB": database}, origin)

    for count in (1, 2):
        response = await client.post("/")

        assert cookies_of(response) == [f"{cookie}; SameSite=Lax"]
        assert response.header("cache-control") == "private, no-store"
        response = await client.get("/")
        assert (json_of(response), cookies_of(response)) == (["new"] * count, [])


async def test_an_error_after_a_write_has_the_cookie_too(database: LaggingDatabase) -> None:
    async def use(db: Database) -> None:
        await db.run(INSERT)
        raise Conflict("Too late.")

    client = Client(make_app(use=use), {"DB": database})

    assert (await client.post("/use")).status == 409
    assert json_of(await client.get("/")) == ["new"]


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_write_of_which_nothing_was_heard_is_a_change(
    database: LaggingDatabase, monkeypatch: pytest.MonkeyPatch, method: str, seconds: int
) -> None:
    async def write_and_say_nothing(sql: str) -> int:
        await database.primary.run(sql)
        await asyncio.sleep(seconds)
        raise Transient("Network connection lost.", sql)

    monkeypatch.setattr(database, "run", write_and_say_nothing)
    app = make_app(read_replicas(), timeout(0.1), use=lambda db: db.run(INSERT))
    client = Client(app, {"DB": database})

    assert (await client.request(method, "/use")).status == 503
    assert client.cookies == WROTE
    assert json_of(await client.get("/")) == ["new"]


async def test_a_write_whose_answer_does_not_fit_is_a_change(database: LaggingDatabase) -> None:
    app = make_app(use=lambda db: db.first(int, f"{INSERT} RETURNING title"))
    client = Client(app, {"DB": database})

    assert (await client.post("/use")).status == 500
    assert client.cookies == WROTE


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ([], "replica"),
        ([("cookie", f"theme=dark; wrote_LOGS=1; {COOKIE}")], "replica"),
        ([("cookie", f"{COOKIE}=1")], "primary"),
        ([("cookie", f"theme=dark; __Host-{COOKIE}=1")], "primary"),
        ([("cookie", f"{COOKIE}=; {COOKIE}=\udcff")], "primary"),
        ([("cookie", f"{'a=b; ' * 5000}{COOKIE}=1")], "primary"),
        ([("authorization", "Bearer a")], "primary"),
        ([("authorization", "")], "primary"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_whoever_wrote_and_clients_without_cookies_read_at_the_primary(
    database: LaggingDatabase, method: str, headers: list[tuple[str, str]], asked: str
) -> None:
    response = await make_app().request(method, "/", env={"DB": database}, headers=headers)

    assert (response.status, cookies_of(response)) == (200, [])
    assert database.asked == [asked]


@pytest.mark.parametrize(
    ("method", "starts", "asked"),
    [
        ("GET", ["first-unconstrained"], ["replica", "replica", "primary", "primary", "primary"]),
        ("POST", [], ["primary"] * 5),
    ],
)
async def test_a_request_has_one_session_until_it_writes(
    database: LaggingDatabase, method: str, starts: list[str], asked: list[str]
) -> None:
    async def use(db: Database) -> None:
        await db.first(int, COUNT)
        await db.batch([statement(COUNT), statement(COUNT)])
        await db.run(INSERT)
        assert await db.first(int, COUNT) == 1  # though the replica has not heard of it
        await db.batch([statement(COUNT)])

    await make_app(use=use).request(method, "/use", env={"DB": database})

    assert (database.starts, database.asked) == (starts, asked)


@pytest.mark.parametrize(
    "write", [f"{INSERT} RETURNING id", "DELETE FROM note WHERE id = 9 RETURNING id"]
)
async def test_a_page_that_writes_first_has_no_session(
    database: LaggingDatabase, write: str
) -> None:
    async def use(db: Database) -> None:
        await db.all(int, write)
        await db.first(int, COUNT)

    await make_app(use=use).request("GET", "/use", env={"DB": database})

    assert (database.starts, database.asked) == ([], ["primary", "primary"])


async def test_a_request_has_one_database_however_often_it_asks_for_it(
    database: LaggingDatabase,
) -> None:
    app = make_app()

    @app.get("/often", guard=public)
    async def often(c: Context) -> list[str | None]:
        title = "SELECT title FROM note"
        before = [await c.database().first(str, title) for _ in range(2)]
        await c.database().run(INSERT)
        return [*before, await c.database().first(str, title)]

    response = await app.request("GET", "/often", env={"DB": database})

    assert json_of(response) == [None, None, "new"]
    assert database.starts == ["first-unconstrained"]


async def test_the_first_row_is_the_first_of_several(database: LaggingDatabase) -> None:
    found: list[Any] = []

    async def use(db: Database) -> None:
        for sql in ("VALUES (1), (2)", "SELECT * FROM (VALUES (1), (2))"):
            found.append(await db.first(int, sql))  # the one at the primary, the other nearby

    await make_app(use=use).request("GET", "/use", env={"DB": database})

    assert found == [1, 1]


async def test_who_still_asks_when_the_request_is_gone_reads_at_the_primary(
    database: LaggingDatabase,
) -> None:
    kept: list[Database] = []

    async def use(db: Database) -> None:
        kept.append(db)

    await make_app(use=use).request("GET", "/use", env={"DB": database})
    gc.collect()

    assert await kept[0].first(int, COUNT) == 0
    assert await kept[0].run(INSERT) == 1
    assert (database.starts, database.asked) == ([], ["primary", "primary"])


async def test_where_nothing_waits_for_work_it_is_done_before_the_answer(
    database: LaggingDatabase,
) -> None:
    app = make_app()

    @app.get("/after", guard=public)
    async def after(c: Context) -> str:
        await c.after_answer(c.database().run(INSERT))
        return "after"

    response = await app.handle(Request.build("GET", "/after"), {"DB": database})

    assert (response.status, await database.primary.first(int, COUNT)) == (200, 1)


async def test_a_page_without_a_query_has_no_session(database: LaggingDatabase) -> None:
    async def use(db: Database) -> None: ...

    await make_app(use=use).request("GET", "/use", env={"DB": database})

    assert database.starts == []


@pytest.mark.parametrize("sent", [[], [("cookie", f"{COOKIE}=1")]])
async def test_a_page_that_only_reads_stays_public(
    database: LaggingDatabase, sent: list[tuple[str, str]]
) -> None:
    app = make_app(cache(60), etag(), read_replicas())

    response = await app.request("GET", "/", env={"DB": database}, headers=sent)

    assert response.header("cache-control") == "public, max-age=60"
    assert response.header("etag") is not None
    again = [*sent, ("if-none-match", response.header("etag") or "")]
    assert (await app.request("GET", "/", env={"DB": database}, headers=again)).status == 304


async def test_a_page_that_looks_at_a_cookie_is_still_found_out(database: LaggingDatabase) -> None:
    app = make_app(cache(60), read_replicas())

    @app.get("/looks", guard=public)
    async def looks(c: Context) -> str | None:
        looked = c.cookies.get("theme")
        await c.database().first(int, "SELECT 1")
        return looked

    response = await app.request(
        "GET", "/looks", env={"DB": database}, headers=[("cookie", "theme=a")]
    )

    assert response.header("cache-control") is None
    assert text_of(response) == "a"


async def count_trips(c: Context, call_next: Any) -> Response:
    meter = meter_of(c)
    response: Response = await call_next()
    return response.with_header("x-counted", f"{meter.trips} {meter.rows} {meter.changes}")


@pytest.mark.parametrize("meter_first", [True, False])
async def test_it_goes_with_a_meter_in_either_order(
    database: LaggingDatabase, meter_first: bool
) -> None:
    layers = [count_trips, server_timing(), read_replicas()]
    app = make_app(*(layers if meter_first else reversed(layers)))

    class Bound(Bindings):
        db: Database = msgspec.field(name="DB")

    @app.get("/bound", guard=public)
    async def bound(c: Context, given: Bound) -> str:
        kinds = (
            type(c.database()) is type(given.db) is type(c.bindings(Bound).db) is MeteredDatabase
        )
        await given.db.all(str, "SELECT title FROM note")
        await c.database().run(INSERT)
        return str(kinds)

    client = Client(app, {"DB": database})

    response = await client.get("/bound")

    assert text_of(response) == "True"
    assert response.header("x-counted") == "2 0 1"
    assert database.asked == ["replica", "primary"]
    assert client.cookies == WROTE


async def test_a_database_without_replicas_is_used_as_it_is(database: LaggingDatabase) -> None:
    kinds: list[type] = []

    async def use(db: Database) -> None:
        kinds.append(type(db))

    app = make_app(use=use)

    for each in (database.primary, database):
        await app.request("GET", "/use", env={"DB": each})

    assert kinds[0] is SQLiteDatabase
    assert kinds[1] is not LaggingDatabase


async def test_a_request_that_is_over_is_not_kept_until_the_collector_comes(
    database: LaggingDatabase,
) -> None:
    app = make_app()

    class Bound(Bindings):
        db: Database = msgspec.field(name="DB")

    @app.post("/over", guard=public)
    async def over(c: Context, given: Bound) -> None:
        await given.db.first(int, COUNT)
        await c.database().run(INSERT)
        c.wait_until(c.database().run(INSERT))

    gc.collect()
    gc.disable()
    try:
        await app.request("POST", "/over", env={"DB": database})
        contexts = [kept for kept in gc.get_objects() if type(kept) is Context]
    finally:
        gc.enable()

    assert [c for c in contexts if c.request.path == "/over"] == []


async def test_what_a_stream_and_work_after_the_answer_write_is_written(
    database: LaggingDatabase,
) -> None:
    app = make_app()

    async def chunks(c: Context) -> AsyncIterator[str]:
        titles = await c.database().all(str, "SELECT title FROM note")
        await c.database().run(INSERT)
        yield ",".join([*titles, "end"])

    @app.get("/stream", guard=public)
    async def streamed(c: Context) -> Response:
        return stream(chunks(c))

    @app.get("/later", guard=public)
    async def later(c: Context) -> str:
        c.wait_until(c.database().run(INSERT))
        return "later"

    client = Client(app, {"DB": database})

    assert text_of(await client.get("/stream")) == "end"
    await client.get("/later")

    assert client.cookies == {}
    assert await database.primary.first(int, COUNT) == 2


async def test_work_after_the_answer_leaves_no_cookie_even_if_it_is_done_before(
    database: LaggingDatabase,
) -> None:
    done: list[int | None] = []

    async def linger(_: Context, call_next: Next) -> Response:
        response = await call_next()
        await asyncio.sleep(0.01)
        done.append(await database.primary.first(int, COUNT))
        return response

    app = make_app(read_replicas(), linger)

    @app.post("/later", guard=public)
    async def later(c: Context) -> str:
        c.wait_until(c.database().run(INSERT))
        return "later"

    work: list[asyncio.Future[Any]] = []
    request = Request.build("POST", "/later")
    response = await app.handle(
        request, {"DB": database}, lambda each: work.append(asyncio.ensure_future(each))
    )
    await asyncio.gather(*work)
    in_turn = await app.request("POST", "/later", env={"DB": database})
    afterwards = await app.request("POST", "/", env={"DB": database})

    assert [len(cookies_of(each)) for each in (response, in_turn, afterwards)] == [0, 0, 1]
    assert done == [1, 1, 3]


@pytest.mark.parametrize("account", ["alice", "nobody"])
async def test_asking_for_a_link_leaves_no_cookie(account: str) -> None:
    world = Recovering()
    world.app.use(read_replicas())
    await world.verified()
    lagging = world.database = LaggingDatabase(world.sqlite)

    response = await world.ask(account)

    assert (response.status, cookies_of(response)) == (202, [])
    assert len(world.mailbox.mails) == int(account == "alice")
    lagging.close()
    world.close()


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_a_failed_sign_in_leaves_one_whoever_was_named(world: World, name: str) -> None:
    await world.signed_up()
    browser = world.browser()

    await browser.post("/sign-in", json={"username": name, "password": "wrong horse"})

    assert browser.cookies == WROTE


@pytest.mark.parametrize(("path", "asked"), [("/", ["replica"]), ("/admin", ["primary"])])
async def test_when_says_who_reads_at_the_primary(
    database: LaggingDatabase, path: str, asked: list[str]
) -> None:
    def is_anybodys(c: Context) -> bool:
        return not c.route.path.startswith("/admin")

    app = make_app(read_replicas(when=is_anybodys))

    @app.get("/admin", guard=public)
    async def admin(c: Context) -> list[str]:
        return await c.database().all(str, "SELECT title FROM note")

    await app.request("GET", path, env={"DB": database})

    assert database.asked == asked


async def test_when_is_asked_once_and_only_where_nothing_else_decides(
    database: LaggingDatabase,
) -> None:
    asked: list[str] = []

    def may_be_behind(c: Context) -> bool:
        asked.append(c.request.method)
        return True

    async def use(db: Database) -> None:
        await db.first(int, COUNT)
        await db.first(int, COUNT)

    client = Client(make_app(read_replicas(when=may_be_behind), use=use), {"DB": database})

    await client.get("/use")
    await client.post("/use")
    await client.get("/use", headers=[("cookie", f"{COOKIE}=1")])

    assert asked == ["GET"]


async def test_each_database_has_its_own_cookie(database: LaggingDatabase) -> None:
    primary = SQLiteDatabase()
    primary.apply_schema("CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT)")
    logs = LaggingDatabase(primary)
    app = make_app(read_replicas(), read_replicas("LOGS", seconds=60))

    @app.post("/log", guard=public)
    async def log(c: Context) -> int:
        return await c.database("LOGS").run(INSERT)

    @app.get("/both", guard=public)
    async def both(c: Context) -> list[list[str]]:
        sql = "SELECT title FROM note"
        return [await c.database(name).all(str, sql) for name in ("DB", "LOGS")]

    client = Client(app, {"DB": database, "LOGS": logs})
    await database.primary.run(INSERT)
    await client.post("/log")

    assert client.cookies == {"wrote_LOGS": "1"}
    assert json_of(await client.get("/both")) == [[], ["new"]]
    await client.post("/")
    assert client.cookies == {"wrote_LOGS": "1", **WROTE}
    assert json_of(await client.get("/both")) == [["new", "new"], ["new"]]
    logs.close()
    primary.close()


def test_on_a_router_it_is_refused() -> None:
    router = Router()
    router.use(read_replicas())

    @router.get("/page", guard=public)
    async def page() -> None: ...

    app = App()
    app.mount(router)

    with pytest.raises(ConfigurationError, match="on the app, not on a router"):
        app.prepare()


async def test_a_database_that_is_not_bound_is_named(
    database: LaggingDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    response = await make_app(read_replicas("NOTES")).request("GET", "/", env={"DB": database})

    assert response.status == 500
    assert "the binding NOTES is missing" in caplog.text


@pytest.mark.parametrize("name", ["a b", "é", "a;b"])
def test_a_name_that_no_cookie_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name of a cookie"):
        read_replicas(name)


@pytest.mark.parametrize("seconds", [0, -1, 60.0, True, 400 * 24 * 3600 + 1])
def test_a_time_that_no_cookie_can_have_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="seconds must be"):
        read_replicas(seconds=seconds)


def forget_write(browser: Client) -> None:
    """Let the cookie be as old as it gets."""
    del browser._jar._cookies[COOKIE, "/"]


def lagging(world: World) -> LaggingDatabase:
    assert isinstance(world.database, LaggingDatabase)
    return world.database
