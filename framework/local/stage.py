"""Puts what is uploaded into `build/worker/`, and leaves nothing there that would not run.

Wrangler uploads every module beside the Worker's main one, virtual environments and tests included,
so the main one stands alone with what it needs. The stage before is removed first: a failed build
deploys nothing, rather than what was built last.

What nothing imports is left out (`prune.py`), and so is what is written for readers (`minify.py`).

Wrangler runs this file with whichever Python it finds, so it needs nothing but the standard
library, and imports nothing of the framework's. Whether the staged app imports, `import_check.py` finds
out in another process, under a Python that has the app's dependencies.
"""

from __future__ import annotations

import gzip
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STAGE = Path("build", "worker")
ENVIRONMENTS = (".venv", ".venv-workers")
HERE = Path(__file__).parent
IMPORT_CHECK = HERE / "import_check.py"
OPTIONS = ("-I", "-B", "-Xutf8", "-Xfaulthandler")  # which says where a library crashes
WRANGLER_GZIP_LEVEL = 6  # of zlib: what it says after "gzip:" when it uploads

LACKS_PACKAGES = 3
HEADINGS = {
    1: "the app does not import as it would in the Worker",
    4: "the app can't be described, as it would be when asked for its OpenAPI document",
    5: "the app and wrangler.toml do not name the same crons and queues",
    6: "the app asks for what the Worker does not have",
    7: "a handler returns what cannot be sent",
    8: "the app imports, but this fails or does nothing when a request comes",
}
"""What the import check's exit codes stand for; `import_check.py` has them by name."""

LOCAL_ONLY = ("local", "cli.py", "testing.py")
SPARE = ("__pycache__", "conftest.py", "py.typed", "tests")
ASKING = {"argon2": "framework/auth/passwords.py", "msgspec": "framework"}  # if they are staged

ENTRY = '''\
"""What workerd loads: the app behind its entrypoint. Written by `kagari build`."""

from app import app
from framework.workers import entrypoint

Default = entrypoint(app)
'''


class StageError(Exception):
    """The app can't be staged; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What was staged. Sizes are in bytes; *compressed* is that of all files together, as in wrangler."""

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    size: int
    compressed: int
    notes: tuple[str, ...] = ()
    """What was not looked at, and why, and what may be wrong."""

    def __str__(self) -> str:
        lines = [
            f"{self.folder}: {len(self.files)} modules, {self.size / 1024:.1f} KiB, "
            f"{self.compressed / 1024:.1f} KiB gzipped"
        ]
        if self.left_out:
            lines.append(f"left out, for not being Python: {', '.join(self.left_out)}")
        return "\n".join([*lines, *self.notes])


def stage(root: Path) -> Staged:
    """Stage the project in *root* and return what was staged.

    Raises StageError, and leaves no stage, when wrangler.toml is wrong, the app does not import as
    it would in the Worker, a route is unmarked, or nothing here can try.
    """
    target = root / STAGE
    fresh = target.with_name(f"{target.name}.new")
    for folder in (target, fresh):
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise StageError(f"{folder} can't be removed")
    notes = _check_configuration(root)
    try:
        left_out = _copy(root, fresh)
        runpy.run_path(f"{HERE}/prune.py")["drop_unused_modules"](fresh)
        runpy.run_path(f"{HERE}/minify.py")["minify"](fresh)
        notes += _try_import(root, fresh)
        staged = _measure(fresh, target, left_out, notes)
        fresh.rename(target)
    except OSError as error:  # a full disk, a checkout that nobody may write to
        raise StageError(f"the app can't be staged: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return staged


def _check_configuration(root: Path) -> tuple[str, ...]:
    """Return what a person should know of the settings. Raises StageError where they are wrong."""
    configuration = runpy.run_path(f"{HERE}/configuration.py")
    try:
        settings = configuration["read_configuration"](root)
        configuration["check_main"](settings or {}, STAGE / "worker.py")
        check = runpy.run_path(f"{HERE}/deployments.py")["check_deployments"]
        notes = check(settings or {}, root)
    except ValueError as problem:
        raise StageError(str(problem)) from problem
    if settings is None:
        return (f"{configuration['why_missing'](root)}: no cron and no queue was compared with it",)
    return (*configuration["notes_on_files"](root), *notes)


# --- Copying -------------------------------------------------------------------------------------


def _copy(root: Path, target: Path) -> tuple[str, ...]:
    """Copy the app's modules and write the entry. Return the files that are no modules."""
    left_out = []
    for source in sorted(_sources(root)):
        name = source.relative_to(root)
        if source.suffix != ".py":
            left_out.append(name.as_posix())
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / name)
    (target / "worker.py").write_text(ENTRY, "utf-8")
    return tuple(left_out)


def _sources(root: Path) -> Iterator[Path]:
    """Yield the files that make up the app: its module, its routes, the framework's runtime part."""
    if not (root / "app.py").is_file():
        raise StageError(f"there is no app.py in {root}")
    if not (root / "framework").is_dir():
        raise StageError(
            f"there is no framework/ in {root}, and what is uploaded is the copy beside app.py:"
            f" cp -r {str(Path(__file__).resolve().parents[1])!r} {str(root)!r}"
        )
    yield root / "app.py"
    yield from _files_below(root / "routes")
    for entry in (root / "framework").iterdir():
        if entry.name not in LOCAL_ONLY:
            yield from _files_below(entry)


def _files_below(path: Path) -> Iterator[Path]:
    """Yield the files at or below *path*, except caches, markers, tests and what is hidden."""
    for file in path.rglob("*") if path.is_dir() else (path,):
        if file.is_file() and not _is_spare(file.relative_to(path.parent)):
            yield file


def _is_spare(file: Path) -> bool:  # what pytest would run, what is hidden
    is_test = file.name.startswith("test_") or file.stem.endswith("_test")
    return is_test or any(part in SPARE or part.startswith(".") for part in file.parts)


def _measure(
    folder: Path, target: Path, left_out: tuple[str, ...], notes: tuple[str, ...]
) -> Staged:
    """Return the sizes of what *folder* holds, which is about to become *target*."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    content = b"".join(file.read_bytes() for file in files)
    return Staged(
        folder=target,
        files=tuple(file.relative_to(folder).as_posix() for file in files),
        left_out=left_out,
        size=len(content),
        compressed=len(gzip.compress(content, WRANGLER_GZIP_LEVEL)),
        notes=notes,
    )


# --- Trying --------------------------------------------------------------------------------------


def _try_import(root: Path, folder: Path) -> tuple[str, ...]:
    """Import the app in *folder* under the first Python that can, and return what may be wrong with it."""
    for python in _pythons(root):
        command = [str(python), *OPTIONS, str(IMPORT_CHECK), str(folder), *packages_of(folder)]
        check = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8")  # noqa: S603 (ourselves)
        if check.returncode == 0:
            return tuple(check.stdout.splitlines())
        if check.returncode != LACKS_PACKAGES:
            heading = HEADINGS.get(check.returncode, HEADINGS[1])
            reason = check.stderr.strip().replace(f"{folder}{os.sep}", "")
            raise StageError(f"{heading}\n{reason}")
    raise StageError(
        "no Python here has the app's dependencies, to try whether it imports: "
        f"`make dev` makes {ENVIRONMENTS[0]}, `pywrangler sync` makes {ENVIRONMENTS[1]}"
    )


def packages_of(folder: Path) -> list[str]:
    """Return the packages that what is staged in *folder* asks for."""
    return [name for name, asking in ASKING.items() if (folder / asking).exists()]


def _pythons(root: Path) -> Iterator[Path]:
    """Yield the Pythons that may have the dependencies, this one first."""
    yield Path(sys.executable)
    for environment in ENVIRONMENTS:
        for name in ("bin/python", "Scripts/python.exe"):
            if (python := root / environment / name).is_file():
                yield python


# --- Commands ------------------------------------------------------------------------------------


def check_vendored(root: Path) -> None:
    """Raise StageError when the packages that are uploaded beside the stage are not there."""
    needed = [*packages_of(root / STAGE), "workers"]
    missing = [name for name in needed if not (root / "python_modules" / name).is_dir()]
    if missing:
        raise StageError(
            f"python_modules/ lacks {', '.join(missing)}: `pywrangler sync` puts them there, "
            "and `pywrangler dev` and `pywrangler deploy` do so by themselves"
        )


def main(arguments: list[str]) -> int:
    """Stage this file's project, or the one named; return the exit code. Wrangler needs packages, too."""
    root = Path(arguments[0] if arguments else Path(__file__).parents[2]).resolve()
    try:
        staged = stage(root)
        if "WRANGLER_COMMAND" in os.environ:
            check_vendored(root)
    except StageError as problem:
        sys.stderr.write(f"kagari build: {problem}\n")
        return 1
    sys.stdout.write(f"kagari build: {staged}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
