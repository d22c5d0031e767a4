"""The command ``kagari``: what can be asked for, and how the answer is shown.

Each subcommand imports what it needs inside: what is heavy for one stays out of the others.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from framework import __version__
from framework.local.command_error import CommandError

__all__ = ["main"]

_PACKAGES = {"argon2": "argon2-cffi", "uvicorn": "uvicorn", "watchfiles": "watchfiles"}
"""Modules that commands need and this Python may lack, each with the package that it comes in."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what *arguments* say (those of the command line unless given), and return the exit code."""
    asked = _parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        # What is redirected is for programs, which read UTF-8; on Windows it would be in a code page.
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    try:
        code: int = asked.command(asked)
    except CommandError as failure:
        if asked.traceback:
            raise
        sys.stderr.write(f"kagari {asked.name}: {failure}\n")
        return 1
    except ModuleNotFoundError as missing:
        package = _PACKAGES.get((missing.name or "").partition(".")[0])
        if package is None or asked.traceback:
            raise
        sys.stderr.write(
            f"kagari {asked.name}: this Python lacks {package}: use .venv/bin/kagari, which `make dev`"
            f" makes, or pip install {package}\n"
        )
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


# --- What can be asked for -----------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kagari", description="Serve, list and check an app.")
    parser.add_argument("--version", action="version", version=f"kagari {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def add(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--traceback", action="store_true", help="show where an error came from")
        added.set_defaults(command=command)
        return added

    dev = add("dev", _dev, "serve on this machine, restarting after every change")
    serve = add("serve", _serve, "serve on this machine")
    cron = add("cron", _cron, "run what is due at a cron schedule now, on the local database")
    routes = add("routes", _routes, "list the routes: guard, the D1 statements it runs, handler")
    access = add("access", _access, "list who may reach what, one line per route")
    openapi = add("openapi", _openapi, "print the app's OpenAPI 3.1 document")
    openapi.add_argument("--title", default="API", help="the document's title; API unless given")
    openapi.add_argument("--api-version", default="0", metavar="VERSION", help="its version")
    openapi.add_argument("--host", help="include the routes of this host")
    add("build", _build, "stage what is uploaded into build/worker")
    add("check", _check, "stage, and list what would be uploaded")
    add("doctor", _doctor, "check the tools that make worker and make deploy need")
    hash_cost = add(
        "hash-cost", _hash_cost, "measure what hashing a password costs on this machine"
    )
    hash_cost.add_argument(
        "--rounds", type=_count, default=7, help="hashes per set of parameters; default: 7"
    )
    for listed in (dev, serve, cron, routes, access, openapi):
        listed.add_argument("--app", default="app:app", metavar="MODULE:NAME", help="the app")
    for serving in (dev, serve):
        serving.add_argument(
            "--port", type=int, help="default: $PORT, else 8787; 0 picks a free one"
        )
    for serving in (dev, serve, cron):
        serving.add_argument(
            "--database",
            type=Path,
            metavar="FILE",
            help="the SQLite file; default: $KAGARI_DATABASE",
        )
        serving.add_argument(
            "--var",
            action="append",
            default=[],
            type=_variable,
            metavar="NAME:VALUE",
            help="one more variable among the bindings; may be repeated",
        )
    cron.add_argument("schedule", nargs="?", help="one of the app's schedules; default: all")
    serve.add_argument("--json-ready", action="store_true", help='print {"url": …} when ready')
    serve.add_argument("--supervised", help=argparse.SUPPRESS)
    serve.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    routes.add_argument("--json", action="store_true", help="as JSON, for programs")
    return parser


def _variable(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise argparse.ArgumentTypeError("write NAME:VALUE")
    return name, value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 0 < int(text) <= 1000):
        raise argparse.ArgumentTypeError("write a number from 1 to 1000")
    return int(text)


# --- The commands --------------------------------------------------------------------------------


def _dev(asked: argparse.Namespace) -> int:
    from framework.local.launch import develop

    develop(_launch(asked), _port(asked))
    return 0


def _serve(asked: argparse.Namespace) -> int:
    from framework.local.launch import serve_once, serve_supervised

    if asked.supervised is None:
        serve_once(_launch(asked), _port(asked), as_json=asked.json_ready)
    else:
        serve_supervised(_launch(asked), asked.supervised, is_again=asked.again)
    return 0


def _cron(asked: argparse.Namespace) -> int:
    from framework.local.launch import run_crons

    return _print(f"{schedule} ran" for schedule in run_crons(_launch(asked), asked.schedule))


def _launch(asked: argparse.Namespace) -> Any:
    from framework.local.environment import DEFAULT_DATABASE
    from framework.local.launch import Launch

    database = asked.database or os.environ.get("KAGARI_DATABASE") or DEFAULT_DATABASE
    return Launch(asked.app, Path.cwd(), Path(database), dict(asked.var))


def _port(asked: argparse.Namespace) -> int:
    if asked.port is not None:
        return int(asked.port)
    text = os.environ.get("PORT") or "8787"
    if not (text.isascii() and text.isdecimal()):
        raise CommandError(f"PORT is {text!r}, which is not a number")
    return int(text)


def _routes(asked: argparse.Namespace) -> int:
    from framework.local.listing import list_routes, route_lines
    from framework.local.loading import load_app

    routes = list_routes(load_app(asked.app, Path.cwd()), Path.cwd())
    return _print_json(routes) if asked.json else _print(route_lines(routes))


def _access(asked: argparse.Namespace) -> int:
    from framework.local.listing import access_lines
    from framework.local.loading import load_app

    return _print(access_lines(load_app(asked.app, Path.cwd())))


def _openapi(asked: argparse.Namespace) -> int:
    from framework.errors import ConfigurationError
    from framework.local.loading import load_app
    from framework.openapi import describe

    app = load_app(asked.app, Path.cwd())
    try:
        document = describe(app, title=asked.title, version=asked.api_version, host=asked.host)
    except ConfigurationError as error:
        raise CommandError(str(error)) from error
    return _print_json(document)


def _build(_asked: argparse.Namespace) -> int:
    return _print([str(_stage())])


def _check(_asked: argparse.Namespace) -> int:
    staged = _stage()
    sizes = [(staged.folder / name).stat().st_size for name in staged.files]
    width = max(len(str(size)) for size in sizes)
    listed = zip(sizes, staged.files, strict=True)
    return _print([*(f"{size:>{width}}  {name}" for size, name in listed), str(staged)])


def _stage() -> Any:
    from framework.local.stage import StageError, stage

    try:
        return stage(Path.cwd())
    except StageError as error:
        raise CommandError(str(error)) from error


def _doctor(_asked: argparse.Namespace) -> int:
    from framework.local.doctor import examine, tools

    findings = [examine(tool, Path.cwd()) for tool in tools()]
    _print(f"{'ok  ' if finding.is_good else 'FAIL'}  {finding.text}" for finding in findings)
    return 0 if all(finding.is_good for finding in findings) else 1


def _hash_cost(asked: argparse.Namespace) -> int:
    from framework.local.hash_cost import cost_lines

    return _print(cost_lines(asked.rounds))


def _print_json(value: Any) -> int:
    import msgspec

    return _print([msgspec.json.format(msgspec.json.encode(value)).decode()])


def _print(lines: Iterable[str]) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
