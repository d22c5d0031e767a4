"""What goes out is checked the same for every edge; what comes back is bounded, and is data."""

from typing import Any, assert_type

import msgspec
import pytest

from framework import App, ConfigurationError, Context, fetching, public
from framework.fetching import FetchFailed, FetchRequest, FetchResponse, fetch, provide_fetch
from framework.local.asgi import asgi

seen: list[FetchRequest] = []


async def keep(request: FetchRequest, /) -> FetchResponse:
    """Answer with nothing, and keep what was asked."""
    seen.append(request)
    return FetchResponse(204, (), b"", request.host)


@pytest.fixture(autouse=True)
def _edge(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge that keeps what it is asked; the one before is back afterwards."""
    seen.clear()
    monkeypatch.setattr(fetching, "_provided", keep)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.com", "example.com"),
        ("https://example.com/", "example.com"),
        ("HTTPS://Example.COM:8443/a?b=c&d=%20", "example.com"),
        ("http://127.0.0.1:1/", "127.0.0.1"),
        ("http://[::1]:1/", "[::1]"),
        ("http://x?y", "x"),
    ],
)
async def test_an_http_url_is_asked(url: str, host: str) -> None:
    await fetch(url)

    assert (seen[0].url, seen[0].host, seen[0].method) == (url, host, "GET")


@pytest.mark.parametrize(
    "url",
    [
        *("", "/path", "example.com", "//example.com", "ftp://x/", "file:///etc/passwd"),
        *("data:text/plain,x", "javascript:1", "http://", "http:///x", "http:x", "http:/x"),
        *(
            "http://user@x/",
            "http://user:password@x/",
            "http://x@evil/",
            "http://x#y",
            "http://x/#y",
        ),
        *("http://x/a b", "http://x/\n", "http://x/a\r\nHost: y", "http://x/\x00", "http://x/é"),
        *(
            "http://é/",
            "http://x\\@evil/",
            "http://x/\\y",
            " http://x/",
            "http://x/ ",
            "http://x:/",
        ),
        *("http://x:123456/", "http://x:port/", "http://[x]/", "http://x%2ey/", "http://x\u2028/"),
    ],
)
async def test_any_other_url_is_not(url: str) -> None:
    with pytest.raises(ValueError, match="URL") as caught:
        await fetch(url)

    assert not seen
    assert not url.strip() or url not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "get"},
        {"method": ""},
        {"method": "GET /"},
        {"method": "CONNECT"},
        {"method": "TRACE"},
        {"method": "GET", "body": b"x"},
        {"method": "HEAD", "body": b"x"},
        {"headers": {"": "x"}},
        {"headers": {"a b": "x"}},
        {"headers": {"a:": "x"}},
        {"headers": {"a\n": "x"}},
        {"headers": {"é": "x"}},
        {"headers": {"a": "x\r\nb: y"}},
        {"headers": {"a": "x\n"}},
        {"headers": {"a": "x\x00"}},
        {"headers": {"a": "é"}},
        {"headers": {"Host": "evil"}},
        {"headers": [("Content-Length", "3")]},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"connection": "keep-alive"}},
        {"headers": {"accept-encoding": "gzip"}},
        {"timeout_ms": 0},
        {"timeout_ms": -1},
        {"limit": -1},
    ],
    ids=str,
)
async def test_what_cannot_be_sent_is_a_mistake(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        await fetch("http://x/", **options)

    assert not seen
    assert "evil" not in str(caught.value)


async def test_headers_are_pairs_in_lower_case() -> None:
    await fetch("http://x/", method="POST", headers=[("X-A", "1"), ("x-a", "2")], body=b"x")

    assert seen[0].headers == (("x-a", "1"), ("x-a", "2"))
    assert seen[0].body == b"x"


async def test_text_is_sent_in_utf_8() -> None:
    await fetch("http://x/", method="POST", body="naïve 日本")

    assert seen[0].body == "naïve 日本".encode()


@pytest.mark.parametrize("body", [{"a": 1}, None, 5, ["a"]], ids=repr)
async def test_a_body_of_another_type_is_refused_before_it_is_sent(body: Any) -> None:
    with pytest.raises(TypeError, match="fetch sends bytes or text, not a"):
        await fetch("http://x/", method="POST", body=body)

    assert not seen


async def test_an_edge_without_fetch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_provided", None)

    with pytest.raises(ConfigurationError, match="no edge provides fetch"):
        await fetch("http://x/")


async def test_an_edge_provides_its_own() -> None:
    async def other(request: FetchRequest, /) -> FetchResponse:
        return FetchResponse(418, (("X-a", "1"), ("x-a", "2")), b"tea")

    provide_fetch(other)
    answer = await fetch("http://x/")

    assert (answer.status, answer.body, answer.header("x-A"), answer.header("b")) == (
        418,
        b"tea",
        "1",
        None,
    )


async def test_what_a_test_provides_stays_beside_an_edge_and_is_given_back() -> None:
    async def fake(request: FetchRequest, /) -> FetchResponse:
        return FetchResponse(200, (), b"fake")

    before = provide_fetch(fake)
    asgi(App(), {})
    beside_an_edge = (await fetch("http://x/")).body
    given_back = provide_fetch(before)

    assert (beside_an_edge, given_back) == (b"fake", fake)
    assert fetching._provided is before


class Point(msgspec.Struct):
    x: int


def test_json_is_decoded_into_a_type() -> None:
    answer = FetchResponse(200, (), b'{"x":1}')

    assert answer.json(Point) == Point(1)
    assert answer.json() == {"x": 1}
    assert_type(answer.json(Point), Point)
    assert_type(answer.json(dict[str, int]), dict[str, int])
    assert_type(answer.json(), Any)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no JSON"),
        (b"<html>canary", "no JSON"),
        (b'{"x":', "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "more than 64 levels deep"),
        (b"{}", "The field x is required."),
        (b'{"x":"canary"}', "Expected int, got str."),
        (b"null", "Expected object, got null."),
        (b"{%b}" % b",".join([b'"%d":1' % name for name in range(2501)]), "values of one hash"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_json_that_does_not_fit_is_an_outage(
    body: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework.sent_values.hash", len, raising=False)

    with pytest.raises(FetchFailed) as caught:
        FetchResponse(200, (), body, "example.com").json(Point)

    reason = f"example.com answered 200, and not what was expected: {why}"
    assert (str(caught.value), caught.value.reason) == (reason, reason)


async def test_an_outage_is_503_and_the_client_does_not_read_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(request: FetchRequest, /) -> FetchResponse:
        raise FetchFailed(f"{request.host} does not answer")

    provide_fetch(fail)
    app = App()
    url = "http://secret.internal/path?key=canary"

    @app.get("/", guard=public)
    async def ask(c: Context) -> bytes:
        return (await fetch(url, headers={"x-key": url})).body

    response = await app.request("GET", "/")

    assert isinstance(response.body, bytes)
    assert response.status == 503
    assert response.header("retry-after") == "5"
    assert b"secret" not in response.body
    assert "secret.internal does not answer" in caplog.text
    assert "canary" not in caplog.text


def test_what_is_sent_is_in_no_repr() -> None:
    request = FetchRequest("http://x/?key=canary", "x", "POST", (("a", "canary"),), b"canary", 1, 1)

    assert repr(request) == "<FetchRequest POST to x>"
    assert (
        repr(FetchResponse(200, (("set-cookie", "canary"),), b"canary", "x"))
        == "<FetchResponse 200 from x>"
    )
