"""What happens where there is no browser to test with."""

import pytest

from tests.browser.chromedriver import ChromiumMissing, driver


@pytest.mark.usefixtures("_empty_path")
def test_without_chromium_it_is_said_what_to_install() -> None:
    with pytest.raises(ChromiumMissing, match=r"apt-get install --yes chromium"), driver():
        pass


@pytest.fixture
def _empty_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
