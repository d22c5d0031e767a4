"""What docs/deploy.md says ends what a database that went back in time would open again."""

import re
from pathlib import Path
from typing import Final

from app import app
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client

ROOT: Final = Path(__file__).parents[1]
(AFTER,) = re.findall(
    r"^```sql\n(.*?)^```$", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.DOTALL | re.M
)
PASSWORD: Final = {"username": "alice", "password": "correct horse battery"}


async def test_what_came_back_opens_nothing_and_the_password_still_does() -> None:
    database = SQLiteDatabase()
    database.apply_schema((ROOT / "schema.sql").read_text("utf-8"))
    somebody, owner = (Client(app, env={"DB": database}) for _ in range(2))
    assert (await somebody.post("/sign-up", json=PASSWORD)).status == 201
    assert (await somebody.get("/me")).status == 200

    database.apply_schema(AFTER)

    assert (await somebody.get("/me")).status == 401
    assert (await owner.post("/sign-in", json=PASSWORD)).status == 200
    database.close()
