"""Caches may keep what is the same for everybody, and nothing else."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from framework import (
    Alias,
    App,
    ConfigurationError,
    Context,
    Cookie,
    Depends,
    Header,
    Query,
    Request,
    Response,
    Router,
    guard,
    public,
)
from framework.compose import Next
from framework.cookies import SetCookie
from framework.credentials import read_bearer
from framework.interop import asgi_handler, fetch_handler
from framework.middleware.cache import cache
from framework.middleware.etag import etag
from framework.streaming import Event, server_sent_events, stream

HOUR = "public, max-age=3600"
NEVER = "private, no-store"


@guard
async def authorized() -> None:
    return None


def make_app() -> App:
    app = App()
    app.use(cache(3600, vary=["Accept-Language"]))

    @app.on(["GET", "POST"], "/plain", guard=public)
    async def plain() -> str:
        return "plain"

    @app.get("/own", guard=public)
    async def own() -> Response:
        return Response.text("own").with_header("cache-control", "no-cache")

    @app.get("/cookie", guard=public)
    async def cookie() -> Response:
        return Response.text("").with_header("set-cookie", "a=b")

    @app.get("/sent", guard=public)
    async def sent(c: Context) -> str:
        c.send_cookie(SetCookie(name="a", value="b"))
        return "sent"

    @app.get("/private", guard=public)
    async def private(c: Context) -> str:
        c.private = True
        return "yours"

    @app.get("/read", guard=public)
    async def read(theme: Cookie[str] = "light") -> str:
        return theme

    @app.get("/jar", guard=public)
    async def jar(c: Context) -> str:
        return c.cookies.get("theme") or "light"

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send(
            {"type": "http.response.body", "body": dict(scope["headers"]).get(b"cookie", b"")}
        )

    app.get("/mounted", guard=public)(asgi_handler(mounted))

    async def fetched(request: Request) -> Response:
        return Response.text(request.headers.get("cookie") or "")

    app.get("/fetched", guard=public)(fetch_handler(fetched))

    @app.get("/moved", guard=public)
    async def moved() -> Response:
        return Response.redirect("/plain")

    @app.get("/broken", guard=public)
    async def broken() -> str:
        raise ZeroDivisionError

    return app


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/plain", {}, HOUR),
        ("HEAD", "/plain", {}, HOUR),
        ("GET", "/plain", {"cookie": "a=b"}, HOUR),
        ("GET", "/plain", {"authorization": "Bearer x"}, None),
        ("POST", "/plain", {}, None),
        ("OPTIONS", "/plain", {}, None),
        ("GET", "/own", {}, "no-cache"),
        ("GET", "/cookie", {}, NEVER),
        ("GET", "/sent", {}, NEVER),
        ("GET", "/private", {}, NEVER),
        ("GET", "/read", {"cookie": "theme=dark"}, None),
        ("GET", "/read", {}, None),
        ("GET", "/jar", {"cookie": "theme=dark"}, None),
        ("GET", "/jar", {}, None),
        ("GET", "/mounted", {"cookie": "theme=dark"}, None),
        ("GET", "/mounted", {}, None),
        ("GET", "/fetched", {"cookie": "theme=dark"}, None),
        ("GET", "/fetched", {}, None),
        ("GET", "/moved", {}, None),
        ("GET", "/nowhere", {}, None),
        ("GET", "/broken", {}, None),
    ],
)
async def test_what_may_be_kept(
    method: str, path: str, headers: dict[str, str], expected: str | None
) -> None:
    response = await make_app().request(method, path, headers=headers)

    assert response.header("cache-control") == expected
    assert (response.header("vary") == "accept-language") == (expected == HOUR)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_age": 0}, "public, max-age=0"),
        ({"max_age": 31_536_000}, "public, max-age=31536000"),
        ({"max_age": 60, "shared": 600}, "public, max-age=60, s-maxage=600"),
        ({"max_age": 60, "immutable": True}, "public, max-age=60, immutable"),
        (
            {"max_age": 60, "stale_while_revalidate": 30, "stale_if_error": 0},
            "public, max-age=60, stale-while-revalidate=30, stale-if-error=0",
        ),
    ],
)
async def test_how_it_is_written(options: dict[str, Any], expected: str) -> None:
    app = App()
    app.use(cache(**options))

    @app.get("/", guard=public)
    async def index() -> str:
        return ""

    assert (await app.request("GET", "/")).header("cache-control") == expected


async def test_nothing_else_of_an_answer_changes() -> None:
    app = App()
    app.get("/", guard=public)(lambda: Response.text("").with_header("x-own", "1"))
    before = (await app.request("GET", "/")).headers

    app.use(cache(3600))

    added = [("cache-control", HOUR)]
    assert sorted((await app.request("GET", "/")).headers) == sorted([*before, *added])


@pytest.mark.parametrize("place", ["application", "router"])
@pytest.mark.parametrize("guarded", ["application", "router", "route"])
async def test_around_a_guard_it_is_refused(place: str, guarded: str) -> None:
    app = App(guard=authorized if guarded == "application" else None)
    router = Router("/notes", guard=authorized if guarded == "router" else None)
    (app if place == "application" else router).use(cache(60))
    app.mount(router)

    @router.get("/:id", guard=authorized if guarded == "route" else public)
    async def show() -> str:
        return "secret"

    with pytest.raises(ConfigurationError, match=r"test_cache.py:\d+: /notes/:id is behind auth"):
        app.prepare()
    assert (await app.request("GET", "/notes/1")).status == 500


def make_streaming_app(**options: Any) -> App:
    """An app whose bodies depend on a cookie that is looked at after the headers are made."""
    app = App()
    app.use(cache(3600, **options))

    @app.get("/pages", guard=public)
    async def pages(c: Context) -> Response:
        async def chunks() -> AsyncIterator[str]:
            yield c.request.cookie("name") or "nobody"

        return stream(chunks(), "text/plain")

    @app.get("/own", guard=public)
    async def own(c: Context) -> Response:
        return (await pages(c)).with_header("cache-control", "no-cache")

    @app.get("/seen", guard=public)
    async def seen(c: Context) -> Response:
        _ = c.cookies.get("name")
        return await pages(c)

    @app.get("/events", guard=public)
    async def events() -> Response:
        async def each() -> AsyncIterator[Event]:
            yield Event("once")

        return server_sent_events(each())

    return app


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/pages", {}, None),
        ("/pages", {"streams": False}, None),
        ("/pages", {"streams": True}, HOUR),
        ("/own", {"streams": True}, "no-cache"),
        ("/seen", {"streams": True}, None),
        ("/events", {"streams": True}, "no-store"),
    ],
)
async def test_a_stream_is_kept_only_where_that_is_asked_for(
    method: str, path: str, options: dict[str, Any], expected: str | None
) -> None:
    app = make_streaming_app(**options)

    response = await app.request(method, path, headers={"cookie": "name=alice"})

    assert response.status == 200
    assert response.header("cache-control") == expected


async def test_beside_a_guard_it_is_not_refused() -> None:
    app, open_router = App(), Router("/open")
    open_router.use(cache(60))
    app.mount(open_router)

    @open_router.get("/", guard=public)
    async def index() -> str:
        return "open"

    @app.get("/notes", guard=authorized)
    async def notes() -> str:
        return "secret"

    app.prepare()

    assert (await app.request("GET", "/open")).header("cache-control") == "public, max-age=60"
    assert (await app.request("GET", "/notes")).header("cache-control") == NEVER


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"max_age": -1}, "max-age"),
        ({"max_age": 1.5}, "max-age"),
        ({"max_age": True}, "max-age"),
        ({"max_age": 31_536_001}, "max-age"),
        ({"max_age": 1, "shared": -1}, "s-maxage"),
        ({"max_age": 1, "stale_if_error": "1"}, "stale-if-error"),
        ({"max_age": 1, "vary": ["*"]}, "Vary"),
        ({"max_age": 1, "vary": "accept"}, "list"),
        ({"max_age": 1, "vary": ["a b"]}, "not a header name"),
    ],
)
def test_what_is_no_option_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        cache(**options)


async def test_304_says_what_the_200_says_whichever_layer_is_outside() -> None:
    app = App()
    app.use(cache(3600, vary=["Accept-Language"]), etag())

    @app.get("/", guard=public)
    async def index() -> str:
        return "x"

    whole = await app.request("GET", "/")
    again = await app.request("GET", "/", headers={"if-none-match": whole.header("etag") or ""})

    assert (whole.status, again.status) == (200, 304)
    for name in ("cache-control", "vary", "etag"):  # RFC 9110, 15.4.5
        assert again.header(name) == whole.header(name) is not None


@pytest.mark.parametrize(
    "header",
    [
        ("expires", "0"),
        ("pragma", "no-cache"),
        ("cdn-cache-control", "no-store"),
        ("cloudflare-cdn-cache-control", "no-store"),
    ],
    ids=str,
)
async def test_whatever_says_how_an_answer_is_kept_is_left_alone(header: tuple[str, str]) -> None:
    app = App()
    app.use(cache(3600))

    @app.get("/", guard=public)
    async def index() -> Response:
        return Response("x", headers=[header])

    assert (await app.request("GET", "/")).header("cache-control") is None


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer a"}], ids=str)
async def test_who_looks_for_a_token_answers_for_nobody_else(headers: dict[str, str]) -> None:
    app = App()
    app.use(cache(3600))

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        return f"Hello {read_bearer(c) or 'stranger'}!"

    assert (await app.request("GET", "/", headers=headers)).header("cache-control") == NEVER


async def find_site(x_site: Header[str] = "ours") -> str:
    return x_site


@pytest.mark.parametrize("vary", [["X-Site", "accept"], ["Accept"]], ids=str)
async def test_what_one_client_sends_in_a_header_is_answered_to_no_other(vary: list[str]) -> None:
    app = App()
    app.use(cache(3600, vary=vary))

    @app.get("/link", guard=public)
    async def link(x_site: Header[str] = "ours") -> str:
        return f"https://{x_site}/"

    @app.get("/provided", guard=public)
    async def provided(site: Annotated[str, Depends(find_site)]) -> str:
        return f"https://{site}/"

    @app.get("/one-of-two", guard=public)
    async def one_of_two(x_site: Header[str] = "ours", accept: Header[str] = "") -> str:
        return f"https://{x_site}/{accept}"

    @app.get("/alias", guard=public)
    async def alias(site: Annotated[Header[str], Alias("X-SITE")] = "ours") -> str:
        return f"https://{site}/"

    @app.get("/named", guard=public)
    async def named(accept: Header[str] = "", text: Query[str] = "") -> str:
        return accept + text

    answers = [
        await app.request("GET", path, headers={"x-site": "evil.example"})
        for path in ("/link", "/provided", "/one-of-two", "/alias", "/named")
    ]

    is_named = "X-Site" in vary
    kept = [answer.header("cache-control") == HOUR for answer in answers]
    assert kept == [is_named, is_named, is_named, is_named, True]


async def test_what_is_answered_to_nobody_is_not_kept_for_who_says_who_they_are() -> None:
    app = App()
    app.use(cache(3600))

    @app.get("/", guard=public)
    async def greet(authorization: Header[str] = "") -> str:
        return "Hello stranger!" if authorization == "" else "Welcome back!"

    assert (await app.request("GET", "/")).header("cache-control") is None


async def test_a_layer_of_another_layer_keeps_no_more_than_its_own() -> None:
    app = App()
    keep = cache(3600)

    async def keep_in_spring(c: Context, call_next: Next) -> Response:
        return await keep(c, call_next)

    app.use(keep_in_spring)

    @app.get("/", guard=public)
    async def link(x_site: Header[str] = "ours") -> str:
        return f"https://{x_site}/"

    assert (await app.request("GET", "/")).header("cache-control") is None


@pytest.mark.parametrize(
    ("is_outside", "says", "kept"),
    [(True, False, HOUR), (True, True, NEVER), (False, False, None)],
)
async def test_a_layer_outside_that_looks_at_a_cookie_afterwards_has_to_say_so(
    is_outside: bool, says: bool, kept: str | None
) -> None:
    async def greet(c: Context, call_next: Next) -> Response:
        answer = await call_next()
        c.private = says
        return answer.with_header("x-greeting", f"Hello {c.request.cookie('name')}!")

    app = App()
    app.use(*[greet, cache(3600)][:: 1 if is_outside else -1])
    app.get("/", guard=public)(lambda: "page")

    answer = await app.request("GET", "/", headers={"cookie": "name=Ada"})

    assert answer.header("x-greeting") == "Hello Ada!"
    assert answer.header("cache-control") == kept
