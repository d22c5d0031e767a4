"""Times fresh processes that import an app: ``python -m bench.imports [--rounds N]``.

What counts is a whole process less one that does nothing. A round is each program once, in an order
that turns, compiled files at hand; medians and quartiles are over all rounds. Frameworks that are
not installed are left out.
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.machine import machine
from bench.router.__main__ import summary

__all__ = ["PROGRAMS", "main", "modules_of"]

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "imports.json"

BARE = "bare"
DEPENDENCIES = "msgspec and argon2"

_KAGARI = """
from framework import App, public
app = App()
@app.get("/users/:id", guard=public)
async def show(id: int) -> dict[str, int]:
    return {"id": id}
app.prepare()
"""

_STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def show(request):
    return JSONResponse({"id": request.path_params["id"]})
app = Starlette(routes=[Route("/users/{id:int}", show)])
"""

_FASTAPI = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/users/{id}")
async def show(id: int) -> dict[str, int]:
    return {"id": id}
"""

_FALCON = """
import falcon.asgi
app = falcon.asgi.App()
class Show:
    async def on_get(self, request, response, id):
        response.media = {"id": id}
app.add_route("/users/{id:int}", Show())
"""

_LITESTAR = """
from litestar import Litestar, get
@get("/users/{id:int}")
async def show(id: int) -> dict[str, int]:
    return {"id": id}
app = Litestar([show])
"""

PROGRAMS = {
    BARE: ("", ""),
    DEPENDENCIES: ("import msgspec, argon2", "msgspec"),
    "kagari, one route": (_KAGARI, "framework"),
    "kagari, the reference app": ("import app\napp.app.prepare()", "framework"),
    "starlette": (_STARLETTE, "starlette"),
    "falcon": (_FALCON, "falcon"),
    "fastapi": (_FASTAPI, "fastapi"),
    "litestar": (_LITESTAR, "litestar"),
}
"""What each process runs, and what has to be installed for it, by name."""


def _run(program: str) -> "subprocess.CompletedProcess[str]":
    """Run *program* without `site`: an editable install loads modules before it begins."""
    packages = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *packages])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-S", "-c", program]
    return subprocess.run(
        command, cwd=ROOT, env=environment, text=True, check=True, capture_output=True
    )


def modules_of(program: str) -> set[str]:
    """Return the modules that a fresh process has loaded after *program*."""
    listed = _run(f"{program}\nimport sys\nprint(*sys.modules)").stdout
    return set(listed.split())


def _milliseconds(program: str) -> float:
    started = perf_counter()
    _run(program)
    return (perf_counter() - started) * 1000


def measure(rounds: int) -> dict[str, Any]:
    """Return for each program what its processes took beyond a bare one, and what they loaded."""
    programs = {name: text for name, (text, needed) in PROGRAMS.items() if _is_there(needed)}
    names = list(programs)
    for name in names:
        _milliseconds(programs[name])  # compiles
    took: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            took[name].append(_milliseconds(programs[name]))
    bare = median(took[BARE])
    loaded = {name: modules_of(programs[name]) for name in names}
    return {
        name: {
            "version": _version(PROGRAMS[name][1]),
            "milliseconds": summary([each - bare for each in took[name]]),
            "modules": len(loaded[name] - loaded[BARE]),
        }
        for name in names
    } | {BARE: {"version": "", "milliseconds": summary(took[BARE]), "modules": len(loaded[BARE])}}


def _is_there(needed: str) -> bool:
    return not needed or find_spec(needed) is not None


def _version(package: str) -> str:
    try:
        return version(package)
    except (PackageNotFoundError, ValueError):
        return ""


def main() -> None:
    """Measure, print the table and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, default=RESULT, help="where to write the result")
    options = parser.parse_args()
    programs = measure(options.rounds)
    known = modules_of(PROGRAMS[DEPENDENCIES][0])
    extra = modules_of(PROGRAMS["kagari, the reference app"][0]) - known
    result = {
        "machine": machine(),
        "rounds": options.rounds,
        "programs": programs,
        "modules": {
            "kagari": sorted(
                name for name in extra if name.startswith(("framework", "routes", "app"))
            ),
            "standard library": sorted(
                name for name in extra if not name.startswith(("framework", "routes", "app"))
            ),
        },
    }
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print("| program | ms beyond a bare process | modules beyond it |\n|---|---:|---:|")
    for name, told in programs.items():
        low, middle, high = told["milliseconds"]
        print(f"| {name} | {middle:.1f} ({low:.1f} to {high:.1f}) | {told['modules']} |")
    print("\nbeside msgspec and argon2:", ", ".join(result["modules"]["standard library"]))


if __name__ == "__main__":
    main()
