"""A Worker whose crossings are counted: a public route, a guarded one, a body, rows."""

import json

import msgspec

from framework import App, Context, Response, Router, public
from framework.auth import Auth, User
from framework.compose import Next
from framework.middleware.read_replicas import read_replicas
from framework.workers import entrypoint


class Account(User, frozen=True):
    """Who signs in."""

    username: str


class Note(msgspec.Struct):
    """What a client sends."""

    title: str


app = App()
auth = Auth(user=Account)


@app.get("/users/:id", guard=public)
async def show(id: int) -> dict[str, int]:
    """Answer with a path parameter."""
    return {"id": id}


@app.get("/me", guard=auth.guard())
async def me(user: Account) -> Account:
    """Answer with who is signed in."""
    return user


@app.post("/notes", guard=public)
async def create(note: Note) -> Note:
    """Answer with the body."""
    return note


@app.get("/notes", guard=public)
async def index(c: Context) -> list[dict[str, int]]:
    """Answer with rows."""
    return await c.database().all(dict, "SELECT id FROM note")


near = Router("/near")
read_nearby = read_replicas()


async def layer(c: Context, call_next: Next) -> Response:
    """Put the layer around a few routes: itself, it would refuse to be anywhere but on the app."""
    return await read_nearby(c, call_next)


near.use(layer)
near.get("/me", guard=auth.guard())(me)
near.get("/notes", guard=public)(index)


@near.post("/notes", guard=public)
async def keep(c: Context) -> int:
    """Read, and write."""
    db = c.database()
    await db.first(dict, "SELECT id FROM note")
    return await db.run("INSERT INTO note DEFAULT VALUES")


app.mount(near)

Default = entrypoint(app)

# What crossings.mjs sends: method, URL, headers, body.
ORIGIN = "https://example.test"
TOKEN = "abcdefghijklmnopqrstuvwxyz234567abcdefgh"
BODY = '{"title":"night"}'
LONG_BODY = BODY + " " * 100_000
JSON = {"content-type": "application/json", "sec-fetch-site": "same-origin"}
REQUESTS = {
    "public": ["GET", f"{ORIGIN}/users/7", {}, None],
    "guarded": ["GET", f"{ORIGIN}/me", {"cookie": f"__Host-auth_session={TOKEN}"}, None],
    "guarded, nobody signed in": ["GET", f"{ORIGIN}/me", {}, None],
    "body": ["POST", f"{ORIGIN}/notes", JSON | {"content-length": str(len(BODY))}, BODY],
    "long body": [
        *("POST", f"{ORIGIN}/notes"),
        *(JSON | {"content-length": str(len(LONG_BODY))}, LONG_BODY),
    ],
    "rows": ["GET", f"{ORIGIN}/notes", {}, None],
    "guarded nearby": [
        "GET",
        f"{ORIGIN}/near/me",
        {"cookie": f"__Host-auth_session={TOKEN}"},
        None,
    ],
    "rows nearby": ["GET", f"{ORIGIN}/near/notes", {}, None],
    "rows for who wrote": ["GET", f"{ORIGIN}/near/notes", {"cookie": "__Host-wrote_DB=1"}, None],
    "a write": ["POST", f"{ORIGIN}/near/notes", {"sec-fetch-site": "same-origin"}, None],
    "nothing there": ["GET", f"{ORIGIN}/nothing", {}, None],
}
SESSION = json.dumps(
    [
        {
            "s_id": "0" * 64,
            "s_user_id": "a1b2c3d4e5f6g7h",
            "s_active_expires": 4_000_000_000_000,
            "s_idle_expires": 4_000_000_000_000,
            "s_created_at": 0,
            "s_authenticated_at": 0,
            "s_user_agent": None,
            "s_country": None,
            "s_last_seen_at": 4_000_000_000_000,
            "u_id": "a1b2c3d4e5f6g7h",
            "u_username": "alice",
        }
    ]
)
