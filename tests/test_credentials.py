"""Bearer tokens, basic passwords and API keys: one exact form passes, anything else is 401."""

import base64
from typing import Any

import pytest

from framework import App, ConfigurationError, Context, Slot
from framework.credentials import CREDENTIAL_LIMIT, api_key, basic, bearer
from framework.guards import Guard, SecurityScheme

TOKEN = "t0ken-with_.~+/chars=="
ENV = {"SECRET": f"{TOKEN} older-token"}


def serve(guard: Any) -> App:
    app = App()

    @app.get("/", guard=guard)
    async def answer(c: Context) -> str:
        return "in"

    return app


async def status(guard: Any, headers: dict[str, str], env: Any = ENV) -> int:
    return (await serve(guard).request("GET", "/", headers=headers, env=env)).status


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        ("Bearer older-token", 200),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Bearer  {TOKEN}", 401),
        (f"Bearer {TOKEN} ", 401),
        (f"Bearer\t{TOKEN}", 401),
        (f"Bearer {TOKEN} older-token", 401),
        (f"Bearer {TOKEN}, Bearer {TOKEN}", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer wrong", 401),
        ("Bearer " + TOKEN[:-1], 401),
        ("Bearer " + TOKEN.upper(), 401),
        ("Bearer é", 401),
        ("Bearer " + "x" * 9000, 401),
    ],
)
async def test_a_bearer_token(header: str, expected: int) -> None:
    assert await status(bearer("SECRET"), {"authorization": header}) == expected


async def test_a_refusal_tells_the_scheme_and_keeps_the_token() -> None:
    response = await serve(bearer("SECRET", realm="notes")).request(
        "GET", "/", headers={"authorization": "Bearer canary"}, env=ENV
    )

    assert response.header("www-authenticate") == 'Bearer realm="notes"'
    assert isinstance(response.body, bytes)
    assert b"canary" not in response.body


@pytest.mark.parametrize("env", [{}, {"SECRET": ""}, {"SECRET": "  "}, {"SECRET": 7}], ids=str)
async def test_a_secret_that_is_missing_lets_nobody_in(
    env: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    assert await status(bearer("SECRET"), {"authorization": "Bearer x"}, env) == 503
    assert "the secret SECRET is missing" in caplog.text


async def test_a_function_may_verify() -> None:
    async def verify(c: Context, token: str) -> bool:
        return token == "right"

    guard = bearer(verify=verify)

    assert await status(guard, {"authorization": "Bearer right"}) == 200
    assert await status(guard, {"authorization": "Bearer wrong"}) == 401


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (encoded(b"ada:se:cret"), 200),
        (encoded(b"ada:se:cret").replace("Basic", "BASIC"), 200),
        (encoded(b"ada:se:cret").replace("Basic", "Ba\u017fic"), 401),  # a long s
        (encoded(b"ada:se:cret") + " ", 401),
        (encoded(b"ada:se:cret") + "=", 401),
        (encoded(b"ada:se:cret") + ", Basic x", 401),
        (encoded(b"ada:wrong"), 401),
        (encoded(b"ada"), 401),
        (encoded(b"\xff:\xff"), 401),
        ("Basic !!!", 401),
        ("Basic YQ", 401),
        ("Basic", 401),
        ("", 401),
        ("Bearer x", 401),
    ],
)
async def test_a_basic_password(header: str, expected: int) -> None:
    async def verify(c: Context, user: str, password: str) -> bool:
        return (user, password) == ("ada", "se:cret")

    assert await status(basic(verify), {"authorization": header}) == expected


async def takes_one(token: str) -> bool:
    return True


def is_plain(c: Context, token: str) -> bool:
    return True


async def forgets(c: Context, *given: str) -> bool:
    return accept(c, given[0])  # type: ignore[return-value]  # the mistake


@pytest.mark.filterwarnings("ignore:coroutine 'accept' was never awaited")
@pytest.mark.parametrize(
    ("guard", "headers"),
    [
        (bearer(verify=forgets), {"authorization": "Bearer x"}),
        (api_key(verify=forgets), {"x-api-key": "x"}),
        (basic(forgets), {"authorization": f"Basic {base64.b64encode(b'a:b').decode()}"}),
    ],
    ids=["bearer", "api_key", "basic"],
)
async def test_a_verify_that_forgets_to_await_lets_nobody_in(
    guard: Guard, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert await status(guard, headers) == 503
    assert "test_credentials.py" in caplog.text
    assert "verify returned what it did not await" in caplog.text


@pytest.mark.parametrize("verify", [takes_one, is_plain, "secret"])
@pytest.mark.parametrize("make", [bearer, api_key, basic])
def test_a_verify_that_could_not_be_called_is_refused(make: Any, verify: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not a verify"):
        make(verify=verify)


async def accept(c: Context, *given: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("sent", "expected"), [(b"ada:x", 200), (b":", 200), (b"ada", 401), (b"", 401)], ids=repr
)
async def test_without_a_colon_there_is_no_password_to_verify(sent: bytes, expected: int) -> None:
    assert await status(basic(accept), {"authorization": encoded(sent)}) == expected


async def test_what_is_longer_than_any_credential_is_verified_by_nobody() -> None:
    for guard, header, start in (
        (bearer(verify=accept), "authorization", "Bearer x"),
        (api_key(verify=accept), "x-api-key", ""),
        (basic(accept), "authorization", "Basic "),
    ):
        longest = start + (CREDENTIAL_LIMIT - len(start)) // 4 * "eHg6"
        assert await status(guard, {header: longest}) == 200, start
        assert await status(guard, {header: longest + "eHg6"}) == 401, start


@pytest.mark.parametrize(
    ("guard", "name", "definition"),
    [
        (
            bearer("SECRET", realm="notes", name="programs"),
            "programs",
            {"type": "http", "scheme": "bearer", "description": "Realm: notes."},
        ),
        (
            basic(accept, realm="notes", name="staff"),
            "staff",
            {"type": "http", "scheme": "basic", "description": "Realm: notes."},
        ),
        (
            api_key("SECRET", header="X-Own", name="key"),
            "key",
            {"type": "apiKey", "in": "header", "name": "x-own"},
        ),
    ],
    ids=["bearer", "basic", "api_key"],
)
def test_documents_say_what_is_asked_for(guard: Guard, name: str, definition: Any) -> None:
    assert (str(guard), guard.refuses) == (name, (401,))
    assert guard.scheme == SecurityScheme(name, definition)


async def test_browsers_are_told_that_passwords_are_utf_8() -> None:
    async def verify(c: Context, user: str, password: str) -> bool:
        return False

    app = App()

    @app.get("/", guard=basic(verify))
    async def answer() -> None: ...

    challenge = (await app.request("GET", "/")).header("www-authenticate")

    assert challenge == 'Basic realm="site", charset="UTF-8"'


async def test_the_basic_username_is_handed_on() -> None:
    class Name(str):
        __slots__ = ()

    slot: Slot[str] = Slot("user", str)

    async def verify(c: Context, user: str, password: str) -> bool:
        return True

    app = App()

    @app.get("/", guard=basic(verify, user=slot))
    async def answer(c: Context) -> str:
        return c.get(slot)

    response = await app.request("GET", "/", headers={"authorization": encoded(b"ada:x")})

    assert response.body == b"ada"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-api-key": TOKEN}, 200),
        ({"X-API-Key": TOKEN}, 200),
        ({"x-api-key": "wrong"}, 401),
        ({"x-api-key": "\ud800"}, 401),
        ({"x-api-key": ""}, 401),
        ({"x-api-key": f"{TOKEN}, {TOKEN}"}, 401),
        ({"authorization": TOKEN}, 401),
        ({}, 401),
    ],
)
async def test_an_api_key(headers: dict[str, str], expected: int) -> None:
    assert await status(api_key("SECRET"), headers) == expected


@pytest.mark.parametrize("make", [bearer, api_key])
def test_one_source_of_truth_is_asked_for(make: Any) -> None:
    async def verify(c: Context, token: str) -> bool:
        return True

    with pytest.raises(ConfigurationError, match="one of the two"):
        make()
    with pytest.raises(ConfigurationError, match="one of the two"):
        make("SECRET", verify=verify)


def test_a_realm_cannot_break_out_of_its_header() -> None:
    with pytest.raises(ConfigurationError, match="is not a realm"):
        bearer("SECRET", realm='x", charset="')
