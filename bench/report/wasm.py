"""Says what was measured of Workers: in Pyodide, on workerd and in Node."""

from collections.abc import Mapping
from typing import Any

from bench.report.svg import Bar, bars
from bench.report.words import OURS, Section, bold, method, picture, table

__all__ = ["argon2", "soak", "startup", "worker", "workerd"]

_CASES = {
    "public": "a public JSON route with a typed path parameter",
    "guarded": "a guarded JSON route, its session in D1",
    "body": "a JSON body read into a Struct",
    "rows": "100 rows of 6 columns from D1 to JSON",
    "asked": "the same statement, its rows left unread",
}


def workerd(result: Mapping[str, Any]) -> Section:
    """Requests a second on workerd, over HTTP, beside what others answer."""
    rows, groups = [], []
    for case, of_case in result["cases"].items():
        for name, told in of_case.items():
            rate, ratio = told["requests_a_second"], told["kagari_is_faster_by"]
            times = "" if name == OURS else f"{ratio['median']:.2f}"
            rows.append([_CASES[case], bold(name, name), _spread(rate), times])
        in_python = {name: told for name, told in of_case.items() if name != "hono"}
        group = [
            Bar(name, *_three(told["requests_a_second"]), name == OURS)
            for name, told in in_python.items()
        ]
        groups.append((_CASES[case], group))
    title = "Requests a second on workerd"
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    said = [
        *method(
            result["machine"],
            f"{versions}; {result['rounds']} interleaved rounds of {result['seconds']:g} s over"
            f" {result['connections']} connections, each answer checked before it is timed; ratios are"
            " taken inside of a round. Server and client share the cores.",
        ),
        "workerd itself, with HTTP and Miniflare's D1, which keeps its rows in files. One difference to a"
        " deployed Worker: Python is npm's Pyodide, started by a Worker in JavaScript, since workerd would"
        " download its own. The Workers are those of the next section, and `hono`, which is in JavaScript and"
        " not drawn.",
        "",
        *picture("workerd", title),
        *table(["case", "Worker", "requests a second (quartiles)", "Kagari is faster by"], rows),
        f"From the start of the process to the first answer, {result['starts']} fresh ones each:",
        "",
        *table(
            ["Worker", "ms (quartiles)"],
            [
                [bold(name, name), _spread(told)]
                for name, told in result["ms_to_the_first_answer"].items()
            ],
        ),
    ]
    return said, {"workerd": bars(title, "more is better", groups)}


def worker(result: Mapping[str, Any]) -> Section:
    """The wasm tier: microseconds a request beside what others make of it."""
    rows, groups = [], []
    for case, of_case in result["cases"].items():
        group = []
        for name, told in of_case.items():
            took, ratio = told["microseconds"], told["kagari_is_faster_by"]
            bar = result.get("bars", {}).get(case, {}).get(name)
            rows.append(
                [
                    _CASES.get(case, case),
                    bold(name, name),
                    _spread(took),
                    "" if name == OURS else f"{ratio['median']:.2f}",
                    f"{bar:.2f}" if bar else "",
                ]
            )
            group.append(Bar(name, *_three(took), name == OURS))
        groups.append((_CASES.get(case, case), group))
    title = "A request in the wasm tier"
    trips = result.get("d1_trips_of_a_guarded_request", {})
    head = ["case", "Worker", "µs a request (quartiles)", "Kagari is faster by", "at least"]
    said = [
        *method(
            result["machine"],
            f"Pyodide {result.get('pyodide', '?')}, {result['rounds']} interleaved rounds, each"
            " answer checked before it is timed; ratios are taken inside of a round.",
        ),
        "Pyodide's own interpreter with real JavaScript requests and a D1 of the same shape, in"
        " Node: what a Worker runs, without the network and without workerd's own share.",
        "",
        "`handwritten` does by hand, with the SDK, what Kagari does. `lean` goes past the SDK straight to"
        " JavaScript and leaves out what it can: a floor, since nobody writes an application like that.",
        "",
        "The last two cases of the table are differences between two requests to the same Worker. The first"
        " takes off a public request: what is left is D1's own time, and what becomes of the rows. The"
        " second takes off a request that asks D1 for the same rows and leaves them unread: what is left"
        " is turning D1's answer into the JSON that is sent.",
        "",
        *picture("worker", title),
        *table(head, rows),
    ]
    if trips:
        told = ", ".join(f"{name} {count}" for name, count in trips.items())
        said += [f"Trips to D1 that a guarded request makes: {told}.", ""]
    return said, {"worker": bars(title, "µs, less is better", groups)}


def startup(result: Mapping[str, Any]) -> Section:
    """Import of an app in Pyodide."""
    workers, bars_ = result["workers"], result["bars"]
    rows = [
        [
            bold(OURS, name) if name in _OURS else name,
            _spread(told["app_ms"]),
            f"{told['libraries_ms']['median']:,.0f}",
            str(len(told["modules"])),
        ]
        for name, told in workers.items()
    ]
    group = [Bar(name, *_three(told["app_ms"]), name in _OURS) for name, told in workers.items()]
    title = "Importing a Worker in Pyodide, beyond its libraries"
    dearest = list(workers["reference app"]["modules"].items())[:5]
    said = [
        *method(
            result["machine"],
            f"{result['rounds']} fresh processes each, interleaved, sources compiled in each: what"
            " a deployed Worker takes from a snapshot of its memory, `pywrangler dev` does at every start.",
        ),
        *picture("startup", title),
        *table(["Worker", "ms to import (quartiles)", "its libraries, ms", "modules"], rows),
        f"The reference app takes {result['of_fastapi']['median']:.2f} of FastAPI's time, where at most"
        f" {bars_['of_fastapi']:.2f} was asked for, and {workers['reference app']['app_ms']['median']:.0f}"
        f" ms, where at most {bars_['app_ms']:.0f} were. Its dearest modules:"
        f" {', '.join(f'`{name}` {took:.1f} ms' for name, took in dearest)}.",
        "",
    ]
    return said, {"startup": bars(title, "ms, less is better", [("", group)])}


_OURS = {"kagari", "reference app"}


def soak(result: Mapping[str, Any]) -> Section:
    """Memory after many requests in the wasm tier."""
    first, last = result["after_the_first_part"], result["after_the_last_part"]
    rows = [
        [name.replace("_", " "), f"{first[name]:,}", f"{last[name]:,}", f"{more:+,}"]
        for name, more in result["growth"].items()
    ]
    said = [
        *method(
            result["machine"],
            f"{result['requests']:,} guarded requests to one Worker, in ten parts.",
        ),
        *table(["what is held", "after the first part", "after the last", "more"], rows),
    ]
    return said, {}


def argon2(result: Mapping[str, Any]) -> Section:
    """Argon2id in the wasm tier."""
    rows = [
        [
            f"m={each['memory_kib']:,} KiB, t={each['passes']}, p={each['lanes']}",
            _spread(each["ms"]),
            f"{each['first_ms']['median']:,.0f}",
            f"{each['worker_mib_before']} to {each['worker_mib_after']}",
        ]
        for each in result["sets"]
    ]
    said = [
        *method(
            result["machine"],
            f"{', '.join(result['packages'])}; {result['rounds']} fresh processes each. The sets are"
            " those of OWASP's Password Storage Cheat Sheet; Kagari's is m=19456, t=2.",
        ),
        *table(["Argon2id", "ms (quartiles)", "the first, ms", "the Worker's memory, MiB"], rows),
        "On your own machine: `kagari hash-cost`.",
        "",
    ]
    return said, {}


def _spread(quartiles: Mapping[str, float]) -> str:
    low, middle, high = _three(quartiles)
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"


def _three(quartiles: Mapping[str, float]) -> tuple[float, float, float]:
    return quartiles["q1"], quartiles["median"], quartiles["q3"]
