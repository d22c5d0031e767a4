"""A request made in this process sends what a browser would, by either door."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from framework import App, Context, Form, Response, public
from framework.multipart import File
from framework.testing import Client, json_of

app = App()


class Upload(msgspec.Struct):
    title: str
    file: File
    other: File | None = None


@app.on(["POST", "PUT"], "/seen", guard=public)
async def seen(c: Context) -> list[Any]:
    return [c.request.headers.get("content-type"), await c.request.text()]


@app.post("/upload", guard=public)
async def upload(form: Form[Upload]) -> list[Any]:
    files = [file for file in (form.file, form.other) if file is not None]
    return [
        form.title,
        *([file.name, file.content_type, file.data.decode("latin-1")] for file in files),
    ]


Ask = Callable[..., Awaitable[Response]]


async def ask_app(path: str, **content: Any) -> Response:
    return await app.request("POST", path, **content)


async def ask_client(path: str, **content: Any) -> Response:
    return await Client(app).post(path, **content)


DOORS = pytest.mark.parametrize("ask", [ask_app, ask_client], ids=["App.request", "Client"])

URLENCODED = "application/x-www-form-urlencoded"


@DOORS
@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ({"json": {"a": [1]}}, ["application/json", '{"a":[1]}']),
        ({"json": []}, ["application/json", "[]"]),
        ({"json": False}, ["application/json", "false"]),
        ({"json": ""}, ["application/json", '""']),
        ({"json": None}, [None, ""]),
        ({"json": None, "body": "null"}, [None, "null"]),
        ({"form": {"a": "b c&é"}}, [URLENCODED, "a=b+c%26%C3%A9"]),
        ({"form": {}}, [URLENCODED, ""]),
        ({"form": {"a": ["b", "c"], "d": (1, 2.5)}}, [URLENCODED, "a=b&a=c&d=1&d=2.5"]),
        ({"form": [("a", "b"), ("a", True), ("c", False)]}, [URLENCODED, "a=b&a=true&c=false"]),
        ({"form": {"a": []}}, [URLENCODED, ""]),
        ({"body": "é"}, [None, "é"]),
        ({"body": b""}, [None, ""]),
        ({"json": {}, "headers": {"Content-Type": "text/json"}}, ["text/json", "{}"]),
        ({"form": {}, "headers": [("content-type", "a/b")]}, ["a/b", ""]),
        ({}, [None, ""]),
    ],
    ids=repr,
)
async def test_what_is_sent(ask: Ask, content: dict[str, Any], sent: list[str | None]) -> None:
    assert json_of(await ask("/seen", **content)) == sent


@DOORS
@pytest.mark.parametrize(
    "content",
    [
        {"json": 1, "body": b""},
        {"json": 1, "form": {}},
        {"form": {}, "body": "a"},
        {"json": 1, "form": {}, "body": "a"},
    ],
    ids=repr,
)
async def test_two_bodies_are_refused(ask: Ask, content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a request has one body: give json, form or body"):
        await ask("/seen", **content)


@DOORS
@pytest.mark.parametrize("value", [None, {}, b"", ["a", None], [["a"]]], ids=repr)
async def test_what_no_form_can_send_is_refused(ask: Ask, value: Any) -> None:
    with pytest.raises(TypeError, match="a form cannot send 'a', a "):
        await ask("/seen", form={"a": value})


@DOORS
@pytest.mark.parametrize(
    ("name", "media_type", "data"),
    [
        ("a.txt", "text/plain", b"text"),
        ("", "application/octet-stream", b"x"),
        ("a.txt", "application/octet-stream", b""),
        ('é "猫"\r\n.png', "image/png", b"\x00\xff\r\n"),
        ("a;b='c'\\", "text/csv; charset=utf-8", b"\r\n--form-0\r\n\r\n--form-1--"),
        ("a%22", "a/b", b"-" * 70_000),
    ],
    ids=["text", "no name", "empty", "quotes and bytes", "boundaries", "large"],
)
async def test_a_form_with_a_file_is_multipart(
    ask: Ask, name: str, media_type: str, data: bytes
) -> None:
    file = File(name, media_type, data)
    title = 'é\r\n--form-0\r\n"'

    answer = await ask("/upload", form={"title": title, "file": file, "other": file})

    told = [name.replace("%22", '"'), media_type, data.decode("latin-1")]
    assert json_of(answer) == [title, told, told]


async def test_a_name_that_no_request_has_is_found_by_the_type_checker() -> None:
    client = Client(app)

    with pytest.raises(TypeError):  # strict mypy finds an ignore that nothing needs
        await client.post("/seen", jsn={"a": 1})  # type: ignore[call-arg]  # on purpose
    with pytest.raises(TypeError):
        await client.put("/seen", headers=3)  # type: ignore[arg-type]  # on purpose
