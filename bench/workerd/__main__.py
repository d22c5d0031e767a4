"""Times Workers on workerd itself, over HTTP: ``python -m bench.workerd [--rounds N] [--only A,B]``.

Every Worker has a server of its own, and one is asked at a time, over eight connections: as many
requests as it answers in so many seconds. A round is every Worker once on one case, in an order that
turns; ratios are taken inside of a round. Answers are checked before anything is timed. Nothing
stands before the Worker, and D1 is Miniflare's, which takes most of the time of whoever asks it.
Before that each is started a few times, and the time until its first answer is taken. Medians and
quartiles go to `bench/results/workerd.json` unless another file is named with ``--out``.
"""

import argparse
import asyncio
import hashlib
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.machine import machine
from bench.worker.__main__ import Samples, summarize
from bench.worker.packages import CONTESTANTS, lay_out, versions
from tests.wasm.launcher import RunningWorker, find_node, serve, serve_with
from tests.wasm.prepare import PINS, ROOT

__all__ = ["main"]

CONNECTIONS = 8
JAVASCRIPT = "hono"
SENT = json.loads((ROOT / "bench" / "worker" / "sent.json").read_text("utf-8"))
"""What `bench.worker` sends and keeps as well; what a browser sends has what Cloudflare adds to it."""

HOST, TOKEN, USER, NOTE = (SENT[each] for each in ("host", "token", "user", "posted"))
BROWSER = {"host": HOST, **SENT["browser"], "referer": f"http://{HOST}/"}
COOKIES = f"theme=dark; auth_session={TOKEN}; __Host-auth_session={TOKEN}"
PATHS = 4096


class Case(NamedTuple):
    """Requests as they are sent, and what has to come back for each, out of JSON."""

    requests: list[bytes]
    answers: list[Any]


def _request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in {**BROWSER, **headers}.items()]
    if body:
        lines += [f"origin: http://{HOST}", "content-type: application/json"]
        lines += [f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def _row(number: int, now: int) -> dict[str, Any]:
    title = f"Note number {number}"
    times = {"created_at": now - number * 1000, "updated_at": now}
    return {"id": number, "user_id": USER["id"], "title": title, "body": SENT["kept"], **times}


def _rows(now: int) -> list[dict[str, Any]]:
    return [_row(number, now) for number in range(1, SENT["rows"] + 1)]


def make_cases(now: int) -> dict[str, Case]:
    """Return the cases by name; *now* is when the rows of the last one were written."""
    users = [{"id": 1000 + i, "name": f"user {1000 + i}"} for i in range(PATHS)]
    shown = {"title": NOTE["title"], "length": len(NOTE["body"]), "tags": len(NOTE["tags"])}
    return {
        "public": Case([_request("GET", f"/users/{user['id']}") for user in users], users),
        "body": Case([_request("POST", "/notes", json.dumps(NOTE).encode())], [shown]),
        "guarded": Case([_request("GET", "/me", cookie=COOKIES)], [USER]),
        "rows": Case([_request("GET", "/notes")], [_rows(now)]),
    }


def fill(worker: RunningWorker, now: int) -> None:
    """Write one session, its user and a hundred notes into its D1."""
    day = 24 * 3600 * 1000
    insert = "INSERT INTO user (id, username, role) VALUES (?, ?, ?)"
    worker.sql(insert, *USER.values())
    worker.sql(
        "INSERT INTO user_session (id, user_id, active_expires, idle_expires, created_at,"
        " authenticated_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(hashlib.sha256(TOKEN.encode()).hexdigest(), USER["id"], now + day, now + 14 * day),
        *(now - day, now - day, now),
    )
    for row in _rows(now):
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        worker.sql(f"INSERT INTO note ({names}) VALUES ({marks})", *row.values())


class Connection:
    """One connection to a Worker, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send *request*; return the status and the body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: ([0-9]+)", head, re.IGNORECASE)
        if length is None:
            raise SystemExit(f"an answer without a length: {head!r}")
        return int(head[9:12]), await self._reader.readexactly(int(length[1]))

    def close(self) -> None:
        """Close it."""
        self._writer.close()


@asynccontextmanager
async def connected(worker: RunningWorker) -> AsyncIterator[list[Connection]]:
    """Open connections to *worker*, which would close those that nobody uses for seconds."""
    address = urlsplit(worker.raw_url)
    connections = [
        Connection(*await asyncio.open_connection(address.hostname, address.port))
        for _ in range(CONNECTIONS)
    ]
    yield connections
    for connection in connections:
        connection.close()


async def verify(name: str, worker: RunningWorker, cases: dict[str, Case]) -> None:
    """End the program where an answer is not what it has to be."""
    async with connected(worker) as [connection, *_]:
        for title, case in cases.items():
            for at in {0, 1 % len(case.requests), len(case.requests) - 1}:
                status, body = await connection.ask(case.requests[at])
                if status != 200 or json.loads(body) != case.answers[at]:
                    raise SystemExit(f"{name} answers {title} wrongly: {status} {body[:300]!r}")


async def drive(worker: RunningWorker, case: Case, seconds: float) -> float:
    """Return the requests a second that *worker* answers."""
    done = 0

    async def ask(connection: Connection) -> None:
        nonlocal done
        while time.perf_counter() - started < seconds:
            status, _ = await connection.ask(case.requests[done % len(case.requests)])
            if status != 200:
                raise SystemExit(f"answered {status} under load")
            done += 1

    async with connected(worker) as connections:
        started = time.perf_counter()
        await asyncio.gather(*map(ask, connections))
        return done / (time.perf_counter() - started)


def serving(name: str) -> AbstractContextManager[RunningWorker]:
    """Return what serves the Worker *name*."""
    if name == JAVASCRIPT:
        return serve_with([find_node(), str(Path(__file__).with_name("serve_hono.mjs"))])
    bundle, *packages = lay_out(name)
    return serve(bundle, overlays=packages)


async def start(names: list[str], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds until the first answer of each Worker, a process each, in turn."""
    took: dict[str, list[float]] = {name: [] for name in names}
    case = make_cases(0)["public"]
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            print(f"\r{turn + 1}/{rounds} starts", end="", file=sys.stderr)
            context = serving(name)
            started = time.perf_counter()
            with context as worker:
                await verify(name, worker, {"public": Case(case.requests[:1], case.answers[:1])})
                took[name].append((time.perf_counter() - started) * 1000)
    return took


async def measure(
    workers: dict[str, RunningWorker], now: int, rounds: int, seconds: float, warm_up: float
) -> Samples:
    """Return requests a second, round by round, by case and Worker."""
    cases = make_cases(now)
    samples: Samples = {case: {name: [] for name in workers} for case in cases}
    for name, worker in workers.items():
        await verify(name, worker, cases)
        for case in cases.values():
            await drive(worker, case, warm_up)
    names = list(workers)
    for turn in range(rounds):
        for title, case in cases.items():
            print(f"\r{turn + 1}/{rounds} {title:8}", end="", file=sys.stderr)
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                samples[title][name].append(await drive(workers[name], case, seconds))
    print(file=sys.stderr)
    return samples


def report(samples: Samples) -> dict[str, Any]:
    """Return, by case and Worker, requests a second and how many times as many Kagari answers."""
    return {
        case: {
            name: {
                "requests_a_second": summarize(values),
                "kagari_is_faster_by": summarize(
                    [own / theirs for own, theirs in zip(taken["kagari"], values, strict=True)]
                ),
            }
            for name, values in taken.items()
        }
        for case, taken in samples.items()
    }


def main(arguments: list[str]) -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.workerd", description=__doc__)
    parser.add_argument(
        "--only", default=",".join((*CONTESTANTS, JAVASCRIPT)), help="names, with commas between"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one sample")
    parser.add_argument("--warm-up", type=float, default=3.0, help="seconds, of each case")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "workerd.json")
    options = parser.parse_args(arguments)
    now = int(time.time() * 1000)
    names = options.only.split(",")
    starts = asyncio.run(start(names, options.starts))
    with ExitStack() as stack:
        workers = {name: stack.enter_context(serving(name)) for name in names}
        for worker in workers.values():
            fill(worker, now)
        times = options.rounds, options.seconds, options.warm_up
        cases = report(asyncio.run(measure(workers, now, *times)))
    node_modules = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    result = {
        "machine": machine(),
        "versions": {name: node_modules[name] for name in ("miniflare", "pyodide", JAVASCRIPT)},
        "packages": {"all": list(PINS), **versions()},
        "rounds": options.rounds,
        "seconds": options.seconds,
        "connections": CONNECTIONS,
        "starts": options.starts,
        "ms_to_the_first_answer": {name: summarize(values) for name, values in starts.items()},
        "cases": cases,
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for case, of_case in cases.items():
        for name, told in of_case.items():
            rate, ratio = told["requests_a_second"], told["kagari_is_faster_by"]
            print(f"{case:8} {name:12} {rate['median']:7.0f} a second, {ratio['median']:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
