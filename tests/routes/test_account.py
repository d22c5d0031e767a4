"""What holds a password does not show it, and an account that is gone owns nothing new."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from app import app
from framework import HTTPError
from framework.database import statement
from framework.local.sqlite import SQLiteDatabase
from framework.request import Headers, Request
from framework.testing import Client, json_of, text_of
from routes.access import auth
from routes.account import Credentials, NewAccount, PasswordChange
from tests.auth.databases import FaultyDatabase

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text()
TWICE = {"detail": "This is given more than once."}


@pytest.mark.parametrize(
    "holder",
    [
        NewAccount("ada", "canary-password"),
        Credentials("ada", "canary-password"),
        PasswordChange("canary-password", "canary-password"),
    ],
    ids=repr,
)
def test_a_repr_shows_no_password(holder: Any) -> None:
    assert "canary" not in repr(holder)
    assert "canary" not in f"{holder}"


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("POST", "/sign-up", b'{"username":"eve","password":"long one","password":"a long one"}', "password"),
        ("POST", "/sign-up", b'{"username":"eve","username":"eva","password":"long enough"}', "username"),
        ("POST", "/sign-in", b'{"username":"ada","password":"x","password":"long enough"}', "password"),
        ("POST", "/sign-in", b'{"username":"b","\\u0075sername":"ada","password":"long enough"}', "username"),
        ("PUT", "/me/password", b'{"current":"x","current":"long enough","new":"longer still"}', "current"),
        ("POST", "/me/email", b'{"email":"a@example.com","email":"b@example.com"}', "email"),
        ("POST", "/me/email/verify", b'{"code":"12345678","code":"12345678"}', "code"),
        ("POST", "/password-reset", b'{"account":"ada","account":"bob"}', "account"),
        ("POST", f"/password-reset/{'a' * 40}", b'{"password":"abcdefgh","password":"ijklmnop"}', "password"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
async def test_what_says_a_name_twice_is_refused(
    method: str, path: str, body: bytes, pointer: str
) -> None:
    db = SQLiteDatabase(":memory:")
    db.apply_schema(SCHEMA)
    client = Client(app, env={"DB": db})
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})
    headers = {"content-type": "application/json"}

    answer = await client.request(method, path, body=body, headers=headers)

    problem = json_of(answer)
    assert (answer.status, problem["code"]) == (422, "invalid-request")
    assert problem["errors"] == [TWICE | {"pointer": f"/{pointer}"}]
    users = await db.all(dict, "SELECT username FROM user")
    assert users == [{"username": "ada"}]
    db.close()


@pytest.mark.parametrize(
    "code",
    ["", "1234567", "123456789", "1234567a", "12345678\n", "1234 5678", "\u0661" * 8],
    ids=ascii,
)
async def test_what_is_not_eight_digits_is_no_code(code: str) -> None:
    db = SQLiteDatabase(":memory:")
    db.apply_schema(SCHEMA)
    client = Client(app, env={"DB": db})
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})

    problem = json_of(await client.post("/me/email/verify", json={"code": code}))

    assert problem["code"] == "invalid-request"
    assert [error["pointer"] for error in problem["errors"]] == ["/code"]
    db.close()


async def test_a_note_for_an_account_that_was_deleted_meanwhile_is_401() -> None:
    class Racing(SQLiteDatabase):
        """Deletes the account between the guard and the handler."""

        async def first(self, type: Any, sql: str, *parameters: Any) -> Any:
            if sql.startswith("INSERT INTO note"):
                tables = ("user_session", "user_key", "user")
                await self.batch([statement(f"DELETE FROM {table}") for table in tables])
            return await super().first(type, sql, *parameters)

    db = Racing(":memory:")
    db.apply_schema(SCHEMA)
    client = Client(app, env={"DB": db})
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})

    response = await client.post("/notes", json={"title": "Too late"})

    assert response.status == 401
    db.close()


async def test_of_a_deleted_account_only_counts_are_left_and_the_purge_takes_those() -> None:
    db = SQLiteDatabase(":memory:")
    db.apply_schema(SCHEMA)
    outbox: list[Any] = []

    async def send(**mail: str) -> None:
        outbox.append(mail)

    env = {"DB": db, "EMAIL": SimpleNamespace(send=send), "MAIL_FROM": "a@example.com"}
    client = Client(app, env=env)
    account = {"username": "ada", "password": "long enough"}
    await client.post("/sign-up", json={**account, "email": "ada@example.com"})
    await client.fork().post("/sign-in", json={**account, "password": "not that one"})
    await client.post("/me/email/verification")
    [code] = re.findall(r"\d{8}", outbox[0]["text"])
    await client.post("/me/email/verify", json={"code": code})
    await client.post("/password-reset", json={"account": "ada"})
    await client.post("/notes", json={"title": "A note"})
    find = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    tables = await db.all(str, find)

    async def filled() -> list[str]:
        counts = [await db.first(int, f'SELECT count(*) FROM "{table}"') for table in tables]
        return [table for table, count in zip(tables, counts, strict=True) if count]

    assert len(outbox) == 2
    assert set(await filled()) == set(tables)
    assert (await client.delete("/me")).status == 204
    assert await filled() == ["email_count", "sign_in_attempt"]
    with patch("time.time_ns", return_value=(auth.clock() + 25 * 3_600_000) * 1_000_000):
        await app.run_cron("17 3 * * *", env, 0)
    assert await filled() == []
    db.close()


PAGES = {"accept": "text/html"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def db() -> Iterator[SQLiteDatabase]:
    db = SQLiteDatabase(":memory:")
    db.apply_schema(SCHEMA)
    yield db
    db.close()


@pytest.fixture
def client(db: SQLiteDatabase) -> Client:
    return Client(app, env={"DB": db})


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/me/email", "/notes", "/notes/1"])
async def test_another_site_fills_in_no_form_of_this_one(client: Client, path: str) -> None:
    names = ("username", "email", "title", "body")
    form = dict.fromkeys(names, "http://evil.example")

    theirs = await client.post(
        path,
        form=form,
        headers=PAGES | {"sec-fetch-site": "cross-site", "origin": "http://evil.example"},
    )
    ours = await client.post(path, form=form, headers=PAGES)

    assert theirs.status == 403
    assert "<form" not in text_of(theirs)
    assert "http://evil.example" in text_of(ours)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/me/password", "/me/email/verify"])
async def test_no_page_repeats_a_password(client: Client, path: str) -> None:
    names = ("password", "current", "new", "code")

    answer = await client.post(path, form=dict.fromkeys(names, "canary"), headers=PAGES)

    assert answer.status in {401, 422}
    assert "<form" in text_of(answer)
    assert "canary" not in text_of(answer)


async def test_what_was_typed_outlasts_an_outage(db: SQLiteDatabase) -> None:
    faulty = FaultyDatabase(db)
    faulty.arm(1)
    client = Client(app, env={"DB": faulty})
    form = {"username": "ada", "password": "canary"}

    answer = await client.post("/sign-in", form=form, headers=PAGES)

    assert answer.status == 503
    assert 'value="ada"' in text_of(answer)
    assert "canary" not in text_of(answer)


TOO_LONG = b"title=" + b"'" * 2**18


@pytest.mark.parametrize(
    ("path", "media_type", "body", "status"),
    [
        ("/sign-in", "application/json", b'{"username":"x","password":"y&username=canary"}', 401),
        ("/sign-in", "text/plain", b"username=x\r\npassword=canary\r\n", 415),
        ("/sign-in", "", b"username=x\r\npassword=canary\r\n", 415),
        ("/sign-in", "multipart/form-data; boundary=x", b"username=canary", 415),
        ("/sign-in", FORM, b"username=canary&password=" + b"'" * 2**18, 422),
        ("/notes", FORM, TOO_LONG, 401),
        ("/notes/x", FORM, b"title=canary", 404),
        ("/notes/1/delete", FORM, b"title=canary", 401),
        ("/sign-in/", FORM, b"username=canary", 404),
    ],
)
async def test_only_what_a_page_sends_is_shown_again(
    client: Client, path: str, media_type: str, body: bytes, status: int
) -> None:
    answer = await client.post(path, body=body, headers=PAGES | {"content-type": media_type})

    assert answer.status == status
    assert "canary" not in text_of(answer)
    assert len(text_of(answer)) < 10_000


async def test_a_form_that_no_page_posts_is_not_shown_again(client: Client) -> None:
    for method, path in (("GET", "/notes"), ("PUT", "/sign-in"), ("DELETE", "/notes/1")):
        answer = await client.request(
            method, path, form={"title": "canary", "username": "canary"}, headers=PAGES
        )

        assert answer.status in {401, 405}
        assert "canary" not in text_of(answer)


@pytest.mark.parametrize(
    ("method", "path", "status", "limits"),
    [
        ("POST", "/sign-in", 408, [2**20]),
        ("POST", "/sign-in", 413, [2**20]),
        ("POST", "/notes", 401, [2**18]),
        ("GET", "/notes", 401, []),
        ("POST", "/nowhere", 404, []),
    ],
)
async def test_a_body_is_read_once_and_only_where_there_is_a_form(
    db: SQLiteDatabase, method: str, path: str, status: int, limits: list[int]
) -> None:
    read_up_to: list[int] = []

    async def read(limit: int) -> bytes:
        read_up_to.append(limit)
        raise HTTPError(status)

    source = Headers([*PAGES.items(), ("content-type", FORM)])
    request = Request(method, "http", "localhost", path, "", source, read)

    answer = await app.handle(request, {"DB": db})

    assert (answer.status, read_up_to) == (status, limits)


async def test_what_is_wrong_is_told_in_our_words_alone(client: Client) -> None:
    form = {"username": "x", "password": "y", "/username": "canary", "": "/username"}

    answer = await client.post("/sign-in", form=form, headers=PAGES)

    assert answer.status == 422
    assert 'value="x"' in text_of(answer)
    assert "canary" not in text_of(answer)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sign-up", {"username": "!", "password": "long enough", "email": "x" * 300}),
        ("/notes", {"title": "x" * 201, "body": "y" * 10_001}),
    ],
)
async def test_the_first_of_two_misfits_has_the_focus(
    client: Client, path: str, form: dict[str, str]
) -> None:
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})

    page = text_of(await client.post(path, form=form, headers=PAGES))

    first, second = page.split("<main>")[1].split('aria-invalid="true"')[1:]
    assert first.startswith(" autofocus>")
    assert "autofocus" not in second


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"username": "ada", "password": "long enough", "email": "a@example.com"}, 409),
        ({"username": "ada", "password": "long enough", "email": "none"}, 422),
    ],
)
async def test_no_cache_keeps_what_was_typed(
    client: Client, form: dict[str, str], status: int
) -> None:
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})

    answer = await client.post("/sign-up", form=form, headers=PAGES)

    assert answer.status == status
    assert answer.header("cache-control") == "private, no-store"


async def test_who_tried_too_often_is_told_when_to_try_again(client: Client) -> None:
    form = {"username": "ada", "password": "canary"}
    for _ in range(10):
        assert (await client.post("/sign-in", form=form, headers=PAGES)).status == 401

    answer = await client.post("/sign-in", form=form, headers=PAGES)

    assert (answer.status, answer.header("retry-after")) == (429, "900")
    assert "Too many attempts for this account. Try again in 15 min." in text_of(answer)


async def test_a_long_time_is_told_in_hours(client: Client, db: SQLiteDatabase) -> None:
    form = {"username": "ada", "password": "canary"}
    await client.post("/sign-in", form=form, headers=PAGES)
    await db.run("UPDATE sign_in_attempt SET failures = 100")

    answer = await client.post("/sign-in", form=form, headers=PAGES)

    assert answer.status == 429
    assert " Try again in 721 h." in text_of(answer)  # the window, and 30 days
