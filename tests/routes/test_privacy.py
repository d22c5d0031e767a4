"""Where personal data goes, as docs/privacy.md says: to no other table, no other log, no other cookie."""

import io
import json
import logging
import re
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app import app
from framework import Request
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy.md").read_text("utf-8")
ADDRESS = "203.0.113.77"
AGENT = "Seldom/7.1"
PERSONAL = {
    "the name": "adalovelace",
    "the address": "lovelace@example.com",
    "the agent": AGENT,
    "the page before": "page-before",
    "what was written": "a-seldom-word",
    "the password": "seldom chosen",
}


class Visitor:
    """A browser with an address, which says where it comes from."""

    def __init__(self, env: dict[str, Any]) -> None:
        self.env = env
        self.cookies: dict[str, str] = {}

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        sent = {
            "user-agent": AGENT,
            "referer": "http://localhost/page-before",
            "sec-fetch-site": "same-origin",
            "cf-ipcountry": "DE",
            "cookie": "; ".join([f"{name}={value}" for name, value in self.cookies.items()]),
            **headers,
        }
        if body is not None:
            sent["content-type"] = "application/json"
        request = Request.build(
            method, path, sent, b"" if body is None else json.dumps(body).encode()
        )
        request.address = ADDRESS
        answer = await app.handle(request, self.env)
        for name, value in answer.headers:
            if name == "set-cookie":
                cookie, _, rest = value.partition("=")
                self.cookies[cookie] = rest.partition(";")[0]
        return answer.status


async def live(visitor: Visitor, outbox: list[str]) -> None:
    """Do all that people do, some of it wrongly."""
    name, password = PERSONAL["the name"], PERSONAL["the password"]
    account = {"username": name, "password": password}
    email, word = {"email": PERSONAL["the address"]}, PERSONAL["what was written"]
    await visitor.send("POST", "/sign-in", account)
    await visitor.send("POST", "/password-reset", {"account": PERSONAL["the address"]})
    assert await visitor.send("POST", "/sign-up", account | email) == 201
    await visitor.send("POST", "/sign-up", account)
    await visitor.send("POST", "/sign-up", {"username": name, word: 1})
    await visitor.send("POST", "/notes", {"title": word})
    await visitor.send("POST", "/notes", {"title": word, word: 1})
    await visitor.send("GET", f"/notes?cursor={word}&{word}={name}")
    await visitor.send("GET", f"/{word}/{name}")
    await visitor.send("POST", "/notes", {"title": word}, origin=f"https://{word}.example")
    assert await visitor.send("POST", "/me/email/verification") == 204
    [code] = re.findall(r"\d{8}", outbox[-1])
    assert await visitor.send("POST", "/me/email/verify", {"code": code}) == 204
    await visitor.send("POST", "/password-reset", {"account": name})
    await visitor.send("PUT", "/me/password", {"current": word * 2, "new": password})
    await visitor.send("POST", "/me/email", {"email": word})


async def test_what_is_personal_stays_in_its_columns_and_out_of_the_logs(
    db: SQLiteDatabase,
) -> None:
    outbox: list[str] = []

    async def send(*, text: str, **_others: str) -> None:
        outbox.append(text)

    env = {"DB": db, "EMAIL": SimpleNamespace(send=send), "MAIL_FROM": "a@example.com"}
    lines, errors = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(errors)
    logging.getLogger("kagari").addHandler(handler)
    try:
        with redirect_stdout(lines):
            await live(Visitor(env), outbox)
            full = {"DB": SimpleNamespace(), **dict.fromkeys(("EMAIL",), env["EMAIL"])}
            await Visitor(full).send(
                "POST", "/sign-in", {"username": "adalovelace", "password": "x"}
            )
    finally:
        logging.getLogger("kagari").removeHandler(handler)

    told = lines.getvalue() + errors.getvalue()
    assert "user_created" in told
    assert "Traceback" in told
    assert {what for what, text in PERSONAL.items() if text in told} == set()
    assert all(ADDRESS not in line or '"address":' in line for line in told.splitlines())

    kept = await places(db, [ADDRESS, *PERSONAL.values()])
    assert kept == {
        ADDRESS: set(),
        PERSONAL["the name"]: {"user.username", "user_key.id", "password_reset.key_id"},
        PERSONAL["the address"]: {
            "user.email",
            "email_code.email",
            "email_count.email",
            "password_reset.email",
        },
        AGENT: {"user_session.user_agent"},
        PERSONAL["the page before"]: set(),
        PERSONAL["what was written"]: {"note.title"},
        PERSONAL["the password"]: set(),
    }


async def places(db: SQLiteDatabase, texts: list[str]) -> dict[str, set[str]]:
    """Return in which columns each of *texts* stands."""
    found: dict[str, set[str]] = {text: set() for text in texts}
    for table in await db.all(str, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in await db.all(dict[str, Any], f'SELECT * FROM "{table}"'):
            for text in texts:
                found[text] |= {f"{table}.{name}" for name in row if text in str(row[name])}
    return found


async def test_who_only_looks_is_sent_no_cookie(db: SQLiteDatabase) -> None:
    visitor = Visitor({"DB": db})

    for method, path in app.access():
        if method == "GET":
            plain = re.sub(r":(\w+)(\{[^}]*\})?", "1", path)
            await visitor.send("GET", plain, accept="text/html")
            await visitor.send("GET", plain)

    assert visitor.cookies == {}


async def test_the_page_lists_each_cookie_that_is_sent(db: SQLiteDatabase) -> None:
    client = Client(app, env={"DB": db}, base_url="https://notes.example.com")
    answer = await client.post("/sign-up", json={"username": "ada", "password": "long enough"})

    sent = {value.partition("=")[0] for name, value in answer.headers if name == "set-cookie"}
    assert sent == {"__Host-auth_session", "__Host-auth_device"}
    assert all(f"| `{name}` |" in PAGE for name in sent)


async def test_the_page_lists_each_table(db: SQLiteDatabase) -> None:
    tables = await db.all(str, "SELECT name FROM sqlite_master WHERE type = 'table'")

    assert {name for name in tables if f"\n| `{name}` |" not in PAGE} == {"note"}
    copy = PAGE.partition("PARTS = {")[2].partition("@app")[0]
    assert set(re.findall(r"(?:FROM|JOIN) (\w+)", copy)) == set(tables)
