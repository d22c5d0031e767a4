"""Cookies of a handler's own: prefixes kept, signatures checked, ambiguity refused."""

from typing import Any

import pytest

from framework import App, Context, Response, public
from framework.cookie_jar import Prefix
from framework.cookies import SetCookie
from framework.signing import Signer
from framework.testing import json_of

OLD, NEW = Signer("o" * 32), Signer(["n" * 32, "o" * 32])
HTTPS, LOCAL = "https://example.com/", "http://localhost:8787/"


async def cookies_after(url: str, **options: Any) -> list[str]:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        c.cookies.set("theme", "dark", **options)
        return "set"

    return [
        value for name, value in (await app.request("GET", url)).headers if name == "set-cookie"
    ]


@pytest.mark.parametrize("value", ["text", b"bytes", {"a": 1}, None], ids=lambda value: type(value))
async def test_each_answer_of_a_kind_sends_its_cookies(value: Any) -> None:
    app = App()

    @app.get("/:number", guard=public)
    async def count(c: Context, number: str) -> Any:
        c.cookies.set("count", number)
        return value

    for number in ("1", "2", "3"):
        response = await app.request("GET", f"/{number}")

        assert (response.header("set-cookie") or "").startswith(f"count={number};")
        assert response.header("cache-control") == "private, no-store"


async def test_a_header_that_reads_like_a_cookie_is_kept() -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> Response:
        c.cookies.set("theme", "dark")
        return Response.text("set").with_header("x-before", "theme=light")

    assert (await app.request("GET", "/")).header("x-before") == "theme=light"


async def read(cookie: str, url: str = HTTPS, signer: Signer | None = None, **options: Any) -> Any:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> list[str | None]:
        if signer is not None:
            return [c.cookies.get_signed(signer, "theme", **options)]
        return [c.cookies.get("theme", **options)]

    response = await app.request("GET", url, headers={"cookie": cookie} if cookie else {})
    return json_of(response)[0]


@pytest.mark.parametrize(
    ("url", "options", "header"),
    [
        (HTTPS, {}, "theme=dark; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (HTTPS, {"prefix": "host"}, "__Host-theme=dark; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (
            HTTPS,
            {"prefix": "secure", "path": "/a", "domain": "example.com", "max_age": 60},
            "__Secure-theme=dark; Max-Age=60; Domain=example.com; Path=/a; Secure; HttpOnly;"
            " SameSite=Lax",
        ),
        (
            HTTPS,
            {"http_only": False, "same_site": "Strict"},
            "theme=dark; Path=/; Secure; SameSite=Strict",
        ),
        (LOCAL, {"prefix": "host"}, "theme=dark; Path=/; HttpOnly; SameSite=Lax"),
        (LOCAL, {"same_site": "None"}, "theme=dark; Path=/; Secure; HttpOnly; SameSite=None"),
        ("http://example.com/", {}, "theme=dark; Path=/; Secure; HttpOnly; SameSite=Lax"),
    ],
)
async def test_how_a_cookie_is_set(url: str, options: dict[str, Any], header: str) -> None:
    assert await cookies_after(url, **options) == [header]


@pytest.mark.parametrize("url", [HTTPS, LOCAL])
@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("theme", {"domain": "example.com"}, "__Host-"),
        ("theme", {"path": "/a"}, "__Host-"),
        ("Http-theme", {"http_only": False}, "__Http-"),
    ],
)
async def test_the_host_prefix_is_kept_where_no_browser_would_ask(
    url: str, name: str, options: dict[str, Any], reason: str
) -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        with pytest.raises(ValueError, match=reason):
            c.cookies.set(name, "dark", prefix="host", **options)
        return "refused"

    assert (await app.request("GET", url)).body == b"refused"


@pytest.mark.parametrize("url", [HTTPS, LOCAL])
async def test_a_prefix_that_there_is_not_is_found_on_this_machine_already(url: str) -> None:
    app = App()
    unknown: Any = "Host"

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        with pytest.raises(KeyError, match="Host"):
            c.cookies.set("theme", "dark", prefix=unknown)
        with pytest.raises(KeyError, match="Host"):
            c.cookies.get("theme", prefix=unknown)
        return "refused"

    assert (await app.request("GET", url)).body == b"refused"


@pytest.mark.parametrize(
    ("cookie", "options", "value"),
    [
        ("theme=dark", {}, "dark"),
        ("", {}, None),
        ("theme=dark; theme=dark", {}, "dark"),
        ("theme=dark; theme=light", {}, None),
        ("theme=dark", {"prefix": "host"}, None),
        ("__Host-theme=dark", {"prefix": "host"}, "dark"),
        ("__Secure-theme=dark; theme=light", {"prefix": "secure"}, "dark"),
        ("theme=", {}, ""),
    ],
)
async def test_what_is_read(cookie: str, options: dict[str, Any], value: str | None) -> None:
    assert await read(cookie, **options) == value


async def test_the_prefix_is_left_out_on_this_machine() -> None:
    assert await read("theme=dark; __Host-theme=light", LOCAL, prefix="host") == "dark"


@pytest.mark.parametrize(
    ("cookie", "text"),
    [
        (f"theme={OLD.sign('cookie theme', 'dunkel ☾')}", "dunkel ☾"),
        (f"theme={NEW.sign('cookie theme', '')}", ""),
        (f"theme={Signer('x' * 32).sign('cookie theme', 'dark')}", None),
        (f"theme={OLD.sign('cookie other', 'dark')}", None),
        (f"theme={OLD.sign('cookie theme', 'dark')}x", None),
        ("theme=dark", None),
        ("theme=.", None),
        ("theme=", None),
        ("", None),
    ],
    ids=[
        "old key",
        "new key",
        "other key",
        "other cookie",
        "longer",
        "plain",
        "dot",
        "empty",
        "none",
    ],
)
async def test_a_signature_holds_for_its_cookie_and_its_keys(cookie: str, text: str | None) -> None:
    assert await read(cookie, signer=NEW) == text


@pytest.mark.parametrize(
    ("options", "name"), [({"prefix": "host"}, "__Host-theme"), ({}, "theme")], ids=str
)
async def test_a_signed_cookie_comes_back(options: dict[str, Any], name: str) -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        c.cookies.set_signed(NEW, "theme", "dark;\r\n", max_age=60, **options)
        return "set"

    [header] = [
        value for name, value in (await app.request("GET", HTTPS)).headers if name == "set-cookie"
    ]

    assert header.startswith(f"{name}=")
    assert "Max-Age=60" in header
    assert await read(header.partition(";")[0], signer=NEW, **options) == "dark;\r\n"


@pytest.mark.parametrize("name", ["__Host-theme", "__Secure-theme", "theme"])
@pytest.mark.parametrize("prefix", ["host", "secure", ""])
async def test_a_signature_holds_for_one_prefix(prefix: Prefix, name: str) -> None:
    signed = NEW.sign(f"cookie {name}", "dark")
    full = {"host": "__Host-theme", "secure": "__Secure-theme", "": "theme"}[prefix]

    text = await read(f"{full}={signed}", signer=NEW, prefix=prefix)

    assert text == ("dark" if full == name else None)


@pytest.mark.parametrize(
    ("url", "options", "gone"),
    [
        (HTTPS, {"path": "/a"}, "theme=; Max-Age=0; Path=/a; Secure; "),
        (HTTPS, {"prefix": "host"}, "__Host-theme=; Max-Age=0; Path=/; Secure; "),
        (HTTPS, {"prefix": "secure"}, "__Secure-theme=; Max-Age=0; Path=/; Secure; "),
        (HTTPS, {"domain": "a.example"}, "theme=; Max-Age=0; Domain=a.example; Path=/; Secure; "),
        (LOCAL, {"prefix": "host"}, "theme=; Max-Age=0; Path=/; "),
        (HTTPS, {"same_site": "None"}, "theme=; Max-Age=0; Path=/; Secure; "),
    ],
)
async def test_a_cookie_is_deleted_where_it_was_set(
    url: str, options: dict[str, Any], gone: str
) -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        c.cookies.delete("theme", **options)
        return "gone"

    headers = (await app.request("GET", url)).headers

    same_site = options.get("same_site", "Lax")
    assert ("set-cookie", f"{gone}HttpOnly; SameSite={same_site}") in headers
    assert ("cache-control", "private, no-store") in headers


async def test_an_answer_carries_a_cookie_of_its_own() -> None:
    app = App()

    @app.get("/", guard=public)
    async def index() -> Response:
        return (
            Response.text("x")
            .with_cookie(SetCookie(name="a", value="1"))
            .with_cookie(SetCookie(name="b", value="2"))
        )

    headers = (await app.request("GET", "/")).headers

    assert [value.partition(";")[0] for name, value in headers if name == "set-cookie"] == [
        "a=1",
        "b=2",
    ]
    assert ("cache-control", "private, no-store") in headers


async def test_a_signed_cookie_takes_what_any_cookie_takes() -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> None:
        options: dict[str, Any] = {"path": "/a", "http_only": False, "same_site": "Strict"}
        c.cookies.set_signed(NEW, "theme", "dark", domain="example.com", **options)

    answer = await app.request("GET", HTTPS)

    signed = NEW.sign("cookie theme", "dark")
    assert answer.header("set-cookie") == (
        f"theme={signed}; Domain=example.com; Path=/a; Secure; SameSite=Strict"
    )
