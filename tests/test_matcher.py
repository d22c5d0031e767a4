"""The matcher finds what the table says, and what a naive matcher finds."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framework.matcher import Matcher
from framework.paths import decode_path, resolve_path
from framework.patterns import parse_pattern
from tests.reference_matcher import LITERAL, NAMED, STAR_REST, Part, match, paths, patterns, write
from tests.router_cases import CASES, RouterCase, read_route

MATCHED = [
    case
    for case in CASES
    if not case.prefixes and case.method == "GET" and case.status in {200, 404, 405}
]


def build(routes: list[str]) -> Matcher[str]:
    matcher: Matcher[str] = Matcher()
    for route in routes:
        methods, declared = read_route(route)
        for method in ("GET", "POST") if methods == ("ALL",) else methods:
            for path in declared:
                for pattern in parse_pattern(path):
                    matcher.add(method, pattern, route)
    return matcher


@pytest.mark.parametrize("case", MATCHED, ids=str)
def test_the_table(case: RouterCase) -> None:
    path = decode_path(resolve_path(case.path.partition("?")[0].partition("#")[0]))

    found = build(list(case.routes)).find("GET", path)

    assert found == (None if case.route is None else (case.route, case.parameters))


def expected(table: list[tuple[Part, ...]], path: str) -> tuple[str, dict[str, str]] | None:
    hits = [(match(parts, path), write(parts)) for parts in table]
    ranked = [(hit[0], written, hit[1]) for hit, written in hits if hit is not None]
    if not ranked:
        return None
    _, written, parameters = min(ranked, key=lambda found: found[0])  # type: ignore[arg-type, return-value]  # lists of ints, of texts
    return written, parameters


@settings(max_examples=250, deadline=None)
@given(st.lists(patterns(), min_size=1, max_size=8), st.lists(paths, min_size=1, max_size=6))
@example(
    [(Part(NAMED, ""),), (Part(LITERAL, "a"), Part(STAR_REST, ""))],
    ["/a", "/a/", "/b"],
)
def test_the_match_is_that_of_a_naive_matcher(
    table: list[tuple[Part, ...]], asked: list[str]
) -> None:
    matcher: Matcher[str] = Matcher()
    kept: list[tuple[Part, ...]] = []
    for parts in table:
        parsed = parse_pattern(write(parts))
        if all(matcher.owner("GET", pattern) is None for pattern in parsed):
            kept.append(parts)
            for pattern in parsed:
                matcher.add("GET", pattern, write(parts))

    for path in asked:
        assert matcher.find("GET", path) == expected(kept, path), path
        assert bool(matcher.find_all(path)) == (expected(kept, path) is not None)


@settings(max_examples=100, deadline=None)
@given(st.lists(patterns(), min_size=2, max_size=6, unique=True), st.lists(paths, max_size=4))
def test_the_order_never_decides(table: list[tuple[Part, ...]], asked: list[str]) -> None:
    written = [write(parts) for parts in table]
    forward, backward = Matcher[str](), Matcher[str]()
    parsed = [(text, parse_pattern(text)) for text in written]
    identities = [pattern for _, several in parsed for pattern in several]
    for matcher, order in ((forward, parsed), (backward, parsed[::-1])):
        for text, several in order:
            for pattern in several:
                matcher.add("GET", pattern, text)
    if any(forward.owner("GET", p) != backward.owner("GET", p) for p in identities):
        return  # a conflict, which an application refuses

    assert [forward.find("GET", p) for p in asked] == [backward.find("GET", p) for p in asked]


def test_an_owner_is_whoever_matches_the_same() -> None:
    matcher: Matcher[str] = Matcher()
    (pattern,) = parse_pattern("/x/:a/y")
    matcher.add("GET", pattern, "first")
    matcher.add("GET", pattern, "second")

    (other,) = parse_pattern("/x/*/y")

    assert matcher.owner("GET", other) == "first"
    assert matcher.owner("POST", other) is None
    assert matcher.find("GET", "/x/1/y") == ("first", {"a": "1"})


def test_a_path_costs_no_more_for_more_routes() -> None:
    asked: list[str] = []

    class Spy(dict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            asked.append(key)
            return super().get(key, default)

    def look_ups(routes: int) -> int:
        matcher = build([f"GET /r{n}/:id/edit" for n in range(routes)])
        (shape,) = matcher._tables["GET"].shapes.values()
        shape.routes = Spy(shape.routes)  # type: ignore[assignment]  # a spy
        asked.clear()
        assert matcher.find("GET", "/r1/7/edit") is not None
        return len(asked)

    assert look_ups(2) == look_ups(500) == 1


def test_long_paths_leave_nothing_behind() -> None:
    matcher = build(["GET /a/:b/*", "GET /x"])

    for count in range(3, 300):
        assert matcher.find("GET", "/a" * count) is not None

    assert len(matcher._tables["GET"].by_count) < 10
