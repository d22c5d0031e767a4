"""The options of the suite, what of it has to run in one process, and that databases are closed."""

import gc
import os
import sqlite3
from argparse import ArgumentTypeError
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import pytest

_TARGETS = ("in-process", "local", "wasm")


def _target_names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - {*_TARGETS}:
        raise ArgumentTypeError(f"{', '.join(_TARGETS)} are known, {', '.join(unknown)} is not")
    return names


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `tests/e2e` can be told."""
    group = parser.getgroup("tests/e2e", "the HTTP contract")
    group.addoption(
        "--target",
        action="extend",
        default=[],
        type=_target_names,
        metavar="NAME[,NAME]",
        help="in-process, local, wasm; all three unless named",
    )
    group.addoption("--base-url", metavar="URL", help="a server that runs already, instead")
    group.addoption(
        "--backdoor",
        metavar="FILE|URL",
        help="the database of that server: an SQLite file, or a wasm tier's URL",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a server: `make test` hands each group to one of several processes."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if server := parameters.get("service") or parameters.get("place"):
        return f"{item.path.parent.name} {server}"
    return "browser" if item.path.parent.name == "browser" else str(item.path)


class WatchedConnection(sqlite3.Connection):
    """Knows the test that opened it, and tells where nobody closed it."""

    unclosed: ClassVar[set[str]] = set()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.opened_by: str | None = os.environ.get("PYTEST_CURRENT_TEST", "no test")

    def close(self) -> None:
        """Close it."""
        self.opened_by = None
        super().close()

    def __del__(self) -> None:
        if (test := getattr(self, "opened_by", None)) is not None:  # else nothing was opened
            self.unclosed.add(test)
            super().close()


sqlite3.connect = partial(sqlite3.connect, factory=WatchedConnection)  # type: ignore[assignment]  # has no overloads


@pytest.fixture(scope="session", autouse=True)
def every_database_is_closed() -> Iterator[None]:
    """Fail at the end where a test left a database open. One that failed may have, and is named, too."""
    yield
    gc.collect()
    assert WatchedConnection.unclosed == set()
