"""What the cron handler of the app deletes, and with how much ado."""

from pathlib import Path

from app import app
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client
from tests.auth.databases import CountingDatabase

ROOT = Path(__file__).parents[2]
CRON = "17 3 * * *"


async def test_dead_sessions_go_in_one_statement_and_the_living_stay() -> None:
    database = SQLiteDatabase()
    database.apply_schema((ROOT / "schema.sql").read_text("utf-8"))
    client = Client(app, env={"DB": database})
    await client.post("/sign-up", json={"username": "ada", "password": "long enough"})
    await database.run(
        "INSERT INTO user_session (id, user_id, active_expires, idle_expires)"
        " SELECT value, user.id, 1, 2 FROM user, json_each(?1)",
        '["a", "b", "c"]',
    )
    counting = CountingDatabase(database)

    await app.run_cron(CRON, {"DB": counting}, 0)

    assert [sql for sql in counting.statements if "user_session" in sql] == [
        "DELETE FROM user_session WHERE idle_expires <= ?1"
    ]
    assert len(counting.statements) == 6  # attempts, devices, codes, addresses and links too
    assert len(await database.all(dict, "SELECT id FROM user_session")) == 1
    assert (await client.get("/me")).status == 200
    database.close()


def test_the_cron_is_the_one_that_wrangler_runs() -> None:
    assert f'crons = ["{CRON}"]' in (ROOT / "wrangler.toml").read_text("utf-8")
