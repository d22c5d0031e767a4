"""Routers carry their own answers for errors and for what is not there, whatever the order of calls."""

from typing import Any

import pytest

from framework import App, ConfigurationError, Context, HTTPError, Response, Router, public
from framework.compose import Next
from framework.credentials import bearer
from framework.router import ErrorHandler


def named(name: str, *, answers: bool = True) -> Any:
    async def handler(c: Context, error: HTTPError) -> Response | None:
        return Response.text(f"{name}: {error.code}", error.status) if answers else None

    return handler


def make_app(*, late: bool) -> App:
    app, outer, inner, plain = App(), Router("/outer"), Router("/inner"), Router("/plain")

    async def nowhere(c: Context) -> Response:
        return Response.text("inner: nowhere", 404)

    def say() -> None:
        app.on_error(named("app"))
        outer.on_error(named("outer"))
        inner.on_error(named("inner", answers=False))
        inner.not_found(nowhere)

    def mount() -> None:
        for router in (app, outer, inner, plain):

            @router.get("/fails", guard=public)
            async def fails(c: Context) -> None:
                raise HTTPError(409)

        outer.mount(inner)
        app.mount(outer)
        app.mount(plain)

    for step in (mount, say) if late else (say, mount):
        step()
    return app


class Missing(Exception):
    """An error of the application's own, which knows nothing of HTTP."""


def failing(raised: Exception, explain: ErrorHandler) -> App:
    """Return an application that raises *raised*, and *explain* answers."""
    app = App()
    app.on_error(explain)

    @app.get("/", guard=public)
    async def fail() -> None:
        raise raised

    return app


def logged_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the errors say that were logged with a traceback."""
    return [str(record.exc_info[1]) for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("raised", "status", "is_logged"),
    [
        (Missing("note 5"), 404, False),
        (KeyError("a bug"), 500, True),
        (HTTPError(503), 503, True),
        (HTTPError(409), 409, False),
        (HTTPError(499), 499, False),
    ],
)
async def test_an_error_that_a_handler_explains_is_no_fault_to_log(
    caplog: pytest.LogCaptureFixture, raised: Exception, status: int, is_logged: bool
) -> None:
    async def explain(c: Context, error: HTTPError) -> Response | None:
        if isinstance(error.__cause__, Missing):
            return Response.json({"missing": True}, 404)
        return None if error.status != 503 else Response.text("later", 503)

    assert (await failing(raised, explain).request("GET", "/")).status == status
    assert bool(caplog.records) is is_logged


@pytest.mark.parametrize(
    ("raised", "logged"),
    [(RuntimeError("a bug"), ["a bug", "another"]), (HTTPError(409), ["another"])],
    ids=["fault", "refusal"],
)
async def test_a_handler_that_fails_hides_no_fault(
    caplog: pytest.LogCaptureFixture, raised: Exception, logged: list[str]
) -> None:
    async def explain(c: Context, error: HTTPError) -> Response:
        raise RuntimeError("another")

    assert (await failing(raised, explain).request("GET", "/")).status == 500
    assert logged_errors(caplog) == logged


@pytest.mark.parametrize(
    ("raised", "logged"),
    [(HTTPError(404), []), (HTTPError(503), ["unavailable"]), (KeyError("bug"), ["'bug'"])],
    ids=["refusal", "outage", "bug"],
)
async def test_a_handler_may_raise_what_it_was_given(
    caplog: pytest.LogCaptureFixture, raised: Exception, logged: list[str]
) -> None:
    async def leave(c: Context, error: HTTPError) -> Response:
        raise error

    response = await failing(raised, leave).request("GET", "/")

    assert response.status == getattr(raised, "status", 500)
    assert response.header("content-type") == "application/problem+json"
    assert logged_errors(caplog) == logged


async def test_one_that_raises_what_cannot_be_sent_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()

    @app.on_error
    async def leave(c: Context, error: HTTPError) -> Response:
        raise HTTPError(404, headers={"x": "\n"})

    assert (await app.request("GET", "/")).status == 500
    assert "the header x holds a control character" in caplog.text


async def as_page(c: Context, error: HTTPError) -> Response:
    status = 418 if c.request.query else error.status
    page = Response.html(f"<h1>{error.status}</h1>", status)
    return page.with_header("retry-after", "9") if status == 503 else page


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/busy", [("retry-after", "9"), ("x-why", "a"), ("x-why", "b")]),
        ("POST", "/busy", [("allow", "GET, HEAD, OPTIONS")]),
        ("GET", "/challenged", [("www-authenticate", "A"), ("www-authenticate", "B")]),
        ("GET", "/nowhere", []),
        ("POST", "/busy?as=another", []),
    ],
)
async def test_an_answer_with_the_status_of_its_error_has_the_headers_of_it(
    method: str, path: str, expected: list[tuple[str, str]]
) -> None:
    app = App()
    app.on_error(as_page)

    @app.get("/busy", guard=public)
    async def busy() -> None:
        headers = (("Retry-After", "5"), ("x-why", "a"), ("X-Why", "b"), ("Content-Type", "a/b"))
        raise HTTPError(503, headers=headers)

    @app.get("/challenged", guard=public)
    async def challenged() -> None:
        raise HTTPError(401, headers=(("WWW-Authenticate", "A"), ("WWW-Authenticate", "B")))

    answer = await app.request(method, path)

    usual = {"content-type", "x-content-type-options", "cache-control", "vary"}
    assert [pair for pair in answer.headers if pair[0] not in usual] == expected
    assert answer.header("content-type") == "text/html; charset=utf-8"


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/fails", "app: conflict"),
        ("/plain/fails", "app: conflict"),
        ("/outer/fails", "outer: conflict"),
        ("/outer/inner/fails", "outer: conflict"),
        ("/nothing", "app: not-found"),
        ("/outer", "outer: not-found"),
        ("/outer/nothing", "outer: not-found"),
        ("/outernothing", "app: not-found"),
        ("/outer/inner/nothing/at/all", "inner: nowhere"),
        ("/outer/%2F", "app: malformed-request"),
    ],
)
async def test_the_nearest_answers(path: str, answer: str, late: bool) -> None:
    response = await make_app(late=late).request("GET", path)

    assert response.body == answer.encode()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/outer/inner/fails", "inner: conflict"),
        ("/outer/inner/nothing", "inner: not-found"),
        ("/outer/fails", "outer: conflict"),
        ("/outer/nothing", "outer: not-found"),
        ("/nothing", "app: not-found"),
    ],
)
@pytest.mark.parametrize("what", ["errors", "both"])
async def test_the_nearest_of_several_that_would_answer_does(
    what: str, path: str, answer: str
) -> None:
    app, outer, inner = App(), Router("/outer"), Router("/inner")

    def missing(name: str) -> Any:
        async def nowhere(c: Context) -> Response:
            return Response.text(f"{name}: not-found", 404)

        return nowhere

    async def fails() -> None:
        raise HTTPError(409)

    for router, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        router.get("/fails", guard=public)(fails)
        router.on_error(named(name))
        if what == "both":
            router.not_found(missing(name))
    outer.mount(inner)
    app.mount(outer)

    assert (await app.request("GET", path)).body == answer.encode()


async def test_an_application_alone_answers_both_what_fails_and_what_is_missing() -> None:
    app = App()

    async def nowhere(c: Context) -> Response:
        return Response.text("nowhere", 404)

    app.on_error(named("app"))
    app.not_found(nowhere)
    app.get("/here", guard=public)(lambda: "here")

    assert (await app.request("GET", "/nothing")).body == b"nowhere"
    assert (await app.request("PUT", "/here")).body == b"app: method-not-allowed"


async def test_the_router_of_a_route_answers_and_no_other_of_its_prefix() -> None:
    app, first, second = App(), Router("/x"), Router("/x")

    async def fails() -> None:
        raise HTTPError(409)

    first.on_error(named("first"))
    second.on_error(named("second"))
    first.get("/first", guard=public)(fails)
    second.get("/second", guard=public)(fails)
    app.mount(first)
    app.mount(second)

    for name in ("first", "second"):
        assert (await app.request("GET", f"/x/{name}")).body == f"{name}: conflict".encode()
    assert (await app.request("GET", "/x/nothing")).body == b"first: not-found"


async def test_what_the_nearest_does_not_answer_the_application_does() -> None:
    app, errors, pages = App(), Router("/errors"), Router("/pages")

    async def nowhere(c: Context) -> Response:
        return Response.text("nowhere", 404)

    app.on_error(named("app"))
    app.not_found(nowhere)
    errors.on_error(named("errors"))
    pages.not_found(nowhere)
    for router in (errors, pages):
        router.get("/here", guard=public)(lambda: "here")
        app.mount(router)

    assert (await app.request("GET", "/errors/nothing")).body == b"nowhere"
    assert (await app.request("PUT", "/pages/here")).body == b"app: method-not-allowed"


async def test_a_method_that_is_not_there_is_told_by_the_nearest() -> None:
    response = await make_app(late=False).request("PUT", "/outer/fails")

    assert response.status == 405
    assert response.body == b"outer: method-not-allowed"


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/a", 200, None),
        ("/a/", 308, "/a"),
        ("/b", 308, "/b/"),
        ("/b?x=1&y", 308, "/b/?x=1&y"),
        ("/b?x=é 1", 308, "/b/?x=%C3%A9%201"),
        ("/caf%C3%A9/", 308, "/caf%C3%A9"),
        ("/hidden", 404, None),
        ("/hidden/", 404, None),
        ("/c", 404, None),
        ("//a/", 404, None),
        ("/a//", 404, None),
        ("/b//", 404, None),
    ],
)
async def test_slashes_are_redirected_where_that_is_asked_for(
    path: str, status: int, location: str | None
) -> None:
    app = App(redirect_slashes=True)

    @app.get("/a", "/b/", "/café", guard=public)
    async def answer(c: Context) -> str:
        return "here"

    @app.post("/hidden", guard=public, hide=True)
    async def hidden(c: Context) -> None: ...

    response = await app.request("GET", path)

    assert (response.status, response.header("location")) == (status, location)


@pytest.mark.parametrize("with_layer", [False, True], ids=["bare", "in a layer"])
@pytest.mark.parametrize("value", ["Nothing here.", None, {"a": 1}])
async def test_what_is_no_answer_to_a_missing_path_is_our_fault(
    value: object, with_layer: bool
) -> None:
    app = App(guard=public)

    async def pass_on(c: Context, call_next: Next) -> Response:
        return await call_next()

    if with_layer:
        app.use(pass_on)

    async def nowhere(c: Context) -> Any:
        return value

    app.not_found(nowhere)

    assert (await app.request("GET", "/")).status == 500


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
async def test_a_router_without_routes_has_its_own_answers_too(late: bool) -> None:
    app, outer, inner = App(), Router("/outer"), Router("/inner")

    async def nowhere(c: Context) -> Response:
        return Response.text("inner: nowhere", 404)

    def mount() -> None:
        app.mount(outer)
        outer.mount(inner)

    if late:
        mount()
    inner.not_found(nowhere)
    outer.on_error(named("outer"))
    if not late:
        mount()

    assert (await app.request("GET", "/outer/inner/x")).body == b"inner: nowhere"
    assert (await app.request("GET", "/outer/x")).body == b"outer: not-found"
    assert (await app.request("GET", "/x")).header("content-type") == "application/problem+json"


async def test_one_that_is_mounted_when_the_application_answers_already_has_its_own_answers() -> (
    None
):
    app, plain = App(), Router("/plain")
    plain.on_error(named("plain"))
    assert (await app.request("GET", "/plain/x")).header("content-type") != "text/plain"

    app.mount(plain)

    assert (await app.request("GET", "/plain/x")).body == b"plain: not-found"


@pytest.mark.parametrize(
    ("errors_at", "nowhere_at"), [("/api", "/api"), ("/api/v2", "/api"), ("/api", "/api/v2")]
)
async def test_a_router_beside_with_the_other_handler_takes_none_away(
    errors_at: str, nowhere_at: str
) -> None:
    app, errors, nowhere = App(), Router(errors_at), Router(nowhere_at)
    errors.on_error(named("errors"))
    errors.get("/fails", guard=public)(lambda: None)
    nowhere.get("/there", guard=public)(lambda: None)

    @nowhere.not_found
    async def tell(c: Context) -> Response:
        return Response.text("nowhere", 404)

    app.mount(errors)
    app.mount(nowhere)

    assert (await app.request("GET", "/api/v2/x")).body == b"nowhere"
    assert (await app.request("PUT", f"{errors_at}/fails")).body == b"errors: method-not-allowed"


@pytest.mark.parametrize("name", ["on_error", "not_found"])
def test_a_second_handler_of_one_router_is_refused(name: str) -> None:
    async def first(*_: Any) -> Response:
        return Response.text("first")

    async def second(*_: Any) -> Response:
        return Response.text("second")

    for router in (App(), Router("/x")):
        declare = getattr(router, name)
        assert declare(first) is first
        declare(first)  # the same once more is the same
        with pytest.raises(ConfigurationError, match=r":[0-9]+: .*:[0-9]+ is asked here already"):
            declare(second)


class Pages(dict[str, str]):
    """Answers by path. It is empty, and so is no truth."""

    async def __call__(self, c: Context, *_: HTTPError) -> Response:
        return Response.text(self.get(c.request.path, "no page"), 404)


@pytest.mark.parametrize("declare", ["on_error", "not_found"])
async def test_a_handler_without_truth_is_one(declare: str) -> None:
    app = App()
    getattr(app, declare)(Pages())

    assert (await app.request("GET", "/x")).body == b"no page"


@pytest.mark.parametrize(
    ("method", "path", "status", "also"),
    [
        ("GET", "/nothing", 404, None),
        ("GET", "/member", 401, ("www-authenticate", 'Bearer realm="api"')),
        ("PUT", "/member", 405, ("allow", "GET, HEAD, OPTIONS")),
        ("GET", "/broken", 500, None),
    ],
)
@pytest.mark.parametrize("named", [200, 201, 299])
async def test_an_error_is_never_answered_as_if_all_were_well(
    method: str, path: str, status: int, also: tuple[str, str] | None, named: int
) -> None:
    app = App()

    @app.on_error
    async def explain(c: Context, error: HTTPError) -> Response:
        return Response(b"went wrong", named)

    @app.get("/member", guard=bearer("TOKEN"))
    async def show(c: Context) -> None: ...

    @app.get("/broken", guard=public)
    async def fail(c: Context) -> None:
        raise RuntimeError

    response = await app.request(method, path, env={"TOKEN": "x" * 32})

    assert (response.status, response.body) == (status, b"went wrong")
    assert also is None or also in response.headers


@pytest.mark.parametrize("path", ["/nothing", "/below/nothing"])
@pytest.mark.parametrize(("named", "status"), [(200, 404), (202, 404), (308, 308), (410, 410)])
async def test_what_is_not_found_is_never_answered_as_if_it_were_there(
    path: str, named: int, status: int
) -> None:
    app, below = App(), Router("/below")
    app.mount(below)

    @app.not_found
    @below.not_found
    async def missing(c: Context) -> Response:
        return Response(b"nowhere", named)

    response = await app.request("GET", path)

    assert (response.status, response.body) == (status, b"nowhere")
    assert (await app.request("HEAD", path)).status == status
