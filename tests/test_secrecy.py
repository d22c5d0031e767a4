"""What looks for secrets finds them, wherever they are shown."""

import logging
from collections.abc import Callable

import pytest

from framework.auth.codes import new_code
from framework.auth.errors import InvalidCode, PasswordError
from framework.auth.tokens import digest, new_token
from framework.database import UniqueViolation
from framework.errors import ConfigurationError, Forbidden
from framework.response import Response
from tests.secret_scan import assert_answer_shows_none, nothing_shown

SECRETS = {
    "token": new_token,
    "digest": lambda: digest(new_token()),
    "code": new_code,
    "password": lambda: "correct horse",
    "hash": lambda: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
    "hash of Lucia's": lambda: f"s2:{'a1B2' * 4}:{'0f' * 64}",
}

WAYS: dict[str, Callable[[str], object]] = {
    "log line": lambda secret: logging.getLogger("kagari").debug("said %s.", secret),
    "HTTP error": lambda secret: Forbidden(f"No: {secret}."),
    "auth error": lambda secret: InvalidCode(headers=(("x-code", secret),)),
    "database error": lambda secret: UniqueViolation(f"UNIQUE failed: {secret}"),
    "configuration error": lambda secret: ConfigurationError(f"{secret!r} is wrong"),
    "password error": lambda secret: PasswordError(secret),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("show", WAYS.values(), ids=WAYS.keys())
def test_a_secret_that_is_shown_is_found(
    show: Callable[[str], object], secret: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    def look() -> None:
        with nothing_shown(caplog):
            show(secret())

    with pytest.raises(AssertionError, match="a secret"):
        look()


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_that_is_answered_is_found(secret: Callable[[], str]) -> None:
    in_cookie = Response(b"", 200, [("set-cookie", f"auth_session={secret()}")])
    in_header = Response(b"", 200, [("location", f"/reset/{secret()}")])

    assert_answer_shows_none(in_cookie)
    for answer in (Response.text(f"It is {secret()}."), in_header):
        with pytest.raises(AssertionError, match="a secret was answered"):
            assert_answer_shows_none(answer)


@pytest.mark.parametrize(
    "text", ["", "user_key.id", "a1b2c3d4e5f6g7h", "1800000000000", "0.12345678"]
)
def test_what_is_no_secret_may_be_shown(text: str, caplog: pytest.LogCaptureFixture) -> None:
    with nothing_shown(caplog):
        for show in WAYS.values():
            show(text)
    assert_answer_shows_none(Response.text(text))
