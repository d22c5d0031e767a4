"""Pages of listed origins may read; preflights of real routes alone are answered."""

from collections.abc import Iterable
from typing import Any

import pytest

from framework import App, ConfigurationError, Context, HTTPError, Response, Router, guard, public
from framework.compose import Next
from framework.errors import Unauthorized
from framework.middleware.cors import cors

HERE = "http://localhost"
FRIEND = "https://app.example.com"
STRANGER = "https://evil.example"
ALLOW_ORIGIN = "access-control-allow-origin"


@guard
async def nobody() -> None:
    raise Unauthorized


def make_app(**options: Any) -> App:
    origins = options.pop("origins", FRIEND)
    methods = options.pop("methods", ("GET", "PUT"))
    app = App(origins=[FRIEND])
    app.use(cors(origins, methods=methods, **options))

    @app.get("/notes", guard=public)
    async def notes() -> str:
        return "notes"

    @app.put("/notes/:id", guard=nobody)
    async def write(id: str) -> str:
        return id

    @app.get("/broken", guard=public)
    async def broken() -> str:
        raise ZeroDivisionError

    @app.get("/own", guard=public)
    async def own() -> Response:
        return Response(headers=[(ALLOW_ORIGIN, "*"), ("vary", "accept, Origin")])

    @app.post("/hidden", guard=public, hide=True)
    async def hidden() -> None:
        return None

    return app


def allowed(response: Response) -> dict[str, str]:
    prefix = "access-control-"
    return {
        name.removeprefix(prefix): value
        for name, value in response.headers
        if name.startswith(prefix)
    }


def vary(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "vary"]


async def preflight(app: App, path: str, method: str, origin: str = FRIEND) -> Response:
    headers = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "x-anything",
    }
    return await app.request("OPTIONS", path, headers=headers)


@pytest.mark.parametrize(
    ("path", "method", "status", "methods"),
    [
        ("/notes", "GET", 204, "GET, HEAD"),
        ("/notes", "HEAD", 204, "GET, HEAD"),
        ("/notes/7", "PUT", 204, "PUT"),
        ("/notes", "PUT", 204, None),
        ("/notes/7", "GET", 204, None),
        ("/notes", "put", 204, None),
        ("/notes", "OPTIONS", 204, None),
        ("/notes", "GET, HEAD", 204, None),
        ("/notes", "", 204, None),
        ("/hidden", "POST", 404, None),
        ("/nowhere", "GET", 404, None),
        ("/%zz", "GET", 400, None),
    ],
)
async def test_only_preflights_of_real_routes_are_allowed(
    path: str, method: str, status: int, methods: str | None
) -> None:
    response = await preflight(make_app(), path, method)

    assert response.status == status
    assert allowed(response).get("allow-methods") == methods
    assert allowed(response).get("allow-origin") == (FRIEND if methods else None)
    assert vary(response) == ["origin"]


@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "null",
        "",
        "*",
        "http://app.example.com",
        "https://APP.example.com",
        "https://app.example.com:444",
        "https://app.example.com.evil.com",
        "https://app.example.com@evil.com",
        "https://app.example.com.",
        "https://app.example.com/",
        f"{FRIEND}, {FRIEND}",
        f"{FRIEND}, {STRANGER}",
    ],
)
async def test_an_origin_that_is_not_listed_exactly_gets_nothing(origin: str) -> None:
    app = make_app(credentials=True, exposed=["x-total"])

    actual = await app.request("GET", "/notes", headers={"origin": origin})
    asked = await preflight(app, "/notes", "GET", origin)

    assert (actual.status, asked.status) == (200, 204)
    assert allowed(actual) == allowed(asked) == {}
    assert vary(actual) == vary(asked) == ["origin"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/notes", 200),
        ("HEAD", "/notes", 200),
        ("PUT", "/notes/7", 401),
        ("GET", "/nowhere", 404),
        ("PUT", "/notes", 405),
        ("GET", "/%zz", 400),
        ("GET", "/broken", 500),
    ],
)
async def test_every_answer_can_be_read_errors_too(method: str, path: str, status: int) -> None:
    response = await make_app().request(method, path, headers={"origin": FRIEND})

    assert response.status == status
    assert allowed(response) == {"allow-origin": FRIEND}
    assert "origin" in vary(response)


async def test_an_error_of_a_layer_inside_can_be_read_too() -> None:
    app = make_app()

    async def refuse(_: Context, __: Next) -> Response:
        raise HTTPError(418, "I am a teapot.")

    app.use(refuse)
    response = await app.request("GET", "/notes", headers={"origin": FRIEND})

    assert (response.status, response.header(ALLOW_ORIGIN)) == (418, FRIEND)


async def test_a_method_that_is_not_allowed_cannot_be_read() -> None:
    app = make_app(methods=["GET"])

    response = await app.request("PUT", "/notes/7", headers={"origin": FRIEND})

    assert allowed(response) == {}


@pytest.mark.parametrize("origins", [FRIEND, "*"])
async def test_without_an_origin_only_vary_is_sent(origins: str) -> None:
    response = await make_app(origins=origins, methods=["GET"]).request("GET", "/notes")

    assert (allowed(response), vary(response)) == ({}, ["origin"])


async def test_options_that_is_no_preflight_is_left_alone() -> None:
    response = await make_app().request("OPTIONS", "/notes", headers={"origin": FRIEND})

    assert response.header("allow") == "GET, HEAD, OPTIONS"
    assert allowed(response) == {}


async def test_only_options_is_a_preflight() -> None:
    headers = {"origin": FRIEND, "access-control-request-method": "GET"}

    response = await make_app().request("GET", "/notes", headers=headers)

    assert allowed(response) == {"allow-origin": FRIEND}


async def test_head_is_allowed_with_get_and_not_without() -> None:
    assert allowed(await preflight(make_app(methods=["PUT"]), "/notes", "HEAD")) == {}


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        (("vary", "accept"), ["accept", "origin"]),
        (("vary", "accept, ORIGIN"), ["accept, ORIGIN"]),
        (("vary", "*"), ["*"]),
        (("x-listed", "origin"), ["origin"]),
    ],
    ids=str,
)
async def test_caches_are_told_of_the_origin_whatever_else_they_are_told(
    own: tuple[str, str], sent: list[str]
) -> None:
    app = App()
    app.use(cors(FRIEND))
    app.get("/", guard=public)(lambda: Response(headers=[own]))

    assert vary(await app.request("GET", "/")) == sent


async def test_a_preflight_carries_all_of_the_policy() -> None:
    app = make_app(
        headers=["Content-Type", "x-csrf"], exposed=["X-Total"], credentials=True, max_age=86_400
    )

    asked = await preflight(app, "/notes/7", "PUT")
    actual = await app.request("GET", "/notes", headers={"origin": FRIEND})

    assert allowed(asked) == {
        "allow-origin": FRIEND,
        "allow-methods": "PUT",
        "allow-credentials": "true",
        "allow-headers": "content-type, x-csrf",
        "max-age": "86400",
    }
    assert allowed(actual) == {
        "allow-origin": FRIEND,
        "allow-credentials": "true",
        "expose-headers": "x-total",
    }


async def test_unless_told_otherwise_get_is_allowed_and_known_for_ten_minutes() -> None:
    app = App()
    app.use(cors(FRIEND))
    app.on(["GET", "POST"], "/", guard=public)(lambda: "")

    assert allowed(await preflight(app, "/", "GET")) == {
        "allow-origin": FRIEND,
        "allow-methods": "GET, HEAD",
        "max-age": "600",
    }


async def test_a_star_lets_everybody_read() -> None:
    app = make_app(origins="*", methods=["GET"])

    actual = await app.request("GET", "/notes", headers={"origin": STRANGER})
    asked = await preflight(app, "/notes", "GET", "null")

    assert actual.header(ALLOW_ORIGIN) == asked.header(ALLOW_ORIGIN) == "*"
    assert vary(actual) == ["origin"]


async def test_a_handler_cannot_allow_a_second_origin_or_vary_twice() -> None:
    response = await make_app().request("GET", "/own", headers={"origin": FRIEND})

    assert [value for name, value in response.headers if name == ALLOW_ORIGIN] == [FRIEND]
    assert vary(response) == ["accept, Origin"]


async def test_one_request_leaves_nothing_for_the_next() -> None:
    app = make_app(origins=[FRIEND, HERE], methods=["GET"])

    origins = [FRIEND, STRANGER, HERE, "", FRIEND]
    answers = [await app.request("GET", "/notes", headers={"origin": o}) for o in origins]

    assert [a.header(ALLOW_ORIGIN) for a in answers] == [FRIEND, None, HERE, None, FRIEND]


@pytest.mark.parametrize(
    ("origins", "options", "problem"),
    [
        ("*", {"credentials": True}, "with credentials"),
        (FRIEND, {"credentials": True, "headers": ["*"]}, "list the headers"),
        (FRIEND, {"credentials": True, "exposed": ["*"]}, "list the headers"),
        ("*", {"methods": ["GET", "POST"]}, "with POST"),
        (["*", FRIEND], {}, "not an origin"),
        ([], {}, "no origins"),
        ("https://*.example.com", {}, "not an origin"),
        (f"{FRIEND}/", {}, "not an origin"),
        ("null", {}, "not an origin"),
        (FRIEND, {"methods": "GET"}, "list"),
        (FRIEND, {"methods": ["get"]}, "capitals"),
        (FRIEND, {"methods": ["*"]}, "name them"),
        (FRIEND, {"methods": ["GET, PUT"]}, "capitals"),
        (FRIEND, {"headers": "x-a"}, "list"),
        (FRIEND, {"headers": ["x a"]}, "not a header name"),
        (FRIEND, {"exposed": ["x\r\na"]}, "not a header name"),
        (FRIEND, {"max_age": -1}, "max_age"),
        (FRIEND, {"max_age": 86_401}, "max_age"),
        (FRIEND, {"max_age": True}, "max_age"),
    ],
)
def test_what_could_not_be_kept_is_refused_when_made(
    origins: str | Iterable[str], options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        cors(origins, **options)


@pytest.mark.parametrize(
    ("trusted", "methods", "works"),
    [
        ([FRIEND], ["GET", "POST"], True),
        ([FRIEND, STRANGER], ["GET", "POST"], True),
        ([], ["GET"], True),
        ([], ["GET", "DELETE"], True),  # no route has it
        ([], ["GET", "POST"], False),
        ([STRANGER], ["POST"], False),
    ],
)
def test_whoever_may_send_is_known_to_the_app_too(
    trusted: list[str], methods: list[str], works: bool
) -> None:
    app = App(origins=trusted)

    @app.on(["GET", "POST"], "/notes", guard=public)
    async def notes() -> None:
        return None

    app.use(cors(FRIEND, methods=methods))

    if works:
        app.prepare()
    else:
        with pytest.raises(ConfigurationError, match=rf"POST /notes to {FRIEND}.*App\(origins="):
            app.prepare()


def test_on_a_router_it_is_refused() -> None:
    app = App()
    router = Router("/api")
    router.use(cors(FRIEND))

    @router.get("/notes", guard=public)
    async def notes() -> None:
        return None

    app.mount(router)

    with pytest.raises(ConfigurationError, match=r"test_cors.py:\d+: .* app.use\(cors"):
        app.prepare()
