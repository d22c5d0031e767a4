"""Multipart forms: what browsers send is read, what they never send is refused."""

from typing import Any

import msgspec
import pytest

from framework import App, Context, Form, public
from framework.multipart import File, boundary_of, parse_multipart
from framework.testing import json_of

BOUNDARY = b"----WebKitFormBoundary7MA4YWxkTrZu0gW"
CONTENT_TYPE = "multipart/form-data; boundary=" + BOUNDARY.decode()


class Upload(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    picture: File
    pages: list[File] = []
    copies: int = 1


def part(head: str, content: bytes = b"x") -> bytes:
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def named(name: str, content: bytes = b"x") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', content)


def file(name: str, filename: str, content: bytes = b"x") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return part(f"{head}\r\nContent-Type: image/png", content)


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


TEXT = named("title")
PICTURE = file("picture", "a")
TITLE = 'Content-Disposition: form-data; name="title"'
LONGEST_HEAD = 'Content-Disposition: form-data; name="title"\r\nX: '.ljust(8 * 1024 - 2, "x")


def make_app() -> App:
    app = App()

    @app.post("/", guard=public)
    async def upload(c: Context, form: Form[Upload]) -> list[object]:
        files = [form.picture, *form.pages]
        return [form.title, form.copies, [[f.name, f.content_type, len(f.data)] for f in files]]

    return app


async def send(body: bytes, content_type: str = CONTENT_TYPE) -> tuple[int, Any]:
    response = await make_app().request(
        "POST", "/", body=body, headers={"content-type": content_type}
    )
    assert isinstance(response.body, bytes)
    return response.status, msgspec.json.decode(response.body)


async def test_texts_files_and_numbers_are_read() -> None:
    body = form(
        named("title", "Ünï".encode()),
        file("picture", "a b.png", bytes(range(256))),
        file("pages", "1.png"),
        file("pages", "2%22%0D%0A.png", b""),
        named("copies", b"3"),
    )

    assert await send(body) == (
        200,
        [
            "Ünï",
            3,
            [
                ["a b.png", "image/png", 256],
                ["1.png", "image/png", 1],
                ['2"\r\n.png', "image/png", 0],
            ],
        ],
    )


async def test_outside_of_quotes_nothing_is_escaped() -> None:
    head = "Content-Disposition: form-data; name=picture; filename=1%22.png"

    assert await send(form(TEXT, part(head))) == (
        200,
        ["x", 1, [["1%22.png", "application/octet-stream", 1]]],
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(named("title"), file("picture", "a")), 200),
        (form(named("title"), file("picture", "a"))[:-2], 200),
        (form(named("title"), named("picture")), 422),
        (form(file("title", "a"), file("picture", "a")), 422),
        (form(named("title")), 422),
        (form(named("title"), named("title"), file("picture", "a")), 422),
        (form(named("title"), file("picture", "a"), named("zzz")), 422),
        (form(named("title"), file("picture", "a"), named("copies", b"many")), 422),
        (form(named("title"), file("picture", "a"), file("copies", "1", b"1")), 422),
        (b"", 400),
        (b"--", 400),
        (form(), 422),
        (b"preamble\r\n" + form(named("title")), 400),
        (form(named("title")) + b"epilogue", 400),
        (form(named("title"))[:-4], 400),
        (form(part("Content-Type: text/plain")), 400),
        (form(part("Content-Disposition: attachment; name=a")), 400),
        (form(part('Content-Disposition: form-data; filename="a"')), 400),
        (form(part("Content-Disposition: form-data; name=title"), PICTURE), 200),
        (form(part("Content-Disposition: form-data; filename=a.png; name=picture"), TEXT), 200),
        (form(part("Content-Disposition: form-data; name=ti tle"), PICTURE), 400),
        (form(part("Content-Disposition: form-data; name=ti[tle"), PICTURE), 400),
        (form(part('Content-Disposition: form-data; name=title"'), PICTURE), 400),
        (form(part('Content-Disposition: form-data; name="title"x'), PICTURE), 400),
        (form(part("Content-Disposition: form-data; name="), PICTURE), 400),
        (form(part("Content-Disposition: form-data; name=title; name=title"), PICTURE), 400),
        (form(part("Content-Disposition: form-data; name=a; filename*=UTF-8''b")), 400),
        (form(part("Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b")), 400),
        (form(part('Content-Disposition: form-data; name="a"\r\nno colon')), 400),
        (form(part('Content-Disposition: form-data; name="a"\r\nX: 1\r\nx: 2')), 400),
        (form(part(TITLE + '\r\nContent-Disposition : form-data; name="copies"'), PICTURE), 400),
        (form(part(TITLE + '\r\n ; filename="x:y"'), PICTURE), 400),
        (form(part(TITLE + "\r\nX\n: 1"), PICTURE), 400),
        (form(part(TITLE + "\r\n: 1"), PICTURE), 400),
        (form(part(TITLE + "\r\nX-\u00e9: 1"), PICTURE), 400),
        (form(part(TITLE + "\r\nX!-9;~:"), PICTURE), 200),
        (form(part('Content-Disposition: form-data; name="title"; name="zzz"')), 400),
        (form(part('Content-Disposition: form-data; name="title"; NAME="title"')), 400),
        (form(named("title"), file("picture", 'a.png"; filename="b.html')), 400),
        (form(named("title"), file("picture", 'a.png"; x="1"; X="2')), 400),
        (form(named("title"), file("picture", 'a.png"; x="1')), 200),
        (form(part('Content-Disposition: Form-Data ; Name="title"'), PICTURE), 200),
        (form(part('Content-Disposition: form-data; name="title" ;x="1"'), PICTURE), 200),
        (form(part('Content-Disposition: form-data\t;\tname="title"\t;x="1"'), PICTURE), 200),
        (form(part('Content-Disposition: form-data\x85; name="title"'), PICTURE), 400),
        (form(part('Content-Disposition: form-data;\x0bname="title"'), PICTURE), 400),
        (form(part(TITLE + '\u3000; x="1"'), PICTURE), 400),
        (form(part(TITLE + '; \u017f="1"'), PICTURE), 400),
        (form(part('Content-Disposition: attachment; name="title"'), PICTURE), 400),
        (form(part('Content-Disposition: form-data; name="title"\r\nx: 1\r\nX: 2'), PICTURE), 400),
        (form(part('Content-Disposition: form-data; name="title"\r\nX: 1\n2'), PICTURE), 400),
        (form(part('Content-Disposition: form-data; name="title"\r\nX: 1\r2'), PICTURE), 400),
        (form(named("title"), PICTURE).replace(BOUNDARY, BOUNDARY + b"x", 1), 400),
        (form(named("title"), PICTURE).replace(BOUNDARY, BOUNDARY + b" ", 1), 400),
        (form(named("title").replace(b"\r\n\r\nx", b""), PICTURE), 400),
        (form(named("a:b")), 422),
        (form(named("title", b"\xff")), 400),
        (form(part('Content-Disposition: form-data; name="a"\r\nX: ' + "x" * 9000)), 400),
        (form(part(LONGEST_HEAD), PICTURE), 200),
        (form(part(LONGEST_HEAD + "x"), PICTURE), 400),
        (form(*[named("pages")] * 1000), 422),
        (form(*[named("pages")] * 1001), 400),
        (b"--" + BOUNDARY + b"\r\nno blank line\r\n" + form(), 400),
    ],
)
async def test_what_is_read_and_what_is_refused(body: bytes, status: int) -> None:
    assert (await send(body))[0] == status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "x" * 71, 400),
        ("multipart/form-data; boundary=é", 400),
        (f"multipart/form-data; x={'y' * 256}; boundary={BOUNDARY.decode()}", 415),
        (f"multipart/form-data; charset=utf-16; boundary={BOUNDARY.decode()}", 415),
        ("MULTIPART/FORM-DATA; BOUNDARY=" + BOUNDARY.decode(), 200),
        (f'multipart/form-data; boundary="{BOUNDARY.decode()}"', 200),
        (f"multipart/form-data;boundary={BOUNDARY.decode()};", 200),
        (f"multipart/form-data; charset=utf-8; boundary={BOUNDARY.decode()} ; x=", 200),
        (f'multipart/form-data; x="boundary=zzz"; boundary={BOUNDARY.decode()}', 200),
        (f"multipart/form-data; boundary={BOUNDARY.decode()}; boundary=zzz", 400),
        (f"multipart/form-data; boundary=zzz; Boundary={BOUNDARY.decode()}", 400),
        (f"multipart/form-data; boundary={BOUNDARY.decode()}; boundary={BOUNDARY.decode()}", 400),
        (f'multipart/form-data; boundary="; boundary={BOUNDARY.decode()}', 400),
        (f"multipart/form-data; boundary={BOUNDARY.decode()}; boundary*=zzz", 400),
        (f"multipart/form-data; boundary*0={BOUNDARY.decode()}", 400),
        (f"multipart/form-data; boundary={BOUNDARY.decode()}; boundary =zzz", 400),
        (f"multipart/form-data; boundary={BOUNDARY.decode()} zzz", 400),
        (f'multipart/form-data; boundary="{BOUNDARY.decode()}"zzz', 400),
        (f"multipart/form-data; =zzz; boundary={BOUNDARY.decode()}", 400),
        (f"multipart/form-data;\tboundary={BOUNDARY.decode()}\t; x=\t", 200),
        (f"multipart/form-data;\x1cboundary={BOUNDARY.decode()}", 400),
        (f"multipart/form-data; xboundary={BOUNDARY.decode()}", 400),
        (f"multipart/form-data; x=boundary={BOUNDARY.decode()}", 400),
        ('multipart/form-data; boundary=""', 400),
        ("application/x-www-form-urlencoded", 415),
        ("application/json", 415),
        ("multipart/mixed; boundary=" + BOUNDARY.decode(), 415),
    ],
)
async def test_the_content_type_decides(content_type: str, status: int) -> None:
    body = form(named("title"), file("picture", "a"))

    assert (await send(body, content_type))[0] == status


@pytest.mark.parametrize(
    ("boundary", "status"),
    [("", 400), ("x", 200), ("x" * 70, 200), ("x" * 71, 400), ("é", 400), ('x"', 400)],
    ids=["none", "short", "longest", "longer", "not ASCII", "a quote"],
)
async def test_a_boundary_has_up_to_seventy_characters_of_ascii(boundary: str, status: int) -> None:
    body = form(named("title"), PICTURE).replace(BOUNDARY, boundary.encode())

    assert (await send(body, f"multipart/form-data; boundary={boundary}"))[0] == status


async def test_a_file_of_no_type_is_bytes() -> None:
    untyped = PICTURE.replace(b"\r\nContent-Type: image/png", b"")

    _, answer = await send(form(named("title"), untyped))

    assert answer == ["x", 1, [["a", "application/octet-stream", 1]]]


async def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    _, answer = await send(form(named("canary-name", b"canary-text"), file("canary", "canary.png")))

    assert "canary" not in str(answer)


def test_four_megabytes_of_line_breaks_are_read_in_one_pass() -> None:
    content = b"\r" * 4_000_000

    [parsed] = parse_multipart(form(named("a", content)), boundary_of(CONTENT_TYPE))

    assert parsed.value == content.decode()


def test_a_file_shows_its_size_and_nothing_of_itself() -> None:
    assert repr(File("secret", "text/plain", b"secret")) == "<File of 6 bytes>"


class Pages(msgspec.Struct):
    """A form that has files in a list alone."""

    pages: list[File]


async def test_a_form_of_files_in_a_list_alone_is_read() -> None:
    app = App()

    @app.post("/", guard=public)
    async def add(pages: Form[Pages]) -> int:
        return len(pages.pages)

    body = form(file("pages", "1"), file("pages", "2"))
    answer = await app.request("POST", "/", body=body, headers={"content-type": CONTENT_TYPE})

    assert (answer.status, answer.body) == (200, b"2")


class Choice(msgspec.Struct):
    """A form whose file may be left out, with others in a list."""

    cover: File | None = None
    pages: list[File] = []


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([file("cover", "", b""), file("pages", "", b"")], [None, []]),
        ([file("cover", "a", b"")], ["a", []]),
        ([file("cover", "", b"x")], ["", []]),
        ([file("pages", "1"), file("pages", "", b""), file("pages", "2")], [None, ["1", "2"]]),
        ([part('Content-Disposition: form-data; name="cover"; filename=""', b"")], [None, []]),
    ],
)
async def test_a_file_input_with_nothing_chosen_is_no_field(
    parts: list[bytes], told: list[object]
) -> None:
    app = App()

    @app.post("/", guard=public)
    async def choose(form: Form[Choice]) -> list[object]:
        return [form.cover and form.cover.name, [page.name for page in form.pages]]

    body = form(*parts)
    answer = await app.request("POST", "/", body=body, headers={"content-type": CONTENT_TYPE})

    assert json_of(answer) == told


async def test_a_file_that_is_required_has_to_be_chosen() -> None:
    status, answer = await send(form(named("title"), file("picture", "", b"")))

    assert (status, answer["errors"]) == (
        422,
        [{"detail": "This field is required.", "pointer": "/picture"}],
    )
