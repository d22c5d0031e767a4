"""Says in Markdown what the results say: one function a section. Knows no files."""

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from bench.report.svg import Bar, Line, bars, lines

__all__ = ["SECTIONS", "Section", "method"]

Section = tuple[list[str], dict[str, str]]
"""Lines of Markdown, and drawings by name."""

OURS = "kagari"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table whose first column is text and whose others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return [*lines, *["| " + " | ".join(row) + " |" for row in rows], ""]


def method(machine: Mapping[str, Any], rest: str) -> list[str]:
    """Return the line that says when, on what and how something was measured."""
    processor = machine.get("processor") or machine.get("cpu") or "an unknown processor"
    facts = [f"{processor}, {machine.get('cores', '?')} cores", str(machine.get("system", ""))]
    facts += [str(machine["python"])] if "python" in machine else []
    return [
        f"*Measured on {machine.get('date', 'a day not noted')}: {', '.join(facts)}. {rest}*",
        "",
    ]


def _picture(name: str, title: str) -> list[str]:
    return [f"![{title}](performance/{name}.svg)", ""]


def _bar(name: str, quartiles: Sequence[float]) -> Bar:
    low, middle, high = quartiles
    return Bar(name, low, middle, high, name.startswith(OURS))


def _bold(name: str, text: str) -> str:
    return f"**{text}**" if name.startswith(OURS) else text


# --- The Worker ----------------------------------------------------------------------------------

_CASES = {
    "public": "a public JSON route with a typed path parameter",
    "guarded": "a guarded JSON route, its session in D1",
    "body": "a JSON body read into a Struct",
    "rows": "100 rows of 6 columns from D1 to JSON",
}


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
                    _bold(name, name),
                    f"{took['median']:,.0f} ({took['q1']:,.0f} to {took['q3']:,.0f})",
                    "" if name == OURS else f"{ratio['median']:.2f}",
                    f"{bar:.2f}" if bar else "",
                ]
            )
            group.append(Bar(name, took["q1"], took["median"], took["q3"], name == OURS))
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
        *_picture("worker", title),
        *table(head, rows),
    ]
    if trips:
        told = ", ".join(f"{name} {count}" for name, count in trips.items())
        said += [f"Trips to D1 that a guarded request makes: {told}.", ""]
    return said, {"worker": bars(title, "µs, less is better", groups)}


def soak(result: Mapping[str, Any]) -> Section:
    """Memory after many requests in the wasm tier."""
    return _facts(result), {}


def argon2(result: Mapping[str, Any]) -> Section:
    """Argon2id in the wasm tier."""
    said = _facts(result)
    return [*said, "On your own machine: `kagari hash-cost`.", ""], {}


def _facts(result: Mapping[str, Any]) -> list[str]:
    """Return what *result* holds as it is, one line a figure."""
    rows = [
        [" · ".join(path), f"{value:,}" if isinstance(value, int) else str(value)]
        for path, value in _leaves({k: v for k, v in result.items() if k != "machine"}, ())
    ]
    return [*method(result.get("machine", {}), ""), *table(["what", "figure"], rows)]


def _leaves(value: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [(str(index + 1), item) for index, item in enumerate(value)]
    else:
        return [(path, ", ".join(map(str, value)) if isinstance(value, list) else value)]
    return [leaf for key, item in items for leaf in _leaves(item, (*path, str(key)))]


# --- CPython -------------------------------------------------------------------------------------

_STRETCH = {
    "plaintext": 0.50, "json_param": 0.58, "post_model": 0.75, "mw5": 0.50, "auth": 0.50,
    "t400_last": 0.55, "t400_miss": 0.62, "miss404": 0.48, "miss405": 0.42,
}  # fmt: skip
"""What issue 5 asks for, as a fraction of raw ASGI."""

_DRAWN = ("plaintext", "json_param", "post_model", "auth", "t400_last", "miss404")


def asgi(result: Mapping[str, Any]) -> Section:
    """In-process ASGI on CPython, as a fraction of the same thing written by hand."""
    speeds = {
        workload: {
            name: _quartiles([raw / took for raw, took in zip(taken["raw"], own, strict=False)])
            for name, own in taken.items()
            if own and name != "raw"
        }
        for workload, taken in result["samples"].items()
    }
    names = list(next(iter(speeds.values())))
    rows = [
        [
            workload,
            *[_bold(n, f"{of[n][1]:.3f}") if n in of else "-" for n in names],
            f"{_STRETCH[workload]:.2f}" if workload in _STRETCH else "",
        ]
        for workload, of in speeds.items()
    ]
    groups = [
        (
            workload,
            [
                _bar(name, values)
                for name, values in sorted(speeds[workload].items(), key=lambda item: -item[1][1])
            ],
        )
        for workload in _DRAWN
        if workload in speeds
    ]
    title = "Speed beside raw ASGI, in process"
    versions = ", ".join(f"{name} {said}" for name, said in result["versions"].items())
    machine = {**result.get("machine", {}), "python": f"CPython {result['python']}"}
    said = [
        *method(machine, "Medians over rounds of the ratio inside of each; 1 is raw ASGI itself."),
        *_picture("asgi", title),
        *table(["workload", *names, "aim"], rows),
        f"Versions: {versions}.",
        "",
    ]
    return said, {"asgi": bars(title, "1 is raw ASGI, more is better", groups)}


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def router(result: Mapping[str, Any]) -> Section:
    """Routing alone, by the size of the table."""
    by_size = result["nanoseconds"]
    sizes = list(by_size)
    about = result["routers"]
    names = sorted(about, key=lambda name: by_size[sizes[-1]]["mixed"][name][1])
    rows = [
        [
            _bold(name, f"{name} {about[name]['version']}".removesuffix(" this repository")),
            about[name]["kind"],
            *[f"{by_size[size]['mixed'][name][1]:,.0f}" for size in sizes],
            *[
                f"{by_size[sizes[-1]][workload][name][1]:,.0f}"
                for workload in ("static_last", "one_last", "two_last", "miss")
            ],
            f"{about[name]['build_ms'][sizes[-1]]:,.1f}",
        ]
        for name in names
    ]
    title = "Routing alone: any of so many routes"
    drawn = [
        Line(f"{name} ({about[name]['kind']})" if about[name]["kind"] != "Python" else name,
             [(int(size), by_size[size]["mixed"][name][1]) for size in sizes], name == OURS)
        for name in names
    ]  # fmt: skip
    ours = [by_size[size]["mixed"][OURS][1] for size in sizes]
    last = sizes[-1]
    head = [
        "router", "in", *[f"{int(size):,} routes" for size in sizes],
        f"fixed path, last of {last}", "one parameter, last", "two parameters, last", "miss",
        "ms to build",
    ]  # fmt: skip
    said = [
        *method(
            result["machine"],
            f"{result['rounds']} interleaved rounds, a process for each router, CPU nanoseconds a"
            " path, 4,096 paths, every answer checked; one Python call around each.",
        ),
        *_picture("router", title),
        *table(head, rows),
        f"{int(sizes[-1]):,} routes cost {ours[-1] / ours[0]:.2f} times what {sizes[0]} do.",
        *_beaten_by(result),
        *[f"Left out: {each['router']} on `{each['workload']}`, since {each['why']}."
          for each in result.get("left_out", []) if each["router"] in about],
        "",
    ]  # fmt: skip
    return said, {"router": lines(title, "routes", "ns a path, less is better", drawn)}


def _beaten_by(result: Mapping[str, Any]) -> list[str]:
    """Return where a router in Python is quicker than ours."""
    found = [
        f"{name} on `{workload}` of {size} ({values[1]:,.0f} ns, ours {of_workload[OURS][1]:,.0f})"
        for size, of_size in result["nanoseconds"].items()
        for workload, of_workload in of_size.items()
        for name, values in of_workload.items()
        if values and result["routers"][name]["kind"] == "Python"
        if values[1] < of_workload[OURS][1]
    ]
    return [f"Quicker in Python: {'; '.join(found)}."] if found else ["None in Python is quicker."]


def startup(result: Mapping[str, Any]) -> Section:
    """Import of an app on CPython."""
    programs = result["programs"]
    rows = [
        [
            _bold(name, f"{name} {told['version']}".strip()),
            "{1:,.1f} ({0:,.1f} to {2:,.1f})".format(*told["milliseconds"]),
            str(told["modules"]),
        ]
        for name, told in programs.items()
    ]
    title = "Importing an app, beyond a bare process"
    drawn = [_bar(name, told["milliseconds"]) for name, told in programs.items() if name != "bare"]
    listed = result["modules"]["standard library"]
    said = [
        *method(
            result["machine"],
            f"Medians of {result['rounds']} fresh processes each, compiled files at hand; `bare` is"
            " a process that does nothing, the others are what they take beyond it.",
        ),
        *_picture("startup", title),
        *table(["program", "ms (quartiles)", "modules"], rows),
        f"Beside msgspec and argon2 the reference app loads {len(result['modules']['kagari'])} modules"
        f" of its own and the framework's, and of the standard library: {', '.join(listed)}."
        " `tests/test_start.py` fails when there is another.",
        "",
    ]
    return said, {"startup": bars(title, "ms, less is better", [("", drawn)])}


def growth(result: Mapping[str, Any]) -> Section:
    """The look-up of a session by the number of sessions."""
    by_size = result["microseconds"]
    rows = [
        [f"{int(size):,}", "{1:.1f} ({0:.1f} to {2:.1f})".format(*values)]
        for size, values in by_size.items()
    ]
    medians = [values[1] for values in by_size.values()]
    title = "Finding a session"
    points = [(int(size), values[1]) for size, values in by_size.items()]
    said = [
        *method(
            result["machine"],
            f"SQLite {result['sqlite']}, {result['rounds']} rounds of {result['batch']} random"
            " look-ups, CPU time, through the `Database` of the local server.",
        ),
        *_picture("growth", title),
        *table(["sessions", "µs a look-up (quartiles)"], rows),
        f"{rows[-1][0]} sessions cost {medians[-1] / medians[0]:.2f} times what {rows[0][0]} do."
        " `tests/test_query_plans.py` lets no statement scan a table.",
        "",
    ]
    drawn = [Line("a look-up", points, is_ours=True)]
    return said, {"growth": lines(title, "sessions", "µs", drawn, floor=1)}


SECTIONS = {
    "worker": ("In the Worker", worker, "python -m bench.worker"),
    "soak": ("Memory in the Worker", soak, "python -m bench.soak"),
    "argon2": ("Argon2 in the Worker", argon2, "python -m bench.argon2"),
    "asgi": ("On CPython, in process", asgi, "python -m bench.asgi --json bench/results/asgi.json"),
    "router": ("Routing alone", router, "python -m bench.router"),
    "imports": ("Start", startup, "python -m bench.imports"),
    "growth": ("Growth with data", growth, "python -m bench.growth"),
}
"""Title, writer and the command that measures, by the name of the result."""
