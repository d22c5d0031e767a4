"""The local server says which cookies a browser drops, since the browser says nothing."""

from pathlib import Path

import pytest

from framework import App, Context, public
from framework.auth import Auth
from framework.local.asgi import Send, asgi
from framework.local.lost_cookies import with_lost_cookies
from framework.local.sqlite import SQLiteDatabase
from tests.e2e.targets import TARGETS

SCHEMA = Path("schema.sql").read_text()
FRONTS = ["http://127.0.0.1:5173", "http://192.0.2.2:5173"]
ANOTHER_SITE = "a browser keeps no cookie for {}: localhost:8787 is another site to it. Open {}"
NO_TLS = (
    "a browser keeps no cookie for http://192.0.2.2:5173: it is Secure, as on all hosts but this machine,"
    " and there is no TLS. Open http://localhost"
)

app = App(origins=FRONTS)
auth = Auth()


@app.post("/guests", guard=public)
async def begin(c: Context) -> None:
    user = await auth.users.create(c.database(), None)
    await auth.begin_session(c, user.id)


@app.post("/leave", guard=auth.guard())
async def leave(c: Context) -> None:
    await auth.sign_out(c)


async def answer_to(path: str, headers: dict[str, str], times: int = 1) -> None:
    database = SQLiteDatabase()
    database.apply_schema(SCHEMA)
    served = with_lost_cookies(asgi(app, {"DB": database}))
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": pairs,
        "client": None,
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None: ...

    for _ in range(times):
        await served(scope, receive, send)
    database.close()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "kagari"]


@pytest.mark.parametrize("front", FRONTS)
async def test_a_page_of_another_site_is_told_where_to_open_it(
    front: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"host": "localhost:8787", "origin": front, "sec-fetch-site": "cross-site"}

    await answer_to("/guests", headers, times=2)

    assert said(caplog) == [ANOTHER_SITE.format(front, "http://localhost:5173")]


async def test_a_secure_cookie_is_lost_without_tls(caplog: pytest.LogCaptureFixture) -> None:
    await answer_to("/guests", {"host": "192.0.2.2:5173", "origin": FRONTS[1]}, times=2)

    assert said(caplog) == [NO_TLS]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8787"},
        {"host": "192.0.2.2:5173"},
        {"host": "localhost:5173", "origin": "http://localhost:5173"},
        {"host": "acme.localhost:5173", "origin": "http://acme.localhost:5173"},
        {"host": "127.0.0.1:5173", "origin": "http://127.0.0.1:5173"},
        {"host": "a.example", "origin": "https://a.example", "sec-fetch-site": "same-origin"},
        {"host": "localhost:8787", "origin": FRONTS[0], "sec-fetch-site": "same-site"},
    ],
    ids=["program", "host", "localhost", "below", "address", "tls", "port"],
)
async def test_of_a_cookie_that_is_kept_nothing_is_said(
    headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    await answer_to("/guests", headers)

    assert said(caplog) == []


async def test_a_cookie_that_goes_is_no_loss(caplog: pytest.LogCaptureFixture) -> None:
    cookie = {"cookie": f"__Host-auth_session={'a' * 40}"}

    await answer_to("/leave", {"host": "192.0.2.2:5173", "origin": FRONTS[1], **cookie})

    assert [line for line in said(caplog) if "keeps no cookie" in line] == []


async def test_a_header_says_nothing_to_the_terminal(caplog: pytest.LogCaptureFixture) -> None:
    headers = [(b"origin", b"http://a\x1b[2J"), (b"sec-fetch-site", b"cross-site"), (b"host", b"b")]

    async def answer(_scope: object, _receive: object, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"set-cookie", b"a=b")]})

    async def take(*_: object) -> None: ...

    await with_lost_cookies(answer)({"type": "http", "headers": headers}, take, take)  # type: ignore[arg-type]  # it reads none

    assert len(said(caplog)) == 1
    assert said(caplog)[0].isprintable()


async def test_the_local_server_looks(tmp_path: Path) -> None:
    headers = [("host", "192.0.2.2:5173"), ("origin", FRONTS[1])]
    account = b'{"username":"ada","password":"correct horse"}'
    with TARGETS["local"](tmp_path) as running:
        sent = [*headers, ("content-type", "application/json")]
        answer = await running.request("POST", "/sign-up", headers=sent, body=account)
        log = running.log()

    assert answer.status == 201
    assert NO_TLS.encode() in log
