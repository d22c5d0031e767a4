"""Times Workers in the wasm tier: ``python -m bench.worker [--rounds N] [--seconds S] [--only A,B]``.

Each Worker has a process of its own, and one works at a time. A round is every Worker once on one
case, in an order that turns; ratios are taken inside of a round, so that what else the machine
does in the meantime falls on all. Answers are checked before anything is timed. Medians and
quartiles go to `bench/results/worker.json` unless another file is named with ``--out``.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.machine import machine
from bench.worker.packages import CONTESTANTS, lay_out, versions
from bench.worker.process import Contestant
from tests.wasm.prepare import PINS, ROOT

__all__ = ["main"]

CASES = ("public", "guarded", "body", "rows", "asked")
CONVERSION = "rows, beyond asking D1 for them"
BEYOND = {"rows, beyond a public request": "public", CONVERSION: "asked"}
"""What the rows cost by themselves: another case of the same Worker, in the same round, taken off.

The first holds what the stand-in for D1 takes, the same for everybody; the second is the conversion
alone, of what D1 has answered into the JSON that is sent.
"""

BARS = {
    "public": {"handwritten": 0.92, "fastapi": 2.0, "kinglet": 1.08},
    "guarded": {"handwritten": 0.85},
    "body": {"handwritten": 0.85, "fastapi": 2.5},
    CONVERSION: {"handwritten": 3.0},
}
"""How fast Kagari has to be beside another: 2 is twice as fast. From issue 5."""

Samples = dict[str, dict[str, list[float]]]


def measure(contestants: list[Contestant], rounds: int, seconds: float, warm_up: float) -> Samples:
    """Return nanoseconds a request, round by round, by case and contestant."""
    samples: Samples = {case: {each.name: [] for each in contestants} for case in CASES}
    for case in CASES:
        for each in contestants:
            each.time(case, warm_up)
    for turn in range(rounds):
        for case in CASES:
            print(f"\r{turn + 1}/{rounds} {case:10}", end="", file=sys.stderr)
            shift = turn % len(contestants)
            for each in contestants[shift:] + contestants[:shift]:
                samples[case][each.name].append(each.time(case, seconds)["ns"])
    print(file=sys.stderr)
    return samples


def summarize(values: list[float]) -> dict[str, float]:
    """Return the median and the quartiles of *values*."""
    low, middle, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return {"median": round(middle, 4), "q1": round(low, 4), "q3": round(high, 4)}


def report(samples: Samples) -> dict[str, Any]:
    """Return, by case and contestant, microseconds a request and how fast Kagari is beside it."""
    result: dict[str, Any] = {}
    for case, taken in {**samples, **_beyond(samples)}.items():
        ours = taken.get("kagari", [])
        result[case] = {
            name: {
                "microseconds": summarize([ns / 1000 for ns in values]),
                "kagari_is_faster_by": summarize(
                    [theirs / own for theirs, own in zip(values, ours, strict=True)]
                ),
            }
            for name, values in taken.items()
            if ours
        }
    return result


def _beyond(samples: Samples) -> Samples:
    return {
        title: {
            name: [rows - less for rows, less in zip(values, samples[other][name], strict=True)]
            for name, values in samples["rows"].items()
        }
        for title, other in BEYOND.items()
    }


def table(result: dict[str, Any]) -> str:
    """Return the report as a table in Markdown."""
    lines = ["| case | Worker | µs a request (quartiles) | Kagari is faster by | bar |"]
    lines.append("|---|---|---:|---:|---:|")
    for case, of_case in result.items():
        for name, figures in of_case.items():
            took, ratio = figures["microseconds"], figures["kagari_is_faster_by"]
            bar = BARS.get(case, {}).get(name, "")
            lines.append(
                f"| {case} | {name} | {took['median']:.0f} ({took['q1']:.0f} to {took['q3']:.0f})"
                f" | {ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f}) | {bar} |"
            )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Measure, print the table and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.worker", description=__doc__)
    parser.add_argument("--only", default=",".join(CONTESTANTS), help="names, with commas between")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=0.4, help="of one sample")
    parser.add_argument("--warm-up", type=float, default=3.0, help="seconds, of each case")
    parser.add_argument("--framework", type=Path, default=ROOT / "framework")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "worker.json")
    options = parser.parse_args(arguments)
    contestants = [
        Contestant(name, lay_out(name, options.framework)) for name in options.only.split(",")
    ]
    about = {**machine(), "load": round(os.getloadavg()[0], 2)}
    samples = measure(contestants, options.rounds, options.seconds, options.warm_up)
    trips = {each.name: each.time("guarded", 0.05)["trips"] for each in contestants}
    for each in contestants:
        each.stop()
    result = {
        "machine": about,
        "pyodide": contestants[0].report["pyodide"],
        "packages": {"all": list(PINS), **versions()},
        "rounds": options.rounds,
        "seconds": options.seconds,
        "bars": BARS,
        "d1_trips_of_a_guarded_request": trips,
        "cases": report(samples),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(table(result["cases"]))


if __name__ == "__main__":
    main(sys.argv[1:])
