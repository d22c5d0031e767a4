"""A bad cookie never hides a good one, and none is sent that a browser would refuse or misread."""

import re
from contextlib import suppress
from string import ascii_letters, digits
from typing import Any

import pytest

from framework import App, Context, public
from framework.cookies import AGE_LIMIT, SetCookie, parse_cookies

GOOD = "s=tok"


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("s=tok", {"s": ["tok"]}),
        ("a=1; s=tok", {"a": ["1"], "s": ["tok"]}),
        ("a=1;s=tok", {"a": ["1"], "s": ["tok"]}),
        ("  s \t=\t tok  ", {"s": ["tok"]}),
        ("s=", {"s": [""]}),
        ("s", {}),
        ("=tok", {}),
        ("=", {}),
        ("=__Host-s=v", {}),
        (" =__Host-s=v; s=tok", {"s": ["tok"]}),
        (";;; ;s=tok;", {"s": ["tok"]}),
        ("s=a=b==", {"s": ["a=b=="]}),
        ("s=1; s=2; s=1", {"s": ["1", "2", "1"]}),
        ("a=1, b=2", {"a": ["1, b=2"]}),
        ('x={"a":1}; s=tok', {"x": ['{"a":1}'], "s": ["tok"]}),
        ("path=1; expires=0; s=tok", {"path": ["1"], "expires": ["0"], "s": ["tok"]}),
        ('s="tok"', {"s": ['"tok"']}),
        ('s="a;b"', {"s": ['"a']}),
        (r's="\073\015\012x"', {"s": [r'"\073\015\012x"']}),
        ("s=%41%3B", {"s": ["%41%3B"]}),
        ("s=a+b", {"s": ["a+b"]}),
        ("__HOST-s=1; __Host-s=2", {"__HOST-s": ["1"], "__Host-s": ["2"]}),
        ("\u00a0s=1; s=2", {"\u00a0s": ["1"], "s": ["2"]}),
        ("\ufeffs=1; s=2", {"\ufeffs": ["1"], "s": ["2"]}),
        ("\x0bs=1; \x0cs=1; s=2", {"\x0bs": ["1"], "\x0cs": ["1"], "s": ["2"]}),
        ("s=é; t=\ufffd", {"s": ["é"], "t": ["\ufffd"]}),
        ("s=\x01\x7f", {"s": ["\x01\x7f"]}),
        ("s=\u00a01\x0b", {"s": ["\u00a01\x0b"]}),
        ("Xs=Xv", {"Xs": ["Xv"]}),
        ('"; s=tok', {"s": ["tok"]}),
        ('a="; s=tok', {"a": ['"'], "s": ["tok"]}),
        ("$Version=1; s=tok; $Path=/", {"$Version": ["1"], "s": ["tok"], "$Path": ["/"]}),
        ("s=a,b", {"s": ["a,b"]}),
    ],
)
def test_a_header_is_read_pair_by_pair(header: str, cookies: dict[str, list[str]]) -> None:
    assert parse_cookies(header) == cookies


@pytest.mark.parametrize(
    "neighbour",
    [
        "",
        "=",
        "=x",
        "x",
        '"',
        "\\" * 20_000,
        '"' * 20_000,
        "a=" + "v" * 120_000,
        "é=é",
        "\x00=\x00",
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_no_neighbour_hides_a_cookie(neighbour: str) -> None:
    for header in (
        f"{neighbour}; {GOOD}",
        f"{GOOD}; {neighbour}",
        f"{neighbour};{GOOD};{neighbour}",
    ):
        assert parse_cookies(header)["s"] == ["tok"]


def test_ten_thousand_pairs_are_read() -> None:
    cookies = parse_cookies("; ".join(f"c{n}={n}" for n in range(10_000)))

    assert len(cookies) == 10_000


class Counted(str):
    """Text that counts how many characters are looked at by splitting it."""

    seen = 0

    def split(self, *arguments: Any) -> Any:
        Counted.seen += len(self)
        return [Counted(part) for part in super().split(*arguments)]

    def partition(self, separator: str) -> Any:
        Counted.seen += len(self)
        return tuple(Counted(part) for part in super().partition(separator))

    def strip(self, *arguments: Any) -> Any:
        Counted.seen += len(self)
        return Counted(super().strip(*arguments))


@pytest.mark.parametrize("unit", ["a=b;", '"', "\\", ";", "=", " ", "a", "a=\\;"])
def test_every_character_is_looked_at_a_few_times_only(unit: str) -> None:
    header = Counted(unit * (128 * 1024 // len(unit)))
    Counted.seen = 0

    parse_cookies(header)

    assert Counted.seen <= 4 * len(header)


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({}, "a=1; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"max_age": 0}, "a=1; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"max_age": AGE_LIMIT}, "a=1; Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"path": "/x y"}, "a=1; Path=/x y; Secure; HttpOnly; SameSite=Lax"),
        ({"domain": "a.com"}, "a=1; Domain=a.com; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"secure": False}, "a=1; Path=/; HttpOnly; SameSite=Lax"),
        ({"http_only": False}, "a=1; Path=/; Secure; SameSite=Lax"),
        ({"same_site": "Strict"}, "a=1; Path=/; Secure; HttpOnly; SameSite=Strict"),
        ({"same_site": "None"}, "a=1; Path=/; Secure; HttpOnly; SameSite=None"),
        ({"name": "__Host-a"}, "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"name": "__Secure-a"}, "__Secure-a=1; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"name": "__Http-a"}, "__Http-a=1; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (
            {"name": "__session", "secure": False},  # no prefix that promises anything
            "__session=1; Path=/; HttpOnly; SameSite=Lax",
        ),
        ({"value": ""}, "a=; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"value": "a=b/c+d:e"}, "a=a=b/c+d:e; Path=/; Secure; HttpOnly; SameSite=Lax"),
    ],
)
def test_a_cookie_is_written_safe_unless_told_otherwise(
    options: dict[str, Any], header: str
) -> None:
    assert SetCookie(**{"name": "a", "value": "1", **options}).header() == header


REFUSED: dict[str, list[dict[str, Any]]] = {
    "the name is not a token": [
        {"name": name} for name in ("", "a b", "a=b", "a;b", "a,b", "é", "a\n", "a\r", "a\x00")
    ],
    "the value holds a forbidden character": [
        *[{"value": value} for value in ("a;b", "a b", "a,b", '"a"', "a\\b", "é", "a\n", "a\r\nb")],
        *[{"value": value} for value in ("\x00", "\x7f", "a\t", "\ud800")],
    ],
    "longer than 4096 octets": [{"value": "v" * 4096}],
    "the path does not start with / or holds a forbidden character": [
        {"path": path} for path in ("", "x", "/;x", "/\n", "/é", "/\x00", "/; Domain=evil.com")
    ],
    "the domain is not a host name": [
        {"domain": domain} for domain in ("", "a;b", "a b", "a\n", "é.com", "a.com; Path=/x")
    ],
    'SameSite must be "Lax", "Strict" or "None"': [
        {"same_site": same} for same in ("lax", "", "Lax; Domain=evil.com", "Lax\n", None)
    ],
    "Max-Age must be a whole number of seconds, 0 to 400 days": [
        {"max_age": age} for age in (-1, 60.0, True, AGE_LIMIT + 1)
    ],
    "SameSite=None requires Secure": [{"same_site": "None", "secure": False}],
    "a __ prefix requires Secure": [
        {"name": name, "secure": False}
        for name in ("__Host-a", "__Secure-a", "__SECURE-a", "__Http-a")
    ],
    "a __Host- prefix requires Path=/ and no Domain": [
        {"name": "__Host-a", "path": "/x"},
        {"name": "__Host-a", "domain": "a.com"},
        {"name": "__HOST-a", "domain": "a.com"},
        {"name": "__host-a", "path": "/x"},
        {"name": "__Host-Http-a", "path": "/x"},
    ],
    "a __Http- prefix requires HttpOnly": [
        {"name": name, "http_only": False} for name in ("__Http-a", "__HTTP-a", "__Host-Http-a")
    ],
}


@pytest.mark.parametrize(
    ("reason", "options"),
    [(reason, options) for reason, rows in REFUSED.items() for options in rows],
    ids=lambda part: ascii(part)[:40],
)
def test_a_cookie_that_a_browser_would_refuse_or_misread_is_not_made(
    reason: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=f"^cookie refused: {re.escape(reason)}$"):
        SetCookie(**{"name": "a", "value": "1", **options})


def test_a_cookie_stays_as_it_was_when_it_was_checked() -> None:
    cookie = SetCookie(name="a", value="1")

    with pytest.raises(AttributeError):
        cookie.value = "1; Domain=evil.com"  # type: ignore[misc]  # it is frozen


TOKEN = {*"!#$%&'*+-.^_`|~", *ascii_letters, *digits}
PRINTED = set(map(chr, range(0x20, 0x7F)))


@pytest.mark.parametrize(
    ("field", "start", "allowed"),
    [
        ("name", "", TOKEN),
        ("domain", "", TOKEN),
        ("value", "", PRINTED - set(' ",;\\')),
        ("path", "/", PRINTED - {";"}),
    ],
)
def test_each_part_takes_the_characters_of_its_rfc(
    field: str, start: str, allowed: set[str]
) -> None:
    taken = set()
    for character in map(chr, range(256)):
        options: dict[str, Any] = {"name": "a", "value": "1", field: start + character}
        with suppress(ValueError):
            SetCookie(**options)
            taken.add(character)

    assert taken == allowed


def test_a_cookie_as_long_as_browsers_keep_is_made() -> None:
    assert SetCookie(name="a", value="v" * 4095).header().startswith("a=v")


def test_a_value_is_in_no_error_and_no_repr() -> None:
    assert "CANARY" not in repr(SetCookie(name="a", value="CANARY"))
    with pytest.raises(ValueError, match="cookie refused") as refused:
        SetCookie(name="a", value="CANARY;")
    assert "CANARY" not in str(refused.value)


async def test_cookies_are_sent_apart_with_errors_too_and_out_of_caches() -> None:
    app = App()

    @app.get("/:how", guard=public)
    async def send(c: Context, how: str) -> str:
        c.send_cookie(SetCookie(name="a", value="1"))
        c.send_cookie(SetCookie(name="b", value="2"))
        c.send_cookie(SetCookie(name="a", value="3"))
        if how == "error":
            raise RuntimeError
        return "sent"

    for how in ("well", "error"):
        headers = (await app.request("GET", f"/{how}")).headers
        cookies = [value.partition(";")[0] for name, value in headers if name == "set-cookie"]
        assert cookies == ["a=3", "b=2"]
        assert ("cache-control", "private, no-store") in headers
