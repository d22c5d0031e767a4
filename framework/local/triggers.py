"""Compares what an app runs at crons and queues with what `wrangler.toml` triggers. Imports no app.

Run by `trial.py` on what is staged, so it needs nothing but the standard library.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

__all__ = ["mismatches"]


def mismatches(
    configuration: Path, crons: Collection[str], queues: Collection[str]
) -> Iterator[str]:
    """Yield a sentence for each trigger that only one of the two sides has.

    *crons* and *queues* are those that the app has a function for. The environments that
    *configuration* names count as well, since each has triggers of its own. Yields nothing where
    there is no such file.
    """
    if not configuration.is_file():
        return
    settings = tomllib.loads(configuration.read_text("utf-8"))
    places = [settings, *settings.get("env", {}).values()]
    scheduled = {cron for place in places for cron in _table(place, "triggers").get("crons", ())}
    consumed = {
        str(consumer.get("queue"))
        for place in places
        for consumer in _table(place, "queues").get("consumers", ())
    }
    name = configuration.name
    for cron in sorted(set(crons) - scheduled):
        yield f"@app.cron({cron!r}) never runs: {name} does not list it under [triggers] crons"
    for cron in sorted(scheduled - set(crons)):
        yield f"{name} triggers the cron {cron!r}, and no function runs at it: @app.cron({cron!r})"
    for queue in sorted(set(queues) - consumed):
        yield f"@app.queue({queue!r}) gets nothing: {name} names no [[queues.consumers]] for it"
    for queue in sorted(consumed - set(queues)):
        yield f"{name} consumes the queue {queue!r}, and no function does: @app.queue({queue!r})"


def _table(place: dict[str, Any], name: str) -> dict[str, Any]:
    found = place.get(name, {})
    return found if isinstance(found, dict) else {}
