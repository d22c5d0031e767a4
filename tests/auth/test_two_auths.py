"""Two kinds of users on one route are never taken for one another."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from framework import App, ConfigurationError, Context, Slot, guard, public
from framework.auth import Auth, Session, User
from framework.guards import Guard
from framework.local.sqlite import SQLiteDatabase
from framework.testing import Client
from tests.auth.clock import Clock
from tests.auth.hasher import quick_hasher
from tests.auth.world import _SCHEMA


class Person(User, frozen=True, kw_only=True):
    username: str = ""
    role: str = "user"


class Staff(Person, frozen=True, kw_only=True):
    pass


class Site:
    """An application with customers and staff, each in a database and with a cookie of their own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.customers = self._auth("CUSTOMERS", "customer", Person)
        self.staff = self._auth("STAFF", "staff", Staff)
        self.databases = {name: SQLiteDatabase() for name in ("CUSTOMERS", "STAFF")}
        for database in self.databases.values():
            database.apply_schema(_SCHEMA)
        self.app = App()
        for path, auth in (("/customers", self.customers), ("/staff", self.staff)):
            self._let_sign_up(path, auth)
        self.browser = Client(self)

    def _auth(self, database: str, cookie: str, user: type[Any]) -> Auth[Any]:
        return Auth(
            database,
            cookie=cookie,
            user=user,
            clock=self.clock,
            hasher=quick_hasher(),
            device_cookie=None,
        )

    def _let_sign_up(self, path: str, auth: Auth[Any]) -> None:
        @self.app.post(path, guard=public)
        async def sign_up(c: Context) -> None:
            await auth.sign_up(c, "alice", "correct horse", username="alice")

    async def request(self, method: str, path: str, **content: Any) -> Any:
        return await self.app.request(method, path, **{**content, "env": self.databases})

    def share_a_database(self) -> None:
        self.databases["STAFF"].close()
        self.databases["STAFF"] = self.databases["CUSTOMERS"]

    async def sign_up(self) -> None:
        for path in ("/customers", "/staff"):
            assert (await self.browser.post(path)).status == 204


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    for database in made.databases.values():
        database.close()


def in_every_order(site: Site, last: Guard) -> list[Guard]:
    customers, staff = site.customers.guard(), site.staff.guard()
    return [customers & staff & last, staff & customers & last, staff & last & customers]


async def test_a_role_is_that_of_its_own_users(site: Site) -> None:
    for index, asked in enumerate(in_every_order(site, site.staff.role("admin"))):
        site.app.get(f"/{index}", guard=asked)(lambda: "in")
    await site.sign_up()
    promote = "UPDATE user SET role = 'admin'"

    await site.databases["CUSTOMERS"].run(promote)
    assert [(await site.browser.get(f"/{index}")).status for index in range(3)] == [403] * 3

    await site.databases["STAFF"].run(promote)
    assert [(await site.browser.get(f"/{index}")).status for index in range(3)] == [200] * 3


async def test_recent_is_asked_of_its_own_session(site: Site) -> None:
    for index, asked in enumerate(in_every_order(site, site.staff.recent())):
        site.app.get(f"/{index}", guard=asked)(lambda: "in")
    await site.sign_up()
    await site.databases["STAFF"].run("UPDATE user_session SET authenticated_at = 0")

    assert [(await site.browser.get(f"/{index}")).status for index in range(3)] == [403] * 3


async def test_a_handler_names_the_class_that_it_means(site: Site) -> None:
    both = site.customers.guard() & site.staff.guard()

    @site.app.get("/", guard=both)
    async def show(person: Person, staff: Staff) -> list[str]:
        return [type(person).__name__, type(staff).__name__]

    await site.sign_up()

    assert (await site.browser.get("/")).body == b'["Person","Staff"]'


@pytest.mark.parametrize("kind", [Session, Session | None])
def test_what_two_guards_hand_on_has_to_be_named(site: Site, kind: Any) -> None:
    async def show(session: Any) -> None: ...

    show.__annotations__["session"] = kind

    with pytest.raises(ConfigurationError, match="asks for Session, which several guards hand on"):
        site.app.get("/", guard=site.customers.guard() & site.staff.guard())(show)


async def test_a_slot_names_what_is_meant(site: Site) -> None:
    staff, customers = site.staff.session_slot, site.customers.session_slot

    @site.app.get("/", guard=site.customers.guard() & site.staff.guard())
    async def show(
        one: Annotated[Session, staff], other: Annotated[Session, customers] | None
    ) -> bool:
        return other is not None and one.id != other.id

    await site.sign_up()

    assert (await site.browser.get("/")).body == b"true"


def test_a_slot_that_no_guard_fills_is_refused(site: Site) -> None:
    other = Slot("other", Session)

    async def show(session: Annotated[Session, other]) -> None: ...

    with pytest.raises(ConfigurationError, match="no guard in front of this provides one"):
        site.app.get("/", guard=site.staff.guard())(show)


def test_a_guard_needs_its_own_users_in_front(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="no guard in front of this provides one"):
        site.app.get("/", guard=site.customers.guard() & site.staff.role("admin"))(lambda: "")


def test_a_guard_may_say_which_it_means(site: Site) -> None:
    @guard
    async def own(session: Annotated[Session, site.staff.session_slot]) -> None: ...

    both = site.customers.guard() & site.staff.guard()
    site.app.get("/", guard=both & own)(lambda: "")

    assert str(site.app.routes[-1].guard).endswith("own")


@pytest.mark.parametrize(("is_shared", "status"), [(False, 401), (True, 200)])
async def test_a_session_opens_what_is_in_its_database_whatever_the_cookie(
    site: Site, is_shared: bool, status: int
) -> None:
    if is_shared:
        site.share_a_database()
    site.app.get("/", guard=site.staff.guard())(lambda: "in")
    user = await site.customers.users.create(site.databases["CUSTOMERS"], None)
    new = await site.customers.sessions.create(site.databases["CUSTOMERS"], user.id)

    answer = await site.request("GET", "/", headers={"cookie": f"staff={new.token}"})

    assert answer.status == status
