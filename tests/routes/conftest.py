"""A look at all that each test showed."""

from collections.abc import Iterator

import pytest

from tests.secret_scan import nothing_shown


@pytest.fixture(autouse=True)
def nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for every secret that any test here issued in every log line and every error."""
    with nothing_shown(caplog):
        yield
