"""What a person does with a browser: opens pages, fills in forms by their labels, presses buttons."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.browser.chromedriver import Session, wait_until
from tests.browser.inspection import faults, log_of

__all__ = ["TAB", "Browser"]

TAB: Final = "\ue004"
ENTER: Final = "\ue007"
DELETE: Final = "\ue017"

_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, section 12.1
_AGE: Final = "return document.readyState === 'complete' ? performance.timeOrigin : 0"
_STATUS: Final = "return performance.getEntriesByType('navigation')[0].responseStatus"


class Browser:
    """Somebody's browser, at the site *url*.

    Wherever a page is left for the next one, the next is waited for, has the status that was
    expected, and has none of the `faults` that any page could have.
    """

    def __init__(self, session: Session, url: str) -> None:
        self.session = session
        self.url = url

    # --- Going somewhere -------------------------------------------------------------------------

    def open(self, path: str, status: int = 200) -> None:
        """Open the page at *path*, or at another site's URL, as from the address bar."""
        before = self._age()
        self.session.command("POST", "/url", url=path if "://" in path else self.url + path)
        self._arrive(before, status)

    def follow(self, link: str, status: int = 200) -> None:
        """Click the first link that says *link*."""
        self._leave(self.find(f"//a[normalize-space()={_quoted(link)}]"), status)

    def submit(
        self,
        button: str,
        fields: Mapping[str, str] | None = None,
        *,
        within: str = "",
        status: int = 200,
    ) -> None:
        """Fill in *fields*, by label, and press *button*; both of the same form.

        Where several forms have such a button, *within* is a text near the one that is meant.
        """
        form = self.form(button, within)
        for label, text in (fields or {}).items():
            self.fill(form, label, text)
        self._leave(self.find(_button(button), form), status)

    def click_to_no_avail(self, form: str, button: str) -> None:
        """Press *button* of *form*, which the browser does not send: something does not fit."""
        before = self._age()
        assert self.session.script("return arguments[0].matches(':invalid')", {_ELEMENT: form})
        self.click(self.find(_button(button), form))
        assert self._age() == before

    def reload(self, status: int = 200) -> None:
        """Load the page again; what came of a form sends the form again."""
        before = self._age()
        self.session.command("POST", "/refresh")
        self._arrive(before, status)

    def back(self) -> None:
        """Go back, as with the browser's button."""
        before = self._age()
        self.session.command("POST", "/back")
        wait_until(lambda: self._age() not in {0, before}, "another page is there")

    # --- Parts of a page -------------------------------------------------------------------------

    def find(self, path: str, within: str | None = None) -> str:
        """Return the first element at an XPath."""
        root = f"/element/{within}" if within else ""
        found = self.session.command("POST", f"{root}/element", using="xpath", value=path)
        return str(found[_ELEMENT])

    def find_all(self, path: str) -> list[str]:
        """Return all elements at an XPath."""
        found = self.session.command("POST", "/elements", using="xpath", value=path)
        return [str(each[_ELEMENT]) for each in found]

    def form(self, button: str, within: str = "") -> str:
        """Return the form with that *button*, in the smallest part of the page that says *within*."""
        has_button = f"form[{_button(button)}]"
        if not within:
            return self.find(f"//{has_button}")
        near = f"contains(normalize-space(), {_quoted(within)})"
        return self.find(
            f"//*[{near}][.//{has_button}][not(*[{near}][.//{has_button}])]//{has_button}"
        )

    def fill(self, form: str, label: str, text: str) -> None:
        """Paste *text* over what is in the field that *label* begins to describe."""
        field = {_ELEMENT: self.field(form, label)}
        self.session.script("arguments[0].focus(); arguments[0].select()", field)
        if text:
            self.session.devtools("Input.insertText", text=text)
        else:
            self.press(DELETE)

    def field(self, form: str, label: str) -> str:
        """Return the field of *form* that *label* begins to describe."""
        labelled = f".//label[starts-with(normalize-space(), {_quoted(label)})]"
        return self.find(f"{labelled}//*[self::input or self::textarea]", form)

    def click(self, element: str) -> None:
        """Click *element*, and stay on the page."""
        self.session.command("POST", f"/element/{element}/click")

    def value_of(self, field: str) -> str:
        """Return what is typed into *field*."""
        return str(self.session.command("GET", f"/element/{field}/property/value"))

    def text_of(self, element: str) -> str:
        """Return the text of *element* as it is shown."""
        return str(self.session.command("GET", f"/element/{element}/text"))

    # --- What there is to see --------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Where the browser is, without the site."""
        return str(self.session.command("GET", "/url")).removeprefix(self.url)

    @property
    def title(self) -> str:
        """The title of the page."""
        return str(self.session.command("GET", "/title"))

    @property
    def text(self) -> str:
        """All that is shown, in one line."""
        return " ".join(self.text_of(self.find("//body")).split())

    @property
    def buttons(self) -> list[str]:
        """What the buttons say, from the top."""
        return [self.text_of(each) for each in self.find_all("//button")]

    @property
    def links(self) -> list[str]:
        """What the links say, from the top."""
        return [self.text_of(each) for each in self.find_all("//a")]

    @property
    def cookies(self) -> list[dict[str, Any]]:
        """The cookies that go to this page, with their attributes as the browser took them."""
        return list(self.session.command("GET", "/cookie"))

    @property
    def session_cookies(self) -> list[dict[str, Any]]:
        """The cookies but the one that says which browser this is: that stays when one signs out."""
        return [each for each in self.cookies if not each["name"].endswith("auth_device")]

    def screenshot(self, path: Path) -> None:
        """Save what is shown as a PNG."""
        path.write_bytes(base64.b64decode(self.session.command("GET", "/screenshot")))

    # --- The keyboard, and the window ------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press *keys* one after the other, wherever the focus is."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": strokes}
        self.session.command("POST", "/actions", actions=[keyboard])

    def press_enter(self, status: int = 200) -> None:
        """Press Enter, and come to the next page."""
        before = self._age()
        self.press(ENTER)
        self._arrive(before, status)

    def narrow(self, width: int) -> None:
        """Be a phone with a screen of *width* CSS pixels; 0 is the window again."""
        if not width:
            self.session.devtools("Emulation.clearDeviceMetricsOverride")
            return
        self.session.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=740,
            deviceScaleFactor=2,
            mobile=True,
        )

    def forget(self) -> None:
        """Become a browser without cookies and with an empty console. What it shows, it shows on."""
        self.session.devtools("Network.clearBrowserCookies")
        self.narrow(0)
        log_of(self.session)

    def _leave(self, element: str, status: int) -> None:
        before = self._age()
        self.click(element)
        self._arrive(before, status)

    def _arrive(self, before: float, status: int) -> None:
        wait_until(lambda: self._age() not in {0, before}, "the next page is there")
        assert self.session.script(_STATUS) == status, f"{self.path}: {self.text}"
        assert faults(self.session) == {}, self.path
        assert self._complaints(status) == [], self.path

    def _complaints(self, status: int) -> list[str]:
        """Return what the console says, but for the line on a page that has to be an error."""
        log = log_of(self.session)
        if status >= 400 and log:
            here = self.session.command("GET", "/url")
            expected = f"{here} - Failed to load resource: the server responded with a status of"
            log = [line for line in log if f"{expected} {status} " not in line]
        return log

    def _age(self) -> float:
        return float(self.session.script(_AGE))

    def __repr__(self) -> str:
        return f"<Browser at {self.url}>"


def _button(text: str) -> str:
    return f".//button[normalize-space()={_quoted(text)}]"


def _quoted(text: str) -> str:
    """Return *text* as XPath writes it: it has no escapes, so quotes of the other kind are joined."""
    if '"' not in text:
        return f'"{text}"'
    parts = text.split('"')
    return "concat(" + ", '\"', ".join(f'"{part}"' for part in parts) + ")"
