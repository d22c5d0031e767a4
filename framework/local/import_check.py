"""Imports a staged app the way a starting Worker does, and says why when that fails.

Run as a script, in a process and under a Python of its own. Stands in for workerd where it can:
chance and clocks are refused, as the Worker's memory is kept when everything is imported, and what
was drawn or read would be the same in every copy of it.
"""

from __future__ import annotations

import importlib
import os
import re
import runpy
import sys
import traceback
from contextlib import chdir
from importlib.util import find_spec
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STAGED = {"app", "framework", "routes"}
WORKERS_PYTHON = (3, 14)

# The exit codes; `stage.py` has a heading for each.
FAILED = 1
LACKS_PACKAGES = 3
INDESCRIBABLE = 4
IDLE_TRIGGERS = 5
LACKS = 6
CANNOT_ANSWER = 7
MISUSED = 8


def try_import(folder: str, *needed: str) -> int:
    """Import what is staged in *folder*, write what is wrong with it, and return the exit code.

    *needed* are the packages that it asks for. The project that it was staged from is the current
    folder. What may be wrong, and may be meant, is written to standard output.
    """
    if any(find_spec(name) is None for name in needed):
        return LACKS_PACKAGES
    notes, sys.stdout = sys.stdout, TextIOWrapper(BytesIO(), "utf-8")  # the app prints no notes
    code = FAILED
    unsupported = runpy.run_path(f"{HERE}/unsupported.py")["Unsupported"](Path())
    try:
        for file in sorted(Path(folder).rglob("*.py")):
            compile(file.read_bytes(), file, "exec", dont_inherit=True)
        limits = runpy.run_path(f"{HERE}/startup_limits.py")
        refuse_what_was_drawn = limits["forbid_randomness"]()
        limits["forbid_clocks"](folder)
        unsupported.take_away()
        sys.path.insert(0, folder)
        with chdir(folder):  # what else is in the project is not there either
            app = importlib.import_module("app")
        if not hasattr(app, "app"):
            raise AttributeError("app.py has nothing named app")
        if not callable(getattr(app.app, "prepare", None)):
            raise TypeError(f"app in app.py is no App, but a {type(app.app).__name__}")
        app.app.prepare()
        if Path(folder, "framework", "openapi.py").is_file():
            # An app that describes itself does so when first asked to: too late for a mistake.
            code = INDESCRIBABLE
            importlib.import_module("framework.openapi").describe(app.app, title="", version="")
            code = FAILED
        refuse_what_was_drawn()
        _refuse_strangers(folder)
    except (Exception, SystemExit) as problem:  # an app that ends the process does not start either
        sys.stderr.write(_explain(problem, folder))
        sys.stderr.write(unsupported.explain(problem))
        return code
    sys.setprofile(None)  # all modules of the app ran: the rest is faster without the watch
    sys.setrecursionlimit(10_000)  # a module may nest deeper than calls in Python's own limit
    static = runpy.run_path(f"{HERE}/static_check.py")
    lacking = static["find_faults"](Path(folder), unsupported.why_imported, unsupported.why_called)
    settings = runpy.run_path(f"{HERE}/configuration.py")["read_configuration"](Path())
    unsendable, misused, unbound, doubtful = _mistakes(app.app, folder, settings)
    for code, found in (
        (IDLE_TRIGGERS, _idle_triggers(app.app, settings)),
        (CANNOT_ANSWER, unsendable),
        (LACKS, lacking + unbound),
        (MISUSED, misused),
    ):
        if found:
            sys.stderr.write("".join(f"{sentence}\n" for sentence in found))
            return code
    notes.write("".join(f"{note}\n" for note in doubtful))
    return 0


def _idle_triggers(app: Any, settings: Any) -> list[str]:
    """Return how the crons and queues of *app* are not those of ``wrangler.toml``, if there is one."""
    if settings is None:
        return []
    return list(
        runpy.run_path(f"{HERE}/triggers.py")["mismatches"](settings, app.crons, app.queues)
    )


def _mistakes(
    app: Any, folder: str, settings: Any
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return which handlers of *app* return what cannot be sent, what fails or does nothing, which
    bindings it lacks, and what may be wrong.
    """
    if not _is_ours(folder):
        return [], [], [], []
    # The rest of the framework is there from here on, the checks among it.
    importlib.import_module("framework").__path__.append(f"{HERE.parent}")
    find_unsendable = importlib.import_module("framework.local.return_types").find_unsendable
    find_mistakes = importlib.import_module("framework.local.mistakes").find_mistakes
    misused, unbound, doubtful, later = find_mistakes(app, Path(folder), Path(), settings)
    return find_unsendable(app.routes), misused, unbound, doubtful + later


def _is_ours(folder: str) -> bool:
    """Return whether the app that is staged in *folder* is made with this framework."""
    return Path(folder, "framework", "route.py").is_file()


def _refuse_strangers(folder: str) -> None:
    """Refuse an app that got the framework, its routes or itself from somewhere else."""
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        ours = name.partition(".")[0] in STAGED
        if ours and origin and not origin.startswith(folder):
            raise ImportError(f"{name} came from {origin}, which is not staged")


def _explain(problem: BaseException, folder: str) -> str:
    """Return the traceback's part in the staged modules, and what was raised."""
    report = traceback.TracebackException.from_exception(problem)
    frames = [frame for frame in report.stack if frame.filename.startswith(folder)]
    report.stack = traceback.StackSummary.from_list(frames)
    report.__cause__ = report.__context__ = None
    said = "".join(report.format())
    return said + _advice(problem, folder)


def _advice(problem: BaseException, folder: str) -> str:
    """Return what to do about *problem*, where that is not what it says itself, or ""."""
    if isinstance(problem, ImportError) and (place := _left_behind(problem)):
        return place
    if advice := runpy.run_path(f"{HERE}/advice.py")["advise"](problem):
        return f"{advice}\n"
    if isinstance(problem, FileNotFoundError):
        name = str(problem.filename).removeprefix(f"{folder}{os.sep}")
        is_here = Path(name).is_file()
        return f"only modules are uploaded: put what is in {name} into one\n" if is_here else ""
    is_old = sys.version_info < WORKERS_PYTHON
    # "'await' outside async function" is none of what a newer Python takes.
    if is_old and isinstance(problem, SyntaxError) and " outside " not in problem.msg:
        here, there = (".".join(map(str, each[:2])) for each in (sys.version_info, WORKERS_PYTHON))
        command = f"remove .venv, then `make dev PYTHON=python{there}`"
        return f"if that is newer than Python {here}: {command}\n"
    return ""


def _left_behind(problem: ImportError) -> str:
    """Return what to do where the project has the module that was imported, unstaged; or ""."""
    top, *below = (problem.name or "app").split(".")
    if not isinstance(problem, ModuleNotFoundError):
        below += re.findall("^cannot import name '([^']+)'", str(problem))
    place = Path(top, *below) if top in STAGED else Path(top)
    shown = f"{place}.py" if place.with_suffix(".py").is_file() else f"{place}/"
    if top in STAGED - {"routes"} or not Path(shown).exists():
        return ""
    if top == "routes" and Path(shown).is_symlink():
        return f"folders that are links are not staged: put a copy in the place of {shown}\n"
    if top == "routes" and shown != "routes.py":
        return f"tests and what is hidden are not staged: give {shown} another name\n"
    return f"only app.py and routes/ are staged: move {shown} into routes/\n"


if __name__ == "__main__":
    sys.exit(try_import(*sys.argv[1:]))
