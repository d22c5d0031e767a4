"""A line for each request says what happened, and nothing that the client wrote."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from framework import App, Context, Router, all_of, any_of, guard, public
from framework.compose import Next
from framework.database import Transient
from framework.errors import ConfigurationError, Forbidden, TooManyRequests, Unauthorized
from framework.local.sqlite import SQLiteDatabase
from framework.middleware.access_log import access_log
from framework.middleware.request_id import request_id
from framework.response import Response

SECRET = "s3cret-token"
HEADERS = {"cookie": f"auth_session={SECRET}", "authorization": f"Bearer {SECRET}"}


@guard
async def known(c: Context) -> None:
    await c.database().all(dict, "SELECT v FROM n")


@guard
async def nobody() -> None:
    raise Unauthorized


@guard
async def throttled() -> None:
    raise TooManyRequests(retry_after=1)


@guard
async def out_of_order() -> None:
    raise Transient("D1_ERROR: no answer", "SELECT 1")


@guard
async def mistaken() -> None:
    raise ZeroDivisionError


@pytest.fixture
def env() -> Iterator[dict[str, Any]]:
    database = SQLiteDatabase()
    database.apply_schema("CREATE TABLE n (v INTEGER PRIMARY KEY); INSERT INTO n VALUES (1), (2)")
    yield {"DB": database}
    database.close()


def make_app(lines: list[str], **options: Any) -> App:
    times = iter(range(500, 1500))
    app = App()
    options.setdefault("clock", lambda: next(times) / 1000)
    app.use(request_id(), access_log(lines.append, now=lambda: 1_700_000_000_123, **options))
    closed = Router("/closed")

    async def close(c: Context, call_next: Next) -> Response:
        return Response.empty()

    closed.use(close)

    @app.on(["GET", "POST"], "/public/:name", guard=public)
    async def hello() -> str:
        return "hello"

    @app.get("/known/:id", guard=known)
    async def show(c: Context) -> int:
        return await c.database().run("DELETE FROM n WHERE v > ?", 1)

    @app.get("/failing", guard=known)
    async def fail() -> str:
        raise Forbidden

    @app.get("/slow", guard=public)
    async def linger() -> None:
        await asyncio.sleep(5)

    @closed.get("/", guard=known)
    async def never() -> str:
        return "never"

    for name, asked in {
        "nobody": nobody,
        "throttled": throttled,
        "out": out_of_order,
        "mistaken": mistaken,
        "any": any_of(nobody, known),
        "none": any_of(nobody, nobody),
        "all": all_of(known, nobody),
    }.items():

        @app.get(f"/{name}", guard=asked)
        async def answer() -> str:
            return "passed"

    app.mount(closed)
    return app


async def test_a_line_says_what_happened(env: dict[str, Any]) -> None:
    lines: list[str] = []

    await make_app(lines).request("GET", "/known/7?a=b", headers={"x-request-id": "r1"}, env=env)

    assert [json.loads(line) for line in lines] == [
        {
            "time": "2023-11-14T22:13:20.123+00:00",
            "method": "GET",
            "route": "/known/:id",
            "status": 200,
            "ms": 5.0,
            "guard": "passed",
            "d1_ms": 2.0,
            "d1_trips": 2,
            "d1_statements": 2,
            "d1_rows": 2,
            "d1_changes": 1,
            "request_id": "r1",
        }
    ]


@pytest.mark.parametrize(
    ("method", "path", "route", "status", "outcome"),
    [
        ("GET", "/public/x", "/public/:name", 200, "none"),
        ("HEAD", "/public/x", "/public/:name", 200, "none"),
        ("OPTIONS", "/public/x", None, 204, "none"),
        ("PUT", "/public/x", None, 405, "none"),
        ("GET", "/nowhere", None, 404, "none"),
        ("GET", "/%zz", None, 400, "none"),
        ("GET", "/known/1", "/known/:id", 200, "passed"),
        ("GET", "/failing", "/failing", 403, "passed"),
        ("GET", "/nobody", "/nobody", 401, "refused"),
        ("GET", "/throttled", "/throttled", 429, "refused"),
        ("GET", "/any", "/any", 200, "passed"),
        ("GET", "/none", "/none", 401, "refused"),
        ("GET", "/all", "/all", 401, "refused"),
        ("GET", "/out", "/out", 503, "failed"),
        ("GET", "/mistaken", "/mistaken", 503, "failed"),
        ("GET", "/closed", "/closed", 204, "none"),
    ],
)
async def test_the_route_the_status_and_the_guard(
    env: dict[str, Any], method: str, path: str, route: str | None, status: int, outcome: str
) -> None:
    lines: list[str] = []

    response = await make_app(lines).request(method, path, env=env)

    fields = json.loads(lines[0])
    assert (fields["method"], fields["route"], fields["status"]) == (method, route, status)
    assert fields["guard"] == outcome
    assert response.status == status


async def test_a_request_of_another_site_never_reached_the_guard(env: dict[str, Any]) -> None:
    lines: list[str] = []

    await make_app(lines).request(
        "POST", "/public/x", headers={"origin": "https://evil.example"}, env=env
    )

    fields = json.loads(lines[0])
    assert (fields["status"], fields["guard"]) == (403, "none")


@pytest.mark.parametrize("path", ["/public/", "/nowhere/", "/known/", "/nobody?token="])
async def test_nothing_that_the_client_wrote_is_in_it(env: dict[str, Any], path: str) -> None:
    lines: list[str] = []

    await make_app(lines).request("GET", path + SECRET, headers=HEADERS, env=env, body=SECRET)

    assert len(lines) == 1
    assert SECRET not in lines[0]


@pytest.mark.parametrize(
    "text",
    [
        "\r\n",
        "\u2028\u2029\x85",
        "\x1b[31m",
        "\x9b31m",
        "\u202e",
        "\x00\x7f",
        "\U0001f600",
        "\ud800",
    ],
    ids=ascii,
)
async def test_no_value_can_end_the_line_or_colour_it(text: str) -> None:
    lines: list[str] = []
    app = make_app(lines, extra=lambda _: {"agent": text})

    await app.request(f"GET{text}", "/nowhere", headers={"x-request-id": text})

    assert len(lines) == 1
    assert lines[0].isascii()
    assert lines[0].isprintable()
    fields = json.loads(lines[0])
    assert (fields["agent"], fields["method"]) == (text, f"GET{text}")


async def test_more_fields_can_be_had_but_none_replaced() -> None:
    lines: list[str] = []
    app = make_app(lines, extra=lambda c: {"country": c.request.country, "status": 999})

    await app.request("GET", "/public/x", headers={"cf-ipcountry": "FR"})

    fields = json.loads(lines[0])
    assert (fields["country"], fields["status"]) == ("FR", 200)


async def test_a_request_that_is_cancelled_has_a_line_without_a_status() -> None:
    lines: list[str] = []
    task = asyncio.create_task(make_app(lines).request("GET", "/slow"))
    await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    fields = json.loads(lines[0])
    assert (fields["route"], fields["status"]) == ("/slow", None)


async def test_unless_told_where_to_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    app = App()
    app.use(access_log())

    await app.request("GET", "/")

    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["status"] == 404


@pytest.mark.parametrize(("write", "extra"), [("stdout", None), (print, "agent"), (None, {})])
def test_what_cannot_be_called_is_refused(write: Any, extra: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot call"):
        access_log(write, extra=extra)
