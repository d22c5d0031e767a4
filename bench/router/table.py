"""The routes that every router is given, and the paths that it is asked for. Knows no router."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

__all__ = ["SIZES", "WORKLOADS", "Answer", "Find", "Route", "Workload", "routes"]

SIZES = (40, 400, 2000)
"""How many routes there are, four of each resource."""

VARIANTS = 4096
"""How many paths a workload goes through: more than any cache of a router keeps."""

Answer = tuple[int, dict[str, str]] | None
"""The number of the route that a path is for, and its parameters; None where there is none."""

Find = Callable[[str], Any]
"""Looks a path up."""


class Route(NamedTuple):
    """One route, as literals and, in angle brackets, names of parameters."""

    number: int
    segments: tuple[str, ...]

    def written(self, opening: str, closing: str) -> str:
        """Return the pattern with each name between *opening* and *closing*."""
        parts = [part.replace("<", opening).replace(">", closing) for part in self.segments]
        return "/" + "/".join(parts)

    def filled(self, *values: str) -> tuple[str, dict[str, str]]:
        """Return a path for this route, and its parameters."""
        waiting = iter(values)
        parameters = {part[1:-1]: next(waiting) for part in self.segments if part[0] == "<"}
        parts = [parameters.get(part[1:-1], part) for part in self.segments]
        return "/" + "/".join(parts), parameters


def routes(count: int) -> list[Route]:
    """Return *count* routes in the order of declaration."""
    shapes = (
        ("users",),
        ("users", "<id>"),
        ("users", "<id>", "posts", "<pid>"),
        ("static", "page"),
    )
    listed = [(f"r{group}", *shape) for group in range(count // 4) for shape in shapes]
    return [Route(number, segments) for number, segments in enumerate(listed)]


class Workload(NamedTuple):
    """Paths to ask for, each with its answer."""

    name: str
    about: str

    def questions(self, count: int) -> list[tuple[str, Answer]]:
        """Return the paths for a table of *count* routes, the same every time."""
        return list(self._questions(routes(count), Random(self.name)))

    def _questions(self, table: list[Route], random: Random) -> Iterator[tuple[str, Answer]]:
        last = len(table) - 4
        middle = last // 8 * 4
        chosen = {"first": 0, "last": last, "middle": middle}
        for _ in range(VARIANTS):
            first, second = (f"{random.getrandbits(40):x}" for _ in range(2))
            kind, _, place = self.name.partition("_")
            if kind == "miss":
                tail = "/posts/1/more" if place == "deep" else ""
                yield f"/absent{first}/users/{second}{tail}", None
                continue
            if kind == "mixed":
                route = random.choice(table)
            else:
                route = table[chosen[place] + {"static": 0, "one": 1, "two": 2}[kind]]
            path, parameters = route.filled(first, second)
            yield path, (route.number, parameters)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("static_first", "a fixed path, declared first"),
        Workload("static_last", "a fixed path, declared among the last"),
        Workload("one_first", "one parameter, among the first"),
        Workload("one_middle", "one parameter, in the middle"),
        Workload("one_last", "one parameter, among the last"),
        Workload("two_last", "two parameters, among the last"),
        Workload("miss", "a path that nothing matches"),
        Workload("miss_deep", "such a path of more segments than any route"),
        Workload("mixed", "any route, drawn for each path"),
    )
}
"""What is asked, by name."""
