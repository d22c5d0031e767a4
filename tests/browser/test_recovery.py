"""Verifying an address and coming back without the password, as a person does."""

import asyncio
from typing import Final

from tests.browser.browser import Browser
from tests.browser.inspection import log_of
from tests.browser.people import Account, new_account, sql
from tests.e2e.mailbox import code_in, link_in, newest
from tests.e2e.service import Service

SENT: Final = "A code is on its way."
_AGO: Final = "UPDATE email_code SET expires_at = 1 WHERE email = ?1"
_VERIFY: Final = "UPDATE user SET email = ?2, email_verified_at = 1 WHERE username = ?1"


def _mail(service: Service, to: str, number: int = 1) -> dict[str, str]:
    assert service.mailbox is not None
    return asyncio.run(newest(service.mailbox, to, number))


def _address(account: Account) -> str:
    return f"{account.username}@example.com"


def _path(link: str) -> str:
    return link[link.index("/password-reset/") :]


def test_an_address_is_verified_with_the_code_from_the_mail(
    browser: Browser, member: Account, service: Service
) -> None:
    address = _address(member)
    browser.submit("Save the address", {"E-mail address": address})
    assert f"{address} is not verified yet." in browser.text

    assert SENT not in browser.text
    browser.submit("Send a code")
    assert SENT in browser.text
    sql(service, _AGO, address)
    first = code_in(_mail(service, address))
    browser.submit("Verify the address", {"Code from the mail": first}, status=422)
    assert "This code is wrong or has expired." in browser.text

    browser.follow("Back to the start")
    browser.submit("Send a code")
    second = code_in(_mail(service, address, 2))
    browser.submit("Verify the address", {"Code from the mail": second})

    assert f"{address} is verified." in browser.text
    assert SENT not in browser.text
    assert "Send a code" not in browser.buttons


def test_what_is_no_address_and_no_code_is_not_sent(browser: Browser, member: Account) -> None:
    form = browser.form("Save the address")
    for text in ("", "x", "a b@example.com"):
        browser.fill(form, "E-mail address", text)
        browser.click_to_no_avail(form, "Save the address")
    browser.submit("Save the address", {"E-mail address": _address(member)})

    form = browser.form("Verify the address")
    for text in ("", "1234567", "1234567a"):
        browser.fill(form, "Code from the mail", text)
        browser.click_to_no_avail(form, "Verify the address")


def test_an_address_can_be_changed_and_removed(browser: Browser, member: Account) -> None:
    browser.submit("Save the address", {"E-mail address": _address(member)})

    browser.click(browser.find("//summary[.='Change the address']"))
    browser.submit("Save the address", {"E-mail address": "other@example.com"})
    assert "other@example.com is not verified yet." in browser.text
    browser.click(browser.find("//summary[.='Change the address']"))
    browser.submit("Save the address", {"E-mail address": ""})

    assert "Send a code" not in browser.buttons


def test_a_lost_password_is_replaced(
    browser: Browser, member: Account, phone: Browser, service: Service
) -> None:
    address = _address(member)
    sql(service, _VERIFY, member.username, address)
    new = Account(username=member.username, password=new_account(service).password)
    phone.open("/")

    phone.follow("Forgot the password?")
    phone.submit("Send the link", {"Username or e-mail address": member.username})
    assert (phone.path, phone.title) == ("/password-reset/sent", "Look into your mail · Kagari")
    path = _path(link_in(_mail(service, address)))
    phone.open(path)
    phone.submit("Save the password", {"New password": new.password})

    assert phone.buttons == ["Sign in", "Sign up"]
    browser.open("/notes", status=401)
    phone.submit("Sign in", member.fields, status=401)
    phone.submit("Sign in", new.fields)
    assert f"Signed in as {member.username}" in phone.text

    phone.open(path, status=404)
    assert "This link is no longer valid." in phone.text
    phone.follow("Ask for another link")


def test_the_page_with_the_token_tells_nobody_where_it_is(
    browser: Browser, member: Account, service: Service
) -> None:
    sql(service, _VERIFY, member.username, _address(member))
    browser.submit("Sign out")
    browser.follow("Forgot the password?")
    browser.submit("Send the link", {"Username or e-mail address": _address(member)})
    browser.open(_path(link_in(_mail(service, _address(member)))))

    browser.follow("Kagari")

    assert browser.session.script("return document.referrer") == f"{browser.url}/"  # and no path
    assert log_of(browser.session) == []


def test_a_stranger_learns_nothing(browser: Browser, account: Account) -> None:
    browser.open("/password-reset")

    browser.submit("Send the link", {"Username or e-mail address": account.username})

    assert browser.path == "/password-reset/sent"
    assert "If the account has a verified address, a link is on its way there." in browser.text


def test_the_password_form_names_the_account_to_password_managers(
    browser: Browser, member: Account
) -> None:
    form = browser.form("Change the password")
    field = browser.find(".//input[@autocomplete='username']", form)

    assert browser.value_of(field) == member.username
    assert browser.text_of(field) == ""
    assert browser.text.count(member.username) == 1  # "Signed in as", and nowhere else
