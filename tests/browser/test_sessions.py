"""One account in several browsers."""

from tests.browser.browser import Browser
from tests.browser.people import Account


def test_ending_another_browser_from_this_one(
    browser: Browser, member: Account, phone: Browser
) -> None:
    member.sign_in(phone)
    assert _sessions_on(phone) == ["Safari on iPhone", "Chrome on Linux"]
    browser.open("/")
    assert _sessions_on(browser) == ["Safari on iPhone", "Chrome on Linux"]
    here = browser.find("//li[contains(., 'this browser')]/span")
    assert browser.text_of(here) == "Chrome on Linux"

    browser.submit("End", within="Safari on iPhone")

    assert _sessions_on(browser) == ["Chrome on Linux"]
    phone.open("/notes", status=401)
    phone.follow("Back to the start")
    assert phone.buttons == ["Sign in", "Sign up"]


def test_ending_all_others(browser: Browser, member: Account, phone: Browser) -> None:
    assert "End all other sessions" not in browser.buttons
    member.sign_in(phone)
    phone.forget()
    member.sign_in(phone)
    browser.open("/sessions")
    assert _sessions_on(browser) == ["Safari on iPhone"] * 2 + ["Chrome on Linux"]

    browser.submit("End all other sessions")

    assert _sessions_on(browser) == ["Chrome on Linux"]
    phone.open("/me", status=401)


def test_a_new_password_ends_all_others(browser: Browser, member: Account, phone: Browser) -> None:
    member.sign_in(phone)
    browser.open("/")

    browser.submit(
        "Change the password",
        {"Current password": member.password, "New password": f"{member.password}!"},
    )

    assert _sessions_on(browser) == ["Chrome on Linux"]
    phone.open("/me", status=401)


def _sessions_on(browser: Browser) -> list[str]:
    items = browser.find_all("//section[h2='Sessions']//li/span[1]")
    return [browser.text_of(item) for item in items]
