"""Runs every test of this folder against each target that was asked for."""

from collections.abc import Iterator

import pytest

from framework.testing import Client
from tests.e2e.backdoor import Backdoor
from tests.e2e.mailbox import Mailbox
from tests.e2e.page import Visitor
from tests.e2e.people import Person, sign_up
from tests.e2e.service import Service
from tests.e2e.targets import CAPABLE, TARGETS, start

# --- Which tests, against what -------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make each test once for each target."""
    if "service" in metafunc.fixturenames:
        metafunc.parametrize("service", _targets(metafunc.config), indirect=True, scope="package")


def _targets(config: pytest.Config) -> list[str]:
    if config.getoption("base_url"):
        return ["remote"]
    return config.getoption("target") or list(TARGETS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a target has no means for: a way to its database, another URL, TRACE."""
    left_out = [item for item in items if not _is_possible(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_possible(item: pytest.Item, config: pytest.Config) -> bool:
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return True
    target = item.callspec.params.get("service")
    if "backdoor" in item.fixturenames and target == "remote":
        return bool(config.getoption("backdoor"))
    asked = CAPABLE.keys() & set(item.fixturenames)
    return target is None or all(target in CAPABLE[name] for name in asked)


# --- What tests ask for --------------------------------------------------------------------------


@pytest.fixture(scope="package")
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The server under test. At the end, its whole log is searched for every secret issued."""
    name: str = request.param
    with start(name, lambda: tmp_path_factory.mktemp(name), request.config) as running:
        yield running
        log = running.log()
    assert running.canary.is_clean_of_all(log), "a secret in the log"
    assert b"Traceback" not in log, log.decode(errors="replace")


@pytest.fixture
def poser(service: Service) -> Service:
    """The server under test, where it can be asked as if it stood at another URL."""
    return service


@pytest.fixture
def tracer(service: Service) -> Service:
    """The server under test, where TRACE gets through: the Request of node refuses it."""
    return service


@pytest.fixture
def backdoor(service: Service) -> Backdoor:
    """The way to its database."""
    assert service.backdoor is not None
    return service.backdoor


@pytest.fixture
def mailbox(service: Service) -> Mailbox:
    """All mails that it has sent."""
    assert service.mailbox is not None
    return service.mailbox


@pytest.fixture
def browser(service: Service) -> Client:
    """A browser that nobody has signed in with."""
    return service.browser()


@pytest.fixture
def visitor(service: Service) -> Visitor:
    """Somebody who looks at the pages, and has no account yet."""
    return Visitor(service.browser(user_agent="Visitor/1.0"))


@pytest.fixture
async def person(service: Service) -> Person:
    """Somebody new, signed in."""
    return await sign_up(service.browser(user_agent="Firefox/1.0"), service.canary)


@pytest.fixture
async def stranger(service: Service) -> Person:
    """Somebody else, signed in too."""
    return await sign_up(service.browser(), service.canary)


@pytest.fixture
async def resident(service: Service) -> Person:
    """Somebody who is signed in all the time, for tests that change nothing."""
    return await service.resident()
