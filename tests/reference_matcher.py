"""A matcher that is slow, short and plainly right, to compare the real one with."""

import re
from itertools import product
from typing import NamedTuple

from hypothesis import strategies as st

LITERAL, CONSTRAINED, NAMED, STAR, REST, STAR_REST = range(6)


class Part(NamedTuple):
    """One segment as it is generated: what it matches, and how it is written."""

    kind: int
    text: str
    optional: bool = False

    def write(self, position: int) -> str:
        if self.kind == LITERAL:
            return self.text
        if self.kind in {STAR, STAR_REST}:
            return "*"
        regex = f"{{{self.text}}}" if self.text else ""
        return f":p{position}{regex}" + "?" * self.optional


def write(parts: tuple[Part, ...]) -> str:
    return "/" + "/".join(part.write(index) for index, part in enumerate(parts))


def match(parts: tuple[Part, ...], path: str) -> tuple[object, dict[str, str]] | None:
    """Return how good the best way is in which *parts* match *path*, and its parameters."""
    best: tuple[object, dict[str, str]] | None = None
    for taken in product(*[(True, False) if part.optional else (True,) for part in parts]):
        chosen = [(f"p{i}", part) for i, part in enumerate(parts) if taken[i]]
        found = _match_one(chosen or [("", Part(LITERAL, ""))], path.split("/")[1:])
        if found is not None:
            rank = [p.kind for _, p in chosen] or [LITERAL], [p.text for _, p in chosen if p.kind]
            if best is None or rank < best[0]:  # type: ignore[operator]  # lists of ints, of texts
                best = rank, found
    return best


def _match_one(parts: list[tuple[str, Part]], segments: list[str]) -> dict[str, str] | None:
    if "" in segments[:-1]:
        return None
    if not parts:
        return None if segments else {}
    (name, part), *others = parts
    if part.kind == STAR_REST:
        return {"*": "/".join(segments)}
    if not segments:
        return None
    if part.kind == REST:
        rest = "/".join(segments)
        return {name: rest} if re.fullmatch(part.text, rest) else None
    first, *left = segments
    fits = {
        LITERAL: first == part.text,
        CONSTRAINED: bool(first and re.fullmatch(part.text or "x", first)),
        NAMED: bool(first),
        STAR: bool(first),
    }[part.kind]
    found = _match_one(others, left) if fits else None
    return found if found is None or part.kind in {LITERAL, STAR} else {name: first, **found}


_literals = st.sampled_from(["a", "b", "ab", "1"]).map(lambda text: Part(LITERAL, text))
_named = st.booleans().map(lambda optional: Part(NAMED, "", optional))
_constrained = st.builds(
    Part, st.just(CONSTRAINED), st.sampled_from(["[0-9]+", "[a-z]", "a|1"]), st.booleans()
)
_last = st.one_of(
    st.just(Part(STAR_REST, "")),
    st.just(Part(LITERAL, "")),
    st.builds(Part, st.just(REST), st.sampled_from([".+", ".*", "a/.*", "[^b]+"]), st.booleans()),
)
_inner = st.one_of(_literals, _literals, _named, _constrained, st.just(Part(STAR, "")))


@st.composite
def patterns(draw: st.DrawFn) -> tuple[Part, ...]:
    """Return the parts of a pattern; a star at its end is an end wildcard."""
    parts = draw(st.lists(_inner, max_size=4)) + draw(st.lists(_last, max_size=1))
    if not parts:
        return (Part(LITERAL, ""),)
    if parts[-1].kind == STAR:
        parts[-1] = Part(STAR_REST, "")
    return tuple(parts)


paths = st.lists(st.sampled_from(["a", "b", "ab", "1", "x", "22", ""]), min_size=1, max_size=5).map(
    lambda segments: "/" + "/".join(segments)
)
