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

__all__ = ["MODULES", "PATH", "names_of", "render"]

PATH = Path(__file__).parent.parent / "docs" / "reference.md"

_MIDDLEWARE = PATH.parent.parent / "framework" / "middleware"
_INTERNAL = {"nonce", "options"}  # what policies and layers are made with

MODULES = (
    "framework",
    "framework.errors",
    "framework.database",
    "framework.auth",
    "framework.auth.breached",
    "framework.auth.legacy",
    "framework.credentials",
    "framework.addresses",
    "framework.turnstile",
    "framework.negotiation",
    "framework.translation",
    "framework.fetching",
    "framework.interop",
    "framework.streaming",
    "framework.multipart",
    "framework.signing",
    "framework.cookies",
    "framework.cookie_jar",
    "framework.conditional",
    "framework.problem",
    "framework.log",
    "framework.security_log",
    "framework.request",
    "framework.response",
    "framework.bindings",
    "framework.context",
    "framework.slots",
    "framework.guards",
    "framework.queues",
    "framework.compose",
    "framework.application",
    *(
        f"framework.middleware.{path.stem}"
        for path in sorted(_MIDDLEWARE.glob("[a-z]*.py"))
        if path.stem not in _INTERNAL
    ),
    "framework.openapi",
    "framework.testing",
    "framework.local.asgi",
    "framework.local.sqlite",
)
"""What people import, in the order of the page. The Worker's edge has a section of its own."""

_ONLY = {
    "framework.middleware.database_meter": ["Meter", "meter_of"],
    "framework.problem": ["Problem", "problem"],
}
"""What is for people in modules whose other names the framework uses alone."""

_ALONE = {
    "framework.bindings": {"is_bindings", "read_bindings"},
    "framework.context": {"find_database"},
    "framework.cookies": {"TOKEN"},
    "framework.fetching": {"too_large", "too_late", "without_coding"},
    "framework.guards": {"Check", "CompiledGuard"},
    "framework.multipart": {"ESCAPES", "type_parameters"},
    "framework.openapi": {"session_cookie"},
    "framework.queues": {"Settle"},
    "framework.response": {"EMPTY_STATUSES"},
    "framework.security_log": {"check_security_log", "log_refusal"},
    "framework.slots": {"handed_on", "note_body", "reserve"},
}
"""What the framework uses alone in modules whose other names are for people."""

INTERNAL = {
    "App": {"adopt", "chains"},
    "Context": {
        *("actor", "after_answer", "cookies_to_send", "drop", "drop_unsent", "filled", "forget"),
        *("if_failed", "is_answered", "provided", "reads", "refill", "refuse_answered"),
        *("refuse_unawaited", "sent_cookies", "told", "unawaited", "unsent", "wrap_database"),
    },
    "Keys": {"hash", "make", "renew_hash", "verify"},
    "Request": {"plain_path"},
    "Router": {"adopt", "chains"},
    "Sessions": {
        *("begin", "ends", "find", "is_due_to_note", "is_over", "is_recent", "limit", "note"),
        "renew_or_delete",
    },
    "Users": {"deletion"},
}
"""What the framework calls on classes that people use as well, and has no place in the reference."""

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
    told = _told()
    index = "".join(_index_line(module, told[module]) for module in MODULES)
    sections = [_section(importlib.import_module(name), told[name]) for name in MODULES]
    return _HEAD + "\n" + index + "".join(sections) + _TAIL


def names_of(module: ModuleType) -> list[str]:
    """Return the names of *module* that have an entry, unless another module has it."""
    alone = _ALONE.get(module.__name__, set())
    names = [name for name in _ONLY.get(module.__name__, module.__all__) if name not in alone]
    return sorted(names, key=str.casefold)


def _told() -> dict[str, list[str]]:
    """Return what each module tells of: its names, but for what one before it has told of."""
    seen: set[int] = set()
    told: dict[str, list[str]] = {}
    for module in map(importlib.import_module, MODULES):
        names = [name for name in names_of(module) if id(getattr(module, name)) not in seen]
        seen |= {id(getattr(module, name)) for name in names}
        told[module.__name__] = names
    return told


def _index_line(module: str, names: list[str]) -> str:
    anchor = module.replace(".", "")
    return f"- [{module}](#{anchor}): {', '.join(f'`{name}`' for name in names)}\n"


def _section(module: ModuleType, names: list[str]) -> str:
    opening = (module.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    entries = [_entry(name, getattr(module, name), module) for name in names]
    return f"\n## {module.__name__}\n\n{opening}\n" + "".join(entries)


def _entry(name: str, value: Any, module: ModuleType) -> str:
    if inspect.isclass(value):
        return f"\n### {name}\n\n{_text(value)}\n{_members(value)}"
    if callable(value) and inspect.isfunction(value):
        return f"\n### {name}{_signature(value)}\n\n{_text(value)}\n"
    return f"\n### {name}\n\n{_described(name, module.__name__)}\n"


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
    internal = INTERNAL.get(value.__name__, set())
    members = {name: _line(name, member) for name, member in vars(value).items()}
    lines = _fields(value) | {name: line for name, line in members.items() if line}
    return {name: line for name, line in lines.items() if name not in internal}


def _fields(value: type) -> dict[str, str]:
    """Return a line for each annotated name in the body of *value*, with the text below it."""
    classes = [
        node
        for node in ast.walk(_tree(value.__module__))
        if isinstance(node, ast.ClassDef) and node.name == value.__name__
    ]
    lines = {}
    for statement, below in pairwise([*(classes[0].body if classes else ()), ast.Pass()]):
        name = _assigned(statement)
        if isinstance(statement, ast.AnnAssign) and name and not name.startswith("_"):
            lines[name] = f"`{ast.unparse(statement)}`{_below(below)}"
    return lines | _attributes(classes)


def _attributes(classes: list[ast.ClassDef]) -> dict[str, str]:
    """Return a line for each attribute that ``__init__`` sets and has a text below."""
    bodies = [
        [*method.body, ast.Pass()]
        for node in classes
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name == "__init__"
    ]
    steps = [step for body in bodies for step in pairwise(body)]
    return {
        target.attr: f"`{target.attr}`{_below(below)}"
        for statement, below in steps
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _below(below)
        for target in getattr(statement, "targets", [getattr(statement, "target", None)])
        if isinstance(target, ast.Attribute) and not target.attr.startswith("_")
    }


def _below(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return ": " + _in_full(value.value)
    return ""


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(module).__file__ or "").read_text())


def _line(name: str, member: Any) -> str:
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    if name.startswith("_") or not getattr(function, "__doc__", None):
        return ""
    if inspect.isfunction(function):
        return f"`{name}{_signature(function)}`: {_in_full(function.__doc__)}"
    return f"`{name}`: {_in_full(member.__doc__)}" if isinstance(member, property) else ""


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
    values = [getattr(module, name) for module in modules for name in names_of(module)]
    return {value for value in values if inspect.isclass(value)}


def _signature(function: Any) -> str:
    names: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        star = _STARS.get(parameter.kind.name, "")
        if parameter.kind is parameter.KEYWORD_ONLY and not any(
            each.startswith("*") for each in names
        ):
            names.append("*")
        default = "" if parameter.default is parameter.empty else "=" + _default(parameter.default)
        names.append(star + parameter.name + default)
    return f"({', '.join(names)})"


def _default(value: Any) -> str:
    text = repr(value)
    return text if re.fullmatch(r"[\w.'()\[\]\"-]{0,24}", text) else "…"


def _in_full(text: str | None) -> str:
    """Return *text* as one paragraph, for an entry of a list."""
    return _prose(re.sub(r"\n+", " ", inspect.cleandoc(text or "")))


def _text(value: Any) -> str:
    parts = inspect.cleandoc(value.__doc__ or "").split("\n\n")
    grouped = groupby(parts, lambda part: part.lstrip("\n").startswith("    "))
    return "\n\n".join(_code(run) if is_code else _proses(run) for is_code, run in grouped)


def _code(parts: Iterable[str]) -> str:
    return "```py\n" + dedent("\n\n".join(parts)) + "\n```"


def _proses(parts: Iterable[str]) -> str:
    return "\n\n".join(map(_prose, parts))


def _prose(text: str) -> str:
    """Return *text* in one line, or one for each item of a list."""
    return re.sub(r"\n(?!- ) *", " ", text).replace("``", "`").replace("` `", "``")


def _described(name: str, module: str) -> str:
    """Return the text that stands below the assignment of *name*, where *module* has it from."""
    source = _tree(module)
    for statement, below in pairwise(source.body):
        if _assigned(statement) == name:
            assert isinstance(below, ast.Expr), f"{module} says nothing of {name}"
            assert isinstance(below.value, ast.Constant), f"{module} says nothing of {name}"
            return _proses(inspect.cleandoc(str(below.value.value)).split("\n\n"))
    for statement in source.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return _described(alias.name, statement.module)
    raise LookupError(f"{module} has no {name}")


def _assigned(statement: ast.stmt) -> str:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return targets[0].id if targets and isinstance(targets[0], ast.Name) else ""


if __name__ == "__main__":
    PATH.write_text(render())
    sys.stdout.write(f"wrote {PATH.name}\n")
