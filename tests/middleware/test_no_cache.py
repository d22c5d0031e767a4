"""What does not say how it is kept is kept by no cache that people share; what says so is as it was."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import App, Context, Cookie, Header, Response, Router, guard, public
from framework.interop import asgi_handler
from framework.middleware.cache import cache
from framework.middleware.etag import etag
from framework.middleware.no_cache import no_cache
from framework.streaming import stream

UNSAID = ["private, no-cache"]


@guard
async def anybody() -> None:
    return None


def make_app() -> App:
    app = App(redirect_slashes=True)
    app.use(no_cache())
    pages = Router("/pages")
    pages.use(cache(60))

    @app.get("/plain", guard=public)
    async def plain() -> str:
        return "plain"

    @app.get("/nothing", guard=public)
    async def nothing() -> None:
        return None

    @app.get("/guarded", guard=anybody)
    async def guarded() -> str:
        return "guarded"

    @app.get("/own/:name", guard=public)
    async def own(name: str) -> Response:
        return Response.text("own").with_header(name, "max-age=5")

    @pages.get("/same", guard=public)
    async def same() -> str:
        return "same"

    @pages.get("/theme", guard=public)
    async def theme(theme: Cookie[str] = "light") -> str:
        return theme

    @pages.get("/jar", guard=public)
    async def jar(c: Context) -> str:
        return c.cookies.get("theme") or "light"

    @pages.get("/language", guard=public)
    async def language(accept_language: Header[str] = "en") -> str:
        return accept_language

    @pages.get("/stream", guard=public)
    async def chunks() -> Response:
        async def words() -> AsyncIterator[str]:
            yield "word"

        return stream(words(), "text/plain")

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": repr(scope["headers"]).encode()})

    pages.get("/mounted", guard=public)(asgi_handler(mounted))
    app.mount(pages)
    return app


def said(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "cache-control"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/plain", 200),
        ("HEAD", "/plain", 200),
        ("GET", "/nothing", 204),
        ("GET", "/nowhere", 404),
        ("PUT", "/plain", 405),
        ("GET", "/plain/", 308),
        ("GET", "/%zz", 400),
        ("GET", "/pages/theme", 200),
        ("GET", "/pages/jar", 200),
        ("GET", "/pages/language", 200),
        ("GET", "/pages/stream", 200),
        ("GET", "/pages/mounted", 200),
    ],
)
async def test_what_says_nothing_is_kept_by_no_shared_cache(
    method: str, path: str, status: int
) -> None:
    headers = {"cookie": "theme=dark", "accept-language": "de"}
    response = await make_app().request(method, path, headers=headers)

    assert (response.status, said(response)) == (status, UNSAID)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/pages/same", ["public, max-age=60"]),
        ("/guarded", ["private, no-store"]),
        ("/own/cache-control", ["max-age=5"]),
        ("/own/cdn-cache-control", []),
        ("/own/cloudflare-cdn-cache-control", []),
        ("/own/expires", []),
    ],
)
async def test_what_says_how_it_is_kept_is_left_alone(path: str, expected: list[str]) -> None:
    assert said(await make_app().request("GET", path)) == expected


async def test_a_browser_that_has_the_answer_is_told_so() -> None:
    app = App()
    app.use(no_cache(), etag())

    @app.get("/", guard=public)
    async def index() -> str:
        return "index"

    tag = (await app.request("GET", "/")).header("etag") or ""
    unchanged = await app.request("GET", "/", headers={"if-none-match": tag})

    assert (unchanged.status, said(unchanged)) == (304, UNSAID)
