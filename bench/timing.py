"""Times what a refusal tells: ``python -m bench.timing [--rounds N]``.

In Lucia v2 an unknown name was refused in 0.03 ms and a wrong password in 91 ms, so that anybody
could ask who has an account. Here both are asked for in turn, through the reference app on SQLite,
and the medians are compared. A test cannot pin this: it counts the hashes.
"""

import argparse
import asyncio
import random
import secrets
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

__all__ = ["KINDS", "measure"]

ROOT = Path(__file__).parents[1]

KINDS = ("wrong password", "unknown name")

ALLOWED = 0.10
"""How far the medians may lie apart, of the larger one."""

Ask = Callable[[str, str], Awaitable[int]]
"""Tries to sign in with a name and a password, and returns the status."""


async def measure(ask: Ask, names: list[str], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of *rounds* refusals of each kind, the kinds in random turn.

    *names* have accounts; each is tried at most eight times, since ten are allowed.
    """
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in random.sample(KINDS, len(KINDS)):
            known = kind == "wrong password"
            name = names[number // 8] if known else f"nobody{secrets.token_hex(4)}"
            started = time.perf_counter()
            status = await ask(name, secrets.token_hex(8))
            times[kind].append((time.perf_counter() - started) * 1000)
            if status != 401:
                raise SystemExit(f"{kind}: answered {status}, not 401")
    return times


async def _in_process(rounds: int) -> dict[str, list[float]]:
    from app import app  # the reference app, read where it is measured alone
    from framework.local.sqlite import SQLiteDatabase

    database = SQLiteDatabase()
    database.apply_schema((ROOT / "schema.sql").read_text("utf-8"))
    env = {"DB": database}

    async def post(path: str, name: str, password: str) -> int:
        content = {"username": name, "password": password}
        return (await app.request("POST", path, json=content, env=env)).status

    names = [f"person{number}" for number in range(rounds // 8 + 1)]
    for name in names:
        status = await post("/sign-up", name, secrets.token_hex(8))
        if status != 201:
            raise SystemExit(f"signing up answered {status}")
    for _ in range(8):  # what is only slow once is not measured
        await post("/sign-in", "nobody", "nothing at all")
    try:
        return await measure(lambda name, word: post("/sign-in", name, word), names, rounds)
    finally:
        database.close()


def _report(times: dict[str, list[float]]) -> bool:
    """Print the medians; return whether they are as near as they have to be."""
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    for kind, values in times.items():
        first, _, third = statistics.quantiles(values, n=4)
        print(
            f"{kind:15} median {medians[kind]:7.2f} ms   quartiles {first:.2f} to {third:.2f}"
            f"   of {len(values)}"
        )
    low, high = sorted(medians.values())
    apart = (high - low) / high
    print(f"apart: {apart:.1%} of the larger one; allowed: {ALLOWED:.0%}")
    return apart <= ALLOWED


def main() -> int:
    """Measure and report; return 1 where the two can be told apart."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=80, help="refusals of each kind")
    options = parser.parse_args()
    return 0 if _report(asyncio.run(_in_process(options.rounds))) else 1


if __name__ == "__main__":
    sys.exit(main())
