"""Looks for all that may be wrong in an app that was imported: for the build, and for the local server."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from framework.application import App
from framework.local.assets import find_hidden
from framework.local.deployments import bound_names
from framework.local.environ_reads import find_environ_reads
from framework.local.misnamed import find_misnamed
from framework.local.misuse import find_misuse
from framework.local.program import is_a, modules
from framework.local.queued import find_queued, queues_of
from framework.local.scope import scopes_of
from framework.local.shared_waits import find_shared_waits
from framework.local.unasked import find_unasked
from framework.local.unbound import find_unbound
from framework.local.unescaped import find_unescaped
from framework.local.unmounted import find_unmounted
from framework.local.unprepared import find_unprepared
from framework.local.unpurged import find_unpurged
from framework.local.workers_cache import find_kept
from framework.local.writing_reads import find_writing_reads

__all__ = ["Mistakes", "find_mistakes"]


class Mistakes(NamedTuple):
    """A sentence for each, with its place."""

    misused: list[str]
    """What fails, or does nothing."""
    unbound: list[str]
    """What is asked of the deployment, and is not there."""
    doubtful: list[str]
    """What may be meant."""


def find_mistakes(
    app: Any, folder: Path, root: Path, settings: Mapping[str, Any] | None
) -> Mistakes:
    """Return what is found in *app*, whose modules are in *folder*, and whose project is in *root*.

    *settings* are what ``wrangler.toml`` says, as `configuration.py` reads it; None where there is none.
    """
    found = [*modules(folder)]
    scopes = scopes_of(found, app, [*_stores(settings or {})])
    doubtful = [*find_unmounted(found), *find_shared_waits(found), *find_environ_reads(found)]
    doubtful += find_unescaped(scopes, app)
    doubtful += find_unprepared(found, scopes, root, settings or {})
    doubtful += [*find_misnamed(app), *find_unasked(app)] if is_a(app, App) else []
    doubtful += find_writing_reads(found, app)
    unbound: list[str] = []
    if settings is not None:
        unbound, may_be_unbound = find_unbound(found, scopes, app, settings)
        doubtful += [*may_be_unbound, *find_kept(app, settings)]
        doubtful += [*find_hidden(app, root, settings), *find_unpurged(found)]
    misused = find_misuse(found, scopes, app)
    misused += find_queued(scopes, queues_of(settings or {}))
    return Mistakes(misused, unbound, doubtful)


def _stores(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the KV namespaces and the buckets, those of environments too."""
    for place in (settings, *settings.get("env", {}).values()):
        for table in ("kv_namespaces", "r2_buckets"):
            yield from bound_names(place, table, "binding")
