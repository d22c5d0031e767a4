"""Finds what `wrangler.toml` would deploy and no Worker could run with. Knows no application.

What is wrong at its top level is seen on the local server, which has the bindings from there. What is
wrong in an environment of `[env]` is seen first where it is deployed: it inherits no binding.

Run by `stage.py`, so it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["DeploymentError", "bound_anywhere", "check_deployments"]

FILE = "wrangler.toml"

Table = Mapping[str, Any]

# Python 3.14, which `import_check.py` compares with; source: metadata.py of workers-py.
_PYTHON_SINCE = "2026-09-08"
_PYTHON_FLAG = "python_workers_314"

# Where the names of bindings stand, each with its key. Environments inherit none of these from the top level.
_BOUND = {
    "analytics_engine_datasets": "binding",
    "d1_databases": "binding",
    "hyperdrive": "binding",
    "kv_namespaces": "binding",
    "r2_buckets": "binding",
    "ratelimits": "name",
    "send_email": "name",
    "services": "binding",
    "vectorize": "binding",
}
_SECRET = re.compile(r"(?:.*_)?(?:SECRET|PASSWORD)", re.IGNORECASE)


class DeploymentError(ValueError):
    """A deployment of the settings would not run; the message says which, and what to write."""


def check_deployments(settings: Table, root: Path) -> list[str]:
    """Return what a person should know before *settings* are deployed, since it may be meant.

    *settings* are what ``wrangler.toml`` in *root* says, as `configuration.py` reads it. Raises
    `DeploymentError` for what cannot be meant, in each of the environments as well.
    """
    problem = next(_problems(settings, root), None)
    if problem is not None:
        raise DeploymentError(f"{FILE}: {problem}")
    return [f"{FILE}: {note}" for note in _notes(settings)]


def bound_anywhere(settings: Table, table: str, section: str = "") -> list[str]:
    """Return the bindings in *table*, of *section* if it is in one, each once: those of environments too."""
    places = [settings, *(place for _, place in _environments(settings))]
    tables = [_table(place, section) if section else place for place in places]
    return [*dict.fromkeys(name for each in tables for name in _names(each, table, "binding"))]


def _problems(settings: Table, root: Path) -> Iterator[str]:
    yield from _python_problems(settings, "")
    for name, place in [("", settings), *_environments(settings)]:
        yield from _asset_problems(place, f"env.{name}.assets" if name else "assets", root)
    for name, place in _environments(settings):
        yield from _python_problems({**settings, **place}, f"env.{name}.")
        yield from _database_problems(settings, place, f"env.{name}")
        if (domains := _custom_domains(settings)) and "routes" not in place:
            yield (
                f"env.{name} inherits {', '.join(domains)}, and its deployment would take that away from"
                f" the top level: write routes = [] below [env.{name}], or its own"
            )


def _notes(settings: Table) -> Iterator[str]:
    named: dict[str, str] = {}
    for name, place in [("", settings), *_environments(settings)]:
        title = f"env.{name}" if name else "the top level"
        whole = {**settings, **place}
        if whole.get("main") and not _command(whole):
            yield (
                f"{title} has no command below [build]: wrangler uploads what was staged last,"
                ' write command = "node framework/local/stage.mjs"'
            )
        if missing := _missing(settings, place):
            yield f"{title} lacks {', '.join(missing)}: environments inherit neither bindings nor variables"
        for variable in place.get("vars", {}):
            if _SECRET.fullmatch(variable):
                yield (
                    f"{title} has {variable} among its [vars], where everybody with the project reads"
                    f" it: npx wrangler secret put {variable}"
                )
        for database in place.get("d1_databases", ()):
            number = str(database.get("database_id", ""))
            if number.strip("0-") and (other := named.setdefault(number, title)) != title:
                yield f"{title} and {other} have one database: {database['binding']} is {number}"


def _python_problems(place: Table, prefix: str) -> Iterator[str]:
    """Yield why the Worker of *place* would have another Python, or none. Wrangler asks for missing keys."""
    date, flags = place.get("compatibility_date"), place.get("compatibility_flags")
    if not isinstance(flags, list):
        flags = []
    elif "python_workers" not in flags:
        right = json.dumps(["python_workers", *map(str, flags)], ensure_ascii=False)
        yield f"{prefix}compatibility_flags lacks python_workers: write compatibility_flags = {right}"
    if isinstance(date, str) and date < _PYTHON_SINCE and _PYTHON_FLAG not in flags:
        yield (
            f"{prefix}compatibility_date is {date}, and until {_PYTHON_SINCE} Workers have a Python older"
            f' than 3.14: write compatibility_date = "{_PYTHON_SINCE}" or a later one'
        )


def _asset_problems(place: Table, title: str, root: Path) -> Iterator[str]:
    """Yield why the files that *place* has Cloudflare serve are all of the project in *root*.

    Wrangler leaves out what `.assetsignore` names, and nothing by itself.
    """
    assets = place.get("assets")
    directory = assets.get("directory") if isinstance(assets, dict) else None
    if not isinstance(directory, str):
        return
    folder = (root / directory).resolve()
    if root.resolve().is_relative_to(folder) and not (folder / ".assetsignore").is_file():
        yield (
            f'[{title}] has directory = "{directory}": wrangler would publish all of the project, .dev.vars'
            ' and .git as well. Write directory = "public", and move the files there'
        )


def _database_problems(settings: Table, place: Table, title: str) -> Iterator[str]:
    """Yield why the environment *place* has not the database that the app begins with."""
    first = next((each["binding"] for each in settings.get("d1_databases", ())), None)
    bound = [each["binding"] for each in place.get("d1_databases", ())]
    is_meant = "d1_databases" in place and not bound
    if first is not None and first not in bound and not is_meant:
        yield (
            f"{title} binds no D1 as {first}, and environments inherit no binding: write"
            f' [[{title}.d1_databases]] with binding = "{first}", or d1_databases = [] for none'
        )


def _missing(settings: Table, place: Table) -> list[str]:
    """Return what *settings* bind and *place* does not, unless an empty table there says so."""
    found = _unbound(settings, place, _BOUND)
    queues, own_queues = settings.get("queues", {}), place.get("queues", {})
    found += _unbound(queues, own_queues, {"producers": "binding"}, "queues.")
    objects, own_objects = _table(settings, "durable_objects"), _table(place, "durable_objects")
    found += _unbound(objects, own_objects, {"bindings": "name"}, "durable_objects.")
    if queues.get("consumers") and "consumers" not in own_queues:
        found.append("[[queues.consumers]]")
    if settings.get("secrets") and "secrets" not in place:
        found.append("[secrets]")
    variables = place.get("vars", {})
    if "vars" not in place or variables:
        found += [f"{name} ([vars])" for name in settings.get("vars", {}) if name not in variables]
    return found


def _unbound(settings: Table, place: Table, keys: Mapping[str, str], prefix: str = "") -> list[str]:
    """Return the names in the lists that *keys* are of, which *settings* have and *place* has not."""
    found = []
    for table, key in keys.items():
        bound = _names(place, table, key)
        if table not in place or bound:
            names = [name for name in _names(settings, table, key) if name not in bound]
            found += [f"{name} ([[{prefix}{table}]])" for name in names]
    return found


def _names(place: Table, table: str, key: str) -> list[str]:
    entries = place.get(table)
    tables = entries if isinstance(entries, list) else ()
    return [str(each[key]) for each in tables if isinstance(each, dict) and key in each]


def _environments(settings: Table) -> list[tuple[str, Table]]:
    return list(settings.get("env", {}).items())


def _custom_domains(settings: Table) -> list[str]:
    routes = settings.get("routes")
    tables = [each for each in routes if isinstance(each, dict)] if isinstance(routes, list) else []
    return [str(each.get("pattern")) for each in tables if each.get("custom_domain") is True]


def _command(place: Table) -> Any:
    return _table(place, "build").get("command")


def _table(place: Table, name: str) -> Table:
    table = place.get(name)
    return table if isinstance(table, dict) else {}
