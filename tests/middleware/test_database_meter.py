"""What a request asks of its databases is counted where somebody wants to know, and only there."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from framework import App, Context, public
from framework.compose import Next
from framework.database import Database, DatabaseError, statement
from framework.local.sqlite import SQLiteDatabase
from framework.middleware.database_meter import Meter, MeteredDatabase, meter_of
from framework.response import Response

Use = Callable[[Database], Awaitable[Any]]


@pytest.fixture
def database() -> Iterator[SQLiteDatabase]:
    made = SQLiteDatabase()
    made.apply_schema("CREATE TABLE n (v INTEGER PRIMARY KEY); INSERT INTO n VALUES (1), (2), (3)")
    yield made
    made.close()


async def read_first(db: Database) -> Any:
    return await db.first(dict, "SELECT v FROM n ORDER BY v")


async def read_none(db: Database) -> Any:
    return await db.first(dict, "SELECT v FROM n WHERE v > ?", 9)


async def read_all(db: Database) -> Any:
    return await db.all(dict, "SELECT v FROM n")


async def write(db: Database) -> Any:
    return await db.run("DELETE FROM n WHERE v < ?", 3)


async def write_and_read(db: Database) -> Any:
    results = await db.batch(
        [statement("DELETE FROM n WHERE v = ?", 1), statement("SELECT v FROM n")]
    )
    return results[0].changes, results[1].rows(dict)


async def read_first_of_batch(db: Database) -> Any:
    return (await db.batch([statement("SELECT v FROM n")]))[0].first(dict)


async def ask_nothing(db: Database) -> Any:
    return await db.batch([])


async def fail(db: Database) -> Any:
    with pytest.raises(DatabaseError):
        await db.all(dict, "SELECT nothing FROM nowhere")


@pytest.mark.parametrize(
    ("use", "answer", "trips", "statements", "rows", "changes"),
    [
        (read_first, {"v": 1}, 1, 1, 1, 0),
        (read_none, None, 1, 1, 0, 0),
        (read_all, [{"v": 1}, {"v": 2}, {"v": 3}], 1, 1, 3, 0),
        (write, 2, 1, 1, 0, 2),
        (write_and_read, (1, [{"v": 2}, {"v": 3}]), 1, 2, 2, 1),
        (read_first_of_batch, {"v": 1}, 1, 1, 3, 0),
        (ask_nothing, [], 0, 0, 0, 0),
        (fail, None, 1, 1, 0, 0),
    ],
)
async def test_everything_is_counted_and_nothing_is_changed(
    database: SQLiteDatabase,
    use: Use,
    answer: object,
    trips: int,
    statements: int,
    rows: int,
    changes: int,
) -> None:
    times = iter(range(100))
    meter = Meter(lambda: float(next(times)))

    assert await use(MeteredDatabase(database, meter)) == answer
    assert (meter.trips, meter.statements) == (trips, statements)
    assert (meter.rows, meter.changes) == (rows, changes)
    assert meter.milliseconds == trips * 1000


def make_app(*, asks: int) -> App:
    app = App()

    async def ask(c: Context, call_next: Next) -> Response:
        meters = [meter_of(c) for _ in range(asks)]
        response = await call_next()
        counts = ",".join(str(meter.trips) for meter in meters)
        return response.with_header("x-trips", counts)

    app.use(ask)

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        await read_all(c.database())
        return type(c.database()).__name__

    return app


async def test_all_who_ask_share_one_meter(database: SQLiteDatabase) -> None:
    response = await make_app(asks=2).request("GET", "/", env={"DB": database})

    assert response.header("x-trips") == "1,1"


@pytest.mark.parametrize(("asks", "kind"), [(0, b"SQLiteDatabase"), (1, b"MeteredDatabase")])
async def test_nothing_is_in_the_way_unless_somebody_asks(
    database: SQLiteDatabase, asks: int, kind: bytes
) -> None:
    assert (await make_app(asks=asks).request("GET", "/", env={"DB": database})).body == kind


async def test_what_another_layer_puts_before_a_database_stays_there(
    database: SQLiteDatabase,
) -> None:
    asked: list[Database] = []

    def put_before(found: Database) -> Database:
        asked.append(found)
        return found

    async def layer(c: Context, call_next: Next) -> Response:
        c.wrap_database = put_before
        return await call_next()

    app = App()
    app.use(layer)
    app.use(*make_app(asks=1).middleware)

    @app.get("/", guard=public)
    async def index(c: Context) -> None:
        await read_all(c.database())

    response = await app.request("GET", "/", env={"DB": database})

    assert response.header("x-trips") == "1"
    assert asked == [database]
