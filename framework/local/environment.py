"""Makes the bindings that the Worker would have, from `wrangler.toml` and an SQLite file.

Knows nothing of applications or of HTTP.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from framework.bindings import Env
from framework.database import DatabaseError
from framework.local.command_error import CommandError
from framework.local.configuration import (
    FILE,
    WranglerError,
    notes_on_files,
    read_configuration,
    why_missing,
)
from framework.local.mail import EMAIL, ConsoleMail
from framework.local.queues import BOUNDS, Consume, Delivery, LocalQueue
from framework.local.rate_limit import LocalRateLimiter
from framework.local.schema import apply_schema
from framework.local.sqlite import SQLiteDatabase
from framework.local.unavailable_binding import UnavailableBinding
from framework.local.variables import parse_variables

__all__ = ["DEFAULT_DATABASE", "EnvironmentProblem", "close_environment", "make_environment"]

DEFAULT_DATABASE = Path(".kagari", "dev.sqlite3")

_PROVIDED = {"vars", "d1_databases", "ratelimits", "send_email", "env"}


class EnvironmentProblem(CommandError):
    """A file that the bindings are made from is wrong; the message says which and why."""


class _LocalEnvironment(dict[str, Any]):
    """The bindings by name. Says why one is missing that ``wrangler.toml`` has.

    `Bindings` hold an `UnavailableBinding` in its place, so that what does not use it works.
    """

    def __init__(self, elsewhere: Mapping[str, str]) -> None:
        super().__init__()
        self._elsewhere = elsewhere
        """The names of bindings that only the Worker has, each with its table."""

    def __missing__(self, name: str) -> Any:
        if name in self._elsewhere:
            reason = _explain_elsewhere(name, self._elsewhere[name])
            raise KeyError(name, reason, UnavailableBinding(name, self._elsewhere[name], reason))
        raise KeyError(name)


def make_environment(
    root: Path, database: Path, consumers: Mapping[str, Consume] = MappingProxyType({})
) -> tuple[dict[str, Any], list[str]]:
    """Return the bindings of the project in *root*, and what a person should know about them.

    The first D1 binding in ``wrangler.toml`` is the file *database*, made from ``schema.sql`` if it
    is new; the others are files beside it, made from ``schema-NAME.sql`` if there is such a file for
    the binding ``NAME``. Without ``wrangler.toml``, the first is ``DB``. Rate limiters are counters
    in this process, mail is printed to the terminal, and a queue that one of *consumers* is for is
    consumed in this process. The variables are those of ``[vars]``, and
    of ``.dev.vars`` above them. What ``wrangler.toml`` binds beside those is missing, and asking for
    it says why; `Bindings` say so when it is used. Raises `EnvironmentProblem`.
    """
    settings, notes = _read_settings(root, database)
    elsewhere = _bound_elsewhere(settings)
    env = _LocalEnvironment(elsewhere)
    env |= {name: ConsoleMail() for name in _mail_names(settings)}
    env |= settings.get("vars", {})
    env |= _read_variables(root / ".dev.vars")
    env |= _make_rate_limiters(settings)
    env |= _make_queues(settings, consumers, env)
    missing = [f"{name} ({table})" for name, table in elsewhere.items() if name not in env]
    missing += _static_files(settings)
    if missing:
        notes.append(
            f"not on the local server: {', '.join(missing)}; make worker has what {FILE} binds"
        )
    names = [each["binding"] for each in settings.get("d1_databases", ())]
    try:
        for name in names:
            first = name == names[0]
            path = database if first else database.with_stem(f"{database.stem}-{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            env[name] = SQLiteDatabase(path)
            schema = root / ("schema.sql" if first else f"schema-{name}.sql")
            notes += _make_tables(env[name], path, schema)
    except (OSError, DatabaseError, sqlite3.Error) as error:
        close_environment(env)
        raise EnvironmentProblem(f"{database}: {error}") from error
    except EnvironmentProblem:
        close_environment(env)
        raise
    return env, notes


def close_environment(env: Mapping[str, Any]) -> None:
    """Close the databases in *env*."""
    for binding in env.values():
        if isinstance(binding, SQLiteDatabase):
            binding.close()


def _make_tables(database: SQLiteDatabase, path: Path, schema: Path) -> list[str]:
    if not schema.is_file():
        return []
    try:
        return apply_schema(database, path, schema.name, _read_text(schema))
    except DatabaseError as error:
        raise EnvironmentProblem(f"{schema.name}: {error}") from error


# --- What wrangler.toml says ---------------------------------------------------------------------


def _read_settings(root: Path, database: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what ``wrangler.toml`` says, or what stands in for it, and what to know of that."""
    try:
        settings = read_configuration(root)
    except WranglerError as error:
        raise EnvironmentProblem(str(error)) from error
    if settings is not None:
        return settings, notes_on_files(root)
    return {"d1_databases": [{"binding": "DB"}]}, [
        f"{why_missing(root)}: the binding DB is {database}, as if [[d1_databases]] named it"
    ]


def _make_rate_limiters(settings: Mapping[str, Any]) -> dict[str, LocalRateLimiter]:
    """Return what ``[[ratelimits]]`` binds, by name."""
    return {
        each["name"]: LocalRateLimiter(each["simple"]["limit"], each["simple"]["period"])
        for each in settings.get("ratelimits", ())
    }


def _make_queues(
    settings: Mapping[str, Any], consumers: Mapping[str, Consume], env: Env
) -> dict[str, LocalQueue]:
    """Return what ``[[queues.producers]]`` binds to queues that one of *consumers* is for, by name."""
    tables = settings.get("queues", {})
    consumed = {each["queue"]: each for each in tables.get("consumers", ())}
    deliveries = {name: _delivery(table) for name, table in consumed.items()}
    queues = {
        name: LocalQueue(name, consumers[name], env, delivery)
        for name, delivery in deliveries.items()
        if name in consumers
    }
    for name, queue in queues.items():
        last = consumed[name].get("dead_letter_queue")
        queue.dead_letters = None if last == name else queues.get(str(last))
    return {
        each["binding"]: queues[each["queue"]]
        for each in tables.get("producers", ())
        if each["queue"] in queues
    }


def _delivery(table: Mapping[str, Any]) -> Delivery:
    """Return what a ``[[queues.consumers]]`` says of how it gets messages."""
    said = {key: table[key] for key in BOUNDS if key in table}
    for key, number in said.items():
        least, most = BOUNDS[key]
        if type(number) is not int or not least <= number <= most:
            raise EnvironmentProblem(
                f"{FILE}: the {key} of the queue {table['queue']} is no number of {least} to {most}"
            )
    return Delivery(**said)


def _mail_names(settings: Mapping[str, Any]) -> list[str]:
    return [EMAIL, *(each["name"] for each in settings.get("send_email", ()))]


def _bound_elsewhere(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the names that *settings* bind and this machine has nothing for, each with its table."""
    found: dict[str, str] = {}
    for table, value in settings.items():
        if table in _PROVIDED:
            continue
        found |= _names_in(value, "binding", table)
        if isinstance(value, dict):  # [[queues.producers]], [[durable_objects.bindings]]
            for key, inner in value.items():
                found |= _names_in(
                    inner, "name" if key == "bindings" else "binding", f"{table}.{key}"
                )
    return found


def _static_files(settings: Mapping[str, Any]) -> list[str]:
    """Return what Cloudflare serves without the Worker, if *settings* name a folder of it."""
    assets = settings.get("assets")
    folder = assets.get("directory") if isinstance(assets, dict) else None
    return [f"the files in {folder} ([assets])"] if isinstance(folder, str) else []


def _names_in(value: Any, key: str, table: str) -> dict[str, str]:
    """Return the texts at *key* in *value*, a table or a list of them, each with how that is titled."""
    title = f"[[{table}]]" if isinstance(value, list) else f"[{table}]"
    entries = value if isinstance(value, list) else [value]
    return {
        entry[key]: title
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get(key), str)
    }


def _explain_elsewhere(name: str, table: str) -> str:
    if table == "[[queues.producers]]":
        return (
            f"{FILE} binds {name} under {table}, which kagari dev has where the app consumes the queue,"
            " and kagari cron has not: make worker serves with it"
        )
    return (
        f"{FILE} binds {name} under {table}, which the local server does not have:"
        " make worker serves with it"
    )


def _read_variables(path: Path) -> dict[str, str]:
    """Return the variables in *path*, if there is such a file."""
    if not path.is_file():
        return {}
    try:
        return parse_variables(_read_text(path))
    except ValueError as error:
        raise EnvironmentProblem(f"{path.name}:{error}") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblem(f"{path.name} can't be read: {error}") from error
