"""What the requests of the reference app cost in D1 is what docs/deploy.md says, whoever else is there.

`python -m tests.wasm.test_billing` prints the table.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

import pytest

from app import app
from framework.response import Response
from framework.testing import Client, json_of

from .billing import Bill, BilledDatabase, billed_database
from .prepare import ROOT

SCHEMA = ROOT / "schema.sql"
DOCUMENT = ROOT / "docs" / "deploy.md"
HEADING = ("request", "trips", "statements", "rows read", "rows written")
PASSWORD = "correct horse"

# D1 counts the row that ends a search by an index as read. So that there always is one, somebody
# comes before and somebody after everybody else.
FEW = "SELECT '00000' AS id UNION ALL SELECT 'zzzzz'"
MANY = (
    "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)"
    " SELECT printf('%05d', n) AS id FROM number UNION ALL SELECT 'zzzzz'"
)
OTHERS = (
    "INSERT INTO user (id, username, email, email_verified_at)"
    " SELECT id, id, id || '@zz.example', 1 FROM ({ids})",
    "INSERT INTO user_key (id, user_id, hashed_password)"
    " SELECT 'username:' || id, id, 'x' FROM ({ids})",
    "INSERT INTO user_session (id, user_id, active_expires, idle_expires)"
    " SELECT id, id, 1, 9e15 FROM ({ids})",
    "INSERT INTO sign_in_attempt (account, attempts, resets_at) SELECT id, 1, 9e15 FROM ({ids})",
    "INSERT INTO known_device (id, user_id, attempts, resets_at, expires_at)"
    " SELECT id, id, 0, 0, 9e15 FROM ({ids})",
    "INSERT INTO password_reset (id, user_id, email, key_id, replaces, expires_at)"
    " SELECT id, id, id, id, id, 9e15 FROM ({ids})",
    "INSERT INTO note (user_id, title, body, created_at, updated_at)"
    " SELECT id, '', '', 0, 0 FROM ({ids})",
)
ONES_OWN = (
    "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 99)"
    " INSERT INTO user_session (id, user_id, active_expires, idle_expires, created_at)"
    " SELECT 'own' || n, user.id, 9e15, 9e15, n FROM number, user WHERE username = 'eve1'",
    "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 19)"
    " INSERT INTO known_device (id, user_id, attempts, resets_at, expires_at)"
    " SELECT 'own' || n, user.id, 0, 0, n FROM number, user WHERE username = 'eve1'",
)


class Mailbox:
    """The binding that sends mails."""

    def __init__(self) -> None:
        self.text = ""

    async def send(self, **mail: str) -> None:
        """Keep the text of the newest."""
        self.text = mail["text"]


class Requests:
    """Sends requests to the app, and writes down what each asked of D1."""

    def __init__(self, database: BilledDatabase) -> None:
        self.database = database
        self.mailbox = Mailbox()
        self.env: dict[str, Any] = {
            "DB": database,
            "EMAIL": self.mailbox,
            "PUBLIC_URL": "https://example.com",
        }
        self.bills: dict[str, Bill] = {}

    def browser(self) -> Client:
        """Return a browser that nobody has signed in with."""
        json = {"accept": "application/json"}
        return Client(app, self.env, "https://example.com", headers=json)

    async def person(self, username: str, **more: str) -> Client:
        """Return the browser of somebody new: one session, one known browser."""
        browser = self.browser()
        answer = await browser.post("/sign-up", json={**named(username), **more})
        assert answer.status == 201, answer.body
        return browser

    async def bill(
        self, name: str, browser: Client, request: str, status: int, **content: Any
    ) -> Response:
        """Send a request and write down, by *name*, what it cost. The answer has to have *status*."""
        method, path = request.split()
        self.database.bill = Bill()
        answer = await browser.request(method, path, **content)
        assert answer.status == status, (name, answer.status, answer.body)
        self.bills[name] = self.database.bill
        return answer


def named(username: str, password: str = PASSWORD) -> dict[str, str]:
    return {"username": username, "password": password}


async def bills(database: BilledDatabase, ids: str) -> dict[str, Bill]:
    """Return what each request costs where the users *ids* have a row in every table."""
    for sql in OTHERS:
        await database.run(sql.format(ids=ids))
    requests = Requests(database)
    await ask_guarded(requests)
    await sign_up_and_in(requests)
    await end_sessions(requests)
    await change_accounts(requests)
    return requests.bills


async def ask_guarded(requests: Requests) -> None:
    bill, own = requests.bill, "WHERE user_id = (SELECT id FROM user WHERE username = 'ann1')"
    ann = await requests.person("ann1")
    await bill("a guarded request", ann, "GET /me", 200)
    await requests.database.run(f"UPDATE user_session SET last_seen_at = 1 {own}")
    await bill("the first in an hour", ann, "GET /me", 200)
    await requests.database.run(f"UPDATE user_session SET active_expires = 1 {own}")
    await bill("the first in a day", ann, "GET /me", 200)
    await bill("without a cookie", requests.browser(), "GET /me", 401)
    forged = {"cookie": f"__Host-auth_session={'a' * 40}"}
    await bill("with an unknown cookie", requests.browser(), "GET /me", 401, headers=forged)
    await bill("add a note", ann, "POST /notes", 201, json={"title": "A"})
    for _ in range(25):
        await ann.post("/notes", json={"title": "B"})
    await bill("list 20 notes", ann, "GET /notes", 200)


async def sign_up_and_in(requests: Requests) -> None:
    bill, browser = requests.bill, requests.browser
    bob = browser()
    await bill("sign up", bob, "POST /sign-up", 201, json=named("bob1"))
    await bob.post("/sign-out")
    await bill("sign in, from a known browser", bob, "POST /sign-in", 200, json=named("bob1"))
    await bill("sign in, from a new browser", browser(), "POST /sign-in", 200, json=named("bob1"))
    await requests.person("eve1")
    for sql in ONES_OWN:
        await requests.database.run(sql)
    many = "sign in, with 100 sessions and 20 known browsers"
    await bill(many, browser(), "POST /sign-in", 200, json=named("eve1"))
    await bill(
        "sign in, wrong password", browser(), "POST /sign-in", 401, json=named("bob1", "wrong one")
    )
    await bill(
        "sign in, no such user", browser(), "POST /sign-in", 401, json=named("nobody", "wrong one")
    )


async def end_sessions(requests: Requests) -> None:
    bill, carl = requests.bill, await requests.person("carl")
    for _ in range(2):
        await carl.fork().post("/sign-in", json=named("carl"))
    answer = await bill("list three sessions", carl, "GET /sessions", 200)
    other = next(one["id"] for one in json_of(answer)["sessions"] if not one["current"])
    await bill("end one of them", carl, f"DELETE /sessions/{other}", 204)
    await bill("end all others", carl, "POST /sessions/revoke-others", 204)
    await bill("sign out", carl, "POST /sign-out", 204)


async def change_accounts(requests: Requests) -> None:
    bill, dora = requests.bill, await requests.person("dora")
    change = {"current": PASSWORD, "new": "battery staple"}
    await bill("change the password", dora, "PUT /me/password", 204, json=change)
    address = {"email": "dora@example.com"}
    await bill("set an e-mail address", dora, "POST /me/email", 204, json=address)
    await bill("ask for a code", dora, "POST /me/email/verification", 204)
    [code] = re.findall(r"\b[0-9]{8}\b", requests.mailbox.text)
    await bill("use the code", dora, "POST /me/email/verify", 204, json={"code": code})
    lost = {"account": "dora"}
    await bill(
        "ask for a link to a new password",
        requests.browser(),
        "POST /password-reset",
        202,
        json=lost,
    )
    [path] = re.findall(r"/password-reset/\w+", requests.mailbox.text)
    chosen = {"password": PASSWORD}
    await bill("use the link", requests.browser(), f"POST {path}", 204, json=chosen)
    await dora.post("/sign-in", json=named("dora"))
    await bill("delete the account", dora, "DELETE /me", 204)


def table(found: dict[str, Bill]) -> str:
    """Return *found* as it stands in the document."""
    rows = [f"| {' | '.join(HEADING)} |", "|---|---:|---:|---:|---:|"]
    rows += [f"| {name} | {' | '.join(map(str, bill))} |" for name, bill in found.items()]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("ids", [FEW, MANY], ids=["among few", "among many"])
async def test_requests_cost_what_the_document_says(ids: str) -> None:
    with billed_database(SCHEMA) as database:
        found = table(await bills(database, ids))

    assert found in DOCUMENT.read_text("utf-8"), "run: python -m tests.wasm.test_billing"


if __name__ == "__main__":
    with billed_database(SCHEMA) as opened:
        sys.stdout.write(table(asyncio.run(bills(opened, FEW))))
