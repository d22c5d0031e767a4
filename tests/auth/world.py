"""An application with nothing but sign-in, its database, and a clock and a hasher to watch."""

from pathlib import Path
from typing import Any, Final

import msgspec

from framework import App, Context, Response, public
from framework.auth import Auth, Hasher, Limits, Session, User
from framework.database import Database, statement
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client
from tests.auth.clock import Clock
from tests.auth.hasher import CountingHasher, quick_hasher
from tests.secret_scan import assert_answer_shows_none

__all__ = ["PASSWORD", "USERNAME", "Member", "World", "make_site"]

USERNAME: Final = "alice"
PASSWORD: Final = "correct horse"

_SCHEMA: Final = (Path(__file__).parents[2] / "schema.sql").read_text()


class Member(User, frozen=True, kw_only=True):
    """A user with the columns of the reference app."""

    username: str
    role: str = "user"
    created_at: int = 0


class Credentials(msgspec.Struct):
    """A name and a password."""

    username: str = USERNAME
    password: str = PASSWORD


class Change(msgspec.Struct):
    """The current password and a new one."""

    current: str = PASSWORD
    new: str = "battery staple"


class World:
    """One application and all around it. *database* wraps the real one where a test says so.

    *options* are for `Auth`; *env* holds what is bound beside the database.
    """

    def __init__(
        self, *, limits: Limits | None = None, hasher: Hasher | None = None, **options: Any
    ) -> None:
        self.clock = Clock()
        self.hasher = CountingHasher(hasher or quick_hasher())
        self.limits = limits or Limits()
        self.sqlite = SQLiteDatabase()
        self.sqlite.apply_schema(_SCHEMA)
        self.database: Database = self.sqlite
        self.env: dict[str, Any] = {"OTHER": None}
        self.auth = Auth(
            user=Member, limits=self.limits, hasher=self.hasher, clock=self.clock, **options
        )
        self.app = _make_app(self.auth)

    async def request(self, method: str, path: str, **content: Any) -> Response:
        """Return the answer to a request; the database is whatever it is now."""
        answer = await self.app.request(
            method, path, **{**content, "env": {**self.env, "DB": self.database}}
        )
        assert_answer_shows_none(answer)
        return answer

    def browser(self, base_url: str = "http://localhost") -> Client:
        """Return a browser that nobody has signed in with."""
        return Client(self, base_url=base_url)

    async def signed_up(self, username: str = USERNAME) -> Client:
        """Return the browser of somebody new."""
        browser = self.browser()
        answer = await browser.post("/sign-up", json=Credentials(username))
        assert answer.status == 201, answer.body
        return browser

    async def signed_in(self, username: str = USERNAME) -> Client:
        """Return another browser of somebody known."""
        browser = self.browser()
        answer = await browser.post("/sign-in", json=Credentials(username))
        assert answer.status == 200, answer.body
        return browser

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of *table*, past whatever wraps the database."""
        return await self.sqlite.all(dict, f"SELECT * FROM {table}")

    def close(self) -> None:
        """Close the database."""
        self.sqlite.close()


def make_site(auth: Auth[Member]) -> App:
    """Return an application where people sign up and in, and change their password."""
    app = App()

    @app.post("/sign-up", guard=public)
    async def sign_up(c: Context, new: Credentials) -> Response:
        user = await auth.sign_up(c, new.username, new.password, username=new.username)
        return Response.json(user, 201)

    @app.post("/sign-in", guard=public)
    async def sign_in(c: Context, credentials: Credentials) -> Member:
        return await auth.sign_in(c, credentials.username, credentials.password)

    @app.put("/password", guard=auth.guard())
    async def change_password(c: Context, change: Change) -> None:
        await auth.change_password(c, change.current, change.new)

    return app


def _make_app(auth: Auth[Member]) -> App:
    app = make_site(auth)
    authorized = auth.guard()

    @app.post("/sign-out", guard=authorized)
    async def sign_out(c: Context) -> None:
        await auth.sign_out(c)

    @app.delete("/me", guard=authorized)
    async def delete_me(c: Context, user: Member) -> None:
        await auth.delete_user(c, [statement("DELETE FROM note WHERE user_id = ?1", user.id)])

    @app.get("/me", guard=authorized)
    async def me(session: Session, user: Member) -> dict[str, Any]:
        return {
            "username": user.username,
            "state": session.state(auth.clock()).value,
            "fresh": session.fresh,
            "active_expires": session.active_expires,
            "idle_expires": session.idle_expires,
            "repr": repr(session),
        }

    @app.post("/rotate", guard=authorized)
    async def rotate(c: Context) -> str:
        return (await auth.rotate_session(c)).handle

    @app.get("/recent", guard=authorized & auth.recent())
    async def recent() -> str:
        return "recent"

    @app.get("/admin", guard=authorized & auth.role("admin"))
    async def admin() -> str:
        return "admin"

    @app.get("/public", guard=public)
    async def nobody_asked() -> str:
        return "public"

    @app.get("/greeting", guard=public)
    async def greeting(c: Context) -> str:
        session, user = await auth.session(c), await auth.user(c)
        return "nobody" if session is None or user is None else user.username

    @app.get("/not-awaited", guard=public)
    async def not_awaited(c: Context) -> str:
        return "in" if auth.session(c) else "out"

    @app.get("/sessions", guard=authorized)
    async def list_sessions(c: Context) -> list[str]:
        return [session.handle for session in await auth.list_sessions(c)]

    @app.delete("/sessions/:handle", guard=authorized)
    async def end_session(c: Context, handle: str) -> None:
        await auth.end_session(c, handle)

    @app.post("/others", guard=authorized)
    async def end_others(c: Context) -> int:
        return await auth.end_other_sessions(c)

    return app
