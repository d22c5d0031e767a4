"""A world for each test, and a look at all that the test showed."""

from collections.abc import Iterator

import pytest

from tests.auth.recovering import Recovering
from tests.auth.world import World
from tests.secret_scan import nothing_shown


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
def nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for every secret that any test here issued in every log line and every error."""
    with nothing_shown(caplog):
        yield
