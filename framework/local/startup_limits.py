"""Takes from this process what a starting Worker lacks: chance, and a clock that moves.

Chance is refused as workerd refuses it, by the same errors, and by the name of what was called;
what workerd lets through (a `Random` with a seed, the names of temporary files) comes through here.
Clocks stand at 0 in a starting Worker. That is no error there. But a module that reads one expects
the real time, so they are refused to the staged modules; packages may read them.
"""

from __future__ import annotations

import _random
import itertools
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from types import FrameType
from typing import Any, NoReturn

__all__ = ["forbid_clocks", "forbid_randomness"]

_CHANCE = "randomness is not allowed while a Worker is starting: draw it in the request"
_CLOCK = "the clock stands still while a Worker is starting: read it in the request"

_CLOCKS = ("time", "monotonic", "perf_counter")
_CALENDARS = {"localtime": 0, "gmtime": 0, "ctime": 0, "strftime": 1, "asctime": 0}
"""Functions that tell the present time unless they are given one, each with the place of that argument."""


# --- Chance --------------------------------------------------------------------------------------


def forbid_randomness() -> Callable[[], None]:
    """Refuse randomness, as workerd does until the first request.

    Returns a function that raises `RuntimeError` if some was drawn all the same, as workerd does
    then.
    """
    hidden = random._inst  # workerd compares its state as well
    read_state = hidden.getstate
    before = read_state()
    for name, function in list(vars(random).items()):
        if getattr(function, "__self__", None) is hidden:
            setattr(random, name, _refusing(RuntimeError, f"random.{name}()"))
    _refuse_entropy()
    _refuse_seeds()
    # What comes to the same in the Worker: names that are no secret, an id that takes the clock alone.
    names = map(f"{os.getpid()}-{{}}".format, itertools.count())
    tempfile._RandomNameSequence = lambda: names  # type: ignore[attr-defined]  # private
    uuid._generate_time_safe = None  # type: ignore[attr-defined]  # private

    def check() -> None:
        if read_state() != before:
            raise RuntimeError(f"random: {_CHANCE}")

    return check


def _refusing(error: type[Exception], call: str) -> Callable[..., NoReturn]:
    def refuse(*_arguments: object, **_named: object) -> NoReturn:
        raise error(f"{call}: {_CHANCE}")

    return refuse


def _refuse_entropy() -> None:
    """Refuse what the system draws, to all but one module, which has no use for it in the Worker."""
    refuse = _refusing(OSError, "os.urandom()")

    def draw(size: int, *_: object) -> bytes:
        if sys._getframe(1).f_globals.get("__name__") != "multiprocessing.process":
            refuse()
        return bytes(size)

    for module in (os, sys.modules[os.name]):
        for name in ("urandom", "getrandom"):
            if hasattr(module, name):
                setattr(module, name, draw)
    random._urandom = draw  # type: ignore[attr-defined]  # private


def _refuse_seeds() -> None:
    """Refuse a `Random` that seeds itself. With a seed, its numbers are the same each time anyway."""
    seed = _random.Random.seed
    refuse = _refusing(OSError, "random.Random() without a seed")

    def seed_with(self: _random.Random, value: Any = None, /) -> None:
        if value is None:
            refuse()
        seed(self, value)

    _random.Random.seed = seed_with  # type: ignore[method-assign]  # it refuses


# --- Clocks --------------------------------------------------------------------------------------


def forbid_clocks(folder: str) -> None:
    """Refuse the time to the modules in *folder*."""
    for name in (*_CLOCKS, *[f"{name}_ns" for name in _CLOCKS]):
        setattr(time, name, _guarded(name, getattr(time, name), folder))
    for name, place in _CALENDARS.items():
        setattr(time, name, _guarded(name, getattr(time, name), folder, place))

    def watch(frame: FrameType, event: str, called: Any) -> None:
        # The methods of a type in C can't be replaced. Python reports each call of one, though.
        name = getattr(called, "__name__", None) if event == "c_call" else None
        if name in {"now", "utcnow"} and frame.f_code.co_filename.startswith(folder):
            owner = called.__self__
            if isinstance(owner, type) and issubclass(owner, datetime):
                raise RuntimeError(f"datetime.{name}(): {_CLOCK}")

    sys.setprofile(watch)


def _guarded(
    name: str, clock: Callable[..., Any], folder: str, place: int = sys.maxsize
) -> Callable[..., Any]:
    """Return *clock*, refused to what is in *folder* unless it is given a time, as argument *place*."""

    def read(*arguments: Any) -> Any:
        # Called from C (`date.today`), it sees the frame of whoever called that.
        asks = len(arguments) <= place or arguments[place] is None
        if asks and sys._getframe(1).f_code.co_filename.startswith(folder):
            raise RuntimeError(f"time.{name}(): {_CLOCK}")
        return clock(*arguments)

    return read
