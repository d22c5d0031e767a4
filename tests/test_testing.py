"""The test client keeps cookies and names its origin as a browser does."""

from collections.abc import Callable
from typing import Annotated, Any, assert_type

import msgspec
import pytest

from framework import App, Context, Response, public
from framework.response import Reply
from framework.testing import Client, bytes_of, json_of, text_of

app = App()


@app.get("/set", guard=public)
async def set_cookies(c: Context) -> Response:
    response = Response.text("set")
    for header in c.request.query["cookie"]:
        response = response.with_added_header("set-cookie", header)
    return response


@app.get("/folder/set", guard=public)
async def set_cookies_in_a_folder(c: Context) -> Response:
    return await set_cookies(c)


@app.on(["GET", "POST", "PUT", "PATCH", "DELETE"], "/seen", "/folder/seen", guard=public)
async def seen(c: Context) -> dict[str, Any]:
    headers = dict(c.request.headers.items())
    return {
        "method": c.request.method,
        "url": c.request.origin + c.request.path,
        "headers": headers,
        "body": await c.request.text(),
        "env": sorted(c.env),  # type: ignore[call-overload]  # a dict here
    }


def quoted(header: str) -> str:
    return header.replace("%", "%25").replace(";", "%3B").replace(" ", "%20").replace("=", "%3D")


async def given(client: Client, *headers: str, path: str = "/set") -> Client:
    await client.get(f"{path}?" + "&".join(f"cookie={quoted(header)}" for header in headers))
    return client


async def sent(client: Client, path: str = "/seen") -> str | None:
    cookies: str | None = json_of(await client.get(path))["headers"].get("cookie")
    return cookies


async def test_a_cookie_is_sent_back() -> None:
    client = await given(Client(app), "a=1; Path=/", "b=2; Path=/; HttpOnly; SameSite=Lax")

    assert await sent(client) == "b=2; a=1"
    assert client.cookies == {"a": "1", "b": "2"}


async def test_the_last_value_of_a_cookie_counts() -> None:
    client = await given(Client(app), "a=1", "a=2")

    assert await sent(client) == "a=2"


@pytest.mark.parametrize(
    "ending",
    [
        "Max-Age=0",
        "Max-Age=-1",
        "max-age=0; Expires=Fri, 31 Dec 2100 23:59:59 GMT",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
async def test_a_cookie_that_is_over_is_forgotten(ending: str) -> None:
    client = await given(Client(app), "a=1; Path=/")

    await given(client, f"a=; Path=/; {ending}")

    assert client.cookies == {}


@pytest.mark.parametrize("lasting", ["Max-Age=1", "Max-Age=soon", "Expires=soon", "Max-Age=x; a"])
async def test_a_cookie_that_lasts_is_kept(lasting: str) -> None:
    client = await given(Client(app), f"a=1; {lasting}")

    assert client.cookies == {"a": "1"}


@pytest.mark.parametrize(
    ("base_url", "header", "is_kept"),
    [
        ("https://site.test", "__Host-a=1; Path=/; Secure", True),
        ("https://site.test", "__Host-a=1; Path=/", False),
        ("https://site.test", "__Host-a=1; Secure", False),
        ("https://site.test", "__Host-a=1; Path=/; Secure; Domain=site.test", False),
        ("https://site.test", "__HOST-a=1; Secure", False),
        ("https://site.test", "__Secure-a=1; Secure", True),
        ("https://site.test", "__Secure-a=1", False),
        ("https://site.test", "a=1; Secure", True),
        ("https://site.test", "a=1; Domain=SITE.test", True),
        ("https://www.site.test:8443", "a=1; Domain=.site.test", True),
        ("https://site.test", "a=1; Domain=www.site.test", False),
        ("https://evilsite.test", "a=1; Domain=site.test", False),
        ("http://localhost", "a=1; Secure", False),
        ("http://localhost", "__Host-a=1; Path=/; Secure", False),
        ("http://localhost:8787", "a=1", True),
        ("http://localhost", "=1", False),
        ("http://localhost", "a", False),
    ],
)
async def test_which_cookies_a_browser_keeps(base_url: str, header: str, is_kept: bool) -> None:
    client = await given(Client(app, base_url=base_url), header)

    assert bool(client.cookies) is is_kept


@pytest.mark.parametrize(
    ("set_by", "path", "asked", "is_sent"),
    [
        ("/set", "; Path=/", "/folder/seen", True),
        ("/set", "; Path=/folder", "/folder/seen", True),
        ("/set", "; Path=/folder/", "/folder/seen", True),
        ("/set", "; Path=/fold", "/folder/seen", False),
        ("/set", "; Path=/folder", "/seen", False),
        ("/folder/set", "", "/folder/seen?a=/b", True),
        ("/folder/set", "; Path=relative", "/seen", False),
        ("/set", "", "/folder/seen", True),
    ],
)
async def test_a_cookie_is_sent_below_its_path(
    set_by: str, path: str, asked: str, is_sent: bool
) -> None:
    client = await given(Client(app), f"a=1{path}", path=set_by)

    assert (await sent(client, asked) == "a=1") is is_sent


async def test_the_longest_path_is_sent_first() -> None:
    client = await given(Client(app), "a=long; Path=/folder", "a=short; Path=/")

    assert await sent(client, "/folder/seen") == "a=long; a=short"


@pytest.mark.parametrize(
    ("method", "origin"),
    [
        ("GET", None),
        ("POST", "https://site.test:8443"),
        ("PUT", "https://site.test:8443"),
        ("PATCH", "https://site.test:8443"),
        ("DELETE", "https://site.test:8443"),
    ],
)
async def test_every_request_says_where_it_comes_from(method: str, origin: str | None) -> None:
    client = Client(app, base_url="https://site.test:8443")

    answer = json_of(await getattr(client, method.lower())("/seen"))

    assert answer["method"] == method
    assert answer["url"] == "https://site.test:8443/seen"
    assert answer["headers"]["sec-fetch-site"] == "same-origin"
    assert answer["headers"].get("origin") == origin


async def test_given_headers_replace_the_usual_ones() -> None:
    client = await given(Client(app, headers={"user-agent": "one", "accept": "*/*"}), "a=1")

    own = {"Origin": "null", "Sec-Fetch-Site": "none", "Cookie": "b=2", "User-Agent": "two"}
    headers = json_of(await client.get("/seen", headers=own))["headers"]

    assert headers == {
        "accept": "*/*",
        "cookie": "b=2",
        "origin": "null",
        "sec-fetch-site": "none",
        "user-agent": "two",
    }


async def test_bindings_go_along() -> None:
    assert json_of(await Client(app, {"DB": 1}).fork().get("/seen"))["env"] == ["DB"]


async def test_cookies_are_cleared() -> None:
    client = await given(Client(app), "a=1")

    client.clear_cookies()

    assert await sent(client) is None


async def test_a_fork_is_another_browser() -> None:
    client = await given(Client(app, headers={"accept": "a/b"}), "a=1; Path=/folder")
    same, other = client.fork(with_cookies=True), client.fork()

    await given(same, "a=2; Path=/folder")

    assert await sent(client, "/folder/seen") == "a=1"
    assert await sent(same, "/folder/seen") == "a=2"
    assert await sent(other, "/folder/seen") is None
    assert json_of(await other.get("/seen"))["headers"]["accept"] == "a/b"


@pytest.mark.parametrize(
    "base_url", ["localhost", "ftp://localhost", "http://", "http://localhost/a", "http://a?b"]
)
def test_a_base_url_is_an_origin(base_url: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Client(app, base_url=base_url)


@pytest.mark.parametrize("path", ["seen", "http://elsewhere.test/seen", ""])
async def test_a_path_is_of_this_site(path: str) -> None:
    with pytest.raises(ValueError, match="is no path of this site"):
        await Client(app).get(path)


async def test_no_value_shows_in_a_repr() -> None:
    client = await given(Client(app), "a=secret")

    assert repr(client) == "<Client of http://localhost, 1 cookies>"
    assert "secret" not in repr(client._jar.cookies())


class Point(msgspec.Struct):
    x: int


def test_json_becomes_a_type() -> None:
    assert json_of(Response.json({"x": 1}), Point) == Point(1)
    assert json_of(Response(b"{}", 400, [("content-type", "application/problem+json")])) == {}
    assert_type(json_of(Response.json({"x": 1}), Point), Point)
    assert_type(json_of(Response.json({"x": 1}), dict[str, int]), dict[str, int])
    assert_type(json_of(Response.json({"x": 1})), Any)


async def test_an_app_holds_its_answers_where_a_test_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    promising = App()

    @promising.get("/", guard=public)
    async def show() -> Annotated[Response, Reply(None, 201)]:
        return Response.json({"x": 1}, 201)

    promising.check_answers = True

    answers = [await Client(promising).get("/"), await promising.request("GET", "/")]
    assert [answer.status for answer in answers] == [500, 500]
    assert "show: 201 has a body, but Reply(None, 201) has none" in caplog.text


def test_a_body_is_text_or_bytes() -> None:
    response = Response("é".encode(), headers=[("content-type", "text/csv; charset=latin-1")])

    assert bytes_of(response) == b"\xc3\xa9"
    assert text_of(response) == "é"
    assert (bytes_of(Response.empty()), text_of(Response.empty())) == (b"", "")
    with pytest.raises(UnicodeDecodeError):
        text_of(Response(b"\xff"))


@pytest.mark.parametrize("read", [bytes_of, text_of, json_of])
def test_a_stream_is_read_first(read: Callable[[Response], object]) -> None:
    response = Response(no_chunks(), headers=[("content-type", "application/json")])

    with pytest.raises(ValueError, match=r"is a stream: read it first, as App\.request does"):
        read(response)


async def no_chunks() -> Any:
    yield b"{}"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response.text("{}"), "is no JSON but text/plain"),
        (Response.empty(), "is no JSON but of no type"),
        (Response.json({"x": "1"}), "Expected `int`"),
        (Response(b"{", headers=[("content-type", "application/json")]), "truncated"),
    ],
    ids=["text", "empty", "misfit", "malformed"],
)
def test_what_is_no_json_raises(response: Response, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        json_of(response, Point)
