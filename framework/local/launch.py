"""Starts a server from what the command line names: an application, a port, a database file."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from itertools import chain
from pathlib import Path
from traceback import walk_stack
from typing import Any, NamedTuple

from framework.application import App
from framework.database import DatabaseError
from framework.errors import ConfigurationError
from framework.fetching import provide_fetch
from framework.guards import public
from framework.local.asgi import asgi
from framework.local.command_error import CommandError
from framework.local.configuration import read_configuration
from framework.local.environment import close_environment, make_environment
from framework.local.fetching import fetch_in_thread
from framework.local.listing import list_routes, route_lines
from framework.local.loading import load_app, place_of, relative
from framework.local.lost_cookies import with_lost_cookies
from framework.local.mistakes import find_mistakes
from framework.local.serve import HOST, bind, log_to_terminal, run, wait_for_end, with_access_log
from framework.local.sqlite import SQLiteDatabase
from framework.response import Response

__all__ = ["Launch", "develop", "run_crons", "serve_once", "serve_supervised"]

_log = logging.getLogger("kagari")
_LONG = 5
"""Seconds after which an import is said to take long."""
_PATIENCE = 3
"""Seconds that a server gets to end once nobody keeps it."""


class Launch(NamedTuple):
    """What to serve."""

    target: str
    """The application, ``module:name``."""
    root: Path
    """The folder of the project."""
    database: Path
    variables: dict[str, str]
    """Bindings beside those of ``wrangler.toml`` and ``.dev.vars``, and above them."""


def develop(launch: Launch, port: int) -> None:
    """Serve on *port*, and again after every change, until a signal. Raises `CommandError`."""
    from framework.local.reloader import keep_serving  # only this one watches files

    # Where a library crashes, Python says in which line.
    command = [sys.executable, "-Xfaulthandler", "-m", "framework.cli", "serve"]
    command += ["--app", launch.target, "--database", str(launch.database)]
    command += [f"--var={name}:{value}" for name, value in launch.variables.items()]
    with bind(port) as listener:
        keep_serving(command, listener, launch.root)


def serve_once(launch: Launch, port: int, *, as_json: bool) -> None:
    """Serve until a signal. With *as_json*, standard output is the one line ``{"url": …}``.

    What requests print goes to standard error, with the log. Raises `CommandError`.
    """
    log_to_terminal()
    app = load_app(launch.target, launch.root)
    env, notes = _environment(launch, app)
    with bind(port) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        lines = [json.dumps({"url": url})] if as_json else _greeting(launch, app, env, url)
        _run(app, env, listener, lines, notes, root=launch.root)


def serve_supervised(launch: Launch, supervision: str, *, is_again: bool) -> None:
    """Serve for `develop`. What keeps the application from starting is shown and answered.

    *supervision* is what the process that keeps this one running told it.
    """
    log_to_terminal()
    try:
        opened, lifeline = _take(supervision)
    except ConnectionError:  # that process has ended, or wants another server by now
        return None
    threading.Thread(target=_end_after, args=(lifeline,), daemon=True).start()
    with opened as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        try:
            app = _load_app(launch)
            app.check_answers = True
            env, notes = _environment(launch, app)
        except CommandError as failure:
            notes = [str(failure), "waiting for a change"]
            return _run(_stand_in(), {}, listener, [], notes, lifeline)
        lines = ["ready again"] if is_again else _greeting(launch, app, env, url)
        return _run(app, env, listener, lines, notes, lifeline, root=launch.root)


def _end_after(lifeline: int | socket.socket) -> None:
    """End this process after the one that keeps it: also one in an endless loop, which has the port."""
    wait_for_end(lifeline)
    time.sleep(_PATIENCE)
    os._exit(1)


def _load_app(launch: Launch) -> App:
    """Return what `load_app` does, and say where it is if that takes long: requests wait meanwhile."""
    main = threading.get_ident()

    def tell() -> None:
        steps = reversed([*walk_stack(sys._current_frames()[main])])
        where = relative(place_of(steps), launch.root)
        _log.warning("the import has taken %d seconds so far: %s", _LONG, where or launch.target)

    timer = threading.Timer(_LONG, tell)
    timer.daemon = True
    timer.start()
    try:
        return load_app(launch.target, launch.root)
    finally:
        timer.cancel()


def _take(supervision: str) -> tuple[socket.socket, int | socket.socket]:
    """Return a listening socket, and what closes when this process is to end; see `keep_serving`."""
    kind, *numbers = supervision.split(",")
    if kind != "ports":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return socket.socket(fileno=int(kind)), int(numbers[0])
    port, lifeline = map(int, numbers)
    connection = socket.create_connection((HOST, lifeline))
    return bind(port), connection


def run_crons(launch: Launch, schedule: str | None) -> list[str]:
    """Run the function of the cron *schedule* now, or of every one, and return which ran.

    Raises `CommandError`, also where a binding or the database fails in the function, and whatever
    else the function raises.
    """
    log_to_terminal()
    app = load_app(launch.target, launch.root)
    schedules = list(app.crons) if schedule is None else [schedule]
    for each in schedules:
        if each not in app.crons:
            raise CommandError(
                f"no function runs at the cron {each!r}: there are {list(app.crons)}"
            )
    env, notes = _environment(launch)
    for note in notes:
        _log.warning("%s", note)
    provide_fetch(fetch_in_thread)
    try:
        for each in schedules:
            _run_cron(app, each, env)
    finally:
        close_environment(env)
    return schedules


def _run_cron(app: App, schedule: str, env: Mapping[str, Any]) -> None:
    try:
        asyncio.run(app.run_cron(schedule, env, time.time_ns() // 1_000_000))
    except (ConfigurationError, DatabaseError) as error:
        line = " ".join(str(error).split())  # which may hold a statement of many lines
        raise CommandError(f"{schedule}: {line}") from error


def _environment(launch: Launch, app: App | None = None) -> tuple[dict[str, Any], list[str]]:
    """Return the bindings with the variables of the command line above them, and the notes.

    What is sent to queues goes to the consumers of *app*; without one there are no queues.
    """
    consumers = {} if app is None else dict.fromkeys(app.queues, app.run_queue)
    env, notes = make_environment(launch.root, launch.database, consumers)
    env.update(launch.variables)
    return env, notes


def _run(
    app: App,
    env: dict[str, Any],
    listener: socket.socket,
    lines: Sequence[str],
    notes: Sequence[str],
    lifeline: int | socket.socket | None = None,
    *,
    root: Path | None = None,
) -> None:
    """Serve *app*. Once it is served, it is told what is wrong in its modules, if *root* has any.

    `kagari build` would refuse it, or say so, and says what is for later, too. A big app takes seconds.
    """
    output = sys.stdout

    def tell_mistakes(root: Path) -> None:
        settings = read_configuration(root)
        for mistake in chain.from_iterable(find_mistakes(app, root, root, settings)[:-1]):
            _log.warning("%s", mistake)

    def say_ready() -> None:
        for note in notes:
            _log.warning("%s", note)
        with suppress(BrokenPipeError):  # of a reader, such as head, that has seen enough
            output.write("".join(f"{line}\n" for line in lines))
            output.flush()
        if root is not None:
            threading.Thread(target=tell_mistakes, args=(root,), daemon=True).start()

    try:
        # What requests print is a log: a program may read the rest.
        with redirect_stdout(sys.stderr):
            run(with_access_log(with_lost_cookies(asgi(app, env))), listener, say_ready, lifeline)
    finally:
        close_environment(env)


def _greeting(launch: Launch, app: App, env: Mapping[str, Any], url: str) -> list[str]:
    """Return what is shown when a server starts."""
    has_database = any(isinstance(binding, SQLiteDatabase) for binding in env.values())
    database = (
        f"D1 is {launch.database}." if has_database else "wrangler.toml names no D1 database."
    )
    return [
        *route_lines(list_routes(app, launch.root)),
        "",
        f"{launch.target} is served at {url}",
        f"{database} Press Ctrl-C to end.",
        "",
    ]


def _stand_in() -> App:
    """Return what is served in place of an application that does not start."""
    app = App()

    @app.all("/", "/:path{.+}", guard=public)
    async def explain() -> Response:
        return Response.text("The application does not start. The terminal says why.\n", 503)

    return app
