"""Fetches what the wasm tier runs on into `.cache/wasm/`. Knows nothing of the bundle under test.

`modules/` is what `pywrangler` would vendor as `python_modules/`: wheels built for Pyodide. The one
package left out is `cffi`, whose wasm build is on no registry that pip reads; `stand_in/` fills
the gap. `runtime/` is workerd's own start-up code in Python (what refuses entropy, what finds and
calls the entrypoint), taken out of the installed runtime rather than imitated.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "wasm"

PINS = (
    "msgspec==0.23.0",
    "argon2-cffi==25.1.0",
    "argon2-cffi-bindings==26.2.0",
    "workers-runtime-sdk==1.9.5",
)

TARGET = (
    "--only-binary=:all:",
    "--python-version=3.14",
    "--implementation=cp",
    "--abi=cp314",
    "--platform=pyemscripten_2026_0_wasm32",
)

# A line that only this one of workerd's Python modules has. They stand in its binary as text that
# ends with a zero byte.
RUNTIME_MODULES = {
    "allow_entropy.py": "def raise_unless_entropy_allowed():",
    "entropy_import_context.py": "class DeterministicRandomNameSequence:",
    "entropy_patches.py": "def disable_urandom():",
    "import_patch_manager.py": "class BlockedCallModule:",
    "introspection.py": "def collect_entrypoint_classes(user_mod):",
}


class PreparationError(Exception):
    """What the wasm tier runs on can't be put together; the message says what is missing."""


def prepare() -> Path:
    """Return the folder with everything in place, fetching only when the pins have changed."""
    runtime = _find_workerd()
    stamp = "\n".join((*PINS, *TARGET, _workerd_version())) + "\n"
    stamp_file = CACHE / "stamp.txt"
    if not stamp_file.is_file() or stamp_file.read_text("utf-8") != stamp:
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as name:
            fresh = Path(name) / "wasm"
            _download(Path(name) / "wheels", fresh / "modules")
            _extract_runtime(runtime, fresh / "runtime")
            (fresh / "stamp.txt").write_text(stamp, "utf-8")
            shutil.rmtree(CACHE, ignore_errors=True)
            fresh.rename(CACHE)
    return CACHE


def _find_workerd() -> Path:
    """Return the runtime's binary, from whichever platform package npm installed."""
    found = sorted(ROOT.glob("node_modules/@cloudflare/workerd-*/bin/workerd*"))
    if not found:
        raise PreparationError("workerd is not installed: run `npm ci` first")
    return found[0]


def _workerd_version() -> str:
    """Return the name and version of the runtime that npm installed."""
    package = json.loads((ROOT / "node_modules" / "workerd" / "package.json").read_text("utf-8"))
    return f"workerd=={package['version']}"


def _download(wheels: Path, modules: Path) -> None:
    """Fetch the pinned wheels and unpack them side by side, as an installer would."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *TARGET]
    command += ["--disable-pip-version-check", "--dest", str(wheels), *PINS]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise PreparationError(f"pip could not fetch the wasm wheels:\n{finished.stderr.strip()}")
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(modules)


def _extract_runtime(binary: Path, target: Path) -> None:
    """Write workerd's Python modules as the package `_cloudflare` below *target*."""
    content = binary.read_bytes()
    package = target / "_cloudflare"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name, line in RUNTIME_MODULES.items():
        inside = content.find(f"\n{line}\n".encode())
        if inside == -1:
            raise PreparationError(f"workerd no longer holds {name}: its version has changed")
        start = content.rindex(b"\0", 0, inside) + 1
        (package / name).write_bytes(content[start : content.index(b"\0", inside)])


def main() -> int:
    """Prepare, say where, and return the exit code."""
    try:
        folder = prepare()
    except PreparationError as problem:
        sys.stderr.write(f"prepare: {problem}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
