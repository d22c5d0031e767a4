"""The security log is told of every sign-in, change and refusal, once, and of no secret."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from framework import App, ConfigurationError, Context, HTTPError, Query, Request, guard, public
from framework.auth import InvalidCredentials, Limits
from framework.credentials import api_key
from framework.errors import Forbidden
from framework.guards import Guard
from framework.local.rate_limit import LocalRateLimiter
from framework.middleware.request_id import request_id
from framework.security_log import EventName, SecurityEvent
from framework.testing import Client, json_of
from tests.auth.recovering import ADDRESS, Recovering
from tests.auth.world import PASSWORD, USERNAME, World
from tests.secret_scan import SECRET

WRONG = "wrong horse"
UNKNOWN = "correct.horse.as.a.name"

Flow = Callable[[Recovering], Awaitable[object]]
Told = tuple[str, str | None, int | None]


@pytest.fixture
def told(recovering: Recovering) -> list[SecurityEvent]:
    """What the application of `recovering` is told, which verifies addresses too."""
    events: list[SecurityEvent] = []
    recovering.app.security_log = lambda _, event: events.append(event)
    return events


@pytest.fixture
def inventory() -> dict[str, str]:
    """The table of docs/security.md: the level of each event."""
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
    return dict(re.findall(r"^\| `([a-z_]+)` \| (info|warning) \|", text, re.MULTILINE))


def test_the_docs_list_every_event(inventory: dict[str, str]) -> None:
    assert inventory.keys() == {*get_args(EventName)}


# Of the Application Logging Vocabulary Cheat Sheet (OWASP/CheatSheetSeries 121bb56), what an app may need.
OWASPS = """
authn_login_success authn_login_successafterfail authn_login_fail authn_login_fail_max authn_login_lock
authn_password_change authn_password_change_fail authn_token_created authn_token_revoked authn_token_delete
authz_fail authz_change authz_admin excess_rate_limit_exceeded input_validation_fail
malicious_excess_404 malicious_extraneous malicious_attack_tool malicious_cors malicious_direct_reference
session_created session_renewed session_expired session_use_after_expire
user_created user_updated user_archived user_deleted
"""


def test_the_names_are_those_of_the_vocabulary() -> None:
    assert {*get_args(EventName)} <= {*OWASPS.split()}


def outlines(events: list[SecurityEvent]) -> list[Told]:
    return [(event.event, event.reason, event.status) for event in events]


async def sign_in(world: World, username: str = USERNAME, password: str = WRONG) -> None:
    await world.browser().post("/sign-in", json={"username": username, "password": password})


async def lock(world: World, username: str = USERNAME) -> None:
    for _ in range(Limits().attempts + 1):
        await sign_in(world, username)


async def change(browser: Client, current: str) -> None:
    await browser.put("/password", json={"current": current, "new": "battery staple"})


async def twice(world: Recovering) -> None:
    cookie = "; ".join(f"auth_session={letter * 40}" for letter in "ab")
    await world.request("GET", "/me", headers={"cookie": cookie})


async def verify(world: Recovering) -> None:
    browser = await world.addressed()
    await browser.post("/code")
    await browser.post("/verify", json={"code": world.mailbox.code})


async def reset(world: Recovering) -> None:
    await world.verified()
    await world.reset(await world.mailed())


async def reset_twice(world: Recovering) -> None:
    await world.verified()
    token = await world.mailed()
    await world.reset(token)
    await world.reset(token)


CREATED: Told = ("user_created", None, None)
FAILED: Told = ("authn_login_fail", "invalid-credentials", 401)
ADDRESSED: Told = ("user_updated", "email", None)
MAILED: Told = ("authn_token_created", "password-reset", None)
RESET: Told = ("authn_password_change", "password-reset", None)

FLOWS: list[tuple[Flow, list[Told]]] = [
    (lambda w: w.signed_up(), [CREATED]),
    (lambda w: sign_in(w, UNKNOWN), [FAILED]),
    (lambda w: lock(w), [*[FAILED] * 10, ("authn_login_lock", "too-many-requests", 429)]),
    (lambda w: twice(w), [
        ("malicious_extraneous", "session-cookie-twice", None), ("authz_fail", "unauthorized", 401),
    ]),
    (lambda w: w.request("GET", "/me"), [("authz_fail", "unauthorized", 401)]),
    (lambda w: w.request("GET", "/me", headers={"cookie": f"auth_session={'a' * 40}"}), [
        ("authz_fail", "unauthorized", 401),
    ]),
    (lambda w: w.request("POST", "/sign-in", headers={"origin": "https://evil.example"}, json={}), [
        ("malicious_cors", "cross-site", 403),
    ]),
    (lambda w: w.browser().post("/sign-in", json={"username": "a" * 2_000_000}), [
        ("input_validation_fail", "content-too-large", 413),
    ]),
    (lambda w: w.addressed(), [CREATED, ADDRESSED]),
    (verify, [CREATED, ADDRESSED, ("user_updated", "email-verified", None)]),
    (reset, [CREATED, ADDRESSED, MAILED, RESET]),
    (reset_twice, [
        CREATED, ADDRESSED, MAILED, RESET, ("authn_password_change_fail", "invalid-link", 404),
    ]),
    (lambda w: w.ask(UNKNOWN), []),
    (lambda w: w.request("GET", "/nothing"), []),
]  # fmt: skip


@pytest.mark.parametrize(("flow", "events"), FLOWS)
async def test_each_thing_is_told_once_and_no_secret(
    recovering: Recovering,
    told: list[SecurityEvent],
    inventory: dict[str, str],
    flow: Flow,
    events: list[Told],
) -> None:
    await flow(recovering)

    assert outlines(told) == events
    assert {event.event: event.level for event in told}.items() <= inventory.items()
    for event in told:
        line = msgspec.json.encode(event).decode()
        assert not SECRET.search(line)
        assert ADDRESS not in line


async def test_a_password_that_is_one_of_two_ways_past_a_guard_is_told_once(world: World) -> None:
    events: list[SecurityEvent] = []
    world.app.security_log = lambda _, event: events.append(event)

    @guard
    async def by_password(c: Context) -> None:
        await world.auth.sign_in(c, USERNAME, WRONG)

    @world.app.get("/either", guard=by_password | world.auth.bearer_guard())
    async def either() -> None: ...

    await world.browser().get("/either")

    assert outlines(events) == [("authn_login_fail", "invalid-credentials", 401)]


@pytest.mark.parametrize("by", ["cookie", "token", "nothing"])
async def test_what_is_done_with_a_token_issued_is_done_by_who_asked(world: World, by: str) -> None:
    events: list[SecurityEvent] = []
    issued: list[str] = []
    world.app.security_log = lambda _, event: events.append(event)
    ways = {"cookie": world.auth.guard(), "token": world.auth.bearer_guard(), "nothing": public}

    @world.app.post("/token/:name", guard=public)
    async def issue(c: Context, name: str) -> None:
        issued.append((await world.auth.issue_token(c, name, PASSWORD)).token)

    @world.app.post("/fails", guard=ways[by])
    async def fails(c: Context) -> None:
        await world.auth.issue_token(c, USERNAME, PASSWORD)
        raise Forbidden

    await world.signed_up()
    browser = await world.signed_up("bob")
    await browser.post("/token/bob")
    ids = {row["username"]: row["id"] for row in await world.rows("user")}

    await browser.post("/fails", headers={"authorization": f"Bearer {issued[0]}"})

    who = USERNAME if by == "nothing" else "bob"
    told = [(event.event, event.user_id) for event in events[-2:]]
    assert told == [("authn_login_success", ids[USERNAME]), ("authz_fail", ids[who])]


async def test_what_somebody_does_is_told_with_their_id_and_session(world: World) -> None:
    events: list[SecurityEvent] = []
    world.app.security_log = lambda _, event: events.append(event)
    browser = await world.signed_up()
    second, third = await world.signed_in(), await world.signed_in()
    [user] = await world.rows("user")
    await change(browser, WRONG)
    await change(browser, PASSWORD)
    await second.get("/me")
    fourth = await world.browser().post("/sign-in", json={"password": "battery staple"})
    await browser.post("/others")
    await browser.post("/others")  # nothing is left to end, or to tell
    handles = json_of(await browser.get("/sessions"))
    await browser.delete(f"/sessions/{handles[0]}")
    await third.post("/sign-out")
    again = world.browser()
    await again.post("/sign-in", json={"password": "battery staple"})
    await again.get("/admin")
    await again.post("/sign-out")
    await again.post("/sign-in", json={"password": "battery staple"})
    await again.delete("/me")

    assert fourth.status == 200
    assert outlines(events) == [
        CREATED,
        ("authn_login_success", None, None),
        ("authn_login_success", None, None),
        ("authn_password_change_fail", "invalid-credentials", 401),
        ("authn_password_change", None, None),
        ("authz_fail", "unauthorized", 401),
        ("authn_login_success", None, None),
        ("session_expired", "revoked", None),
        ("session_expired", "revoked", None),
        ("authz_fail", "unauthorized", 401),
        ("authn_login_success", None, None),
        ("authz_fail", "forbidden", 403),
        ("session_expired", "logout", None),
        ("authn_login_success", None, None),
        ("user_deleted", None, None),
    ]
    unknown = [event for event in events if event.reason == "unauthorized"]
    assert {event.user_id for event in events if event not in unknown} == {user["id"]}
    assert {event.user_id for event in unknown} == {event.session for event in unknown} == {None}
    assert all(event.session for event in events if event not in unknown)


@pytest.mark.parametrize(("username", "is_known"), [(USERNAME, True), (UNKNOWN, False)])
async def test_a_wrong_password_names_who_was_meant_and_no_name_as_it_was_typed(
    recovering: Recovering, told: list[SecurityEvent], username: str, is_known: bool
) -> None:
    await recovering.signed_up()
    [user] = await recovering.rows("user")
    told.clear()
    await lock(recovering, username)

    assert {event.user_id for event in told} == ({user["id"]} if is_known else {None})
    assert UNKNOWN not in repr(told)


async def test_who_has_no_password_changes_none_and_that_is_told(
    recovering: Recovering, told: list[SecurityEvent]
) -> None:
    browser = await recovering.signed_up()
    await recovering.sqlite.run("UPDATE user_key SET hashed_password = NULL")
    answer = await browser.put("/password", json={})

    assert answer.status == 401
    assert outlines(told) == [
        CREATED,
        ("authn_password_change_fail", "invalid-credentials", 401),
    ]


async def test_a_refusal_in_other_words_is_told_once(
    recovering: Recovering, told: list[SecurityEvent]
) -> None:
    @recovering.app.put("/in-other-words", guard=recovering.auth.guard())
    async def change_in_other_words(c: Context) -> None:
        try:
            await recovering.auth.change_password(c, WRONG, "battery staple")
        except InvalidCredentials as error:
            raise InvalidCredentials("The current password is wrong.") from error

    browser = await recovering.signed_up()
    answer = await browser.put("/in-other-words")

    assert json_of(answer)["detail"] == "The current password is wrong."
    assert outlines(told) == [
        CREATED,
        ("authn_password_change_fail", "invalid-credentials", 401),
    ]


async def test_an_address_that_a_limiter_refuses_is_told(world: World) -> None:
    events: list[SecurityEvent] = []
    limited = World(rate_limiter="LIMITER")
    limited.env["LIMITER"] = LocalRateLimiter(1, 60)
    limited.app.security_log = lambda _, event: events.append(event)
    for _ in range(2):
        await sign_in(limited)
    limited.close()

    assert outlines(events) == [FAILED, ("excess_rate_limit_exceeded", "address", 429)]


# --- What a line holds ---------------------------------------------------------------------------


async def test_an_event_says_when_where_and_who(capsys: pytest.CaptureFixture[str]) -> None:
    app = App()
    app.use(request_id())

    @guard
    def nobody() -> None:
        raise Forbidden

    @app.get("/reset/:token", guard=nobody)
    async def show(token: str) -> str:
        return token

    request = Request.build("GET", "/reset/5ec7e7?key=5ec7e7", [("x-request-id", "abc")])
    request.address = "203.0.113.7"
    await app.handle(request, {})

    out = capsys.readouterr().out
    line = json.loads(out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {
        "level": "warning",
        "event": "authz_fail",
        "reason": "forbidden",
        "status": 403,
        "method": "GET",
        "route": "/reset/:token",
        "address": "203.0.113.7",
        "request_id": "abc",
    }


async def test_a_reset_is_told_with_whose_it_is(
    recovering: Recovering, told: list[SecurityEvent]
) -> None:
    await reset_twice(recovering)

    [user] = await recovering.rows("user")
    assert [event.user_id for event in told[2:]] == [user["id"], user["id"], None]


@pytest.mark.parametrize("text", ["a\nb", "\u2028", "\x1b[31m", '"}', "\u202e", "é"])
async def test_nothing_a_client_sends_ends_the_line(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    app = App()

    @app.get("/", guard=public)
    async def index() -> None:
        raise Forbidden

    request = Request.build("GET", "/", [("cf-ray", text)])
    request.address = text
    await app.handle(request, {})

    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert (json.loads(out)["request_id"], json.loads(out)["address"]) == (text, text)


async def test_an_id_that_a_client_makes_up_is_cut(
    told: list[SecurityEvent], recovering: Recovering
) -> None:
    await recovering.request("GET", "/me", headers={"cf-ray": "f" * 100_000})

    assert [event.request_id for event in told] == ["f" * 64]


@pytest.mark.parametrize("key", ["key", "another"])
async def test_who_passes_by_a_key_is_not_who_was_refused_before(
    recovering: Recovering, told: list[SecurityEvent], key: str
) -> None:
    auth = recovering.auth
    may_enter = (auth.guard() & auth.role("admin")) | api_key("KEY", header="x-key")
    recovering.env["KEY"] = "key"

    @recovering.app.get("/reports", guard=may_enter)
    async def reports() -> None:
        raise HTTPError(403)

    browser = await recovering.signed_up()

    await browser.get("/reports", headers={"x-key": key})

    [user] = await recovering.rows("user")
    passed = key == "key"
    assert (told[-1].status, told[-1].user_id) == (403, None if passed else user["id"])
    assert told[-1].reason == "forbidden"


async def test_of_two_who_are_refused_the_one_that_is_answered_is_told_of(
    recovering: Recovering, told: list[SecurityEvent]
) -> None:
    auth = recovering.auth

    @guard
    async def names_team(team: Query[str]) -> None:
        """Refuse with 422 where no team is named."""

    by_token = auth.bearer_guard() & auth.role("admin")

    @recovering.app.get("/reports", guard=auth.guard() & names_team | by_token)
    async def reports() -> None: ...

    browser = await recovering.signed_up()
    other = await recovering.signed_up("grace")

    token = other.cookies["auth_session"]
    answer = await browser.get("/reports", headers={"authorization": f"Bearer {token}"})

    users = [row["user_id"] for row in await recovering.rows("user_key") if "grace" in row["id"]]
    assert (answer.status, [told[-1].user_id]) == (403, users)


@pytest.mark.parametrize(
    ("ways", "who"),
    [
        (lambda cookie, token, closed, opened: cookie & (closed | opened), "bob"),
        (lambda cookie, token, closed, opened: (token & closed) | (cookie & opened), "bob"),
        (lambda cookie, token, closed, opened: (token & closed) | (cookie & closed), "alice"),
    ],
    ids=["one before", "refused, and another", "refused, and another who is, too"],
)
async def test_of_two_who_ask_at_once_it_is_who_passed_or_was_refused_first(
    world: World, ways: Callable[..., Guard], who: str
) -> None:
    events: list[SecurityEvent] = []
    world.app.security_log = lambda _, event: events.append(event)
    issued: list[str] = []

    @world.app.post("/token", guard=world.auth.guard())
    async def issue(c: Context) -> None:
        issued.append((await world.auth.issue_token(c, "alice", PASSWORD)).token)

    @guard
    def closed() -> None:
        raise Forbidden

    @guard
    def opened() -> None: ...

    @world.app.get(
        "/two", guard=ways(world.auth.guard(), world.auth.bearer_guard(), closed, opened)
    )
    async def fails() -> None:
        raise Forbidden

    await (await world.signed_up("alice")).post("/token")
    bob = await world.signed_up("bob")
    ids = {row["username"]: row["id"] for row in await world.rows("user")}

    await bob.get("/two", headers={"authorization": f"Bearer {issued[0]}"})

    assert (events[-1].event, events[-1].user_id) == ("authz_fail", ids[who])


# --- What is told, and what is not ---------------------------------------------------------------


REFUSALS: list[tuple[HTTPError, str | None]] = [
    (HTTPError(400), None),
    (HTTPError(401), "authz_fail"),
    (HTTPError(403), "authz_fail"),
    (HTTPError(404), None),
    (HTTPError(413), "input_validation_fail"),
    (HTTPError(422), None),
    (HTTPError(429), "excess_rate_limit_exceeded"),
    (HTTPError(500), None),
    (HTTPError(503), None),
]


@pytest.mark.parametrize(("error", "event"), REFUSALS, ids=lambda value: str(value))
@pytest.mark.parametrize("times", [1, 2])
async def test_a_handler_that_refuses_is_told_of_each_time(
    error: HTTPError, event: str | None, times: int
) -> None:
    events: list[SecurityEvent] = []
    app = App(security_log=lambda _, event: events.append(event))

    @app.get("/", guard=public)
    async def index() -> str:
        raise error  # the same each time, as a program may keep it

    for _ in range(times):
        await app.request("GET", "/")

    assert [told.event for told in events] == ([] if event is None else [event] * times)


class Kept:
    """A log that is no function."""

    def __init__(self) -> None:
        self.events: list[SecurityEvent] = []

    def __call__(self, c: Context, event: SecurityEvent) -> None:
        self.events.append(event)


async def test_a_guard_that_hides_is_told_of_and_one_that_cannot_read_is_not() -> None:
    log = Kept()
    app = App(security_log=log)

    @guard
    def hidden() -> None:
        raise HTTPError(404)

    @guard
    def malformed() -> None:
        raise HTTPError(400)

    @guard
    def open_to_all() -> None: ...

    @app.get("/hidden", guard=hidden)
    async def show() -> str:
        return "shown"

    @app.get("/malformed", guard=malformed)
    async def read() -> str:
        return "shown"

    @app.get("/either", guard=hidden | open_to_all)
    async def either() -> str:
        return "shown"

    assert (await app.request("GET", "/hidden")).status == 404
    assert (await app.request("GET", "/malformed")).status == 400
    assert (await app.request("GET", "/either")).status == 200
    assert outlines(log.events) == [("authz_fail", "not-found", 404)]


async def test_a_log_that_fails_changes_no_answer(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(c: Context, event: SecurityEvent) -> None:
        raise RuntimeError("the log is full")

    world.app.security_log = fail
    browser = await world.signed_up()

    assert (await browser.get("/me")).status == 200
    assert "the log is full" in caplog.text


async def test_without_a_log_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(security_log=None)

    @app.get("/", guard=public)
    async def index() -> None:
        raise Forbidden

    assert (await app.request("GET", "/")).status == 403
    assert capsys.readouterr().out == ""


async def wait(c: Context, event: SecurityEvent) -> None:
    """A log that nobody would await."""


@pytest.mark.parametrize(
    ("log", "says"),
    [("print", "cannot be called"), (wait, "is not async"), (5, "cannot be called")],
)
def test_what_is_no_log_is_refused(log: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        App(security_log=log)


async def test_it_concerns_whose_name_is_tried_whoever_is_signed_in(
    recovering: Recovering, told: list[SecurityEvent]
) -> None:
    @recovering.app.post("/as/:name", guard=recovering.auth.guard())
    async def sign_in_as(c: Context, name: str) -> None:
        await recovering.auth.sign_in(c, name, WRONG)

    alice = await recovering.signed_up()
    await recovering.signed_up("bob")
    bob = {row["username"]: row["id"] for row in await recovering.rows("user")}["bob"]

    await alice.post("/as/bob")

    assert (told[-1].event, told[-1].user_id) == ("authn_login_fail", bob)


async def test_a_layer_refuses_where_there_is_no_route(
    recovering: Recovering, told: list[SecurityEvent]
) -> None:
    async def refuse(c: Context, call_next: Any) -> Any:
        raise Forbidden

    recovering.app.use(refuse)

    answer = await recovering.browser().get("/nowhere")

    assert (answer.status, told[-1].route, outlines(told)) == (
        403,
        None,
        [("authz_fail", "forbidden", 403)],
    )
