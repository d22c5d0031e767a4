"""The options of the suite, each used by the folder that it names; and that databases are closed."""

import sqlite3
import sys
import warnings
from argparse import ArgumentTypeError
from functools import partial
from typing import Any

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


class ClosedConnection(sqlite3.Connection):
    """Warns where nobody closed it, as Python does from 3.13 on."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.is_open = True

    def close(self) -> None:
        """Close it."""
        self.is_open = False
        super().close()

    def __del__(self) -> None:
        if getattr(self, "is_open", False):  # else nothing was opened
            super().close()
            warnings.warn("unclosed database", ResourceWarning, source=self, stacklevel=1)


if sys.version_info < (3, 13):
    sqlite3.connect = partial(sqlite3.connect, factory=ClosedConnection)  # type: ignore[assignment]  # has no overloads
