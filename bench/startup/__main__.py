"""Times the import of Workers in the wasm tier: ``python -m bench.startup [--rounds N]``.

The reference app, staged as it is uploaded, beside the small Workers of `bench.worker`. Each import
has a Pyodide of its own, and no `.pyc` to read. What the platform imports anyway (the SDK) is not
in the figures; msgspec and argon2 are counted apart. Medians and quartiles go to
`bench/results/startup.json` unless another file is named with ``--out``.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import machine
from bench.worker.__main__ import summarize
from bench.worker.packages import CACHE, CONTESTANTS, lay_out
from framework.local.stage import stage
from tests.wasm.launcher import find_node
from tests.wasm.prepare import ROOT

__all__ = ["main"]

FOLDER = Path(__file__).parent
REFERENCE = "reference app"
LIBRARIES = {REFERENCE: ("msgspec", "argon2"), "kagari": ("msgspec", "argon2")}
"""What is a Worker's own choice and not its framework's; for the others, all is counted."""

BAR_MILLISECONDS = 60.0
BAR_RATIO = 0.2


def bundle(name: str) -> list[Path]:
    """Return the folders that *name* runs on, the probe in front of its main module."""
    folders = [_staged()] if name == REFERENCE else lay_out(name)
    target = CACHE.parent / "startup" / name.replace(" ", "-")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folders[0], target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "worker.py").rename(target / "measured.py")
    probe = (FOLDER / "probe.py").read_text("utf-8")
    wanted = f"LIBRARIES = {LIBRARIES.get(name, ())!r}\n"
    (target / "worker.py").write_text(
        probe.replace("\nimport importlib", f"\n{wanted}import importlib", 1), "utf-8"
    )
    return [target, *folders[1:]]


def _staged() -> Path:
    """Return the reference app as it is uploaded."""
    root = CACHE.parent / "startup" / "project"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("framework", "routes"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", root)
    return stage(root).folder


def take(folders: list[Path]) -> dict[str, Any]:
    """Import once, in a fresh process, and return the probe's report."""
    command = [find_node(), "--experimental-wasm-jspi", str(FOLDER / "startup.mjs")]
    finished = subprocess.run(
        [*command, *map(str, folders)], stdout=subprocess.PIPE, text=True, check=True
    )
    report: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return report


def combine(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians and quartiles of the reports of one Worker, and its modules, dearest first."""
    modules = {
        name: round(median(report["app_modules"].get(name, 0.0) for report in reports), 3)
        for name in reports[0]["app_modules"]
    }
    return {
        "app_ms": summarize([report["app_ms"] for report in reports]),
        "libraries_ms": summarize([report["libraries_ms"] for report in reports]),
        "modules": dict(sorted(modules.items(), key=lambda item: -item[1])),
        "library_modules": reports[0]["library_modules"],
    }


def main(arguments: list[str]) -> None:
    """Measure, print the table and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "startup.json")
    options = parser.parse_args(arguments)
    bundles = {name: bundle(name) for name in (REFERENCE, *CONTESTANTS)}
    reports: dict[str, list[dict[str, Any]]] = {name: [] for name in bundles}
    for turn in range(options.rounds):
        print(f"\r{turn + 1}/{options.rounds}", end="", file=sys.stderr)
        for name, folders in bundles.items():
            reports[name].append(take(folders))
    print(file=sys.stderr)
    ratios = [
        ours["app_ms"] / theirs["app_ms"]
        for ours, theirs in zip(reports[REFERENCE], reports["fastapi"], strict=True)
    ]
    result = {
        "machine": machine(),
        "rounds": options.rounds,
        "bars": {"app_ms": BAR_MILLISECONDS, "of_fastapi": BAR_RATIO},
        "of_fastapi": summarize(ratios),
        "workers": {name: combine(taken) for name, taken in reports.items()},
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print("| Worker | import, ms (quartiles) | its libraries, ms | modules |\n|---|---:|---:|---:|")
    for name, figures in result["workers"].items():
        took = figures["app_ms"]
        print(
            f"| {name} | {took['median']:.0f} ({took['q1']:.0f} to {took['q3']:.0f})"
            f" | {figures['libraries_ms']['median']:.0f} | {len(figures['modules'])} |"
        )
    print(f"the reference app takes {result['of_fastapi']['median']:.2f} of FastAPI's time")


if __name__ == "__main__":
    main(sys.argv[1:])
