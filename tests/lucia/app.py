"""One site three times: sessions hashed, migrating from Lucia's, and shared with it. Staged as it is."""

import msgspec

from framework import App, Context, Response, Router, public
from framework.auth import Auth, Session, User
from framework.auth.legacy import LuciaHasher

__all__ = ["app"]


class Member(User, frozen=True, kw_only=True):
    """A user, with the attribute that Lucia's guides add."""

    username: str


class Credentials(msgspec.Struct):
    """A name and a password."""

    username: str
    password: str


class Change(msgspec.Struct):
    """The current password and a new one."""

    current: str
    new: str


class Place(msgspec.Struct):
    """What is known of a session."""

    handle: str
    current: bool


class Me(msgspec.Struct):
    """Who asks, and by which session."""

    id: str
    username: str
    session: str
    active_expires: int
    idle_expires: int
    fresh: bool


def make(prefix: str, auth: Auth[Member]) -> Router:
    """Return the site below *prefix*, with *auth*."""
    site = Router(prefix)
    authorized = auth.guard()

    @site.post("/sign-up", guard=public)
    async def sign_up(c: Context, new: Credentials) -> Response:
        user = await auth.sign_up(c, new.username, new.password, username=new.username)
        return Response.json(user, 201)

    @site.post("/sign-in", guard=public)
    async def sign_in(c: Context, credentials: Credentials) -> Member:
        return await auth.sign_in(c, credentials.username, credentials.password)

    @site.post("/sign-out", guard=authorized)
    async def sign_out(c: Context) -> None:
        await auth.sign_out(c)

    @site.put("/password", guard=authorized)
    async def change_password(c: Context, change: Change) -> None:
        await auth.change_password(c, change.current, change.new)

    @site.get("/me", guard=authorized)
    async def me(session: Session, user: Member) -> Me:
        times = (session.active_expires, session.idle_expires)
        return Me(user.id, user.username, session.handle, *times, session.fresh)

    @site.get("/recent", guard=authorized & auth.recent())
    async def recent() -> str:
        return "recent"

    @site.get("/sessions", guard=authorized)
    async def sessions(c: Context, session: Session) -> list[Place]:
        found = await auth.list_sessions(c)
        return [Place(each.handle, each.id == session.id) for each in found]

    @site.post("/others", guard=authorized)
    async def end_others(c: Context) -> int:
        return await auth.end_other_sessions(c)

    return site


app = App()
app.mount(make("/hashed", Auth(user=Member, hasher=LuciaHasher())))
app.mount(make("/migrate", Auth(user=Member, hasher=LuciaHasher(), sessions="migrate")))
app.mount(make("/shared", Auth(user=Member, hasher=LuciaHasher(writes="s2"), sessions="shared")))
app.mount(
    make("/email", Auth(user=Member, hasher=LuciaHasher(), sessions="migrate", provider="email"))
)
