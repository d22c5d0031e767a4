"""What all adapters serve: texts, sessions, a model and a table of 400 routes. Knows no framework."""

import msgspec

__all__ = ["GROUPS", "SESSIONS", "TABLE", "USERS", "VARIANTS", "Item", "User"]

VARIANTS = 4096
"""How many paths, bodies and cookies a workload goes through: more than any cache of a router keeps."""

GROUPS = 100
"""Groups of four routes in the table: 400 routes."""

TABLE = [
    route
    for group in range(GROUPS)
    for route in (
        (f"/r{group}/users", 0),
        (f"/r{group}/users/:id", 1),
        (f"/r{group}/static/page", 0),
        (f"/r{group}/users/:id/posts/:pid", 2),
    )
]
"""The table in the order of declaration, and how many parameters each route has."""


class Item(msgspec.Struct):
    """The model of the POST, for frameworks that take a Struct or leave decoding to the handler."""

    name: str
    price: float
    quantity: int
    tags: list[str]


class User(msgspec.Struct, frozen=True):
    """Whoever a session belongs to."""

    id: int
    name: str


SESSIONS = {f"{number:040x}": User(number, f"user{number}") for number in range(VARIANTS)}
"""Users by session token."""

USERS = {token: msgspec.to_builtins(user) for token, user in SESSIONS.items()}
"""The same as dictionaries, for frameworks that answer with the standard library's JSON."""
