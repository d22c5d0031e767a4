"""What a type checker makes of an app. mypy reads the types here, and has to find each mistake.

A mistake that it no longer finds is an ignore that nothing needs, which strict mypy refuses. Those that
are refused at import as well run; the others would be found by a request alone.
"""

import subprocess
import sys
import tomllib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypedDict, assert_type

import msgspec
import pytest

from framework import (
    App,
    Batch,
    ConfigurationError,
    Context,
    HTTPError,
    Job,
    Response,
    Slot,
    guard,
    public,
)
from framework.auth import Auth, Session, User
from framework.compose import Handler, Next
from framework.database import Result
from framework.errors import Forbidden
from framework.guards import Guard
from framework.interop import asgi_handler

ROOT = Path(__file__).parent.parent


class Member(User, frozen=True, kw_only=True):
    username: str


class Item(msgspec.Struct):
    id: int


class Other(msgspec.Struct):
    id: int


auth = Auth(user=Member)
authorized = auth.guard()
ITEM = Slot("item", Item)


@guard(provides=ITEM)
async def finds_item(c: Context, id: int) -> Item:
    return Item(id)


@guard
def passes(c: Context) -> None:
    return None


async def layer(c: Context, call_next: Next) -> Response:
    return assert_type(await call_next(), Response)


async def check_what_is_read(c: Context, result: Result) -> None:
    """Never called: mypy reads it."""
    assert_type(c.get(ITEM), Item)
    assert_type(c.find(ITEM), Item | None)
    assert_type(c.get(auth.user_slot), Member)
    assert_type(await auth.user(c), Member | None)
    assert_type(await auth.session(c), Session | None)
    assert_type(await Auth().user(c), User | None)
    assert_type(await auth.sign_in(c, "alice", "correct horse"), Member)
    assert_type((await auth.sessions.validate(c.database(), "")).user, Member)

    database = c.database()
    assert_type(await database.first(Item, "SELECT 1 AS id"), Item | None)
    assert_type(await database.all(Item, "SELECT 1 AS id"), list[Item])
    assert_type(await database.all(dict[str, Any], "SELECT 1 AS id"), list[dict[str, Any]])
    assert_type(await database.run("DELETE FROM item"), int)
    assert_type(await database.batch([]), list[Result])
    assert_type(result.rows(Item), list[Item])
    assert_type(result.first(Item), Item | None)


async def test_decorators_keep_what_they_are_given() -> None:
    app = App()

    @app.get("/:id", guard=finds_item)
    async def show(c: Context, item: Item) -> Item:
        return item

    @app.on_error
    async def explain(c: Context, error: HTTPError) -> Response:
        assert_type(error.headers, tuple[tuple[str, str], ...])
        return Response.empty(error.status)

    @app.not_found
    async def missing(c: Context) -> Response:
        return Response.empty(404)

    @app.cron("0 0 * * *")
    async def tidy(job: Job) -> None:
        assert_type(job.time, int)

    @app.queue("mails")
    async def deliver(batch: Batch) -> None:
        assert_type(batch.messages[0].id, str)

    c = Context(None, {})  # type: ignore[arg-type]  # none of these looks at the request
    job = Job("", {}, 0)
    shown = assert_type(show(c, Item(1)), Coroutine[Any, Any, Item])
    tidied = assert_type(tidy(job), Coroutine[Any, Any, None])
    explained = assert_type(explain(c, HTTPError(503)), Coroutine[Any, Any, Response])
    found = assert_type(missing(c), Coroutine[Any, Any, Response])
    delivering: Coroutine[Any, Any, None] = deliver(Batch("mails", [], {}))

    assert (await shown).id == 1
    assert [(await explained).status, (await found).status] == [503, 404]
    await tidied
    delivering.close()


async def test_guards_are_called_as_the_functions_they_are() -> None:
    c = Context(None, {})  # type: ignore[arg-type]  # neither looks at the request

    assert assert_type(await finds_item(c, id=7), Item) == Item(7)
    passes(c)
    assert_type(authorized & finds_item & passes, Guard)
    assert_type(finds_item | authorized, Guard)

    with pytest.raises(TypeError):
        finds_item(c)  # type: ignore[call-arg, unused-coroutine]  # it takes the id


class ScopeOfTheirs(TypedDict):
    path: str


async def of_another_framework(
    scope: ScopeOfTheirs, receive: Callable[[], Awaitable[str]], send: Callable[[str], None]
) -> None:
    send(scope["path"])


def test_an_application_has_types_of_its_own_for_what_it_takes() -> None:
    """As Litestar's and Quart's do, TypedDicts, while Starlette and FastAPI say MutableMapping."""
    assert_type(asgi_handler(of_another_framework), Handler)


async def check_what_is_forgotten(c: Context, call_next: Next) -> Response:
    """Never called: each would do nothing, or be a 500."""
    c.database().run("DELETE FROM item")  # type: ignore[unused-coroutine]  # no await
    auth.sign_out(c)  # type: ignore[unused-coroutine]  # no await
    auth.user(c)  # type: ignore[unused-awaitable]  # no await
    call_next()  # type: ignore[unused-awaitable]  # no await
    assert auth.user(c).username  # type: ignore[attr-defined]  # no await
    c.set(ITEM, Other(1))  # type: ignore[misc]  # not what the slot carries
    await c.database().run("DELETE FROM item WHERE id IN (?)", [1])  # type: ignore[arg-type]  # a list
    return call_next()  # type: ignore[return-value]  # no await


async def check_what_is_always_true(c: Context) -> str:
    """Never called: the truth value of what was not awaited raises."""
    if not auth.session(c):
        return "nobody"  # type: ignore[unreachable]  # no await
    return "somebody"  # type: ignore[unreachable]  # as above


async def allowed(user: User) -> bool:
    return user.id != ""


async def check_what_lets_everybody_pass(user: User) -> str:
    """Never called: what is tested is a coroutine, which is always true."""
    if not allowed(user):  # type: ignore[truthy-bool]  # no await
        raise Forbidden
    return "anybody"


def test_editors_find_it_too() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())

    # Pyright, which is not installed here, looks for it in strict mode alone, unless it is told.
    assert pyproject["tool"]["pyright"]["reportUnnecessaryComparison"] == "error"


async def without_next(c: Context) -> Response:
    return Response.empty(204)


async def turned_around(call_next: Next, c: Context) -> Response:
    return await call_next()


def not_async(c: Context, call_next: Next) -> Response:
    return Response.empty(204)


async def test_what_mypy_refuses_is_refused_at_import() -> None:
    app = App()

    with pytest.raises(ConfigurationError):
        app.use(without_next)  # type: ignore[arg-type]  # too few arguments
    with pytest.raises(ConfigurationError):
        app.use(turned_around)  # type: ignore[arg-type]  # in another order
    with pytest.raises(ConfigurationError):
        app.use(not_async)  # type: ignore[arg-type]  # it cannot be awaited
    with pytest.raises(ConfigurationError):
        app.use(public)  # type: ignore[arg-type]  # a guard
    with pytest.raises(ConfigurationError):
        app.on_error(without_next)  # type: ignore[type-var]  # it is handed an error, too
    with pytest.raises(ConfigurationError):
        app.cron("0 0 * * *")(without_next)  # type: ignore[type-var]  # it takes a Job
    with pytest.raises(ConfigurationError):
        app.get("/", guard=without_next)(passes)  # type: ignore[arg-type]  # not wrapped in guard()
    with pytest.raises(ConfigurationError):
        guard(passes, provides=Item)  # type: ignore[call-overload]  # a class, and no slot
    with pytest.raises(ConfigurationError):
        authorized & without_next  # type: ignore[operator]  # as above


def test_nothing_is_found_with_the_types_of_the_workers_python() -> None:
    mypy = [sys.executable, "-m", "mypy", "--python-version", "3.14"]

    done = subprocess.run(
        [*mypy, "framework", "app.py", "routes"], cwd=ROOT, text=True, capture_output=True
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


async def test_the_bindings_are_asked_as_a_dict_is_and_may_be_any_mapping() -> None:
    app = App()

    @app.get("/", guard=public)
    async def show(c: Context) -> list[Any]:
        return ["DB" in c.env, c.env.get("DB"), c.env.get("DB", "none")]

    anything: Mapping[str, Any] = {}
    texts: dict[str, str] = {"DB": "a"}
    answers = [await app.request("GET", "/", env=env) for env in (anything, texts)]

    assert [answer.body for answer in answers] == [b'[false,null,"none"]', b'[true,"a","a"]']
