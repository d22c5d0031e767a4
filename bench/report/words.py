"""What all sections say in the same words: tables, pictures, and how something was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.report.svg import Bar

__all__ = ["OURS", "Section", "bar_of", "bold", "method", "picture", "table"]

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


def picture(name: str, title: str) -> list[str]:
    return [f"![{title}](performance/{name}.svg)", ""]


def bar_of(name: str, quartiles: Sequence[float]) -> Bar:
    low, middle, high = quartiles
    return Bar(name, low, middle, high, name.startswith(OURS))


def bold(name: str, text: str) -> str:
    return f"**{text}**" if name.startswith(OURS) else text
