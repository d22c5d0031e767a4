"""What routers collect and what the application then answers. The table is in data/router_cases.toml."""

from itertools import pairwise
from typing import Any

import pytest

from framework import App, ConfigurationError, Context, HTTPError, Response, Router, guard, public
from framework.compose import Next
from framework.testing import json_of
from tests.router_cases import CASES, RouterCase, read_route


def declare(router: Router, route: str) -> None:
    async def answer(c: Context) -> Response:
        found = {"route": route, "parameters": c.params}
        return Response.json(found).with_header("x-found", route.encode("unicode_escape").decode())

    methods, paths = read_route(route)
    if methods == ("ALL",):
        router.all(*paths, guard=public)(answer)
    else:
        router.on(methods, *paths, guard=public)(answer)


def build(case: RouterCase, routes: list[str], *, mounted_first: bool = False) -> App:
    app = App()
    routers = [app, *(Router(prefix) for prefix in case.prefixes)]
    pairs = list(pairwise(routers))
    if mounted_first:
        for outer, inner in pairs:
            outer.mount(inner)
    for route in routes:
        declare(routers[-1], route)
    if not mounted_first:
        for outer, inner in reversed(pairs):
            outer.mount(inner)
    return app


async def check(app: App, case: RouterCase) -> None:
    response = await app.request(case.method, case.path)

    assert response.status == case.status
    if case.route is not None:
        name = case.route.encode("unicode_escape").decode()
        assert response.header("x-found") == name
    if case.route is not None and case.method != "HEAD":
        assert json_of(response) == {"route": case.route, "parameters": case.parameters}
    if case.allow is not None:
        assert response.header("allow") == case.allow


def test_the_table_is_large() -> None:
    assert len(CASES) >= 150
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_table(case: RouterCase) -> None:
    await check(build(case, list(case.routes)), case)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_order_of_declaration_changes_nothing(case: RouterCase) -> None:
    await check(build(case, list(reversed(case.routes))), case)


@pytest.mark.parametrize("case", [case for case in CASES if case.prefixes], ids=str)
async def test_routes_added_after_mounting_are_served(case: RouterCase) -> None:
    await check(build(case, list(case.routes), mounted_first=True), case)


async def test_routes_added_after_the_first_request_are_served() -> None:
    app, router = App(), Router("/late")
    app.mount(router)
    before = await app.request("GET", "/late/x")

    declare(router, "GET /x")

    assert before.status == 404
    assert (await app.request("GET", "/late/x")).status == 200


async def test_one_router_may_be_mounted_in_two_places() -> None:
    app, outer, shared = App(), Router("/outer"), Router("/shared")
    declare(shared, "GET /x")
    app.mount(shared)
    app.mount(outer)
    outer.mount(shared)
    declare(shared, "GET /y")

    found = [
        (await app.request("GET", path)).status
        for path in ("/shared/x", "/shared/y", "/outer/shared/x", "/outer/shared/y", "/outer/x")
    ]

    assert found == [200, 200, 200, 200, 404]


def test_a_decorator_gives_the_function_back() -> None:
    async def index(c: Context) -> None: ...

    assert App().get("/", guard=public)(index) is index


@guard
def nobody(c: Context) -> None:
    raise HTTPError(403)


async def test_head_runs_the_guard_of_get() -> None:
    app = App()
    app.get("/secret", guard=nobody)(lambda: "secret")

    response = await app.request("HEAD", "/secret")

    assert (response.status, response.body) == (403, b"")


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "TRACE", "PROPFIND"])
async def test_no_handler_and_no_guard_runs_for_another_method(method: str) -> None:
    app, ran = App(), list[str]()
    note = guard(lambda: ran.append("guard"), name="note")
    app.get("/x", guard=note)(lambda: ran.append("handler"))

    response = await app.request(method, "/x")

    assert response.status == (204 if method == "OPTIONS" else 405)
    assert response.header("allow") == "GET, HEAD, OPTIONS"
    assert ran == []


@pytest.mark.parametrize("route", ["/x/:id", "/x/:id{.+}", "/x/:id/:more?", "/x/*", "/*", "/x/a/b"])
@pytest.mark.parametrize("slash", ["%2F", "%2f", "%5C", "%5c"])
async def test_a_slash_that_hides_is_refused_whatever_the_route(route: str, slash: str) -> None:
    app, ran = App(), list[str]()
    note = guard(lambda: ran.append("guard"), name="note")
    app.get(route, guard=note)(lambda: ran.append("handler"))

    assert (await app.request("GET", f"/x/a{slash}b")).status == 400
    assert ran == []


@pytest.mark.parametrize(
    ("method", "status", "allow"),
    [
        ("GET", 200, None),
        ("HEAD", 200, None),
        ("POST", 200, None),
        ("PUT", 405, "OPTIONS, POST"),
        ("OPTIONS", 204, "OPTIONS, POST"),
    ],
)
async def test_a_hidden_route_does_not_stand_in_allow(
    method: str, status: int, allow: str | None
) -> None:
    app = App()
    app.get("/x", guard=public, hide=True)(lambda: "found")
    app.post("/x", guard=public)(lambda: "found")

    response = await app.request(method, "/x")

    assert (response.status, response.header("allow")) == (status, allow)


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE"])
async def test_where_all_is_hidden_nothing_is_there(method: str) -> None:
    app = App()
    app.get("/x", guard=public, hide=True)(lambda: "found")

    response = await app.request(method, "/x")

    assert (response.status, response.header("allow")) == (404, None)


PLACE = r"test_router\.py:[0-9]+"


def refuses(*words: str) -> Any:
    pattern = "(?s)" + "".join(f"(?=.*{word})" for word in words)
    return pytest.raises(ConfigurationError, match=pattern)


def answer(c: Context) -> str:
    return "answer"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /a", "GET /a"),
        ("GET /a", "GET /%61"),
        ("GET /a/", "GET /a/"),
        ("GET /:a", "GET /:b"),
        ("GET /:a", "POST,GET /:b"),
        ("ALL /x", "DELETE /x"),
        ("GET /:a{[0-9]+}", "GET /:b{[0-9]+}"),
        ("GET /x/:a/y", "GET /x/:b/y"),
        ("GET /x/:a/y/:c{.+}", "GET /x/:b/y/:d{.+}"),
        ("GET /x/*", "GET /x/*"),
        ("GET /x/*/y", "GET /x/*/y"),
        ("GET /x/:a/y", "GET /x/*/y"),
        ("GET /x/*/y", "GET /x/:a/y"),
        ("GET /x/:a?", "GET /x"),
        ("GET /x/:a?", "GET /x/:b"),
        ("GET /x/:a?/y", "GET /x/y"),
        ("GET /:a?/:b?", "GET /:c"),
        ("GET /a /b /c", "GET /d /b"),
        ("GET /x/:a{.*}", "GET /x/:b{.+}"),
        ("GET /x/:a{.+}", "GET /x/:b{.*}"),
        ("GET /x/:a{[^/]+}", "GET /x/:b"),
        ("GET /x/:a", "GET /x/:b{[^/]+}"),
        ("GET /x/:a{.+}/y", "GET /x/:b/y"),
        ("GET /x/*/y", "GET /x/:b{[^/]*}/y"),
    ],
)
def test_a_conflict_names_both_places(first: str, second: str) -> None:
    app = App()
    declare(app, first)

    methods, paths = read_route(second)
    with refuses(f"{PLACE}.*{PLACE}", "already"):
        app.on(methods, *paths, guard=public)(answer)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /a", "POST /a"),
        ("GET /a", "GET /a/"),
        ("GET /a", "GET /:a"),
        ("GET /a", "GET /A"),
        ("GET /:a", "GET /:a{.+}"),
        ("GET /:a{[0-9]+}", "GET /:a{[a-z]+}"),
        ("GET /:a", "GET /*"),
        ("GET /x/:a?", "GET /x/"),
        ("GET /x/*", "GET /x"),
    ],
)
def test_what_can_be_told_apart_is_no_conflict(first: str, second: str) -> None:
    app = App()

    declare(app, first)
    declare(app, second)

    assert len(app.routes) == 2


def test_a_conflict_between_routers_names_both_places() -> None:
    app, one, two = App(), Router("/:x"), Router("/:y")
    declare(one, "GET /same")
    two.get("/same", guard=public)(answer)
    app.mount(one)

    with refuses(f"{PLACE}.*{PLACE}"):
        app.mount(two)


async def test_a_refused_route_is_not_served_in_part() -> None:
    app = App()
    declare(app, "POST /x")

    with refuses("POST /x"):
        app.on(["GET", "POST"], "/x", guard=public)(answer)

    assert (await app.request("GET", "/x")).status == 405
    assert app.access() == {("POST", "/x"): "public"}


def test_a_route_without_a_guard_is_refused_on_the_app() -> None:
    with refuses(PLACE, "GET /x names no guard", "guard=public"):
        App().get("/x")(answer)


def test_a_route_without_a_guard_is_refused_when_its_router_is_mounted() -> None:
    router = Router("/r")
    router.get("/x")(answer)

    with refuses(PLACE, "GET /r/x names no guard"):
        App().mount(router)


def test_a_route_without_a_guard_is_refused_in_a_router_mounted_before() -> None:
    app, outer, inner = App(), Router("/outer"), Router("/inner")
    app.mount(outer)
    outer.mount(inner)

    with refuses(PLACE, "POST /outer/inner/x names no guard"):
        inner.post("/x")(answer)


def test_what_is_refused_does_not_stay_behind() -> None:
    open_app, guarded, router = App(), App(guard=public), Router("/r")
    open_app.mount(router)
    with refuses("names no guard"):
        router.get("/x")(lambda: "")

    guarded.mount(router)
    late = Router("/late")
    late.get("/y")(lambda: "")
    with refuses("names no guard"):
        open_app.mount(late)

    assert guarded.access() == open_app.access() == {}
    assert [chain for chain in open_app.chains() if late in chain] == []


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_a_guard_at_any_level_marks_the_route(level: int) -> None:
    guards = [nobody if index == level else None for index in range(4)]
    app, outer, inner = App(guard=guards[0]), Router("/o", guard=guards[1]), Router(guard=guards[2])
    app.mount(outer)
    outer.mount(inner)

    inner.get("/x", guard=guards[3])(answer)

    assert app.access() == {("GET", "/o/x"): "nobody"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("x", "does not start with /"),
        ("/:", "not a parameter"),
        ("/:1a", "not a parameter"),
        ("/:a-:b", "not a parameter"),
        ("/:a.json", "not a parameter"),
        ("/:a:b", "not a parameter"),
        ("/:é", "not a parameter"),
        ("/:a??", "not a parameter"),
        ("/:a?{[0-9]+}", "not a parameter"),
        ("/:a{}", "empty"),
        ("/:a{[0-9}", "regex"),
        ("/:a{(}", "regex"),
        ("/:a{*}", "regex"),
        ("/:a{x", "braces"),
        ("/:a{x}}", "braces"),
        ("/a}b{", "belong to parameters"),
        ("/:a{x}{y}", "braces"),
        ("/:a{x}y{z}", "braces"),
        ("/:a/:a", "names :a twice"),
        ("/:a/x/:a?", "names :a twice"),
        ("/:a/:a{[0-9]+}", "names :a twice"),
        ("/assets*", "fills a segment"),
        ("/*x", "fills a segment"),
        ("/a/**", "fills a segment"),
        ("/a?", "belong to parameters"),
        ("/<int:id>", "'<int:id>' is not a parameter: write :name"),
        ("/<id>", "'<id>' is not a parameter: write :name"),
        ("/a{[0-9]+}", "belong to parameters"),
        ("/a//b", "can never match"),
        ("//", "can never match"),
        ("//a", "can never match"),
        ("/a/./b", "can never match"),
        ("/a/../b", "can never match"),
        ("/a\\b", "can never match"),
        ("/a%2Fb", "can never match"),
        ("/a%00", "can never match"),
        ("/a\n", "can never match"),
        ("/%ff", "can never match"),
        ("/%zz", "can never match"),
        ("/100%", "can never match"),
    ],
)
def test_a_path_outside_of_the_grammar_is_refused(path: str, words: str) -> None:
    with refuses(PLACE, words):
        App().get(path, guard=public)(lambda: "")


@pytest.mark.parametrize(
    ("path", "body"),
    [("/", b"app"), ("/a/b", b"app"), ("/r", b"router"), ("/r/a", b"router"), ("/r/x", b"x")],
)
async def test_a_star_alone_is_every_path_below(path: str, body: bytes) -> None:
    app, router = App(), Router("/r")
    app.mount(router)
    app.all("*", guard=public)(lambda: "app")
    router.get("*", guard=public)(lambda: "router")
    router.get("/x", guard=public)(lambda: "x")

    assert (await app.request("GET", path)).body == body


@pytest.mark.parametrize("path", ["x", "*x", ":id"])
def test_a_path_below_a_prefix_starts_with_a_slash_too(path: str) -> None:
    with refuses(PLACE, "does not start with /"):
        Router("/a").get(path, guard=public)(answer)


@pytest.mark.parametrize("prefix", ["a", "/", "/a/", "a/", "*", "/:a{[}", "/a//b", "/:a/:a", "/a*"])
def test_a_bad_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        Router(prefix)


def test_a_name_of_the_prefix_may_not_come_again() -> None:
    app, router = App(), Router("/:id")
    app.mount(router)

    with refuses(PLACE, "names :id twice"):
        router.get("/:id", guard=public)(answer)


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "", "GET,POST", "GE T", "GÉT", "GET\n", "G3T"]
)
def test_a_method_that_cannot_be_declared_is_refused(method: str) -> None:
    with refuses(PLACE, "cannot be declared"):
        App().on([method], "/x", guard=public)(answer)


def test_no_path_and_no_method_are_refused() -> None:
    app = App()

    with refuses(PLACE, "no path or no method"):
        app.get(guard=public)(answer)
    with refuses(PLACE, "no path or no method"):
        app.on([], "/x", guard=public)(answer)


def test_what_is_no_guard_is_refused_where_it_stands() -> None:
    function: Any = answer

    with refuses(PLACE, "is not a guard", r"guard\(\.\.\.\)"):
        App().get("/x", guard=function)(answer)
    with refuses("is not a guard"):
        Router(guard=function)


def test_a_router_is_not_mounted_below_itself_or_twice() -> None:
    outer, inner = Router("/outer"), Router("/inner")
    outer.mount(inner)

    with refuses("below itself"):
        inner.mount(outer)
    with refuses("below itself"):
        outer.mount(outer)
    with refuses("mounted here already"):
        outer.mount(inner)


def test_an_app_is_not_mounted() -> None:
    with refuses("served, not mounted"):
        App().mount(App("/other"))


async def test_middleware_wraps_the_routes_of_its_router_alone_whatever_the_order() -> None:
    app, router, ran = App(), Router("/r"), list[str]()

    def layer(name: str) -> Any:
        async def noted(c: Context, call_next: Next) -> Response:
            ran.append(f"{name} in")
            response = await call_next()
            ran.append(f"{name} out")
            return response

        return noted

    app.get("/x", guard=public)(lambda: "")
    app.mount(router)
    router.get("/x", guard=public)(lambda: "")
    router.use(layer("router"), layer("second"))
    app.use(layer("app"))

    await app.request("GET", "/r/x")
    within, ran[:] = list(ran), []
    await app.request("GET", "/x")

    assert within == [
        *("app in", "router in", "second in"),
        *("second out", "router out", "app out"),
    ]
    assert ran == ["app in", "app out"]


async def test_middleware_added_after_the_first_request_counts() -> None:
    app, router, ran = App(), Router("/r"), list[str]()
    app.mount(router)
    router.get("/x", guard=public)(lambda: "")
    await app.request("GET", "/r/x")

    async def layer(c: Context, call_next: Next) -> Response:
        ran.append("ran")
        return await call_next()

    router.use(layer)
    await app.request("GET", "/r/x")

    assert ran == ["ran"]
