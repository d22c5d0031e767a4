"""Serves an application over HTTP on this machine. Knows nothing of where its bindings come from."""

import errno
import logging
import os
import signal
import socket
import sys
import threading
from asyncio import CancelledError
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

from uvicorn.config import Config
from uvicorn.server import Server

from framework.application import App
from framework.context import Env
from framework.local.advice import advise
from framework.local.asgi import ASGIApplication, Receive, Scope, Send, asgi
from framework.local.command_error import CommandError
from framework.local.protocol import StrictProtocol, answer_cut
from framework.log import traceback_of

__all__ = [
    "HOST",
    "ServeError",
    "bind",
    "log_to_terminal",
    "run",
    "serve",
    "wait_for_end",
    "with_access_log",
]

HOST = "127.0.0.1"
"""Only this machine is served: the database is a developer's, and there is no TLS."""

KEEP_ALIVE = 5
"""Seconds that a connection may be idle between two requests."""

GRACE = 1
"""Seconds that running requests get when the server ends."""

_REUSES = sys.platform != "win32"
"""Whether a port whose connections have just ended has to be asked for. Windows gives it anyway, and if
asked would give one on which another server listens."""

_access = logging.getLogger("kagari.access")


class ServeError(CommandError):
    """The server cannot start; the message says why."""


def bind(port: int) -> socket.socket:
    """Return a socket that listens on *port*, any free one for 0. Raises `ServeError`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, _REUSES)
    try:
        if _is_taken_on_ipv6(port):  # browsers ask ::1 for localhost first
            raise OSError(errno.EADDRINUSE, "in use")
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServeError(_explain(error, port)) from error
    return listener


def _is_taken_on_ipv6(port: int) -> bool:
    """Return whether another server has *port* of ::1; no, where this machine has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, _REUSES)
            probe.bind(("::1", port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def _explain(error: Exception, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"port {port} is in use: stop what listens there, or choose another with PORT"
    if number == errno.EACCES and port > 1023:  # on Windows, where Hyper-V and others keep ranges
        return f"port {port} is reserved: choose another with PORT"
    if number == errno.EACCES:
        return f"port {port} needs root privileges: choose one above 1023 with PORT"
    return f"port {port}: {error}"


@contextmanager
def serve(app: App, env: Env, port: int = 0) -> Iterator[str]:
    """Serve *app* from a thread of this process until the block ends; the value is its URL."""
    listener = bind(port)
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    ready = threading.Event()
    server = _Server(asgi(app, env), ready.set)
    thread = threading.Thread(
        name=f"kagari {url}", target=server.run, args=([listener],), daemon=True
    )
    thread.start()
    try:
        if not ready.wait(10):
            raise ServeError("the server did not start within 10 seconds")
        yield url
    finally:
        server.should_exit = True
        thread.join(10)


def run(
    application: ASGIApplication,
    listener: socket.socket,
    on_ready: Callable[[], None],
    lifeline: int | socket.socket | None = None,
) -> None:
    """Serve *application* on *listener* until SIGINT or SIGTERM, or until *lifeline* is closed.

    *lifeline* is the reading end of a pipe, or a connection; the other end is held by the process that
    started this one. So this one ends with it, however it ends.
    """
    server = _Server(application, on_ready)
    if lifeline is not None:
        threading.Thread(target=_end_with, args=(server, lifeline), daemon=True).start()
    server.run([listener])


def _end_with(server: Server, lifeline: int | socket.socket) -> None:
    wait_for_end(lifeline)
    server.should_exit = True


def wait_for_end(lifeline: int | socket.socket) -> None:
    """Return when the other end of *lifeline* is closed."""
    with suppress(ConnectionError):  # it was never accepted, and so is reset
        os.read(lifeline, 1) if isinstance(lifeline, int) else lifeline.recv(1)


class _Server(Server):
    """Uvicorn, set up for one developer."""

    def __init__(self, application: ASGIApplication, on_ready: Callable[[], None]) -> None:
        super().__init__(
            Config(
                application,
                http=StrictProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,  # nor does workerd send one, beside what an answer may have
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End the server at a signal, then return: uvicorn would raise the signal again and skip
        our cleanup."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = [(each, signal.signal(each, self.handle_exit)) for each in signals]
        try:
            yield
        finally:
            for each, handler in before:
                signal.signal(each, handler)


# --- What the terminal shows ---------------------------------------------------------------------


def with_access_log(application: ASGIApplication) -> ASGIApplication:
    """Return *application* with a line logged for each request: never its query or its headers."""

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        started = perf_counter()
        status = 0

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await application(scope, receive, noting)
        except CancelledError:
            if not status:
                await answer_cut(send)
            raise
        finally:
            spent = (perf_counter() - started) * 1000
            _access.info(
                "%s %s %s %.0f ms", scope["method"], _loggable(scope), status or "cut", spent
            )

    return logged


def _loggable(scope: Scope) -> str:
    path = scope["raw_path"].decode("ascii", "replace").partition("#")[0]
    return path if len(path) <= 200 else f"{path[:200]}…"


def log_to_terminal() -> None:
    """Write the framework's log, and the errors of the server and of asyncio, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Advising("%(message)s"))
    handler.addFilter(_is_worth_telling)
    for name in ("kagari", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO if name == "kagari" else logging.ERROR)


class _Advising(logging.Formatter):
    """Says below a traceback what to write here instead, where that is known."""

    def format(self, record: logging.LogRecord) -> str:
        cause = record.exc_info[1] if record.exc_info else None
        record.exc_text = traceback_of(cause) if cause else None  # escaped, of whoever logs it
        text = super().format(record)
        advice = advise(cause) if cause else ""
        return f"{text}\n{advice}" if advice else text


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Return whether to show *record*: not a request that was cut short when the server ended."""
    cause = record.exc_info[1] if record.exc_info else None
    return not isinstance(cause, CancelledError) and "graceful shutdown" not in record.getMessage()
