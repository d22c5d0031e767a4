"""The applications of one adapter, started and verified, ready to be called. Knows no clock."""

import asyncio
import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from bench.asgi.client import ASGI, Lifespan, call_each, exchange
from bench.asgi.workloads import EXTRAS, WORKLOADS, Answer, Request, Workload

__all__ = ["ADAPTERS", "Serving", "WrongAnswer", "selected"]

ADAPTERS = (
    "raw",
    "kagari",
    "muffin",
    "blacksheep",
    "falcon",
    "starlette",
    "emmett55",
    "litestar",
    "sanic",
    "fastapi",
    "quart",
)

CHECKED = 64
"""How many of a workload's answers are looked at, evenly spread, before it is timed."""


class WrongAnswer(Exception):
    """An application does not do what the others do, so that its time would mean nothing."""


class Serving:
    """One adapter's applications in one event loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop()
        self._adapter: Any = import_module(f"bench.asgi.adapters.{name}")
        self._apps: dict[str, ASGI] = {}
        self._lifespans: list[Lifespan] = []

    def has(self, workload: Workload) -> bool:
        """Return whether the adapter takes part in *workload*."""
        return self._maker(workload) is not None

    def app(self, workload: Workload) -> ASGI:
        """Return the application of *workload*, started."""
        if workload.app not in self._apps:
            app: ASGI = self._maker(workload)()
            lifespan = Lifespan(app)
            self.loop.run_until_complete(lifespan.start())
            self._lifespans.append(lifespan)  # kept, since its task runs on
            self._apps[workload.app] = app
        return self._apps[workload.app]

    def call(self, workload: Workload, requests: Sequence[Request]) -> None:
        """Let the application answer *requests*."""
        self.loop.run_until_complete(call_each(self.app(workload), requests))

    def verify(self, workload: Workload) -> None:
        """Raise `WrongAnswer` unless the answers are right, and what is to be refused is."""
        app = self.app(workload)
        exchanges = workload.exchanges()
        for request, expected in exchanges[:: len(exchanges) // CHECKED]:
            self._check(workload, app, request, expected)
        if workload.app == "small":
            for request, statuses in EXTRAS:
                status, _, body = self.loop.run_until_complete(exchange(app, request))
                if status not in statuses:
                    raise WrongAnswer(f"{self.name}: {request.scope['path']}: {status} {body!r}")

    def close(self) -> None:
        """Let the event loop go, and what the applications started in it."""
        for lifespan in self._lifespans:
            lifespan.stop()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _maker(self, workload: Workload) -> Any:
        fallback = self._adapter.headers if workload.app == "highlevel" else None
        return getattr(self._adapter, workload.app, fallback)

    def _check(self, workload: Workload, app: ASGI, request: Request, expected: Answer) -> None:
        status, pairs, body = self.loop.run_until_complete(exchange(app, request))
        quirks = self._adapter.QUIRKS
        headers = dict(pairs)
        found = (status, pairs, body)
        right = [status == quirks.get(workload.name, expected.status)]
        if expected.media_type is not None:
            right.append(headers["content-type"].startswith(expected.media_type))
        if expected.body is not None:
            is_json = expected.media_type == "application/json"
            right.append((json.loads(body) if is_json else body.decode()) == expected.body)
        if "no content-length" not in quirks:
            right.append(headers.get("content-length") == str(len(body)))
        if status == 405 and "no allow" not in quirks:
            right.append("GET" in headers.get("allow", ""))
        right += [headers.get(name) == value for name, value in expected.headers.items()]
        if not all(right):
            raise WrongAnswer(f"{self.name}: {workload.name}: {found} is not {expected}: {right}")


def selected(names: str) -> list[Workload]:
    """Return the workloads that a comma-separated list names; all for an empty one."""
    return [WORKLOADS[name] for name in names.split(",") if name] or list(WORKLOADS.values())
