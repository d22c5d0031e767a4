"""The test client keeps cookies and names its origin as a browser does."""

import asyncio
import logging
from collections.abc import Callable
from typing import Annotated, Any, assert_type

import msgspec
import pytest

from framework import App, Context, HTTPError, Response, Router, guard, public
from framework.compose import Next
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


# --- What a test reads when it fails ---------------------------------------------------------------

faulty = App()


def divide(number: int) -> int:
    return 1 // number


@guard
async def broken(c: Context) -> None:
    divide(0)


@faulty.get("/handler/:number", guard=public)
async def break_in_handler(number: int) -> int:
    await asyncio.sleep(0)
    return divide(number)


@faulty.get("/guard", guard=broken)
async def break_in_guard() -> None: ...


@faulty.get("/told", guard=public)
async def tell_of_it() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
    raise HTTPError(503, "The kettle is on.", code="no-tea")


@faulty.get("/translated", guard=public)
async def translate_it() -> None:
    try:
        divide(0)
    except ZeroDivisionError as error:
        raise HTTPError(503, "The kettle is broken.") from error


@faulty.get("/asked", guard=public)
async def ask_and_break() -> None:
    await Client(faulty, raises=True).get("/handler/1")
    divide(0)


mending = Router()


@mending.use
async def mend(_c: Context, call_next: Next) -> Response:
    await call_next()
    return Response.text("never mind")


@mending.get("/mended", guard=public)
async def break_what_is_mended() -> None:
    divide(0)


faulty.mount(mending)


@faulty.get("/explained", guard=public)
async def explain_it() -> None:
    raise LookupError


@faulty.on_error
async def explain(_c: Context, error: HTTPError) -> Response | None:
    return Response.text("gone", 410) if isinstance(error.__cause__, LookupError) else None


@pytest.mark.parametrize("path", ["/handler/0", "/guard", "/asked"])
async def test_what_broke_is_raised_for_who_asks(path: str) -> None:
    client = Client(faulty, raises=True)

    with pytest.raises(ZeroDivisionError) as caught:
        await client.fork().get(path)

    assert caught.traceback[-1].name == "divide"
    assert (await Client(faulty).get(path)).status >= 500


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/told", 503),
        ("/translated", 503),
        ("/explained", 410),
        ("/mended", 200),
        ("/handler/1", 200),
        ("/nowhere", 404),
    ],
)
async def test_what_was_answered_on_purpose_is_an_answer(path: str, status: int) -> None:
    assert (await Client(faulty, raises=True).get(path)).status == status


async def test_each_request_is_told_of_its_own_fault() -> None:
    client = Client(faulty, raises=True)
    handlers = [*logging.getLogger("kagari").handlers]

    answers = await asyncio.gather(
        *[client.get(f"/handler/{number}") for number in (0, 1, 0, 1)],
        faulty.request("GET", "/handler/0"),
        client.get("/told"),
        return_exceptions=True,
    )
    told, other = answers.pop(), answers.pop()
    assert isinstance(told, Response)
    assert isinstance(other, Response)
    assert (told.status, other.status) == (503, 500)

    assert [type(answer).__name__ for answer in answers[::2]] == ["ZeroDivisionError"] * 2
    assert [text_of(answer) for answer in answers[1::2] if isinstance(answer, Response)] == [
        "1"
    ] * 2
    assert logging.getLogger("kagari").handlers == handlers


async def test_an_error_says_in_its_repr_what_it_is() -> None:
    answer = await Client(faulty).get("/told")

    assert repr(answer).startswith('<Response 503: {"title":"Service Unavailable","status":503,')
    assert repr(answer.with_header("a", "b")) == "<Response 503>"
    assert repr(await Client(app).get("/seen")) == "<Response 200>"


# --- Cookies of one's own, and what no request can hold ---------------------------------------------


async def test_a_test_may_put_a_cookie_there() -> None:
    client = await given(Client(app), "a=1; Path=/")

    client.set_cookie("a", "2")
    client.set_cookie("b", "3", path="/folder")

    assert client.cookies == {"a": "2", "b": "3"}
    assert await sent(client) == "a=2"
    assert await sent(client, "/folder/seen") == "b=3; a=2"


@pytest.mark.parametrize(("name", "value"), [("a;b", "1"), ("", "1"), ("a", "1; b=2"), ("a", "ä")])
def test_a_cookie_that_no_answer_may_set_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        Client(app).set_cookie(name, value)
    with pytest.raises(ValueError, match="the path does not start with /"):
        Client(app).set_cookie("a", "1", path="folder")


@pytest.mark.parametrize("value", [None, 1, b"x"])
async def test_a_header_is_text(value: Any) -> None:
    with pytest.raises(
        TypeError, match=f"^the header 'x-a' is text, not a {type(value).__name__}$"
    ):
        await Client(app).get("/seen", headers={"x-a": value})
    with pytest.raises(TypeError, match=r"^the header 'x-a' is text"):
        Client(app, headers=[("x-a", value)])


@pytest.mark.parametrize("headers", ["x-a: 1", ["x-a: 1"], [1]])
async def test_headers_are_pairs(headers: Any) -> None:
    with pytest.raises(TypeError, match=r"^headers are a dict, or pairs of a name and a text$"):
        await Client(app).get("/seen", headers=headers)


async def test_a_body_is_bytes_or_text() -> None:
    body: Any = {"a": 1}

    with pytest.raises(
        TypeError, match=r"^body is bytes or text, not a dict: json= and form= take"
    ):
        await Client(app).post("/seen", body=body)


@pytest.mark.parametrize("env", ["DB", object()])
def test_bindings_have_names(env: Any) -> None:
    with pytest.raises(TypeError, match=r'^env holds the bindings by name: write env=\{"DB": '):
        Client(app, env)


async def test_the_headers_of_a_client_replace_what_a_browser_says() -> None:
    other = {"Origin": "https://other.example", "content-type": "application/vnd.api+json"}
    client = await given(Client(app, headers=other), "a=1; Path=/")

    answer = await client.post("/seen", json=[1], headers={"cookie": "b=2"})

    assert answer.status == 403
    assert "https://other.example" in text_of(answer)
    headers = json_of(await client.get("/seen"))["headers"]
    assert (headers["origin"], headers["cookie"]) == (other["Origin"], "a=1")
    assert "sec-fetch-site" not in headers
    client = Client(app, headers={"cookie": "c=3", "content-type": "application/vnd.api+json"})
    headers = json_of(await client.post("/seen", json=[1]))["headers"]
    assert (headers["cookie"], headers["content-type"]) == ("c=3", "application/vnd.api+json")
    assert await sent(await given(client, "a=1; Path=/")) == "c=3"


@pytest.mark.parametrize("origin", ["http://localhost", "null"])
async def test_an_origin_that_a_page_of_the_site_may_send_is_from_the_site(origin: str) -> None:
    answer = await Client(app).post("/seen", headers={"origin": origin})

    headers = json_of(answer)["headers"]
    assert (headers["origin"], headers["sec-fetch-site"]) == (origin, "same-origin")
