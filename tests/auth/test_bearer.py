"""Sessions by bearer token: their own path, and nothing in common with the cookie's."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from framework import Context, public
from framework.auth import Limits, NewSession, Session
from framework.auth.legacy import LuciaHasher
from framework.credentials import bearer
from framework.response import Response
from framework.testing import Client, json_of, text_of
from tests.auth.databases import CountingDatabase, FaultyDatabase, HaltingDatabase
from tests.auth.world import PASSWORD, USERNAME, Credentials, Member, World

DAY = 86_400_000
COOKIE = "auth_session"


@pytest.fixture
def world() -> Iterator[World]:
    """A world with routes behind a bearer token, behind either, and behind both."""
    world = World()
    auth, app = world.auth, world.app
    bearer = auth.bearer_guard()

    async def show(c: Context, session: Session, user: Member) -> dict[str, Any]:
        by_cookie, cookies_user = await auth.session(c), await auth.user(c)
        return {
            "user": user.username,
            "handle": session.handle,
            "fresh": session.fresh,
            "cookie": by_cookie and by_cookie.handle,
            "cookies_user": cookies_user and cookies_user.username,
        }

    app.get("/bearer", guard=bearer)(show)
    app.post("/bearer", guard=bearer)(show)
    app.get("/either", guard=auth.guard() | bearer)(show)
    app.get("/admin-or-cookie", guard=(bearer & auth.role("admin")) | auth.guard())(show)
    app.get("/both", guard=auth.guard() & bearer)(show)
    app.get("/both-ways", guard=bearer & auth.guard())(show)

    @app.get("/bearer/sessions", guard=bearer)
    async def list_sessions(c: Context) -> list[str]:
        return [session.handle for session in await auth.list_sessions(c)]

    @app.post("/bearer/sign-out", guard=bearer)
    async def sign_out(c: Context) -> None:
        await auth.sign_out(c)

    @app.post("/bearer/end/:handle", guard=bearer)
    async def end(c: Context, handle: str) -> None:
        await auth.end_session(c, handle)

    @app.post("/bearer/password", guard=bearer)
    async def change_password(c: Context) -> None:
        await auth.change_password(c, PASSWORD, "battery staple")

    @app.post("/bearer/delete", guard=bearer)
    async def delete(c: Context) -> None:
        await auth.delete_user(c)

    @app.post("/bearer/rotate", guard=bearer)
    async def rotate(c: Context) -> None:
        await auth.rotate_session(c)

    yield world
    world.close()


async def begun(world: World, username: str = "Ann") -> NewSession[Member]:
    user = await world.auth.users.create(world.sqlite, None, username=username)
    return await world.auth.sessions.create(world.sqlite, user.id)


def bearing(token: str, scheme: str = "Bearer", **headers: str) -> dict[str, str]:
    return {"authorization": f"{scheme} {token}", **headers}


def set_cookies(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_token_opens_and_the_schemes_case_does_not_matter(
    world: World, scheme: str
) -> None:
    new = await begun(world)

    answer = await world.browser().get("/bearer", headers=bearing(new.token, scheme))

    assert (answer.status, json_of(answer)["handle"]) == (200, new.session.handle)
    assert set_cookies(answer) == []
    assert answer.header("cache-control") == "private, no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "TOKEN"},
        {"authorization": "Bearer  TOKEN"},
        {"authorization": "Bearer TOKEN "},
        {"authorization": "Bearer TOKEN,TOKEN"},
        {"authorization": "Basic TOKEN"},
        {"authorization": "Bearer ID"},
        {"authorization": "Bearer " + "a" * 40},
        {"authorization": "Bearer " + "a" * 100_000},
        {"authorization": "Bearer é"},
        {"cookie": f"{COOKIE}=TOKEN"},
        {"cookie": f"{COOKIE}=TOKEN", "authorization": "Bearer " + "a" * 40},
    ],
    ids=lambda headers: str(headers)[:60],
)
async def test_nothing_else_opens(world: World, headers: dict[str, str]) -> None:
    new = await begun(world)
    places = {"TOKEN": new.token, "ID": new.session.id}
    for place, value in places.items():
        headers = {name: text.replace(place, value) for name, text in headers.items()}

    answer = await world.browser().get("/bearer", headers=headers)

    assert (answer.status, json_of(answer)["code"]) == (401, "unauthorized")
    assert answer.header("www-authenticate") == 'Bearer realm="session"'
    assert set_cookies(answer) == []


@pytest.mark.parametrize("token", ["a", "a" * 39, "a" * 41, "A" * 40, "a" * 39 + "_"])
async def test_what_is_no_token_is_not_looked_for(world: World, token: str) -> None:
    world.database = counting = CountingDatabase(world.sqlite)

    answer = await world.browser().get("/bearer", headers=bearing(token))

    assert (answer.status, counting.statements) == (401, [])


@pytest.mark.parametrize(
    ("later", "trips", "status", "fresh"),
    [
        (0, ["SELECT"], 200, False),
        (DAY, ["SELECT", "UPDATE"], 200, True),
        (15 * DAY, ["SELECT", "DELETE"], 401, None),
    ],
)
async def test_it_lives_as_a_cookies_session_does_and_sends_no_cookie(
    world: World, later: int, trips: list[str], status: int, fresh: bool | None
) -> None:
    new = await begun(world)
    world.clock.now += later
    world.database = counting = CountingDatabase(world.sqlite)

    answer = await world.browser().get("/bearer", headers=bearing(new.token))

    assert (answer.status, json_of(answer).get("fresh")) == (status, fresh)
    assert [sql.split()[0] for sql in counting.statements] == trips
    assert set_cookies(answer) == []


async def test_the_guards_reads_are_sent_once_where_either_will_do(world: World) -> None:
    new = await begun(world)
    browser = await world.signed_up()
    world.database = counting = CountingDatabase(world.sqlite)
    headers = bearing(new.token, cookie=f"{COOKIE}={browser.cookies[COOKIE]}")

    await world.browser().get("/either", headers=headers)

    assert [[sql.split()[0] for sql in trip] for trip in counting.trips] == [["SELECT", "SELECT"]]


@pytest.mark.parametrize(
    ("path", "sends", "user", "cookies_user"),
    [
        ("/bearer", "both", "Ann", "alice"),
        ("/bearer", "token", "Ann", None),
        ("/either", "cookie", "alice", "alice"),
        ("/either", "token", "Ann", None),
        ("/either", "both", "alice", "alice"),
        ("/both", "both", "Ann", "alice"),
        ("/both-ways", "both", "Ann", "alice"),
        ("/admin-or-cookie", "both", "alice", "alice"),
    ],
)
async def test_who_the_guard_lets_in_is_not_whom_the_cookie_names(
    world: World, path: str, sends: str, user: str, cookies_user: str | None
) -> None:
    new, browser = await begun(world), await world.signed_up()
    headers = bearing(new.token) if sends != "cookie" else {}
    if sends != "token":
        headers["cookie"] = f"{COOKIE}={browser.cookies[COOKIE]}"

    answer = await world.browser().get(path, headers=headers)

    shown = json_of(answer)
    assert (shown["user"], shown["cookies_user"]) == (user, cookies_user)


@pytest.mark.parametrize("sends", ["cookie", "token"])
@pytest.mark.parametrize("path", ["/both", "/both-ways"])
async def test_both_are_asked_for_where_both_guards_stand(
    world: World, path: str, sends: str
) -> None:
    new, browser = await begun(world), await world.signed_up()
    cookie = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}

    answer = await world.browser().get(
        path, headers=cookie if sends == "cookie" else bearing(new.token)
    )

    assert answer.status == 401


async def test_a_bad_cookie_beside_a_good_token_is_left_alone_by_the_bearer_guard(
    world: World,
) -> None:
    new = await begun(world)
    headers = bearing(new.token, cookie=f"other=1; {COOKIE}={'b' * 40}")
    world.database = counting = CountingDatabase(world.sqlite)

    @world.app.get("/quiet", guard=world.auth.bearer_guard())
    async def quiet(user: Member) -> str:
        return user.username

    answer = await world.browser().get("/quiet", headers=headers)

    assert (answer.body, set_cookies(answer), len(counting.statements)) == (b"Ann", [], 1)


# --- What a handler does with it -----------------------------------------------------------------


async def test_signing_out_ends_the_tokens_session_alone(world: World) -> None:
    new, browser = await begun(world), await world.signed_up()
    headers = bearing(new.token, cookie=f"{COOKIE}={browser.cookies[COOKIE]}")

    answer = await browser.post("/bearer/sign-out", headers=headers)

    assert (answer.status, set_cookies(answer)) == (204, [])
    assert (await browser.get("/bearer", headers=bearing(new.token))).status == 401
    assert (await browser.get("/me")).status == 200


async def test_it_ends_itself_by_its_handle_without_a_cookie(world: World) -> None:
    new = await begun(world)
    client = world.browser()
    listed = json_of(await client.get("/bearer/sessions", headers=bearing(new.token)))

    answer = await client.post(f"/bearer/end/{listed[0]}", headers=bearing(new.token))

    assert listed == [new.session.handle]
    assert (answer.status, set_cookies(answer)) == (204, [])
    assert await world.rows("user_session") == []


async def test_changing_the_password_ends_every_session_and_begins_none(world: World) -> None:
    browser = await world.signed_up()
    [user] = await world.rows("user")
    new = await world.auth.sessions.create(world.sqlite, user["id"])

    answer = await world.browser().post("/bearer/password", headers=bearing(new.token))

    assert (answer.status, set_cookies(answer)) == (204, [])
    assert await world.rows("user_session") == await world.rows("known_device") == []
    assert (await browser.get("/me")).status == 401
    again = await browser.post("/sign-in", json={"password": "battery staple"})
    assert again.status == 200


async def test_a_known_browser_that_changes_the_password_with_a_token_stays_known(
    world: World,
) -> None:
    browser = await world.signed_up()
    [user], [known] = await world.rows("user"), await world.rows("known_device")
    new = await world.auth.sessions.create(world.sqlite, user["id"])

    assert (await browser.post("/bearer/password", headers=bearing(new.token))).status == 204

    assert [row["id"] for row in await world.rows("known_device")] == [known["id"]]


async def test_deleting_the_account_sends_no_cookie(world: World) -> None:
    new = await begun(world)

    answer = await world.browser().post("/bearer/delete", headers=bearing(new.token))

    assert (answer.status, set_cookies(answer)) == (204, [])
    assert await world.rows("user") == []


async def test_a_token_has_no_cookie_to_be_rotated_in(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    new = await begun(world)

    answer = await world.browser().post("/bearer/rotate", headers=bearing(new.token))

    assert answer.status == 500
    assert "rotate_session changes a cookie" in caplog.text


async def test_an_outage_is_no_refusal(world: World) -> None:
    new = await begun(world)
    world.database = faulty = FaultyDatabase(world.sqlite)
    faulty.arm(1)

    answer = await world.browser().get("/bearer", headers=bearing(new.token))

    assert (answer.status, set_cookies(answer)) == (503, [])


async def test_many_clients_at_once_are_told_apart(world: World) -> None:
    people = {name: (await begun(world, name)).token for name in ("Ann", "Bob", "Cat")}
    client: Client = world.browser()

    answers = await asyncio.gather(
        *[client.get("/bearer", headers=bearing(token)) for token in [*people.values()] * 20]
    )

    assert [json_of(answer)["user"] for answer in answers] == [*people] * 20


async def test_a_client_without_cookies_needs_no_origin(world: World) -> None:
    new = await begun(world)

    answer = await world.app.request(
        "POST", "/bearer", headers=bearing(new.token), env={"DB": world.sqlite}
    )

    assert answer.status == 200


def test_it_is_listed_under_a_name_of_its_own(world: World) -> None:
    @world.app.post("/machine", guard=bearer("TOKENS"))
    async def machine() -> None: ...

    access = world.app.access()

    assert access["GET", "/bearer"] == "session_token"
    assert access["GET", "/either"] == "authorized | session_token"
    assert access["POST", "/machine"] == "bearer"


@pytest.fixture(params=[{}])
def issuing(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world where a password buys a token."""
    events: list[str] = []
    issued: list[NewSession[Member]] = []
    world = World(**{"limits": Limits(attempts=2), **request.param})

    @world.app.post("/token", guard=public)
    async def issue(c: Context, given: Credentials) -> str:
        new = await world.auth.issue_token(c, given.username, given.password)
        issued.append(new)  # no answer shows a token, as `World` sees to
        return new.user.username

    app, auth = world.app, world.auth
    app.get("/bearer", guard=auth.bearer_guard() & auth.recent())(read_handle)
    app.security_log = lambda _, event: events.append(event.event)
    world.env.update(events=events, issued=issued)
    yield world
    world.close()


async def read_handle(session: Session) -> str:
    return session.handle


async def test_tokens_are_no_failures_of_the_browser_that_asks_for_them(issuing: World) -> None:
    browser = await issuing.signed_up()

    answers = [await browser.post("/token", json=Credentials()) for _ in range(6)]

    assert {answer.status for answer in answers} == {200}
    assert [row["resets_at"] for row in await issuing.rows("known_device")] == [0]


async def test_a_program_that_asks_for_tokens_takes_no_browser_s_place(issuing: World) -> None:
    await issuing.signed_up()
    known = await issuing.rows("known_device")

    for _ in range(2):
        assert (await issuing.browser().post("/token", json=Credentials())).status == 200

    assert await issuing.rows("known_device") == known


async def test_a_password_buys_a_token_and_no_cookie(issuing: World) -> None:
    browser = await issuing.signed_up()
    [before] = await issuing.rows("user_session")

    answer = await browser.post("/token", json=Credentials())

    [issued] = issuing.env["issued"]
    assert (text_of(answer), answer.header("set-cookie")) == (USERNAME, None)
    assert answer.header("cache-control") == "private, no-store"
    assert before in await issuing.rows("user_session")
    headers = {"authorization": f"Bearer {issued.token}"}
    shown = await issuing.request("GET", "/bearer", headers=headers)
    assert text_of(shown) == issued.session.handle
    assert issuing.env["events"][-1] == "authn_login_success"


@pytest.mark.parametrize(
    "issuing",
    [
        {},
        {"sessions": "migrate"},
        {"sessions": "shared", "hasher": LuciaHasher(writes="s2")},
        {"device_cookie": None},
        {"limits": Limits(grace=10_000)},
    ],
    ids=lambda options: str([*options]),
    indirect=True,
)
async def test_a_token_leaves_alone_who_is_signed_in(issuing: World) -> None:
    await issuing.signed_up()
    browser = await issuing.signed_up("bob")

    answer = await browser.post("/token", json=Credentials())

    [issued] = issuing.env["issued"]
    shown = await issuing.request("GET", "/bearer", headers=bearing(issued.token))
    assert text_of(shown) == issued.session.handle
    assert answer.header("set-cookie") is None
    assert json_of(await browser.get("/me"))["username"] == "bob"


@pytest.mark.parametrize(("password", "status"), [(PASSWORD, 200), ("battery staple", 401)])
async def test_a_token_is_issued_for_the_password_that_is_stored_by_then(
    issuing: World, password: str, status: int
) -> None:
    browser = await issuing.signed_up()
    issuing.database = halting = HaltingDatabase(issuing.sqlite)
    halt = halting.halt("INSERT INTO user_session")
    late = asyncio.create_task(browser.post("/token", json=Credentials()))
    await halt.reached()
    await issuing.auth.keys.set_password(issuing.sqlite, "username", USERNAME, password)
    halt.release()

    assert (await late).status == status

    assert len(await issuing.rows("user_session")) == (status == 200)


async def test_guesses_for_a_token_are_counted_with_those_for_a_cookie(issuing: World) -> None:
    await issuing.signed_up()
    wrong, browser = Credentials(password="wrong horse"), issuing.browser()

    answers = [
        await browser.post("/token", json=wrong),
        await browser.post("/sign-in", json=wrong),
        await browser.post("/token", json=Credentials()),
    ]

    assert [answer.status for answer in answers] == [401, 401, 429]
    assert len(await issuing.rows("user_session")) == 1
    assert issuing.env["events"][-1] == "authn_login_lock"


async def test_nobody_gets_a_token(issuing: World) -> None:
    answer = await issuing.browser().post("/token", json=Credentials("nobody"))

    assert (answer.status, json_of(answer)["code"]) == (401, "invalid-credentials")
