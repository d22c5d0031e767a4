"""Sends 100,000 guarded requests to one Worker and watches its memory: ``python -m bench.soak``.

They go out in ten parts. The first warms up; what grows after it is a leak, and the exit code 1.
Figures go to `bench/results/soak.json` unless another file is named with ``--out``.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.worker.packages import lay_out
from tests.wasm.launcher import find_node
from tests.wasm.prepare import ROOT

__all__ = ["main"]

SCRIPT = Path(__file__).with_name("soak.mjs")
PARTS = 10
SLACK = {"python_objects": 100, "held_javascript_objects": 50, "worker_bytes": 0}
"""What may be left over beyond the first part: a few objects, no page of memory."""


def grown(parts: list[dict[str, Any]]) -> dict[str, int]:
    """Return how much more there is after the last part than after the first."""
    return {name: parts[-1][name] - parts[0][name] for name in SLACK}


def main(arguments: list[str]) -> int:
    """Send, print each part, write the figures, and return 1 where something grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--framework", type=Path, default=ROOT / "framework")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "soak.json")
    options = parser.parse_args(arguments)
    size = max(1, options.requests // PARTS)
    command = [find_node(), "--experimental-wasm-jspi", "--expose-gc", str(SCRIPT)]
    command += [str(lay_out("kagari", options.framework)[0]), str(PARTS), str(size)]
    parts: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            parts.append(json.loads(line))
            print(f"{len(parts) * size:7} requests: {line.strip()}", flush=True)
    if len(parts) < PARTS:
        return 1
    growth = grown(parts)
    result = {
        "machine": machine(),
        "requests": size * PARTS,
        "after_the_first_part": parts[0],
        "after_the_last_part": parts[-1],
        "growth": growth,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    leaks = {name: more for name, more in growth.items() if more > SLACK[name]}
    print(f"grew: {leaks}" if leaks else "nothing grew after the first part")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
