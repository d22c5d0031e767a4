"""Signing up, in and out, and everything else that one does with an account."""

from tests.browser.browser import Browser
from tests.browser.chromedriver import wait_until
from tests.browser.people import Account, new_account, sql
from tests.e2e.service import Service

_OWN = "WHERE user_id = (SELECT id FROM user WHERE username = ?1)"

_WRONG = """return [...document.querySelectorAll('[aria-invalid=true]')].map((node) => [
  node.name, node.labels[0].querySelector('.error').innerText,
  node === document.activeElement ? 'has the focus' : ''])"""
"""Each field that is marked, with what its label says of that."""

STRANGER = ["Sign in", "Sign up"]
"""The buttons of the home page where nobody is signed in."""

MISFITS = [
    ("al", "correct horse"),
    ("al ice", "correct horse"),
    ("-alice", "correct horse"),
    ("alicé", "correct horse"),
    ("alice", "short"),
    ("alice", ""),
    ("", "correct horse"),
]
"""What is too short, or missing, or has a character that no username has."""


def test_signing_up_leads_to_a_home_page_of_ones_own(browser: Browser, account: Account) -> None:
    browser.open("/")
    assert browser.buttons == STRANGER

    browser.submit("Sign up", account.fields)

    assert (browser.path, browser.title) == ("/", "Home · Kagari")
    assert f"Signed in as {account.username}" in browser.text
    assert [browser.text_of(each) for each in browser.find_all("//h2")] == [
        "Notes", "Account", "Sessions",
    ]  # fmt: skip


def test_a_form_that_is_not_filled_in_as_it_says_is_not_sent(browser: Browser) -> None:
    browser.open("/")
    form = browser.form("Sign up")

    for username, password in MISFITS:
        browser.fill(form, "Username", username)
        browser.fill(form, "Password", password)
        browser.click_to_no_avail(form, "Sign up")

    assert browser.buttons == STRANGER
    assert browser.session_cookies == []


def test_the_hints_allow_every_username_that_the_server_allows(
    browser: Browser, account: Account
) -> None:
    unusual = Account(username=f"0._@+-{account.username}-".upper(), password=account.password)

    unusual.sign_up(browser)

    assert f"Signed in as {unusual.username}" in browser.text


def test_the_browser_keeps_the_cookie_from_scripts_and_other_sites(
    browser: Browser, account: Account
) -> None:
    account.sign_up(browser)

    [cookie] = browser.session_cookies

    assert cookie["name"] == "auth_session"
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["domain"] == "localhost"
    assert browser.session.script("return document.cookie") == ""


def test_signing_out_and_in_again(browser: Browser, member: Account) -> None:
    browser.submit("Sign out")
    assert (browser.buttons, browser.session_cookies) == (STRANGER, [])

    browser.submit("Sign in", member.fields)

    assert f"Signed in as {member.username}" in browser.text


def test_what_was_seen_is_not_shown_after_signing_out(browser: Browser, member: Account) -> None:
    browser.submit("Add the note", {"Title": "Mine alone"})
    browser.submit("Sign out")

    browser.back()

    assert "Mine alone" not in browser.text


def test_a_wrong_password_is_told_with_a_way_back(browser: Browser, member: Account) -> None:
    browser.submit("Sign out")

    browser.submit("Sign in", member.fields | {"Password": "not the password"}, status=401)
    assert "The username or the password is wrong." in browser.text
    assert "not the password" not in browser.text

    browser.follow("Back to the start")
    assert browser.buttons == STRANGER
    browser.submit("Sign in", {"Username": "nobody-has-this", "Password": "x"}, status=401)
    form = browser.form("Sign in")  # the page that says no has the form, too
    assert browser.value_of(browser.field(form, "Username")) == "nobody-has-this"
    assert browser.value_of(browser.field(form, "Password")) == ""
    browser.submit("Sign in", member.fields)
    assert f"Signed in as {member.username}" in browser.text


def test_a_taken_username_is_told_and_what_was_typed_stays_but_the_password(
    browser: Browser, member: Account
) -> None:
    browser.submit("Sign out")

    browser.submit("Sign up", member.fields | {"E-mail": "a@example.com"}, status=409)

    assert "That username is taken." in browser.text
    assert _typed(browser, "Sign up") == [member.username, "", "a@example.com"]
    browser.submit(
        "Sign up", {"Username": f"{member.username}-2", "Password": member.password, "E-mail": ""}
    )
    assert f"Signed in as {member.username}-2" in browser.text


def test_what_does_not_fit_is_told_at_its_field(browser: Browser, account: Account) -> None:
    browser.open("/")

    browser.submit("Sign up", account.fields | {"E-mail": "no@address"}, status=422)

    form = browser.form("Sign up")
    assert browser.session.script(_WRONG) == [
        ["email", "This is not a valid e-mail address.", "has the focus"]
    ]
    assert _typed(browser, "Sign up") == [account.username, "", "no@address"]
    browser.fill(form, "Password", account.password)
    browser.submit("Sign up", {"E-mail": ""})
    assert f"Signed in as {account.username}" in browser.text


def _typed(browser: Browser, button: str) -> list[str]:
    form = browser.form(button)
    labels = ("Username", "Password", "E-mail address")
    return [browser.value_of(browser.field(form, label)) for label in labels]


def test_changing_the_password(browser: Browser, member: Account, service: Service) -> None:
    new = new_account(service).password

    browser.submit(
        "Change the password",
        {"Current password": "not the password", "New password": new},
        status=401,
    )
    assert "The current password is wrong." in browser.text
    browser.follow("Back to the start")
    browser.submit(
        "Change the password", {"Current password": member.password, "New password": new}
    )
    assert f"Signed in as {member.username}" in browser.text

    browser.submit("Sign out")
    browser.submit("Sign in", member.fields, status=401)
    browser.submit("Sign in", {"Username": member.username, "Password": new})
    assert f"Signed in as {member.username}" in browser.text


def test_deleting_the_account_asks_who_signed_in_long_ago_to_sign_in_again(
    browser: Browser, member: Account, service: Service
) -> None:
    sql(service, f"UPDATE user_session SET authenticated_at = 1 {_OWN}", member.username)

    _ask_to_delete(browser, status=403)
    assert "Sign in again to do this." in browser.text
    browser.submit("Sign in", member.fields)
    _ask_to_delete(browser)

    assert (browser.buttons, browser.session_cookies) == (STRANGER, [])
    browser.submit("Sign in", member.fields, status=401)


def _ask_to_delete(browser: Browser, status: int = 200) -> None:
    assert "for good" not in browser.text  # not where it could be pressed by mistake
    browser.click(browser.find("//summary[.='Delete the account']"))
    assert "Notes, sessions and the account itself go at once, for good." in browser.text
    browser.submit("Delete the account", status=status)


def test_an_expired_session_is_sent_to_sign_in(
    browser: Browser, member: Account, service: Service
) -> None:
    _expire(service, member)

    browser.open("/notes", status=401)
    assert "Sign in first." in browser.text
    assert browser.session_cookies == []
    browser.submit("Sign in", member.fields)

    assert f"Signed in as {member.username}" in browser.text


def test_a_note_that_is_sent_too_late_is_sent_again_after_signing_in_beside_it(
    browser: Browser, member: Account, service: Service
) -> None:
    _expire(service, member)
    browser.submit("Add the note", {"Title": "In time", "Text": "</textarea>"}, status=401)
    assert "Once you are signed in, send this again:" in browser.text

    form = browser.form("Sign in")
    for label, text in member.fields.items():
        browser.fill(form, label, text)
    browser.click(browser.find(".//button", form))
    _close_other_tab(browser, f"Signed in as {member.username}")
    browser.submit("Add the note")

    browser.follow("In time")
    assert browser.value_of(browser.field(browser.form("Save"), "Text")) == "</textarea>"


def test_a_page_from_before_somebody_else_signed_in_deletes_nobody(
    browser: Browser, member: Account, service: Service
) -> None:
    first = browser.session.command("GET", "/window")
    second = browser.session.command("POST", "/window/new", type="tab")["handle"]
    browser.session.command("POST", "/window", handle=second)
    browser.open("/")
    browser.submit("Sign out")
    other = new_account(service)
    other.sign_up(browser)
    browser.session.command("POST", "/window", handle=first)

    _ask_to_delete(browser, status=409)

    assert "Somebody else is signed in now." in browser.text
    _close_other_tab(browser, f"Signed in as {other.username}")
    browser.open("/")
    assert f"Signed in as {other.username}" in browser.text
    browser.submit("Sign out")
    browser.submit("Sign in", member.fields)


def _close_other_tab(browser: Browser, text: str) -> None:
    """Wait until the other of two tabs says *text*, and close it."""
    here = browser.session.command("GET", "/window")

    def others() -> list[str]:
        return [each for each in browser.session.command("GET", "/window/handles") if each != here]

    wait_until(others, "another tab is there")
    browser.session.command("POST", "/window", handle=others()[0])
    wait_until(lambda: text in browser.text, f"the other tab says {text}")
    browser.session.command("DELETE", "/window")
    browser.session.command("POST", "/window", handle=here)


def _expire(service: Service, account: Account) -> None:
    sql(
        service,
        f"UPDATE user_session SET active_expires = 1, idle_expires = 2 {_OWN}",
        account.username,
    )
