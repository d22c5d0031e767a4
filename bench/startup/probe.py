"""Imports the Worker that is called `measured`, and writes down what that took. Stands as its main module."""

import importlib
import json
import sys
from time import perf_counter

import workers  # noqa: F401  the platform's: whatever it imports is no Worker's doing

bootstrap = importlib._bootstrap  # type: ignore[attr-defined]  # private
load = bootstrap._load_unlocked
own: dict[str, float] = {}
inner = [0.0]


def timed_load(spec):  # type: ignore[no-untyped-def]  # as importlib's
    """Load one module; its own time is that without what it imports in turn."""
    started = perf_counter()
    inner.append(0.0)
    try:
        return load(spec)
    finally:
        took = perf_counter() - started
        own[spec.name] = took - inner.pop()
        inner[-1] += took


def take(*names: str) -> float:
    """Import *names* and return the seconds."""
    started = perf_counter()
    for name in names:
        importlib.import_module(name)
    return perf_counter() - started


before = set(sys.modules)
libraries = take(*LIBRARIES)  # type: ignore[name-defined]  # noqa: F821  __main__.py writes it above
of_libraries = set(sys.modules) - before
bootstrap._load_unlocked = timed_load
app = take("measured")
bootstrap._load_unlocked = load
of_app = set(sys.modules) - before - of_libraries

Default = sys.modules["measured"].Default
REPORT = json.dumps(
    {
        "libraries_ms": libraries * 1000,
        "app_ms": app * 1000,
        "library_modules": sorted(of_libraries),
        "app_modules": {name: own.get(name, 0.0) * 1000 for name in sorted(of_app)},
    }
)
