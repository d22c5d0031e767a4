"""Who may reach what, as one literal, and that each row keeps its word."""

from pathlib import Path

import pytest

from app import app
from framework.cli import main
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client

OWN = "authorized & owns_note"

ACCESS = {
    ("GET", "/"): "public",
    ("GET", "/admin/users"): "authorized & role(admin)",
    ("GET", "/docs"): "public",
    ("GET", "/health"): "public",
    ("DELETE", "/me"): "authorized & recent",
    ("GET", "/me"): "authorized",
    ("POST", "/me/delete"): "authorized & recent",
    ("GET", "/me/email"): "authorized",
    ("POST", "/me/email"): "authorized & recent",
    ("POST", "/me/email/verification"): "authorized",
    ("POST", "/me/email/verify"): "authorized",
    ("POST", "/me/password"): "authorized & recent",
    ("PUT", "/me/password"): "authorized & recent",
    ("GET", "/notes"): "authorized",
    ("POST", "/notes"): "authorized",
    ("DELETE", "/notes/:id{[0-9]+}"): OWN,
    ("GET", "/notes/:id{[0-9]+}"): OWN,
    ("POST", "/notes/:id{[0-9]+}"): OWN,
    ("PUT", "/notes/:id{[0-9]+}"): OWN,
    ("POST", "/notes/:id{[0-9]+}/delete"): OWN,
    ("GET", "/openapi.json"): "public",
    ("GET", "/password-reset"): "public",
    ("POST", "/password-reset"): "public",
    ("GET", "/password-reset/:token"): "public",
    ("POST", "/password-reset/:token"): "public",
    ("GET", "/password-reset/sent"): "public",
    ("GET", "/sessions"): "authorized",
    ("DELETE", "/sessions/:id"): "authorized",
    ("POST", "/sessions/:id/delete"): "authorized",
    ("POST", "/sessions/revoke-others"): "authorized",
    ("POST", "/sign-in"): "public",
    ("POST", "/sign-out"): "authorized",
    ("POST", "/sign-up"): "public",
}

TRIPS = {"public": 0}
"""How often a route waits for D1 before its handler runs: once, but for public ones."""


SNAPSHOT = Path(__file__).with_name("access.txt")


def test_the_access_table() -> None:
    assert app.access() == ACCESS


def test_the_snapshot_is_what_kagari_access_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access"]) == 0

    assert capsys.readouterr().out == SNAPSHOT.read_text(), (
        "kagari access > tests/routes/access.txt"
    )


def test_every_guard_waits_for_the_database_once() -> None:
    assert {str(route): route.trips for route in app.routes} == {
        str(route): TRIPS.get(str(route.guard), 1) for route in app.routes
    }


async def sign_up(db: SQLiteDatabase, username: str) -> Client:
    client = Client(app, env={"DB": db})
    answer = await client.post("/sign-up", json={"username": username, "password": "long enough"})
    assert answer.status == 201
    return client


def example(path: str) -> str:
    return path.replace(":id{[0-9]+}", "1").replace(":id", "0" * 32).replace(":token", "a" * 40)


@pytest.mark.parametrize(("method", "path"), ACCESS, ids=lambda part: str(part))
async def test_a_row_lets_pass_whom_it_says(db: SQLiteDatabase, method: str, path: str) -> None:
    guard = ACCESS[method, path]
    owner = await sign_up(db, "owner")
    await owner.post("/notes", json={"title": "Hers"})
    administrator = await sign_up(db, "administrator")
    await db.run("UPDATE user SET role = 'admin' WHERE username = 'administrator'")
    callers = {
        "anonymous": Client(app, env={"DB": db}),
        "user": await sign_up(db, "somebody"),
        "admin": administrator,
    }

    statuses = {
        who: (await client.request(method, example(path))).status for who, client in callers.items()
    }

    refused = {401, 403}
    assert (statuses["anonymous"] == 401) is (guard != "public" and path != "/sign-in"), statuses
    assert (statuses["user"] == 403) is ("role(admin)" in guard), statuses
    assert statuses["admin"] not in refused, statuses
    if "owns_note" in guard:
        assert statuses["user"] == statuses["admin"] == 404, statuses
