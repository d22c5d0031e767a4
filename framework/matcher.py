"""Finds the value registered for a method and a path. Knows nothing of handlers."""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from framework.patterns import Kind, Pattern, Segment

__all__ = ["Matcher", "Parameters"]

T = TypeVar("T")
Parameters = dict[str, str]
"""What the path holds for the pattern's names; an end wildcard is kept as ``*``."""

Check = Callable[[str], object]


class _Tail(NamedTuple, Generic[T]):
    """A route whose last segment alone is a parameter, or one that may end there with a wildcard."""

    check: Check | None
    name: str
    has_rest: bool
    regex: str
    value: T


class _Route(NamedTuple, Generic[T]):
    """A route of any other shape: where its parameters stand and what they have to match."""

    regexes: tuple[str, ...]
    names: tuple[tuple[int, str], ...]
    checks: tuple[tuple[int, Check], ...]
    value: T


class _Shape(Generic[T]):
    """All routes whose segments are of the same kinds: one look-up by their literals."""

    __slots__ = ("filled", "kinds", "literals", "rest", "routes")

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        self.kinds = kinds
        self.rest = len(kinds) - 1 if kinds[-1] >= Kind.REST else None
        required = [i for i, kind in enumerate(kinds) if Kind.LITERAL < kind < Kind.REST]
        self.filled = required[-1] if required else None
        """The last segment that must not be empty: only the last one of a path can be."""
        literals = [index for index, kind in enumerate(kinds) if kind is Kind.LITERAL]
        self.literals: Callable[[Sequence[str]], Any] = (
            itemgetter(*literals) if literals else _nothing
        )
        self.routes: dict[Any, list[_Route[T]]] = {}

    def takes(self, count: int) -> bool:
        """Return whether a path of *count* segments can have this shape."""
        if self.rest is None:
            return count == len(self.kinds)
        return count >= self.rest + (self.kinds[-1] is Kind.REST)

    def find(self, segments: list[str]) -> tuple[T, Parameters] | None:
        """Return the value and parameters of the route that *segments* match."""
        routes = self.routes.get(self.literals(segments))
        if routes is None or (self.filled is not None and not segments[self.filled]):
            return None
        if self.rest is not None:
            segments = [*segments[: self.rest], "/".join(segments[self.rest :])]
        for route in routes:
            checks = route.checks
            if not checks or all([check(segments[index]) for index, check in checks]):
                return route.value, {name: segments[index] for index, name in route.names}
        return None


class _Table(Generic[T]):
    """The routes of one method."""

    __slots__ = ("by_count", "owners", "shapes", "static", "static_rests", "tails")

    def __init__(self) -> None:
        self.owners: dict[Any, T] = {}
        """What is registered, by what can tell two patterns apart."""
        self.static: dict[str, T] = {}
        self.static_rests: dict[str, T] = {}
        """``/a/*`` by ``/a``: there it is as literal as can be, and comes before ``/:x``."""
        self.tails: dict[str, list[_Tail[T]]] = {}
        self.shapes: dict[tuple[Kind, ...], _Shape[T]] = {}
        self.by_count: dict[int, list[_Shape[T]]] = {}

    def find(self, path: str) -> tuple[T, Parameters] | None:
        value = self.static.get(path)
        return self.search(path) if value is None else (value, {})

    def search(self, path: str) -> tuple[T, Parameters] | None:
        """Return what `find` does, for a path that is not static."""
        if self.static_rests and (value := self.static_rests.get(path)) is not None:
            return value, {"*": ""}
        head, _, last = path.rpartition("/")
        for check, name, has_rest, _, value in self.tails.get(head, ()) if last else ():
            if check is None or check(last):
                return value, ({name: last, "*": ""} if has_rest else {name: last})
        return self._find_shape(path) if self.shapes else None

    def _find_shape(self, path: str) -> tuple[T, Parameters] | None:
        if "//" in path:
            return None
        segments = path.split("/")[1:]
        count = len(segments)
        shapes = self.by_count.get(count)
        if shapes is None:
            shapes = self._shapes_for(count)
        for shape in shapes:
            found = shape.find(segments)
            if found is not None:
                return found
        return None

    def _shapes_for(self, count: int) -> "list[_Shape[T]]":
        """Return the shapes for *count* segments, best first; kept for the counts that routes have."""
        shapes = [shape for shape in self.shapes.values() if shape.takes(count)]
        shapes.sort(key=_kinds)
        if count <= 1 + max(len(shape.kinds) for shape in self.shapes.values()):
            self.by_count[count] = shapes
        return shapes

    def add(self, pattern: Pattern, value: T) -> None:
        """Register *value*, unless the same pattern has one already."""
        identity = _identity(pattern)
        if identity in self.owners:
            return
        self.owners[identity] = value
        kinds = tuple(segment.kind for segment in pattern)
        self.by_count.clear()
        if max(kinds) is Kind.LITERAL:
            self.static[_join(pattern)] = value
        elif _is_tail(kinds):
            self._add_tail(pattern, value)
        else:
            self._add_route(kinds, pattern, value)

    def _add_tail(self, pattern: Pattern, value: T, *, has_rest: bool = False) -> None:
        last = pattern[-1]
        tails = self.tails.setdefault(_join(pattern[:-1]), [])
        tails.append(_Tail(_compile(last), last.text, has_rest, last.regex, value))
        tails.sort(key=lambda tail: (tail.check is None, tail.has_rest, tail.regex))

    def _add_route(self, kinds: tuple[Kind, ...], pattern: Pattern, value: T) -> None:
        if kinds[-1] is Kind.STAR_REST and _is_tail(kinds[:-1]):
            self._add_tail(pattern[:-1], value, has_rest=True)
        elif kinds[-1] is Kind.STAR_REST and not any(kinds[:-1]):
            self.static_rests[_join(pattern[:-1])] = value
        shape = self.shapes.setdefault(kinds, _Shape(kinds))
        routes = shape.routes.setdefault(shape.literals([s.text for s in pattern]), [])
        checks = [(index, _compile(segment)) for index, segment in enumerate(pattern)]
        routes.append(
            _Route(
                tuple(segment.regex for segment in pattern),
                tuple((i, s.text) for i, s in enumerate(pattern) if s.kind in _KEPT),
                tuple((index, check) for index, check in checks if check is not None),
                value,
            )
        )
        routes.sort(key=lambda route: route.regexes)


class Matcher(Generic[T]):
    """Values by method and path: literal before parameter before wildcard, from left to right.

    Two constraints at one place are tried in the order of their text, so the order of declaration
    never decides. Static paths cost one look-up, and no path costs more for there being more routes.
    """

    __slots__ = ("_tables",)

    def __init__(self) -> None:
        self._tables: dict[str, _Table[T]] = {}

    def add(self, method: str, pattern: Pattern, value: T) -> None:
        """Register *value* (not None), unless something `owner` returns is there already."""
        self._tables.setdefault(method, _Table()).add(pattern, value)

    def owner(self, method: str, pattern: Pattern) -> T | None:
        """Return the value whose pattern matches whatever *pattern* would, if there is one."""
        table = self._tables.get(method)
        return None if table is None else table.owners.get(_identity(pattern))

    def find(self, method: str, path: str) -> tuple[T, Parameters] | None:
        """Return the value for *method* and *path*, a decoded path, and the path's parameters."""
        table = self._tables.get(method)
        if table is None:
            return None
        value = table.static.get(path)
        return table.search(path) if value is None else (value, {})

    def find_all(self, path: str, other_than: str = "") -> dict[str, T]:
        """Return the value of each method that has one for *path*. For 405 and OPTIONS."""
        found: dict[str, T] = {}
        for method, table in self._tables.items():
            if method != other_than and (hit := table.find(path)) is not None:
                found[method] = hit[0]
        return found


_KEPT = {Kind.CONSTRAINED, Kind.NAMED, Kind.REST, Kind.STAR_REST}


def _is_tail(kinds: tuple[Kind, ...]) -> bool:
    return kinds[-1:] in {(Kind.CONSTRAINED,), (Kind.NAMED,)} and not any(kinds[:-1])


def _identity(pattern: Pattern) -> tuple[object, ...]:
    """Return what two patterns have in common that match the same: names do not count."""
    return tuple(
        (Kind.NAMED if kind is Kind.STAR else kind, text if kind is Kind.LITERAL else regex)
        for kind, text, regex in pattern
    )


def _join(pattern: Pattern) -> str:
    return "".join(["/" + segment.text for segment in pattern])


def _compile(segment: Segment) -> Check | None:
    return re.compile(segment.regex).fullmatch if segment.regex else None


def _kinds(shape: "_Shape[Any]") -> tuple[Kind, ...]:
    return shape.kinds


def _nothing(segments: Sequence[str]) -> tuple[()]:  # noqa: ARG001  stands in for an itemgetter
    return ()
