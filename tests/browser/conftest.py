"""Starts the servers and the browsers once, and hands each test fresh ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.browser.browser import Browser
from tests.browser.chromedriver import ChromiumMissing, Driver, driver
from tests.browser.other_site import OtherSite, serve_other_site
from tests.browser.people import Account, new_account, sign_up_aside
from tests.e2e.service import Service
from tests.e2e.targets import TARGETS

PHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


# --- What runs all the time ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromedriver() -> Iterator[Driver]:
    """The driver of all browsers. Without Chromium every test of this folder fails, and says so."""
    try:
        with driver() as running:
            yield running
    except ChromiumMissing as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The local server. At the end, its whole log is searched for every password typed."""
    yield from _watched("local", tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The wasm tier, watched in the same way."""
    yield from _watched("wasm", tmp_path_factory.mktemp("wasm"))


def _watched(target: str, folder: Path) -> Iterator[Service]:
    with TARGETS[target](folder) as running:
        yield running
        log = running.log()
    assert running.canary.is_clean_of_all(log), "a secret in the log"
    assert b"Traceback" not in log, log.decode(errors="replace")


@pytest.fixture(scope="session")
def url(service: Service) -> str:
    """Where a person finds the local server."""
    return service.url.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="session")
def other_site(url: str) -> Iterator[OtherSite]:
    """Somebody else's site, with forms that send to ours."""
    with serve_other_site(url) as running:
        yield running


@pytest.fixture(scope="session")
def desk(
    chromedriver: Driver, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """The browser that most tests use, in turn."""
    with chromedriver.chromium(tmp_path_factory.mktemp("desk")) as session:
        yield Browser(session, url)


@pytest.fixture(scope="session")
def pocket(
    chromedriver: Driver, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A second one, with a profile and a name of its own."""
    with chromedriver.chromium(tmp_path_factory.mktemp("pocket"), agent=PHONE) as session:
        yield Browser(session, url)


# --- What tests ask for --------------------------------------------------------------------------


@pytest.fixture
def browser(desk: Browser) -> Browser:
    """A browser without JavaScript that has been nowhere."""
    desk.forget()
    return desk


@pytest.fixture
def phone(pocket: Browser) -> Browser:
    """Another one, which calls itself an iPhone."""
    pocket.forget()
    return pocket


@pytest.fixture
def account(service: Service) -> Account:
    """The name and the password of somebody who has no account yet."""
    return new_account(service)


@pytest.fixture
def member(browser: Browser, service: Service) -> Account:
    """Somebody who is signed in with *browser*, and looks at the home page."""
    return sign_up_aside(browser, service)
