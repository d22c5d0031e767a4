"""The tables as Lucia's guide makes them, and what the migration guide adds. Knows no database."""

import re
from pathlib import Path
from typing import Final

__all__ = ["KAGARI", "LUCIA", "MIGRATION", "QUERIES", "statements"]

_ROOT: Final = Path(__file__).parents[2]

# Source: Lucia v2's documentation, "Cloudflare D1 adapter", with the attribute of its guides.
LUCIA: Final = """
CREATE TABLE user (id VARCHAR(15) NOT NULL PRIMARY KEY, username VARCHAR(31) NOT NULL);
CREATE TABLE user_key (id VARCHAR(255) NOT NULL PRIMARY KEY, user_id VARCHAR(15) NOT NULL,
    hashed_password VARCHAR(255), FOREIGN KEY (user_id) REFERENCES user(id));
CREATE TABLE user_session (id VARCHAR(127) NOT NULL PRIMARY KEY, user_id VARCHAR(15) NOT NULL,
    active_expires BIGINT NOT NULL, idle_expires BIGINT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES user(id));
"""

KAGARI: Final = (_ROOT / "schema.sql").read_text("utf-8")


def statements(script: str) -> list[str]:
    """Return the statements of *script*, which has no semicolon but between them."""
    plain = re.sub(r"--.*", "", script)
    return [statement.strip() for statement in plain.split(";") if statement.strip()]


_GUIDE: Final = (_ROOT / "docs" / "from-lucia.md").read_text("utf-8")
_BLOCKS: Final = re.findall(r"^```sql\n(.*?)^```$", _GUIDE, re.DOTALL | re.MULTILINE)

MIGRATION: Final[str] = next(block for block in _BLOCKS if block.startswith("-- migrations/"))
"""The file that docs/from-lucia.md tells people to apply."""

QUERIES: Final = [query for block in _BLOCKS if block != MIGRATION for query in statements(block)]
"""What else it asks of their database, in order."""
