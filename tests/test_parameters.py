"""Each source of a parameter is read strictly: what does not fit is not found, or told of."""

import datetime
import decimal
import enum
import tracemalloc
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from framework import Alias, App, ConfigurationError, Context, Cookie, Form, Header, Query, public
from framework.multipart import File
from framework.openapi import describe
from framework.testing import json_of


class Colour(enum.Enum):
    """A closed list of texts."""

    RED = "red"


class Level(enum.IntEnum):
    """A closed list of numbers."""

    ONE = 1


NoteId = NewType("NoteId", int)
FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded"}
Small = Annotated[int, msgspec.Meta(ge=0, le=9)]


def path_app(kind: Any) -> App:
    app = App()

    def show(c: Context, value):  # type: ignore[no-untyped-def]  # set below
        return {"value": value}

    show.__annotations__["value"] = kind
    app.get("/:value", guard=public)(show)
    return app


INTEGERS = [
    *("0", "1", "-1", "9007199254740991", "-9007199254740991"),
]
NO_INTEGERS = [
    *("-0", "00", "01", "-01", "+1", "1_000", "1.0", "1e3", "0x10", "NaN", "x", "1x", "--1", "-"),
    *("%201", "1%20", "%D9%A3", "%C2%B2", "%E2%91%A0", "%EF%BC%91", "9007199254740992"),
    *("9999999999999999", "-9007199254740992", "9223372036854775808", "9" * 5_000, "true", "null"),
]
INTEGER_KINDS = [int, NoteId, Annotated[int, msgspec.Meta(ge=-(2**60))], int | None]


@pytest.mark.parametrize("kind", INTEGER_KINDS, ids=str)
@pytest.mark.parametrize("text", INTEGERS)
async def test_an_integer_of_the_path_has_one_spelling(kind: Any, text: str) -> None:
    response = await path_app(kind).request("GET", f"/{text}")

    assert json_of(response) == {"value": int(text)}


@pytest.mark.parametrize("kind", INTEGER_KINDS, ids=str)
@pytest.mark.parametrize("text", NO_INTEGERS, ids=lambda text: text[:20])
async def test_any_other_spelling_of_an_integer_is_not_found(kind: Any, text: str) -> None:
    assert (await path_app(kind).request("GET", f"/{text}")).status == 404


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "a%20b", "a b"),
        (Any, "1", "1"),
        (Small, "9", 9),
        (Colour, "red", "red"),
        (Level, "1", 1),
        (Literal["a", "b"], "b", "b"),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
        (datetime.date, "2026-09-08", "2026-09-08"),
        (datetime.datetime, "2026-09-08T12:30:00Z", "2026-09-08T12:30:00Z"),
        (datetime.time, "12:30:00", "12:30:00"),
        (datetime.timedelta, "PT90S", "PT90S"),
        (bytes, "QUJD", "QUJD"),
        (float, "1.5", 1.5),
        (bool, "true", True),
        (decimal.Decimal, "1.50", "1.50"),
        (int | str, "1", "1"),
        (int | str, "x", "x"),
        (int | float, "1.5", 1.5),
        (int | Literal["new"], "1", 1),
        (int | Literal["new"], "new", "new"),
        (int | Literal["1.x"], "1.x", "1.x"),
    ],
)
async def test_a_path_parameter_has_its_type(kind: Any, text: str, value: object) -> None:
    assert json_of(await path_app(kind).request("GET", f"/{text}")) == {"value": value}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Small, "10"),
        (Colour, "green"),
        (Level, "2"),
        (Level, "01"),
        (Literal["a"], "A"),
        (uuid.UUID, "1234"),
        (datetime.date, "2026-13-01"),
        (float, "nan"),
        (float, "inf"),
        (float, "-Infinity"),
        (float, "1e999"),
        (float | None, "nan"),
        (bool, "maybe"),
        (int | Literal["new"], "1.0"),
        (int | Literal["new"], "-1e2"),
        (int | Literal["new"], "-0"),
        (int | Literal["new"], "01"),
    ],
)
async def test_a_path_parameter_that_does_not_fit_is_not_found(kind: Any, text: str) -> None:
    assert (await path_app(kind).request("GET", f"/{text}")).status == 404


class Note(msgspec.Struct):
    """No text becomes one."""

    text: str


class Plain:
    """Neither does this."""


@pytest.mark.parametrize(
    "kind",
    [Note, Plain, object, dict[str, int], list[int], tuple[int, str], Note | None, int | Plain, 5],
    ids=str,
)
def test_a_path_parameter_that_no_text_becomes_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"test_parameters\.py:[0-9]+"):
        path_app(kind)


@pytest.mark.parametrize(
    "kind",
    [Note, Plain, dict[str, int], list[Note], list[list[int]], tuple[int, str], Note | None],
    ids=str,
)
@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_a_parameter_that_no_text_becomes_is_refused(source: Any, kind: Any) -> None:
    def show(value) -> None: ...  # type: ignore[no-untyped-def]  # set below

    show.__annotations__["value"] = source[kind]
    with pytest.raises(ConfigurationError, match=r"test_parameters\.py:[0-9]+.*not read from text"):
        App().get("/", guard=public)(show)


app = App()


@app.get("/query", guard=public)
async def read_query(
    needed: Query[int],
    text: Query[str] = "none",
    maybe: Query[int | None] = None,
    most: Query[int | Literal[""]] = "",
    several: Query[list[int]] = [],  # noqa: B006  never changed
    optional: Query[list[str] | None] = None,
    unique: Query[set[int]] = set(),  # noqa: B006  never changed
    row: Query[tuple[int, ...]] = (),
    kinds: Query[frozenset[int]] = frozenset(),
    version: Query[int | Literal["1.x", "new"]] = "new",
    small: Query[Small] = 0,
    number: Query[float] = 0.0,
    price: Query[Decimal | None] = None,
    anything: Query[Any] = None,
) -> dict[str, Any]:
    named = {"needed": needed, "text": text, "maybe": maybe, "several": several, "row": row}
    return {**named, "optional": optional, "unique": sorted(unique), "small": small} | {
        "kinds": sorted(kinds),
        "version": version,
        "number": number,
        "anything": anything,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("needed=1", {"needed": 1, "text": "none", "maybe": None, "several": []}),
        ("needed=1&text=", {"text": ""}),
        ("needed=1&text=a+b%26", {"text": "a b&"}),
        ("needed=1&maybe=2", {"maybe": 2}),
        ("needed=0&maybe=-1&number=-0", {"needed": 0, "maybe": -1, "number": -0.0}),
        ("needed=1&several=1", {"several": [1]}),
        ("needed=1&several=1&several=2", {"several": [1, 2]}),
        ("needed=1&optional=a", {"optional": ["a"]}),
        ("needed=1&optional=a&optional=b", {"optional": ["a", "b"]}),
        ("needed=1&unique=2&unique=1&unique=2", {"unique": [1, 2]}),
        ("needed=1&row=1&row=2", {"row": [1, 2]}),
        ("needed=1&kinds=2&kinds=1&kinds=2", {"kinds": [1, 2]}),
        ("needed=1&version=1.x", {"version": "1.x"}),
        ("needed=1&small=9&number=1.5&anything=x", {"small": 9, "number": 1.5, "anything": "x"}),
        ("needed=1&unknown=1&unknown=2", {"needed": 1}),
        ("needed=1&maybe=&text=&most=&number=-.5", {"maybe": None, "text": "", "number": -0.5}),
    ],
)
async def test_a_query_is_read(query: str, expected: dict[str, Any]) -> None:
    answer = json_of(await app.request("GET", f"/query?{query}"))

    assert {name: answer[name] for name in expected} == expected


async def test_a_default_is_each_requests_own() -> None:
    app = App()

    @app.get("/", guard=public)
    async def collect(
        name: Query[str],
        names: Query[list[str]] = [],  # noqa: B006  what is tested
        kinds: Query[set[str]] = set(),  # noqa: B006  as above
    ) -> list[str]:
        names.append(name)
        kinds.add(name)
        return [*names, *kinds]

    assert json_of(await app.request("GET", "/?name=a")) == ["a", "a"]
    assert json_of(await app.request("GET", "/?name=b")) == ["b", "b"]


async def test_unset_is_a_default_like_any_other() -> None:
    app = App()

    @app.post("/:part{[a-z]+}?", guard=public)
    async def change(
        part: str | UnsetType = UNSET,
        size: Query[int | UnsetType] = UNSET,
        text: Form[str | UnsetType] = UNSET,
    ) -> list[bool]:
        return [part is UNSET, size is UNSET, text is UNSET]

    assert json_of(await app.request("POST", "/", form={})) == [True, True, True]
    assert json_of(await app.request("POST", "/a?size=1", form={"text": "b"})) == [False] * 3
    assert describe(app, title="x", version="1")["paths"]["/"]["post"]["parameters"] == [
        {"name": "size", "in": "query", "required": False, "schema": {"type": "integer"}}
    ]


REQUIRED = "This parameter is required."
ONCE = "This parameter may be given once."
RANGE = "This number is out of range."


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("", [("query:needed", REQUIRED)]),
        ("needed=", [("query:needed", "Expected int.")]),
        ("needed=x", [("query:needed", "Expected int.")]),
        ("needed=1_000", [("query:needed", "Expected int.")]),
        ("needed=%D9%A3", [("query:needed", "Expected int.")]),
        ("needed=9007199254740992", [("query:needed", RANGE)]),
        ("needed=" + "9" * 4_000, [("query:needed", RANGE)]),
        ("needed=" + "9" * 5_000, [("query:needed", "Integer value out of range.")]),
        ("needed=1e2", [("query:needed", "Expected int.")]),
        ("needed=1.0", [("query:needed", "Expected int.")]),
        ("needed=10E-1", [("query:needed", "Expected int.")]),
        ("needed=-0", [("query:needed", "Expected int.")]),
        ("needed=00", [("query:needed", "Expected int.")]),
        ("needed=1.0%0A", [("query:needed", "Expected int.")]),
        ("needed=1&several=1&several=1e0", [("query:several", "Expected int.")]),
        ("needed=1&maybe=1.0", [("query:maybe", "Expected int | null.")]),
        ("needed=1&most=1.0", [("query:most", "This is not one of the values allowed here.")]),
        ("needed=1&most=x", [("query:most", "This is not one of the values allowed here.")]),
        ("needed=1&needed=1", [("query:needed", ONCE)]),
        ("needed=1&text=a&text=b", [("query:text", ONCE)]),
        ("needed=1&several=1&several=x", [("query:several", "Expected int.")]),
        ("needed=1&several=9007199254740992", [("query:several", RANGE)]),
        ("needed=1&unique=9007199254740992", [("query:unique", RANGE)]),
        ("needed=1&row=9007199254740992", [("query:row", RANGE)]),
        ("needed=1&kinds=9007199254740992", [("query:kinds", RANGE)]),
        ("needed=1&small=10", [("query:small", "Expected int <= 9.")]),
        ("needed=1&number=nan", [("query:number", RANGE)]),
        ("needed=1&number=-inf", [("query:number", RANGE)]),
        ("needed=1&price=NaN", [("query:price", RANGE)]),
        ("needed=1&price=sNaN", [("query:price", RANGE)]),
        ("needed=1&price=-Infinity", [("query:price", RANGE)]),
        ("needed=1&price=1e999999999", [("query:price", RANGE)]),
        (
            "text=a&text=b&maybe=x&small=-1",
            [
                ("query:needed", REQUIRED),
                ("query:text", ONCE),
                ("query:maybe", "Expected int | null."),
                ("query:small", "Expected int >= 0."),
            ],
        ),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_query_that_does_not_fit_is_told_of_whole(
    query: str, errors: list[tuple[str, str]]
) -> None:
    response = await app.request("GET", f"/query?{query}")

    assert response.status == 422
    found = [(error["parameter"], error["detail"]) for error in json_of(response)["errors"]]
    assert found == errors


@pytest.mark.parametrize("query", ["needed=%", "needed=1&%ff", "needed=1" + "&a" * 1_000])
async def test_a_malformed_query_is_malformed(query: str) -> None:
    assert (await app.request("GET", f"/query?{query}")).status == 400


@app.get("/headers", guard=public)
async def read_headers(
    user_agent: Header[str] = "none",
    X_Limit: Header[int | None] = None,  # as somebody may write it
    theme: Cookie[str] = "light",
    size: Cookie[int | None] = None,
    both: Cookie[list[str]] = [],  # noqa: B006  never changed
) -> dict[str, Any]:
    return {"agent": user_agent, "limit": X_Limit, "theme": theme, "size": size, "both": both}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], {"agent": "none", "limit": None, "theme": "light", "size": None, "both": []}),
        ([("User-Agent", "curl")], {"agent": "curl"}),
        ([("user_agent", "curl")], {"agent": "none"}),
        ([("x-limit", "5")], {"limit": 5}),
        ([("x-a", "1"), ("user-agent", "a"), ("user-agent", "b")], {"agent": "a, b"}),
        ([("cookie", "theme=dark; size=3")], {"theme": "dark", "size": 3}),
        ([("cookie", 'theme="dark%20"')], {"theme": '"dark%20"'}),
        ([("cookie", "both=1; both=2")], {"both": ["1", "2"]}),
        ([("cookie", "theme=dark; both=1; theme=dark; both=1")], {"theme": "dark", "both": ["1"]}),
    ],
)
async def test_headers_and_cookies_are_read(
    headers: list[tuple[str, str]], expected: dict[str, Any]
) -> None:
    answer = json_of(await app.request("GET", "/headers", headers=headers))

    assert {name: answer[name] for name in expected} == expected


@app.get("/listed", guard=public)
async def read_listed(
    x_names: Header[tuple[str, ...]] = (),
    x_sizes: Header[list[int] | None] = None,
) -> tuple[tuple[str, ...], list[int] | None]:
    return x_names, x_sizes


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], [[], None]),
        ([("x-names", "a")], [["a"], None]),
        ([("x-names", "a,b")], [["a", "b"], None]),
        ([("x-names", "a , b c,")], [["a", "b c"], None]),
        ([("x-names", ",, a,,\t,b ,")], [["a", "b"], None]),
        ([("x-names", 'a, "b, \\"c,", d"e,"f')], [["a", '"b, \\"c,"', 'd"e,"f'], None]),
        ([("x-names", 'a, "b, c')], [["a", '"b, c'], None]),
        ([("x-names", 'a,"\\')], [["a", '"\\'], None]),
        ([("x-names", "a"), ("x-names", "b")], [["a", "b"], None]),
        ([("x-names", "")], [[], None]),
        ([("x-names", " , ,")], [[], None]),
        ([("x-sizes", "1, 2,")], [[], [1, 2]]),
        ([("x-sizes", "1, 2")], [[], [1, 2]]),
    ],
)
async def test_a_header_lists_what_a_list_takes(
    headers: list[tuple[str, str]], expected: list[Any]
) -> None:
    assert json_of(await app.request("GET", "/listed", headers=headers)) == expected


async def test_a_long_item_of_a_header_takes_no_more_memory_than_it_is_long() -> None:
    item = "a" * 100_000
    tracemalloc.start()

    await app.request("GET", "/listed", headers={"x-names": item})

    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


async def test_an_item_of_a_header_that_does_not_fit_is_told_of() -> None:
    answer = await app.request("GET", "/listed", headers={"x-sizes": "1, 2.0"})

    assert json_of(answer)["errors"] == [{"detail": "Expected int.", "parameter": "header:x-sizes"}]


@pytest.mark.parametrize(
    ("headers", "parameter"),
    [
        ([("x-limit", "x")], "header:X-Limit"),
        ([("x-limit", "1"), ("x-limit", "1")], "header:X-Limit"),
        ([("cookie", "size=x")], "cookie:size"),
        ([("cookie", "theme=a; theme=b")], "cookie:theme"),
    ],
)
async def test_headers_and_cookies_that_do_not_fit_are_told_of(
    headers: list[tuple[str, str]], parameter: str
) -> None:
    response = await app.request("GET", "/headers", headers=headers)

    assert response.status == 422
    assert [error["parameter"] for error in json_of(response)["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("query", "headers", "status", "expected"),
    [
        ("from=1&max-results=2", {"x_odd": "3", "cookie": "theme-x=4"}, 200, [1, 2, 3, 4]),
        ("from_=1&max_results=2", {"x-odd": "3", "cookie": "theme_x=4"}, 422, [
            "query:from", "query:max-results", "header:x_odd", "cookie:theme-x",
        ]),
    ],
)  # fmt: skip
async def test_clients_may_use_names_that_are_none_in_python(
    query: str, headers: dict[str, str], status: int, expected: list[Any]
) -> None:
    local = App()

    @local.get("/", guard=public)
    async def read(
        from_: Annotated[Query[int], Alias("from")],
        most: Annotated[Query[int], Alias("max-results")],
        odd: Annotated[Header[int], Alias("x_odd")],
        theme: Annotated[Cookie[int], Alias("theme-x")],
    ) -> list[int]:
        return [from_, most, odd, theme]

    answer = await local.request("GET", f"/?{query}", headers=headers)
    found = json_of(answer)

    assert answer.status == status
    assert (found if status == 200 else [e["parameter"] for e in found["errors"]]) == expected


async def test_no_source_stands_in_for_another() -> None:
    local = App()

    @local.post("/:id", guard=public)
    async def read(
        id: str, a: Query[str], b: Header[str], d: Cookie[str], body: Note
    ) -> dict[str, str]:
        return {"id": id, "a": a, "b": b, "d": d, "text": body.text}

    headers = [("b", "header"), ("cookie", "d=cookie")]
    right = await local.request("POST", "/path?a=query", headers=headers[:1], json={"text": "body"})
    names = {"a": "x", "b": "x", "d": "x", "text": "x", "id": "x"}
    wrong = await local.request("POST", "/path?b=x&d=x&text=x", headers={"a": "x"}, json=names)

    assert [error["parameter"] for error in json_of(right)["errors"]] == ["cookie:d"]
    assert [error["parameter"] for error in json_of(wrong)["errors"]] == [
        *("query:a", "header:b", "cookie:d"),
    ]


async def test_misfits_of_all_sources_are_told_of_together() -> None:
    local = App()

    @local.post("/", guard=public)
    async def read(limit: Query[int], x_a: Header[int], body: Note) -> None: ...

    response = await local.request("POST", "/?limit=x", headers={"x-a": "x"}, json={"text": 1})

    assert json_of(response)["errors"] == [
        {"detail": "Expected int.", "parameter": "query:limit"},
        {"detail": "Expected int.", "parameter": "header:x-a"},
        {"detail": "Expected str, got int.", "pointer": "/text"},
    ]


# --- Single fields of a form ---------------------------------------------------------------------


@app.post("/fields/:id", guard=public)
async def read_fields(
    c: Context,
    id: int,
    title: Form[Annotated[str, msgspec.Meta(max_length=3)]],
    size: Form[Small] = 1,
    tags: Form[list[str]] = [],  # noqa: B006  each request's own
    since: Annotated[Form[str | None], Alias("from")] = None,
    limit: Query[int] = 5,
) -> list[Any]:
    tags.append("last")
    return [c.request.method, id, title, size, tags, since, limit]


@app.post("/fields-of-a-plain-function", guard=public)
def read_plainly(*, flag: Form[bool] = False, form: Form[Colour]) -> list[Any]:
    return [form, flag]


@app.post("/upload", guard=public)
async def read_files(
    title: Form[str],
    photo: Form[File],
    more: Form[list[File]] = [],  # noqa: B006  never changed
    last: Form[File | None] = None,
) -> list[Any]:
    return [title, photo.name, [file.name for file in more], last and last.name]


@pytest.mark.parametrize(
    ("path", "form", "expected"),
    [
        ("/fields/1", "title=a", ["POST", 1, "a", 1, ["last"], None, 5]),
        ("/fields/1", "title=&tags=x&other=1", ["POST", 1, "", 1, ["x", "last"], None, 5]),
        (
            "/fields/1?limit=6",
            "title=a&size=9&tags=x&tags=y&from=z",
            ["POST", 1, "a", 9, ["x", "y", "last"], "z", 6],
        ),
        ("/fields-of-a-plain-function", "form=red", ["red", False]),
        ("/fields-of-a-plain-function", "form=red&flag=true", ["red", True]),
    ],
)
async def test_parameters_may_be_fields_of_a_form(
    path: str, form: str, expected: list[Any]
) -> None:
    answer = await app.request("POST", path, headers=FORM_HEADERS, body=form)

    assert json_of(answer) == expected


async def test_files_may_be_fields_of_a_form() -> None:
    photo = File("a.png", "image/png", b"x")

    answers = [
        await app.request("POST", "/upload", form={"title": "t", "photo": photo, "last": photo}),
        await app.request("POST", "/upload", form={"title": "t", "photo": photo, "more": photo}),
        await app.request("POST", "/upload", form={"title": "t", "more": photo}),
        await app.request("POST", "/upload", form={"title": "t"}),
    ]

    assert [answer.status for answer in answers] == [200, 200, 422, 415]
    assert json_of(answers[0]) == ["t", "a.png", [], "a.png"]
    assert json_of(answers[1]) == ["t", "a.png", ["a.png"], None]
    assert json_of(answers[2])["errors"] == [
        {"detail": "This field is required.", "pointer": "/photo"}
    ]


@pytest.mark.parametrize(
    ("query", "form", "errors"),
    [
        ("", "", [("/title", "This field is required.")]),
        ("", "title=a&title=b", [("/title", "Expected str, got array.")]),
        (
            "?limit=x",
            "title=long&size=10&from=a&from=b",
            [
                ("query:limit", "Expected int."),
                ("/title", "Expected at most 3 characters."),
                ("/size", "Expected int <= 9."),
                ("/from", "Expected str | null, got array."),
            ],
        ),
    ],
)
async def test_misfits_of_single_fields_are_told_of_together(
    query: str, form: str, errors: list[tuple[str, str]]
) -> None:
    answer = await app.request("POST", f"/fields/1{query}", headers=FORM_HEADERS, body=form)

    found = json_of(answer)["errors"]
    assert [(e.get("parameter") or e["pointer"], e["detail"]) for e in found] == errors


async def test_fields_of_a_form_are_not_read_from_json() -> None:
    answer = await app.request("POST", "/fields/1", json={"title": "a"})

    assert answer.status == 415


@pytest.mark.parametrize(
    "kind",
    [
        Form[dict[str, str]],
        Form[list[Note]],
        Form[int] | int,
        Form[int] | None,
        Form[Note] | Form[Note | None],  # type: ignore[misc]  # as careless code does
        Form[Note] | int | Note,
        list[Form[Note]],
    ],
    ids=str,
)
def test_a_form_of_what_no_form_brings_is_refused(kind: Any) -> None:
    def read(body) -> None: ...  # type: ignore[no-untyped-def]  # set below

    read.__annotations__["body"] = kind
    with pytest.raises(ConfigurationError, match=r"test_parameters\.py:[0-9]+"):
        App().post("/", guard=public)(read)
