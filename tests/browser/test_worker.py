"""The same pages from the Worker itself: the staged bundle on Pyodide, with D1."""

from tests.browser.browser import Browser
from tests.browser.people import new_account
from tests.e2e.service import Service


def test_a_life_at_the_worker(desk: Browser, worker: Service) -> None:
    browser = Browser(desk.session, worker.url)
    browser.forget()
    account = new_account(worker)

    account.sign_up(browser)
    assert f"Signed in as {account.username}" in browser.text
    assert [cookie["name"] for cookie in browser.session_cookies] == ["auth_session"]

    browser.submit("Add the note", {"Title": "<b>篝火</b> 🔥", "Text": "on the hill"})
    browser.follow("<b>篝火</b> 🔥")
    browser.submit("Save", {"Title": "Smoke"})
    browser.follow("All notes")
    browser.submit("Delete", within="Smoke")
    assert "Smoke" not in browser.links

    browser.submit("Sign out")
    browser.submit("Sign in", account.fields | {"Password": "not the password"}, status=401)
    browser.submit("Sign in", account.fields)
    browser.click(browser.find("//summary"))
    browser.submit("Delete the account")
    browser.submit("Sign in", account.fields, status=401)
    assert browser.session_cookies == []
