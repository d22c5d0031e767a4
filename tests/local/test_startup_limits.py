"""`kagari build` tries the import as a Worker starts: what workerd refuses then, it refuses.

What that is stands in tests.startup_cases.py; tests/wasm/test_harness.py asks workerd's own Python.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from framework.local import import_check
from tests.startup_cases import ADVANCES, ALLOWED, CLOCKS, REFUSED

STAGED = "class app:\n    crons = queues = ()\n    def prepare(): ...\n"


def start(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Try a staged app whose import runs *source*."""
    staged = folder / "staged"
    staged.mkdir()
    (staged / "app.py").write_text(f"{source}\n{STAGED}")
    command = [sys.executable, import_check.__file__, str(staged)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("source", "error"), REFUSED.items())
def test_chance_is_refused_as_workerd_refuses_it(tmp_path: Path, source: str, error: str) -> None:
    tried = start(tmp_path, source)

    assert tried.returncode == 1
    assert 'app.py", line 1, in <module>' in tried.stderr
    last = tried.stderr.splitlines()[-1]
    assert last.startswith(f"{error}: ")
    assert last.endswith(
        ": randomness is not allowed while a Worker is starting: draw it in the request"
    )


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("import random; random.choice('ab')", "random.choice()"),
        ("import random; random.Random()", "random.Random() without a seed"),
        ("import os; os.urandom(8)", "os.urandom()"),
        ("import time; time.localtime()", "time.localtime()"),
        ("from datetime import date; date.today()", "time.time()"),
        ("from datetime import datetime as d; d.now()", "datetime.now()"),
    ],
)
def test_the_message_names_the_call(tmp_path: Path, source: str, call: str) -> None:
    last = start(tmp_path, source).stderr.splitlines()[-1]

    assert last.partition(": ")[2].startswith(f"{call}: ")


def test_what_was_drawn_unseen_is_found_in_the_end(tmp_path: Path) -> None:
    tried = start(tmp_path, ADVANCES)

    assert tried.returncode == 1
    assert "RuntimeError: random: randomness is not allowed" in tried.stderr


@pytest.mark.parametrize("source", ALLOWED)
def test_what_workerd_allows_is_allowed(tmp_path: Path, source: str) -> None:
    tried = start(tmp_path, source)

    assert (tried.returncode, tried.stderr) == (0, "")


@pytest.mark.parametrize("source", CLOCKS)
def test_a_clock_is_refused_to_the_app(tmp_path: Path, source: str) -> None:
    tried = start(tmp_path, source)

    assert tried.returncode == 1
    assert "the clock stands still while a Worker is starting" in tried.stderr.splitlines()[-1]


@pytest.mark.parametrize("source", CLOCKS)
def test_a_package_may_read_a_clock(tmp_path: Path, source: str) -> None:
    (tmp_path / "reader.py").write_text(source)

    tried = start(tmp_path, f"import sys; sys.path.append({str(tmp_path)!r}); import reader")

    assert (tried.returncode, tried.stderr) == (0, "")


def test_an_app_may_do_without_what_it_was_refused(tmp_path: Path) -> None:
    source = "try: import os; os.urandom(8)\nexcept OSError: pass"

    assert start(tmp_path, source).returncode == 0
