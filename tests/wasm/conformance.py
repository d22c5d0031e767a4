"""Runs the cases that conformance.mjs asks for, inside Pyodide. Knows no case."""

import traceback
from typing import Any

from framework.workers.d1 import D1Database
from framework.workers.env import WorkerEnv
from tests.conformance import database_cases, storage_cases
from tests.conformance.database_cases import CASES
from tests.conformance.storage_cases import STORAGE_CASES
from tests.wasm.binding_cases import BINDING_CASES
from tests.wasm.d1_cases import D1_CASES, Platform
from tests.wasm.queue_cases import QUEUE_CASES

__all__ = ["RESET", "SCHEMA", "names", "run"]

SCHEMA = database_cases.SCHEMA
"""The tables of the cases of `Database`, a statement each; the others' are those of schema.sql."""

RESET = (*database_cases.RESET, *storage_cases.RESET)
"""Empties all tables."""


def names() -> list[str]:
    """Return the name of every case, in order."""
    return [*CASES, *D1_CASES, *STORAGE_CASES, *QUEUE_CASES, *BINDING_CASES]


async def run(name: str, binding: Any, fakes: Any) -> str | None:
    """Run one case and return its traceback, or None when it passed."""
    try:
        if name in CASES:
            await CASES[name](D1Database(binding))
        elif name in STORAGE_CASES:
            await STORAGE_CASES[name](D1Database(binding))
        elif name in QUEUE_CASES:
            await QUEUE_CASES[name](fakes)
        elif name in BINDING_CASES:
            await BINDING_CASES[name](fakes.env(binding))
        else:
            await D1_CASES[name](Platform(D1Database, WorkerEnv, binding, fakes))
    except Exception:
        return traceback.format_exc()
    return None
