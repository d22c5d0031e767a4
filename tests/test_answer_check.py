"""In development an answer that its handler's annotation does not allow is a fault, and says where."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import msgspec
import pytest

from framework import App, Response, guard, public
from framework.answer_check import make_answer_check
from framework.response import Reply


class Note(msgspec.Struct, rename="camel"):
    id: int
    note_title: str
    made: datetime | None = None


class Wrong(msgspec.Struct):
    id: str


class Page(Response):
    """An answer with a name of its own."""


class SecretNote(Note):
    """What a store may hand out where a note is asked for."""

    hash: str = "secret"


class Short(msgspec.Struct, omit_defaults=True):
    id: int
    title: str = ""


class Later(msgspec.Struct):
    """What leaves out by itself what is not known."""

    title: str
    seen: int | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        self.seen = self.seen or msgspec.UNSET


class Place(msgspec.Struct, frozen=True, tag=True):
    number: int


class Spot(msgspec.Struct, frozen=True, tag=True):
    name: str


class Shape:
    """What others are derived from, and is not sent itself."""


@dataclass
class Square(Shape):
    side: int


class HasSide(Protocol):
    side: int


class Circle(msgspec.Struct):
    radius: int


class Unfinished(msgspec.Struct):
    """Has a type that is imported for type checkers alone, as linters put it."""

    id: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  on purpose


NOTE = Note(1, "a", datetime(2026, 1, 1, tzinfo=UTC))
BAD: Any = Note("x", "a")  # type: ignore[arg-type]  # what this is about


@pytest.mark.parametrize(
    ("annotation", "value", "fits"),
    [
        (Note, NOTE, True),
        (Note, BAD, False),
        (Note, Wrong("x"), False),
        (Note, None, False),
        (Note, "text", False),
        (Note, Response.text("x"), False),
        (Note, SecretNote(1, "a"), False),
        (list[Note], [Note(1, "a"), SecretNote(1, "a")], False),
        (dict[str, tuple[Note, ...]], {"a": (SecretNote(1, "a"),)}, False),
        (SecretNote, SecretNote(1, "a"), True),
        (Note, {"id": 1, "noteTitle": "a", "by": "ada"}, False),
        (Short, Short(1), True),
        (Short, {"id": 1, "title": ""}, True),
        (dict[str, Any], {"a": SecretNote(1, "a")}, True),
        (tuple[Note, SecretNote], (SecretNote(1, "a"), SecretNote(1, "a")), False),
        (tuple[Short, Later], (Short(1), Later("a")), True),
        (Later, {"title": "a", "seen": 0}, True),
        (frozenset[Place | Spot], [Place(1), Place(1), Spot("a")], True),
        (set[Place | int], [Place(1), Place(1), 2], True),
        (set[tuple[int, ...] | int], [(1,), (1,), 2], True),
        (Note | None, None, True),
        (Annotated[Note, {"note": "has no hash"}], NOTE, True),
        (Annotated[Note, {"note": "has no hash"}], BAD, False),
        (Note | Response, Response.text("x"), True),
        (Note | Response, NOTE, True),
        (Note | Response, 5, False),
        (list[Note], [NOTE], True),
        (list[Note], [NOTE, BAD], False),
        (list[Note], [], True),
        (dict[str, int], {"a": 1}, True),
        (dict[str, int], {"a": "1"}, False),
        (str, "text", True),
        (str, b"bytes", False),
        (str, 5, False),
        (bytes, b"bytes", True),
        (bytes, "not base64!", False),
        (None, None, True),
        (None, "text", False),
        (int, 5, True),
        (int, None, False),
        (Response, Response.text("x"), True),
        (Response, "x", False),
        (Page, Page(b"<p>"), True),
        (Page | None, Page(b"<p>"), True),
        (Page, "x", False),
        (Shape, Square(1), True),
        (list[Shape], [Square(1)], True),
        (Shape | Note, Square(1), True),
        (HasSide, Square(1), True),
        (Annotated[Response, Reply(HasSide, 201)], Response.json(Square(1), 201), True),
        (Note | Circle, Circle(1), True),
        (Unfinished, Unfinished(1), True),
        (list[Unfinished] | None, [Unfinished(1)], True),
        (Annotated[Response, Reply(Unfinished)], Response.json(Unfinished(1)), True),
        (Annotated[Note, ["a note"]], NOTE, True),
        (Annotated[int, msgspec.Meta(ge=0)], -1, False),
        (Annotated[str, msgspec.Meta(max_length=2)], "ab", True),
        (Annotated[Response, Reply(Note, 201)], Response.json(NOTE, 201), True),
        (Annotated[Response, Reply(Note, 201)], Response.json(BAD, 201), False),
        (Annotated[Response, Reply(Note, 201)], Response.json(BAD, 409), True),
        (Annotated[Response, Reply(Note, 201)], Response.json(NOTE), False),
        (Annotated[Response, Reply(Note), Reply(None, 204)], Response.json(NOTE, 202), False),
        (Annotated[Response, Reply(None, 404)], Response.json(NOTE), True),
        (Annotated[Response | Note, Reply(None, 303)], Response.redirect("/"), True),
        (Annotated[Response | Note, Reply(None, 303)], NOTE, True),
        (Annotated[Response | Note, Reply(None, 303)], BAD, False),
        (Annotated[Response, Reply(Note, 201)], Response.text("x", 201), True),
        (Annotated[Response, Reply(None, 202)], Response.empty(202), True),
        (Annotated[Response, Reply(None, 202)], Response.text("x", 202), False),
    ],
)
async def test_what_fits(annotation: Any, value: Any, fits: bool) -> None:
    app = App(check_answers=True)

    async def show() -> Any:
        return value

    show.__annotations__["return"] = annotation
    app.get("/", guard=public)(show)

    assert (await app.request("GET", "/")).status == (
        500 if not fits else await plain_status(value)
    )


async def plain_status(value: Any) -> int:
    app = App()
    app.get("/", guard=public)(lambda: value)
    return (await app.request("GET", "/")).status


@pytest.mark.parametrize("annotation", [Any, object])
def test_what_says_nothing_is_not_checked(annotation: Any) -> None:
    assert make_answer_check(annotation, "here") is None


async def test_the_log_says_where_and_the_answer_does_not(caplog: pytest.LogCaptureFixture) -> None:
    app = App(check_answers=True)

    @app.get("/", guard=guard(lambda: None, name="passes"))
    async def show() -> Note:
        return BAD  # type: ignore[no-any-return]  # on purpose

    with caplog.at_level(logging.ERROR):
        response = await app.request("GET", "/")

    assert response.status == 500
    assert b"$.id" not in bytes(response.body)  # type: ignore[arg-type]  # no stream
    assert "test_answer_check.py" in caplog.text
    assert "the answer is not Note: Expected `int`, got `str` - at `$.id`" in caplog.text


async def test_the_log_names_what_would_be_sent_besides(caplog: pytest.LogCaptureFixture) -> None:
    app = App(check_answers=True)

    @app.get("/", guard=public)
    async def show() -> Note:
        return SecretNote(1, "a")

    with caplog.at_level(logging.ERROR):
        assert (await app.request("GET", "/")).status == 500
    assert "show: Note has no hash" in caplog.text
    assert "secret" not in caplog.text


async def test_it_is_off_unless_asked_for() -> None:
    app = App()

    @app.get("/", guard=public)
    async def show() -> Note:
        return BAD  # type: ignore[no-any-return]  # on purpose

    before = (await app.request("GET", "/")).status
    app.check_answers = True
    app.prepare()

    assert (before, (await app.request("GET", "/")).status) == (200, 500)
