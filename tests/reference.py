"""Writes docs/reference.md from the docstrings: python -m tests.reference. A test holds it to them."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

__all__ = ["MODULES", "PATH", "render"]

PATH = Path(__file__).parent.parent / "docs" / "reference.md"

_MIDDLEWARE = PATH.parent.parent / "framework" / "middleware"

MODULES = (
    "framework",
    "framework.errors",
    "framework.database",
    "framework.auth",
    "framework.auth.legacy",
    "framework.credentials",
    "framework.addresses",
    "framework.turnstile",
    "framework.fetching",
    "framework.foreign",
    "framework.streaming",
    "framework.multipart",
    "framework.signing",
    "framework.cookies",
    "framework.cookie_jar",
    "framework.conditional",
    "framework.log",
    "framework.response",
    "framework.bindings",
    "framework.context",
    "framework.queues",
    "framework.compose",
    "framework.application",
    *(f"framework.middleware.{path.stem}" for path in sorted(_MIDDLEWARE.glob("[a-z]*.py"))),
    "framework.openapi",
    "framework.testing",
    "framework.local.asgi",
    "framework.local.sqlite",
)
"""What people import, in the order of the page. The Worker's edge has a section of its own."""

_STARS = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}

_HEAD = """# Reference

Every public name, with what it returns and raises. Written from the docstrings by
`python -m tests.reference`; a test fails where the two differ. The [guide](guide.md) shows how they go
together.
"""

_TAIL = """
## framework.workers

### entrypoint(app)

Return the class that workerd makes an instance of for each request to *app*. Importable only inside of the
Worker: `kagari build` writes the module that calls it ([deploy.md](deploy.md)).
"""


def render() -> str:
    """Return the page."""
    seen: set[int] = set()
    sections = [_section(importlib.import_module(name), seen) for name in MODULES]
    return _HEAD + "".join(sections) + _TAIL


def _section(module: ModuleType, seen: set[int]) -> str:
    opening = (module.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    entries = []
    for name in sorted(module.__all__, key=str.casefold):
        value = getattr(module, name)
        if id(value) not in seen:
            seen.add(id(value))
            entries.append(_entry(name, value))
    return f"\n## {module.__name__}\n\n{opening}\n" + "".join(entries)


def _entry(name: str, value: Any) -> str:
    if inspect.isclass(value):
        return f"\n### {name}\n\n{_text(value)}\n{_members(value)}"
    if callable(value) and inspect.isfunction(value):
        return f"\n### {name}{_signature(value)}\n\n{_text(value)}\n"
    return f"\n### {name}\n\n{_described(name)}\n"


def _members(value: type) -> str:
    lines = [f"- {line}" for line in _lines(value).values()]
    lines += [f"- Also what `{name}` has: {members}." for name, members in _elsewhere(value)]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _lines(value: type) -> dict[str, str]:
    """Return a line for each member of *value*: its own, then those of bases that have no entry."""
    own = _own_lines(value)
    inherited: dict[str, str] = {}
    for base in reversed(value.__mro__[1:]):
        if _is_ours(base) and base not in _documented():
            inherited |= _own_lines(base)
    return own | inherited | own


def _own_lines(value: type) -> dict[str, str]:
    lines = {name: _line(name, member) for name, member in vars(value).items()}
    return {name: line for name, line in lines.items() if line}


def _line(name: str, member: Any) -> str:
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    if name.startswith("_") or not getattr(function, "__doc__", None):
        return ""
    if inspect.isfunction(function):
        return f"`{name}{_signature(function)}`: {_first(function)}"
    return f"`{name}`: {_first(member)}" if isinstance(member, property) else ""


def _elsewhere(value: type) -> Iterator[tuple[str, str]]:
    """Yield what *value* has of bases that have an entry, by their names."""
    told = set(_lines(value))
    for base in value.__mro__[1:]:
        names = [name for name in _lines(base) if name not in told] if base in _documented() else []
        told.update(names)
        if names:
            yield base.__name__, ", ".join(f"`{name}`" for name in names)


def _is_ours(owner: type) -> bool:
    return owner.__module__.partition(".")[0] == "framework"


@cache
def _documented() -> set[type]:
    """Return the classes that have an entry."""
    modules = [importlib.import_module(name) for name in MODULES]
    values = [getattr(module, name) for module in modules for name in module.__all__]
    return {value for value in values if inspect.isclass(value)}


def _signature(function: Any) -> str:
    names = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        star = _STARS.get(parameter.kind.name, "")
        default = "" if parameter.default is parameter.empty else "=" + _default(parameter.default)
        names.append(star + parameter.name + default)
    return f"({', '.join(names)})"


def _default(value: Any) -> str:
    text = repr(value)
    return text if re.fullmatch(r"[\w.'()\[\]\"-]{0,24}", text) else "…"


def _first(value: Any) -> str:
    paragraph = inspect.cleandoc(value.__doc__ or "").partition("\n\n")[0]
    return _prose(paragraph)


def _text(value: Any) -> str:
    parts = inspect.cleandoc(value.__doc__ or "").split("\n\n")
    grouped = groupby(parts, lambda part: part.lstrip("\n").startswith("    "))
    return "\n\n".join(_code(run) if is_code else _proses(run) for is_code, run in grouped)


def _code(parts: Iterable[str]) -> str:
    return "```py\n" + dedent("\n\n".join(parts)) + "\n```"


def _proses(parts: Iterable[str]) -> str:
    return "\n\n".join(map(_prose, parts))


def _prose(text: str) -> str:
    return text.replace("\n", " ").replace("``", "`").replace("` `", "``")


def _described(name: str) -> str:
    """Return the text that stands below the assignment of *name*, or below its annotation."""
    return _proses(_descriptions()[name].split("\n\n"))


@cache
def _descriptions() -> dict[str, str]:
    """Return the texts below assignments, of every module, by the name assigned."""
    found: dict[str, str] = {}
    for path in sorted((PATH.parent.parent / "framework").rglob("*.py")):
        body = ast.parse(path.read_text()).body
        for statement, below in pairwise(body):
            name = _assigned(statement)
            if name and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[name] = inspect.cleandoc(str(below.value.value))
    return found


def _assigned(statement: ast.stmt) -> str:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return targets[0].id if targets and isinstance(targets[0], ast.Name) else ""


if __name__ == "__main__":
    PATH.write_text(render())
    sys.stdout.write(f"wrote {PATH.name}\n")
