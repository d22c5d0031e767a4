"""The options of the suite. Each is used by the folder that it names."""

from argparse import ArgumentTypeError

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
