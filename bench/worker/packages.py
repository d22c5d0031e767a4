"""Lays out what each contestant's process mounts, below `.cache/bench/`. Knows no requests."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.wasm.prepare import ROOT, TARGET, prepare

__all__ = ["CONTESTANTS", "PINS", "lay_out", "versions"]

CACHE = ROOT / ".cache" / "bench" / "worker"
SOURCES = Path(__file__).with_name("contestants")
LOCAL_ONLY = shutil.ignore_patterns("local", "cli.py", "testing.py", "__pycache__", "py.typed")

PINS = {
    "fastapi": (
        "fastapi==0.165.0",
        "starlette==1.10.0",
        "pydantic==2.14.3",
        "pydantic-core==2.50.4",
        "anyio==4.16.0",
        "opentelemetry-api==1.45.2",
        "typing-extensions==4.16.0",
        "typing-inspection==0.4.5",
        "annotated-doc==0.0.7",
        "annotated-types==0.8.0",
        "idna==3.20",
    ),
    "kinglet": ("kinglet==2.0.0",),
}
"""What pip fetches for a contestant, each package named: none is looked for behind it."""

CONTESTANTS = ("handwritten", "lean", "kagari", "kinglet", "fastapi")


def lay_out(name: str, framework: Path = ROOT / "framework") -> list[Path]:
    """Return the folders that *name* runs on: its bundle, then its packages."""
    prepare()
    bundle = SOURCES / name
    if name == "kagari":
        bundle = CACHE / name
        shutil.rmtree(bundle, ignore_errors=True)
        shutil.copytree(SOURCES / name, bundle, ignore=LOCAL_ONLY)
        shutil.copytree(framework, bundle / "framework", ignore=LOCAL_ONLY)
    return [bundle, _fetch(name)] if name in PINS else [bundle]


def versions() -> dict[str, list[str]]:
    """Return the packages of each contestant that has some, pinned."""
    return {name: list(pins) for name, pins in PINS.items()}


def _fetch(name: str) -> Path:
    """Return the folder with the packages of *name*, fetched when the pins have changed."""
    folder = CACHE / f"{name}-packages"
    stamp = "\n".join((*PINS[name], *TARGET))
    stamp_file = CACHE / f"{name}.txt"
    if not stamp_file.is_file() or stamp_file.read_text("utf-8") != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        wheels = CACHE / "wheels" / name
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *TARGET]
        command += ["--disable-pip-version-check", "--dest", str(wheels), *PINS[name]]
        subprocess.run(command, check=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
        stamp_file.write_text(stamp, "utf-8")
    return folder
