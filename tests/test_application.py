"""The application answers every request, tells of errors once, and lists what it guards."""

import asyncio
import logging
from copy import copy
from typing import Any

import msgspec
import pytest

from framework import (
    App,
    ConfigurationError,
    Context,
    HTTPError,
    Job,
    Request,
    Response,
    Router,
    guard,
    public,
)
from framework.compose import Next
from framework.database import Unavailable
from framework.errors import Forbidden, NotFound
from framework.paths import MalformedURL
from framework.testing import json_of
from tests.answers import body_of


def failing(error: BaseException) -> App:
    app = App()

    @app.all("/", guard=public)
    async def fail(c: Context) -> None:
        raise copy(error)

    return app


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HTTPError(418), 418),
        (NotFound("CANARY is ours here"), 404),
        (RuntimeError("secret"), 500),
        (KeyError("secret"), 500),
        (RecursionError("secret"), 500),
        (MemoryError("secret"), 500),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "secret"), 500),
        (RuntimeError("secret \ud800 \n\x00"), 500),
        (StopAsyncIteration("secret"), 500),
        (MalformedURL("secret"), 500),
        (msgspec.ValidationError("secret"), 500),
        (ConfigurationError("secret"), 500),
        (Unavailable("secret", "SELECT secret"), 503),
        (HTTPError(404, headers=[("x-a", "1\r\nset-cookie: secret")]), 500),
        (HTTPError(404, headers=[("x a", "1")]), 500),
        (HTTPError(404, "\ud800 secret"), 500),
    ],
    ids=lambda value: ascii(value)[:40],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_every_error_is_answered(error: Exception, status: int, method: str) -> None:
    response = await failing(error).request(method, "/")

    assert response.status == status
    assert response.header("content-type") == "application/problem+json"
    assert response.header("set-cookie") is None
    assert b"secret" not in body_of(response)


async def test_what_ends_the_process_is_not_held_up() -> None:
    for error in (KeyboardInterrupt(), SystemExit()):
        with pytest.raises(type(error)):
            await failing(error).request("GET", "/")


async def cancelled() -> None:
    """Await something that is cancelled, as a pool does with what it drops."""
    waiting = asyncio.get_running_loop().create_future()
    waiting.cancel()
    await waiting


@guard
async def cancelled_guard() -> None:
    await cancelled()


def cancelling() -> App:
    """Return an app in which each part, at its path, lets through that what it awaits was cancelled."""
    app = App()

    @app.use
    async def mark(c: Context, call_next: Next) -> Response:
        response = await call_next()
        return response.with_header("x-mark", str(response.status))

    @app.use
    async def layer(c: Context, call_next: Next) -> Response:
        if c.request.path == "/layer":
            await cancelled()
        return await call_next()

    @app.get("/handler", guard=public)
    async def handler() -> None:
        await cancelled()

    @app.get("/error-handler", guard=public)
    async def fail() -> None:
        raise HTTPError(400)

    @app.on_error
    async def explain(c: Context, error: HTTPError) -> None:
        if error.status == 400:
            await cancelled()

    app.get("/guard", guard=cancelled_guard)(fail)
    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [("/handler", 500), ("/layer", 500), ("/error-handler", 500), ("/guard", 503)],
)
async def test_a_stray_cancellation_is_an_error_like_any(path: str, status: int) -> None:
    answer = await cancelling().request("GET", path)

    assert (answer.status, answer.header("x-mark")) == (status, str(status))


async def test_who_cancels_a_request_is_obeyed() -> None:
    app, begun = App(), asyncio.Event()

    @app.get("/", guard=public)
    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    asking = asyncio.create_task(app.request("GET", "/"))
    await begun.wait()
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_cancelled_work_ends_no_other_work() -> None:
    app, done = App(), []

    async def work() -> None:
        done.append("work")

    @app.get("/", guard=public)
    async def begin(c: Context) -> None:
        c.wait_until(cancelled())
        c.wait_until(work())

    with pytest.raises(RuntimeError, match="was cancelled, and nobody caught that"):
        await app.request("GET", "/")
    assert done == ["work"]


@pytest.mark.parametrize(
    ("error", "records"),
    [(RuntimeError("one\ntwo"), 1), (Unavailable("out"), 1), (HTTPError(418), 0), (Forbidden(), 0)],
)
async def test_what_is_our_fault_is_logged_once_and_on_one_line(
    error: Exception, records: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "kagari"):
        await failing(error).request("GET", "/?token=CANARY", headers={"cookie": "s=CANARY"})

    assert len(caplog.records) == records
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert "CANARY" not in caplog.text
        assert record.exc_info is not None


@pytest.mark.parametrize(
    ("named", "status", "records"),
    [(500, 500, 1), (503, 503, 1), (499, 499, 0), (303, 303, 0), (200, 500, 1)],
)
async def test_a_fault_is_logged_unless_its_handler_says_that_it_is_none(
    named: int, status: int, records: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = failing(RuntimeError("ours"))

    @app.on_error
    async def explain(c: Context, error: HTTPError) -> Response:
        return Response.text("a page", named)

    response = await app.request("GET", "/")

    assert (response.status, response.body) == (status, b"a page")
    assert len(caplog.records) == records


async def test_the_log_says_where_a_stray_cancellation_came_from(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await cancelling().request("GET", "/handler")

    assert "nobody caught that" in caplog.text
    assert "in cancelled" in caplog.text


@pytest.mark.parametrize("wrong", [None, "text", {}, b"", object()])
async def test_middleware_that_returns_no_response_is_our_fault(wrong: Any) -> None:
    async def careless(c: Context, call_next: Next) -> Any:
        await call_next()
        return wrong

    for level in ("app", "router"):
        app, router = App(), Router("/r")
        app.mount(router)
        router.get("/", guard=public)(lambda: "in")
        (app if level == "app" else router).use(careless)
        assert (await app.request("GET", "/r")).status == 500


async def test_middleware_sees_errors_as_answers() -> None:
    seen: list[int] = []

    async def watch(c: Context, call_next: Next) -> Response:
        response = await call_next()
        seen.append(response.status)
        return response

    app, router = App(), Router("/r")
    app.mount(router)
    app.use(watch)
    router.use(watch)
    router.get("/", guard=guard(lambda: 1 / 0, name="broken"))(lambda: "in")

    for path in ("/r", "/nowhere", "/%00"):
        await app.request("GET", path)

    assert seen == [503, 503, 404, 400]


async def test_middleware_that_breaks_is_answered() -> None:
    async def broken(c: Context, call_next: Next) -> Response:
        raise RuntimeError("secret")

    for level in ("app", "router"):
        app, router = App(), Router("/r")
        app.mount(router)
        router.get("/", guard=public)(lambda: "in")
        (app if level == "app" else router).use(broken)
        response = await app.request("GET", "/r")
        assert (response.status, json_of(response)["code"]) == (500, "internal-error")


async def answer_in_text(c: Context, error: HTTPError) -> Response | None:
    return Response.text(f"{error.status} {error.code}", error.status) if c.params else None


async def answer_late(c: Context, error: HTTPError) -> Response | None:
    raise HTTPError(409, "Translated.")


async def answer_badly(c: Context, error: HTTPError) -> Response | None:
    raise RuntimeError("secret")


async def answer_nonsense(c: Context, error: HTTPError) -> Any:
    return {"error": error.code}


@pytest.mark.parametrize(
    ("handler", "path", "status", "body"),
    [
        (answer_in_text, "/x", 403, b"403 forbidden"),
        (answer_in_text, "/", 404, None),
        (answer_late, "/x", 409, None),
        (answer_badly, "/x", 500, None),
        (answer_nonsense, "/x", 500, None),
    ],
)
async def test_an_error_handler_may_answer_and_may_not_make_things_worse(
    handler: Any, path: str, status: int, body: bytes | None
) -> None:
    app = App()
    app.get("/:x", guard=guard(lambda: deny(), name="deny"))(lambda: "in")
    app.on_error(handler)

    response = await app.request("GET", path)

    assert response.status == status
    assert ("cache-control", "private, no-store") in response.headers or path == "/"
    if body is None:
        assert response.header("content-type") == "application/problem+json"
        assert b"secret" not in body_of(response)
    else:
        assert response.body == body


def deny() -> None:
    raise Forbidden


async def test_the_access_table_lists_what_all_levels_ask_for() -> None:
    app = App(guard=guard(lambda: None, name="member"))
    notes = Router("/notes", guard=guard(lambda: None, name="paying"))
    notes.get("/", guard=public)(lambda: "")
    notes.on(["PUT", "DELETE"], "/:id", guard=guard(lambda: None, name="owner"))(lambda id: "")
    app.mount(notes)
    app.get("/", guard=public)(lambda: "")

    assert app.access() == {
        ("GET", "/"): "member",
        ("GET", "/notes"): "member & paying",
        ("PUT", "/notes/:id"): "member & paying & owner",
        ("DELETE", "/notes/:id"): "member & paying & owner",
    }


async def test_an_app_may_have_a_prefix() -> None:
    app = App("/api")
    app.get("/", guard=public)(lambda: "root")
    app.get("/x", guard=public)(lambda: "x")

    statuses = [(await app.request("GET", path)).status for path in ("/api", "/api/x", "/", "/x")]

    assert statuses == [200, 200, 404, 404]


def test_a_route_says_what_it_is() -> None:
    app = App()
    app.get("/:id", guard=public, name="show")(lambda id: "")

    (route,) = app.routes

    assert (route.name, route.path, route.methods) == ("show", "/:id", ("GET",))
    assert repr(route) == "<Route GET /:id: public>"


async def test_one_request_s_parameters_are_not_another_s() -> None:
    app = App()

    @app.get("/a/:id", "/b", "/c/*", guard=public)
    async def show(c: Context) -> dict[str, str]:
        c.params["changed"] = "yes"
        return c.params

    for path in ("/a/1", "/b", "/c", "/c/x"):
        first, second = [json_of(await app.request("GET", path)) for _ in range(2)]
        assert first == second
        assert sum(name == "changed" for name in first) == 1


async def test_a_request_can_be_handled_as_it_is() -> None:
    app = App()
    app.get("/", guard=public)(lambda: "in")

    assert (await app.handle(Request.build("GET", "/"), {})).body == b"in"


async def test_a_cron_runs_its_function() -> None:
    app, ran = App(), list[tuple[str, int]]()

    @app.cron("0 3 * * *")
    async def purge(job: Job) -> None:
        ran.append((job.cron, job.time))

    async def again(job: Job) -> None: ...

    await app.run_cron("0 3 * * *", {}, 9)

    assert ran == [("0 3 * * *", 9)]
    with pytest.raises(ConfigurationError, match="no function runs"):
        await app.run_cron("* * * * *", {}, 9)
    with pytest.raises(ConfigurationError, match="already has a function"):
        app.cron("0 3 * * *")(again)


HOSTILE_PATHS = [
    *(
        "/" + "a" * 65_536,
        "/" + "a/" * 10_000,
        "/" * 5_000,
        "/" + "%41" * 10_000,
        "/" + "..%2f" * 99,
    ),
    *(
        "/a%00",
        "/%ff",
        "/%",
        "/\u2028",
        "/\u202e",
        "/<script>",
        '/"',
        "/`",
        "/'",
        "/\ud800",
        "/\x7f",
    ),
    *("/@google.com", "/http://evil", "/*", "/:x", "/{x}", "/a;b", "/a?%zz", "/?" + "a=1&" * 2_000),
]


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: ascii(path)[:30])
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", "OPTIONS", "X" * 5_000, "G\x00T"])
async def test_no_request_is_answered_with_a_fault(method: str, path: str) -> None:
    app = App()

    @app.get("/", "/:x", "/:x/*", guard=public)
    async def show(c: Context, x: str = "") -> dict[str, Any]:
        return {"x": x, "query": c.request.query}

    first = await app.request(method, path)
    second = await app.request("GET", "/")

    assert first.status < 500
    assert second.status == 200
