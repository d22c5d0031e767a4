"""What guards read goes to the database in one trip, and only when it is needed."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from framework import App, ConfigurationError, Context, HTTPError, Slot, any_of, guard, public
from framework.database import Result, Statement, Transient, statement
from framework.errors import NotFound, Unauthorized
from framework.guards import Guard
from framework.local.sqlite import SQLiteDatabase


class Row(msgspec.Struct):
    value: int


class Counting(SQLiteDatabase):
    """SQLite that remembers how many statements each trip carried."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.trips: list[int] = []

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        self.trips.append(len(statements))
        return await super().batch(statements)


ROW = Slot("row", Row)


def select(c: Context) -> Statement | None:
    value = c.request.query.get("value")
    return statement("SELECT ?1 AS value", int(value[0])) if value else None


@guard(reads=select, provides=ROW)
async def reads_value(found: Result) -> Row:
    row = found.first(Row)
    if row is None:
        raise NotFound
    return row


async def wants_found(found: Result | None) -> None: ...


@guard(reads=select)
async def wants_value(found: Result | None) -> None:
    if found is None:
        raise Unauthorized


@guard
async def refuses(c: Context) -> None:
    raise HTTPError(403)


def refusing_read(c: Context) -> Statement:
    raise NotFound


@guard(reads=refusing_read)
async def reads_nothing(found: Result) -> None: ...


@guard(reads=select)
async def looks_at_nothing(found: Result) -> None: ...


@guard
async def lets_in(c: Context) -> None: ...


def by_row(row: Row) -> Statement:
    return statement("SELECT ?1 AS value", row.value)


def by_row_or_none(row: Row | None) -> Statement | None:
    return None if row is None else by_row(row)


def serve(expression: Any) -> App:
    app = App()

    @app.get("/", guard=expression)
    async def answer(c: Context) -> str:
        return "in"

    return app


@pytest.mark.parametrize(
    ("expression", "path", "status", "trips"),
    [
        (public, "/", 200, []),
        (wants_value, "/?value=1", 200, [1]),
        (wants_value & reads_value, "/?value=1", 200, [2]),
        (any_of(refuses, wants_value) & reads_value, "/?value=1", 200, [2]),
        (wants_value & reads_value, "/", 401, []),
        (refuses & reads_value, "/?value=1", 403, []),
        (reads_value, "/", 503, []),
        (looks_at_nothing, "/", 503, []),
        (wants_value & reads_nothing, "/?value=1", 404, [1]),
        (any_of(reads_nothing, wants_value), "/?value=1", 200, [1]),
    ],
    ids=str,
)
async def test_one_trip_and_only_where_needed(
    expression: Any, path: str, status: int, trips: list[int]
) -> None:
    db = Counting()

    response = await serve(expression).request("GET", path, env={"DB": db})

    assert response.status == status
    assert db.trips == trips
    db.close()


async def test_what_is_read_is_made_once() -> None:
    made: list[str] = []

    def noting(c: Context) -> Statement:
        made.append("statement")
        return statement("SELECT 1")

    db, noted = Counting(), guard(wants_found, reads=noting)

    response = await serve(wants_value & noted).request("GET", "/?value=1", env={"DB": db})

    assert (response.status, made) == (200, ["statement"])
    db.close()


async def test_a_database_that_is_out_is_503_for_all_of_them() -> None:
    class Out(Counting):
        async def batch(self, statements: Sequence[Statement]) -> list[Result]:
            raise Transient("Network connection lost", "")

    db = Out()

    response = await serve(any_of(wants_value, reads_value)).request(
        "GET", "/?value=1", env={"DB": db}
    )

    assert response.status == 503
    db.close()


@pytest.mark.parametrize("order", [1, -1])
async def test_what_is_no_statement_is_a_fault_of_the_program(
    order: int, caplog: pytest.LogCaptureFixture
) -> None:
    def select_text(c: Context) -> Any:
        return "SELECT 1"

    db, by_text = Counting(), guard(wants_found, reads=select_text, name="by_text")

    first, second = [wants_value, by_text][::order]
    response = await serve(first & second).request("GET", "/?value=1", env={"DB": db})

    assert (response.status, db.trips) == (503, [])
    assert "reads= gave str, not a statement(...)" in caplog.text
    db.close()


def test_a_route_tells_statements_and_trips() -> None:
    [route] = serve(wants_value & reads_value).routes

    assert (route.statements, route.trips) == (2, 1)


@pytest.mark.parametrize("before", [reads_value, reads_value | lets_in])
@pytest.mark.parametrize("asks", [by_row, by_row_or_none])
def test_a_read_is_made_too_early_to_see_what_guards_hand_on(before: Guard, asks: Any) -> None:
    with pytest.raises(ConfigurationError, match="the parameter 'row' of by_row"):
        serve(before & guard(wants_found, reads=asks))


async def test_a_read_sees_the_path_and_two_databases_are_two_trips() -> None:
    def by_id(id: int) -> Statement:
        return statement("SELECT ?1 AS value", id)

    @guard(reads=by_id, database="OTHER", provides=ROW)
    async def elsewhere(found: Result) -> Row:
        row = found.first(Row)
        assert row is not None
        return row

    app, first, other = App(), Counting(), Counting()

    @app.get("/:id", guard=wants_value & elsewhere)
    async def answer(c: Context, row: Row) -> Row:
        return row

    response = await app.request("GET", "/7?value=1", env={"DB": first, "OTHER": other})

    assert response.body == b'{"value":7}'
    assert (first.trips, other.trips) == ([1], [1])
    assert app.routes[0].trips == 2
    first.close()
    other.close()
