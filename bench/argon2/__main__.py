"""Times Argon2id in the wasm tier, for the parameters that OWASP lists: ``python -m bench.argon2``.

Each set has a fresh Pyodide, so that its memory is its own. The first hash is reported apart: a new
isolate's first sign-in pays it. Figures go to `bench/results/argon2.json` unless another file is
named with ``--out``.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.worker.__main__ import summarize
from tests.wasm.launcher import find_node
from tests.wasm.prepare import PINS, ROOT, prepare

__all__ = ["main"]

SCRIPT = Path(__file__).with_name("argon2.mjs")
OWASP = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))
"""KiB and passes, one lane each: OWASP's Password Storage Cheat Sheet, as of 2026."""
MEGABYTE = 1024 * 1024


def take(memory: int, passes: int, times: int) -> dict[str, Any]:
    """Return what *times* hashes in a fresh process took."""
    command = [find_node(), "--experimental-wasm-jspi", str(SCRIPT)]
    finished = subprocess.run(
        [*command, str(memory), str(passes), str(times)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    report: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return report


def main(arguments: list[str]) -> None:
    """Measure, print the table and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.argon2", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=6, help="hashes a round, the first set apart")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "argon2.json")
    options = parser.parse_args(arguments)
    prepare()
    reports: dict[tuple[int, int], list[dict[str, Any]]] = {each: [] for each in OWASP}
    for turn in range(options.rounds):
        print(f"\r{turn + 1}/{options.rounds}", end="", file=sys.stderr)
        for each in OWASP:
            reports[each].append(take(*each, options.times))
    print(file=sys.stderr)
    sets = []
    for (memory, passes), taken in reports.items():
        sets.append(
            {
                "memory_kib": memory,
                "passes": passes,
                "lanes": 1,
                "first_ms": summarize([report["milliseconds"][0] for report in taken]),
                "ms": summarize([ms for report in taken for ms in report["milliseconds"][1:]]),
                "worker_mib_before": round(taken[0]["bytes_before"] / MEGABYTE, 1),
                "worker_mib_after": round(taken[0]["bytes_after"] / MEGABYTE, 1),
            }
        )
    result = {
        "machine": machine(),
        "packages": [pin for pin in PINS if pin.startswith("argon2")],
        "rounds": options.rounds,
        "sets": sets,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print("| m, KiB | t | p | ms (quartiles) | first, ms | the Worker's memory, MiB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for each in sets:
        took: dict[str, float] = each["ms"]
        print(
            f"| {each['memory_kib']} | {each['passes']} | 1 | {took['median']:.0f}"
            f" ({took['q1']:.0f} to {took['q3']:.0f}) | {each['first_ms']['median']:.0f}"
            f" | {each['worker_mib_before']} to {each['worker_mib_after']} |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
