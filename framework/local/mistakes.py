"""Looks for all that may be wrong in an app that was imported: for the build, and for the local server."""

import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from framework.application import App
from framework.local.assets import find_hidden
from framework.local.deployments import bound_anywhere
from framework.local.environ_reads import find_environ_reads
from framework.local.loading import relative
from framework.local.misnamed import find_misnamed
from framework.local.misuse import find_misuse
from framework.local.program import is_a, modules
from framework.local.queued import find_queued
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
    later: list[str]
    """The same, where it matters once the app is deployed, and nobody is told before."""


def find_mistakes(
    app: Any, folder: Path, root: Path, settings: Mapping[str, Any] | None
) -> Mistakes:
    """Return what is found in *app*, whose modules are in *folder*, and whose project is in *root*.

    *settings* are what ``wrangler.toml`` says, as `configuration.py` reads it; None where there is none.
    """
    doubtful: list[str] = []

    def ask(check: Callable[..., Iterable[Any]], *given: Any) -> list[Any]:
        try:
            return [*check(*given)]
        except Exception as problem:  # the check's own, whatever it is: the app may be right
            place = traceback.extract_tb(problem.__traceback__)[-1]
            why = f"{type(problem).__name__} in {place.filename}:{place.lineno}"
            doubtful.append(f"{check.__name__} of Kagari's ended with {why}: please report it")
            return []

    known = settings or {}
    found = ask(modules, folder)
    stores = [*bound_anywhere(known, "kv_namespaces"), *bound_anywhere(known, "r2_buckets")]
    scopes = ask(scopes_of, found, app, stores)
    doubtful += [*ask(find_unmounted, found), *ask(find_shared_waits, found)]
    doubtful += ask(find_environ_reads, found)
    doubtful += ask(find_unescaped, scopes, app)
    doubtful += ask(find_unprepared, found, scopes, root, known)
    doubtful += [*ask(find_misnamed, app), *ask(find_unasked, app)] if is_a(app, App) else []
    doubtful += ask(find_writing_reads, found, app)
    unbound: list[str] = []
    later: list[str] = []
    if settings is not None:
        unbound, may_be_unbound = ask(find_unbound, found, scopes, app, settings) or ([], [])
        doubtful += [*may_be_unbound, *ask(find_kept, app, settings)]
        doubtful += ask(find_hidden, app, root, settings)
        later = ask(find_unpurged, found)
    misused = ask(find_misuse, found, scopes, app)
    misused += ask(find_queued, scopes, bound_anywhere(known, "producers", "queues"))
    # Where the app says its places itself, they are in full.
    return Mistakes(
        *([relative(each, folder) for each in told] for told in (misused, unbound, doubtful, later))
    )
