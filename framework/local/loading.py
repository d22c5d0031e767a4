"""Imports an application and says, in one sentence with file and line, why that fails."""

import os
import sys
import traceback
from collections.abc import Iterable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from types import FrameType

from framework.application import App
from framework.errors import ConfigurationError
from framework.local.advice import advise
from framework.local.command_error import CommandError

__all__ = ["LoadError", "load_app", "place_of", "relative"]

_FRAMEWORK = str(Path(__file__).parents[1])


class LoadError(CommandError):
    """The application cannot be imported; the message says where and why."""


def load_app(target: str, root: Path) -> App:
    """Return the application that *target*, ``module:name``, names in the folder *root*.

    Puts *root* on the import path. What the import prints is a log, and goes to standard error: a
    program may read the rest. Raises `LoadError`.
    """
    module_name, _, name = target.partition(":")
    if not module_name or not name:
        raise LoadError(f"{target!r} names no application: write MODULE:NAME, such as app:app")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        with redirect_stdout(sys.stderr):
            module = import_module(module_name)
    except (Exception, SystemExit) as error:
        raise LoadError(_explain(error, module_name, root)) from error
    app = getattr(module, name, None)
    if not isinstance(app, App):
        raise LoadError(f"{relative(module.__file__ or module_name, root)}: {name} is no App")
    return app


def relative(text: str, root: Path) -> str:
    """Return *text* with the paths below *root* shortened."""
    return text.replace(f"{root}{os.sep}", "")


def _explain(error: Exception | SystemExit, module_name: str, root: Path) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == module_name:
        where = "run kagari where app.py is, or " if module_name == "app" else ""
        return (
            f"there is no module {module_name} in {root}: {where}say which with --app MODULE:NAME"
        )
    if isinstance(error, SyntaxError):
        where = f"{error.filename}:{error.lineno}"
        place = where if error.filename else _place(error)  # null bytes: of the import alone
        text = f"{type(error).__name__}: {error.msg}"
    else:
        advice = advise(error)
        place, text = _place(error), f"{type(error).__name__}: {error}" + (advice and f": {advice}")
    if isinstance(error, ConfigurationError):
        text = str(error)
        if place.rpartition(":")[0] in text or not place:
            return relative(text, root)
    return relative(f"{place}: {text}" if place else text, root)


def _place(error: Exception | SystemExit) -> str:
    return place_of(traceback.walk_tb(error.__traceback__))


def place_of(frames: Iterable[tuple[FrameType, int]]) -> str:
    """Return file and line of the last step that is neither the framework's nor a library's."""
    ours = [
        frame
        for frame in traceback.StackSummary.extract(frames, lookup_lines=False)
        if not frame.filename.startswith((_FRAMEWORK, "<", sys.prefix, sys.base_prefix))
    ]
    return f"{ours[-1].filename}:{ours[-1].lineno}" if ours else ""
