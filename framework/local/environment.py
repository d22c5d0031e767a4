"""Makes the bindings that the Worker would have, from `wrangler.toml` and an SQLite file.

Knows nothing of applications or of HTTP.
"""

import sqlite3
import tomllib
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framework.database import DatabaseError
from framework.local.failure import Failure
from framework.local.rate_limit import LocalRateLimiter
from framework.local.sqlite import SQLiteDatabase

__all__ = ["DEFAULT_DATABASE", "EnvironmentProblem", "close_environment", "make_environment"]

DEFAULT_DATABASE = Path(".kagari", "dev.sqlite3")

_VERSION_MASK = 0x7FFFFFFF


class EnvironmentProblem(Failure):
    """A file that the bindings are made from is wrong; the message says which and why."""


def make_environment(root: Path, database: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the bindings of the project in *root*, and what a person should know about them.

    The first D1 binding in ``wrangler.toml`` (``DB`` where none is named) is the file *database*,
    made from ``schema.sql`` if it is new; the others are files beside it. Rate limiters are counters
    in this process. The variables are those of ``[vars]``, and of ``.dev.vars`` above them. Raises
    `EnvironmentProblem`.
    """
    configuration = _read_configuration(root / "wrangler.toml")
    names = [str(each["binding"]) for each in configuration.get("d1_databases", ())] or ["DB"]
    env: dict[str, Any] = dict(configuration.get("vars", {}))
    env |= _read_variables(root / ".dev.vars")
    env |= _make_rate_limiters(configuration)
    notes: list[str] = []
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        for name in names:
            first = name == names[0]
            path = database if first else database.with_stem(f"{database.stem}-{name}")
            env[name] = SQLiteDatabase(path)
            if first:
                notes += _apply_schema(env[name], path, root / "schema.sql")
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


def _make_rate_limiters(configuration: Mapping[str, Any]) -> dict[str, LocalRateLimiter]:
    """Return what ``[[ratelimits]]`` binds, by name."""
    try:
        return {
            each["name"]: LocalRateLimiter(each["simple"]["limit"], each["simple"]["period"])
            for each in configuration.get("ratelimits", ())
        }
    except (KeyError, TypeError) as error:
        raise EnvironmentProblem(
            "wrangler.toml: each of [[ratelimits]] asks for name and simple = { limit, period }"
        ) from error


def _read_configuration(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise EnvironmentProblem(f"{path.name}: {error}") from error


def _read_variables(path: Path) -> dict[str, str]:
    """Return the lines ``NAME=value`` of *path*; quotes around a value and comments are left out."""
    variables: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            name, is_pair, value = line.partition("=")
            if is_pair and not name.lstrip().startswith("#"):
                variables[name.removeprefix("export ").strip()] = _unquoted(value.strip())
    return variables


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _apply_schema(database: SQLiteDatabase, path: Path, schema: Path) -> list[str]:
    """Bring the tables of *schema* into *database*, unless they came from this same text before.

    Which text that was, SQLite keeps as the file's ``user_version``.
    """
    if not schema.is_file():
        return []
    script = schema.read_text("utf-8")
    version = zlib.crc32(script.encode()) & _VERSION_MASK
    before, is_new = _read_version(path)
    if before == version and not is_new:
        return []
    try:
        database.apply_schema(script)
    except DatabaseError as error:
        if is_new:
            raise EnvironmentProblem(f"{schema.name}: {error}") from error
        return [f"{schema.name} has changed and does not apply to {path}: {error}. {_remove(path)}"]
    _write_version(path, version)
    if is_new:
        return [f"{path} made from {schema.name}"]
    return [
        f"{schema.name} has changed: what is new in it was made, what is changed was not."
        f" {_remove(path)}"
    ]


def _remove(path: Path) -> str:
    return f"To start afresh, stop, and remove {path}"


def _read_version(path: Path) -> tuple[int, bool]:
    """Return the version of the schema in the file *path*, and whether it has no tables yet."""
    connection = sqlite3.connect(path)
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        connection.close()
    return version, tables == 0


def _write_version(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute(f"PRAGMA user_version = {version:d}")
    finally:
        connection.close()
