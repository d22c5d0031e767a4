"""Forms on somebody else's site, sent by a browser that is signed in at ours."""

import pytest

from tests.browser.browser import Browser
from tests.browser.other_site import OtherSite
from tests.browser.people import Account


@pytest.fixture(params=["near", "far"])
def origin(request: pytest.FixtureRequest, other_site: OtherSite) -> str:
    """Where the forms are: the same site but for the port, and another one."""
    where: str = getattr(other_site, request.param)
    return where


def test_a_form_from_elsewhere_is_refused_though_the_browser_is_signed_in(
    browser: Browser, member: Account, origin: str
) -> None:
    for path in ("/notes", "/sign-out", "/sign-in", "/me/delete"):
        browser.open(f"{origin}/")
        browser.submit(f"Send to {path}", status=403)

        told = f"The request comes from {origin}, but this site is {browser.url}."
        assert told in browser.text
    browser.follow("Back to the start")
    assert f"Signed in as {member.username}" in browser.text
    assert "Planted" not in browser.links


def test_a_form_from_elsewhere_signs_nobody_in(browser: Browser, origin: str) -> None:
    for path in ("/sign-in", "/sign-up"):
        browser.open(f"{origin}/")
        browser.submit(f"Send to {path}", status=403)
        assert browser.cookies == []

    browser.follow("Back to the start")
    assert browser.buttons == ["Sign in", "Sign up"]


@pytest.mark.usefixtures("member")
def test_a_form_from_elsewhere_is_refused_once_more_when_the_page_is_reloaded(
    browser: Browser, origin: str
) -> None:
    browser.open(f"{origin}/")
    browser.submit("Send to /notes", status=403)

    browser.reload(status=403)  # sends the form again

    browser.open("/")
    assert "Planted" not in browser.links
