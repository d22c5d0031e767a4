"""What is imported can be kept in the snapshot that workerd takes of an uploaded Worker."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from framework.local.stage import ENTRY

from .launcher import find_node
from .prepare import ROOT, prepare

SCRIPT = Path(__file__).with_name("snapshot.mjs")
LOCAL_ONLY = shutil.ignore_patterns("local", "cli.py", "testing.py", "__pycache__")


def held(bundle: Path) -> Any:
    """Return what no snapshot could hold of what *bundle* has of JavaScript, once it is imported."""
    prepare()
    command = [find_node(), "--experimental-wasm-jspi", str(SCRIPT), str(bundle)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_a_snapshot_holds_all_that_the_app_has_of_javascript(tmp_path: Path) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    for name in ("framework", "routes"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=LOCAL_ONLY)
    (tmp_path / "worker.py").write_text(ENTRY)

    assert held(tmp_path) == []


def test_an_object_that_was_made_at_import_is_found(tmp_path: Path) -> None:
    made = "import js\nmade = js.Headers.new()\n"
    entry = "from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint): ...\n"
    (tmp_path / "worker.py").write_text(made + entry)

    assert held(tmp_path) == ["[object Headers]"]
