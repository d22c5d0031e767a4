"""A time that a client sends says its zone, as RFC 3339 and OpenAPI's ``date-time`` have it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest

from framework import App, Context, Cookie, Form, Header, Query, Response, public
from framework.database_values import ParameterError, check
from framework.openapi import describe
from framework.testing import json_of

NAIVE = "2026-01-02T03:04:05"
AWARE = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"]
DETAIL = "Expected datetime with a timezone component."
FORM = {"content-type": "application/x-www-form-urlencoded"}

Local = Annotated[datetime, msgspec.Meta(tz=False)]


class Stay(msgspec.Struct):
    """Times in every place that a body has."""

    start: datetime
    end: datetime | None = None
    days: list[datetime] = []
    named: dict[str, datetime] = {}
    number: int = 0


class Draft(msgspec.Struct):
    """Times that the program gives where the client gives none, as it likes."""

    title: str
    at: datetime = msgspec.field(default_factory=datetime.now)
    parts: "list[Draft]" = []


class Alarm(msgspec.Struct):
    """One that is meant where people are."""

    at: Local


class Meeting(msgspec.Struct):
    """One whose zone is asked for."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]


class Wished(msgspec.Struct):
    """A form with times."""

    at: list[datetime]
    local: Local | None = None


app = App()


@app.get("/at/:at", guard=public)
async def read_path(at: datetime) -> bool:
    return at.tzinfo is not None


@app.get("/", guard=public)
async def read_values(
    since: Query[datetime | None] = None,
    several: Query[list[datetime]] = [],  # noqa: B006  never changed
    x_at: Header[datetime | None] = None,
    seen: Cookie[datetime | None] = None,
    local: Query[Local | None] = None,
) -> bool:
    return all(each.tzinfo for each in [since, x_at, seen, *several] if each)


@app.post("/stays", guard=public)
async def read_body(stay: Stay) -> None: ...


@app.post("/meetings", guard=public)
async def read_meeting(meeting: Meeting) -> None: ...


@app.post("/drafts", guard=public)
async def read_draft(draft: Form[Draft] | Draft) -> bool:
    return draft.at.tzinfo is None


@app.post("/alarms", guard=public)
async def read_local(c: Context, alarm: Alarm) -> bool:
    return alarm.at.tzinfo is None


@app.post("/wished", guard=public)
async def read_form(wished: Form[Wished] | Wished) -> None: ...


@app.post("/field", guard=public)
async def read_field(at: Form[datetime]) -> None: ...


@pytest.mark.parametrize("text", AWARE)
async def test_a_time_with_its_zone_is_read_everywhere(text: str) -> None:
    quoted = text.replace("+", "%2B")
    answers = [
        await app.request("GET", f"/at/{quoted}"),
        await app.request("GET", f"/?since={quoted}&several={quoted}&several={quoted}"),
        await app.request("GET", "/", headers={"x-at": text, "cookie": f"seen={text}"}),
        await app.request(
            "POST", "/stays", json={"start": text, "days": [text], "named": {"a": text}}
        ),
        await app.request("POST", "/wished", headers=FORM, body=f"at={quoted}&at={quoted}"),
        await app.request("POST", "/field", headers=FORM, body=f"at={quoted}"),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 204, 204, 204]


@pytest.mark.parametrize(
    ("query", "headers", "place"),
    [
        (f"since={NAIVE}", {}, "query:since"),
        (f"several={AWARE[0]}&several={NAIVE}", {}, "query:several"),
        ("", {"x-at": NAIVE}, "header:x-at"),
        ("", {"cookie": f"seen={NAIVE}"}, "cookie:seen"),
    ],
)
async def test_a_time_without_a_zone_does_not_fit_a_parameter(
    query: str, headers: dict[str, str], place: str
) -> None:
    answer = await app.request("GET", f"/?{query}", headers=headers)

    assert answer.status == 422
    assert json_of(answer)["errors"] == [{"detail": DETAIL, "parameter": place}]


async def test_a_time_without_a_zone_is_not_found_in_a_path() -> None:
    assert (await app.request("GET", f"/at/{NAIVE}")).status == 404


@pytest.mark.parametrize(
    ("path", "content", "pointers"),
    [
        (
            "/stays",
            {"json": {"start": NAIVE, "end": NAIVE, "days": [AWARE[0], NAIVE]}},
            ["/start", "/end", "/days/1"],
        ),
        ("/stays", {"json": {"start": AWARE[0], "named": {"a": NAIVE, "b": NAIVE}}}, ["/named"]),
        ("/wished", {"headers": FORM, "body": f"at={AWARE[0]}&at={NAIVE}"}, ["/at"]),
        ("/field", {"headers": FORM, "body": f"at={NAIVE}"}, ["/at"]),
    ],
)
async def test_a_time_without_a_zone_does_not_fit_a_body(
    path: str, content: dict[str, Any], pointers: list[str]
) -> None:
    answer = await app.request("POST", path, **content)

    assert answer.status == 422
    assert json_of(answer)["errors"] == [{"detail": DETAIL, "pointer": each} for each in pointers]


@pytest.mark.parametrize(
    "content",
    [
        {"json": {"title": "tea"}},
        {"json": {"title": "tea", "parts": [{"title": "leaves"}]}},
        {"form": {"title": "tea"}},
    ],
    ids=str,
)
async def test_a_time_that_was_not_sent_is_the_programs_own(content: dict[str, Any]) -> None:
    assert (await app.request("POST", "/drafts", **content)).body == b"true"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"json": {"title": "tea", "at": NAIVE}}, "/at"),
        ({"json": {"title": "", "parts": [{"title": "", "at": NAIVE}]}}, "/parts/0/at"),
        (
            {"json": {"title": "", "parts": [*[{"title": ""}] * 200, {"title": "", "at": NAIVE}]}},
            "/parts/200/at",
        ),
        ({"form": {"title": "tea", "at": NAIVE}}, "/at"),
    ],
    ids=["field", "field inside", "behind many that were not sent", "form"],
)
async def test_beside_such_a_time_one_that_was_sent_is_told_of(
    content: dict[str, Any], pointer: str
) -> None:
    answer = await app.request("POST", "/drafts", **content)

    assert answer.status == 422
    assert json_of(answer)["errors"] == [{"detail": DETAIL, "pointer": pointer}]


async def assert_out_of_range(answers: Sequence[Response], time: str) -> None:
    for answer in answers:
        assert answer.status == 422
        assert json_of(answer)["errors"][0]["detail"] == "Timestamp is out of range."
    assert (await app.request("GET", f"/at/{time}")).status == 404


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_a_time_that_is_none_in_utc_is_refused(time: str) -> None:
    quoted = time.replace("+", "%2B")
    answers = [
        await app.request("POST", "/stays", json={"start": time}),
        await app.request("POST", "/stays", json={"start": AWARE[0], "days": [time]}),
        await app.request("POST", "/stays", json={"start": AWARE[0], "named": {"a": time}}),
        await app.request("POST", "/meetings", json={"at": time}),
        await app.request("POST", "/drafts", json={"title": "tea", "at": time}),
        await app.request("POST", "/wished", headers=FORM, body=f"at={quoted}"),
        await app.request("GET", f"/?since={quoted}"),
        await app.request("GET", f"/?several={quoted}"),
    ]

    await assert_out_of_range(answers, quoted)
    with pytest.raises(ParameterError, match="none in UTC"):
        check("SELECT ?", [datetime.fromisoformat(time)])


@pytest.mark.parametrize("seconds", ["253402300800", "253402300799.9999999"])
async def test_a_time_after_the_year_9999_in_seconds_is_refused(seconds: str) -> None:
    answers = [
        await app.request("POST", "/wished", headers=FORM, body=f"at={seconds}"),
        await app.request("GET", f"/?since={seconds}"),
        await app.request("GET", f"/?several={seconds}"),
    ]

    await assert_out_of_range(answers, seconds)


async def test_numbers_and_times_are_told_of_together() -> None:
    answer = await app.request("POST", "/stays", json={"start": NAIVE, "number": 2**53})

    assert json_of(answer)["errors"] == [
        {"detail": DETAIL, "pointer": "/start"},
        {"detail": "This number is out of range.", "pointer": "/number"},
    ]


async def test_who_wants_a_time_without_a_zone_says_so() -> None:
    form = f"at={AWARE[0]}&local={NAIVE}"
    answers = [
        await app.request("GET", f"/?local={NAIVE}"),
        await app.request("POST", "/alarms", json={"at": NAIVE}),
        await app.request("POST", "/wished", headers=FORM, body=form),
        await app.request("POST", "/wished", json={"at": [AWARE[0]], "local": NAIVE}),
        await app.request("POST", "/alarms", json={"at": AWARE[0]}),
    ]

    assert [answer.status for answer in answers] == [200, 200, 204, 204, 422]


def test_the_document_says_what_a_parameter_has_to_be() -> None:
    parameters = describe(app, title="", version="")["paths"]["/"]["get"]["parameters"]

    schemas = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert schemas["since"] == {"type": "string", "format": "date-time"}


def test_the_database_says_what_to_do_with_a_time_without_a_zone() -> None:
    with pytest.raises(ParameterError, match=r"as in value\.replace\(tzinfo=UTC\)"):
        check("SELECT ?", [datetime(2026, 1, 1)])
    assert check("SELECT ?", [datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)]) == [1000]
