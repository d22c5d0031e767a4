"""What must not be guessed, and must not be shown."""

import base64
import hashlib
import logging
import random
from typing import Any

import msgspec
import pytest

from framework.auth import NewKey
from framework.auth.legacy import LuciaHasher
from framework.auth.legacy_cookie import SessionFormat
from framework.auth.models import NewSession, Session, User
from framework.auth.pending import Pending
from framework.auth.store_users import StoredKey
from framework.auth.tokens import digest, is_token, new_token, new_user_id
from framework.context import Context
from framework.database import UniqueViolation
from framework.request import Request
from framework.response import encode_json
from framework.testing import Client, json_of
from tests.auth.databases import FaultyDatabase
from tests.auth.hasher import quick_hasher
from tests.auth.world import PASSWORD, World

COOKIE = "auth_session"


def test_a_token_carries_200_bits() -> None:
    token = new_token()

    assert is_token(token)
    assert len(base64.b32decode(token.upper())) == 25


def test_a_user_id_is_fifteen_characters() -> None:
    ids = {new_user_id() for _ in range(1_000)}

    assert len(ids) == 1_000
    assert all(len(id) == 15 and id.isalnum() and id.islower() for id in ids - {"x"})


def test_tokens_do_not_come_from_a_seed() -> None:
    random.seed(0)
    first = new_token()
    random.seed(0)

    assert new_token() != first


def test_tokens_do_not_repeat() -> None:
    assert len({new_token() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("secret", ["a" * 40, ""])
def test_a_digest_is_sha256(secret: str) -> None:
    assert digest(secret) == hashlib.sha256(secret.encode()).hexdigest()


def forms(secret: str) -> list[str]:
    """Return *secret* in every form in which it could show."""
    raw = secret.encode()
    return [secret, raw.hex(), base64.b64encode(raw).decode().rstrip("="), digest(secret)]


def shows(secret: str, text: str) -> bool:
    return any(form in text for form in forms(secret))


def test_no_repr_shows_a_secret() -> None:
    token = "t" * 40
    session = Session(id=digest(token), user_id="u", active_expires=1, idle_expires=2)
    request = Request.build("GET", f"/?secret={token}", [("cookie", f"{COOKIE}={token}")])
    key = StoredKey("username:alice", "u", "$argon2id$secret")
    begun = NewSession(session, User(id="u"), token)
    asked = NewKey("username", "alice", "$argon2id$secret")

    shown = [
        each
        for thing in (session, key, begun, asked, request, Context(request, {}), [begun, key])
        for each in (repr(thing), str(thing), f"{thing}")
    ]

    assert not [text for text in shown if shows(token, text) or "argon2id" in text]
    assert session.handle in repr(session)
    assert not shows(token, session.handle)


async def test_no_log_and_no_answer_shows_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await world.signed_up()
    secrets = [*browser.cookies.values(), PASSWORD, "another password"]
    (key,) = await world.rows("user_key")
    secrets.append(key["hashed_password"])
    world.database = faulty = FaultyDatabase(world.sqlite)
    answers = []
    for flow in _flows(browser):
        for number in range(1, 12):
            faulty.arm(number)
            answers.append(await flow[0].request(*flow[1:3], json=flow[3]))
            secrets += [*flow[0].cookies.values()]

    texts = [caplog.text, *(str(answer.body) for answer in answers)]
    texts += [str([h for h in answer.headers if h[0] != "set-cookie"]) for answer in answers]
    assert "Network connection lost" in caplog.text
    assert not [secret for secret in secrets for text in texts if shows(secret, text)]


def _flows(browser: Client) -> list[tuple[Client, str, str, dict[str, Any]]]:
    new = {"current": PASSWORD, "new": "another password"}
    return [
        (browser.fork(with_cookies=True), "GET", "/me", {}),
        (browser.fork(with_cookies=True), "PUT", "/password", {"current": "wrong horse"}),
        (browser.fork(), "POST", "/sign-in", {}),
        (browser.fork(), "POST", "/sign-up", {}),
        (browser.fork(), "POST", "/sign-up", {"username": "bob", "password": "short"}),
        (browser.fork(with_cookies=True), "POST", "/sign-in", {"password": "another password"}),
        (browser.fork(with_cookies=True), "POST", "/rotate", {}),
        (browser.fork(with_cookies=True), "PUT", "/password", new),
    ]


async def test_no_error_shows_what_was_sent(world: World) -> None:
    await world.signed_up()
    request = Request.build("POST", "/", [("cookie", f"{COOKIE}={'t' * 40}")])
    db = world.sqlite
    c = Context(request, {"DB": db})
    [user_id] = [row["id"] for row in await world.rows("user")]
    attempts: list[Any] = [
        lambda: world.auth.sign_up(c, "alice", "a secret password", username="alice"),
        lambda: world.auth.sign_up(c, "a secret name!", "a secret password", username="x"),
        lambda: world.auth.sign_up(c, "bob", "secret", username="bob"),
        lambda: world.auth.sign_in(c, "alice", "a secret password"),
        lambda: world.auth.keys.use(db, "username", "alice", "a secret password"),
        lambda: world.auth.keys.create(db, user_id, "username", "alice", "a secret password"),
        lambda: world.auth.keys.create(db, "x", "email", "x", "a secret password"),
        lambda: world.auth.keys.create(db, user_id, "email", "x", "secret"),
        lambda: world.auth.keys.set_password(db, "email", "x", "a secret password"),
        lambda: world.auth.users.create(
            db, NewKey("username", "alice", "a secret password"), username="x"
        ),
        lambda: world.auth.sessions.validate(db, "t" * 40),
        lambda: world.auth.sessions.validate(db, "a secret token"),
    ]

    errors: list[BaseException] = []
    for attempt in attempts:
        with pytest.raises(Exception) as caught:  # noqa: PT011  # whichever it is
            await attempt()
        error: BaseException | None = caught.value
        while error is not None:
            errors.append(error)
            error = error.__cause__ or error.__context__

    assert any(isinstance(error, UniqueViolation) for error in errors)
    shown = [text for error in errors for text in (str(error), repr(error), str(error.args))]
    assert not [text for text in shown if "secret" in text or "t" * 40 in text]


async def test_a_dump_of_the_database_signs_nobody_in(world: World) -> None:
    browser = await world.signed_up()
    tables = ("user", "user_key", "user_session", "sign_in_attempt", "known_device")
    rows = [row for table in tables for row in await world.rows(table)]

    values = {str(value) for row in rows for value in row.values()}

    assert browser.cookies.keys() == {COOKIE, "auth_device"}
    assert not [token for token in browser.cookies.values() if token in " ".join(values)]
    assert PASSWORD not in " ".join(values)
    for value in values:
        for token in (value, value[:40], value[-40:]):
            headers = {"cookie": f"{COOKIE}={token}"}
            if token.isascii() and token.isprintable():
                assert (await world.browser().get("/me", headers=headers)).status == 401


async def test_a_pending_answer_is_no_truth_value() -> None:
    async def make(_: Context) -> int:
        return 1

    c = Context(Request.build("GET", "/"), {})
    pending = Pending(c, "validate()", make)

    for use in (bool, lambda value: not value, lambda value: value and 1):
        with pytest.raises(TypeError, match="await this"):
            use(pending)
    assert await pending == 1


@pytest.mark.parametrize("sessions", ["hashed", "shared"])
@pytest.mark.parametrize("inside", [False, True], ids=["itself", "inside of a dict"])
async def test_a_session_that_a_handler_returns_shows_its_handle(
    sessions: SessionFormat, inside: bool
) -> None:
    hasher = LuciaHasher(writes="s2", argon2=quick_hasher()) if sessions == "shared" else None
    world = World(sessions=sessions, hasher=hasher)
    authorized = world.auth.guard()

    @world.app.get("/session", guard=authorized)
    async def show(session: Session) -> Any:
        return {"message": "Authorized", "session": session} if inside else session

    browser = await world.signed_up()
    answer = json_of(await browser.get("/session"))
    [row] = await world.rows("user_session")

    shown = answer["session"] if inside else answer
    assert shown["id"] == Session(**row).handle
    assert (shown["user_id"], row["id"] in str(answer)) == (row["user_id"], False)
    world.close()


class Visit(Session, frozen=True, kw_only=True):
    """A session whose class says for itself what comes after it is made."""

    host: str = ""

    def __post_init__(self) -> None:
        assert self.host.islower() or not self.host


class LaterVisit(Visit, frozen=True, kw_only=True):
    """One more below."""


@pytest.mark.parametrize("kind", [Visit, LaterVisit])
def test_no_class_of_sessions_shows_its_ids(kind: type[Visit]) -> None:
    session = kind(id="secret", user_id="u", active_expires=0, idle_expires=0, host="a")

    assert b"secret" not in encode_json(session)
    with pytest.raises(AssertionError):
        kind(id="secret", user_id="u", active_expires=0, idle_expires=0, host="A")


def test_the_id_of_a_session_is_text_for_programs_alone() -> None:
    session = Session(id="secret", user_id="u", active_expires=0, idle_expires=0)

    assert (session.id, f"{session.id}", {"secret": 1}[session.id]) == ("secret", "secret", 1)
    assert "secret" not in repr(session.id)
    with pytest.raises(TypeError):
        msgspec.json.encode(session)
    assert b"secret" in msgspec.json.encode(session, enc_hook=str)
