"""The modules of `framework.auth` import each other in the order of its docstring alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from framework import auth

FOLDER = Path(auth.__file__).parent
MODULES = {path.stem: path for path in sorted(FOLDER.glob("[a-z]*.py"))}

_LAYER = re.compile(r"^\d+\. ([^:]+):", re.MULTILINE)
ORDER = [
    name
    for names in _LAYER.findall(auth.__doc__ or "")
    for name in " ".join(names.split()).split(", ")
]


def imported_by(path: Path) -> Iterator[str]:
    """Yield the modules of `framework.auth` that the one at *path* imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            package, _, name = node.module.rpartition(".")
            if package == "framework.auth":
                yield name


def test_each_module_has_one_place() -> None:
    assert sorted(ORDER) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_those_before_it(module: str) -> None:
    before = ORDER[: ORDER.index(module)]

    assert set(imported_by(MODULES[module])) <= set(before)
