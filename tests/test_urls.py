"""Paths are built from the names of routes, and what is built is what matches."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from framework import App, ConfigurationError, Context, Router, patterns, public
from framework.patterns import Segment
from framework.route import Route


def make_app() -> App:
    app = App("/api")

    @app.get("/notes/:id{[0-9]+}", guard=public, name="note")
    async def note(c: Context, id: int) -> int:
        return id

    @app.get("/files/:path{.+}", guard=public, name="file")
    async def file(c: Context, path: str) -> str:
        return path

    @app.get("/in/:path{.+}/side", guard=public, name="inside")
    async def inside(c: Context, path: str) -> str:
        return path

    @app.get("/two/:a?/:b?", guard=public, name="two")
    async def two(c: Context, a: str = "", b: str = "") -> None: ...

    @app.get("/days/:day?/notes", guard=public, name="day")
    async def day(c: Context, day: str = "today") -> str:
        return day

    @app.get("/tags/:tag", "/labels/:label", guard=public, name="tag")
    async def tag(c: Context, tag: str = "", label: str = "") -> str:
        return tag or label

    @app.get("/café", guard=public, name="literal")
    async def literal(c: Context) -> str:
        return "é"

    @app.get("/any/*", guard=public, name="wild")
    async def wild(c: Context) -> str:
        return c.params["*"]

    @app.get("/any/*/thing", guard=public, name="wild inside")
    async def wild_inside(c: Context) -> None: ...

    @app.get("/a/:tag", "/b/:tag", guard=public, name="both")
    async def both(c: Context, tag: str) -> None: ...

    return app


@pytest.mark.parametrize(
    ("name", "parameters", "path", "answer"),
    [
        ("note", {"id": 7}, "/api/notes/7", b"7"),
        ("file", {"path": "a b/ü.txt"}, "/api/files/a%20b/%C3%BC.txt", "a b/ü.txt".encode()),
        ("file", {"path": "a/"}, "/api/files/a/", b"a/"),
        ("inside", {"path": "a"}, "/api/in/a/side", b"a"),
        ("day", {}, "/api/days/notes", b"today"),
        ("day", {"day": "mon"}, "/api/days/mon/notes", b"mon"),
        ("day", {"day": None}, "/api/days/notes", b"today"),
        ("tag", {"tag": None, "label": "a"}, "/api/labels/a", b"a"),
        ("tag", {"label": "x?y#z"}, "/api/labels/x%3Fy%23z", b"x?y#z"),
        ("tag", {"tag": "100%"}, "/api/tags/100%25", b"100%"),
        ("literal", {}, "/api/caf%C3%A9", "é".encode()),
    ],
)
async def test_what_is_built_is_what_matches(
    name: str, parameters: dict[str, object], path: str, answer: bytes
) -> None:
    app = make_app()

    built = app.url_for(name, **parameters)

    assert built == path
    assert (await app.request("GET", built)).body.strip(b'"') == answer  # type: ignore[union-attr]  # no stream


class Colour(Enum):
    RED = "red"


class Size(str, Enum):  # noqa: UP042  whose text in Python is not its value either
    BIG = "big"


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Colour.RED, "/red"),
        (Size.BIG, "/big"),
        (Level.HIGH, "/3"),
        (timedelta(hours=1), "/PT3600S"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "/2026-01-02T03%3A04%3A05Z"),
        (date(2026, 1, 2), "/2026-01-02"),
        (Decimal("1.50"), "/1.50"),
        (UUID(int=1), "/00000000-0000-0000-0000-000000000001"),
        (b"tea", "/dGVh"),
        (True, "/True"),
        (1.5, "/1.5"),
        ("a b", "/a%20b"),
    ],
)
async def test_a_value_of_each_type_comes_back_as_it_was(value: Any, path: str) -> None:
    app = App()
    seen: list[Any] = []
    kind = type(value)

    @app.get("/:value", guard=public)
    async def show(value: kind) -> None:  # type: ignore[valid-type]  # it is known when this runs
        seen.append(value)

    built = app.url_for("show", value=value)

    assert (await app.request("GET", built)).status == 204
    assert (built, seen) == (path, [value])


@dataclass
class Title:
    words: list[str]

    def __str__(self) -> str:
        return "-".join(self.words)


class Version(NamedTuple):
    major: int
    minor: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}"


@pytest.mark.parametrize(
    ("value", "path"),
    [(PurePosixPath("a/b"), "a/b"), (Title(["a", "b"]), "a-b"), (Version(1, 2), "v1.2")],
)
def test_what_no_path_is_read_as_is_its_text(value: Any, path: str) -> None:
    assert make_app().url_for("file", path=value) == f"/api/files/{path}"


@pytest.mark.parametrize(
    ("name", "parameters", "problem"),
    [
        ("nothing", {}, "no route is called 'nothing'"),
        ("note", {}, "no parameters given, and that fits none of the paths: "),
        ("note", {"id": None}, "no parameters given, and that fits none of the paths: "),
        ("note", {"id": 7, "page": 1}, "id, page given, and that fits none"),
        ("note", {"id": "x"}, ":id does not match"),
        ("note", {"id": "1x"}, ":id does not match"),
        ("note", {"id": "1\n"}, ":id does not match"),
        ("tag", {"tag": ""}, ":tag does not match"),
        ("tag", {"tag": "a/b"}, ":tag does not match"),
        ("tag", {"tag": ".."}, ":tag does not match"),
        ("file", {"path": "a//b"}, ":path does not match"),
        ("file", {"path": ""}, ":path does not match"),
        ("file", {"path": "/a"}, ":path does not match"),
        ("two", {"b": "1"}, "b given, and that fits none"),
        ("inside", {"path": "a/b"}, ":path does not match"),
        ("tag", {"tag": "a\\b"}, ":tag does not match"),
        ("tag", {"tag": "a\0"}, ":tag does not match"),
        ("tag", {"tag": "\ud800"}, ":tag does not match"),
        ("file", {"path": "../secret"}, ":path does not match"),
        ("file", {"path": "a/.."}, ":path does not match"),
        ("file", {"path": "./secret"}, ":path does not match"),
        ("wild", {}, "a path with \\* has no name"),
        ("wild inside", {}, "a path with \\* has no name"),
        ("both", {"tag": "a"}, "tag given, and that fits several paths: /api/a/:tag, /api/b/:tag"),
    ],
)
def test_what_does_not_fit_is_refused(
    name: str, parameters: dict[str, object], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        make_app().url_for(name, **parameters)


async def test_a_handler_of_a_router_builds_the_path_of_another_route() -> None:
    app, router = make_app(), Router("/links", guard=public)

    @router.get("/:name")
    async def link(c: Context, name: str) -> str:
        return c.url_for(name, id=7)

    app.mount(router)

    assert (await app.request("GET", "/api/links/note")).body == b"/api/notes/7"
    assert (await app.request("GET", "/api/links/nowhere")).status == 500


def test_a_link_costs_no_more_for_there_being_more_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()
    for number in range(50):
        app.get(f"/{number}/:id", guard=public, name=f"r{number}")(show_id)
    looked_at: list[Route] = []
    monkeypatch.setattr(Route, "name", property(looked_at.append))

    assert app.url_for("r49", id=7) == "/49/7"
    assert looked_at == []


async def show_id(id: int) -> int:
    return id


def test_the_paths_of_one_decorator_are_each_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = patterns._parse_segment

    def count(text: str, *, is_last: bool) -> tuple[Segment, bool]:
        read.append(text)
        return parse(text, is_last=is_last)

    monkeypatch.setattr(patterns, "_parse_segment", count)
    App().get(*[f"/formerly-{number}" for number in range(50)], guard=public)(show_none)
    assert len(read) == 50  # 2,550, when each read all others, too


async def show_none() -> None: ...
