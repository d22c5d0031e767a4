"""Headers that many answers share are the same for each of them, and hold nothing of another's."""

import pytest

from framework import App, Context, Response, guard, public
from framework.compose import Next
from framework.local.asgi import asgi
from framework.middleware.secure_headers import secure_headers
from framework.shared_headers import SHARED_LIMIT, TEXT_HEADERS, SharedHeaders


@guard
async def whoever() -> None:
    """Let anybody pass, and keep the answers private."""


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedHeaders, "made", 0)


def headers_of(name: str, *values: str) -> list[object]:
    return [Response.text("a").with_header(name, value).headers for value in values]


def test_a_header_that_is_the_same_each_time_is_shared() -> None:
    first, second, third = headers_of("X-Same", "1", "1", "1")

    assert first == second == third == (*TEXT_HEADERS, ("x-same", "1"))
    assert second is third
    assert second is not first


def test_one_that_changes_each_time_is_not() -> None:
    found = headers_of("X-Id", *[str(number) for number in range(1000)])

    assert not any(type(headers) is SharedHeaders for headers in found)
    assert found[-1] == (*TEXT_HEADERS, ("x-id", "999"))
    assert SharedHeaders.made == 0


def test_where_an_answer_leads_is_not_kept() -> None:
    assert not any(
        type(headers) is SharedHeaders for headers in headers_of("Location", "/a", "/a", "/a")
    )


@pytest.mark.parametrize("name", ["ETag", "Set-Cookie", "Content-Length", "X-Content-Type-Options"])
def test_what_is_looked_for_later_is_not_shared(name: str) -> None:
    assert [type(headers) for headers in headers_of(name, *['"1"'] * 3)] == [list] * 3


def test_only_so_many_are_kept() -> None:
    for number in range(2 * SHARED_LIMIT):
        found = headers_of("X-Many", *[str(number)] * 3)
        assert all(headers == (*TEXT_HEADERS, ("x-many", str(number))) for headers in found)

    assert SharedHeaders.made == SHARED_LIMIT


def test_only_so_many_names_are_followed() -> None:
    shared = SharedHeaders([("a", "b")])

    def is_shared(name: str, value: str) -> bool:
        found = [shared.share(name, value, ((name, value),)) for _ in range(2)]
        return type(found[-1]) is SharedHeaders

    for number in range(SHARED_LIMIT - 1):  # each with a value of its own, once
        shared.share(f"x-{number}", str(number), ())

    assert is_shared("x-0", "another")
    assert is_shared("x-last", "1")
    assert not is_shared("x-later", "1")
    assert is_shared("x-0", "a third")


def test_a_replaced_header_is_there_once() -> None:
    for _ in range(3):
        response = Response.text("a").with_header("X-Twice", "1").with_header("x-TWICE", "2")
        assert response.headers == (*TEXT_HEADERS, ("x-twice", "2"))


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\x00", "☃"])
def test_a_header_that_breaks_out_is_refused_each_time(value: str) -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="header"):
            Response.text("a").with_header("X-Bad", value)


async def answers(app: App, method: str, path: str) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Return what a server is told to send: the status, and the headers in order of their names."""
    messages = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await asgi(app, {})(scope, receive, send)  # type: ignore[arg-type]  # dictionaries of one kind
    status, headers = messages[0]["status"], messages[0]["headers"]
    assert isinstance(status, int)
    assert isinstance(headers, list)
    return status, sorted(headers)


async def test_each_answer_is_sent_as_the_first_of_its_kind() -> None:
    app = App()

    async def add(c: Context, call_next: Next) -> Response:
        return (await call_next()).with_header("X-Layer", "1").with_header("content-type", "a/b")

    app.use(add, secure_headers(), add)
    app.get("/text", guard=public)(lambda: "text")
    app.get("/mine", guard=whoever)(lambda: "text")
    app.get("/nothing", guard=public)(lambda: None)
    app.get("/model", guard=public)(lambda: {"a": 1})
    requests = [
        (method, path)
        for path in ("/text", "/mine", "/nothing", "/model", "/not/here")
        for method in ("GET", "HEAD", "DELETE", "OPTIONS")
    ]
    first = [await answers(app, *request) for request in requests]

    for _ in range(4):
        assert [await answers(app, *request) for request in requests] == first
        assert [await answers(app, *request) for request in requests[::-1]] == first[::-1]
    for (method, path), (status, headers) in zip(requests, first, strict=True):
        names = [name for name, _ in headers]
        assert len(names) == len(set(names))
        assert (b"content-length" in names) == (status != 204)
        assert ((b"cache-control", b"private, no-store") in headers) == (
            path == "/mine" and method in {"GET", "HEAD"}
        )
