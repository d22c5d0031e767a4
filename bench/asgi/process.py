"""One framework's process: times what it is told on standard input. Knows no other framework.

Each line in is a workload and a number of seconds, each line out the nanoseconds a request took, or
``null`` where the framework has no such application. CPU time is what counts: other processes on
the same cores take wall time away, and that is nobody's cost.
"""

import gc
import sys
from time import process_time_ns

from bench.asgi.serving import Serving
from bench.asgi.workloads import WORKLOADS, Request, Workload

__all__ = ["Timer", "main"]

BATCH = 1024


class Timer:
    """Times the workloads of one adapter, each verified and warmed up the first time."""

    def __init__(self, name: str) -> None:
        self._serving = Serving(name)
        self._requests: dict[str, list[Request]] = {}

    def time(self, workload: Workload, seconds: float) -> float | None:
        """Return the nanoseconds of CPU time a request takes, over at least *seconds*."""
        if not self._serving.has(workload):
            return None
        if workload.name not in self._requests:
            self._serving.verify(workload)
            self._requests[workload.name] = [request for request, _ in workload.exchanges()]
            self._run(workload, seconds)
            gc.collect()
            gc.freeze()
        count, took = self._run(workload, seconds)
        return took / count

    def close(self) -> None:
        """Let the applications go."""
        self._serving.close()

    def _run(self, workload: Workload, seconds: float) -> tuple[int, int]:
        requests = self._requests[workload.name]
        batches = [requests[first : first + BATCH] for first in range(0, len(requests), BATCH)]
        count = took = 0
        while took < seconds * 1e9:
            batch = batches[count // BATCH % len(batches)]
            started = process_time_ns()
            self._serving.call(workload, batch)
            took += process_time_ns() - started
            count += len(batch)
        return count, took


def main(name: str) -> None:
    """Answer the lines of standard input until it ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # some frameworks greet
    timer = Timer(name)
    for line in sys.stdin:
        workload, seconds = line.split()
        took = timer.time(WORKLOADS[workload], float(seconds))
        print("null" if took is None else took, file=answers, flush=True)
    timer.close()


if __name__ == "__main__":
    main(sys.argv[1])
