"""What administrators see, and others do not."""

from tests.browser.browser import Browser
from tests.browser.people import Account, sql
from tests.e2e.service import Service


def test_others_are_told_no(browser: Browser, member: Account) -> None:
    assert "All users" not in browser.links

    browser.open("/admin/users", status=403)

    assert "This is for users with the role admin." in browser.text
    assert member.username not in browser.text
    browser.follow("Back to the start")
    assert f"Signed in as {member.username}" in browser.text


def test_an_administrator_sees_all_users(
    browser: Browser, member: Account, service: Service
) -> None:
    sql(service, "UPDATE user SET role = 'admin' WHERE username = ?1", member.username)

    browser.open("/")
    browser.follow("All users")

    assert browser.title == "Users · Kagari"
    heads = [browser.text_of(each) for each in browser.find_all("//th")]
    assert heads == ["Username", "Role", "Since"]
    row = browser.find(f"//tr[td='{member.username}']")
    assert "admin" in browser.text_of(row)


def test_an_administrator_pages_through_all_users(
    browser: Browser, member: Account, service: Service
) -> None:
    sql(service, "UPDATE user SET role = 'admin' WHERE username = ?1", member.username)
    sql(service, "INSERT INTO user (id, username) SELECT 'zz' || value, 'crowd-' || value"
        " FROM json_each(?1)", str([*range(10, 70)]))  # fmt: skip
    all_names = [row["username"] for row in sql(service, "SELECT username FROM user ORDER BY id")]

    browser.open("/admin/users")
    seen = _names_on(browser)
    browser.follow("More users")
    seen += _names_on(browser)

    assert seen == all_names[:100]
    sql(service, "DELETE FROM user WHERE id LIKE 'zz__'")


def _names_on(browser: Browser) -> list[str]:
    return [browser.text_of(each) for each in browser.find_all("//td[1]")]
