"""Bad input: refused with a 4xx, quickly, and the next good request is answered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import product
from time import perf_counter
from typing import Any

import pytest

from framework.testing import Client, json_of
from tests.e2e.assertions import cookies_of, is_problem, text_of
from tests.e2e.people import Person
from tests.e2e.service import Service
from tests.e2e.test_accounts import cleared

JSON = {"content-type": "application/json"}
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
async def _the_next_good_request_is_answered(service: Service) -> AsyncIterator[None]:
    yield
    answer = await service.request("GET", "/health")
    assert (answer.status, json_of(answer)) == (200, {"status": "ok"})


def nested(depth: int) -> bytes:
    return b'{"title": "t", "deep": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"{",
        b'{"title": "t"',
        b'{"title": "t",}',
        b'{"title": "t"} x',
        b"{'title': 't'}",
        b'{"title": NaN}',
        b'{"title": Infinity}',
        b'\xef\xbb\xbf{"title": "t"}',
        '{"title": "t"}'.encode("utf-16"),
        b'{"title": "\xff"}',
        b'{"title": "\xed\xa0\x80"}',
        b'{"title": "\xc0\xaf"}',
        b'{"title": "\\ud800"}',
        b'{"title": "\\x41"}',
        b'{"title": "a\nb"}',
        b'{"title": // \n "t"}',
        b"\0",
    ],
    ids=ascii,
)
async def test_what_is_no_json(resident: Person, body: bytes) -> None:
    answer = await resident.browser.post("/notes", body=body, headers=JSON)

    assert is_problem(answer, 400, "malformed-request")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (nested(64), 422),
        (nested(65), 400),
        (nested(4_000), 400),
        (nested(500_000), 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"zz":' + b"[" * 9_000 + b"]" * 9_000 + b"}", 400),
        (b'{"title": "' + b"[" * 100 + b'"}', 201),
        (b'{"title": "' + b'\\"[' * 60 + b'"}', 201),
    ],
    ids=["64", "65", "4000", "500000", "open", "objects", "unknown field", "string", "quotes"],
)
async def test_json_that_nests_too_deep(resident: Person, body: bytes, status: int) -> None:
    answer = await resident.browser.post("/notes", body=body, headers=JSON)

    assert answer.status == status, answer.body


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": 1e400}',
        b'{"title": "t", "body": ' + b"9" * 5_000 + b"}",
        b'{"title": -1E+99999999}',
        b'{"title": true}',
        b'{"title": null}',
        b'{"title": ["t"]}',
        b'{"title": "t", "' + b"k" * 100_000 + b'": 1}',
    ],
    ids=["1e400", "digits", "exponent", "bool", "null", "array", "long key"],
)
async def test_json_that_does_not_fit(resident: Person, body: bytes) -> None:
    answer = await resident.browser.post("/notes", body=body, headers=JSON)

    assert is_problem(answer, 422, "invalid-request")


def names_alike() -> Iterator[str]:
    """Yield 24,000 names that have one hash in the Worker, whose seed everybody knows.

    Python there hashes text by FNV, with 32 bits: the second four characters undo the first.
    """
    seed, drawn, last = 111, [], 2**32 - 1  # as workerd sets it, and how Python draws from it
    for _ in range(4):
        seed = (seed * 214_013 + 2_531_011) & last
        drawn.append(seed >> 16 & 255)
    start = int.from_bytes(bytes(drawn), "little") ^ ord("k") << 7
    first = [b"k%c%c%c" % three for three in product(range(40, 127), repeat=3)]
    states = [start * 1_000_003 & last ^ int.from_bytes(four, "little") for four in first]
    wanted = states[0] * 1_000_003 ^ int.from_bytes(b"MMMM", "little")
    for four, state in zip(first, states, strict=True):
        second = ((state * 1_000_003 ^ wanted) & last).to_bytes(4, "little")
        name = (four + second).decode("latin-1")
        if name.isascii() and name.isprintable():
            yield f"{name}aaaa"


async def test_names_that_were_chosen_to_have_one_hash(browser: Client) -> None:
    names = dict.fromkeys(names_alike(), 0)
    started = perf_counter()

    answer = await browser.post("/sign-in", json={"username": 1, **names})

    assert is_problem(answer, 422, "invalid-request")
    assert perf_counter() - started < 3  # 12 in the Worker, where a dict was made of them


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in"])
async def test_whoever_is_not_signed_in_gets_no_deeper(browser: Client, path: str) -> None:
    answer = await browser.post(path, body=b"[" * 17_000, headers=JSON)

    assert is_problem(answer, 400, "malformed-request")


async def test_a_guard_is_asked_before_the_body_is_read(browser: Client) -> None:
    answer = await browser.post("/notes", body=b"[" * 17_000, headers=JSON)

    assert is_problem(answer, 401, "unauthorized")


# --- Types and sizes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/html",
        "application/xml",
        "application/jsonp",
        "json",
        "a/b/c",
        "application/json, application/json",
        "application/json; charset=utf-7",
        "application/json;" * 400,
    ],
    ids=["none", "empty", "text", "html", "xml", "jsonp", "json", "abc", "two", "charset", "long"],
)
async def test_a_body_of_another_type(resident: Person, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}

    answer = await resident.browser.post("/notes", body=b'{"title": "t"}', headers=headers)

    assert is_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type",
    ["APPLICATION/JSON", "application/json; charset=utf-8", "application/json;"],
)
async def test_a_type_may_be_written_otherwise(resident: Person, content_type: str) -> None:
    headers = {"content-type": content_type}

    answer = await resident.browser.post("/notes", body=b'{"title": "t"}', headers=headers)

    assert answer.status == 201, answer.body


async def test_a_compressed_body(resident: Person) -> None:
    headers = JSON | {"content-encoding": "gzip"}

    answer = await resident.browser.post("/notes", body=b"\x1f\x8b", headers=headers)

    assert is_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(("size", "status"), [(MIB, 422), (MIB + 1, 413), (3 * MIB, 413)])
@pytest.mark.parametrize("in_chunks", [False, True], ids=["length", "chunked"])
async def test_a_body_that_is_too_large(
    service: Service, resident: Person, size: int, status: int, in_chunks: bool
) -> None:
    body = b'{"title": "t", "body": "%s"}' % (b"b" * (size - 26))
    assert len(body) == size
    cookie = f"{service.cookie_name}={resident.browser.cookies[service.cookie_name]}"
    headers = [*JSON.items(), ("cookie", cookie), ("sec-fetch-site", "same-origin")]
    pieces = [body[start : start + 65_536] for start in range(0, size, 65_536)]

    answer = await service.request(
        "POST", "/notes", headers=headers, body=pieces if in_chunks else body
    )

    assert answer.status == status, answer.body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"title=%ff", 400),
        (b"title=%zz", 400),
        (b"title=%", 400),
        (b"title=\xff", 400),
        (b"title=%ed%a0%80", 400),
        (b"title=t&title=u", 422),
        (b"a=b&" * 1_001, 400),
        (b"&" * 500_000, 400),
        (b"title=t;body=u", 201),
        (b"title=t&__proto__=x", 422),
        (b"", 422),
        (b"=&==&&", 422),
    ],
    ids=ascii,
)
async def test_forms(resident: Person, body: bytes, status: int) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}

    answer = await resident.browser.post("/notes", body=body, headers=headers)

    assert answer.status == status, answer.body


# --- Methods and paths ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PURGE", "PROPFIND", "QUERY", "COPY"])
async def test_a_method_that_no_route_has(service: Service, method: str) -> None:
    answer = await service.request(method, "/me")

    assert answer.status in {405, 501}
    assert answer.status == 501 or answer.header("allow") == "DELETE, GET, HEAD, OPTIONS"


async def test_trace_shows_nobody_their_cookies(tracer: Service, resident: Person) -> None:
    answer = await resident.browser.request("TRACE", "/me")

    assert answer.status in {405, 501}
    assert tracer.cookie_name not in text_of(answer)


@pytest.mark.parametrize("method", ["FOO", "get", "__init__", "DISPATCH", "X" * 5_000])
async def test_a_method_that_is_none(service: Service, method: str) -> None:
    assert (await service.request(method, "/me")).status in {400, 405, 501}


@pytest.mark.parametrize(
    "path",
    [
        "/notes%2F1",
        "/notes/%2F",
        "/notes/1%2Fdelete",
        "/notes%5C1",
        "/notes/%00",
        "/notes/1%00",
        "/notes/1%0A",
        "/notes/1%0d%0a",
        "/me%7F",
        "/notes/%ff",
        "/notes/%c0%ae",
        "/notes/%ed%a0%80",
        "/notes/%zz",
        "/notes/%",
        "/%u002e",
    ],
)
async def test_a_path_that_hides_something(resident: Person, path: str) -> None:
    answer = await resident.browser.get(path)

    assert is_problem(answer, 400, "malformed-request")


@pytest.mark.parametrize(
    "path",
    [
        "/notes/1;x=1",
        "/notes/..;/1",
        "/%252e%252e/me",
        "/notes/%D9%A1",
        "/" * 5_000,
        "/a" * 4_000,
        "/" + "a" * 8_000,
        "/%EF%BC%8F",
        "/%3Cscript%3E",
    ],
    ids=lambda path: path[:20],
)
async def test_a_path_that_leads_nowhere(browser: Client, path: str) -> None:
    assert is_problem(await browser.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/%6De", 200),
        ("/./me", 200),
        ("/notes/../me", 200),
        ("/%2e/me", 200),
        ("/x/%2E%2e/me", 200),
    ],
)
async def test_one_page_spelled_otherwise_stands_behind_its_guard(
    resident: Person, browser: Client, path: str, status: int
) -> None:
    assert (await resident.browser.get(path)).status == status
    assert (await browser.get(path)).status == 401


@pytest.mark.parametrize(
    "query",
    ["limit=%ff", "limit=%zz", "limit=%", "&" * 1_001, "limit=1&limit=2", "a=%00"],
    ids=lambda query: query[:20],
)
async def test_queries(resident: Person, query: str) -> None:
    assert (await resident.browser.get(f"/notes?{query}")).status in {200, 400, 422}


# --- Cookies -------------------------------------------------------------------------------------

_TOKENS = [
    "",
    "a",
    "a" * 39,
    "a" * 40,
    "a" * 41,
    "a" * 1_000,
    "a" * 8_000,
    "A" * 40,
    "null",
    "undefined",
    "None",
    "0",
    "' OR 1=1--",
    "%",
    "_" * 40,
    "*" * 40,
    "a' UNION SELECT 1--",
    "%00" * 13,
    "é" * 40,
    "😀" * 10,
    "\u212a" * 40,
    "１" * 40,  # noqa: RUF001  # full-width digits
    "a" * 39 + "=",
    "+/" * 20,
    "-_" * 20,
    " ",
    '"' + "a" * 40 + '"',
    "a" * 20 + "." + "a" * 19,
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    '{"id":1}',
    "\\" * 40,
]


@pytest.mark.parametrize("token", _TOKENS, ids=lambda token: ascii(token)[:24])
async def test_junk_signs_nobody_in(service: Service, token: str) -> None:
    headers = [("cookie", f"{service.cookie_name}={token}")]

    answer = await service.request("GET", "/me", headers=_as_bytes(headers))

    assert is_problem(answer, 401, "unauthorized")
    assert cookies_of(answer) == cleared(service)


def _as_bytes(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return *headers* with text as the wire carries it: UTF-8, a character for each byte."""
    return [(name, value.encode().decode("latin-1")) for name, value in headers]


async def test_a_spelling_of_a_good_token_is_not_that_token(
    person: Person, service: Service
) -> None:
    name, token = service.cookie_name, person.browser.cookies[service.cookie_name]
    spellings = [token.upper(), token[:-1], token + "a", token[20:] + token[:20], f'"{token}"']

    for spelling in [*spellings, "%" + f"{ord(token[0]):x}" + token[1:], f"{token} {token}"]:
        answer = await service.request("GET", "/me", headers=[("cookie", f"{name}={spelling}")])
        assert answer.status == 401, spelling
    for other in (name.upper(), f" {name}x", name[:-1]):
        answer = await service.request("GET", "/me", headers=[("cookie", f"{other}={token}")])
        assert answer.status == 401, other


@pytest.mark.parametrize(
    ("cookies", "status"),
    [
        (["x={'a':1}; S=T"], 200),
        (["path=1; expires; S=T; x"], 200),
        ([';;=; =x; a="; S=T'], 200),
        (["é=1; S=T"], 200),
        (["a=1; " * 3_000 + "S=T"], 200),
        (["S=T; S=T"], 200),
        (["S=T; S=other"], 401),
        (["S=other; S=T"], 401),
        (["S=T", "a=1"], 401),
        (["a=1", "S=T"], 401),
        (["a=1, S=T"], 401),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_cookies_beside_the_session(
    person: Person, service: Service, cookies: list[str], status: int
) -> None:
    name, token = service.cookie_name, person.browser.cookies[service.cookie_name]
    sent = [text.replace("S=", f"{name}=").replace("=T", f"={token}") for text in cookies]

    answer = await service.request(
        "GET", "/me", headers=_as_bytes([("cookie", text) for text in sent])
    )

    assert answer.status == status


@pytest.mark.parametrize(
    "authorization", ["Bearer {token}", "bearer {token}", "Basic {token}", "{token}", "Bearer"]
)
async def test_a_session_is_no_bearer_token(
    resident: Person, service: Service, authorization: str
) -> None:
    token = resident.browser.cookies[service.cookie_name]
    headers = [("authorization", authorization.format(token=token))]

    assert (await service.request("GET", "/me", headers=headers)).status == 401


async def test_a_token_in_the_url_signs_nobody_in(resident: Person, service: Service) -> None:
    name, token = service.cookie_name, resident.browser.cookies[service.cookie_name]

    assert (await service.request("GET", f"/me?{name}={token}")).status == 401


# --- Headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        [("accept", "," * 20_000)],
        [("accept-language", "en;q=" * 4_000)],
        [("range", "bytes=0-0," * 2_000)],
        [("if-none-match", '"' * 20_000)],
        [("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1")],
        [("x-middleware-subrequest", "middleware")],
        [("x-original-url", "/health"), ("x-rewrite-url", "/health")],
        [("user-agent", "\x80" * 1_000)],
    ],
    ids=lambda headers: headers[0][0],
)
async def test_no_header_opens_a_guard(browser: Client, headers: list[tuple[str, str]]) -> None:
    assert (await browser.get("/me", headers=headers)).status in {400, 401, 431}


@pytest.mark.parametrize("agent", ["", "a" * 5_000, "<b>\x80\xff", "\t"])
async def test_any_user_agent_may_sign_in(person: Person, service: Service, agent: str) -> None:
    browser = service.browser(user_agent=agent)

    assert (await person.sign_in(browser)).status == 200
    sessions = json_of(await browser.get("/sessions"))["sessions"]
    (own,) = [each for each in sessions if each["current"]]
    assert own["user_agent"] is None or len(own["user_agent"]) <= 255


async def test_bad_requests_among_good_ones(resident: Person, service: Service) -> None:
    bad = [
        service.request("POST", "/sign-in", headers=[*JSON.items()], body=b"[" * 50_000)
        for _ in range(20)
    ]
    good: list[Any] = [resident.browser.get("/me") for _ in range(20)]

    answers = await asyncio.gather(*bad, *good)

    assert [answer.status for answer in answers] == [400] * 20 + [200] * 20
