"""Knows what this Python has and the Worker's lacks, and what to do about it.

That is packages that are not uploaded, time zones, threads, other programs, OpenSSL, and some of
the standard library: as it is in Pyodide 314, which is Python 3.14. Imports nothing of the framework's:
`import_check.py` runs it.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import zoneinfo
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NoReturn

ABSENT = {
    "what Pyodide leaves out": """
        _multiprocessing curses dbm ensurepip grp idlelib pwd readline resource syslog tkinter turtle
        turtledemo venv
    """,
    "what Python has dropped since 3.11": """
        aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap nis
        nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib
    """,
    "what only Windows has": "_winapi msvcrt nt winreg winsound",
}
"""Modules of the standard library."""

GIVEN = {"_pyodide", "argon2", "msgspec", "pyodide"}
"""Packages that are the runtime's own, or that `stage.py` asks for itself."""

DERIVATIONS = ("pbkdf2_hmac", "scrypt")

THREADS = (
    "can't start new thread: the Worker has none, so await what takes long, or c.wait_until it"
)
OPENSSL = (
    "the Worker's hashlib has no pbkdf2_hmac and no scrypt:"
    " for passwords, framework.auth has hash_password and verify_password"
)
PROCESSES = "the Worker starts no other program"
ZONES = "the Worker has no time zones: add tzdata to dependencies in pyproject.toml, then `pywrangler sync`"

CALLS = {
    "hashlib.pbkdf2_hmac": OPENSSL,
    "hashlib.scrypt": OPENSSL,
    "threading.Thread": THREADS,
    "concurrent.futures.ThreadPoolExecutor": THREADS,
    "zoneinfo.ZoneInfo": ZONES,
    **dict.fromkeys(
        [f"subprocess.{name}" for name in ("Popen", "call", "check_call", "check_output", "run")],
        PROCESSES,
    ),
}
"""What fails when it is called. `asyncio.to_thread` does not: Pyodide calls the function at once."""


class Unsupported:
    """What the Worker lacks for the project in the folder *root*.

    Packages and zones are compared with `python_modules/`, which is what is uploaded; nothing is said
    of them where that folder is not there, as before the first `pywrangler sync`.
    """

    def __init__(self, root: Path) -> None:
        folder = root / "python_modules"
        self._is_known = folder.is_dir()
        entries = folder.iterdir() if self._is_known else ()
        self._packages = {entry.name.partition(".")[0] for entry in entries}
        self._has_zones = not self._is_known or "tzdata" in self._packages
        self._absent = {name for names in ABSENT.values() for name in names.split()}

    def take_away(self) -> None:
        """Have threads, zones and OpenSSL fail in this process as they would there."""
        for name in DERIVATIONS:
            vars(hashlib).pop(name, None)
        threading.Thread.start = _refuse_to_start  # type: ignore[assignment,method-assign]  # it fails
        if not self._has_zones:
            zoneinfo.reset_tzpath(to=())
            sys.modules["tzdata"] = None  # type: ignore[assignment]  # None: not to be found

    def why_imported(self, module: str) -> str:
        """Return why importing *module*, which is none of the app's own, fails there, or ""."""
        name = module.partition(".")[0]
        is_package = self._is_package(name)
        if name in self._packages | GIVEN:
            return ""
        if name in self._absent and not is_package:
            return f"the Worker's Python has no {name}"
        if not self._is_known or not is_package:
            return ""
        return (
            f"{name} is installed here and not in python_modules/, so it is not uploaded: add its"
            " package to dependencies in pyproject.toml, then `pywrangler sync`"
        )

    def why_called(self, name: str) -> str:
        """Return why calling *name*, written in full, fails there, or ""."""
        reason = CALLS.get(name, "")
        return "" if reason is ZONES and self._has_zones else reason

    def explain(self, problem: BaseException) -> str:
        """Return what to do about *problem*, if what was taken away has caused it, or ""."""
        if isinstance(problem, zoneinfo.ZoneInfoNotFoundError) and not self._has_zones:
            return ZONES
        is_named = any(f"'{name}'" in str(problem) for name in DERIVATIONS)
        return OPENSSL if is_named and "'hashlib'" in str(problem) else ""

    def _is_package(self, name: str) -> bool:
        """Return whether the module *name* was installed here, apart from Python itself."""
        spec: Any = PathFinder.find_spec(name)
        place = (
            (spec.origin or next(iter(spec.submodule_search_locations or ()), "")) if spec else ""
        )
        return not {"site-packages", "dist-packages"}.isdisjoint(Path(place).parts)


def _refuse_to_start(_: threading.Thread) -> NoReturn:
    raise RuntimeError(THREADS)
