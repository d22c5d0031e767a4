"""Serves the list of users to administrators."""

from typing import Annotated

import msgspec
from msgspec import Meta

from framework import Context, Query, Response, Router
from framework.response import Reply
from routes.access import administrator, authorized
from routes.html import document, element, wants_html
from routes.sections import when

Cursor = Annotated[str, Meta(pattern=r"^[a-z0-9]{1,15}\Z")]
Limit = Annotated[int, Meta(ge=1, le=100)]

_LIST = "SELECT id, username, role, created_at FROM user WHERE id > ?1 ORDER BY id LIMIT ?2"


class UserView(msgspec.Struct):
    """A user, as an administrator sees them. *created_at* is in Unix milliseconds."""

    id: str
    username: str
    role: str
    created_at: int


class UserPage(msgspec.Struct):
    """Users, by id; *next* is the cursor of the page that follows, or null."""

    users: list[UserView]
    next: str | None


admin = Router("/admin", guard=authorized & administrator)


@admin.get("/users")
async def list_users(
    c: Context, cursor: Query[Cursor] = "", limit: Query[Limit] = 50
) -> Annotated[Response, Reply(UserPage)]:
    """List all users."""
    found = await c.database().all(UserView, _LIST, cursor, limit + 1)
    shown = found[:limit]
    page = UserPage(shown, shown[-1].id if len(found) > limit else None)
    return _show(page) if wants_html(c) else Response.json(page)


def _show(page: UserPage) -> Response:
    rows = [
        element(
            "tr",
            element("td", user.username),
            element("td", user.role),
            element("td", when(user.created_at)),
        )
        for user in page.users
    ]
    head = element(
        "tr", *[element("th", title, scope="col") for title in ("Username", "Role", "Since")]
    )
    more = element("p", element("a", "More users", href=f"/admin/users?cursor={page.next}"))
    return document(
        "Users", element("h2", "Users"), element("table", head, *rows), more if page.next else None
    )
