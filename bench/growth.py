"""Times the look-up of a session in tables of three sizes: ``python -m bench.growth [--sizes ...]``.

The tables are made by one statement each, in a folder that is removed afterwards. Then each round
looks up sessions drawn at random, in every table in turn, through the same `Database` and the same
statement as a guarded request. CPU time is what counts. 5 million sessions take 2 GB of disk.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random
from time import process_time_ns
from typing import Any

from bench.machine import machine
from bench.router.__main__ import summary
from framework.auth import User
from framework.auth.store import Store
from framework.local.sqlite import SQLiteDatabase

__all__ = ["fill", "main", "measure", "session_id"]

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "growth.json"
SIZES = (1_000, 100_000, 5_000_000)
SESSIONS_OF_A_USER = 5
BATCH = 500

_USERS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
INSERT INTO user (id, username) SELECT printf('%015d', i), printf('user%d', i) FROM n
"""
_SESSIONS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
INSERT INTO user_session (id, user_id, active_expires, idle_expires, user_agent)
SELECT printf('%064x', i * 1000003), printf('%015d', i / ?2), 1900000000000, 1900000000000 + i,
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' FROM n
"""


def session_id(number: int) -> str:
    """Return the id of session *number*: as long as a digest, and no two next to each other."""
    return f"{number * 1000003:064x}"


def fill(path: Path, sessions: int) -> None:
    """Make the tables of schema.sql in *path*, with so many sessions and a fifth as many users."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        connection.executescript((ROOT / "schema.sql").read_text())
        connection.execute("PRAGMA foreign_keys = OFF")
        users = -(-sessions // SESSIONS_OF_A_USER)
        connection.execute(_USERS, (users,))
        connection.execute(_SESSIONS, (sessions, SESSIONS_OF_A_USER))


async def _look_up(database: SQLiteDatabase, store: Store[User], numbers: list[int]) -> float:
    """Return the microseconds that finding one of the sessions takes."""
    started = process_time_ns()
    for number in numbers:
        (result,) = await database.batch([store.find_session([session_id(number)])])
        found = store.read_session(result)
        if found is None or found.user.id != f"{number // SESSIONS_OF_A_USER:015d}":
            raise LookupError(f"session {number} was not found")
    return (process_time_ns() - started) / 1000 / len(numbers)


async def measure(folder: Path, sizes: list[int], rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of a look-up, round by round, by the number of sessions."""
    store = Store(User)
    random = Random(5)
    databases = {}
    for size in sizes:
        path = folder / f"{size}.sqlite3"
        fill(path, size)
        databases[size] = SQLiteDatabase(path)
        print(f"{size:,} sessions: {path.stat().st_size / 1024**2:,.0f} MiB", flush=True)
    took: dict[str, list[float]] = {str(size): [] for size in sizes}
    for turn in range(-1, rounds):  # the first warms up
        for size in sizes[turn % len(sizes) :] + sizes[: turn % len(sizes)]:
            numbers = [random.randrange(size) for _ in range(BATCH)]
            sample = await _look_up(databases[size], store, numbers)
            if turn >= 0:
                took[str(size)].append(sample)
    for database in databases.values():
        database.close()
    return took


def main() -> None:
    """Measure, print the table and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path, default=RESULT, help="where to write the result")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kagari-growth-") as folder:
        took = asyncio.run(measure(Path(folder), options.sizes, options.rounds))
    rows: dict[str, Any] = {size: summary(samples) for size, samples in took.items()}
    result = {
        "machine": machine(),
        "sqlite": sqlite3.sqlite_version,
        "rounds": options.rounds,
        "batch": BATCH,
        "microseconds": rows,
    }
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print("\n| sessions | µs a look-up: median (quartiles) |\n|---:|---:|")
    for size, (low, middle, high) in rows.items():
        print(f"| {int(size):,} | {middle:.1f} ({low:.1f} to {high:.1f}) |")


if __name__ == "__main__":
    main()
