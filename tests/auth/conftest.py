"""A world for each test, and a look at all that the test logged."""

import logging
import re
from collections.abc import Iterator

import pytest

from tests.auth.recovering import Recovering
from tests.auth.world import PASSWORD, World

_SECRET = re.compile(
    r"(?<![a-z0-9])[a-z2-7]{40}(?![a-z0-9])"  # a token: of a session, a browser, a link
    r"|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"  # what is stored of one
    r"|\$argon2|s2:[A-Za-z0-9]{16}"  # what is stored of a password
    rf"|{PASSWORD}|battery staple|wrong horse"
)


@pytest.fixture
def world() -> Iterator[World]:
    """An application with nothing but sign-in."""
    world = World()
    yield world
    world.close()


@pytest.fixture
def recovering() -> Iterator[Recovering]:
    """A world that writes mails."""
    world = Recovering()
    yield world
    world.close()


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for every secret that any test here issued in every line that it logged."""
    caplog.set_level(logging.DEBUG)
    yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            shown = logging.Formatter().format(record)
            assert not _SECRET.search(shown), "a secret was logged"
