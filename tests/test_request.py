"""A request says what was asked, reads each part once, and refuses what it cannot understand."""

from typing import Any, assert_type

import msgspec
import pytest

from framework import App, Context, Request, public
from framework.errors import BadRequest, Invalid, UnsupportedMediaType
from framework.request import COOKIES_LIMIT, Headers, split_url
from framework.testing import json_of


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("/", ("http://localhost", "/", "")),
        ("/a?b=c", ("http://localhost", "/a", "b=c")),
        ("/a?b=c?d#e", ("http://localhost", "/a", "b=c?d")),
        ("/a#b?c", ("http://localhost", "/a", "")),
        ("/go/http://evil.com/x", ("http://localhost", "/go/http://evil.com/x", "")),
        ("/go?to=http://evil.com", ("http://localhost", "/go", "to=http://evil.com")),
        ("//evil.com/a", ("http://localhost", "//evil.com/a", "")),
        ("http://a.example", ("http://a.example", "/", "")),
        ("https://a.example:8443/x/../y?z", ("https://a.example:8443", "/y", "z")),
        ("https://a.example?x=/y", ("https://a.example", "/", "x=/y")),
        ("http://[::1]:80/x", ("http://[::1]:80", "/x", "")),
    ],
)
def test_a_url_is_a_path_or_absolute(url: str, parts: tuple[str, str, str]) -> None:
    request = Request.build("GET", url)

    assert (request.origin, request.path, request.query_string) == parts


@pytest.mark.parametrize("url", ["", "a", "?a", "ftp://a.com/", "javascript:1", "a://b", "HTTP//a"])
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no absolute URL and no path"):
        Request.build("GET", url)


def test_a_url_is_split_as_it_stands() -> None:
    assert split_url("https://a:1/b/c?d=e#f") == ("https", "a:1", "/b/c", "d=e")


def test_headers_are_found_in_any_case_and_joined() -> None:
    headers = Headers(
        [("X-A", "1"), ("x-b", "2"), ("x-a", "3"), ("Cookie", "a=1"), ("cookie", "b")]
    )

    assert headers.get("x-a") == headers.get("X-A") == "1, 3"
    assert headers.get("x-c") is None
    assert dict(headers.items()) == {"x-a": "1, 3", "x-b": "2", "cookie": "a=1, b"}


@pytest.mark.parametrize(("count", "is_read"), [(COOKIES_LIMIT, True), (COOKIES_LIMIT + 1, False)])
def test_a_header_of_too_many_cookies_holds_none(count: int, is_read: bool) -> None:
    header = "; ".join(["a=1", *["b="] * (count - 1)])
    request = Request.build("GET", "/", [("cookie", header)])

    assert request.cookie("a") == ("1" if is_read else None)


def test_cookies_may_be_long() -> None:  # a browser keeps 180 of 4 KB, and sends what it keeps
    header = "; ".join([*[f"other{number}={'x' * 4_000}" for number in range(30)], "a=1"])
    request = Request.build("GET", "/", [("cookie", header)])

    assert request.cookie("a") == "1"


def test_headers_may_be_a_mapping() -> None:
    request = Request.build("GET", "/", {"X-Day": "monday"})

    assert request.headers.get("x-day") == "monday"


async def test_what_is_multipart_is_not_read_as_if_it_were_urlencoded() -> None:
    headers = [("content-type", 'Multipart/form-data; boundary="b"')]
    request = Request.build("POST", "/", headers, b'--b\r\nname="a"&=\r\n--b--')

    with pytest.raises(UnsupportedMediaType):
        await request.form()


def test_queries_and_cookies_are_read_once() -> None:
    request = Request.build("GET", "/?a=1&a=2", [("cookie", "c=3")])

    assert request.query == {"a": ["1", "2"]}
    assert request.query is request.query
    assert request.cookies == {"c": ["3"]}
    assert request.cookies is request.cookies


def test_a_malformed_query_is_told_of_without_its_text() -> None:
    with pytest.raises(BadRequest) as refused:
        assert Request.build("GET", "/?CANARY=%zz").query
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    ("country", "found"),
    [
        ("DE", "DE"),
        (None, None),
        ("", None),
        ("de", None),
        ("DEU", None),
        ("ÄÖ", None),
        ("T1", "T1"),
    ],
)
def test_a_country_is_two_letters(country: str | None, found: str | None) -> None:
    headers = [] if country is None else [("cf-ipcountry", country)]

    assert Request.build("GET", "/", headers).country == found


class Note(msgspec.Struct):
    """A body."""

    text: str


async def test_a_body_is_read_as_what_is_asked_for() -> None:
    request = Request.build("POST", "/", body=b'{"text": "a"}')

    assert await request.json() == {"text": "a"}
    assert await request.json(Note) == Note("a")
    with pytest.raises(Invalid):
        await request.json(list[int])


async def test_a_body_has_the_type_that_was_asked_for() -> None:
    request = Request.build("POST", "/", body=b'{"text": "a"}')

    assert_type(await request.json(), Any)
    assert_type(await request.json(Note), Note)
    assert_type(await request.json(dict[str, str]), dict[str, str])
    assert_type(await request.json(Note | None), Any)


async def test_text_that_is_no_utf8_is_malformed() -> None:
    with pytest.raises(BadRequest, match="not UTF-8"):
        await Request.build("POST", "/", body=b"\xff").text()


def test_a_repr_shows_no_query_and_no_header() -> None:
    request = Request.build("GET", "/a?token=CANARY", [("cookie", "s=CANARY")])

    assert repr(request) == "<Request GET to localhost>"


app = App()


@app.on(["GET", "POST"], "/echo", guard=public)
async def echo(c: Context) -> dict[str, Any]:
    headers = {name: value for name, value in c.request.headers.items() if name == "content-type"}
    return {"headers": headers, "body": await c.request.text(), "host": c.request.host}


@pytest.mark.parametrize(
    ("options", "content_type", "body"),
    [
        ({}, None, ""),
        ({"json": {"a": 1}}, "application/json", '{"a":1}'),
        ({"json": []}, "application/json", "[]"),
        ({"json": 0}, "application/json", "0"),
        ({"form": {"a": "1 &", "b": "é"}}, "application/x-www-form-urlencoded", "a=1+%26&b=%C3%A9"),
        ({"body": "é"}, None, "é"),
        ({"body": b"x"}, None, "x"),
        ({"json": 1, "headers": {"Content-Type": "a/b"}}, "a/b", "1"),
        ({"form": {"a": "1"}, "headers": [("content-type", "a/b")]}, "a/b", "a=1"),
    ],
)
async def test_an_in_process_request_names_the_type_of_its_body(
    options: dict[str, Any], content_type: str | None, body: str
) -> None:
    answer = json_of(await app.request("POST", "/echo", **options))

    assert answer["headers"].get("content-type") == content_type
    assert answer["body"] == body


async def test_an_in_process_request_may_name_its_site() -> None:
    response = await app.request("GET", "https://a.example:8443/echo")

    assert json_of(response)["host"] == "a.example:8443"


async def test_bindings_are_handed_to_handlers() -> None:
    local = App()

    @local.get("/", guard=public)
    async def show(c: Context) -> str:
        return str(c.env["NAME"])

    assert (await local.request("GET", "/", env={"NAME": "value"})).body == b"value"
    assert (await local.request("GET", "/")).status == 500
