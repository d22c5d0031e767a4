"""The tables fit both: the guide's migration makes Kagari's of Lucia's, and Lucia writes to ours."""

from framework.local.sqlite import SQLiteDatabase
from tests.lucia.process import start_lucia
from tests.lucia.schemas import KAGARI, LUCIA, MIGRATION, QUERIES, statements

_SHARED = ("user_key", "user_session", "sign_in_attempt", "known_device")


async def columns(script: str) -> dict[str, dict[str, tuple[str, int, str | None]]]:
    """Return type, NOT NULL and default of each column of each table that *script* makes."""
    sqlite = SQLiteDatabase()
    sqlite.apply_schema(script)
    found = {}
    for table in _SHARED:
        rows = await sqlite.all(dict, f"SELECT * FROM pragma_table_info('{table}')")
        found[table] = {
            row["name"]: (row["type"], row["notnull"], row["dflt_value"]) for row in rows
        }
    sqlite.close()
    return found


async def indexes(script: str) -> set[str]:
    sqlite = SQLiteDatabase()
    sqlite.apply_schema(script)
    rows = await sqlite.all(
        dict,
        "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    )
    sqlite.close()
    return {row["name"] for row in rows if row["tbl_name"] in _SHARED}


async def test_the_migration_makes_the_tables_of_the_schema() -> None:
    assert await columns(LUCIA + MIGRATION) == await columns(KAGARI)
    assert await indexes(LUCIA + MIGRATION) == await indexes(KAGARI)


def test_lucia_writes_to_our_tables() -> None:
    with start_lucia() as lucia:
        for statement in statements(KAGARI):
            lucia.sql(statement)

        user_id = lucia.create_user("somebody", "correct horse")
        session_id = lucia.create_session(user_id)

        assert lucia.call("useKey", "username", "somebody", "correct horse")["userId"] == user_id
        assert lucia.call("validateSession", session_id)["user"]["username"] == "somebody"
        (row,) = lucia.sql("SELECT * FROM user_session")
        assert (row["created_at"], row["authenticated_at"]) == (0, 0)


def test_the_guides_queries_run_on_lucias_tables() -> None:
    with start_lucia() as lucia:
        for statement in statements(LUCIA):
            lucia.sql(statement)
        user_id = lucia.create_user("Somebody", "correct horse")
        lucia.create_user("straße", "correct horse")
        lucia.create_user("somebody-else", "correct horse")
        lucia.sql(f"INSERT INTO user_key (id, user_id) VALUES ('line:U4af49', '{user_id}')")

        found = [lucia.sql(query) for query in QUERIES]

    assert found == [
        [{"id": "username:Somebody"}, {"id": "username:straße"}],
        [{"provider": "line", "passwords": 0}, {"provider": "username", "passwords": 3}],
        [],
        [{"count(*)": 3}],
    ]
