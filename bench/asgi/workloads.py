"""The 13 workloads: which requests are sent, and what has to come back. Knows no framework."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from bench.asgi.shared import GROUPS, VARIANTS, Item

__all__ = ["EXTRAS", "WORKLOADS", "Answer", "Extra", "Request", "Workload", "make_scope"]

HEADERS = [
    (b"host", b"www.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"connection", b"keep-alive"),
]
TEXT = "text/plain"
JSON = "application/json"


class Request(NamedTuple):
    """One request: an ASGI scope, copied before each use, and the body that comes with it."""

    scope: dict[str, Any]
    body: bytes


class Answer(NamedTuple):
    """What has to come back. *body* is text, or the value of a JSON body; None is anything."""

    status: int
    media_type: str | None = None
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


class Workload(NamedTuple):
    """One row of the tables: the application it runs on, and its requests with their answers."""

    name: str
    app: str
    make: Callable[[int], tuple[Request, Answer]]

    def exchanges(self) -> list[tuple[Request, Answer]]:
        """Return `VARIANTS` requests, each with the answer to it."""
        return [self.make(number) for number in range(VARIANTS)]


class Extra(NamedTuple):
    """A request that is verified and not timed. *statuses* are those that refuse it."""

    request: Request
    statuses: set[int]


def make_scope(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Return an ASGI scope as uvicorn makes it, without its ``state``."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": method,
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }


def _get(path: str) -> Request:
    return Request(make_scope("GET", path, HEADERS), b"")


def _post(path: str, body: bytes) -> Request:
    headers = [*HEADERS[:4], (b"content-type", b"application/json"), _length(body)]
    return Request(make_scope("POST", path, headers), body)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()


def _with_cookie(path: str, cookie: str) -> Request:
    headers = [*HEADERS[:5], (b"cookie", cookie.encode())]
    return Request(make_scope("GET", path, headers), b"")


def _plaintext(_: int) -> tuple[Request, Answer]:
    return _get("/"), Answer(200, TEXT, "Hello, World!")


def _json_param(number: int) -> tuple[Request, Answer]:
    return _get(f"/users/{number}"), Answer(200, JSON, {"id": number})


def _post_model(number: int) -> tuple[Request, Answer]:
    item = Item(f"item {number}", number + 0.5, number, ["red", "large"])
    request = _post("/items", msgspec.json.encode(item))
    return request, Answer(200, JSON, msgspec.to_builtins(item))


def _auth(number: int) -> tuple[Request, Answer]:
    request = _with_cookie("/me", f"theme=dark; session={number:040x}")
    return request, Answer(200, JSON, {"id": number, "name": f"user{number}"})


def _mw5_header(_: int) -> tuple[Request, Answer]:
    headers = {f"x-layer-{layer}": "1" for layer in range(5)}
    return _get("/"), Answer(200, TEXT, "Hello, World!", headers)


def _t400_first(_: int) -> tuple[Request, Answer]:
    return _get("/r0/users"), Answer(200, TEXT, "ok")


def _t400_mid(number: int) -> tuple[Request, Answer]:
    return _get(f"/r{GROUPS // 2}/users/{number}"), Answer(200, TEXT, str(number))


def _t400_last(number: int) -> tuple[Request, Answer]:
    path = f"/r{GROUPS - 1}/users/{number}/posts/{number + 7}"
    return _get(path), Answer(200, TEXT, f"{number} {number + 7}")


def _t400_miss(number: int) -> tuple[Request, Answer]:
    return _get(f"/r{number % GROUPS}/nothing/{number}"), Answer(404)


def _miss404(number: int) -> tuple[Request, Answer]:
    return _get(f"/nothing/{number}"), Answer(404)


def _miss405(number: int) -> tuple[Request, Answer]:
    return Request(make_scope("DELETE", f"/users/{number}", HEADERS), b""), Answer(405)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("plaintext", "small", _plaintext),
        Workload("json_param", "small", _json_param),
        Workload("post_model", "small", _post_model),
        Workload("mw5", "middlewares", _plaintext),
        Workload("mw5_header", "headers", _mw5_header),
        Workload("mw5_highlevel", "highlevel", _mw5_header),
        Workload("auth", "small", _auth),
        Workload("t400_first", "table", _t400_first),
        Workload("t400_mid", "table", _t400_mid),
        Workload("t400_last", "table", _t400_last),
        Workload("t400_miss", "table", _t400_miss),
        Workload("miss404", "small", _miss404),
        Workload("miss405", "small", _miss405),
    )
}
"""The workloads by name, in the order of the tables."""

EXTRAS = [
    Extra(_get("/users/abc"), {400, 404, 422}),
    Extra(_post("/items", b'{"name": "x"'), {400, 422}),
    Extra(_post("/items", b'{"name": "x", "price": 1.5, "quantity": 1}'), {400, 422}),
    Extra(_post("/items", b'{"name": 1, "price": "a", "quantity": 1, "tags": []}'), {400, 422}),
    Extra(_with_cookie("/me", "theme=dark"), {401, 403}),
    Extra(_with_cookie("/me", "theme=dark; session=abc"), {401, 403}),
    Extra(_get("/me"), {401, 403}),
]
"""Requests to the small application that have to be refused."""
