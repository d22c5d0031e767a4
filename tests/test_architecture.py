"""Modules import from the layers below their own alone, and importing the framework stays cheap."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import framework

ROOT = Path(framework.__file__).parent

# As in the docstring of framework/__init__.py, lowest first. A module may import those before it.
LAYERS = [
    [
        "shared_headers",
        "errors",
        "callables",
        "paths",
        "patterns",
        "urls",
        "cookies",
        "outgoing_body",
        "departure",
        "response",
        "streaming",
        "signing",
        "scrypt",
        "log",
    ],
    [
        "text_types",
        "validation",
        "exact_numbers",
        "sent_values",
        "multipart",
        "body",
        "fetching",
        "matcher",
        "hosts",
        "database",
    ],
    [
        "bindings",
        "request",
        "slots",
        "cookie_jar",
        "revalidation",
        "conditional",
        "origin",
        "context",
        "queues",
        "bearer_token",
        "client_network",
        "media_types",
        "negotiation",
        "compose",
        "answers",
    ],
    [
        "parameters",
        "plan",
        "answer_check",
        "guard_reads",
        "guards",
        "addresses",
        "credentials",
        "turnstile",
        "problem",
        "security_log",
        "session_scheme",
        "translation",
    ],
    ["interop", "route_checks", "router", "route", "fallback", "body_encoding", "application"],
    ["auth"],
    ["middleware", "openapi", "testing"],
    ["workers", "local", "cli"],
]

# Packages that exist in one place alone, by the only part of the framework that may import them.
CONFINED = {
    **dict.fromkeys(("js", "pyodide", "pyodide_js", "workers"), "workers"),
    **dict.fromkeys(("sqlite3", "uvicorn", "watchfiles"), "local"),
}

# Modules that import inside of functions throughout; elsewhere a comment on the line says why.
LAZY = {
    "cli": "each command loads what it needs alone, and says what is missing",
    "local.background": "asyncio and logging, for the few requests that leave work behind",
    "local.reloader": "watchfiles, for whoever watches files",
    "local.doctor": "importlib.metadata, for one question",
}

# Public constants whose name says all.
SELF_EVIDENT = {"DEFAULT_DATABASE"}

# Modules of more than 250 lines.
LONG = {
    "application": "what the application is and how it answers are read together",
    "guards": "the algebra of guards, each with how it compiles and what it is listed as",
    "parameters": "every source that a parameter is read from, each with what it refuses",
    "plan": "everything that is refused of a signature stands beside what is made of it",
    "testing": "a browser's cookie jar, its origin and its verbs are one class",
    "auth.accounts": "signing up, signing in and a new password undo and keep the same things",
    "auth.keys": "a key is made, checked, counted against and removed under the one name that it has",
    "auth.request_sessions": "one session from the cookie that names it to its renewal and its end",
    "local.advice": "a table of what Python says and what to write, looked through from top to bottom",
    "local.asgi": "one protocol from its first message to its last",
    "local.minify": "each kind of cut stands beside the check that the program is the same without it",
}


def module_name(path: Path) -> str:
    """Return the name below ``framework``: ``auth.store``, and ``""`` for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


UNEXPLAINED = re.compile(r"#\s*(type:\s*ignore(\[[a-z, -]*\])?|noqa(:[A-Z0-9, ]+)?)\s*$")
"""An ignore with nothing behind it. A reason follows two spaces: what it is, or why it is right."""

MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}
ORDER = {name: index for index, name in enumerate(name for layer in LAYERS for name in layer)}


def unit_of(module: str) -> str:
    """Return the name that the layers have for *module*: ``database_rows`` belongs to ``database``."""
    top = module.partition(".")[0]
    return top if top in ORDER else top.partition("_")[0]


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Return every module that *tree* imports, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layers"
            assert node.module is not None
            yield from (
                f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}".removeprefix("framework.") in MODULES
                else node.module
                for alias in node.names
                if alias.name != "__version__"  # which the package itself has
            )


def framework_imports(module: str) -> set[str]:
    found = {name for name in imports_of(TREES[module]) if name.partition(".")[0] == "framework"}
    return {name.removeprefix("framework").removeprefix(".") for name in found}


def test_the_layers_are_those_of_the_docstring() -> None:
    lines = re.findall(r"^\d+\. ([^:]+):", framework.__doc__ or "", re.MULTILINE)

    assert [" ".join(line.split()).split(", ") for line in lines] == LAYERS


def test_every_module_has_a_layer() -> None:
    assert {name for name in MODULES if name and unit_of(name) not in ORDER} == set()
    assert set(ORDER) <= {unit_of(name) for name in MODULES if name}


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_no_module_imports_from_a_layer_above(module: str) -> None:
    own = unit_of(module)

    for imported in framework_imports(module):
        assert imported != "", "import from the module that has it, not from framework"
        other = unit_of(imported)
        assert other == own or ORDER[other] < ORDER[own], f"{module} imports {imported}"


def test_no_modules_import_each_other() -> None:
    edges = {name: framework_imports(name) - {name} for name in MODULES}
    while leaves := [name for name, imported in edges.items() if not imported]:
        for leaf in leaves:
            del edges[leaf]
        edges = {name: imported - set(leaves) for name, imported in edges.items()}

    assert edges == {}


@pytest.mark.parametrize("module", MODULES)
def test_what_exists_in_one_place_is_imported_there_alone(module: str) -> None:
    for imported in imports_of(TREES[module]):
        owner = CONFINED.get(imported.partition(".")[0])
        assert owner in {None, unit_of(module)}, f"{module} imports {imported}"


@pytest.mark.parametrize("module", [name for name in MODULES if name not in LAZY])
def test_an_import_inside_of_a_function_says_why(module: str) -> None:
    lines = MODULES[module].read_text("utf-8").splitlines()
    top = {id(node) for node in TREES[module].body}

    bare = [
        f"{module}:{node.lineno}"
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Import | ast.ImportFrom)
        if id(node) not in top and "#" not in lines[node.lineno - 1]
    ]

    assert bare == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_imported_for_type_checkers_alone(module: str) -> None:
    assert "TYPE_CHECKING" not in MODULES[module].read_text("utf-8")


def documented(tree: ast.Module) -> set[str]:
    """Return the names that *tree* defines with a docstring; one may stand for several above it."""
    names: set[str] = set()
    waiting: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names |= {node.name} if ast.get_docstring(node) else set()
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            waiting |= {target.id for target in targets if isinstance(target, ast.Name)}
            continue
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            names |= waiting
        waiting = set()
    return names


def public_names(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def imported_names(tree: ast.Module) -> set[str]:
    nodes = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in nodes for alias in node.names}


def obvious(tree: ast.Module) -> set[str]:
    """Return the names that are types only: ``Check = Callable[...]`` says all there is to say."""
    return {
        ast.unparse(node.targets[0])
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp)
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring(module: str) -> None:
    tree = TREES[module]

    known = imported_names(tree) | documented(tree) | obvious(tree) | SELF_EVIDENT
    assert public_names(tree) - known == set()


@pytest.mark.parametrize("module", MODULES)
def test_every_module_opens_with_a_sentence(module: str) -> None:
    assert ast.get_docstring(TREES[module])


def slots_of(owner: ast.ClassDef) -> set[str]:
    """Return what the ``__slots__`` of *owner* name."""
    values = [
        node.value
        for node in owner.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__"
    ]
    return {name for value in values for name in ast.literal_eval(value)}


def annotated_names(owner: ast.ClassDef) -> set[str]:
    """Return the names in the annotations of *owner*'s methods."""
    methods = [
        node for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    arguments = [node for method in methods for node in ast.walk(method.args)]
    annotations = [node.annotation for node in arguments if isinstance(node, ast.arg)]
    annotations += [method.returns for method in methods]
    nodes = [node for annotation in annotations if annotation for node in ast.walk(annotation)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


@pytest.mark.parametrize("module", MODULES)
def test_no_annotation_names_a_slot_of_its_class(module: str) -> None:
    # Pyright takes such a name for the slot, and what it says of the type for Unknown.
    classes = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.ClassDef)]

    mistaken = {owner.name: annotated_names(owner) & slots_of(owner) for owner in classes}

    assert {name for name, names in mistaken.items() if names} == set()


def untyped_slots(owner: ast.ClassDef) -> set[str]:
    """Return the public slots of *owner* that it sets without saying of what type they are."""
    typed = {
        ast.unparse(node.target) for node in ast.walk(owner) if isinstance(node, ast.AnnAssign)
    }
    public = {name for name in slots_of(owner) if not name.startswith("_")}
    return {name for name in public if not typed & {name, f"self.{name}"}}


@pytest.mark.parametrize("module", MODULES)
def test_public_slots_have_types(module: str) -> None:
    # Pyright looks at no other assignment for them in a package that says that it is typed.
    classes = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.ClassDef)]

    public = [owner for owner in classes if not owner.name.startswith("_")]
    untyped = {owner.name: untyped_slots(owner) for owner in public}

    assert {name: names for name, names in untyped.items() if names} == {}


def test_a_long_module_has_a_reason() -> None:
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}

    assert {name for name, length in lengths.items() if length > 250} == set(LONG)


def test_what_is_ignored_has_its_reason_on_its_line() -> None:
    folders = [ROOT.parent / name for name in ("framework", "routes", "tests", "bench")]
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    lines = [(path, line) for path in sources for line in path.read_text("utf-8").splitlines()]

    assert [(str(path), line) for path, line in lines if UNEXPLAINED.search(line)] == []


@cache
def loaded_by(*statements: str) -> set[str]:
    program = ";".join([*statements, "import sys", "print(*sys.modules)"])
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    return set(ran.stdout.split())


# What importing the framework loads besides itself and what msgspec brings along.
EXTRA: set[str] = set() if sys.version_info < (3, 13) else {"math"}  # a built-in module, in C


def test_importing_the_framework_loads_little_more_than_msgspec() -> None:
    extra = loaded_by("import framework") - loaded_by("import msgspec")

    assert {name for name in extra if name.partition(".")[0] != "framework"} == EXTRA


def test_importing_the_framework_loads_no_plug_in_and_no_edge() -> None:
    loaded = {name for name in loaded_by("import framework") if name.startswith("framework.")}

    assert {
        name for name in loaded if ORDER[unit_of(name.partition(".")[2])] > ORDER["application"]
    } == set()


@pytest.mark.parametrize(
    "module",
    [
        *("asyncio", "dataclasses", "email", "http.client", "json", "logging", "urllib.request"),
        *(
            "argparse",
            "pathlib",
            "random",
            "secrets",
            "socket",
            "sqlite3",
            "subprocess",
            "tempfile",
        ),
    ],
)
def test_what_is_slow_to_import_is_not(module: str) -> None:
    # Where msgspec alone brings it along there is nothing that we can do.
    assert module not in loaded_by("import framework") - loaded_by("import msgspec")
