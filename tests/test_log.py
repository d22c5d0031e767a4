"""What a handler says is one line of JSON, whatever it holds."""

import json
import logging
from datetime import UTC
from typing import Any

import pytest

from framework import App, Context, public
from framework.auth import Session
from framework.log import Log, log_error
from framework.middleware.request_id import request_id


def said(write: Any) -> list[dict[str, Any]]:
    lines: list[str] = []
    write(Log({"route": "/a"}, lines.append))
    assert all(line.isascii() and "\n" not in line for line in lines)
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_line_has_time_level_message_and_fields(level: str) -> None:
    [line] = said(lambda log: getattr(log, level)("note made", note=5, tags=["a"]))

    assert line.pop("time").endswith("+00:00")
    assert line == {"level": level, "message": "note made", "route": "/a", "note": 5, "tags": ["a"]}


@pytest.mark.parametrize("text", ["a\nb", "\u2028", "\x1b[31m", '"}', "\ud800", "é☾", ""])
def test_no_text_ends_the_line(text: str) -> None:
    [line] = said(lambda log: log.info(text, field=text))

    assert (line["message"], line["field"]) == (text, text)


@pytest.mark.parametrize(
    "text", ["x\nERROR kagari: all is well", "\x1b[31m", "\u2028", "\u202e", "\r\n"]
)
def test_the_text_of_an_error_forges_no_line(caplog: pytest.LogCaptureFixture, text: str) -> None:
    fault = RuntimeError(f"no such thing: {text}")
    try:
        raise fault from KeyError(text)
    except RuntimeError as error:
        log_error("it failed", error)

    [record] = caplog.records
    lines = logging.Formatter().format(record).split("\n")
    assert record.exc_info is not None
    assert [line for line in lines if "no such thing" in line] == [lines[-1]]
    assert sum("test_log.py" in line for line in lines) == 1
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), [float("inf")], {("a", 1): 2}, {b"a": 1}, {"a": {UTC: 1}}],
    ids=repr,
)
def test_what_json_has_no_form_for_is_written_as_its_repr(value: object) -> None:
    lines: list[str] = []

    Log({}, lines.append).info("said", value=value, other={"a": 1})

    line = json.loads(lines[0], parse_constant=pytest.fail)
    assert (line["value"], line["other"]) == (repr(value), {"a": 1})


def test_no_field_replaces_what_the_line_is_known_by() -> None:
    [line] = said(lambda log: log.info("true", level="x", route="/b", time=0))

    assert (line["level"], line["route"], line["message"]) == ("info", "/a", "true")


def test_a_session_is_written_without_its_id() -> None:
    session = Session(id="5ec7e7", user_id="ada", active_expires=1, idle_expires=2)

    [line] = said(lambda log: log.info("who", session=session, raw=b"x"))

    assert "5ec7e7" not in json.dumps(line)
    assert line["session"] == repr(session)


async def test_a_line_names_the_request_where_it_has_a_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = App()
    app.use(request_id())

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        c.log.info("here")
        return "done"

    await app.request("GET", "/", headers={"x-request-id": "abc"})

    assert json.loads(capsys.readouterr().out)["request_id"] == "abc"


async def test_a_handler_logs_its_route_and_never_the_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = App()

    @app.get("/reset/:token", guard=public)
    async def reset(c: Context, token: str) -> str:
        c.log.info("reset", length=len(token))
        return "done"

    await app.request("GET", "/reset/5ec7e7?key=5ec7e7")

    out = capsys.readouterr().out
    assert "5ec7e7" not in out
    assert json.loads(out)["route"] == "/reset/:token"
    assert json.loads(out)["method"] == "GET"
