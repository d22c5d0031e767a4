"""Lucia v2's thirteen faults, each found by running it: none of them is here."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from framework import App, ConfigurationError, Context, public
from framework.auth import Auth, NewKey, PasswordError
from framework.cookies import SetCookie
from framework.response import Response
from framework.testing import json_of
from tests.auth.world import PASSWORD, USERNAME, Member, World

ROOT = Path(__file__).parents[2]
DAY = 86_400_000
COOKIE = "auth_session"


def set_cookies(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


async def test_fault_01_a_renewal_sends_no_cookie_and_stays_idle(world: World) -> None:
    browser = await world.signed_up()
    token = browser.cookies[COOKIE]
    world.clock.now += DAY

    answer = await browser.get("/me")

    me = json_of(answer)
    assert (me["state"], me["fresh"]) == ("active", True)
    assert set_cookies(answer) == [
        f"{COOKIE}={token}; Max-Age=1296000; Path=/; HttpOnly; SameSite=Lax"
    ]


@pytest.mark.parametrize("order", ["bearer first", "cookie first", "at once"])
async def test_fault_02_a_bearer_token_is_taken_for_a_cookie(world: World, order: str) -> None:
    @world.app.post("/who", guard=public)
    async def who(c: Context) -> list[str | None]:
        handle = world.auth.handle_request(c)
        if order == "at once":
            found = list(await asyncio.gather(handle.validate(), handle.validate_bearer_token()))
        elif order == "bearer first":
            bearer = await handle.validate_bearer_token()
            found = [await handle.validate(), bearer]
        else:
            found = [await handle.validate(), await handle.validate_bearer_token()]
        return [each and each.user.username for each in found]

    browser = await world.signed_up()
    headers = {"authorization": f"Bearer {browser.cookies[COOKIE]}"}

    answer = await world.browser().post("/who", headers=headers)

    assert json_of(answer) == [None, USERNAME]
    assert set_cookies(answer) == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_fault_03_the_scheme_in_lower_case_is_refused(world: World, scheme: str) -> None:
    @world.app.get("/api", guard=world.auth.bearer_guard())
    async def api(user: Member) -> str:
        return user.username

    browser = await world.signed_up()
    headers = {"authorization": f"{scheme} {browser.cookies[COOKIE]}"}

    assert (await world.browser().get("/api", headers=headers)).body == USERNAME.encode()


@pytest.mark.parametrize(
    "origin", ["null", "", " ", "nonsense", "http://", "http://[", "https://a b", "\\", "://"]
)
async def test_fault_04_an_origin_that_is_none_is_a_500(world: World, origin: str) -> None:
    browser = await world.signed_up()
    headers = {"origin": origin, "cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}

    answer = await world.app.request("POST", "/others", headers=headers, env={"DB": world.sqlite})

    assert (answer.status, json_of(answer)["code"]) == (403, "cross-site")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://shop.example", 401),
        ("http://shop.example", 403),
        ("https://shop.example:8443", 403),
        ("https://shop.example:443", 403),
        ("https://www.shop.example", 403),
        ("https://SHOP.example", 403),
    ],
)
async def test_fault_05_only_the_host_is_compared(world: World, origin: str, status: int) -> None:
    answer = await world.app.request(
        "POST", "https://shop.example/others", headers={"origin": origin}, env={"DB": world.sqlite}
    )

    assert answer.status == status


@pytest.mark.parametrize("pattern", ["*", "https://*.shop.co.uk", "*.shop.co.uk", "shop.co.uk"])
def test_fault_06_a_wildcard_takes_in_the_neighbours(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an origin"):
        App(origins=[pattern])


async def test_fault_06_an_origin_that_is_named_takes_in_itself_alone() -> None:
    app = App(origins=["https://www.shop.co.uk"])

    @app.post("/", guard=public)
    async def index() -> str:
        return "in"

    statuses = [
        (await app.request("POST", "https://shop.co.uk/", headers={"origin": origin})).status
        for origin in ("https://www.shop.co.uk", "https://attacker.co.uk", "https://a.shop.co.uk")
    ]

    assert statuses == [200, 403, 403]


@pytest.mark.parametrize("name", ["allowedSubdomains", "allowedSubDomains", "allowed_subdomains"])
def test_fault_07_an_option_with_a_wrong_name_is_ignored(name: str) -> None:
    options: dict[str, Any] = {name: ["www"]}

    for make in (App, Auth):
        with pytest.raises(TypeError, match=name):
            make(**options)


@pytest.mark.parametrize("url", ["http://localhost", "https://shop.example"])
async def test_fault_08_an_attribute_of_ones_own_drops_the_others(url: str) -> None:
    world = World(same_site="Strict")

    answer = await world.browser(url).post("/sign-up", json={})

    secure = "Secure; " if url.startswith("https") else ""
    assert set_cookies(answer)[0].endswith(f"; Path=/; {secure}HttpOnly; SameSite=Strict")
    world.close()


@pytest.mark.parametrize("same_site", ["None", "strict", "", None])
def test_fault_08_an_attribute_that_is_not_safe_is_refused(same_site: Any) -> None:
    with pytest.raises(ConfigurationError, match="neither Lax nor Strict"):
        Auth(user=Member, same_site=same_site)


async def test_fault_09_passwords_are_logged(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await world.signed_up()
    db, keys = world.sqlite, world.auth.keys
    await world.auth.users.create(db, NewKey("email", "ann", "secret one"), username="Ann")
    await keys.use(db, "email", "ann", "secret one")
    await keys.set_password(db, "email", "ann", "secret two")
    await browser.post("/sign-in", json={"password": "secret three"})

    written = capfd.readouterr()
    shown = caplog.text + written.out + written.err
    assert not re.search("secret|" + re.escape(PASSWORD), shown)
    assert browser.cookies[COOKIE] not in shown


@pytest.mark.parametrize(
    ("username", "password"),
    [("nobody", PASSWORD), (USERNAME, "wrong horse"), ("", PASSWORD), ("nobody", "")],
)
async def test_fault_10_an_unknown_name_costs_nothing(
    world: World, username: str, password: str
) -> None:
    # How long that takes is measured by `python -m bench.timing`; a test can count alone.
    await world.signed_up()
    world.hasher.reset()

    answer = await world.browser().post(
        "/sign-in", json={"username": username, "password": password}
    )

    assert answer.status == 401
    [stored] = world.hasher.verified
    assert stored.split("$")[1:4] == world.hasher.dummy_hash.split("$")[1:4]
    assert world.hasher.hashes == 0


async def test_fault_11_an_empty_password_is_taken_and_never_signs_in(world: World) -> None:
    for key in (NewKey("username", "ann", ""), NewKey("email", "ann", "")):
        with pytest.raises(PasswordError):
            await world.auth.users.create(world.sqlite, key, username="Ann")
    answer = await world.browser().post("/sign-up", json={"password": ""})

    assert (answer.status, json_of(answer)["code"]) == (422, "unusable-password")
    assert await world.rows("user") == await world.rows("user_key") == []


class Careless:
    """A hasher that takes whatever it is given."""

    dummy_hash = "nobody"

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password: str, stored: str) -> bool:
        return stored == f"hash of {password}"

    def is_outdated(self, stored: str) -> bool:
        return False


async def test_fault_11_whatever_the_hasher_thinks() -> None:
    world = World(hasher=Careless())

    with pytest.raises(PasswordError):
        await world.auth.users.create(world.sqlite, NewKey("username", "ann", ""), username="Ann")
    await world.browser().post("/sign-up", json={"password": ""})

    assert await world.rows("user") == []
    world.close()


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CALLS = re.compile(r"(?<![\w.`])auth\.((?:users|keys|sessions)\.)?([a-z_]+)(?=\()")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_fault_12_the_guide_calls_what_is_not_there(document: Path) -> None:
    auth = Auth(user=Member)
    blocks = re.sub(r"^```sh.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)

    missing = [
        call[0]
        for call in CALLS.finditer(blocks.replace("`auth.", "auth."))
        if not hasattr(getattr(auth, call[1][:-1]) if call[1] else auth, call[2])
    ]

    # Lucia's own names stand in the left column of one table.
    assert [name for name in missing if name not in {"auth.handleRequest"}] == []


async def test_fault_12_the_names_are_looked_for() -> None:
    text = (ROOT / "docs" / "from-lucia.md").read_text()

    found = {call[0] for call in CALLS.finditer(text.replace("`auth.", "auth."))}

    assert {"auth.sign_in", "auth.users.create", "auth.sessions.validate"} <= found


@pytest.mark.parametrize("path", ["/sign-in", "/me"])
async def test_fault_13_other_cookies_are_overwritten(world: World, path: str) -> None:
    async def add_cookies(c: Context, call_next: Any) -> Response:
        c.send_cookie(SetCookie(name="theme", value="dark"))
        response: Response = await call_next()
        return response.with_added_header("set-cookie", "a=1").with_added_header(
            "set-cookie", "b=2"
        )

    browser = await world.signed_up()
    world.clock.now += DAY
    world.app.use(add_cookies)

    answer = await browser.request("POST" if path == "/sign-in" else "GET", path, json={})

    names = [cookie.partition("=")[0] for cookie in set_cookies(answer)]
    own = ["auth_session", "auth_device"] if path == "/sign-in" else ["auth_session"]
    assert sorted(names) == sorted(["a", "b", "theme", *own])
