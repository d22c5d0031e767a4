"""Runs the cases in Pyodide, in Node or in workerd. Knows no case."""

import traceback
from collections.abc import Awaitable
from typing import Any

from framework.workers.d1 import D1Database
from framework.workers.env import WorkerEnv
from tests.conformance import database_cases, storage_cases
from tests.conformance.database_cases import CASES
from tests.conformance.storage_cases import STORAGE_CASES
from tests.wasm.binding_cases import BINDING_CASES
from tests.wasm.d1_cases import D1_CASES, Platform
from tests.wasm.queue_cases import QUEUE_CASES

__all__ = ["RESET", "SCHEMA", "names", "run", "run_inside"]

SCHEMA = database_cases.SCHEMA
"""The tables of the cases of `Database`, a statement each; the others' are those of schema.sql."""

RESET = (*database_cases.RESET, *storage_cases.RESET)
"""Empties all tables."""


def names() -> list[str]:
    """Return the name of every case that is run in Node, in order."""
    return [*D1_CASES, *QUEUE_CASES]


async def run(name: str, binding: Any, fakes: Any) -> str | None:
    """Run one case in Node and return its traceback, or None when it passed."""
    if name in QUEUE_CASES:
        return await _tell(QUEUE_CASES[name](fakes))
    return await _tell(D1_CASES[name](Platform(D1Database, WorkerEnv, binding, fakes)))


async def run_inside(name: str, env: Any) -> str | None:
    """Run one case in workerd, on empty tables, and return its traceback, or None when it passed."""
    await env.DB.exec(";\n".join(RESET))
    if name in BINDING_CASES:
        return await _tell(BINDING_CASES[name](env))
    return await _tell({**CASES, **STORAGE_CASES}[name](WorkerEnv(env)["DB"]))


async def _tell(case: Awaitable[None]) -> str | None:
    try:
        await case
    except Exception:
        return traceback.format_exc()
    return None
