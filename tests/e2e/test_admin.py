"""The list of users, for administrators."""

import pytest

from framework.testing import Client, json_of
from tests.e2e.assertions import is_problem, misfits_of
from tests.e2e.backdoor import Backdoor
from tests.e2e.page import Visitor
from tests.e2e.people import Person

_SET_ROLE = "UPDATE user SET role = ?2 WHERE id = ?1"


@pytest.fixture
async def administrator(person: Person, backdoor: Backdoor) -> Person:
    await backdoor.sql(_SET_ROLE, person.id, "admin")
    return person


async def test_who_is_signed_out_may_not_list_users(browser: Client) -> None:
    assert is_problem(await browser.get("/admin/users"), 401, "unauthorized")


async def test_who_is_no_administrator_may_not_list_users(resident: Person) -> None:
    assert is_problem(await resident.browser.get("/admin/users"), 403, "forbidden")


async def test_an_administrator_lists_all_users_page_by_page(
    administrator: Person, stranger: Person, backdoor: Backdoor
) -> None:
    found = []
    query = "?limit=100"
    while query:
        page = json_of(await administrator.browser.get(f"/admin/users{query}"))
        assert len(page["users"]) <= 100
        found += page["users"]
        query = f"?limit=100&cursor={page['next']}" if page["next"] else ""

    assert all(user.keys() == {"id", "username", "role", "created_at"} for user in found)
    ids = [user["id"] for user in found]
    assert ids == sorted(set(ids))
    roles = {user["id"]: user["role"] for user in found}
    assert (roles[administrator.id], roles[stranger.id]) == ("admin", "user")
    (count,) = await backdoor.sql("SELECT count(*) AS users FROM user")
    assert len(found) == count["users"]


@pytest.mark.parametrize(
    ("query", "parameter"), [("limit=0", "query:limit"), ("cursor=%25", "query:cursor")]
)
async def test_what_is_no_page(administrator: Person, query: str, parameter: str) -> None:
    answer = await administrator.browser.get(f"/admin/users?{query}")

    assert misfits_of(answer) == {parameter}


async def test_a_role_counts_from_the_next_request_on(
    administrator: Person, backdoor: Backdoor
) -> None:
    assert (await administrator.browser.get("/admin/users")).status == 200

    await backdoor.sql(_SET_ROLE, administrator.id, "user")

    assert is_problem(await administrator.browser.get("/admin/users"), 403, "forbidden")


async def test_an_administrator_sees_a_page_of_users(administrator: Person) -> None:
    visitor = Visitor(administrator.browser)
    home = await visitor.open("/")

    page = await visitor.open(home.links["All users"])

    assert "Username Role Since" in page.text


async def test_the_list_of_users_is_on_nobody_elses_page(resident: Person) -> None:
    assert "All users" not in (await Visitor(resident.browser).open("/")).links
