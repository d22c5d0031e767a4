"""What `kagari build` says that the Worker's Python lacks, Pyodide does lack."""

import json
import subprocess
from typing import Any

import pytest

from framework.local import unsupported

from .launcher import find_node
from .prepare import ROOT

ASKED = """
import { loadPyodide } from "pyodide";
const pyodide = await loadPyodide();
console.log(await pyodide.runPythonAsync(`
import asyncio, hashlib, importlib.util, json, subprocess, sys, threading, zoneinfo
from concurrent import futures
def fails(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
json.dumps({
    "modules": [name for name in NAMES.split() if importlib.util.find_spec(name)],
    "hashlib": [name for name in dir(hashlib) if name in {"pbkdf2_hmac", "scrypt"}],
    "program": fails(subprocess.run, ["true"]),
    "pool": fails(futures.ThreadPoolExecutor().submit, print),
    "thread": fails(threading.Thread(target=print).start),
    "to_thread": await asyncio.to_thread(threading.get_ident) == threading.get_ident(),
    "zone": fails(zoneinfo.ZoneInfo, "UTC"),
    "version": sys.version_info[:2],
})
`, { globals: pyodide.toPy({ NAMES: process.argv[1] }) }));
"""


@pytest.fixture(scope="module")
def pyodide() -> dict[str, Any]:
    names = " ".join(unsupported.ABSENT.values())
    command = [find_node(), "--input-type=module", "--eval", ASKED, names]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    answers: dict[str, Any] = json.loads(ran.stdout)
    return answers


def test_modules_packages_and_openssl_are_not_there(pyodide: dict[str, Any]) -> None:
    assert pyodide["modules"] == []
    assert pyodide["hashlib"] == []


def test_threads_programs_and_zones_fail(pyodide: dict[str, Any]) -> None:
    assert pyodide["thread"].startswith("RuntimeError: can't start new thread")
    assert pyodide["pool"].startswith("RuntimeError: can't start new thread")
    assert pyodide["program"].endswith("emscripten does not support processes.")
    assert pyodide["zone"].startswith("ZoneInfoNotFoundError")


def test_what_is_handed_to_a_thread_is_called_at_once(pyodide: dict[str, Any]) -> None:
    assert pyodide["to_thread"]


def test_it_is_the_python_that_is_spoken_of(pyodide: dict[str, Any]) -> None:
    assert pyodide["version"] == [3, 14]
