"""Draws bars and lines as SVG, light or dark as the reader's page is. Knows nothing of figures."""

from collections.abc import Sequence
from math import log10
from typing import NamedTuple
from xml.sax.saxutils import escape

__all__ = ["Bar", "Line", "bars", "lines"]

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 14px; font-weight: 600; }
.quiet { fill: #6e7781; }
.axis { stroke: #8c959f; stroke-width: 1; fill: none; }
.grid { stroke: #8c959f; stroke-opacity: 0.3; }
.other { fill: #8c959f; stroke: #8c959f; }
.ours { fill: #c2410c; stroke: #c2410c; }
.line { fill: none; stroke-width: 1.5; }
.line.ours { stroke-width: 3; }
.spread { stroke: #24292f; stroke-width: 1.5; }
text.ours, text.other { stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .quiet { fill: #9198a1; } .spread { stroke: #e6edf3; }
  .ours { fill: #fb923c; stroke: #fb923c; }
}
"""
_WIDTH = 760
_LEFT = 170
_RIGHT = 90
_ROW = 20


class Bar(NamedTuple):
    """One bar: its name, its length with quartiles, and whether it is ours."""

    label: str
    low: float
    value: float
    high: float
    is_ours: bool


class Line(NamedTuple):
    """One line: its name, its points, and whether it is ours."""

    label: str
    points: Sequence[tuple[float, float]]
    is_ours: bool


def bars(title: str, unit: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Return *groups* of bars, each below its heading. Thin lines are quartiles."""
    longest = max(bar.high for _, group in groups for bar in group)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    parts, y = [_text(0, 16, title, "title"), _text(_WIDTH, 16, unit, "quiet", "end")], 30.0
    for heading, group in groups:
        if heading:
            parts.append(_text(0, y + 14, heading, ""))
            y += _ROW
        for bar in group:
            kind = _kind(bar.is_ours)
            end = _LEFT + bar.value * scale
            low, high = _LEFT + bar.low * scale, _LEFT + bar.high * scale
            parts += [
                _text(_LEFT - 8, y + 14, bar.label, kind if bar.is_ours else "", "end"),
                f'<rect x="{_LEFT}" y="{y + 3:.0f}" width="{end - _LEFT:.1f}" height="14" class="{kind}"/>',
                f'<path d="M{low:.1f} {y + 10:.0f}H{high:.1f}" class="spread"/>',
                _text(max(end, high) + 6, y + 14, _number(bar.value), "quiet"),
            ]
            y += _ROW
        y += 8
    return _document(title, parts, y + 4)


def lines(title: str, x_name: str, y_name: str, drawn: Sequence[Line], floor: float = 0) -> str:
    """Return *drawn*, both axes logarithmic. The lower end is a power of ten, or *floor*."""
    xs = sorted({x for line in drawn for x, _ in line.points})
    ys = [y for line in drawn for _, y in line.points]
    low = log10(floor) if floor else int(log10(min(ys)))
    high = log10(max(ys) * 1.1)
    left, top, width, height = 60.0, 40.0, _WIDTH - 60 - 160, 380.0

    def across(x: float) -> float:
        return left + width * (log10(x) - log10(xs[0])) / (log10(xs[-1]) - log10(xs[0]))

    def down(y: float) -> float:
        return top + height * (1 - (log10(y) - low) / (high - low))

    parts = [_text(0, 16, title, "title"), _text(_WIDTH, 16, y_name, "quiet", "end")]
    for tick in _ticks(low, high):
        y = down(tick)
        parts.append(f'<path d="M{left} {y:.1f}H{left + width}" class="grid"/>')
        parts.append(_text(left - 6, y + 4, _number(tick), "quiet", "end"))
    for x in xs:
        parts.append(_text(across(x), top + height + 18, _number(x), "quiet", "middle"))
    parts.append(_text(left + width, top + height + 36, x_name, "quiet", "end"))
    parts.append(f'<path d="M{left} {top}V{top + height}H{left + width}" class="axis"/>')
    taken: list[float] = []
    for line in sorted(drawn, key=lambda line: -line.points[-1][1]):
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in line.points)
        kind = _kind(line.is_ours)
        parts.append(f'<path d="M{path}" class="line {kind}" style="fill: none"/>')
        place = max(down(line.points[-1][1]) + 4, (taken[-1] + 14) if taken else 0)
        taken.append(place)
        parts.append(_text(left + width + 8, place, line.label, kind if line.is_ours else ""))
    return _document(title, parts, max(top + height + 44, taken[-1] + 10))


def _ticks(low: float, high: float) -> list[float]:
    """Return powers of ten, or where there are few, round numbers between."""
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    numbers = [step * 10.0**power for power in range(int(low) - 1, int(high) + 2) for step in steps]
    return [number for number in numbers if low - 0.001 <= log10(number) <= high]


def _kind(is_ours: bool) -> str:
    return "ours" if is_ours else "other"


def _number(value: float) -> str:
    """Return *value* with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{shown} text-anchor="{anchor}">{escape(text)}</text>'


def _document(title: str, parts: Sequence[str], height: float) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )
