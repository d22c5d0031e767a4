"""Keeps a server running while its files change. Knows nothing of what it serves.

The socket is held here, and the server is another process: a request that comes while it starts
again waits, and code that does not even parse cannot end the watch. On Windows no process can be handed
a socket so, and the server binds the port itself: a request that comes meanwhile is refused.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

__all__ = ["changed_names", "is_watched", "keep_serving", "watched_folders"]

_INHERITS = sys.platform != "win32"
_PATIENCE = 3.0
_POLL = 200
_MODIFIED = 2  # watchfiles.Change
_NAMED = 5  # of the files that changed: a checkout changes hundreds
_SUFFIXES = {".py", ".sql", ".toml"}
_NAMES = {".dev.vars"}
_NOT_OURS = {"node_modules", "python_modules", "__pycache__"}
_NOT_THE_APP = {"bench", "build", "docs", "tests"}  # in the project's folder; routes/docs is served


def keep_serving(command: Sequence[str], listener: socket.socket, root: Path) -> None:
    """Run *command*, and again whenever a file below *root* changes, until SIGINT or SIGTERM.

    The command gets ``--supervised SOCKET,PIPE`` with the descriptors of *listener* and of a pipe
    that closes when this process ends, or on Windows ``--supervised ports,PORT,LIFELINE``: the port of
    *listener*, which is closed, and one of a socket that closes so. And ``--again`` from the second time
    on.
    """
    from watchfiles import watch

    ended = Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    keeper = _Keeper(listener) if _INHERITS else _KeeperOfPort(listener)
    code = _code(root)
    child = keeper.start(command)
    is_lost = False

    def restart(changed: Set[str]) -> None:
        nonlocal child, code, is_lost
        _say(f"{changed_names(changed, root)} changed")
        _stop(child, keeper)
        code = _code(root)
        child = keeper.start([*command, "--again"])
        is_lost = False

    try:
        while not ended.is_set():
            folders = watched_folders(root)
            is_watching = False
            try:
                for changes in watch(
                    *folders,
                    watch_filter=_Filter(folders),
                    stop_event=ended,
                    rust_timeout=_POLL,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    recursive=False,
                    ignore_permission_denied=True,
                ):
                    if changes and watched_folders(root) != folders:
                        break  # all of it is watched before the server reads it
                    changed = {path for change, path in changes if is_watched(change, path)}
                    if not is_watching:  # what changed before was told by nobody
                        changed |= _differing(code, root)
                    is_watching = True
                    if ended.is_set():
                        continue
                    if changed:
                        restart(changed)
                    elif not is_lost and child.poll() is not None:
                        is_lost = True
                        ended_with = f"the server ended ({child.returncode})"
                        _say(
                            "; ".join(
                                [ended_with, *namesakes(root), "it starts again with a change"]
                            )
                        )
            except RuntimeError:  # of watchfiles: a file whose name is no UTF-8, or too many watch
                ended.wait(_POLL / 1000)
                if changed := _differing(code, root):
                    restart(changed)
            except FileNotFoundError:  # a folder went away as its watch began
                while not root.is_dir() and not ended.wait(_POLL / 1000):
                    pass
    finally:
        _stop(child, keeper)
        keeper.close()


def watched_folders(root: Path) -> list[Path]:
    """Return *root* and the folders below it that may hold the application's code."""
    return [root, *_below(root, root)]


def _below(folder: Path, root: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # it went away meanwhile, or nobody may look
        return
    if any(entry.name == "pyvenv.cfg" for entry in entries):  # packages, however it is called
        return
    for entry in entries:
        if _may_hold_code(entry.path, root) and entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
            yield from _below(Path(entry.path), root)


def _may_hold_code(path: str, root: Path) -> bool:
    """Return whether a folder at *path* is watched, by its name."""
    folder, name = os.path.split(path)
    left_out = _NOT_OURS | _NOT_THE_APP if folder == str(root) else _NOT_OURS
    return not name.startswith(".") and name not in left_out


def _code(root: Path) -> set[tuple[str, int, int]]:
    """Return the files below *root* that are watched, each with what differs where it is another."""
    found = set()
    for folder in watched_folders(root):
        with suppress(OSError):  # it went away meanwhile
            for entry in os.scandir(folder):
                if is_watched(None, entry.path):
                    known = entry.stat(follow_symlinks=False)
                    found.add((entry.path, known.st_mtime_ns, known.st_ino))
    return found


def _differing(code: Set[tuple[str, int, int]], root: Path) -> set[str]:
    """Return the files below *root* that differ from *code*, as it was."""
    return {path for path, *_ in code ^ _code(root)}


def is_watched(_change: Any, path: str) -> bool:
    """Return whether a change of the file *path* is one of the application."""
    name = os.path.basename(path)
    if name in _NAMES:
        return True
    return os.path.splitext(name)[1] in _SUFFIXES and not name.startswith(".")


class _Filter:
    """Lets through what is watched, and folders that come and go, which changes what is to be watched."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._root, *rest = folders
        self._folders = {*map(str, rest)}

    def __call__(self, change: Any, path: str) -> bool:
        if is_watched(change, path):
            return True
        if change == _MODIFIED:
            return False
        is_folder = os.path.isdir(path) and not os.path.islink(path)
        return (is_folder and _may_hold_code(path, self._root)) or path in self._folders


def namesakes(root: Path) -> list[str]:
    """Return what to say of modules in *root* that Python finds in the place of its own; often nothing."""
    names = sorted(
        entry.name
        for entry in os.scandir(root)
        if entry.name.removesuffix(".py") in sys.stdlib_module_names
        and (entry.name.endswith(".py") or os.path.isfile(os.path.join(entry, "__init__.py")))
    )
    return [f"{name} stands in the place of Python's own: give it another name" for name in names]


def changed_names(changed: Iterable[str], root: Path) -> str:
    """Return the files *changed* in words, the first few by name."""
    names = sorted(os.path.relpath(path, root) for path in changed)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


class _Keeper:
    """Hands each server the socket, and a pipe that closes when this process ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._reading, self._writing = os.pipe()
        self._descriptors = (listener.fileno(), self._reading)

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        # Ctrl-C reaches the server, too. Until that says so, it waits: Python would show a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return subprocess.Popen(  # noqa: S603  ourselves
                [*command, "--supervised", ",".join(map(str, self._descriptors))],
                pass_fds=self._descriptors,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def end(self, child: "subprocess.Popen[bytes]") -> None:
        child.terminate()

    def close(self) -> None:
        os.close(self._writing)
        os.close(self._reading)


class _KeeperOfPort:
    """Tells each server its port, and that of a socket which closes when the server is to end.

    That it has to be told in this way: `terminate` ends a process of Windows where it stands.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._host, self._port = listener.getsockname()
        listener.close()

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        self._lifeline = socket.create_server((self._host, 0))  # nobody is accepted
        ports = f"ports,{self._port},{self._lifeline.getsockname()[1]}"
        return subprocess.Popen([*command, "--supervised", ports])  # noqa: S603  ourselves

    def end(self, _child: "subprocess.Popen[bytes]") -> None:
        self._lifeline.close()

    def close(self) -> None:
        self._lifeline.close()


def _stop(child: "subprocess.Popen[bytes]", keeper: _Keeper | _KeeperOfPort) -> None:
    """End *child*, by force if it takes too long."""
    deadline = time.monotonic() + _PATIENCE
    keeper.end(child)
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if child.poll() is None:
        child.kill()
        child.wait()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
