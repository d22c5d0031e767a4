"""Streams are closed when they end, events cannot be forged, and file names stay names."""

from collections.abc import AsyncIterator
from enum import Enum
from typing import Any

import pytest

from framework import App, Context, Response, public
from framework.compose import Next
from framework.streaming import Event, attachment, server_sent_events, stream


class Pause(int, Enum):
    """Milliseconds, which Python writes by their name in a text."""

    SHORT = 100


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (Event("hello"), b"data: hello\n\n"),
        (
            Event("two\nlines\r\nthree\rfour"),
            b"data: two\ndata: lines\ndata: three\ndata: four\n\n",
        ),
        (Event(""), b"data: \n\n"),
        (Event({"a": 1}), b'data: {"a":1}\n\n'),
        (
            Event("x", event="tick", id="7", retry=100),
            b"event: tick\nid: 7\nretry: 100\ndata: x\n\n",
        ),
        (Event("x", retry=0), b"retry: 0\ndata: x\n\n"),
        (Event("x", retry=Pause.SHORT), b"retry: 100\ndata: x\n\n"),
    ],
)
def test_an_event_as_it_is_sent(event: Event, sent: bytes) -> None:
    assert event.encode() == sent


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\ndata: forged", "a\0b"])
def test_a_name_or_id_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="must be one line"):
        Event("x", event=text).encode()
    with pytest.raises(ValueError, match="must be one line"):
        Event("x", id=text).encode()


@pytest.mark.parametrize("event", [{"id": 7}, {"event": 7}])
def test_a_name_or_id_is_text(event: dict[str, Any]) -> None:
    [name] = event
    with pytest.raises(TypeError, match=rf"the {name} of an event is text: write str\("):
        Event("x", **event).encode()


@pytest.mark.parametrize(
    "retry", ["1\ndata: evil", "5", b"5", 1.5, float("inf"), True, -1, [5], {"a": 1}]
)
def test_a_time_to_retry_after_is_a_whole_number(retry: Any) -> None:
    with pytest.raises(ValueError, match="retry of an event must be a whole number"):
        Event("x", retry=retry).encode()


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [("GET", {}, 200), ("HEAD", {}, 200), ("GET", {"if-none-match": '"1"'}, 304)],
)
@pytest.mark.parametrize("kind", ["stream", "events"])
async def test_a_stream_is_closed_whether_it_is_sent_or_not(
    kind: str, method: str, headers: dict[str, str], status: int
) -> None:
    app = App()
    source = Source("data: once\n\n" if kind == "stream" else Event("once"))

    @app.get("/", guard=public)
    async def answer(c: Context) -> Response:
        made = stream(source) if kind == "stream" else server_sent_events(source)
        return made.with_header("etag", '"1"')

    response = await app.request(method, "/", headers=headers)

    assert response.status == status
    assert response.body == (b"data: once\n\n" if (method, status) == ("GET", 200) else b"")
    assert source.closed >= 1


class Source:
    """An iterator of one *value*, that counts how often it is closed."""

    def __init__(self, value: Any) -> None:
        self.closed = 0
        self.values = [value]

    def __aiter__(self) -> "Source":
        return self

    async def __anext__(self) -> Any:
        if not self.values:
            raise StopAsyncIteration
        return self.values.pop()

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "raises"])
async def test_a_stream_that_a_layer_reads_is_closed_at_its_end(fails: bool) -> None:
    app = App()
    source = Source("no event" if fails else Event("once"))

    async def shout(c: Context, call_next: Next) -> Response:
        body = (await call_next()).body
        assert not isinstance(body, bytes)

        async def louder() -> AsyncIterator[bytes]:
            async for chunk in body:
                yield chunk.upper()

        return Response(louder())

    app.use(shout)
    app.get("/", guard=public)(lambda: server_sent_events(source))

    if fails:
        with pytest.raises(TypeError, match="sends each Event"):
            await app.request("GET", "/")
    else:
        assert (await app.request("GET", "/")).body == b"DATA: ONCE\n\n"
    assert source.closed >= 1


async def test_a_stream_is_sent_and_closed() -> None:
    closed = []
    app = App()

    @app.get("/", guard=public)
    async def answer(c: Context) -> Response:
        async def chunks() -> AsyncIterator[bytes | str]:
            try:
                yield b"one "
                yield "zwei ü"
            finally:
                closed.append(True)

        return stream(chunks(), "text/plain; charset=utf-8")

    response = await app.request("GET", "/")

    assert response.body == "one zwei ü".encode()
    assert response.header("content-type") == "text/plain; charset=utf-8"
    assert closed == [True]


async def test_events_are_kept_by_no_cache() -> None:
    async def events() -> AsyncIterator[Event]:
        yield Event("1")
        yield Event("2")

    app = App()

    @app.get("/", guard=public)
    async def answer(c: Context) -> Response:
        return server_sent_events(events())

    response = await app.request("GET", "/")

    assert response.body == b"data: 1\n\ndata: 2\n\n"
    assert response.header("cache-control") == "no-store"
    assert response.header("content-type") == "text/event-stream"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b;c.txt", 'attachment; filename="a b;c.txt"'),
        ("ü.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"),
    ],
)
def test_a_file_has_a_name(name: str, disposition: str) -> None:
    assert attachment(b"x", name).header("content-disposition") == disposition


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ('a"b', "a_b", "a%22b"),
        ('"; filename="evil.html', "_; filename=_evil.html", "%22%3B%20filename%3D%22evil.html"),
        ("100%25.txt", "100_25.txt", "100%2525.txt"),
        ("ü\x85\u2028.txt", "___.txt", "%C3%BC_%E2%80%A8.txt"),
        ("../a\\b", ".._a_b", None),
        ("a\r\nset-cookie: b=c\0\x7f", "a__set-cookie: b=c__", None),
        ("\x1f\x80\x9f.txt", "___.txt", None),
        ("\ud800\udfff.txt", "__.txt", None),
        ("=?utf-8?Q?a=2Eexe?=", "=_utf-8_Q_a=2Eexe_=", "%3D%3Futf-8%3FQ%3Fa%3D2Eexe%3F%3D"),
        ("=ûx?Q?a=2Eû=", "=_x_Q_a=2E_=", "%3D%C3%BBx%3FQ%3Fa%3D2E%C3%BB%3D"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt", None),
        ("ü" * 100 + "a.txt", "_" * 97 + "a.txt", "%C3%BC" * 97 + "a.txt"),
        ("", "file", None),
    ],
)
def test_whatever_name_a_client_chose_is_sent(name: str, plain: str, encoded: str | None) -> None:
    more = "" if encoded is None else f"; filename*=UTF-8''{encoded}"

    disposition = attachment(b"x", name).header("content-disposition")

    assert disposition == f'attachment; filename="{plain}"{more}'
