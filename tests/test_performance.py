"""docs/performance.md says what the committed results say, and nothing where there are none."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from bench.report.__main__ import DOCS, RESULTS, read, render
from bench.report.sections import SECTIONS
from bench.report.svg import Bar, Line, bars, lines
from bench.router.table import SIZES, WORKLOADS, routes

MACHINE = {"date": "2026-01-02", "processor": "A & B <C>", "cores": 2, "system": "Linux"}

# One small result of each kind, as the benchmarks write them.
RESULTS_OF_ALL: dict[str, Any] = {
    "workerd": {
        "machine": MACHINE,
        "versions": {"pyodide": "314.0.0", "hono": "4.0.0"},
        "rounds": 3,
        "seconds": 1.0,
        "connections": 8,
        "starts": 5,
        "ms_to_the_first_answer": {"kagari": {"median": 3_000, "q1": 2_900, "q3": 3_100}},
        "cases": {
            "public": {
                name: {
                    "requests_a_second": {"median": rate, "q1": rate - 1, "q3": rate + 1},
                    "kagari_is_faster_by": {"median": 2_000 / rate, "q1": 1, "q3": 1},
                }
                for name, rate in (("kagari", 2_000.0), ("fastapi", 500.0), ("hono", 10_000.0))
            }
        },
    },
    "worker": {
        "machine": {"date": "2026-01-02", "cpu": "A & B", "cores": 2, "system": "Linux"},
        "pyodide": "314.0.0",
        "rounds": 3,
        "bars": {"public": {"fastapi": 2.0}},
        "d1_trips_of_a_guarded_request": {"kagari": 1},
        "cases": {
            "public": {
                name: {
                    "microseconds": {"median": took, "q1": took - 1, "q3": took + 1},
                    "kagari_is_faster_by": {"median": took / 50, "q1": 1, "q3": 1},
                }
                for name, took in (("kagari", 50.0), ("fastapi", 125.0))
            }
        },
    },
    "startup": {
        "machine": MACHINE,
        "rounds": 3,
        "bars": {"app_ms": 60.0, "of_fastapi": 0.2},
        "of_fastapi": {"median": 0.15, "q1": 0.1, "q3": 0.2},
        "workers": {
            name: {
                "app_ms": {"median": 50.4, "q1": 40, "q3": 60},
                "libraries_ms": {"median": 7, "q1": 6, "q3": 8},
                "modules": {"app": 3.25},
            }
            for name in ("reference app", "fastapi")
        },
    },
    "soak": {
        "machine": MACHINE,
        "requests": 100_000,
        "after_the_first_part": {"python_objects": 9_000, "worker_bytes": 5},
        "after_the_last_part": {"python_objects": 9_007, "worker_bytes": 5},
        "growth": {"python_objects": 7},
    },
    "argon2": {
        "machine": MACHINE,
        "packages": ["argon2-cffi==25.1.0"],
        "rounds": 3,
        "sets": [
            {
                "memory_kib": 19_456,
                "passes": 2,
                "lanes": 1,
                "ms": {"median": 31.5, "q1": 31, "q3": 33},
                "first_ms": {"median": 40, "q1": 39, "q3": 41},
                "worker_mib_before": 20.5,
                "worker_mib_after": 40.0,
            }
        ],
    },
    "asgi": {
        "python": "3.13.1",
        "versions": {"kagari": "this repository", "falcon": "4.4.0"},
        "samples": {"plaintext": {"raw": [1.0, 1.0], "kagari": [2.0, 4.0], "falcon": []}},
    },
    "router": {
        "machine": MACHINE,
        "rounds": 3,
        "routers": {
            name: {
                "version": "1",
                "kind": kind,
                "about": "compiled",
                "build_ms": {"40": 1.0, "400": 2.0},
            }
            for name, kind in (("kagari", "Python"), ("falcon", "Python"), ("nanoroute", "C"))
        },
        "left_out": [{"router": "nanoroute", "workload": "miss_deep", "why": "it crashes"}],
        "nanoseconds": {
            size: {
                workload: {
                    "kagari": [1.0, 2.0, 3.0],
                    "falcon": [1.0, 1.5 if workload == "two_last" else 9.0, 11.0],
                    "nanoroute": None if workload == "miss_deep" else [1.0, 1.0, 1.0],
                }
                for workload in WORKLOADS
            }
            for size in ("40", "400")
        },
    },
    "imports": {
        "machine": MACHINE,
        "rounds": 3,
        "programs": {
            name: {"version": "", "milliseconds": [1.0, 2.0, 3.0], "modules": 5}
            for name in ("bare", "kagari, one route", "fastapi")
        },
        "modules": {"kagari": ["app"], "standard library": ["base64"]},
    },
    "growth": {
        "machine": MACHINE,
        "sqlite": "3.50.0",
        "rounds": 3,
        "batch": 500,
        "microseconds": {"1000": [9.0, 10.0, 11.0], "5000000": [11.0, 12.0, 13.0]},
    },
}


def test_the_document_is_what_the_results_say() -> None:
    for name, text in render(read()).items():
        assert (DOCS / name).read_text("utf-8") == text, "run: python -m bench.report"


def test_no_drawing_is_left_from_before() -> None:
    drawn = {f"performance/{file.name}" for file in (DOCS / "performance").iterdir()}

    assert drawn == set(render(read())) - {"performance.md"}


def test_every_result_that_is_kept_has_a_section() -> None:
    assert {file.stem for file in RESULTS.glob("*.json")} <= set(SECTIONS)


def test_what_was_not_measured_is_said_not_to_have_been() -> None:
    files = render({})

    assert set(files) == {"performance.md"}
    assert files["performance.md"].count("Not measured yet") == len(SECTIONS)
    assert "take\nHono" in files["performance.md"]  # where Hono is faster is always said


@pytest.mark.parametrize("name", SECTIONS)
def test_a_result_alone_is_shown_with_when_and_on_what(name: str) -> None:
    files = render({name: RESULTS_OF_ALL[name]})

    document = files["performance.md"]
    assert document.count("Not measured yet") == len(SECTIONS) - 1
    assert "*Measured on " in document
    assert ("2026-01-02" in document) == (name != "asgi")
    for drawing in set(files) - {"performance.md"}:
        assert f"]({drawing})" in document
        ElementTree.fromstring(files[drawing])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("workerd", "path parameter | **kagari** | 2,000 (1,999 to 2,001) |  |"),
        ("workerd", "| **kagari** | 3,000 (2,900 to 3,100) |"),
        ("workerd", "path parameter | hono | 10,000 (9,999 to 10,001) | 0.20 |"),
        ("worker", "| a public JSON route with a typed path parameter | fastapi |"),
        ("worker", "| 125 (124 to 126) | 2.50 | 2.00 |"),
        ("worker", "Trips to D1 that a guarded request makes: kagari 1."),
        ("startup", "| **reference app** | 50 (40 to 60) | 7 | 1 |"),
        ("startup", "takes 0.15 of FastAPI's time, where at most 0.20 was asked for"),
        ("soak", "100,000 guarded requests"),
        ("soak", "| python objects | 9,000 | 9,007 | +7 |"),
        ("argon2", "| m=19,456 KiB, t=2, p=1 | 32 (31 to 33) | 40 | 20.5 to 40.0 |"),
        ("asgi", "| plaintext | **0.375** | 0.50 |"),
        ("router", "400 routes cost 1.00 times what 40 do."),
        ("router", "- falcon, compiled: `two_last` of 40 routes (2 ns, ours 2), 400 routes (2 ns,"),
        ("router", "Left out: nanoroute on `miss_deep`, since it crashes."),
        ("imports", "| **kagari, one route** | 2.0 (1.0 to 3.0) | 5 |"),
        ("growth", "5,000,000 sessions cost 1.20 times what 1,000 do."),
    ],
)
def test_the_figures_are_those_of_the_result(name: str, sentence: str) -> None:
    assert sentence in render({name: RESULTS_OF_ALL[name]})["performance.md"]


def test_a_drawing_keeps_what_is_written_apart_from_its_own_marks() -> None:
    drawing = bars('<&">', "µs", [("<a>", [Bar("x & y", 1, 2, 3, False)])])

    words = [element.text for element in ElementTree.fromstring(drawing).iter() if element.text]
    assert {'<&">', "<a>", "x & y", "2"} <= set(words)


def test_lines_stay_inside_of_the_drawing() -> None:
    points = [(40, 0.4), (400, 55.0), (2000, 700_000.0)]

    root = ElementTree.fromstring(lines("t", "x", "y", [Line("one", points, True)]))

    height = float(root.attrib["viewBox"].split()[3])
    (path,) = [e.attrib["d"] for e in root.iter() if "line" in e.attrib.get("class", "").split()]
    corners = [tuple(map(float, point.split())) for point in path[1:].split("L")]
    assert len(corners) == 3
    assert all(0 <= x <= 760 and 0 <= y <= height for x, y in corners)


# --- What the router benchmark asks ---------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_table_has_as_many_routes_as_it_says(size: int) -> None:
    table = routes(size)

    assert [route.number for route in table] == list(range(size))
    assert len({route.segments for route in table}) == size


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_asks_for_what_its_name_says(name: str) -> None:
    questions = WORKLOADS[name].questions(40)

    assert len(questions) == 4096
    assert all((answer is None) == name.startswith("miss") for _, answer in questions)
    if not name.startswith("static"):
        assert len({path for path, _ in questions}) > 2048
    assert questions == WORKLOADS[name].questions(40)
