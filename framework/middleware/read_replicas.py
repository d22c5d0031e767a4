"""Lets safe requests read from a database's replicas, and who wrote read at the primary. Knows no D1.

Whatever decides a change reads at the primary: a replica may be behind, and nothing says how far.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import ref

import msgspec

from framework.application import App, check_use
from framework.compose import Middleware, Next
from framework.context import Context, find_database
from framework.cookies import AGE_LIMIT, TOKEN
from framework.database import Database, Result, Statement, Value
from framework.errors import ConfigurationError
from framework.middleware.options import check_integer, check_seconds, check_when
from framework.origin import SAFE_METHODS
from framework.response import Response
from framework.route import Route

__all__ = ["read_replicas"]

T = TypeVar("T")

# `all()` and `first()` do not say what they changed, so the SQL does. What is not known to read may write.
_READS = re.compile(
    r"\s*(?:SELECT|WITH(?!.*\b(?:INSERT|UPDATE|DELETE|REPLACE)\b))\b", re.IGNORECASE | re.DOTALL
)


def read_replicas(
    database: str = "DB", *, when: Callable[[Context], bool] | None = None, seconds: int = 300
) -> Middleware:
    """Return a layer with which safe requests read from the nearest replica of *database*.

    Safe are GET, HEAD and OPTIONS. All that other methods ask goes to the primary, as without the
    layer. So does what a safe request asks from its first write on, with ``Authorization``, or where
    *when* returns false; it is asked once, before the first read. Who changed something gets a cookie,
    ``wrote_DB`` for ``DB``, and reads at the primary for so many *seconds*: more than a replica is ever
    behind, or who has just signed in is signed out. A request that only reads sets none.

    A database without replicas, as SQLite, is used as it is. Raises `ConfigurationError` for a name
    that no cookie can have, for *seconds* that are no whole number from 1 to 400 days, for an async
    *when*, and where the layer wraps a router, not the app: who signs in on another route would get no
    cookie.
    """
    cookie = f"wrote_{database}"
    if not TOKEN.fullmatch(cookie):
        raise ConfigurationError(f"{cookie!r} cannot be the name of a cookie")
    check_seconds(check_integer(seconds, "seconds", AGE_LIMIT), "seconds")
    when = check_when(when)

    def may_be_behind(c: Context) -> bool:
        # The header itself, so that this is no look at the cookies: the answer is as public.
        headers = c.request.headers
        return (
            c.request.method in SAFE_METHODS
            and f"{cookie}=" not in (headers.get("cookie") or "")
            and headers.get("authorization") is None
            and (when is None or when(c))
        )

    def remember(c: Context) -> None:
        if not (c.is_answered or _is_untold.get()):
            c.cookies.set(cookie, "1", prefix="host", max_age=seconds)

    async def read_nearby(c: Context, call_next: Next) -> Response:
        env, outer, asking = c.env, c.wrap_database, ref(c)
        near: Database | None = None

        def wrap(found: Any) -> Any:
            nonlocal near
            if hasattr(found, "with_session") and find_database(env, database) is found:
                found = near = near or _NearbyDatabase(found, asking, may_be_behind, remember)
            return found if outer is None else outer(found)  # which may count what is asked of it

        c.wrap_database = wrap
        if c._wait_until is not None:
            c._wait_until = _untold(c._wait_until)
        return await call_next()

    def refuse_router(app: App, route: Route) -> None:
        if read_nearby not in app.middleware:
            raise ConfigurationError(
                f"{route.declaration.place}: use read_replicas(...) on the app, not on a router: who"
                " writes on other routes would get no cookie; when= says who reads nearby"
            )

    return check_use(read_nearby, refuse_router)


_is_untold = ContextVar("read_replicas: after the answer", default=False)


def _untold(wait_until: Callable[[Awaitable[Any]], None]) -> Callable[[Awaitable[Any]], None]:
    """Return *wait_until* for work that leaves no cookie, even if it is done before the answer is.

    The answer must not tell of it: it may be that there is an account to mail a link to.
    """

    async def do(work: Awaitable[Any]) -> None:
        before = _is_untold.set(True)
        try:
            await work
        finally:
            _is_untold.reset(before)

    return lambda work: wait_until(do(work))


class _NearbyDatabase(msgspec.Struct, eq=False):
    """The database of one request: writes go to the primary, reads where the request lets them."""

    primary: Any
    asking: ref[Context]
    """Who asks. It holds this database: a circle would keep the request and its body in memory."""
    may_be_behind: Callable[[Context], bool]
    remember: Callable[[Context], None]
    reader: Database | None = None
    """Who answers reads: chosen by the first call."""

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        rows = await self.all(type, sql, *parameters)
        return rows[0] if rows else None

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        if _READS.match(sql):
            return await self._near().all(type, sql, *parameters)
        return await self._write(self.primary.all(type, sql, *parameters), lambda _: True)

    async def run(self, sql: str, *parameters: Value) -> int:
        return await self._write(self.primary.run(sql, *parameters), bool)

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        if all(_READS.match(each.sql) for each in statements):
            return await self._near().batch(statements)
        return await self._write(
            self.primary.batch(statements), lambda results: any(each.changes for each in results)
        )

    def _near(self) -> Database:
        if self.reader is None:
            c = self.asking()
            may = c is not None and self.may_be_behind(c)
            self.reader = self.primary.with_session("first-unconstrained") if may else self.primary
        return self.reader

    async def _write(self, asked: Awaitable[T], is_change: Callable[[T], bool]) -> T:
        self.reader = self.primary  # what is read from now on is to show it
        changed = True  # unless an answer says otherwise: there is none where a layer ends the wait
        try:
            answer = await asked
            changed = is_change(answer)
            return answer
        finally:
            c = self.asking()
            if changed and c is not None:
                self.remember(c)
