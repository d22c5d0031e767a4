"""Times every router on every table: ``python -m bench.router [--only kagari,falcon] [--rounds N]``.

Each router has a process of its own and one works at a time. A round is every router once on one
table and one workload, in an order that turns. Medians and quartiles are over all rounds.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.machine import machine
from bench.router.routers import ROUTERS, version_of
from bench.router.table import SIZES, WORKLOADS

__all__ = ["main"]

RESULT = Path(__file__).parents[1] / "results" / "router.json"

Samples = dict[str, dict[str, dict[str, list[float]]]]
"""Nanoseconds a path, round by round, by size, workload and router."""


class _Peer:
    """The process of one router."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.builds: dict[int, float] = {}
        command = [sys.executable, "-m", "bench.router.process", name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def time(self, size: int, workload: str, seconds: float) -> float:
        """Return the nanoseconds that a path took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(size, workload, seconds, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended on {workload} of {size}: see above")
        said = json.loads(line)
        self.builds[size] = said["build"]
        return float(said["nanoseconds"])

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


CRASHES = {
    ("nanoroute", "miss_deep"): "2.0.5 ends the process on such a path (a segmentation fault)"
}
"""What is left out, and why."""


def measure(names: list[str], rounds: int, seconds: float) -> tuple[Samples, dict[str, Any]]:
    """Return the samples of *rounds* rounds, and the milliseconds each took to build its tables."""
    samples: Samples = {
        str(size): {workload: {name: [] for name in names} for workload in WORKLOADS}
        for size in SIZES
    }
    peers = [_Peer(name) for name in names]
    for turn in range(rounds):
        for size in SIZES:
            for workload in WORKLOADS:
                print(f"\r{turn + 1}/{rounds} {size:5} {workload:14}", end="", file=sys.stderr)
                for peer in peers[turn % len(peers) :] + peers[: turn % len(peers)]:
                    if (peer.name, workload) not in CRASHES:
                        took = peer.time(size, workload, seconds)
                        samples[str(size)][workload][peer.name].append(took)
    for peer in peers:
        peer.stop()
    print(file=sys.stderr)
    return samples, {peer.name: peer.builds for peer in peers}


def summary(samples: list[float]) -> list[float] | None:
    """Return the lower quartile, the median and the upper quartile; None of nothing."""
    if not samples:
        return None
    if len(samples) == 1:
        return [round(samples[0], 1)] * 3
    return [round(value, 1) for value in quantiles(samples, n=4, method="inclusive")]


def _print(result: dict[str, Any]) -> None:
    for size, of_size in result["nanoseconds"].items():
        print(f"\n{size} routes: median nanoseconds a path\n")
        print("| router | " + " | ".join(of_size) + " |")
        print("|---|" + "---:|" * len(of_size))
        names = result["routers"]
        for name in sorted(names, key=lambda name: of_size["mixed"][name][1]):
            cells = [f"{row[name][1]:,.0f}" if row[name] else "-" for row in of_size.values()]
            print(f"| {name} | " + " | ".join(cells) + " |")


def main() -> None:
    """Measure, print the tables and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.router", description=__doc__)
    parser.add_argument("--only", default="", help="routers, separated by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.02, help="CPU seconds of each cell")
    parser.add_argument("--json", type=Path, default=RESULT, help="where to write the result")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(ROUTERS)
    samples, builds = measure(names, options.rounds, options.seconds)
    result = {
        "machine": machine(),
        "rounds": options.rounds,
        "routers": {
            name: {
                "version": version_of(ROUTERS[name]),
                "kind": ROUTERS[name].kind,
                "about": ROUTERS[name].about,
                "build_ms": {str(size): round(took, 2) for size, took in builds[name].items()},
            }
            for name in names
        },
        "left_out": [{"router": n, "workload": w, "why": why} for (n, w), why in CRASHES.items()],
        "nanoseconds": {
            size: {
                workload: {name: summary(taken) for name, taken in of_workload.items()}
                for workload, of_workload in of_size.items()
            }
            for size, of_size in samples.items()
        },
    }
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    _print(result)
    mixed = {size: median(samples[str(size)]["mixed"]["kagari"]) for size in SIZES}
    print(
        f"\nkagari, {SIZES[-1]} beside {SIZES[0]} routes: {mixed[SIZES[-1]] / mixed[SIZES[0]]:.2f}"
    )


if __name__ == "__main__":
    main()
