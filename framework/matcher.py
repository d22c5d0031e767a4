"""Finds the value registered for a method and a path. Knows nothing of handlers."""

import re
import sys
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar

from framework.patterns import Kind, Pattern, Segment, identity_of

__all__ = ["Matcher", "Parameters"]

T = TypeVar("T")
Parameters = dict[str, str]
"""The values of the path's parameters, by name; that of a trailing wildcard is kept as ``*``."""

Check = Callable[[str], object]
Literals = Callable[[Sequence[str]], Any]

# Plain tuples: a NamedTuple takes three times as long to take apart, and each request does.
_Tail = tuple[Check | None, str, bool, str, T]
"""A route whose last segment alone is a parameter, or one that may end there with a wildcard: what
the segment has to match, its name, whether the wildcard follows, the regex, and the value."""

_Route = tuple[tuple[tuple[int, str], ...], tuple[tuple[int, Check], ...], tuple[str, ...], T]
"""A route of any other shape: which segments are kept under which names, what segments have to
match, all regexes, and the value."""

_Pairs = dict[str, dict[str, tuple[str, str, T]]]
"""``/users/:id/posts/:post`` and the like, by ``posts`` and ``/users``: the names, and the value."""

_Look = tuple[Literals, dict[Any, tuple[_Route[T], ...]], int, int]
"""One look-up: what to look up of the segments, and where; `_Shape.filled` and `_Shape.rest`."""


class _Shape(Generic[T]):
    """All routes whose segments are of the same kinds: one look-up by their literals.

    Segments are counted from 1: the first part of a split path is what stands before its slash.
    """

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        self.kinds = kinds
        self.rest = len(kinds) if kinds[-1] >= Kind.REST else 0
        """Where all that is left is one parameter; 0 where nothing is."""
        required = [i for i, kind in enumerate(kinds, 1) if Kind.LITERAL < kind < Kind.REST]
        self.filled = required[-1] if required else 0
        """The last segment that must not be empty: only the last one of a path can be."""
        literals = [index for index, kind in enumerate(kinds, 1) if kind is Kind.LITERAL]
        self.literals: Literals = itemgetter(*literals) if literals else lambda _: ()
        self.routes: dict[Any, tuple[_Route[T], ...]] = {}
        self.names: dict[Any, tuple[tuple[int, str], ...]] = {}
        """Shared by routes whose parameters have the same names, so that they fit the CPU's cache."""

    def takes(self, count: int) -> bool:
        """Return whether a path of *count* segments can have this shape."""
        if not self.rest:
            return count == len(self.kinds)
        return count >= self.rest - (self.kinds[-1] is Kind.STAR_REST)

    def pairs(self) -> "_Pairs[T]":
        """Return the routes as pairs, where this is the shape of some."""
        pairs: _Pairs[T] = {}
        if self.kinds[-3:] == (Kind.NAMED, Kind.LITERAL, Kind.NAMED) and not any(self.kinds[:-3]):
            for literals, ((names, _, _, value),) in self.routes.items():
                *before, between = literals if isinstance(literals, tuple) else (literals,)
                heads = pairs.setdefault(between, {})
                heads["".join(["/" + text for text in before])] = names[0][1], names[1][1], value
        return pairs

    def add(self, pattern: Pattern, value: T) -> None:
        checks = [(index, _compile(segment)) for index, segment in enumerate(pattern, 1)]
        names = tuple((i, s.text) for i, s in enumerate(pattern, 1) if s.kind in _KEPT)
        added: _Route[T] = (
            self.names.setdefault(names, names),
            tuple((index, check) for index, check in checks if check is not None),
            tuple(segment.regex for segment in pattern),
            value,
        )
        literals = self.literals(["", *[sys.intern(segment.text) for segment in pattern]])
        several = [*self.routes.get(literals, ()), added]
        self.routes[literals] = tuple(sorted(several, key=itemgetter(2)))


class _Table(Generic[T]):
    """The routes of one method."""

    def __init__(self) -> None:
        self.owners: dict[Any, T] = {}
        """What is registered, by what can tell two patterns apart."""
        self.static: dict[str, T] = {}
        self.static_rests: dict[str, T] = {}
        """``/a/*`` by ``/a``: there it is as literal as can be, and comes before ``/:x``."""
        self.tails: dict[str, tuple[_Tail[T], ...]] = {}
        """By all of the path before the last segment."""
        self.shapes: dict[tuple[Kind, ...], _Shape[T]] = {}
        self.by_count: list[tuple[_Pairs[T], tuple[_Look[T], ...]]] = []
        """The shapes by the number of segments; the last is for all beyond the longest pattern."""

    def look_up(self, path: str, looks: "tuple[_Look[T], ...]") -> tuple[T, Parameters] | None:
        """Return the value and the parameters of the first of *looks* that finds *path*."""
        if "//" in path:
            return None
        segments = path.split("/")
        for literals, routes, filled, rest in looks:
            several = routes.get(literals(segments))
            if several is None or (filled and not segments[filled]):
                continue
            found = segments if not rest else [*segments[:rest], "/".join(segments[rest:])]
            for names, checks, _, value in several:
                if checks and not all([check(found[index]) for index, check in checks]):
                    continue
                return value, {name: found[index] for index, name in names}
        return None

    def sort(self, count: int) -> "tuple[_Pairs[T], tuple[_Look[T], ...]]":
        """Put the shapes into the order in which to try them; return those for *count* segments."""
        if not self.by_count:
            shapes = sorted(self.shapes.values(), key=attrgetter("kinds"))
            for length in range(2 + max(len(shape.kinds) for shape in shapes)):
                takers = [shape for shape in shapes if shape.takes(length)]
                pairs = takers[0].pairs() if takers else {}
                looks = [(s.literals, s.routes, s.filled, s.rest) for s in takers[bool(pairs) :]]
                self.by_count.append((pairs, tuple(looks)))
        return self.by_count[min(count, len(self.by_count) - 1)]

    def add(self, pattern: Pattern, value: T) -> None:
        """Register *value*, unless the same pattern has one already."""
        identity = identity_of(pattern)
        if identity in self.owners:
            return
        self.owners[identity] = value
        kinds = tuple(segment.kind for segment in pattern)
        self.by_count = []
        if max(kinds) is Kind.LITERAL:
            self.static[_join(pattern)] = value
        elif _is_tail(kinds):
            self._add_tail(pattern, value)
        else:
            self._add_route(kinds, pattern, value)

    def _add_tail(self, pattern: Pattern, value: T, *, has_rest: bool = False) -> None:
        last = pattern[-1]
        added: _Tail[T] = (_compile(last), last.text, has_rest, last.regex, value)
        head = _join(pattern[:-1])
        self.tails[head] = tuple(sorted([*self.tails.get(head, ()), added], key=_rank))

    def _add_route(self, kinds: tuple[Kind, ...], pattern: Pattern, value: T) -> None:
        if kinds[-1] is Kind.STAR_REST and _is_tail(kinds[:-1]):
            self._add_tail(pattern[:-1], value, has_rest=True)
        elif kinds[-1] is Kind.STAR_REST and not any(kinds[:-1]):
            self.static_rests[_join(pattern[:-1])] = value
        self.shapes.setdefault(kinds, _Shape(kinds)).add(pattern, value)


class Matcher(Generic[T]):
    """Values by method and path: literal before parameter before wildcard, from left to right.

    Two constraints at one place are tried in the order of their text, so the order of declaration
    never decides. Static paths cost one look-up, and no path costs more for there being more routes.
    """

    def __init__(self) -> None:
        self._tables: dict[str, _Table[T]] = {}

    def add(self, method: str, pattern: Pattern, value: T) -> None:
        """Register *value* (not None), unless `owner` already returns one for *pattern*."""
        self._tables.setdefault(method, _Table()).add(pattern, value)

    def owner(self, method: str, pattern: Pattern) -> T | None:
        """Return the value whose pattern matches whatever *pattern* would, if there is one."""
        table = self._tables.get(method)
        return None if table is None else table.owners.get(identity_of(pattern))

    def find(self, method: str, path: str) -> tuple[T, Parameters] | None:
        """Return the value for *method* and *path*, a decoded path, and the path's parameters."""
        try:
            table = self._tables[method]
        except KeyError:
            return None
        value = table.static.get(path)
        if value is not None:
            return value, {}
        if table.static_rests and (value := table.static_rests.get(path)) is not None:
            return value, {"*": ""}
        head, _, last = path.rpartition("/")
        tails = table.tails.get(head)
        if tails is not None and last:
            for check, name, has_rest, _, value in tails:
                if check is None or check(last):
                    return value, ({name: last, "*": ""} if has_rest else {name: last})
        if not table.shapes:
            return None
        count = path.count("/")
        try:
            pairs, looks = table.by_count[count]
        except IndexError:
            pairs, looks = table.sort(count)
        if pairs:  # half of what the same routes cost in `look_up`
            before, first, between = head.rsplit("/", 2)
            pair = pairs.get(between, _NO_PAIRS).get(before)
            if pair is not None and first and last:
                return pair[2], {pair[0]: first, pair[1]: last}
        return table.look_up(path, looks) if looks else None

    def find_all(self, path: str, other_than: str = "") -> dict[str, T]:
        """Return the value of each method that has one for *path*. For 405 and OPTIONS."""
        return {
            method: hit[0]
            for method in self._tables
            if method != other_than and (hit := self.find(method, path)) is not None
        }


_NO_PAIRS: dict[str, Any] = {}
_KEPT = {Kind.CONSTRAINED, Kind.NAMED, Kind.REST, Kind.STAR_REST}


def _is_tail(kinds: tuple[Kind, ...]) -> bool:
    return kinds[-1:] in {(Kind.CONSTRAINED,), (Kind.NAMED,)} and not any(kinds[:-1])


def _join(pattern: Pattern) -> str:
    return "".join(["/" + segment.text for segment in pattern])


def _compile(segment: Segment) -> Check | None:
    return re.compile(segment.regex).fullmatch if segment.regex else None


def _rank(tail: "_Tail[Any]") -> tuple[bool, bool, str]:
    check, _, has_rest, regex, _ = tail
    return check is None, has_rest, regex
