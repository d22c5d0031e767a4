"""Kagari and Lucia side by side, once for each place and run."""

from collections.abc import Iterator

import pytest

from tests.lucia.places import PLACES, Place
from tests.secret_scan import nothing_shown


@pytest.fixture(autouse=True)
def nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for every secret that any test here issued in every log line and every error."""
    with nothing_shown(caplog):
        yield


@pytest.fixture(scope="package", params=list(PLACES))
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Return a Kagari and a Lucia that see the same rows."""
    with PLACES[request.param](tmp_path_factory.mktemp(request.param)) as place:
        yield place
