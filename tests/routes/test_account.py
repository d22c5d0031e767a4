"""What holds a password does not show it, and an account that is gone owns nothing new."""

from pathlib import Path
from typing import Any

import pytest

from app import app
from framework.database import statement
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client
from routes.account import Credentials, NewAccount, PasswordChange

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text()


@pytest.mark.parametrize(
    "holder",
    [
        NewAccount("ada", "canary-password"),
        Credentials("ada", "canary-password"),
        PasswordChange("canary-password", "canary-password"),
    ],
    ids=repr,
)
def test_a_repr_shows_no_password(holder: Any) -> None:
    assert "canary" not in repr(holder)
    assert "canary" not in f"{holder}"


async def test_a_note_for_an_account_that_was_deleted_meanwhile_is_401() -> None:
    class Racing(SQLiteDatabase):
        """Deletes the account between the guard and the handler."""

        async def first(self, type: Any, sql: str, *parameters: Any) -> Any:
            if sql.startswith("INSERT INTO note"):
                tables = ("user_session", "user_key", "user")
                await self.batch([statement(f"DELETE FROM {table}") for table in tables])
            return await super().first(type, sql, *parameters)

    db = Racing(":memory:")
    db.apply_schema(SCHEMA)
    client = Client(app, env={"DB": db})
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})

    response = await client.post("/notes", json={"title": "Too late"})

    assert response.status == 401
    db.close()
