"""D1 and other bindings, reached from Pyodide, behave as the suites say. SQLite: `tests/conformance`."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.conformance import database_cases
from tests.conformance.database_cases import CASES
from tests.conformance.storage_cases import STORAGE_CASES

from .binding_cases import BINDING_CASES
from .d1_cases import D1_CASES
from .launcher import RunningWorker, find_node, serve
from .prepare import ROOT, prepare
from .queue_cases import QUEUE_CASES

INSIDE = [*CASES, *STORAGE_CASES, *BINDING_CASES]
OUTSIDE = [*D1_CASES, *QUEUE_CASES]
SCRIPT = Path(__file__).with_name("conformance.mjs")
NEEDED = ("framework", "tests/conformance", "tests/wasm", "tests/__init__.py", "schema.sql")
VARIABLES = {
    "TEXT": "text",
    "NULL": None,
    "SETTING": {"limit": 5, "fetch": "a", "prepare": [1]},
    "LIST": ["a", {"b": None}],
}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorker]:
    """The Worker that runs a case a request."""
    bundle = tmp_path_factory.mktemp("cases")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, bundle / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, bundle / name)
    shutil.copy(Path(__file__).with_name("cases") / "worker.py", bundle)
    limiters = {"LIMITER": {"limit": 2, "period": 60}}
    with serve(bundle, variables=VARIABLES, limiters=limiters) as running:
        for statement in database_cases.SCHEMA:
            running.sql(statement)
        yield running


@pytest.mark.parametrize("name", INSIDE)
def test_in_workerd(name: str, worker: RunningWorker) -> None:
    with urlopen(f"{worker.url}/{quote(name, safe='')}") as answer:
        error = json.load(answer)["error"]

    assert error is None, error


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str | None]:
    """Run every case that is run in Node, once, and return what each ended with, by name."""
    prepare()
    command = [find_node(), "--experimental-wasm-jspi", str(SCRIPT)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr[-4000:]
    lines = map(json.loads, finished.stdout.splitlines())
    return {line["name"]: line["error"] for line in lines}


@pytest.mark.parametrize("name", OUTSIDE)
def test_in_node(name: str, outcomes: dict[str, str | None]) -> None:
    error = outcomes[name]

    assert error is None, error


def test_no_case_is_run_that_is_not_counted(outcomes: dict[str, str | None]) -> None:
    assert list(outcomes) == OUTSIDE
