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
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

__all__ = ["changed_names", "is_watched", "keep_serving", "watched_folders"]

_INHERITS = sys.platform != "win32"
_PATIENCE = 3.0
_POLL = 500
_NAMED = 5  # of the files that changed: a checkout changes hundreds
_SUFFIXES = {".py", ".sql", ".toml"}
_NAMES = {".dev.vars"}
_LEFT_OUT = {"bench", "build", "docs", "node_modules", "python_modules", "tests", "__pycache__"}


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
    child = keeper.start(command)
    is_lost = False

    def restart() -> None:
        nonlocal child, is_lost
        _stop(child, keeper)
        child = keeper.start([*command, "--again"])
        is_lost = False

    try:
        while not ended.is_set():
            folders = watched_folders(root)
            try:
                for changes in watch(
                    *folders,
                    watch_filter=is_watched,
                    stop_event=ended,
                    rust_timeout=_POLL,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    recursive=False,
                    ignore_permission_denied=True,
                ):
                    if changes:
                        _say(f"{changed_names(changes, root)} changed")
                        restart()
                        if watched_folders(root) != folders:
                            break
                    elif not is_lost and not ended.is_set() and child.poll() is not None:
                        is_lost = True
                        _say(
                            f"the server ended ({child.returncode}); it starts again with a change"
                        )
            except FileNotFoundError:
                # A folder went away as its watch began: who knows what has changed.
                while not root.is_dir() and not ended.wait(_POLL / 1000):
                    pass
                restart()
    finally:
        _stop(child, keeper)
        keeper.close()


def watched_folders(root: Path) -> list[Path]:
    """Return *root* and the folders below it that may hold the application's code."""
    return [root, *_below(root)]


def _below(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # it went away meanwhile, or nobody may look
        return
    for entry in entries:
        hidden = entry.name.startswith(".") or entry.name in _LEFT_OUT
        if not hidden and entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
            yield from _below(Path(entry.path))


def is_watched(_change: Any, path: str) -> bool:
    """Return whether a change of the file *path* is one of the application."""
    name = os.path.basename(path)
    if name in _NAMES:
        return True
    return os.path.splitext(name)[1] in _SUFFIXES and not name.startswith(".")


def changed_names(changes: set[Any], root: Path) -> str:
    """Return the files of *changes* in words, the first few by name."""
    names = sorted({os.path.relpath(path, root) for _, path in changes})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


class _Keeper:
    """Hands each server the socket, and a pipe that closes when this process ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._reading, self._writing = os.pipe()
        self._descriptors = (listener.fileno(), self._reading)

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  ourselves
            [*command, "--supervised", ",".join(map(str, self._descriptors))],
            pass_fds=self._descriptors,
        )

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
