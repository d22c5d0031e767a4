"""The browser is told where the time went, where it may know."""

from collections.abc import Callable, Iterator

import pytest

from framework import App, Context, public
from framework.local.sqlite import SQLiteDatabase
from framework.middleware.server_timing import server_timing


@pytest.fixture
def database() -> Iterator[SQLiteDatabase]:
    made = SQLiteDatabase()
    yield made
    made.close()


def make_app(when: Callable[[Context], bool] | None = None) -> App:
    times = iter(range(1000))
    app = App()
    app.use(server_timing(when=when, clock=lambda: next(times) / 1000))

    @app.get("/data", guard=public)
    async def data(c: Context) -> str:
        await c.database().all(dict, "SELECT 1")
        return "data"

    return app


@pytest.mark.parametrize(
    ("path", "timing"),
    [("/data", "total;dur=3.0, d1;dur=1.0"), ("/nowhere", "total;dur=1.0, d1;dur=0.0")],
)
async def test_the_total_and_what_d1_took(database: SQLiteDatabase, path: str, timing: str) -> None:
    response = await make_app().request("GET", path, env={"DB": database})

    assert response.header("server-timing") == timing


@pytest.mark.parametrize(("name", "sent"), [("ada", True), ("eve", False)])
async def test_who_may_not_know_is_not_told(
    database: SQLiteDatabase, name: str, sent: bool
) -> None:
    app = make_app(when=lambda c: c.request.query["name"] == ["ada"])

    response = await app.request("GET", f"/data?name={name}", env={"DB": database})

    assert (response.header("server-timing") is not None) == sent


async def test_a_when_that_forgets_its_await_tells_nobody(database: SQLiteDatabase) -> None:
    async def is_ada(c: Context) -> bool:
        return c.request.query["name"] == ["ada"]

    asked = []

    def may_know(c: Context) -> bool:
        asked.append(is_ada(c))
        return asked[-1]  # type: ignore[return-value]  # what is tried

    response = await make_app(when=may_know).request("GET", "/data?name=eve", env={"DB": database})
    asked.pop().close()

    assert response.status == 500
    assert response.header("server-timing") is None
