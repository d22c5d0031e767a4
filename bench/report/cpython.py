"""Says what was measured on CPython: requests in process, routing, imports, growth."""

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from bench.report.svg import Line, bars, lines
from bench.report.words import OURS, Section, bar_of, bold, method, picture, table

__all__ = ["asgi", "growth", "imports", "router"]

_AIM = {
    "plaintext": 0.50, "json_param": 0.58, "post_model": 0.75, "mw5": 0.50, "auth": 0.50,
    "t400_last": 0.55, "t400_miss": 0.62, "miss404": 0.48, "miss405": 0.42,
}  # fmt: skip
"""What was aimed for, as a fraction of raw ASGI."""

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
            *[bold(n, f"{of[n][1]:.3f}") if n in of else "-" for n in names],
            f"{_AIM[workload]:.2f}" if workload in _AIM else "",
        ]
        for workload, of in speeds.items()
    ]
    groups = [
        (
            workload,
            [
                bar_of(name, values)
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
        *picture("asgi", title),
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
            bold(name, f"{name} {about[name]['version']}".removesuffix(" this repository")),
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
        *picture("router", title),
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
    found: dict[tuple[str, str], list[str]] = {}
    for size, of_size in result["nanoseconds"].items():
        for workload, taken in of_size.items():
            for name, values in taken.items():
                is_python = result["routers"][name]["kind"] == "Python"
                if is_python and values and values[1] < taken[OURS][1]:
                    said = f"{int(size):,} routes ({values[1]:,.0f} ns, ours {taken[OURS][1]:,.0f})"
                    found.setdefault((name, workload), []).append(said)
    if not found:
        return ["", "None in Python is quicker."]
    listed = [
        f"- {name}, {result['routers'][name]['about']}: `{workload}` of {', '.join(sizes)}"
        for (name, workload), sizes in found.items()
    ]
    return [
        "",
        "Routers in Python that are quicker, with paths of one kind alone:",
        "",
        *listed,
        "",
    ]


def imports(result: Mapping[str, Any]) -> Section:
    """Import of an app on CPython."""
    programs = result["programs"]
    rows = [
        [
            bold(name, f"{name} {told['version']}".strip()),
            "{1:,.1f} ({0:,.1f} to {2:,.1f})".format(*told["milliseconds"]),
            str(told["modules"]),
        ]
        for name, told in programs.items()
    ]
    title = "Importing an app, beyond a bare process"
    drawn = [
        bar_of(name, told["milliseconds"]) for name, told in programs.items() if name != "bare"
    ]
    listed = result["modules"]["standard library"]
    said = [
        *method(
            result["machine"],
            f"Medians of {result['rounds']} fresh processes each, compiled files at hand; `bare` is"
            " a process that does nothing, the others are what they take beyond it.",
        ),
        *picture("imports", title),
        *table(["program", "ms (quartiles)", "modules"], rows),
        f"Beside msgspec and argon2 the reference app loads {len(result['modules']['kagari'])} modules"
        f" of its own and the framework's, and of the standard library: {', '.join(listed)}."
        " `tests/test_start.py` fails when there is another.",
        "",
    ]
    return said, {"imports": bars(title, "ms, less is better", [("", drawn)])}


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
        *picture("growth", title),
        *table(["sessions", "µs a look-up (quartiles)"], rows),
        f"{rows[-1][0]} sessions cost {medians[-1] / medians[0]:.2f} times what {rows[0][0]} do."
        " `tests/test_query_plans.py` lets no statement scan a table.",
        "",
    ]
    drawn = [Line("a look-up", points, is_ours=True)]
    return said, {"growth": lines(title, "sessions", "µs", drawn, floor=1)}
