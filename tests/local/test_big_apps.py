"""What the build costs grows with the app and not with its square. Calls and memory are counted, not time."""

from __future__ import annotations

import ast
import builtins
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from framework import App, Context, Response
from framework.local import minify, misuse, program, prune, scope, static_check, unbound
from framework.local.program import Module
from tests.local.test_stage import write


def test_a_module_is_read_once_for_all_names_that_others_take_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"S{number}" for number in range(50)]
    write(tmp_path, "routes/models.py", "".join(f"class {name}: ...\n" for name in names))
    for number in range(10):
        write(tmp_path, f"routes/r{number}.py", f"from routes.models import {', '.join(names)}\n")
    parsed: list[Path] = []
    parse = static_check._parse

    def count(file: Path) -> object:
        parsed.append(file)
        return parse(file)

    monkeypatch.setattr(static_check, "_parse", count)
    assert static_check.find_faults(tmp_path, lambda _: "", lambda _: "") == []
    assert len(parsed) == 12  # each as what imports, and the models as what is imported from


def stage_modules(root: Path, count: int) -> None:
    for number in range(count):
        write(root, f"routes/r{number}.py", f"import routes.r{number + 1}\n")
    write(root, "app.py", "import routes.r0\nimport framework.used\n")
    write(root, "framework/used.py", "")
    write(root, "framework/unused.py", "")


def test_what_is_reached_is_not_looked_at_again_for_each_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    whole = prune._whole

    def count(name: str) -> str | None:
        nonlocal asked
        asked += 1
        return whole(name)

    monkeypatch.setattr(prune, "_whole", count)
    stage_modules(tmp_path, 300)
    prune.drop_unused_modules(tmp_path)
    assert {file.name for file in (tmp_path / "framework").iterdir()} == {"used.py"}
    assert asked < 1_000


def test_a_text_of_many_dots_takes_no_memory_for_names_that_it_might_be(tmp_path: Path) -> None:
    page = "a.b();c.d=e;" * 4_000
    stage_modules(tmp_path, 1)
    write(tmp_path, "routes/page.py", f"PAGE = {page!r}\nMODULE = 'framework.unused.name'\n")
    tracemalloc.start()
    try:
        prune.drop_unused_modules(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000  # 200 MB, when each beginning of the text was made
    assert {file.name for file in (tmp_path / "framework").iterdir()} == {"used.py", "unused.py"}


def test_what_nests_too_deep_for_this_python_is_left_to_who_imports_it(tmp_path: Path) -> None:
    stage_modules(tmp_path, 1)
    write(tmp_path, "routes/deep.py", f"A = 'a'\nX = {' + '.join(['A'] * 20_000)}\n")
    prune.drop_unused_modules(tmp_path)
    minify.minify(tmp_path)
    assert (tmp_path / "routes/deep.py").is_file()


# --- What is looked for in functions -------------------------------------------------------------

LONG = "async def show(c: Context):\n    r0 = Response.text('')\n" + "".join(
    f"    r{number} = r{number - 1}.with_header('a', 'b')\n    work(r{number})\n"
    for number in range(1, 100)
)


def module_of(source: str) -> Module:
    names = {**vars(builtins), "Context": Context, "Response": Response, "work": print}
    tree = ast.parse(source)
    return Module("app.py", "/app.py", tree, [*ast.walk(tree)], names)


def test_what_a_name_comes_to_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    value_of = program.value_of

    def count(node: ast.AST | None, names: Mapping[str, Any]) -> Any:
        nonlocal asked
        asked += 1
        return value_of(node, names)

    monkeypatch.setattr(scope, "value_of", count)
    module = module_of(LONG)
    found = scope.Scope(module.tree.body[0], module, {})
    kinds = [found.kind(node) for node in found.nodes if isinstance(node, ast.Call)]
    assert kinds.count(Response) == 100
    assert asked < 1_000  # 20,000, when each asked all before it


def test_what_is_right_is_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[ast.AST] = []
    unparse = ast.unparse

    def write_out(node: ast.AST) -> str:
        written.append(node)
        return unparse(node)

    monkeypatch.setattr(ast, "unparse", write_out)
    module = module_of(LONG)
    assert misuse.find_misuse([module], scope.scopes_of([module], None), None) == []
    assert len(written) < 10


def test_functions_inside_of_another_ask_once_for_what_it_asks_for() -> None:
    inner = "".join(
        f"    async def a{each}(): await c.database('X').run('')\n" for each in range(30)
    )
    module = module_of(f"def make(c: Context):\n{inner}")
    asked = [*unbound._of_functions([module], scope.scopes_of([module], App()), App())]
    assert [each.name for each in asked] == ["X"] * 30  # 900 times, when each asked for all
