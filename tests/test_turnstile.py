"""Who solved the challenge passes, once; who did not is 403; where nobody can tell, it is 503."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import msgspec
import pytest

from framework import App, ConfigurationError, Form, fetching, public
from framework.fetching import FetchRequest, FetchResponse, fetch
from framework.guards import Guard
from framework.local.fetching import fetch_in_thread
from framework.local.serve import serve
from framework.multipart import File
from framework.paths import parse_query
from framework.testing import json_of
from framework.turnstile import SITEVERIFY, turnstile
from tests.name_guard import known
from tests.other_server import Asked, Elsewhere, serve_elsewhere

SECRET = "1x0000000000000000000000000000000AA"
ENV = {"TURNSTILE_SECRET": SECRET}
LONGEST = "t" * 2048
TOKEN = "XXXX.DUMMY.TOKEN.XXXX"
ODD = "a&b=c d+%e/"

spent: set[str] = set()


class Verdict(msgspec.Struct, rename="kebab"):
    success: bool
    error_codes: list[str] = []
    challenge_ts: str = "2026-02-28T15:14:30.096Z"
    hostname: str | None = None
    action: str | None = None
    messages: list[str] = []


def judge(asked: Asked) -> tuple[int, bytes]:
    """Return what siteverify answers to a well-formed question; anything else is a bad request."""
    form = {name: values[0] for name, values in parse_query(asked.body.decode()).items()}
    is_form = asked.headers["content-type"] == "application/x-www-form-urlencoded"
    if asked.method != "POST" or not is_form or form.keys() - {"secret", "response", "remoteip"}:
        return verdict(400, "bad-request")
    if form["secret"] != SECRET:
        return verdict(200, "invalid-input-secret")
    token = form["response"]
    if token in spent:
        return verdict(200, "timeout-or-duplicate")
    if token not in {TOKEN, LONGEST, ODD}:
        return verdict(200, "invalid-input-response")
    spent.add(token)
    return 200, msgspec.json.encode(Verdict(True, hostname="notes.example", action="sign-up"))


def verdict(status: int, *codes: str) -> tuple[int, bytes]:
    """Return a verdict that is no."""
    return status, msgspec.json.encode(Verdict(False, list(codes)))


class Siteverify(Elsewhere):
    """What is answered instead of a verdict, where something is."""

    instead: tuple[int, bytes] | None = None


@pytest.fixture
def siteverify() -> Iterator[Siteverify]:
    """A server that acts as siteverify."""
    spent.clear()

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        status, body = here.instead or judge(asked)
        handler.send_response(status)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with serve_elsewhere(answer) as elsewhere:
        here = Siteverify(elsewhere.url)
        here.asked = elsewhere.asked
        yield here


@pytest.fixture(autouse=True)
def _edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_provided", fetch_in_thread)


class Comment(msgspec.Struct):
    text: str = ""


class Upload(msgspec.Struct):
    photo: File


def make_app(challenge: Guard) -> App:
    """An app that reads each kind of body behind *challenge*."""
    app = App(body_limit=10_000)

    @app.post("/comments", guard=challenge)
    async def comment(comment: Form[Comment]) -> str:
        return comment.text

    @app.post("/uploads", guard=challenge)
    async def upload(upload: Form[Upload]) -> str:
        return f"{len(upload.photo.data)} bytes"

    @app.get("/", guard=challenge)
    async def index() -> str:
        return "in"

    return app


async def status_of(guard: Guard, token: str | None, env: Any = ENV) -> int:
    headers = {} if token is None else {"x-turnstile-token": token}
    return (await make_app(guard).request("GET", "/", headers=headers, env=env)).status


def multipart(*parts: tuple[str, bytes]) -> dict[str, Any]:
    """Return a multipart body; each part is what follows ``form-data;`` and the content."""
    framed = [
        f"--b\r\ncontent-disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    ]
    headers = {"content-type": 'multipart/form-data; boundary="b"'}
    return {"body": b"".join([*framed, b"--b--\r\n"]), "headers": headers}


# --- Where the token stands ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (TOKEN, 200),
        (ODD, 200),
        (LONGEST, 200),
        (LONGEST + "t", 403),
        ("wrong", 403),
        ("", 403),
        (" ", 403),
        ("é", 403),
        (None, 403),
        (f"{TOKEN}, {TOKEN}", 403),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_token_in_the_header(
    siteverify: Siteverify, token: str | None, status: int
) -> None:
    assert await status_of(turnstile(verify_url=siteverify.url), token) == status


@pytest.mark.parametrize(
    ("path", "content", "status", "answer"),
    [
        ("/comments", {"form": {"cf-turnstile-response": TOKEN, "text": "hi"}}, 200, b"hi"),
        ("/comments", {"form": {"cf-turnstile-response": "wrong", "text": "hi"}}, 403, None),
        ("/comments", {"form": {"cf-turnstile-response": "", "text": "hi"}}, 403, None),
        ("/comments", {"form": {"text": "hi"}}, 403, None),
        ("/comments", {"json": {"cf-turnstile-response": TOKEN}}, 403, None),
        ("/comments", {"body": b"%zz", "headers": {"content-type": "x"}}, 403, None),
        (
            "/comments",
            {
                "body": b"%zz",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            },
            400,
            None,
        ),
        (
            "/comments",
            {
                "body": f"cf-turnstile-response={TOKEN}&cf-turnstile-response=b",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            },
            403,
            None,
        ),
        ("/comments", {"form": {"cf-turnstile-response": TOKEN, "x": "x" * 10_000}}, 413, None),
        (
            "/uploads",
            multipart(
                ('name="photo"; filename="p.png"', b"\x00" * 9),
                ('name="cf-turnstile-response"', TOKEN.encode()),
            ),
            200,
            b"9 bytes",
        ),
        ("/uploads", multipart(('name="photo"; filename="p.png"', b"")), 403, None),
        (
            "/uploads",
            multipart(('name="cf-turnstile-response"; filename="t"', TOKEN.encode())),
            403,
            None,
        ),
        ("/uploads", {"body": b"", "headers": {"content-type": "multipart/form-data"}}, 400, None),
    ],
)
async def test_a_token_in_a_form_and_the_handler_reads_the_form_too(
    siteverify: Siteverify, path: str, content: Any, status: int, answer: bytes | None
) -> None:
    app = make_app(turnstile(verify_url=siteverify.url))

    response = await app.request("POST", path, **content, env=ENV)

    assert response.status == status
    assert answer is None or response.body == answer


async def test_field_and_header_may_have_other_names(siteverify: Siteverify) -> None:
    app = make_app(turnstile(field="token", header="X-Token", verify_url=siteverify.url))

    by_field = await app.request("POST", "/comments", form={"token": TOKEN}, env=ENV)
    spent.clear()
    by_header = await app.request("GET", "/", headers={"x-token": TOKEN}, env=ENV)

    assert (by_field.status, by_header.status) == (200, 200)


async def test_the_header_goes_before_the_field(siteverify: Siteverify) -> None:
    app = make_app(turnstile(verify_url=siteverify.url))
    form = {"cf-turnstile-response": TOKEN, "text": "hi"}

    async def status(token: str) -> int:
        headers = {"x-turnstile-token": token}
        return (await app.request("POST", "/comments", form=form, headers=headers, env=ENV)).status

    assert [await status(token) for token in ("wrong", ODD, "")] == [403, 200, 200]


async def test_a_token_is_good_once(siteverify: Siteverify) -> None:
    challenge = turnstile(verify_url=siteverify.url)

    assert [await status_of(challenge, TOKEN) for _ in range(3)] == [200, 403, 403]


async def test_a_refusal_says_what_to_do_and_repeats_nothing(siteverify: Siteverify) -> None:
    app = make_app(turnstile(verify_url=siteverify.url))

    response = await app.request("GET", "/", headers={"x-turnstile-token": "canary"}, env=ENV)

    assert json_of(response) == {
        "title": "Forbidden",
        "status": 403,
        "code": "turnstile-failed",
        "detail": "Please solve the challenge, and send the form again.",
    }


@pytest.mark.parametrize(
    "token", [None, "", LONGEST + "t", "é"], ids=["none", "empty", "long", "é"]
)
async def test_what_can_be_no_token_is_not_asked_about(
    siteverify: Siteverify, token: str | None
) -> None:
    assert await status_of(turnstile(verify_url=siteverify.url), token) == 403
    assert siteverify.asked == []


async def test_an_empty_field_is_not_asked_about(siteverify: Siteverify) -> None:
    app = make_app(turnstile(verify_url=siteverify.url))

    response = await app.request("POST", "/comments", form={"cf-turnstile-response": ""}, env=ENV)

    assert (response.status, siteverify.asked) == (403, [])


# --- What siteverify says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"hostname": "notes.example"}, 200),
        ({"hostname": "Notes.Example"}, 200),
        ({"hostname": ("www.notes.example", "notes.example")}, 200),
        ({"hostname": "www.notes.example"}, 403),
        ({"hostname": "example"}, 403),
        ({"action": "sign-up"}, 200),
        ({"action": "sign-in"}, 403),
        ({"action": "Sign-Up"}, 403),
        ({"hostname": "notes.example", "action": "sign-in"}, 403),
        ({"hostname": "other.example", "action": "sign-up"}, 403),
    ],
    ids=str,
)
async def test_the_page_is_the_one_asked_for(
    siteverify: Siteverify, options: dict[str, Any], status: int
) -> None:
    assert await status_of(turnstile(verify_url=siteverify.url, **options), TOKEN) == status


@pytest.mark.parametrize("options", [{"hostname": "a"}, {"action": "a"}], ids=str)
async def test_a_page_that_is_not_named_is_not_the_one(
    siteverify: Siteverify, options: dict[str, Any]
) -> None:
    siteverify.instead = (200, b'{"success": true}')

    assert await status_of(turnstile(verify_url=siteverify.url, **options), TOKEN) == 403


async def test_the_case_of_a_hostname_says_nothing(siteverify: Siteverify) -> None:
    siteverify.instead = (200, b'{"success": true, "hostname": "NOTES.example"}')

    challenge = turnstile(verify_url=siteverify.url, hostname="notes.EXAMPLE")

    assert await status_of(challenge, TOKEN) == 200


async def test_siteverify_has_five_seconds_and_64_kib(
    siteverify: Siteverify, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[FetchRequest] = []

    async def fetch_and_note(request: FetchRequest, /) -> FetchResponse:
        asked.append(request)
        return await fetch_in_thread(request)

    monkeypatch.setattr(fetching, "_provided", fetch_and_note)
    assert await status_of(turnstile(verify_url=siteverify.url), TOKEN) == 200

    assert [(each.timeout_ms, each.limit) for each in asked] == [(5_000, 65_536)]


NO_VERDICT = {
    "internal error": verdict(200, "internal-error"),
    "internal error beside another": verdict(200, "invalid-input-response", "internal-error"),
    "bad request": verdict(400, "bad-request"),
    "our secret": verdict(200, "invalid-input-secret"),
    "no secret": verdict(200, "missing-input-secret"),
    "down": (503, b"upstream connect error"),
    "down in JSON": verdict(500),
    "too often": verdict(429),
    "yes with an error's status": (500, b'{"success": true}'),
    "yes elsewhere": (302, b'{"success": true}'),
    "a page": (200, b"<html>Just a moment"),
    "nothing": (200, b""),
    "null": (200, b"null"),
    "no success": (200, b"{}"),
    "success is text": (200, b'{"success": "true"}'),
    "success is one": (200, b'{"success": 1}'),
    "codes are text": (200, b'{"success": false, "error-codes": "x"}'),
    "a list": (200, b'[{"success": true}]'),
    "too deep": (200, b"[" * 5_000),
    "too large": (200, b'{"success": true, "x": "' + b"x" * 100_000 + b'"}'),
}


@pytest.mark.parametrize("instead", NO_VERDICT.values(), ids=NO_VERDICT.keys())
async def test_no_verdict_is_an_outage_and_no_refusal(
    siteverify: Siteverify, instead: tuple[int, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    siteverify.instead = instead
    app = make_app(turnstile(verify_url=siteverify.url))

    response = await app.request("GET", "/", headers={"x-turnstile-token": TOKEN}, env=ENV)

    assert response.status == 503
    assert json_of(response)["code"] == "unavailable"
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (verdict(200, "invalid-input-secret"), "siteverify does not know this secret"),
        (verdict(400, "missing-input-secret"), "siteverify does not know this secret"),
        (
            verdict(200, "internal-error", "bad-request"),
            "answered 200: bad-request, internal-error",
        ),
        (verdict(429), "answered 429: no reason"),
    ],
    ids=str,
)
async def test_the_log_says_why_there_is_no_verdict(
    siteverify: Siteverify,
    instead: tuple[int, bytes],
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    siteverify.instead = instead

    await status_of(turnstile(verify_url=siteverify.url), TOKEN)

    assert said in caplog.text


@pytest.mark.parametrize(
    "instead",
    [
        verdict(200),
        verdict(200, "invalid-input-response"),
        verdict(200, "missing-input-response"),
        verdict(200, "timeout-or-duplicate"),
        verdict(400, "invalid-input-response"),
        verdict(200, "a-code-of-tomorrow"),
    ],
    ids=str,
)
async def test_any_other_no_is_a_refusal(
    siteverify: Siteverify, instead: tuple[int, bytes]
) -> None:
    siteverify.instead = instead

    assert await status_of(turnstile(verify_url=siteverify.url), TOKEN) == 403


async def test_a_siteverify_that_is_not_there_is_an_outage() -> None:
    with serve_elsewhere(lambda *_: None) as gone:
        pass

    assert await status_of(turnstile(verify_url=gone.url), TOKEN) == 503


@pytest.mark.parametrize(
    "env", [{}, {"TURNSTILE_SECRET": ""}, {"TURNSTILE_SECRET": 7}, {"TURNSTILE_SECRET": "other"}]
)
async def test_without_our_secret_nobody_passes(siteverify: Siteverify, env: Any) -> None:
    assert await status_of(turnstile(verify_url=siteverify.url), TOKEN, env) == 503


async def test_without_an_edge_nobody_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_provided", None)

    assert await status_of(turnstile(), TOKEN) == 503


async def test_the_address_goes_along_where_it_is_known(siteverify: Siteverify) -> None:
    app = make_app(turnstile(verify_url=siteverify.url))
    await app.request("GET", "/", headers={"x-turnstile-token": TOKEN}, env=ENV)
    with serve(app, ENV) as url:
        forged = {"x-turnstile-token": ODD, "x-forwarded-for": "203.0.113.9"}
        assert (await fetch(url, headers=forged)).body == b"in"

    first, second = [parse_query(asked.body.decode()) for asked in siteverify.asked]
    assert first == {"secret": [SECRET], "response": [TOKEN]}
    assert second == {"secret": [SECRET], "response": [ODD], "remoteip": ["127.0.0.1"]}


# --- With other guards ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instead", "name", "status", "questions"),
    [
        (None, None, 200, 1),
        (None, "ada", 200, 1),
        (verdict(200, "timeout-or-duplicate"), "ada", 200, 1),
        (verdict(200, "timeout-or-duplicate"), None, 403, 1),
        (verdict(200, "internal-error"), "ada", 503, 1),
        ((502, b""), "ada", 503, 1),
    ],
    ids=["solved", "solved and known", "refused and known", "refused", "no verdict", "down"],
)
async def test_a_refusal_asks_the_next_and_a_failure_does_not(
    siteverify: Siteverify, instead: Any, name: str | None, status: int, questions: int
) -> None:
    siteverify.instead = instead
    challenge = turnstile(verify_url=siteverify.url) | known
    headers = {"x-turnstile-token": TOKEN, **({"x-name": name} if name else {})}

    response = await make_app(challenge).request("GET", "/", headers=headers, env=ENV)

    assert response.status == status
    assert len(siteverify.asked) == questions


async def test_behind_another_guard_no_token_is_spent_on_who_is_refused(
    siteverify: Siteverify,
) -> None:
    assert await status_of(known & turnstile(verify_url=siteverify.url), TOKEN) == 401
    assert siteverify.asked == []


def test_it_is_listed_by_name_and_runs_no_statement() -> None:
    app = make_app(known & turnstile())

    assert app.access()["GET", "/"] == "known & turnstile"
    assert app.routes[0].statements == 0


@pytest.mark.parametrize(
    "options",
    [
        {"verify_url": "http://challenges.cloudflare.com/turnstile/v0/siteverify"},
        {"verify_url": "http://localhost.evil.example/"},
        {"verify_url": "/turnstile/v0/siteverify"},
        {"verify_url": "https://user:password@x/"},
        {"hostname": ""},
        {"hostname": []},
        {"hostname": ["a", ""]},
        {"action": ""},
    ],
    ids=str,
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        turnstile(**options)


def test_unless_told_otherwise_cloudflare_is_asked() -> None:
    assert SITEVERIFY == "https://challenges.cloudflare.com/turnstile/v0/siteverify"
    assert str(turnstile()) == "turnstile"
    assert turnstile().refuses == (403,)
    assert turnstile() is not public


def test_the_scheme_of_the_url_may_be_in_capitals() -> None:
    assert str(turnstile(verify_url="HTTPS://challenges.example/siteverify")) == "turnstile"
