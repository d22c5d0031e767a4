"""A router for one host is served there alone, before those for any; its guard goes with it."""

from typing import Any

import pytest

from framework import App, ConfigurationError, Context, Router, guard, public
from framework.errors import HTTPError, Unauthorized
from framework.hosts import host_path, parse_host
from framework.openapi import describe
from framework.response import Response
from framework.testing import json_of, text_of


@guard
async def nobody() -> None:
    raise Unauthorized


def make_app() -> App:
    app = App()
    api = Router(host="api.example.com")
    tenants = Router("/t", host=":tenant.example.com")
    deeper = Router("/deeper")

    @app.get("/a", guard=public)
    async def anywhere(c: Context) -> str:
        return "anywhere"

    @app.post("/b", guard=public)
    async def post_anywhere() -> str:
        return "post anywhere"

    @api.get("/a", guard=nobody)
    async def guarded_a() -> str:
        return "never"

    @api.get("/b", guard=public)
    async def api_b() -> str:
        return "api b"

    @api.get("/only", guard=public)
    async def only() -> str:
        return "only"

    @tenants.get("/:id", guard=public)
    async def tenant(tenant: str, id: int) -> list[Any]:
        return [tenant, id]

    @deeper.get("/x", guard=public)
    async def deep(tenant: str) -> str:
        return tenant

    tenants.mount(deeper)
    app.mount(tenants)
    app.mount(api)
    return app


@pytest.mark.parametrize(
    ("method", "url", "status", "body"),
    [
        ("GET", "http://localhost/a", 200, b"anywhere"),
        ("GET", "https://api.example.com/a", 401, None),
        ("HEAD", "https://api.example.com/a", 401, None),
        ("GET", "https://API.example.COM:8443/a", 401, None),
        ("GET", "https://api.example.com./a", 401, None),
        ("GET", "https://api.example.com/b", 200, b"api b"),
        ("POST", "https://api.example.com/b", 200, b"post anywhere"),
        ("GET", "https://other.example.com/b", 405, None),
        ("GET", "https://api.example.com/only", 200, b"only"),
        ("GET", "https://example.com/only", 404, None),
        ("GET", "https://x.api.example.com/only", 404, None),
        ("GET", "https://api.example.com.evil.com/only", 404, None),
        ("GET", "https://acme.example.com/t/5", 200, b'["acme",5]'),
        ("GET", "https://acme.example.com/t/x", 404, None),
        ("GET", "https://acme.example.com/t/deeper/x", 200, b"acme"),
        ("GET", "https://a.b.example.com/t/5", 404, None),
        ("GET", "https://example.com/t/5", 404, None),
        ("GET", "https://api.example.com/t/5", 404, None),
        ("GET", "http://[::1]:8787/a", 200, b"anywhere"),
        ("GET", "http://127.0.0.1/only", 404, None),
    ],
)
async def test_where_a_request_goes(method: str, url: str, status: int, body: bytes | None) -> None:
    response = await make_app().request(method, url)

    assert response.status == status
    assert body is None or response.body == body


async def test_allow_is_the_union_of_the_host_and_of_any() -> None:
    response = await make_app().request("DELETE", "https://api.example.com/b")

    assert (response.status, response.header("allow")) == (405, "GET, HEAD, OPTIONS, POST")


def test_the_access_table_and_the_document_know_hosts() -> None:
    app = make_app()

    assert app.access()[("GET", "//api.example.com/a")] == "nobody"
    assert app.access()[("GET", "/a")] == "public"
    assert "/only" not in describe(app, title="t", version="1")["paths"]
    of_the_host = describe(app, title="t", version="1", host="api.example.com")["paths"]
    assert of_the_host["/a"]["get"]["x-guard"] == "nobody"
    assert sorted(of_the_host["/b"]) == ["get", "post"]


def test_the_document_of_a_host_has_what_is_answered_there_alone() -> None:
    app = App()
    api = Router(host="api.example.com")

    @app.get("/notes/:id", guard=public)
    async def anywhere() -> None: ...

    @app.get("/files/*", guard=public)
    async def files() -> None: ...

    @api.get("/notes/:note", guard=public)
    async def there(note: int) -> None: ...

    @api.get("/files/*", guard=public, hide=True)
    async def unlisted() -> None: ...

    app.mount(api)

    elsewhere = describe(app, title="t", version="1")["paths"]
    of_the_host = describe(app, title="t", version="1", host="api.example.com")["paths"]

    assert sorted(elsewhere) == ["/files/{wildcard}", "/notes/{id}"]
    assert [*of_the_host] == ["/notes/{note}"]
    assert of_the_host["/notes/{note}"]["get"]["operationId"] == "there"


async def test_handlers_of_a_router_for_a_host_answer_there_alone() -> None:
    app = App()
    api = Router(host="api.example.com")

    @api.get("/a", guard=public)
    async def index() -> str:
        raise LookupError

    @api.not_found
    async def missing(c: Context) -> Response:
        return Response.text("api has no such thing", 404)

    @api.on_error
    async def explain(c: Context, error: HTTPError) -> Response:
        return Response.text("api broke", error.status)

    app.mount(api)

    answers = [
        (await app.request("GET", url)).body
        for url in ("https://api.example.com/x", "https://api.example.com/a")
    ]
    elsewhere = await app.request("GET", "https://example.com/x")

    assert answers == [b"api has no such thing", b"api broke"]
    assert json_of(elsewhere)["code"] == "not-found"


async def test_the_slash_is_redirected_for_the_host_that_has_the_route() -> None:
    app = App(redirect_slashes=True)
    api = Router(host="api.example.com")
    api.get("/a/", guard=public)(lambda: "a")
    app.mount(api)

    assert (await app.request("GET", "https://api.example.com/a")).status == 308
    assert (await app.request("GET", "https://example.com/a")).status == 404


async def test_a_host_without_handlers_has_none_of_a_less_literal_one() -> None:
    app = App()
    api, tenants = Router(host="api.example.com"), Router(host=":tenant.example.com")
    api.get("/a", guard=public)(lambda: "a")
    tenants.get("/b", guard=public)(lambda: "b")

    @tenants.on_error
    async def explain(c: Context, error: HTTPError) -> Response:
        return Response.text("of the tenant")

    @tenants.not_found
    async def missing(c: Context) -> Response:
        return Response.text("not of the tenant")

    app.mount(api)
    app.mount(tenants)

    answers = {
        host: [
            text_of(await app.request(method, f"https://{host}.example.com{path}"))
            for method, path in (("PUT", "/a"), ("PUT", "/b"), ("GET", "/nothing"))
        ]
        for host in ("api", "acme")
    }

    assert not [text for text in answers["api"] if "tenant" in text]
    assert answers["acme"] == ["not of the tenant", "of the tenant", "not of the tenant"]


NO_HOSTS = (
    *("", ".", "a..b", "API.example.com", "example.com:80", "exa mple.com", "bücher.de"),
    *("*.example.com", "example.com/", "-a.com", "a-.com", ":1.com", ":.com", "[::1]", "a.com."),
    "x" * 64 + ".com",
)


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a host"):
        Router(host=host)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("api.example.com", "/com/example/api"),
        ("API.Example.com:8787", "/com/example/api"),
        ("example.com.", "/com/example"),
        ("localhost", "/localhost"),
        ("evil/tenant.example.com", ""),
        ("", "/"),
    ],
)
def test_a_host_is_matched_from_its_last_label(host: str, path: str) -> None:
    assert host_path(host) == path


def test_two_hosts_and_two_of_a_name_are_refused() -> None:
    outer, inner = Router("/o", host="a.com"), Router("/i", host="b.com")
    inner.get("/x", guard=public)(lambda: "x")
    outer.mount(inner)
    with pytest.raises(ConfigurationError, match=r"for one host, not for a\.com and b\.com"):
        App().mount(outer)

    tenants = Router(host=":id.example.com")
    tenants.get("/:id", guard=public)(lambda id: id)
    with pytest.raises(ConfigurationError, match="both name :id"):
        App().mount(tenants)

    twice = App()
    other, first, second = [Router(host=f"{name}.example.com") for name in ("api", ":a", ":b")]
    other.get("/x", guard=public)(lambda: "x")
    first.get("/x", guard=public)(lambda: "x")
    second.get("/y", guard=public)(lambda b: b)
    twice.mount(other)
    twice.mount(first)
    same = "':a.example.com' and ':b.example.com' are the same hosts: name them alike"
    with pytest.raises(ConfigurationError, match=same):
        twice.mount(second)


def test_a_host_of_names_matches_as_a_path_does() -> None:
    assert [segment.text for segment in parse_host(":tenant.eu.example.com")] == [
        "com",
        "example",
        "eu",
        "tenant",
    ]
