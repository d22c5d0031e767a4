"""Compares what an app runs at crons and queues with what `wrangler.toml` triggers. Imports no app.

Run by `import_check.py` on what is staged, so it needs nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["mismatches"]

NAME = "wrangler.toml"


def mismatches(
    settings: Mapping[str, Any], crons: Collection[str], queues: Collection[str]
) -> Iterator[str]:
    """Yield a sentence for each trigger that only one of the two sides has.

    *settings* are what ``wrangler.toml`` says, as `configuration.py` reads them; the environments
    in them count as well, since each has triggers of its own. *crons* and *queues* are those that
    the app has a function for.
    """
    places = [settings, *settings.get("env", {}).values()]
    scheduled = {cron for place in places for cron in place.get("triggers", {}).get("crons", ())}
    consumed = {
        str(consumer["queue"])
        for place in places
        for consumer in place.get("queues", {}).get("consumers", ())
    }
    for cron in sorted(set(crons) - scheduled):
        yield f"@app.cron({cron!r}) never runs: {NAME} does not list it under [triggers] crons"
    for cron in sorted(scheduled - set(crons)):
        yield f"{NAME} triggers the cron {cron!r}, and no function runs at it: @app.cron({cron!r})"
    for queue in sorted(set(queues) - consumed):
        yield (
            f"@app.queue({queue!r}) gets nothing: {NAME} has no [[queues.consumers]] with"
            f' queue = "{queue}"'
        )
    for queue in sorted(consumed - set(queues)):
        yield f"{NAME} consumes the queue {queue!r}, and no function does: @app.queue({queue!r})"
