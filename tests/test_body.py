"""Whatever bytes come as a body, the answer is a value of the declared type or a 4xx that says why."""

import hashlib
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from copy import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import count as count_up
from time import perf_counter
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID, uuid4

import msgspec
import pytest

from framework import App, Context, Form, public
from framework.body import DEPTH_LIMIT, check_depth, decode_json, form_decoder, json_decoder
from framework.body_encoding import encode_body
from framework.errors import BadRequest, ContentTooLarge, HTTPError, Invalid
from framework.exact_numbers import all_parts
from framework.multipart import File
from framework.request import BODY_LIMIT, Headers, Request
from framework.testing import json_of

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """What most routes here read."""

    text: str
    size: int = 0


class Loose(msgspec.Struct):
    """A Struct that passes over fields it does not know."""

    text: str = ""


T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T], forbid_unknown_fields=True):
    """One that is made for what it holds."""

    data: T
    size: int = 0


class Fields(msgspec.Struct):
    """A form."""

    name: str
    size: int = 0
    weight: float = 0.0
    sizes: list[int] = []
    most: int | Literal[""] = ""
    tags: list[str] = []
    groups: list[str] | None = None
    agreed: bool = False


app = App()


@app.post("/note", guard=public)
async def read_note(note: Note) -> Note:
    return note


@app.post("/envelope", guard=public)
async def read_envelope(envelope: Form[Envelope[int]] | Envelope[Note]) -> Any:
    return envelope


@app.post("/loose", guard=public)
async def read_loose(note: Loose) -> Loose:
    return note


@app.post("/any", guard=public)
async def read_any(c: Context) -> Any:
    return msgspec.Raw(msgspec.json.encode({"value": await c.request.json()}))


@app.post("/list", guard=public)
async def read_list(numbers: list[int]) -> int:
    return len(numbers)


@app.post("/dict", guard=public)
async def read_dict(numbers: dict[str, int]) -> int:
    return len(numbers)


@app.post("/short", guard=public)
async def read_short(numbers: Annotated[list[int], msgspec.Meta(max_length=2)]) -> int:
    return len(numbers)


@app.post("/form", guard=public)
async def read_form(fields: Form[Fields]) -> Fields:
    return fields


@app.post("/either", guard=public)
async def read_either(note: Form[Note] | Note) -> Note:
    return note


@app.post("/text", guard=public)
async def read_text(c: Context) -> str:
    return await c.request.text()


async def post(path: str, body: bytes, content_type: str | None = JSON) -> tuple[int, Any]:
    headers = {} if content_type is None else {"content-type": content_type}
    response = await app.request("POST", path, headers=headers, body=body)
    return response.status, json_of(response)


def nested(opening: bytes, depth: int, closing: bytes, inner: bytes = b"") -> bytes:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (nested(b"[", DEPTH_LIMIT, b"]"), 200),
        (nested(b"[", DEPTH_LIMIT + 1, b"]"), 400),
        (nested(b'{"a":', DEPTH_LIMIT, b"}", b"1"), 200),
        (nested(b'{"a":', DEPTH_LIMIT + 1, b"}", b"1"), 400),
        (nested(b'[{"a":', 32, b"}]", b"1"), 200),
        (nested(b'[{"a":', 33, b"}]", b"1"), 400),
        (b"[" * 1_000, 400),
        (b"[" * 100_000, 400),
        (b"[" * BODY_LIMIT, 400),
        (b'{"a":' * 100_000, 400),
        (b"[" + b"[],{}," * 100_000 + b"1]", 200),
        (b"[" + b'"[[[[{{{{",' * 50_000 + b"1]", 200),
        (b'["' + b"[" * 100_000 + b'"]', 200),
        (rb'["\"' + b"[" * 1_000 + b'"]', 200),
        (rb'["\\"' + b",[" * 65 + b"]" * 66, 400),
        (rb'["\\\"' + b"[" * 1_000 + b'"]', 200),
        (b'["' + b"[" * 1_000, 400),
        (b'["' + b"[" * 1_000 + b"\\", 400),
        (b'"' + b"{" * 100, 400),
        (b"]" * 1_000 + b"[" * 1_000, 400),
        (b"[}" * 1_000, 400),
        (b'{"' + b"[" * 1_000 + b'":1}', 200),
        (('["é", "' + "[" * 100 + '"]').encode(), 200),
    ],
    ids=lambda value: ascii(value)[:24],
)
async def test_json_nests_as_deep_as_the_limit(body: Any, status: int) -> None:
    assert (await post("/any", body))[0] == status


async def test_an_unknown_field_may_not_nest_deeper_either() -> None:
    deep = nested(b"[", DEPTH_LIMIT, b"]")

    assert await post("/loose", b'{"unknown":' + deep + b"}") == (
        400,
        {
            "title": "Bad Request",
            "status": 400,
            "code": "malformed-request",
            "detail": "The JSON nests deeper than 64 levels.",
        },
    )


def test_the_depth_is_checked_before_any_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(msgspec.json, "decode", fail)

    with pytest.raises(BadRequest, match="deeper"):
        decode_json(b"[" * 65)
    with pytest.raises(BadRequest, match="deeper"):
        check_depth(b"[" * 3_000)


# After JSONTestSuite: y is accepted, n is no JSON, i is up to us.
ACCEPTED = [
    *(b"[]", b"{}", b"[[]   ]", b'[""]', b"[1 ]", b" [1]", b"[2] ", b"\t[1]\r\n", b"null", b"true"),
    *(b"1", b"-0", b'"a"', b"[-0.0]", b"[1E22]", b"[1e-2]", b"[123.456e78]", b"[0e+1]", b"[20e1]"),
    *(b'["\\u0060\\u012a\\u12AB"]', b'["\\uD801\\udc37"]', b'["\\u0000"]', b'["\\/\\b\\f"]'),
    *(b'{"a":"b","a":"c"}', b'{"":0}', b'{"foo\\u0000bar":42}', b'["\xf4\x8f\xbf\xbf"]'),
    *(b'["\xe2\x80\xa8"]', b'["a/*b*/c"]', b'{"a":[]}', b"[1,null,1,2]", b"1e-99999"),
    *(b'["\x7f"]', b"[9007199254740991]", b"-9007199254740991", b"[1234567890.1234567890]"),
]
REFUSED = [
    *(
        b"",
        b" ",
        b"\n",
        b"[",
        b"]",
        b"{",
        b"}",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,1]",
        b"[1,,2]",
        b"[1 2]",
    ),
    *(b"[-]", b"[+1]", b"[.5]", b"[1.]", b"[01]", b"[0x1]", b"[1e]", b"[1e+]", b"[--1]", b"[1_0]"),
    *(
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"nul",
        b"True",
        b"None",
        b"undefined",
        b"['a']",
        b"[a]",
    ),
    *(
        b"{a:1}",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b"{1:1}",
        b'{"a" "b"}',
        b'{"a":1 "b":2}',
        b"{[]:1}",
    ),
    *(b'["a', b'["\\"]', b'["\\x00"]', b'["\\u00"]', b'["\\u00g0"]', b'["\\a"]', b'["a\nb"]'),
    *(
        b'["\t"]',
        b'["\x00"]',
        b"[1]x",
        b"[1][2]",
        b"[1]]",
        b"[1]//c",
        b"/*c*/[1]",
        b"#c\n[1]",
        b"\xef",
    ),
    *(b"\xef\xbb\xbf[1]", b"[\xc2\xa01]", b"[\x0c1]", b"\xff\xfe[\x001\x00]\x00", b"\x00[1]"),
    *(b'["\\ud800"]', b'["\\ud800\\ud800"]', b'{"\\ud800":1}', b'["\\udc00"]', b"[1\x00]"),
    *(b'["\xff"]', b'["\xc0\xaf"]', b'["\xed\xa0\x80"]', b'["\xf4\xbf\xbf\xbf"]', b'{"\xff":1}'),
    *(b'["\xe9"]', b'["\x81"]', b"[\xff]", b"<null>", b"[<null>]", b"*", b"a", b"\xe2\x81\xa0"),
]


@pytest.mark.parametrize("body", ACCEPTED, ids=lambda body: ascii(body)[:40])
async def test_json_is_read(body: bytes) -> None:
    status, answer = await post("/any", body)

    assert (status, list(answer)) == (200, ["value"])


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: ascii(body)[:40])
@pytest.mark.parametrize("path", ["/any", "/note", "/list", "/either"])
async def test_what_is_no_json_is_malformed(path: str, body: bytes) -> None:
    status, answer = await post(path, body)

    assert (status, answer["code"]) == (400, "malformed-request")


@pytest.mark.parametrize(
    "body",
    [
        *(b"1e400", b"[-1E+99999999]", b"9" * 4_301, b"[" + b"9" * 100_000 + b"]"),
        *(b"[9007199254740992]", b"-9007199254740992", b"[" + b"9" * 400 + b"]"),
    ],
    ids=lambda body: ascii(body)[:40],
)
@pytest.mark.parametrize("path", ["/any", "/list"])
async def test_a_number_out_of_range_does_not_fit(path: str, body: bytes) -> None:
    status, answer = await post(path, body)

    assert (status, answer["code"]) == (422, "invalid-request")


async def test_bytes_that_are_no_utf8_in_an_unknown_key_never_break_us() -> None:
    assert (await post("/loose", b'{"\xff": 1}'))[0] in {200, 400}
    assert (await post("/note", b'{"text": "a", "\xff": 1}'))[0] == 400


TWICE = "This is given more than once."


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"text": "a", "text": "b"}', ["/text"]),
        (b'{"text": "a", "text": "a"}', ["/text"]),
        (b'{"text": "a", "te\\u0078t": "b"}', ["/text"]),
        (b'{"text": "a", "size": 1, "size": 1}', ["/size"]),
        (b'{"size": 1, "text": "a", "size": 2, "text": "b", "text": "c"}', ["/size", "/text"]),
        (b'{"text":"a"' + b',"text":"a"' * 80_000 + b"}", ["/text"]),
        (b'{"text": "a: b, \\"text\\": c"}', None),
        (b'{"text": ":", "size": 1}', None),
        (b'{"text": "text"}', None),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_struct_that_knows_its_names_takes_each_once(
    body: bytes, pointers: list[str] | None
) -> None:
    status, answer = await post("/note", body)

    assert status == (200 if pointers is None else 422)
    errors = [{"detail": TWICE, "pointer": pointer} for pointer in pointers or []]
    assert answer.get("errors", []) == errors


class Paid(msgspec.Struct, tag="paid", forbid_unknown_fields=True):
    order: int


class Cancelled(msgspec.Struct, tag="cancelled", forbid_unknown_fields=True):
    order: int
    why: str = ""


class Shipped(msgspec.Struct, tag="shipped", forbid_unknown_fields=True):
    order: int
    by: str
    to: str


class Moved(msgspec.Struct, tag="moved"):
    order: int


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"type": "paid", "order": 1, "order": 2}', ["/order"]),
        (b'{"type": "paid", "type": "paid", "order": 1}', ["/type"]),
        (b'{"order": 1, "type": "cancelled", "why": "a", "why": "b"}', ["/why"]),
        (b'{"type": "cancelled", "order": 1, "why": "because: \\"order\\": 2"}', None),
        (b'{"type": "paid", "order": 1}', None),
    ],
)
@pytest.mark.parametrize(
    "type",
    [
        Paid | Cancelled | Shipped,
        Annotated[Paid | Cancelled | Shipped, "with a note"],
        Annotated[Paid, "with a note"] | Cancelled | Shipped,
    ],
)
def test_one_of_several_structs_that_know_their_names_takes_each_once(
    type: Any, body: bytes, pointers: list[str] | None
) -> None:
    decode = json_decoder(type)
    if pointers is None:
        assert decode(body).order == 1
        return
    with pytest.raises(Invalid) as refused:
        decode(body)

    assert [(each.detail, each.pointer) for each in refused.value.errors] == [
        (TWICE, pointer) for pointer in pointers
    ]


class Row(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    text: str


def test_a_row_has_no_names_to_be_given_twice() -> None:
    assert json_decoder(Row)(b'["at: 12:30:00"]') == Row("at: 12:30:00")


def test_of_a_key_given_twice_the_last_counts_beside_a_struct_that_may_know_others() -> None:
    body = b'{"type": "paid", "order": 1, "order": 2}'

    assert json_decoder(Paid | Moved)(body) == Paid(2)


class Due(msgspec.Struct):
    """A form whose fields may be left empty."""

    on: date | None
    most: int | None = 5
    code: Annotated[str, msgspec.Meta(min_length=2)] | None = "none"
    name: str | None = None
    choice: Literal["a", "b", None] = "a"
    either: Literal["", "a", None] = "a"
    groups: list[str] | None = None
    least: int = 1


class Sent(Due):
    """The same, as multipart."""

    picture: File | None = None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"on": ""}, Due(None)),
        ({"on": "2026-01-02", "most": "", "code": ""}, Due(date(2026, 1, 2), None, None)),
        ({"on": "", "name": "", "choice": "", "either": ""}, Due(None, 5, "none", "", None, "")),
        ({"on": "", "groups": ""}, Due(None, groups=[""])),
        ({"on": "", "least": ""}, ["/least"]),
        ({"on": " ", "most": " ", "code": " "}, ["/code", "/most", "/on"]),
        ({"on": ["", ""]}, ["/on"]),
        ({}, ["/on"]),
    ],
)
def test_what_is_left_empty_in_a_form_is_none_where_no_empty_text_fits(
    given: Any, expected: Due | list[str]
) -> None:
    for type in (Due, Sent):
        picture = {"picture": File("a", "text/plain", b"a")} if type is Sent else {}
        data, content_type = encode_body(None, {**given, **picture}, None)
        decode = form_decoder(type)
        if isinstance(expected, Due):
            value = decode(data, content_type or "")
            assert msgspec.structs.asdict(value).items() >= msgspec.structs.asdict(expected).items()
            continue
        with pytest.raises(Invalid) as caught:
            decode(data, content_type or "")
        assert sorted(str(error.pointer) for error in caught.value.errors) == expected


class Visit(msgspec.Struct):
    """A form with the times, numbers and checkboxes of a page."""

    at: time
    until: Annotated[datetime, msgspec.Meta(tz=False)] | None
    size: float
    pauses: list[time] = []
    is_late: bool = False
    is_quiet: bool = False


def test_what_inputs_hold_is_read_as_browsers_send_them() -> None:
    body = b"at=10%3A30&until=2026-05-01T10%3A30&size=.5&pauses=11%3A00&pauses=12%3A00%3A30"
    body += b"&is_late=on"

    value = form_decoder(Visit)(body, "")

    pauses = [time(11), time(12, 0, 30)]
    assert value == Visit(time(10, 30), datetime(2026, 5, 1, 10, 30), 0.5, pauses, is_late=True)


def test_what_is_no_time_is_told_as_one() -> None:
    with pytest.raises(Invalid) as caught:
        form_decoder(Visit)(b"at=25%3A30&until=&size=.&pauses=", "")

    assert [str(error.pointer) for error in caught.value.errors] == ["/at", "/size", "/pauses/0"]


class Pictured(msgspec.Struct):
    """A form of which a file may be left out."""

    picture: File | None


def test_a_file_that_comes_as_empty_text_is_none() -> None:
    body = b'--b\r\ncontent-disposition: form-data; name="picture"\r\n\r\n\r\n--b--\r\n'

    value = form_decoder(Pictured)(body, "multipart/form-data; boundary=b")

    assert value == Pictured(None)


async def test_of_a_key_given_twice_the_last_counts_where_any_may_be_given() -> None:
    status, answer = await post("/loose", b'{"text": "a", "text": "b"}')

    assert (status, answer["text"]) == (200, "b")


def test_a_text_of_escapes_takes_no_memory_to_be_passed_over() -> None:
    """It took 72 MB in the Worker for one megabyte, and there memory that was taken is kept."""
    body = b"[" * 65 + b'"' + rb"\"" * 500_000 + b'"'
    tracemalloc.start()

    with pytest.raises(BadRequest, match="nests deeper"):
        decode_json(body)

    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


class Cell(msgspec.Struct, frozen=True):
    row: int


def pairs_alike(count: int) -> Iterator[tuple[int, int]]:
    """Yield *count* pairs of one hash, which Python mixes of those of both (xxHash, 64 bits)."""
    bits, odd, more, start = (
        2**64 - 1,
        11400714785074694791,
        14029467366897019727,
        2870177450012600261,
    )
    wanted = None
    for first in count_up(1):
        mixed = start + first * more & bits
        state = (mixed << 31 | mixed >> 33) * odd & bits
        wanted = (state + more) & bits if wanted is None else wanted
        second = (wanted - state) * pow(more, -1, 2**64) & bits
        if second < 2**61 - 1:  # is its own hash
            yield first, second
            count -= 1
        if not count:
            return


def alike(count: int, bits: int) -> list[int]:
    """Return *count* integers of one hash, where that has so many *bits*."""
    return [number * (2**bits - 1) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("type", "form"),
    [
        (set[int], b"%d"),
        (set[int | str], b"%d"),
        (frozenset[Decimal], b'"%d.0e0"'),
        (Annotated[set[int], msgspec.Meta(max_length=5)], b"%d"),
        (set[UUID], b'"%032x"'),
        (set[UUID], b'"\\u0030%031x"'),
        (set[Decimal], b'"%034d"'),
        (set[Decimal], b'"%031de0"'),
        (set[Decimal], b'"%de0000000000000"'),
        (set[Decimal], b'"\\u001e%d"'),
        (set[Decimal], b'"\\f%d"'),
    ],
)
def test_numbers_of_one_hash_are_refused_before_a_set_is_made_of_them(
    type: Any, form: bytes
) -> None:
    numbers = alike(20_000, sys.hash_info.modulus.bit_length())
    started = perf_counter()

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(b"[" + b",".join([form % number for number in numbers]) + b"]", type)

    assert perf_counter() - started < 1


@pytest.mark.parametrize(
    ("type", "form"), [(set[Cell], b'{"row":%d}'), (list[set[tuple[int, int]]], b"[[%d,1]]")]
)
def test_numbers_of_one_hash_are_refused_inside_of_what_is_hashed(type: Any, form: bytes) -> None:
    numbers = alike(200, sys.hash_info.modulus.bit_length())

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(b"[" + b",".join([form % number for number in numbers]) + b"]", type)


def test_short_texts_that_could_be_numbers_were_not_chosen() -> None:
    texts = [f"{number}e{number}" for number in range(1000, 1200)]  # infinite, where it is a float
    texts += [f"-{text}" for text in texts] + [f"0e{number}" for number in range(1000, 1200)]

    answer = decode_json(msgspec.json.encode({"sizes": [1], "texts": texts}), Named)

    assert answer == Named({1}, texts)


class Named(msgspec.Struct):
    sizes: set[int]
    texts: list[str]


class Size(msgspec.Struct):
    size: int = 0


class Place(msgspec.Struct, frozen=True):
    row: int
    column: int


class Colour(Enum):
    RED = "red"


OTHERS: list[tuple[Any, str]] = [
    (set[tuple[int, ...]], "[%d]"),
    (list[frozenset[Place]], '[{"row":%d,"column":1}]'),
    (set[frozenset[int]], "[%d]"),
    (set[bytes], '"%04d"'),
    (set[datetime], '"%04d-01-01T00:00:00Z"'),
    (set[timedelta | None], '"PT%dS"'),
    (set[Annotated[time | None, msgspec.Meta(description="of the day")]], '"00:00:00.%06d"'),
]


@pytest.mark.parametrize(("type", "form"), OTHERS, ids=str)
def test_where_nothing_looks_at_what_is_hashed_there_are_few_values(type: Any, form: str) -> None:
    def decode(count: int) -> Any:
        values = ",".join([form % number for number in range(1, count + 1)])
        return decode_json(f"[{values}]".encode(), type)

    assert decode(400)
    with pytest.raises(Invalid, match="more than 1000 values"):
        decode(1001)


def test_pairs_of_one_hash_are_refused_before_a_set_is_made_of_them() -> None:
    pairs = [*pairs_alike(20_000)]
    assert len({hash(pair) for pair in pairs[:1000]}) == 1
    started = perf_counter()

    with pytest.raises(Invalid, match="more than 1000 values"):
        decode_json(msgspec.json.encode(pairs), set[tuple[int, int]])

    assert perf_counter() - started < 1  # 16 seconds, where a set was made


def test_what_is_too_much_is_refused_before_any_of_it_is_looked_at() -> None:
    numbers = alike(20_000, sys.hash_info.modulus.bit_length())

    with pytest.raises(Invalid, match="more than 1000 values"):  # and not that they have one hash
        decode_json(msgspec.json.encode([f"{number}" for number in numbers]), set[tuple[int, int]])


@pytest.mark.parametrize(
    "kind",
    [
        *(Any, int, float, Decimal, bool | int, int | None, str | int, UUID | int, date | int),
        Annotated[int, msgspec.Meta(description="a size")],
        Literal["S", "M"] | int,
        Colour | int,
    ],
    ids=str,
)
def test_of_what_is_looked_at_there_may_be_many_values(kind: Any) -> None:
    body = msgspec.json.encode([*range(2, 2000)])

    assert decode_json(body, set[kind]) == {*range(2, 2000)}


def test_of_what_is_rare_there_may_be_many_values() -> None:
    days = {date.fromordinal(day) for day in range(1, 2_000)}
    commas = {(",", "," * 2_000)}

    assert decode_json(msgspec.json.encode(days), set[date]) == days
    assert decode_json(msgspec.json.encode(commas), set[tuple[str, str]]) == commas


@pytest.mark.parametrize("unknown", [b'"\xff"', b'{"\xff": 1}'], ids=ascii)
def test_what_no_field_takes_and_is_no_text_is_no_fault_of_ours(unknown: bytes) -> None:
    with pytest.raises(BadRequest, match="not JSON"):
        decode_json(b'{"size": 9007199254740993, "other": ' + unknown + b"}", Size)


@pytest.mark.parametrize(
    ("type", "form"),
    [
        (dict[str, int], '"%s": 1'),
        (Any, '"%s": 1'),
        (dict[str, Any], r'"\u0020%s": 1'),
        (Size, '"%s": 1, "size": "a misfit"'),
        (Size, '"%s": 1, "size": 9007199254740993'),
    ],
)
def test_names_of_one_hash_are_refused_before_a_dict_is_made_of_them(
    type: Any, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only in the Worker is it known which have one: there tests/e2e/test_hostile.py sends some."""
    body = ", ".join([form % name for name in range(2501)])
    monkeypatch.setattr("framework.sent_values.hash", len, raising=False)

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(f"{{{body}}}".encode(), type)


@pytest.mark.parametrize("form", ['"%d"', r'"\u0020%d"'])
def test_texts_of_one_hash_are_refused_before_a_set_is_made_of_them(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = ", ".join([form % text for text in range(2501)])
    monkeypatch.setattr("framework.sent_values.hash", len, raising=False)

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(f"[{body}]".encode(), set[str])


@pytest.mark.parametrize("count", [100, 101])
def test_a_hundred_of_one_hash_may_be_chance(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [UUID(int=number) for number in alike(count, sys.hash_info.modulus.bit_length())]
    texts = [str(text) for text in range(2501)]

    def has_hash(text: Any) -> int:  # of the first texts, as many as *count*, it is one
        return max(int(text), count - 1) if isinstance(text, str) else hash(text)

    monkeypatch.setattr("framework.sent_values.hash", has_hash, raising=False)

    for values, type in ((ids, set[UUID]), (texts, set[str])):
        with nullcontext() if count == 100 else pytest.raises(Invalid, match="one hash"):
            assert decode_json(msgspec.json.encode(values), type) == {*values}


@pytest.mark.parametrize(
    ("type", "of"),
    [
        (dict[str, int], lambda texts: dict.fromkeys(texts[1:], 0)),
        (set[str], lambda texts: {*texts[1:]}),
        (dict[str, list[str]], lambda texts: {"texts": texts}),
    ],
    ids=["names", "set", "no names"],
)
def test_a_few_names_may_have_one_hash_and_so_may_texts_that_are_not_hashed(
    type: Any, of: Callable[[list[str]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = of([str(text) for text in range(2501)])
    monkeypatch.setattr("framework.sent_values.hash", len, raising=False)

    assert decode_json(msgspec.json.encode(given), type) == given


@pytest.mark.parametrize("quote", ["", r"\"", r"\\\\", "é", "\U0001f600"], ids=ascii)
def test_names_are_looked_at_as_they_will_be_hashed(
    quote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ", ".join([f'"{quote}{name}{quote}" : ",:1"' for name in range(2501)])
    looked_at: list[str] = []
    monkeypatch.setattr("framework.sent_values.hash", looked_at.append, raising=False)

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(f"{{{names}}}".encode(), dict[str, str])

    given = msgspec.json.decode(f"{{{names}}}")
    assert looked_at[: 2 * len(given)] == [text for item in given.items() for text in item]


@pytest.mark.parametrize("last", [r'"\x"', '"\xff"', '"', '"\t"'], ids=ascii)
def test_names_beside_a_text_that_is_none_are_no_json(last: str) -> None:
    names = ", ".join([f'"{name}": 1' for name in range(2501)])

    with pytest.raises(BadRequest, match="not JSON"):
        decode_json(f"{{{names}, {last}: 1}}".encode("latin-1"), dict[str, int])


def test_many_names_that_are_given_again_are_none_that_were_chosen() -> None:
    sizes = [{f"n{name}": name for name in range(500)}] * 200

    assert decode_json(msgspec.json.encode(sizes), list[dict[str, int]]) == sizes


@pytest.mark.parametrize("digits", [15, 30])
def test_floats_are_alike_by_what_is_kept_of_them(digits: int) -> None:
    """In the Worker, where a hash has 31 bits, multiples of it with other digits behind are a flood."""
    body = ",".join(f"2147483647.{place:0{digits}}" for place in range(200))

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(f"[{body}]".encode(), set[float])


def test_numbers_of_one_hash_are_refused_as_keys() -> None:
    numbers = alike(20_000, sys.hash_info.modulus.bit_length())

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(
            b"{" + b",".join([b'"%d":1' % number for number in numbers]) + b"}", dict[int, int]
        )


@pytest.mark.parametrize(
    "hide",
    [
        lambda digits: digits.translate({ord("0") + value: 0xFF10 + value for value in range(10)}),
        lambda digits: f"{digits[:5]}_{digits[5:]}",
        lambda digits: digits.replace("7", r"\u0037"),
    ],
)
def test_numbers_of_one_hash_are_found_however_they_are_written(hide: Callable[[str], str]) -> None:
    numbers = alike(20_000, sys.hash_info.modulus.bit_length())
    body = ",".join(f'"{hide(f"{number:025}")}"' for number in numbers)

    with pytest.raises(Invalid, match="chosen to have one hash"):
        decode_json(f"[{body}]".encode(), set[Decimal])


@pytest.mark.parametrize(
    "numbers",
    [
        range(2**52, 2**52 + 20_000),
        range(0, 20_000 * 2**32, 2**32),
        [12_345_678_901] * 20_000,
        range(20_000),
    ],
)
def test_any_other_numbers_become_a_set(numbers: Iterable[int]) -> None:
    body = b"[" + b",".join([b"%d" % number for number in numbers]) + b"]"

    assert decode_json(body, set[int]) == {*numbers}


@pytest.mark.parametrize(
    ("type", "body"),
    [
        (dict[int, float], {str(number): float(number) for number in range(3000)}),
        (dict[int, Decimal], {str(number): f"{number}.00" for number in range(3000)}),
        (set[str], [hashlib.sha256(b"%d" % number).hexdigest() for number in range(3000)]),
        (set[str], [f"0e{number}x" for number in range(3000)]),
        (set[str], [str(number) for number in alike(3000, sys.hash_info.modulus.bit_length())]),
        (set[int], [1] * 3000),
        (set[str | int], ["sNaN", *range(3000)]),
        (set[UUID], [str(UUID(int=number)) for number in range(3000)] * 2),
    ],
)
def test_numbers_of_several_spellings_are_none_that_were_chosen(type: Any, body: Any) -> None:
    assert decode_json(msgspec.json.encode(body), type)


def test_any_other_uuids_become_a_set() -> None:
    ids = {uuid4() for _ in range(5000)} | {UUID(int=number) for number in range(5000)}

    assert decode_json(msgspec.json.encode(ids), set[UUID]) == ids


def test_dates_in_a_set_are_no_numbers_of_one_hash() -> None:
    days = [date.fromordinal(day) for day in range(700_000, 705_000)]

    assert decode_json(msgspec.json.encode(days), set[date]) == set(days)


async def test_a_misfit_that_a_later_key_covers_is_told_of_all_the_same() -> None:
    status, answer = await post("/note", b'{"size": "x", "size": 1, "text": "a"}')

    assert status == 422
    assert answer["errors"] == [{"detail": "Expected int, got str.", "pointer": "/size"}]


async def test_a_large_body_of_misfits_is_answered_with_some_of_them() -> None:
    status, answer = await post("/list", b"[" + b'"x",' * 250_000 + b"1]")

    assert status == 422
    assert len(answer["errors"]) == 100
    assert answer["errors"][99]["pointer"] == "/99"


async def test_a_misfit_far_down_is_found() -> None:
    status, answer = await post("/list", b"[" + b"1," * 500_000 + b'"x"]')

    assert status == 422
    assert answer["errors"] == [{"detail": "Expected int, got str.", "pointer": "/500000"}]


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/note", b"[]", [""]),
        ("/note", b"null", [""]),
        ("/note", b"1", [""]),
        ("/note", b'"text"', [""]),
        ("/note", b"{}", ["/text"]),
        ("/note", b'{"text": 1, "size": "x"}', ["/text", "/size"]),
        ("/note", b'{"text": null, "size": 1.5}', ["/text", "/size"]),
        ("/note", b'{"text": "a", "more": 1}', [""]),
        ("/envelope", b'{"data": {"text": 1}, "size": "x"}', ["/data/text", "/size"]),
        ("/envelope", b'{"data": {"text": ""}, "more": 1}', [""]),
        ("/envelope", b'{"data": {"text": ""}, "size": 1, "size": 1}', ["/size"]),
        ("/list", b"{}", [""]),
        ("/list", b'[1, "x", null, 2.5, 3]', ["/1", "/2", "/3"]),
        ("/dict", b'{"a": "x"}', [""]),
        ("/short", b"[1, 2, 3]", [""]),
        ("/short", b'[1, "x", 3]', ["/1"]),
    ],
)
async def test_every_misfit_has_a_pointer(path: str, body: bytes, pointers: list[str]) -> None:
    status, answer = await post(path, body)

    assert status == 422
    assert [error["pointer"] for error in answer["errors"]] == pointers


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (JSON, 200),
        ("APPLICATION/JSON", 200),
        ("application/json;", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json;charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; Charset=utf8", 200),
        ("application/json; x=y; charset=utf-8", 200),
        ("  application/json  ", 200),
        ("application/json; ;; charset=utf-8 ; ", 200),
        ('application/json; x="; charset=utf-16"; charset=utf-8', 200),
        ("application/json; x=" + "y" * 236, 200),
        ("application/json; x=" + "y" * 237, 415),
        ("application/json" + ";" * 7_000, 415),
        ("application/json;" * 2, 415),
        ("application/json;" * 430, 415),
        ("application/json; x", 415),
        ("application/json; =x", 415),
        ("application/json; x = y", 415),
        ("application/json; x=y z", 415),
        ('application/json; x="y', 415),
        ('application/json; x="y"z', 415),
        ("application/json; x=é", 415),
        ("application/json; charset=utf-8, application/json", 415),
        (None, 415),
        ("", 415),
        ("text/plain", 415),
        ("application/jsonx", 415),
        ("xapplication/json", 415),
        ("application/problem+json", 415),
        ("application/json/x", 415),
        ("a/b/c", 415),
        ("*/*", 415),
        ("json", 415),
        ("application/json, application/json", 415),
        ("text/plain, application/json", 415),
        ("application/json; charset=utf-7", 415),
        ("application/json; charset=latin-1", 415),
        ("application/json; charset=utf-8; charset=utf-16", 415),
        ("application/json; charset=", 415),
        ("application/json; charset", 415),
        ("application/json\u00ff", 415),
        (FORM, 415),
        ("multipart/form-data; boundary=x", 415),
    ],
    ids=lambda value: ascii(value)[:48],
)
async def test_a_body_of_another_type_is_refused(content_type: str | None, status: int) -> None:
    found, answer = await post("/note", b'{"text": "a"}', content_type)

    assert found == status
    if status == 415:
        assert answer["detail"] == "Send the body as application/json, in UTF-8."


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        (JSON, b'{"text": "a"}', 200),
        (FORM, b"text=a", 200),
        (FORM + "; charset=utf-8", b"text=a", 200),
        (FORM, b'{"text": "a"}', 422),
        (JSON, b"text=a", 400),
        ("text/plain", b"text=a", 415),
        (FORM + "; charset=utf-16", b"text=a", 415),
        (FORM + ";" + FORM, b"text=a", 415),
    ],
)
async def test_one_route_may_read_json_and_forms(
    content_type: str, body: bytes, status: int
) -> None:
    found, answer = await post("/either", body, content_type)

    assert found == status
    if status == 415:
        expected = f"{JSON} or {FORM}"
        assert answer["detail"] == f"Send the body as {expected}, in UTF-8."


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity", "x, y", "made-up"])
async def test_a_coded_body_is_refused(coding: str) -> None:
    headers = {"content-type": JSON, "content-encoding": coding}

    response = await app.request("POST", "/note", headers=headers, body=b'{"text": "a"}')

    assert response.status == 415
    assert response.header("accept-encoding") == "identity"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(("length", "status"), [("10", 204), ("11", 413), ("x", 413)])
async def test_a_handler_that_reads_no_body_does_not_run_for_one_that_is_too_long(
    method: str, length: str, status: int
) -> None:
    app, ran = App(body_limit=10), []
    app.on(method, "/", guard=public)(lambda: ran.append(1))

    answer = await app.request(method, "/", headers={"content-length": length})

    assert (answer.status, ran) == (status, [1] if status == 204 else [])


@pytest.mark.parametrize(
    ("size", "status"), [(BODY_LIMIT - 1, 200), (BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)]
)
@pytest.mark.parametrize("path", ["/text", "/any"])
async def test_a_body_of_a_mebibyte_is_read_and_no_more(path: str, size: int, status: int) -> None:
    body = b'"' + b"x" * (size - 2) + b'"'
    response = await app.request("POST", path, headers={"content-type": JSON}, body=body)

    assert response.status == status


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ("0", 200),
        ("2", 200),
        (str(BODY_LIMIT), 200),
        (str(BODY_LIMIT + 1), 413),
        ("9" * 15, 413),
        ("9" * 20, 413),
        ("9" * 10_000, 413),
        ("-1", 413),
        ("abc", 413),
        ("1e3", 413),
        ("²", 413),
        ("2, 2", 413),
    ],
    ids=lambda value: ascii(value)[:20],
)
async def test_a_declared_length_is_believed_only_where_it_is_too_much(
    declared: str, status: int
) -> None:
    for body in (b"{}", b"x" * (BODY_LIMIT + 1)):
        response = await app.request(
            "POST", "/text", headers={"content-length": declared}, body=body
        )
        assert response.status == (status if len(body) == 2 else 413)


async def test_an_application_sets_its_own_limit() -> None:
    small = App(body_limit=10)
    small.post("/", guard=public)(read_text)

    statuses = [(await small.request("POST", "/", body=b"x" * n)).status for n in (10, 11)]

    assert statuses == [200, 413]


async def test_a_body_is_read_once_and_kept() -> None:
    reads: list[int] = []

    async def read(limit: int) -> bytes:
        reads.append(limit)
        return b'{"a": 1}'

    request = Request("POST", "http", "localhost", "/", "", Headers(), read)

    assert await request.bytes() == b'{"a": 1}'
    assert await request.text() == '{"a": 1}'
    assert await request.json() == {"a": 1}
    assert await request.form() == {'{"a": 1}': [""]}
    assert reads == [BODY_LIMIT]


@pytest.mark.parametrize(
    ("error", "status"), [(ContentTooLarge(), 413), (BadRequest("Cut short."), 400)]
)
async def test_what_the_edge_says_of_a_body_is_answered(error: HTTPError, status: int) -> None:
    async def read(limit: int) -> bytes:
        raise copy(error)

    headers = Headers([("content-type", JSON)])
    request = Request("POST", "http", "localhost", "/note", "", headers, read)

    assert (await app.handle(request, {})).status == status


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"name=a", {"name": "a"}),
        (b"name=a+b%21", {"name": "a b!"}),
        (b"name=%C3%A9&size=3&agreed=true", {"name": "é", "size": 3, "agreed": True}),
        (b"name=a&tags=x", {"name": "a", "tags": ["x"]}),
        (b"name=a&tags=x&tags=y", {"name": "a", "tags": ["x", "y"]}),
        (b"name=a&groups=x", {"name": "a", "groups": ["x"]}),
        (b"name=a&groups=x&groups=y", {"name": "a", "groups": ["x", "y"]}),
        (b"name=a;size=3", {"name": "a;size=3"}),
        (b"name=a&unknown=1", {"name": "a"}),
        (b"name=", {"name": ""}),
        (b"name=123", {"name": "123"}),
        (b"name=null", {"name": "null"}),
        (b"&&name=a&&", {"name": "a"}),
        (b"name=a&weight=1.5", {"name": "a", "weight": 1.5}),
        (b"name=a&most=", {"name": "a", "most": ""}),
        (b"name=a&most=5", {"name": "a", "most": 5}),
        (b"name=a&weight=1e2&sizes=1", {"name": "a", "weight": 100.0, "sizes": [1]}),
    ],
)
async def test_a_form_is_read(body: bytes, expected: dict[str, Any]) -> None:
    status, answer = await post("/form", body, FORM)

    assert status == 200
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"", 422, ["/name"]),
        (b"name=a&name=b", 422, ["/name"]),
        (b"name=a&size=x", 422, ["/size"]),
        (b"name=a&size=1&size=2", 422, ["/size"]),
        (b"size=x&agreed=maybe", 422, ["/name", "/size", "/agreed"]),
        (b"name=a&size=", 422, ["/size"]),
        (b"name=a&size=1_000", 422, ["/size"]),
        (b"name=a&size=1.0", 422, ["/size"]),
        (b"name=a&size=-0", 422, ["/size"]),
        (b"name=a&size=1e2&weight=x&sizes=1&sizes=2.0", 422, ["/size", "/weight", "/sizes/1"]),
        (b"name=a&most=1.0", 422, ["/most"]),
        (b"name=a&most=1e2", 422, ["/most"]),
        (b"name=a&size=%D9%A3", 422, ["/size"]),
        (b"name=a&size=9007199254740993", 422, ["/size"]),
        (b"name=a&weight=nan", 422, ["/weight"]),
        (b"name=a&weight=-inf", 422, ["/weight"]),
        (b"name=a&weight=infinity&size=-9007199254740993", 422, ["/size", "/weight"]),
        (b"name=%", 400, None),
        (b"name=%zz", 400, None),
        (b"name=%ff", 400, None),
        (b"name=%ed%a0%80", 400, None),
        (b"name=\xff", 400, None),
        (b"a=1&" * 1_000 + b"name=a", 400, None),
        (b"&" * BODY_LIMIT, 400, None),
        (b"x" * (BODY_LIMIT + 1), 413, None),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_a_form_that_does_not_fit_is_refused(
    body: bytes, status: int, pointers: list[str] | None
) -> None:
    found, answer = await post("/form", body, FORM)

    assert found == status
    assert [error["pointer"] for error in answer.get("errors", [])] == (pointers or [])


async def test_of_text_that_does_not_fit_nobody_is_told_that_it_is_text() -> None:
    _, answer = await post("/form", b"name=a&size=x&weight=y", FORM)

    assert [error["detail"] for error in answer["errors"]] == ["Expected int.", "Expected float."]


@pytest.mark.parametrize(
    ("content", "data"),
    [({"json": {"data": {"text": "a"}}}, {"text": "a", "size": 0}), ({"form": {"data": "1"}}, 1)],
    ids=["json", "form"],
)
async def test_a_generic_struct_is_a_body(content: dict[str, Any], data: Any) -> None:
    response = await app.request("POST", "/envelope", **content)

    assert json_of(response) == {"data": data, "size": 0}


class Sets(msgspec.Struct):
    """What is in a set has to be one that Python can tell from others."""

    prices: set[Decimal] = set()
    names: set[Any] = set()


class Broken(msgspec.Struct):
    """A Struct whose own default fails."""

    text: str
    key: str = msgspec.field(default_factory=lambda: "a" + 1)  # type: ignore[operator]  # on purpose


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"prices": ["1.5", "sNaN"]}, "/prices/1"),
        ({"names": ["a", ["b"]]}, "/names/1"),
        ({"names": [{}]}, "/names/0"),
    ],
)
def test_what_no_set_holds_does_not_fit(body: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_json(msgspec.json.encode(body), Sets)

    (error,) = caught.value.errors
    assert (error.detail, error.pointer) == ("This is not one of the values allowed here.", pointer)


Word = Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]


def test_a_pattern_beside_a_list_is_there_for_every_request() -> None:
    # msgspec 0.22 freed it each time: the process crashed at the fiftieth.
    for _ in range(1_000):
        assert decode_json(b'["tea"]', Word | list[Word]) == ["tea"]
        with pytest.raises(Invalid):
            decode_json(b'["TEA"]', Word | list[Word])


def test_a_default_that_fails_is_no_fault_of_the_client() -> None:
    with pytest.raises(TypeError, match="can only concatenate"):
        decode_json(b'{"text": "tea"}', Broken)
    with pytest.raises(Invalid):
        decode_json(b'{"text": 1}', Broken)


def read_settings() -> int:
    """Fail as a default that is read from somewhere may."""
    return int(msgspec.json.decode(b"1,000"))


class Misread(msgspec.Struct, tag=True):
    """A Struct whose default fails with a `ValueError`."""

    size: int = msgspec.field(default_factory=read_settings)


class Ruled(Misread):
    """The same, with rules of its own."""

    def __post_init__(self) -> None:
        """Allow everything."""


@pytest.mark.parametrize(
    ("type", "body"),
    [
        (Misread, {"type": "Misread"}),
        (Misread | Ruled, {"type": "Misread"}),
        (dict[str, Misread], {"a": {"type": "Misread"}}),
        (tuple[Misread, ...], [{"type": "Misread"}]),
        (list[Ruled], [{"type": "Ruled"}]),
    ],
    ids=["itself", "of several", "by name", "in a tuple", "with rules"],
)
def test_a_default_that_fails_anywhere_inside_is_no_misfit(type: Any, body: Any) -> None:
    with pytest.raises(msgspec.DecodeError, match="trailing characters"):
        decode_json(msgspec.json.encode(body), type)


class Settled(msgspec.Struct):
    """A Struct whose rules are told by msgspec itself."""

    text: str

    def __post_init__(self) -> None:
        """Raise `ValidationError`."""
        msgspec.convert(self.text, Literal["a"])


@pytest.mark.parametrize("type", [Settled, Settled | None, list[Settled], dict[str, Settled]])
def test_rules_that_msgspec_checks_are_rules(type: Any) -> None:
    bodies = {list[Settled]: [{"text": "b"}], dict[str, Settled]: {"a": {"text": "b"}}}

    with pytest.raises(Invalid):
        decode_json(msgspec.json.encode(bodies.get(type, {"text": "b"})), type)


async def test_a_struct_with_its_own_rules_says_what_they_are() -> None:
    class Range(msgspec.Struct):
        low: int
        high: int

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low may not be above high")

    ranged = App()

    @ranged.post("/", guard=public)
    async def read(value: list[Range]) -> int:
        return len(value)

    response = await ranged.request(
        "POST", "/", json=[{"low": 1, "high": 2}, {"low": 2, "high": 1}]
    )

    assert json_of(response)["errors"] == [
        {"detail": "low may not be above high", "pointer": "/1"},
    ]


# --- Fields with other names than in Python ------------------------------------------------------


class Kebab(msgspec.Struct, rename="kebab"):
    some_tags: list[str] = []
    page_count: int = 1
    due_on: date | None = None
    starts_at: datetime | None = None
    at_most: float = float("inf")


@pytest.mark.parametrize(
    ("form", "pointers"),
    [
        (b"some-tags=a", None),
        (b"page-count=2&due-on=&starts-at=2026-01-01T00:00:00Z&at-most=1", None),
        (b"page-count=2.0", ["/page-count"]),
        (b"due-on=&due-on=", ["/due-on"]),
        (b"starts-at=2026-01-01T00:00:00", ["/starts-at"]),
        (b"at-most=1e999", ["/at-most"]),
    ],
    ids=str,
)
def test_fields_go_by_the_names_that_are_sent(form: bytes, pointers: list[str] | None) -> None:
    decode = form_decoder(Kebab)

    if pointers is None:
        assert isinstance(decode(form, ""), Kebab)
        return
    with pytest.raises(Invalid) as caught:
        decode(form, "")
    assert [error.pointer for error in caught.value.errors] == pointers


class Stay(msgspec.Struct):
    days: int


def test_a_form_may_have_a_note() -> None:
    assert form_decoder(Annotated[Stay, "how long"])(b"days=3", "") == Stay(3)


def test_what_a_request_asks_for_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def count(type: Any) -> Any:
        asked.append(type)
        return all_parts(type)

    monkeypatch.setattr("framework.body.all_parts", count)

    class Order(msgspec.Struct):
        number: int

    for _ in range(3):
        assert decode_json(b'{"number": 1}', Order) == Order(1)
        assert decode_json(b"[1]", Annotated[list[int], {"no": "hash"}]) == [1]
    assert asked.count(Order) == 1
