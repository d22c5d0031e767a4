"""Starts chromedriver and speaks W3C WebDriver to it. Knows nothing of pages."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from tests.e2e.targets import run_process

__all__ = ["ChromiumMissing", "Driver", "Session", "WebDriverError", "driver", "wait_until"]

_PATIENCE: Final = 20.0
"""Seconds to wait for what takes a fraction of one on a machine that is not busy."""

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",  # containers have little of it
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1100,900",
)
_NO_SCRIPTS: Final = {"profile.managed_default_content_settings.javascript": 2}


class ChromiumMissing(Exception):
    """Chromium or its driver is not installed."""


class WebDriverError(Exception):
    """The driver could not do what it was told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Session:
    """One running Chromium with a profile of its own."""

    def __init__(self, port: int, identity: str, process: int) -> None:
        self._port = port
        self._identity = identity
        self._process = process

    def command(self, method: str, path: str, **body: Any) -> Any:
        """Return what the driver answers to a command; *path* begins after the session."""
        sent = body if method == "POST" else None
        return _exchange(self._port, method, f"/session/{self._identity}{path}", sent)

    def script(self, source: str, *arguments: Any) -> Any:
        """Return what *source* returns. The debugger runs it: pages need not be allowed scripts."""
        return self.command("POST", "/execute/sync", script=source, args=arguments)

    def devtools(self, name: str, /, **parameters: Any) -> Any:
        """Return what a command of the DevTools protocol answers."""
        return self.command("POST", "/goog/cdp/execute", cmd=name, params=parameters)

    def close(self) -> None:
        """End this Chromium, the hard way where it does not go by itself."""
        with suppress(WebDriverError, OSError):
            _exchange(self._port, "DELETE", f"/session/{self._identity}")
        with suppress(ProcessLookupError):
            wait_until(lambda: not _is_running(self._process), "Chromium is gone", or_else=False)
            if _is_running(self._process):
                os.kill(self._process, signal.SIGKILL)


class Driver:
    """A running chromedriver."""

    def __init__(self, port: int, binary: str) -> None:
        self._port = port
        self._binary = binary

    @contextmanager
    def chromium(
        self, profile: Path, *, scripts: bool = False, agent: str | None = None
    ) -> Iterator[Session]:
        """Run a Chromium on the empty folder *profile* until the block ends.

        JavaScript is disabled unless *scripts* is true. *agent* is what it calls itself.
        """
        arguments = [*_ARGUMENTS, f"--user-data-dir={profile}"]
        arguments += [f"--user-agent={agent}"] if agent else []
        options: dict[str, Any] = {"binary": self._binary, "args": arguments}
        options |= {} if scripts else {"prefs": _NO_SCRIPTS}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"pageLoad": int(_PATIENCE * 1000)},
        }
        told = _exchange(self._port, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        process = told["capabilities"]["goog:processID"]
        session = Session(self._port, told["sessionId"], process)
        try:
            yield session
        finally:
            session.close()


@contextmanager
def driver() -> Iterator[Driver]:
    """Run chromedriver until the block ends. Raises `ChromiumMissing`."""
    binary, command = _find(*_BROWSERS), [_find("chromedriver"), "--port=0"]
    with run_process(command, subprocess.STDOUT) as process:
        yield Driver(_port_of(process), binary)


def wait_until(
    is_true: Callable[[], object],
    what: str,
    *,
    or_else: bool = True,
) -> None:
    """Wait until *is_true*; where it never is, `AssertionError` says *what* did not happen.

    A command that fails while a page makes room for the next is not true yet. With *or_else* false
    the caller looks for itself afterwards.
    """
    deadline = time.monotonic() + _PATIENCE
    failure: WebDriverError | None = None
    while time.monotonic() < deadline:
        try:
            if is_true():
                return
        except WebDriverError as error:
            failure = error
        time.sleep(0.02)
    if or_else:
        raise AssertionError(f"never so in {_PATIENCE:.0f} s: {what}") from failure


def _find(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise ChromiumMissing(
        f"{' or '.join(names)} is not on PATH, and these tests need a real browser. On Debian and"
        " Ubuntu: apt-get update && apt-get install --yes chromium chromium-driver"
    )


def _port_of(process: subprocess.Popen[str]) -> int:
    said = ""
    for line in process.stdout or ():
        said += line
        if found := re.search(r"on port (\d+)\.$", line.strip()):
            return int(found[1])
    raise AssertionError(f"chromedriver did not start: {said}")


def _exchange(port: int, method: str, path: str, body: Any = None) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=3 * _PATIENCE)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"content-type": "application/json"})
        value = json.load(connection.getresponse())["value"]
    finally:
        connection.close()
    if isinstance(value, dict) and "error" in value:
        raise WebDriverError(value["error"], value["message"])
    return value


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
