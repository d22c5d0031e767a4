"""Counts the bytecode instructions of a request: ``python -m bench.bytecodes [--functions]``.

The counts do not depend on the machine or on what else it does, so that a test can pin them; they
do depend on Python's minor version. What the harness itself runs is not counted, nor is time in C.
"""

import argparse
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from bench.asgi import client
from bench.asgi.serving import Serving, selected
from bench.asgi.workloads import Workload

__all__ = ["AIM", "Cost", "count"]

REQUESTS = 64
"""Requests that are counted. The mean is given, since a longer path may take more steps."""

AIM = {
    "plaintext": 220,
    "json_param": 290,
    "post_model": 500,
    "mw5": 350,
    "mw5_header": 520,
    "mw5_highlevel": 520,
    "auth": 520,
    "t400_first": 220,
    "t400_mid": 270,
    "t400_last": 350,
    "t400_miss": 320,
    "miss404": 380,
    "miss405": 430,
}
"""Instructions a request that were aimed for, on Python 3.13; tests/test_bytecodes.py pins what it runs."""

Counts = Counter[CodeType]


class Cost(NamedTuple):
    """What one request runs in Python: instructions, and starts of functions and coroutines."""

    instructions: int
    starts: int
    functions: dict[str, tuple[float, float]]
    """Instructions and starts by function, the most expensive first."""


def count(serving: Serving, workload: Workload) -> Cost:
    """Return what a request of *workload* runs, once all its requests were answered before."""
    requests = [request for request, _ in workload.exchanges()]
    serving.call(workload, requests)
    with _counting() as (of_loop, starts_of_loop):
        serving.call(workload, [])
    with _counting() as (instructions, starts):
        serving.call(workload, requests[:REQUESTS])
    instructions -= of_loop
    starts -= starts_of_loop
    ours = [code for code in instructions if code.co_filename != client.__file__]
    return Cost(
        round(sum(instructions[code] for code in ours) / REQUESTS),
        round(sum(starts[code] for code in ours) / REQUESTS),
        {
            f"{code.co_qualname} ({Path(code.co_filename).name}:{code.co_firstlineno})": (
                instructions[code] / REQUESTS,
                starts[code] / REQUESTS,
            )
            for code in sorted(ours, key=lambda code: -instructions[code])
        },
    )


@contextmanager
def _counting() -> Iterator[tuple[Counts, Counts]]:
    """Count, by code object, the instructions and starts of what runs inside."""
    instructions: Counts = Counter()
    starts: Counts = Counter()
    watch = _monitor if sys.version_info >= (3, 12) else _trace
    stop = watch(instructions, starts)
    try:
        yield instructions, starts
    finally:
        stop()


def _monitor(instructions: Counts, starts: Counts) -> Callable[[], None]:
    """Start counting where Python has ``sys.monitoring``. Returns what stops it."""
    monitoring: Any = vars(sys)["monitoring"]  # newer than the oldest Python
    events, tool = monitoring.events, monitoring.PROFILER_ID

    def on_instruction(code: CodeType, _: int) -> None:
        instructions[code] += 1

    def on_start(code: CodeType, _: int) -> None:
        starts[code] += 1

    monitoring.use_tool_id(tool, "bench.bytecodes")
    monitoring.register_callback(tool, events.INSTRUCTION, on_instruction)
    monitoring.register_callback(tool, events.PY_START, on_start)
    monitoring.set_events(tool, events.INSTRUCTION | events.PY_START)

    def stop() -> None:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)

    return stop


def _trace(instructions: Counts, starts: Counts) -> Callable[[], None]:
    """Start counting on Python 3.11, where a frame can be traced by instruction."""
    before = sys.gettrace()

    def on_call(frame: FrameType, _: str, __: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        code = frame.f_code
        if code.co_code[frame.f_lasti + 1] == 0:  # RESUME's argument: a start, not after an await
            starts[code] += 1
        return on_event

    def on_event(frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode":
            instructions[frame.f_code] += 1
        return on_event

    sys.settrace(on_call)
    return lambda: sys.settrace(before)


def main() -> None:
    """Print the counts of one framework, and where asked to, by function."""
    parser = argparse.ArgumentParser(prog="python -m bench.bytecodes", description=__doc__)
    parser.add_argument("--only", default="kagari", help="frameworks, separated by commas")
    parser.add_argument("--workloads", default="", help="workloads, separated by commas")
    parser.add_argument("--functions", action="store_true", help="list the functions of each")
    parser.add_argument("--pins", action="store_true", help="as tests/test_bytecodes.py holds them")
    options = parser.parse_args()
    names = options.only.split(",")
    servings = {name: Serving(name) for name in names}
    print(f"Python {platform.python_version()}: instructions a request (starts of functions)\n")
    print(f"| workload | {' | '.join(names)} | aim |\n|---|{'---:|' * (len(names) + 1)}")
    listings = []
    for workload in selected(options.workloads):
        cells = []
        for name, serving in servings.items():
            if not serving.has(workload):
                cells.append("-")
                continue
            cost = count(serving, workload)
            cells.append(f"{cost.instructions:,} ({cost.starts})")
            listings.append((workload.name, name, cost))
        print(f"| {workload.name} | {' | '.join(cells)} | {AIM[workload.name]} |", flush=True)
    for serving in servings.values():
        serving.close()
    if options.pins:
        pins = {
            workload: cost.instructions for workload, name, cost in listings if name == names[-1]
        }
        print(f"\n{sys.version_info[:2]}: {pins},")
    for workload_name, name, cost in listings if options.functions else []:
        print(f"\n{workload_name}, {name}: {cost.instructions}")
        for function, (instructions, starts) in cost.functions.items():
            print(f"{instructions:8.1f} {starts:6.1f}  {function}")


if __name__ == "__main__":
    main()
