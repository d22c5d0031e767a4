"""What the Content-Security-Policy stops, in a browser that does run scripts."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.browser.browser import Browser
from tests.browser.chromedriver import Driver
from tests.browser.inspection import log_of
from tests.browser.people import new_account
from tests.e2e.service import Service

_PAGES: Final = ["/", "/docs", "/nowhere"]

_ADD_SCRIPT: Final = """
const script = document.createElement('script');
script.textContent = 'document.title = "ran"';
document.body.append(script);
return document.title;
"""
_ADD_HANDLER: Final = """
document.body.insertAdjacentHTML('beforeend', '<i onclick="document.title = `ran`">press</i>');
document.querySelector('i').click();
return document.title;
"""
_ADD_STYLE: Final = """
const style = document.createElement('style');
style.textContent = 'body { letter-spacing: 9px }';
document.head.append(style);
return getComputedStyle(document.body).letterSpacing;
"""
_ADD_STYLE_ATTRIBUTE: Final = """
document.body.setAttribute('style', 'letter-spacing: 9px');
return getComputedStyle(document.body).letterSpacing;
"""


@pytest.fixture(scope="module")
def scripted(
    chromedriver: Driver, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser with JavaScript."""
    with chromedriver.chromium(tmp_path_factory.mktemp("scripted"), scripts=True) as session:
        yield Browser(session, url)


@pytest.mark.parametrize("path", _PAGES)
def test_what_is_slipped_into_a_page_does_nothing(scripted: Browser, path: str) -> None:
    scripted.open(path, status=404 if path == "/nowhere" else 200)
    title = scripted.title

    for script, harmless, directive in (
        (_ADD_SCRIPT, title, "default-src 'none'"),
        (_ADD_HANDLER, title, "default-src 'none'"),
        (_ADD_STYLE, "normal", "style-src"),
        (_ADD_STYLE_ATTRIBUTE, "normal", "style-src"),
    ):
        assert scripted.session.script(script) == harmless
        [complaint] = log_of(scripted.session)
        assert "Content Security Policy" in complaint
        assert directive in complaint


def test_the_control_without_a_policy_a_script_does_run(scripted: Browser) -> None:
    scripted.session.command("POST", "/url", url="data:text/html,<title>a page</title>")

    assert scripted.session.script(_ADD_SCRIPT) == "ran"
    assert scripted.session.script(_ADD_STYLE) == "9px"


@pytest.mark.parametrize("path", _PAGES)
def test_the_pages_own_styles_apply(scripted: Browser, path: str) -> None:
    scripted.open(path, status=404 if path == "/nowhere" else 200)

    styles = "return [...document.styleSheets].map((sheet) => sheet.cssRules.length > 10)"
    assert scripted.session.script(styles) == [True, True][: 2 if path == "/docs" else 1]


def test_with_javascript_the_site_works_the_same(scripted: Browser, service: Service) -> None:
    account = new_account(service)

    account.sign_up(scripted)
    scripted.submit("Add the note", {"Title": "<script>document.title = 'ran'</script>"})
    scripted.follow("<script>document.title = 'ran'</script>")

    assert scripted.title == "<script>document.title = 'ran'</script> · Kagari"
