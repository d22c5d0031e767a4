"""An integer that JavaScript would round is found wherever a body may hold it, and costs others little."""

import dataclasses
import math
import sys
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypedDict, TypeVar

import msgspec
import pytest
from msgspec import Meta

from framework import App, Context, Form, public
from framework.body import decode_json, json_decoder
from framework.errors import Invalid
from framework.exact_numbers import all_parts, may_be_inexact, number_kinds
from framework.testing import json_of

T = TypeVar("T")

EXACT = 2**53 - 1
ROUNDED = 2**53


class Level(IntEnum):
    LOW = 1


class Texts(msgspec.Struct):
    title: str
    done: bool = False
    at: datetime | None = None
    weight: float = 0.0


class Count(msgspec.Struct):
    count: int
    text: str = ""


class Renamed(msgspec.Struct, rename="camel"):
    big_count: int
    other: Annotated[int, Meta(ge=0)] = 0


class Named(msgspec.Struct):
    count: int = msgspec.field(name="a/b~1")


class Filter(msgspec.Struct):
    """Its bounds are none unless the client gives some."""

    q: str
    rows: int = sys.maxsize
    most: float = math.inf
    price: Decimal = Decimal("Infinity")


class FilterRow(msgspec.Struct, array_like=True):
    """The same, in an array."""

    q: str
    rows: int = sys.maxsize


class Row(msgspec.Struct, array_like=True):
    text: str
    count: int


class TaggedRow(msgspec.Struct, array_like=True, tag="row"):
    count: int


class Tree(msgspec.Struct):
    children: "list[Tree]" = []
    count: int = 0


class Names(msgspec.Struct):
    name: str
    children: "list[Names]" = []


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class Pages(msgspec.Struct):
    first: Page[str]
    second: Page[int]


class Pair(NamedTuple):
    text: str
    number: int


class Dictionary(TypedDict):
    count: int


@dataclasses.dataclass
class Data:
    count: int


Percent = Annotated[int, Meta(ge=0, le=100)]


class Bounded(msgspec.Struct):
    percent: Percent
    below: Annotated[int, Meta(gt=-(2**53), lt=2**53)] = 0


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (str, False),
        (Texts, False),
        (list[Texts], False),
        (dict[str, float], False),
        (Names, False),
        (Bounded, False),
        (Level, False),
        (Literal[1, 2], False),
        (msgspec.Raw, False),
        (Page[str], False),
        (int, True),
        (Any, True),
        (list, True),
        (dict, True),
        (dict[int, str], True),
        (dict[str, int], True),
        (Count, True),
        (Tree, True),
        (Page[int], True),
        (Pages, True),
        (Pair, True),
        (Dictionary, True),
        (Data, True),
        (set[int], True),
        (tuple[str, int], True),
        (list[str | int | None], True),
        (Annotated[int, Meta(ge=0)], True),
        (Annotated[int, Meta(le=2**53, ge=0)], True),
        (Annotated[int, Meta(lt=2**53 + 1, ge=0)], True),
        (Annotated[int, Meta(gt=-(2**53) - 1, le=0)], True),
        (Annotated[int, Meta(lt=100)], True),
        (Annotated[int, Meta(multiple_of=5)], True),
    ],
    ids=str,
)
def test_a_type_that_holds_free_integers_is_known(type: Any, expected: bool) -> None:
    assert number_kinds(all_parts(type))[0] is expected


class Price(msgspec.Struct):
    amount: Decimal
    others: list[Decimal | None] = []


@pytest.mark.parametrize(
    "text", ['"NaN"', '"sNaN"', '"-Infinity"', '"1e309"', "1e309", '"1e-309"', "-1e-999999999"]
)
def test_a_decimal_is_a_number_and_neither_larger_nor_smaller_than_a_float(text: str) -> None:
    decode = json_decoder(Price)

    assert decode(b'{"amount": "1e308", "others": [0.1, 1e-308, null]}').others == [
        Decimal("0.1"),
        Decimal("1e-308"),
        None,
    ]
    for body in (f'{{"amount": {text}}}', f'{{"amount": 1, "others": [1, {text}]}}'):
        with pytest.raises(Invalid) as caught:
            decode(body.encode())
        assert [error.pointer for error in caught.value.errors] in (["/amount"], ["/others/1"])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b'{"count":1}', False),
        (b"9" * 15, False),
        (b"9" * 16, True),
        (b'"' + b"1" * 16 + b'"', True),
        (b"123456789012345.6", False),
        (b"1" * 15 + b"a" + b"1" * 15, False),
        ("\u0661".encode() * 16, False),
    ],
)
def test_few_bodies_are_looked_at_twice(data: bytes, expected: bool) -> None:
    assert may_be_inexact(data) is expected


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("type", "text", "pointers"),
    [
        (int, "#", [""]),
        (Any, '{"a": [0, #]}', [""]),
        (Any, "[0, [#]]", ["/1/0"]),
        (list[int], "[1, #, 2, #]", ["/1", "/3"]),
        (dict[str, int], '{"canary": #, "b": #}', [""]),
        (dict[int, str], '{"#": "x"}', [""]),
        (set[int], "[#, 1]", [""]),
        (frozenset[int], "[#, 1]", [""]),
        (tuple[str, int], '["a", #]', ["/1"]),
        (tuple[int, ...], "[#]", ["/0"]),
        (Count, '{"count": #}', ["/count"]),
        (list[Count], '[{"count": 1}, {"count": #}]', ["/1/count"]),
        (Renamed, '{"bigCount": #}', ["/bigCount"]),
        (Named, '{"a/b~1": #}', ["/a~1b~01"]),
        (Row, '["a", #]', ["/1"]),
        (TaggedRow, '["row", #]', ["/1"]),
        (Tree, '{"children": [{"count": #}], "count": #}', ["/children/0/count", "/count"]),
        (Pages, '{"first": {"items": ["#"]}, "second": {"items": [#]}}', ["/second/items/0"]),
        (Pair, '["a", #]', ["/1"]),
        (Dictionary, '{"count": #}', [""]),
        (Data, '{"count": #}', ["/count"]),
        (list[str | int], '["#", #]', ["/1"]),
    ],
    ids=str,
)
def test_each_has_its_pointer(sign: str, type: Any, text: str, pointers: list[str]) -> None:
    for decode in (json_decoder(type), lambda data: decode_json(data, type)):
        assert decode(text.replace("#", f"{sign}{EXACT}").encode()) is not None

        for number in (ROUNDED, 2**64, 10**30):
            with pytest.raises(Invalid) as caught:
                decode(text.replace("#", f"{sign}{number}").encode())
            assert [error.pointer for error in caught.value.errors] == pointers
            assert {error.detail for error in caught.value.errors} == {
                "This number is out of range."
            }


@pytest.mark.parametrize(
    ("type", "text"),
    [
        (Texts, '{"title": "12345678901234567890", "unknown": 12345678901234567890}'),
        (Count, '{"count": 1, "text": "12345678901234567890"}'),
        (Count, '{"count": 1, "unknown": 12345678901234567890}'),
        (list[float], "[12345678901234567890, 0.12345678901234567890]"),
        (Any, '["12345678901234567890", 1.2345678901234567890, 1e300, true]'),
        (dict[str, str], '{"12345678901234567890": "x"}'),
        (Level, "1"),
    ],
    ids=str,
)
def test_what_is_no_such_integer_passes(type: Any, text: str) -> None:
    assert decode_json(text.encode(), type) == json_decoder(type)(text.encode())


@pytest.mark.parametrize(
    ("type", "text"),
    [
        (Filter, '{"q": "4111111111111111"}'),
        (list[Filter], '[{"q": "4111111111111111"}, {"q": "tea"}]'),
        (FilterRow, '["4111111111111111"]'),
    ],
    ids=str,
)
def test_a_number_that_was_not_sent_is_the_programs_own(type: Any, text: str) -> None:
    assert decode_json(text.encode(), type) is not None


@pytest.mark.parametrize(
    ("type", "text", "pointers"),
    [
        (Filter, f'{{"q": "", "rows": {ROUNDED}}}', ["/rows"]),
        (Filter, '{"q": "", "price": 1e400}', ["/price"]),
        (list[Filter], f'[{{"q": ""}}, {{"q": "", "rows": {ROUNDED}}}]', ["/1/rows"]),
        (FilterRow, f'["", {ROUNDED}]', ["/1"]),
        (Filter, f'{{"q": "", "price": {"9" * 5000}}}', []),  # which nothing reads as a number
    ],
    ids=lambda given: str(given)[:60],
)
def test_beside_such_a_number_one_that_was_sent_is_told_of(
    type: Any, text: str, pointers: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        decode_json(text.encode(), type)

    assert [error.pointer for error in caught.value.errors] == pointers


async def test_a_form_takes_such_a_number_as_its_default() -> None:
    app = App()

    @app.post("/", guard=public)
    async def find(filter: Form[Filter]) -> str:
        return filter.q

    @app.post("/field", guard=public)
    async def find_up_to(most: Form[float] = math.inf) -> bool:
        return math.isinf(most)

    answers = [
        await app.request("POST", "/", form={"q": "tea"}),
        await app.request("POST", "/field", form={"other": "x"}),
        await app.request("POST", "/field", form={"most": "inf"}),
    ]

    assert [answer.status for answer in answers] == [200, 200, 422]


def test_of_very_many_some_are_named() -> None:
    body = b"[" + b",".join([b"9" * 17] * 50_000) + b"]"

    with pytest.raises(Invalid) as caught:
        decode_json(body, list[int])

    assert len(caught.value.errors) == 100


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (
            {"body": f'{{"count": {ROUNDED}}}', "headers": {"content-type": "application/json"}},
            True,
        ),
        ({"form": {"count": str(ROUNDED)}}, True),
        ({"form": {"count": str(-(10**40))}}, True),
        ({"body": f'{{"count": {EXACT}}}', "headers": {"content-type": "application/json"}}, False),
        ({"form": {"count": str(EXACT)}}, False),
    ],
    ids=str,
)
async def test_a_handler_never_sees_one(content: dict[str, Any], pointer: bool) -> None:
    app = App()

    @app.post("/", guard=public)
    async def count(c: Context, count: Form[Count] | Count) -> Count:
        return count

    response = await app.request("POST", "/", **content)

    assert response.status == (422 if pointer else 200)
    if pointer:
        assert json_of(response)["code"] == "invalid-request"
        assert [error["pointer"] for error in json_of(response)["errors"]] == ["/count"]


@dataclasses.dataclass
class Counted:
    count: int
    kinds: ClassVar[int]


def test_what_a_dataclass_only_names_is_not_looked_at() -> None:
    assert decode_json(b'{"count": 1000, "other": 1000000000000000000}', Counted) == Counted(1000)


def test_a_class_of_attrs_is_looked_at_as_a_dataclass_is() -> None:
    attrs = pytest.importorskip("attrs")
    made: Any = attrs.make_class("Made", {"count": attrs.field(type=int)})

    assert decode_json(b'{"count": 9007199254740991}', made) == made(EXACT)
    with pytest.raises(Invalid) as raised:
        decode_json(b'{"count": 9007199254740992}', made)
    assert [error.pointer for error in raised.value.errors] == ["/count"]


class Odd(Enum):
    """Has values that no JSON is read into."""

    PAIR = (1, 2)
    ONE = 1


@dataclasses.dataclass
class Unread:
    """Names a class that is not there at run time, as under TYPE_CHECKING."""

    call: "Nowhere" = None  # type: ignore[name-defined]  # noqa: F821  the case


@pytest.mark.parametrize("default", [Odd.PAIR, Unread(), lambda: None])
def test_a_default_may_be_what_msgspec_does_not_know(default: Any) -> None:
    own = ("own", Any, msgspec.field(default_factory=lambda: default))
    made: Any = msgspec.defstruct("Made", [("at", datetime), own])

    assert decode_json(b'{"at": "2026-12-01T00:00:00Z"}', made).own is default
