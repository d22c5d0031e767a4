"""One router's process: times what it is told on standard input. Knows no other router.

Each line in is a size, a workload and a number of seconds; each line out is what took how long, as
JSON. CPU time is what counts, as in `bench.asgi`.
"""

import gc
import json
import sys
from collections.abc import Sequence
from time import process_time_ns

from bench.router.routers import ROUTERS, Router
from bench.router.table import WORKLOADS, Find, routes

__all__ = ["Timer", "WrongAnswer", "main"]


class WrongAnswer(Exception):
    """A router does not find what the others find, so that its time would mean nothing."""


class Timer:
    """Times one router. Each table is built once, and each answer is checked before it is timed."""

    def __init__(self, router: Router) -> None:
        self.router = router
        router.build(routes(4))  # what is imported for it is not part of building a table
        self.build_times: dict[int, float] = {}
        """Milliseconds to build the table, by its size."""
        self._finds: dict[int, Find] = {}
        self._paths: dict[tuple[int, str], list[str]] = {}

    def time(self, size: int, workload: str, seconds: float) -> float:
        """Return the nanoseconds of CPU time that a path of *workload* takes, over *seconds*."""
        find = self._find(size)
        paths = self._checked(size, workload, find)
        batch = 64
        count = took = 0
        while took < seconds * 1e9:
            part = [paths[(count + index) % len(paths)] for index in range(batch)]
            once = _run(find, part)
            count += batch
            took += once
            if once < 1_000_000:
                batch = min(batch * 2, len(paths))
        return took / count

    def _find(self, size: int) -> Find:
        if size not in self._finds:
            started = process_time_ns()
            self._finds[size] = self.router.build(routes(size))
            self.build_times[size] = (process_time_ns() - started) / 1e6
        return self._finds[size]

    def _checked(self, size: int, workload: str, find: Find) -> list[str]:
        if (size, workload) not in self._paths:
            questions = WORKLOADS[workload].questions(size)
            for path, expected in questions:
                answer = self.router.read(find(path))
                if answer != expected:
                    raise WrongAnswer(f"{path} of {size}: {answer}, not {expected}")
            self._paths[size, workload] = [path for path, _ in questions]
            gc.collect()
            gc.freeze()
        return self._paths[size, workload]


def _run(find: Find, paths: Sequence[str]) -> int:
    started = process_time_ns()
    for path in paths:
        find(path)
    return process_time_ns() - started


def main(name: str) -> None:
    """Answer the lines of standard input until it ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    timer = Timer(ROUTERS[name])
    for line in sys.stdin:
        size, workload, seconds = line.split()
        took = timer.time(int(size), workload, float(seconds))
        said = {"nanoseconds": took, "build": timer.build_times[int(size)]}
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
