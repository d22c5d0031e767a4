"""What docs/security.md says brings a database from before to what schema.sql makes today."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from framework.database import DatabaseError
from framework.local.sqlite import SQLiteDatabase

ROOT: Final = Path(__file__).parents[1]
SCHEMA: Final = (ROOT / "schema.sql").read_text("utf-8")
COLUMNS, COUNTS = re.findall(
    r"^```sql\n(.*?)^```$", (ROOT / "docs" / "security.md").read_text("utf-8"), re.DOTALL | re.M
)
ADDED: Final = re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", COLUMNS)
BEFORE: Final = "\n".join(
    [
        SCHEMA,
        *[f"DROP TABLE {table};" for table in ("email_code", "email_count", "password_reset")],
        "DROP INDEX user_by_email;",
        "DROP INDEX known_device_by_user;",
        "CREATE INDEX known_device_by_user ON known_device(user_id, expires_at);",
        *[f"ALTER TABLE {table} DROP COLUMN {column};" for table, column in ADDED],
    ]
)


async def described(*scripts: str) -> dict[str, Any]:
    """Return the columns of all tables, and the statements of all indexes, that *scripts* make."""
    with closing(SQLiteDatabase()) as sqlite:
        for script in scripts:
            sqlite.apply_schema(script)
        made = await sqlite.all(dict, "SELECT type, name, sql FROM sqlite_master")
        found = {one["name"]: one["sql"] for one in made if one["type"] == "index"}
        for one in made:
            if one["type"] == "table":
                sql = "SELECT * FROM pragma_table_info(?) ORDER BY cid"
                found[one["name"]] = await sqlite.all(dict, sql, one["name"])
    return found


async def test_the_columns_and_then_the_schema_make_what_the_schema_makes() -> None:
    now, before = await described(SCHEMA), await described(BEFORE)

    assert before != now
    assert await described(BEFORE, COLUMNS, COUNTS, SCHEMA) == now


async def test_what_is_there_already_is_refused() -> None:
    with pytest.raises(DatabaseError, match="duplicate column name: email"):
        await described(SCHEMA, COLUMNS)


async def test_counts_that_meant_something_else_begin_anew() -> None:
    sqlite = SQLiteDatabase()
    sqlite.apply_schema(BEFORE)
    await sqlite.run("INSERT INTO sign_in_attempt VALUES ('alice', 2000001, 9)")
    await sqlite.run("INSERT INTO known_device VALUES ('d', 'u', 2000001, 9, 9)")

    sqlite.apply_schema(COLUMNS + COUNTS)

    assert await sqlite.all(dict, "SELECT * FROM sign_in_attempt") == []
    [device] = await sqlite.all(dict, "SELECT attempts, failures FROM known_device")
    assert device == {"attempts": 0, "failures": 0}
    sqlite.close()
