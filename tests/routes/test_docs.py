"""What the reference app says of itself, held against what it does."""

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from app import app
from framework import App, Response, public
from framework.database import Transient
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client, json_of
from routes.docs import docs
from routes.docs_page import page
from routes.docs_parts import constraints
from tests.e2e.mailbox import Outbox, link_in

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema.sql"
PASSWORD = "correct horse battery"


@pytest.fixture
def env() -> Iterator[dict[str, Any]]:
    database = SQLiteDatabase()
    database.apply_schema(SCHEMA.read_text())
    yield {"DB": database}
    database.close()


@pytest.fixture
async def document() -> dict[str, Any]:
    response = await app.request("GET", "/openapi.json")
    return dict(msgspec.json.decode(body_of(response)))


@pytest.fixture
async def shown() -> str:
    return body_of(await app.request("GET", "/docs")).decode()


def body_of(response: Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (verb.upper(), path): operation
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    }


def template(path: str) -> str:
    return re.sub(r":(\w+)(\{[^}]*\})?", r"{\1}", path)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in *value*."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from nodes(inner)


async def test_the_document_is_public_cacheable_and_valid(document: dict[str, Any]) -> None:
    response = await app.request("GET", "/openapi.json")

    assert response.status == 200
    assert response.header("content-type") == "application/json"
    assert response.header("cache-control") == "public, max-age=300"
    assert response.header("set-cookie") is None
    validate(document)


async def test_every_route_is_there_with_its_guard(document: dict[str, Any]) -> None:
    assert {key: found["x-guard"] for key, found in operations(document).items()} == {
        (method, template(path)): guard for (method, path), guard in app.access().items()
    }


async def test_who_must_sign_in_is_told_so(document: dict[str, Any]) -> None:
    for key, operation in operations(document).items():
        is_public = operation["x-guard"] == "public"
        assert operation["security"] == ([] if is_public else [{"session": []}]), key
        says_401 = "401" in operation["responses"]
        assert says_401 is (not is_public or key == ("POST", "/sign-in")), key


async def test_references_resolve_and_patterns_are_portable(document: dict[str, Any]) -> None:
    for node in nodes(document):
        if isinstance(node.get("$ref"), str):
            place: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                place = place[part]
        assert not re.search(r"\\[ZA]", str(node.get("pattern", "")))


async def test_every_operation_is_told_of(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}

    assert len(names) == len(set(names))
    assert all(operation["summary"] for operation in found.values())
    assert {tag for operation in found.values() for tag in operation["tags"]} == set(tags)


FORM = "application/x-www-form-urlencoded"
NOTE = {"title": "One"}
PERSON = {"username": "alice", "password": PASSWORD}
HOSTILE: list[tuple[str, str, str, bool, dict[str, Any], int]] = [
    ("POST", "/sign-up", "/sign-up", False, {"body": "{", "type": "application/json"}, 400),
    ("POST", "/sign-up", "/sign-up", False, {"body": "[" * 99, "type": "application/json"}, 400),
    ("POST", "/sign-up", "/sign-up", False, {"body": "x", "type": "text/plain"}, 415),
    ("POST", "/sign-up", "/sign-up", False, {"json": {}}, 422),
    ("POST", "/sign-up", "/sign-up", False, {"form": {"username": "a"}}, 422),
    ("POST", "/sign-in", "/sign-in", False, {"body": " " * 2**21, "type": FORM}, 413),
    ("POST", "/sign-in", "/sign-in", False, {"json": PERSON, "from": "https://evil.example"}, 403),
    ("GET", "/me", "/me", False, {}, 401),
    ("PUT", "/me/password", "/me/password", False, {"json": {}}, 401),
    ("PUT", "/me/password", "/me/password", True, {"form": {"current": "a", "new": "b"}}, 415),
    ("PUT", "/me/password", "/me/password", True, {"json": {"current": 1, "new": 2}}, 422),
    ("PUT", "/me/password", "/me/password", True,
     {"json": {"current": "wrong", "new": PASSWORD}}, 401),
    ("GET", "/notes", "/notes?limit=1000", True, {}, 422),
    ("GET", "/notes", "/notes?cursor=x", True, {}, 422),
    ("GET", "/notes", "/notes?limit=%00", True, {}, 422),
    ("GET", "/notes", "/notes?limit=%ff", True, {}, 400),
    ("POST", "/notes", "/notes", True, {"json": {"title": ""}}, 422),
    ("GET", "/notes/{id}", "/notes/1", True, {}, 404),
    ("GET", "/notes/{id}", "/notes/99999999999999999999", True, {}, 404),
    ("PUT", "/notes/{id}", "/notes/1", True, {"json": NOTE}, 404),
    ("DELETE", "/notes/{id}", "/notes/1", False, {}, 401),
    ("DELETE", "/sessions/{id}", "/sessions/none", True, {}, 404),
    ("DELETE", "/sessions/{id}", "/sessions/a%2Fb", True, {}, 400),
    ("POST", "/sessions/revoke-others", "/sessions/revoke-others", True,
     {"from": "https://evil.example"}, 403),
    ("GET", "/admin/users", "/admin/users", False, {}, 401),
    ("GET", "/admin/users", "/admin/users", True, {}, 403),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "url", "is_signed_in", "sent", "status"),
    HOSTILE,
    ids=[f"{status} {method} {url}" for method, _, url, _, _, status in HOSTILE],
)
async def test_what_is_refused_is_documented(
    document: dict[str, Any],
    env: dict[str, Any],
    method: str,
    path: str,
    url: str,
    is_signed_in: bool,
    sent: dict[str, Any],
    status: int,
) -> None:
    headers = [("origin", sent.get("from", "http://localhost"))]
    if "type" in sent:
        headers.append(("content-type", sent["type"]))
    if is_signed_in:
        response = await app.request("POST", "/sign-up", json=PERSON, env=env)
        cookie = response.header("set-cookie") or ""
        headers.append(("cookie", cookie.partition(";")[0]))
    content = {name: sent[name] for name in ("json", "form", "body") if name in sent}

    response = await app.request(method, url, headers=headers, env=env, **content)

    assert response.status == status
    assert response.header("content-type") == "application/problem+json"
    assert str(status) in operations(document)[method, path]["responses"]


async def test_what_a_browser_is_answered_is_documented(
    document: dict[str, Any], env: dict[str, Any]
) -> None:
    outbox = Outbox()
    mail_settings = {"MAIL_FROM": "app@example.com", "PUBLIC_URL": "http://localhost"}
    browser = Client(app, env | mail_settings | {"EMAIL": outbox}, headers={"accept": "text/html"})
    change = {"current": "wrong horse", "new": PASSWORD}

    async def said(status: int, method: str, route: str, path: str = "", form: Any = None) -> bool:
        answer = await browser.request(method, path or route, form=form)
        assert answer.status == status
        responses = operations(document)[method, route]["responses"]
        kind = (answer.header("content-type") or "").partition(";")[0]
        return str(status) in responses and (status > 200 or kind in responses["200"]["content"])

    assert await said(303, "POST", "/sign-up", form=PERSON)
    await env["DB"].run("UPDATE user SET email = 'ada@example.com', email_verified_at = 1")
    assert await said(303, "POST", "/password-reset", form={"account": "alice"})
    [mail] = await outbox.mails()
    assert await said(200, "GET", "/password-reset/{token}", link_in(mail)[16:])
    assert await said(303, "POST", "/notes", form=NOTE)
    assert await said(303, "PUT", "/notes/{id}", "/notes/1", NOTE)
    assert await said(303, "POST", "/sign-out")
    assert await said(303, "POST", "/sign-in", form=PERSON)
    for status in [401] * 5 + [429]:
        assert await said(status, "POST", "/me/password", form=change)


async def test_a_database_that_is_out_is_documented(document: dict[str, Any]) -> None:
    class Out:
        async def first(self, *_: object) -> None:
            raise Transient("no answer")

    response = await app.request(
        "GET", "/me", headers={"cookie": f"auth_session={'a' * 40}"}, env={"DB": Out()}
    )

    assert response.status == 503
    assert "503" in operations(document)["GET", "/me"]["responses"]


async def test_nothing_secret_is_told(document: dict[str, Any], shown: str) -> None:
    text = msgspec.json.encode(document).decode() + shown

    for word in ("SELECT", "hashed_password", "argon2", str(ROOT), "user_key"):
        assert word not in text


class Reading(HTMLParser):
    """What of a page matters here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what there is."""
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes |= set(found)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []


async def test_the_page_shows_every_operation_and_every_link_leads_somewhere(
    document: dict[str, Any], shown: str
) -> None:
    reading = Reading(shown)

    names = [operation["operationId"] for operation in operations(document).values()]

    assert set(names) < set(reading.ids)
    assert len(reading.ids) == len(set(reading.ids))
    assert {link[1:] for link in reading.links if link.startswith("#")} <= set(reading.ids)
    assert {link for link in reading.links if not link.startswith("#")} == {"/", "/openapi.json"}


async def test_the_page_runs_no_script_and_loads_nothing(shown: str) -> None:
    response = await app.request("GET", "/docs")
    reading = Reading(shown)
    policy = response.header("content-security-policy") or ""

    assert response.status == 200
    assert response.header("cache-control") == "public, max-age=300"
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script" not in policy
    assert not {"script", "img", "link", "iframe", "object"} & set(reading.tags)
    assert not {"style", "src", "onclick"} & reading.attributes


async def test_the_policy_allows_the_styles_of_the_page(shown: str) -> None:
    response = await app.request("GET", "/docs")
    styles = re.findall(r"<style>(.*?)</style>", shown, re.DOTALL)

    assert len(styles) == 2
    for style in styles:
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in (response.header("content-security-policy") or "")


async def test_the_page_says_access_parameters_constraints_and_answers(shown: str) -> None:
    (article,) = re.findall(r'<article id="change_note">.*?</article>', shown, re.DOTALL)
    text = re.sub(r"<[^>]+>", "", article)

    assert "PUT/notes/{id}authorized &amp; owns_note" in text
    assert "Rewrite one of one&#x27;s notes." in text
    assert "id requiredinteger, in the path" in text
    assert "title requiredstring, 1 to 200 characters" in text
    assert "200OK. Note" in text
    assert "404" in text


async def test_the_page_escapes_what_it_shows() -> None:
    evil = "<script>alert(1)</script>"
    app = App()

    async def show() -> str:
        return ""

    show.__doc__ = f"Say {evil}.\n\nAnd `{evil}`."
    app.get("/" + evil.replace("/", ""), guard=public, name='"><b>')(show)
    app.mount(docs(app))

    response = await app.request("GET", "/docs")

    assert b"<script" not in body_of(response)
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in body_of(response)
    assert b'"><b>' not in body_of(response)


async def test_the_pages_say_that_next_is_always_there() -> None:
    answer = await app.request("GET", "/openapi.json")

    schemas = json_of(answer)["components"]["schemas"]
    assert [schemas[page]["required"] for page in ("NotePage", "UserPage")] == [
        ["notes", "next"],
        ["users", "next"],
    ]


def test_a_page_of_nothing_is_a_page() -> None:
    empty = {
        "openapi": "3.1.1",
        "info": {"title": "", "version": "1"},
        "tags": [],
        "paths": {},
        "components": {"schemas": {}, "responses": {}},
    }

    assert page(empty).status == 200


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "anything"),
        ({"type": "string", "maxLength": 1024}, "string, up to 1,024 characters"),
        ({"type": "string", "minLength": 3}, "string, 3 or more characters"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer, 1 to 9"),
        ({"type": "integer", "default": 0}, "integer, default <code>0</code>"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "boolean", "default": False}, "boolean, default <code>false</code>"),
        ({"type": "string", "format": "date"}, "string (date)"),
        ({"enum": ["a", "b"]}, "<code>a</code> or <code>b</code>"),
        ({"enum": [None, "b"]}, "<code>null</code> or <code>b</code>"),
        ({"type": "object", "additionalProperties": {"type": "string"}},
         "object, each field: string"),
        ({"$ref": "#/components/schemas/Note"}, '<a href="#shape-Note">Note</a>'),
    ],
)  # fmt: skip
def test_schemas_are_put_in_words(schema: dict[str, Any], words: str) -> None:
    assert "".join(constraints(schema)) == words


def test_nothing_of_it_is_imported_at_cold_start() -> None:
    program = "import sys, app; print([m for m in sys.modules if 'openapi' in m or 'docs_' in m])"

    listed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert listed.stdout.strip() == "[]"
