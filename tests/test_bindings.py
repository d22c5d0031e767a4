"""What an application needs of its deployment is declared, checked when first used, and never shown."""

import logging
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest

from framework import App, Bindings, ConfigurationError, Context, Job, Response, guard, public
from framework.bindings import read_bindings
from framework.compose import Next
from framework.database import Database
from framework.local.sqlite import SQLiteDatabase
from framework.middleware.database_meter import meter_of
from framework.testing import json_of


class Colour(Enum):
    RED = "red"


class Limits(msgspec.Struct):
    rows: int


Port = NewType("Port", int)
PublicPort = NewType("PublicPort", Port)


class Settings(Bindings):
    API_KEY: str
    DB: Database
    ROWS: int = 20
    DEBUG: bool = False
    MODE: Literal["a", "b"] = "a"
    COLOUR: Colour = Colour.RED
    LIMITS: Limits | None = None
    TAGS: list[str] = msgspec.field(default_factory=list)
    RATES: dict[str, float] | None = None
    PAIR: tuple[int, int] | str = ""
    HOSTS: frozenset[str] = frozenset()
    PRICE: Decimal = Decimal(0)
    TENANT: UUID | None = None
    DAY: date | None = None
    START: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    OPENS: time | None = None
    WAIT: timedelta = timedelta(0)
    PORT: Port = Port(80)
    PUBLIC_PORT: PublicPort = PublicPort(Port(443))
    MAIL: Any = None


class Remote:
    """Stands for a JavaScript object: a variable that is one arrives as a proxy with ``to_py``."""

    def to_py(self) -> dict[str, int]:
        return {"rows": 7}


DATABASE = object()
TENANT = UUID("12345678-1234-5678-1234-567812345678")
LEAST = {"API_KEY": "5ec7e7", "DB": DATABASE}


@pytest.mark.parametrize(
    ("more", "field", "value"),
    [
        ({}, "ROWS", 20),
        ({"ROWS": 5}, "ROWS", 5),
        ({"ROWS": 5.0}, "ROWS", 5),
        ({"ROWS": "5"}, "ROWS", 5),
        ({"DEBUG": "true"}, "DEBUG", True),
        ({"DEBUG": "True"}, "DEBUG", True),
        ({"DEBUG": "0"}, "DEBUG", False),
        ({"MODE": "b"}, "MODE", "b"),
        ({"COLOUR": "red"}, "COLOUR", Colour.RED),
        ({"LIMITS": {"rows": 3}}, "LIMITS", Limits(3)),
        ({"LIMITS": Remote()}, "LIMITS", Limits(7)),
        ({"LIMITS": '{"rows": 3}'}, "LIMITS", Limits(3)),
        ({"LIMITS": '{"rows": "3"}'}, "LIMITS", Limits(3)),
        ({"LIMITS": "null"}, "LIMITS", None),
        ({"TAGS": ["x"]}, "TAGS", ["x"]),
        ({"TAGS": ' ["x", "é"]\n'}, "TAGS", ["x", "é"]),
        ({"TAGS": "[]"}, "TAGS", []),
        ({"RATES": '{"eur": 1}'}, "RATES", {"eur": 1.0}),
        ({"PAIR": "[1, 2]"}, "PAIR", "[1, 2]"),  # text fits: it is left as it is
        ({"PAIR": [1, 2]}, "PAIR", (1, 2)),
        ({"HOSTS": '["x"]'}, "HOSTS", frozenset({"x"})),
        ({"PRICE": "1.50"}, "PRICE", Decimal("1.50")),
        ({"PRICE": 2}, "PRICE", Decimal(2)),
        ({"TENANT": "12345678-1234-5678-1234-567812345678"}, "TENANT", TENANT),
        ({"DAY": "2026-01-31"}, "DAY", date(2026, 1, 31)),
        ({"DAY": date(2026, 1, 31)}, "DAY", date(2026, 1, 31)),  # TOML has dates
        ({"START": "2026-01-31T00:00:00Z"}, "START", datetime(2026, 1, 31, tzinfo=UTC)),
        ({"OPENS": "09:30:00"}, "OPENS", time(9, 30)),
        ({"WAIT": "PT5M"}, "WAIT", timedelta(minutes=5)),
        ({"WAIT": "300"}, "WAIT", timedelta(minutes=5)),
        ({"PORT": "8080"}, "PORT", 8080),
        ({"MAIL": DATABASE}, "MAIL", DATABASE),
        ({"OTHER": 1}, "API_KEY", "5ec7e7"),
        ({}, "DB", DATABASE),
    ],
)
def test_what_is_read(more: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(read_bindings(Settings, {**LEAST, **more}), field) == value


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, ["API_KEY is missing", "DB is missing"]),
        ({**LEAST, "ROWS": "5ec7e7"}, ["ROWS does not fit"]),
        (
            {**LEAST, "MODE": "5ec7e7", "DEBUG": "5ec7e7"},
            ["MODE does not fit", "DEBUG does not fit"],
        ),
        (
            {"API_KEY": 5, "ROWS": None},
            ["API_KEY does not fit", "DB is missing", "ROWS does not fit"],
        ),
    ],
)
def test_all_that_is_missing_is_named_and_no_value(env: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_bindings(Settings, env)

    assert [part in str(caught.value) for part in named] == [True] * len(named)
    assert "5ec7e7" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"TAGS": "5ec7e7,b"}, "TAGS does not fit list[str], which is written as JSON"),
        ({"TAGS": '{"5ec7e7": 1}'}, "TAGS does not fit list[str], which is written as JSON"),
        ({"TAGS": ["5ec7e7", 1]}, "TAGS does not fit list[str], which is written as JSON"),
        ({"TAGS": "\udc80"}, "TAGS does not fit list[str], which is written as JSON"),
        ({"LIMITS": "[" * 9999}, "which is written as JSON"),
        ({"DEBUG": "yes"}, "DEBUG does not fit bool, which is true, false, 1 or 0"),
        ({"ROWS": "[5]"}, "ROWS does not fit int: see wrangler.toml"),
        ({"HOSTS": "5ec7e7"}, "HOSTS does not fit frozenset[str], which is written as JSON"),
        ({"PRICE": "5ec7e7"}, "PRICE does not fit Decimal: see wrangler.toml"),
        ({"TENANT": "5ec7e7"}, "TENANT does not fit uuid.UUID | None: see"),
        ({"DAY": "5ec7e7"}, "DAY does not fit datetime.date | None: see wrangler.toml"),
        ({"WAIT": "5ec7e7"}, "WAIT does not fit timedelta, which is PT5M or 300 (seconds): see"),
        ({"PORT": "5ec7e7"}, "PORT does not fit"),
    ],
)
def test_what_does_not_fit_is_told_with_how_it_is_written(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_bindings(Settings, {**LEAST, **more})

    assert said in str(caught.value)
    assert "5ec7e7" not in str(caught.value)


def test_the_repr_names_what_there_is_and_shows_nothing() -> None:
    shown = repr(read_bindings(Settings, LEAST))

    assert "API_KEY" in shown
    assert "5ec7e7" not in shown


def make_app() -> App:
    app = App()

    @guard
    async def has_key(settings: Settings) -> None:
        return None

    @app.get("/", guard=public)
    async def index(c: Context, settings: Settings) -> list[Any]:
        return [settings.ROWS, settings is c.bindings(Settings)]

    @app.post("/", guard=public)
    async def post(settings: Settings) -> int:
        return settings.ROWS

    @app.get("/guarded", guard=has_key)
    async def guarded() -> str:
        return "in"

    return app


async def test_a_handler_asks_by_type_and_gets_the_same_all_through_the_request() -> None:
    assert json_of(await make_app().request("GET", "/", env={**LEAST, "ROWS": "5"})) == [5, True]


async def test_bindings_are_never_read_from_a_body() -> None:
    forged = {"API_KEY": "mine", "DB": None, "ROWS": 1}

    assert json_of(await make_app().request("POST", "/", json=forged, env=LEAST)) == 20


@pytest.mark.parametrize(("path", "status"), [("/", 500), ("/guarded", 503)])
async def test_what_is_missing_is_a_fault_that_is_logged_and_not_told(
    path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await make_app().request("GET", path, env={})

    assert response.status == status
    assert "API_KEY" not in str(json_of(response))
    assert "API_KEY is missing" in caplog.text


class Stores(Bindings):
    """A database under each spelling, and what is no database."""

    DB: Database
    LOGS: Database | None = None
    ARCHIVE: Annotated[Database, "kept for ten years"] | None = None
    MAIL: Any = None


@pytest.mark.parametrize(("name", "trips"), [("DB", 1), ("LOGS", 1), ("ARCHIVE", 1), ("MAIL", 0)])
async def test_a_database_among_them_is_counted_as_any(name: str, trips: int) -> None:
    database = SQLiteDatabase()
    counts: list[int] = []
    app = App()

    @app.use
    async def early(c: Context, call_next: Next) -> Response:
        c.bindings(Stores)  # before anybody counts
        return await call_next()

    @app.use
    async def count(c: Context, call_next: Next) -> Response:
        meter = meter_of(c)
        response = await call_next()
        counts.append(meter.trips)
        return response

    @app.get("/", guard=public)
    async def index(c: Context, stores: Stores) -> bool:
        await getattr(stores, name).first(dict, "SELECT 1 AS one")
        return stores is c.bindings(Stores)

    answer = await app.request("GET", "/", env=dict.fromkeys(["DB", name], database))

    database.close()
    assert json_of(answer) is True
    assert counts == [trips]


async def test_a_cron_job_asks_for_them_as_well() -> None:
    app = App()
    seen: list[int] = []

    @app.cron("* * * * *")
    async def tick(job: Job) -> None:
        seen.append(job.bindings(Settings).ROWS)

    await app.run_cron("* * * * *", LEAST, 0)

    assert seen == [20]
