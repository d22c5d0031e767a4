"""Whether people can use the pages: on a phone, with the keyboard alone."""

from typing import Final

import pytest

from tests.browser.browser import TAB, Browser
from tests.browser.inspection import faults
from tests.browser.people import Account, sql
from tests.e2e.service import Service

_REACHABLE: Final = """
const seen = (node) => node.checkVisibility() && node.tabIndex >= 0;
const name = (node) => [node.tagName, node.name, node.innerText].filter(Boolean).join(' ').trim();
"""
_ALL: Final = (
    _REACHABLE + "return [...document.querySelectorAll('a, button, input, textarea, summary')]"
    ".filter(seen).map(name)"
)
_FOCUSED: Final = (
    _REACHABLE + "const node = document.activeElement;"
    "return [name(node), getComputedStyle(node).outlineStyle]"
)
_TEXTS: Final = """
const parse = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (channel) => channel <= 10.31 ? channel / 3294.6 : ((channel / 255 + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
const over = ([r, g, b, a = 1], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));
const page = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
const lineage = (node) => node ? [...lineage(node.parentElement), node] : [];
const ground = (node) => lineage(node).reduce(
  (under, each) => over(parse(getComputedStyle(each).backgroundColor), under), page);
const opacity = (node) => lineage(node).reduce(
  (product, each) => product * getComputedStyle(each).opacity, 1);
const contrast = (node) => {
  const under = ground(node);
  const [r, g, b, a = 1] = parse(getComputedStyle(node).color);
  const ink = luminance(over([r, g, b, a * opacity(node)], under)), paper = luminance(under);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
};
return [...document.querySelectorAll('body *')]
  .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .filter((node) => node.checkVisibility() && contrast(node) < 4.5)
  .map((node) => [contrast(node).toFixed(2), node.outerHTML.slice(0, 120)]);
"""

_UNBROKEN: Final = "W" * 200

NARROWEST: Final = 320
"""CSS pixels: a window of 1280 at four times its size, without scrolling sideways (WCAG 2.2, 1.4.10)."""


def test_the_api_is_shown(browser: Browser) -> None:
    browser.open("/")
    browser.follow("The API")

    assert browser.title == "The API · Kagari"
    assert "POST /sign-in" in browser.text
    assert "authorized & recent" in browser.text
    browser.click(browser.find("//nav//a[contains(., '/sign-up')]"))
    assert browser.path.startswith("/docs#")
    target = browser.find("//article[@id = 'sign_up']")
    assert "Make an account and sign in." in browser.text_of(target)


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/nowhere", "/notes", "/me", "/password-reset", "/password-reset/x"]
)
def test_the_pages_of_a_stranger_fit_on_a_phone(browser: Browser, path: str) -> None:
    browser.narrow(NARROWEST)

    statuses = {"/nowhere": 404, "/notes": 401, "/me": 401, "/password-reset/x": 404}
    browser.open(path, status=statuses.get(path, 200))

    assert browser.session.script("return innerWidth") == NARROWEST


def test_the_pages_of_a_member_fit_on_a_phone_whatever_is_in_them(
    browser: Browser, account: Account, service: Service
) -> None:
    browser.narrow(NARROWEST)
    member = Account(username=f"{account.username}{_UNBROKEN}"[:64], password=account.password)
    member.sign_up(browser)
    sql(service, "UPDATE user SET role = 'admin' WHERE username = ?1", member.username)
    sql(service, "UPDATE user_session SET user_agent = ?2, country = 'NZ' WHERE user_id = "
        "(SELECT id FROM user WHERE username = ?1)", member.username, _UNBROKEN)  # fmt: skip

    browser.submit("Add the note", {"Title": _UNBROKEN, "Text": _UNBROKEN})

    assert _UNBROKEN in browser.text  # the note
    assert f"{_UNBROKEN}, NZ" in browser.text  # the session
    browser.follow(_UNBROKEN)
    for path in ("/notes", "/me", "/sessions", "/admin/users"):
        browser.open(path)
        assert browser.session.script("return innerWidth") == NARROWEST


def test_signing_up_with_the_keyboard_alone(browser: Browser, account: Account) -> None:
    browser.open("/")
    # Past the name of the site, the form for signing in (two fields and a button) and a link. Of
    # the fields for signing up, the last may stay empty.
    browser.press(*[TAB] * 6, *account.username, TAB, *account.password, TAB, TAB)
    assert _focused(browser) == "BUTTON Sign up"

    browser.press_enter()

    assert f"Signed in as {account.username}" in browser.text


@pytest.mark.parametrize("path", ["/", "/notes", "/me"])
def test_all_there_is_to_press_is_reached_with_tab_from_the_top(
    browser: Browser, member: Account, path: str
) -> None:
    browser.submit("Add the note", {"Title": "Fire"})
    browser.open(path)
    wanted = browser.session.script(_ALL)

    reached = []
    for _ in wanted:
        browser.press(TAB)
        reached.append(_focused(browser))

    assert reached == wanted


def _focused(browser: Browser) -> str:
    """Return what has the focus, which can be seen."""
    name, outline = browser.session.script(_FOCUSED)
    assert outline != "none", name
    return str(name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out(browser: Browser, member: Account, scheme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.submit("Add the note", {"Title": "Fire"})
    browser.session.devtools("Emulation.setEmulatedMedia", features=[feature])
    try:
        for path, status in (("/", 200), ("/docs", 200), ("/nowhere", 404), ("/notes/1x", 404)):
            browser.open(path, status=status)
            assert browser.session.script(_TEXTS) == []
        browser.open("/")
        browser.submit("Sign out")
        assert browser.session.script(_TEXTS) == []
    finally:
        browser.session.devtools("Emulation.setEmulatedMedia", features=[])


def test_a_page_with_faults_is_found_out(browser: Browser) -> None:
    markup = (
        "<h3>a</h3><input><a href=%23gone></a><i id=x></i><i id=x></i><p style=width:3000px>wide"
    )
    browser.session.command("POST", "/url", url=f"data:text/html,{markup}")

    assert faults(browser.session).keys() == {
        "no title", "no language", "not one h1", "no label", "no text", "an id twice",
        "a link to nothing", "outside of the landmarks", "scrolls sideways",
    }  # fmt: skip
