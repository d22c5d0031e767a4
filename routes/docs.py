"""Serves the API's own description, for programs and for people."""

from functools import cache
from typing import Annotated, Any

from framework import App, Response, Router, public
from framework.response import Reply

VERSION = "0.1.0"

_ABOUT = (
    "Notes behind a session guard, in Python on Cloudflare Workers. Sign up or sign in, and keep"
    " the cookie. Whatever goes wrong is told as `application/problem+json`, with a stable `code`."
)
_FIVE_MINUTES = "public, max-age=300"


def docs(app: App) -> Router:
    """Return the routes that show the API of *app*. Each answer is made once, when first asked for."""
    router = Router()

    @cache
    def describe_app() -> dict[str, Any]:
        # No cold start waits for this.
        from framework.openapi import describe

        return describe(app, title="Kagari", version=VERSION, description=_ABOUT)

    @cache
    def answer_with_document() -> Response:
        return Response.json(describe_app()).with_header("cache-control", _FIVE_MINUTES)

    @cache
    def answer_with_page() -> Response:
        from routes.docs_page import page

        return page(describe_app()).with_header("cache-control", _FIVE_MINUTES)

    @router.get("/openapi.json", guard=public)
    async def openapi() -> Annotated[Response, Reply(dict[str, Any])]:
        """Describe the API in OpenAPI 3.1."""
        return answer_with_document()

    @router.get("/docs", guard=public)
    async def show_docs() -> Response:
        """Show the API as a page."""
        return answer_with_page()

    return router
