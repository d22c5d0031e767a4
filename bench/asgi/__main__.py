"""Times every framework on every workload: ``python -m bench.asgi [--only kagari,raw] [--rounds N]``.

Each framework has a process of its own and one works at a time. A round is every framework once on
one workload, in an order that turns; the ratio to `raw` is taken inside of the round, so that
what else the machine does in the meantime falls on both. Medians and quartiles are over all rounds.
"""

import argparse
import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.asgi.serving import ADAPTERS, selected
from bench.asgi.workloads import Workload
from bench.machine import machine

__all__ = ["main"]

FLOOR = "raw"
Samples = dict[str, dict[str, list[float]]]
"""Nanoseconds a request, round by round, by workload and framework."""


class _Peer:
    """The process of one framework."""

    def __init__(self, name: str) -> None:
        self.name = name
        command = [sys.executable, "-m", "bench.asgi.process", name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def time(self, workload: Workload, seconds: float) -> float | None:
        """Return the nanoseconds a request took, or None where the framework has no such thing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(workload.name, seconds, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended: see above")
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


def measure(
    names: list[str], workloads: list[Workload], restarts: int, rounds: int, seconds: float
) -> Samples:
    """Return the samples of *restarts* times *rounds* rounds."""
    samples: Samples = {workload.name: {name: [] for name in names} for workload in workloads}
    for restart in range(restarts):
        peers = [_Peer(name) for name in names]
        for workload in workloads:
            for turn in range(rounds):
                print(f"\r{restart + 1}/{restarts} {workload.name:14}", end="", file=sys.stderr)
                for peer in peers[turn % len(peers) :] + peers[: turn % len(peers)]:
                    took = peer.time(workload, seconds)
                    if took is not None:
                        samples[workload.name][peer.name].append(took)
        for peer in peers:
            peer.stop()
    print(file=sys.stderr)
    return samples


def ratios(samples: dict[str, list[float]], name: str) -> list[float]:
    """Return how fast *name* was beside the floor, round by round: 1 is as fast, 0.5 half as fast."""
    return [floor / took for floor, took in zip(samples[FLOOR], samples[name], strict=False)]


def _table(samples: Samples, names: list[str], cell: Any) -> str:
    lines = ["| workload | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for workload, of_workload in samples.items():
        cells = [cell(of_workload, name) if of_workload[name] else "-" for name in names]
        lines.append(f"| {workload} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _ratio_cell(samples: dict[str, list[float]], name: str) -> str:
    values = ratios(samples, name)
    if len(values) < 2:
        return f"{values[0]:.3f}"
    low, _, high = quantiles(values, n=4, method="inclusive")
    return f"{median(values):.3f} ({low:.3f} to {high:.3f})"


def _time_cell(samples: dict[str, list[float]], name: str) -> str:
    return f"{median(samples[name]) / 1000:.2f}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "this repository"


def main() -> None:
    """Measure, print the tables, and write the samples where asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.asgi", description=__doc__)
    parser.add_argument("--only", default="", help="frameworks, separated by commas")
    parser.add_argument("--workloads", default="", help="workloads, separated by commas")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each restart")
    parser.add_argument("--restarts", type=int, default=3, help="how often processes start anew")
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU seconds of each cell")
    parser.add_argument("--json", type=Path, help="where to write all samples")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(ADAPTERS)
    names = [FLOOR, *[name for name in wanted if name != FLOOR]]
    workloads = selected(options.workloads)
    samples = measure(names, workloads, options.restarts, options.rounds, options.seconds)
    versions = {name: _version(name) for name in names if name != FLOOR}
    if options.json:
        details = {
            "machine": machine(),
            "python": platform.python_version(),
            "versions": versions,
            "samples": samples,
        }
        options.json.write_text(json.dumps(details, indent=1) + "\n")
    print(f"Python {platform.python_version()}; {versions}")
    print("\nSpeed beside raw ASGI: median (quartiles) of the ratios inside each round\n")
    print(_table(samples, names, _ratio_cell))
    print("\nCPU microseconds a request, the harness included (for this machine, now)\n")
    print(_table(samples, names, _time_cell))


if __name__ == "__main__":
    main()
