"""D1, reached from Pyodide, behaves as the suites say. SQLite is asked in `tests/conformance`."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conformance.database_cases import CASES
from tests.conformance.storage_cases import STORAGE_CASES

from .binding_cases import BINDING_CASES
from .d1_cases import D1_CASES
from .launcher import find_node
from .prepare import prepare
from .queue_cases import QUEUE_CASES

NAMES = [*CASES, *D1_CASES, *STORAGE_CASES, *QUEUE_CASES, *BINDING_CASES]
SCRIPT = Path(__file__).with_name("conformance.mjs")


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str | None]:
    """Run every case, once, and return what each ended with: None, or a traceback."""
    prepare()
    command = [find_node(), "--experimental-wasm-jspi", str(SCRIPT)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr[-4000:]
    lines = map(json.loads, finished.stdout.splitlines())
    return {line["name"]: line["error"] for line in lines}


@pytest.mark.parametrize("name", NAMES)
def test_d1(name: str, outcomes: dict[str, str | None]) -> None:
    error = outcomes[name]

    assert error is None, error


def test_no_case_is_run_that_is_not_counted(outcomes: dict[str, str | None]) -> None:
    assert list(outcomes) == NAMES
