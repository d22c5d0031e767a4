"""Imports a staged app the way a starting Worker does, and says why when that fails.

Run as a script, in a process and under a Python of its own. Stands in for workerd where it can:
chance and clocks are refused, as the Worker's memory is kept when everything is imported, and what
was drawn or read would be the same in every copy of it.
"""

from __future__ import annotations

import importlib
import os
import random
import runpy
import sys
import time
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

NEEDED = ("msgspec", "argon2")
LACKS_PACKAGES = 3
TRIGGERS = Path(__file__).with_name("triggers.py")


def try_import(folder: str) -> int:
    """Import what is staged in *folder*, write what is wrong with it, and return the exit code."""
    if any(find_spec(name) is None for name in NEEDED):
        return LACKS_PACKAGES
    try:
        for file in sorted(Path(folder).rglob("*.py")):
            compile(file.read_bytes(), file, "exec", dont_inherit=True)
        _refuse_chance()
        _refuse_clocks(folder)
        sys.path.insert(0, folder)
        app = importlib.import_module("app")
        if not hasattr(app, "app"):
            raise AttributeError("app.py has nothing named app")
        app.app.prepare()
        if Path(folder, "framework", "openapi.py").is_file():
            # An app that describes itself does so when first asked to: too late for a mistake.
            importlib.import_module("framework.openapi").describe(app.app, title="", version="")
        _refuse_idle_triggers(app.app)
        _refuse_strangers(folder)
    except Exception as problem:
        sys.stderr.write(_explain(problem, folder))
        return 1
    return 0


def _refuse_idle_triggers(app: Any) -> None:
    """Refuse an app whose crons and queues are not those of ``wrangler.toml``, where it is run."""
    compare = runpy.run_path(str(TRIGGERS))["mismatches"]
    found = list(compare(Path("wrangler.toml"), app.crons, app.queues))
    if found:
        raise ValueError("; ".join(found))


def _refuse_chance() -> None:
    """Refuse randomness, as workerd does until the first request."""

    def refuse(*_arguments: object, **_named: object) -> NoReturn:
        raise RuntimeError(
            "randomness is not allowed while a Worker is starting: draw it in the request"
        )

    for name, function in list(vars(random).items()):
        if isinstance(getattr(function, "__self__", None), random.Random):
            setattr(random, name, refuse)
    for module, names in ((random, ("_urandom",)), (os, ("urandom", "getrandom"))):
        for name in names:
            setattr(module, name, refuse)


def _refuse_clocks(folder: str) -> None:
    """Refuse the time to the staged modules; others may read it, and get 0 in a starting Worker."""

    def guarded(clock: Callable[[], Any]) -> Callable[[], Any]:
        def read() -> Any:
            if sys._getframe(1).f_code.co_filename.startswith(folder):
                raise RuntimeError(
                    "the clock stands still while a Worker is starting: read it in the request"
                )
            return clock()

        return read

    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"):
        setattr(time, name, guarded(getattr(time, name)))


def _refuse_strangers(folder: str) -> None:
    """Refuse an app that got the framework, its routes or itself from somewhere else."""
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        ours = name.partition(".")[0] in {"app", "framework", "routes"}
        if ours and origin and not origin.startswith(folder):
            raise ImportError(f"{name} came from {origin}, which is not staged")


def _explain(problem: Exception, folder: str) -> str:
    """Return the traceback's part in the staged modules, and what was raised."""
    report = traceback.TracebackException.from_exception(problem)
    frames = [frame for frame in report.stack if frame.filename.startswith(folder)]
    report.stack = traceback.StackSummary.from_list(frames)
    report.__cause__ = report.__context__ = None
    return "".join(report.format())


if __name__ == "__main__":
    sys.exit(try_import(sys.argv[1]))
