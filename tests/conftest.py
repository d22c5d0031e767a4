"""The options of the suite. Each is used by the folder that it names."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `tests/e2e` can be told."""
    group = parser.getgroup("tests/e2e", "the HTTP contract")
    group.addoption(
        "--target",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="in-process, local, wasm; all three unless named",
    )
    group.addoption("--base-url", metavar="URL", help="a server that runs already, instead")
    group.addoption(
        "--backdoor",
        metavar="FILE|URL",
        help="the database of that server: an SQLite file, or a wasm tier's URL",
    )
