"""Every misfit is named at once by a pointer, and nothing that was sent is said back."""

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, TypedDict, cast, get_origin

import msgspec
import pytest

from framework import App, Cookie, Form, Header, Query, public
from framework.errors import Invalid
from framework.testing import json_of
from framework.validation import MISFIT_LIMIT, PLACE_LIMIT, convert, json_pointer
from tests.answers import body_of

CANARY = "CANARY-1a2b3c"


class Colour(enum.Enum):
    """A closed list."""

    RED = "red"


class Cat(msgspec.Struct, tag=True, forbid_unknown_fields=True):
    """One of a tagged union."""

    lives: int


class Dog(msgspec.Struct, tag=True):
    """The other."""

    bark: str


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """A Struct inside."""

    a: int
    b: str = ""


class Tree(msgspec.Struct):
    """A Struct of itself."""

    value: int = 0
    children: "list[Tree]" = []


class Everything(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A field of every kind."""

    integer: int = 0
    small: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    number: float = 0.0
    flag: bool = False
    text: str = ""
    long: Annotated[str, msgspec.Meta(min_length=1, max_length=3)] = "x"
    shaped: Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\Z")] = "x"
    colour: Colour = Colour.RED
    choice: Literal["x", "y"] = "x"
    when: datetime.datetime | None = None
    day: datetime.date | None = None
    time: datetime.time | None = None
    span: datetime.timedelta | None = None
    id: uuid.UUID | None = None
    price: decimal.Decimal | None = None
    data: bytes = b""
    numbers: list[int] = []
    few: Annotated[list[int], msgspec.Meta(max_length=2)] = []
    unique: set[int] = set()
    pair: tuple[int, str] = (1, "")
    table: dict[str, int] = {}
    by_number: dict[int, int] = {}
    inner: Inner | None = None
    many: list[Inner] = []
    pet: Cat | Dog | None = None
    mixed: int | list[int] | None = None
    renamed: int = msgspec.field(default=0, name="re/na~med")


NAMES = [field.encode_name for field in msgspec.structs.fields(Everything)]
HOSTILE: list[Any] = [
    CANARY,
    [CANARY],
    {CANARY: CANARY},
    [{CANARY: 1}],
    {"a": CANARY, CANARY: 1},
    {"type": CANARY},
    {"type": "Cat", "lives": CANARY},
    [{"a": 1, "b": CANARY, CANARY: CANARY}],
    {"1": CANARY},
    [1, CANARY],
    [[CANARY]],
    "\x00" + CANARY,
    CANARY * 1_000,
]

app = App()


@app.post("/", guard=public)
async def read(value: Everything) -> None: ...


@app.post("/form", guard=public)
async def read_form(value: Form[Everything]) -> None: ...


@app.get("/:n", guard=public)
async def read_others(
    n: int,
    colour: Query[Colour] = Colour.RED,
    numbers: Query[list[int]] = [],  # noqa: B006  never changed
    when: Query[datetime.datetime | None] = None,
    choice: Query[Literal["x"]] = "x",
    shaped: Query[Annotated[str, msgspec.Meta(pattern=r"^a\Z")]] = "a",
    id: Header[uuid.UUID | None] = None,
    price: Cookie[decimal.Decimal | None] = None,
) -> None: ...


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:30])
@pytest.mark.parametrize("name", NAMES)
async def test_nothing_of_a_body_is_said_back(name: str, value: Any) -> None:
    response = await app.request("POST", "/", json={name: value})

    assert response.status in {204, 422}
    assert CANARY.encode() not in body_of(response)


@pytest.mark.parametrize("body", [{CANARY: 1}, [CANARY], CANARY, {"inner": {CANARY: {CANARY: 1}}}])
async def test_no_key_is_said_back(body: Any) -> None:
    response = await app.request("POST", "/", json=body)

    assert response.status == 422
    assert CANARY.encode() not in body_of(response)
    assert all(error["detail"] for error in json_of(response)["errors"])


@pytest.mark.parametrize("name", [*NAMES, CANARY])
async def test_nothing_of_a_form_is_said_back(name: str) -> None:
    for body in (f"{name}={CANARY}", f"{name}={CANARY}&{name}={CANARY}", f"{name}=%{CANARY}"):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        response = await app.request("POST", "/form", headers=headers, body=body)
        assert response.status in {204, 400, 422}
        assert CANARY.encode() not in body_of(response)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        *[
            (f"/1?{name}={CANARY}", {})
            for name in ("colour", "numbers", "when", "choice", "shaped")
        ],
        (f"/1?colour={CANARY}&colour={CANARY}", {}),
        (f"/1?{CANARY}=%zz", {}),
        ("/1", {"id": CANARY}),
        ("/1", {"cookie": f"price={CANARY}"}),
        (f"/{CANARY}", {}),
        (f"/{CANARY}%2F", {}),
        (f"/1/{CANARY}", {}),
    ],
)
async def test_nothing_of_a_url_or_header_is_said_back(path: str, headers: dict[str, str]) -> None:
    response = await app.request("GET", path, headers=headers)

    assert response.status in {400, 404, 422}
    assert CANARY.encode() not in body_of(response)


async def test_all_misfits_are_named_at_once() -> None:
    response = await app.request(
        "POST",
        "/",
        json={
            "integer": "x",
            "small": 10,
            "long": "",
            "colour": "green",
            "when": "yesterday",
            "numbers": [1, "x", 2, None],
            "inner": {"a": "x", "b": 1},
            "many": [{"a": 1}, {"b": 2}, {"a": 1, "c": 3}],
            "re/na~med": "x",
        },
    )

    assert json_of(response) == {
        "title": "Unprocessable Content",
        "status": 422,
        "code": "invalid-request",
        "detail": "The request does not fit the schema.",
        "errors": [
            {"detail": "Expected int, got str.", "pointer": "/integer"},
            {"detail": "Expected int <= 9.", "pointer": "/small"},
            {"detail": "Expected at least 1 characters.", "pointer": "/long"},
            {"detail": 'Expected "red".', "pointer": "/colour"},
            {"detail": "Invalid RFC3339 encoded datetime.", "pointer": "/when"},
            {"detail": "Expected int, got str.", "pointer": "/numbers/1"},
            {"detail": "Expected int, got null.", "pointer": "/numbers/3"},
            {"detail": "Expected int, got str.", "pointer": "/inner/a"},
            {"detail": "Expected str, got int.", "pointer": "/inner/b"},
            {"detail": "This field is required.", "pointer": "/many/1/a"},
            {"detail": "Expected str, got int.", "pointer": "/many/1/b"},
            {"detail": "Only these fields are known: a, b.", "pointer": "/many/2"},
            {"detail": "Expected int, got str.", "pointer": "/re~1na~0med"},
        ],
    }


@pytest.mark.parametrize(
    ("value", "type", "pointers"),
    [
        ([1, "x"], list[int], ["/1"]),
        ([[1], ["x"], 2], list[list[int]], ["/1/0", "/2"]),
        (["x"], Annotated[list[int], msgspec.Meta(max_length=9)], ["/0"]),
        ([1, 2], Annotated[list[int], msgspec.Meta(max_length=1)], [""]),
        (["x"], list[int] | None, ["/0"]),
        ({"a": "x"}, Inner | None, ["/a"]),
        ({"type": "Cat", "lives": "x"}, Cat, ["/lives"]),
        ({"type": "Cat", "lives": "x", "more": 1}, Cat, ["/lives", ""]),
        ({"type": "Bird", "lives": 1}, Cat, ["/type"]),
        ({"lives": 1, "type": "Cow"}, Cat | Dog, ["/type"]),
        (
            {"value": "x", "children": [{"children": [{"value": []}]}]},
            Tree,
            ["/value", "/children/0/children/0/value"],
        ),
        ({"x": "y"}, dict[str, int], [""]),
        ([1, 2], tuple[int, str], ["/1"]),
        ([1, "x"], set[int], ["/1"]),
        (None, int, [""]),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_misfit_is_found_where_it_is(value: Any, type: Any, pointers: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        convert(value, type, strict=True)

    assert [error.pointer for error in refused.value.errors] == pointers


@pytest.mark.parametrize(
    ("names", "pointer"),
    [((), ""), (("a",), "/a"), (("a", "0"), "/a/0"), (("a/b~c",), "/a~1b~0c"), (("",), "/")],
)
def test_a_pointer_is_written_as_rfc_6901_says(names: tuple[str, ...], pointer: str) -> None:
    assert json_pointer(*names) == pointer


def test_no_answer_names_more_misfits_than_people_can_use() -> None:
    with pytest.raises(Invalid) as refused:
        convert(["x"] * 1_000, list[int], strict=True)

    assert len(refused.value.errors) == MISFIT_LIMIT


def test_places_are_looked_at_once_and_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    value: Any = {"children": [{}] * 100_000 + [{"value": "x"}]}
    for _ in range(25):
        value = {"children": [value]}
    calls: list[object] = []
    real = msgspec.convert

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments[1])
        return real(*arguments, **named)

    monkeypatch.setattr(msgspec, "convert", counted)
    with pytest.raises(Invalid) as refused:
        convert(value, Tree, strict=True)

    assert [error.pointer for error in refused.value.errors] == [
        "/children/0" * 25 + "/children/100000/value"
    ]
    assert len(calls) <= PLACE_LIMIT
    assert calls.count(Tree) == 1


@pytest.mark.parametrize(
    ("meta", "detail"),
    [
        (msgspec.Meta(pattern="^[0-9]+$"), "Expected another form."),
        (msgspec.Meta(pattern="^[0-9]+$", description="Digits alone."), "Digits alone."),
        (msgspec.Meta(pattern="^[0-9]+$", description="digits"), "Expected digits."),
        (msgspec.Meta(pattern="^[0-9]+$", description="The year"), "Expected: The year."),
        (msgspec.Meta(pattern="^[0-9]+$", description="0 to 9,\n  -"), "Expected 0 to 9, -"),
        (msgspec.Meta(min_length=8, description="digits"), "Expected at least 8 characters."),
        (msgspec.Meta(min_length=8), "Expected at least 8 characters."),
        (msgspec.Meta(max_length=3), "Expected at most 3 characters."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_text_that_does_not_fit_is_told_in_words(meta: msgspec.Meta, detail: str) -> None:
    kind = msgspec.defstruct("Kind", [("text", Annotated[str, meta])])

    with pytest.raises(Invalid) as caught:
        convert({"text": "short"}, kind, strict=True)

    assert [(each.detail, each.pointer) for each in caught.value.errors] == [(detail, "/text")]


class Table(TypedDict):
    """A dict whose names are known."""

    size: int


@pytest.mark.parametrize(
    ("value", "kind", "detail"),
    [
        ({"type": "Cat"}, Cat | Dog, "The field lives is required."),
        ({"lives": 9}, Cat | Dog, "The field type is required."),
        ({"a": {}}, dict[str, Inner], "The field a is required."),
        ([1, {}], tuple[int, Inner], "The field a is required."),
        ({}, Table, "The field size is required."),
        ("P99999999999D", datetime.timedelta, "Duration is out of range."),
        ("P1Y", datetime.timedelta, "Only units 'D', 'H', 'M', and 'S' are supported when parsing"),
        (1e30, datetime.datetime, "Timestamp is out of range."),
        (float("nan"), datetime.datetime, "Invalid epoch timestamp."),
        ("a", decimal.Decimal, "Invalid decimal string."),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_said_of_the_schema_is_told(value: Any, kind: Any, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        convert(value, kind, strict=False)

    (error,) = caught.value.errors
    assert error.detail.startswith(detail)


Word = Annotated[str, msgspec.Meta(pattern="^[a-z]+$", description="small letters")]
Pet = Literal["cat", "dog"]
WORD = "Expected small letters."
PET = 'Expected one of "cat", "dog".'
OTHER = "This is not one of the values allowed here."
Ten = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
Eleven = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (Word, WORD),
        (Word | None, WORD),
        (list[Word], WORD),
        (Annotated[Word | None, msgspec.Meta(description="the word")], WORD),
        (Annotated[str, msgspec.Meta(pattern="^a$")], "Expected another form."),
        (Pet, PET),
        (Pet | None, PET),
        (list[Pet], PET),
        (Annotated[Pet, msgspec.Meta(description="a pet")], PET),
        (Literal["cat"], 'Expected "cat".'),
        (Literal["cat", None], 'Expected one of "cat", null.'),
        (Colour, 'Expected "red".'),
        (int | Literal["all"], OTHER),
        (float | Pet | None, OTHER),
        (
            Annotated[int | Colour, msgspec.Meta(description="a number or red")],
            "Expected a number or red.",
        ),
        (
            Ten,
            f"Expected one of {', '.join([msgspec.json.encode(str(n)).decode() for n in range(10)])}.",
        ),
        (Eleven, OTHER),
        (Annotated[Eleven, msgspec.Meta(description="a number")], "Expected a number."),
        (Literal["a" * 100, "b" * 100], OTHER),
    ],
    ids=lambda value: ascii(value)[:60],
)
async def test_what_would_fit_is_told_in_a_body_and_in_a_query(kind: Any, detail: str) -> None:
    local, query = App(), cast("Any", Query)

    def read_body(value) -> None: ...  # type: ignore[no-untyped-def]  # set below
    def read_query(value) -> None: ...  # type: ignore[no-untyped-def]  # set below

    read_body.__annotations__["value"] = dict[str, kind]
    read_query.__annotations__["value"] = query[kind]
    local.post("/", guard=public)(read_body)
    local.get("/", guard=public)(read_query)
    value = [CANARY] if get_origin(kind) is list else CANARY
    answers = [
        await local.request("POST", "/", json={"value": value}),
        await local.request("GET", f"/?value={CANARY}"),
    ]

    assert [[e["detail"] for e in json_of(a)["errors"]] for a in answers] == [[detail]] * 2


class Coloured(msgspec.Struct):
    """What stands in a table below."""

    colour: Colour


def test_what_would_fit_somewhere_else_is_not_told() -> None:
    with pytest.raises(Invalid) as caught:
        convert({"a": {"colour": "green"}}, dict[str, Coloured] | Pet, strict=True)

    assert [error.detail for error in caught.value.errors] == [OTHER]


class Span(msgspec.Struct):
    """Two numbers that have to fit together."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError("It starts after its end.")


class Booking(msgspec.Struct):
    """A model that holds one with rules of its own."""

    when: Span
    guests: int


def test_the_rules_of_a_struct_inside_are_told_with_the_rest() -> None:
    with pytest.raises(Invalid) as caught:
        convert({"when": {"start": 2, "end": 1}, "guests": "many"}, Booking, strict=True)

    assert [(each.detail, each.pointer) for each in caught.value.errors] == [
        ("It starts after its end.", "/when"),
        ("Expected int, got str.", "/guests"),
    ]
