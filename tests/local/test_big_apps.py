"""What the build costs grows with the app and not with its square. Calls and memory are counted, not time."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from framework.local import prune, static_check


def write(root: Path, name: str, content: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


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
