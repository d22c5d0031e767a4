"""Writes docs/performance.md and its drawings of the results: ``python -m bench.report``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report.sections import SECTIONS

__all__ = ["main", "read", "render"]

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
DOCS = ROOT / "docs"

_INTRODUCTION = """\
# Performance

Written by `python -m bench.report` of what the benchmarks left in `bench/results/`. Each section
after the first says when, on what and how it was measured. Times are medians. Peers are pinned in
`bench/requirements.txt`. Absolute figures are of one machine at one time; ratios travel better.

## Where JavaScript is faster

A Worker in JavaScript answers several times as many requests as any in Python: see Hono in the table
below. No framework in Python can change most of this: the interpreter is WebAssembly inside of V8, and
every request crosses from JavaScript to Python and back. On the Python that workerd downloads, measured
by us earlier, the platform's part of that took about 0.4 ms of a request, and a process without any
framework 3.57 s to its first answer; Kinglet added 0.15 s and FastAPI 1.18 s. A framework decides what
comes on top of that, which is what follows. If every millisecond counts and you do not need Python, take
Hono.
"""


def read(folder: Path = RESULTS) -> dict[str, Any]:
    """Return the results in *folder* by name."""
    files = [folder / f"{name}.json" for name in SECTIONS]
    return {file.stem: json.loads(file.read_text("utf-8")) for file in files if file.is_file()}


def render(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of the document and the drawings, by their paths inside of docs/.

    What was not measured is said not to have been.
    """
    said = [_INTRODUCTION]
    files: dict[str, str] = {}
    for name, (title, write, command) in SECTIONS.items():
        said.append(f"## {title}\n")
        if name not in results:
            said.append(f"Not measured yet: `{command}`.\n")
            continue
        lines, drawings = write(results[name])
        said += [*lines, f"Again: `{command}`.\n"]
        files |= {f"performance/{drawing}.svg": text for drawing, text in drawings.items()}
    return {"performance.md": "\n".join(said), **files}


def main() -> None:
    """Write what changed."""
    for name, text in render(read()).items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
