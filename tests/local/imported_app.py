"""Imports an app from its source, as `app` in a folder of its own."""

import importlib
import sys
from pathlib import Path

import pytest

from framework import App

HEAD = """\
import asyncio
from functools import lru_cache
from framework import App, Bindings, Context, Query, Response, Router, Slot, guard, public
from framework.compose import Next
from framework.database import Database
from framework.errors import ConfigurationError, Forbidden, NotFound
app = App(guard=public)
"""
LINES = HEAD.count("\n")


def import_app(patch: pytest.MonkeyPatch, folder: Path, source: str) -> App:
    """Return the app whose module is HEAD and *source*, until *patch* is undone."""
    (folder / "app.py").write_text(f"{HEAD}{source}\n")
    patch.syspath_prepend(folder)
    for name in _own():
        patch.delitem(sys.modules, name)
    app: App = importlib.import_module("app").app
    for name in _own():  # taken out first, so that they are gone where there was none before
        patch.setitem(sys.modules, name, sys.modules.pop(name))
    return app


def _own() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in {"app", "routes"}]
