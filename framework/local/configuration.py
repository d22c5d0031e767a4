"""Reads `wrangler.toml`, and says what is wrong with what Kagari uses of it. Knows no application.

Run by `stage.py` and `import_check.py` as well as imported, so it needs nothing but the standard library,
and imports nothing of the framework's.
"""

from __future__ import annotations

import json
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

__all__ = [
    "FILE",
    "WranglerError",
    "check_main",
    "notes_on_files",
    "read_configuration",
    "why_missing",
]

FILE = "wrangler.toml"
"""The one file of settings that Kagari reads."""

Table = Mapping[str, Any]

_OTHERS = ("wrangler.json", "wrangler.jsonc")  # wrangler takes the first that is there, then FILE
_NEAR = 0.8  # of 1: `d1_database` is meant for `d1_databases`; `limits` is not for `ratelimits`
_NEARER = 0.9  # what wrangler alone reads: `r2_bucket`, but not what a newer wrangler may call `vectorize_v2`
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PERIODS = (10, 60)  # source: wrangler's config-schema.json


class WranglerError(ValueError):
    """``wrangler.toml`` cannot be used; the message names it, the table, and what to write there."""


def read_configuration(root: Path) -> dict[str, Any] | None:
    """Return what ``wrangler.toml`` in *root* says, or None where there is no such file.

    What Kagari uses of it has the right shape, in each of its environments too. Raises
    `WranglerError` where it has not, and for a key that seems meant for one of those.
    """
    path = root / FILE
    try:
        if not path.is_file():
            return None
        settings = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise WranglerError(f"{FILE} can't be read: {error}") from error
    # Problems are looked for one after another: past the first one, shapes would not be certain.
    problem = next(_problems(settings, ""), None)
    if problem is not None:
        raise WranglerError(f"{FILE}: {problem}")
    return settings


def check_main(settings: Table, main: Path) -> None:
    """Raise `WranglerError` where the Worker that *settings* name, in any environment, is not *main*.

    Wrangler uploads every module beside it: of a whole project, if it stands there.
    """
    places = {
        "": settings,
        **{f"env.{name}.": each for name, each in settings.get("env", {}).items()},
    }
    for prefix, place in places.items():
        named = place.get("main", "")
        if named and Path(str(named)) != main:
            raise WranglerError(
                f'{FILE}: {prefix}main is "{named}", and wrangler would upload all that stands beside it:'
                f' write main = "{main.as_posix()}"'
            )


def notes_on_files(root: Path) -> list[str]:
    """Return what a person should know of ``wrangler.toml`` in *root*, and of files beside it."""
    notes = []
    if other := _other_file(root):
        notes.append(f"wrangler reads {other} before {FILE}, and Kagari does not: keep one of them")
    if (root / FILE).is_file() and (root / FILE).read_bytes().startswith(BOM_UTF8):
        notes.append(f"{FILE} has a byte order mark, which stops pywrangler: save it without one")
    return notes


def _other_file(root: Path) -> str | None:
    """Return the name of a file in *root* that wrangler reads before ``wrangler.toml``, or None."""
    return next((name for name in _OTHERS if (root / name).is_file()), None)


def why_missing(root: Path) -> str:
    """Return why nothing is read in *root*, where there is no ``wrangler.toml``."""
    other = _other_file(root)
    return f"there is no {FILE}" if other is None else f"{other} is not read, only {FILE} is"


# --- What values may be --------------------------------------------------------------------------


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_binding(value: Any) -> bool:
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def _is_rate(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    limit, period = value.get("limit"), value.get("period")
    return type(limit) is int and limit > 0 and type(period) is int and period in _PERIODS


# What Kagari uses of each of these lists of tables: a key, what it may be, and how it is written.
_Use = tuple[str, Callable[[Any], bool], str]
_LISTS: dict[str, tuple[_Use, ...]] = {
    "d1_databases": (("binding", _is_binding, 'binding = "DB"'),),
    "ratelimits": (
        ("name", _is_binding, 'name = "LIMITER"'),
        ("simple", _is_rate, "simple = { limit = 100, period = 60 }, period being 10 or 60"),
    ),
    "send_email": (("name", _is_binding, 'name = "EMAIL"'),),
}
_QUEUES: dict[str, tuple[_Use, ...]] = {
    "producers": (
        ("binding", _is_binding, 'binding = "MAILS"'),
        ("queue", _is_text, 'queue = "mails"'),
    ),
    "consumers": (("queue", _is_text, 'queue = "mails"'),),
}
_TABLES = {
    "vars": '[{0}vars] with NAME = "value"',
    "triggers": '[{0}triggers] with crons = ["17 3 * * *"]',
    "queues": '[[{0}queues.consumers]] with queue = "mails"',
    "env": "[env.NAME.vars] for the variables of one environment, and so on",
}
# What wrangler alone reads, and is written for most Workers; source: wrangler's config-schema.json.
_WRANGLERS = (
    "ai",
    "analytics_engine_datasets",
    "assets",
    "browser",
    "build",
    "compatibility_date",
    "compatibility_flags",
    "durable_objects",
    "hyperdrive",
    "kv_namespaces",
    "limits",
    "main",
    "migrations",
    "name",
    "observability",
    "placement",
    "preview_urls",
    "r2_buckets",
    "route",
    "routes",
    "services",
    "tail_consumers",
    "vectorize",
    "version_metadata",
    "workers_dev",
    "workflows",
)


# --- What is wrong -------------------------------------------------------------------------------


def _problems(settings: Table, prefix: str) -> Iterator[str]:
    """Yield what is wrong with *settings*, of the environment that *prefix* begins names with."""
    yield from _strays(settings, prefix)
    for name, example in _TABLES.items():
        if not isinstance(settings.get(name, {}), dict):
            yield f"{prefix}{name} is no table: write {example.format(prefix)}"
    yield from _triggers_problems(settings.get("triggers", {}), f"[{prefix}triggers]")
    for name, uses in _LISTS.items():
        yield from _list_problems(settings.get(name, []), f"{prefix}{name}", uses)
    queues = settings.get("queues", {})
    yield from _misspelt(queues, f"[{prefix}queues]", tuple(_QUEUES))
    for name, uses in _QUEUES.items():
        yield from _list_problems(queues.get(name, []), f"{prefix}queues.{name}", uses)
    if not prefix:
        for name, place in settings.get("env", {}).items():
            if not isinstance(place, dict):
                yield f"env.{name} is no table: write [env.{name}.vars], and so on"
            yield from _problems(place, f"env.{name}.")


def _strays(settings: Table, prefix: str) -> Iterator[str]:
    """Yield a sentence for each key that seems meant for one that Kagari or wrangler uses."""
    for key, meant in _near(settings, _WRANGLERS, _NEARER):
        value = settings[key]
        yield f"{_title(f'{prefix}{key}', value)} is not read: write {_title(prefix + meant, value)}"
    for key, meant in _near(settings, (*_TABLES, *_LISTS)):
        right = f"[[{prefix}{meant}]]" if meant in _LISTS else f"[{prefix}{meant}]"
        yield f"{_title(f'{prefix}{key}', settings[key])} is not read: write {right}"


def _triggers_problems(triggers: Table, title: str) -> Iterator[str]:
    yield from _misspelt(triggers, title, ("crons",))
    crons = triggers.get("crons", [])
    if not isinstance(crons, list) or not all(_is_text(cron) for cron in crons):
        schedule = crons if isinstance(crons, str) else "17 3 * * *"
        right = f"crons = [{json.dumps(schedule, ensure_ascii=False)}]"
        yield f"{title} crons is no list of schedules: write {right}"


def _list_problems(entries: Any, name: str, uses: tuple[_Use, ...]) -> Iterator[str]:
    title = f"[[{name}]]"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        yield f"{name} is no list of tables: write {title} with {', '.join(u[2] for u in uses)}"
    for number, entry in enumerate(entries, 1):
        place = title if len(entries) == 1 else f"{title} number {number}"
        yield from _misspelt(entry, place, tuple(use[0] for use in uses))
        for key, fits, example in uses:
            if key not in entry:
                yield f"{place} has no {key}: write {example}"
            if not fits(entry[key]):
                yield f"{place} {key} does not fit: write {example}"
        key = uses[0][0]
        if entry[key] in [each[key] for each in entries[: number - 1]]:
            yield f'{place} {key} is "{entry[key]}", which is taken already: give it another'


def _misspelt(table: Table, title: str, known: Sequence[str]) -> Iterator[str]:
    for key, meant in _near(table, known):
        yield f"{title} has {key}, which is not read: write {meant}"


def _near(table: Table, known: Sequence[str], near: float = _NEAR) -> Iterator[tuple[str, str]]:
    """Yield the keys of *table* that are none of *known* and close to one, each with that one."""
    for key in table:
        if key not in known and len(key) < 50:
            for meant in get_close_matches(key.lower().replace("-", "_"), known, 1, near):
                yield key, meant


def _title(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"[{name}]"
    is_tables = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    return f"[[{name}]]" if is_tables else name
