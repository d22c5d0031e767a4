"""Reads a page and fills in its forms, as a browser without JavaScript does."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from framework.response import Response
from framework.testing import Client

__all__ = ["ACCEPT", "FormOnPage", "Page", "Visitor", "page_of"]

ACCEPT: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
"""What browsers send when they open a page."""

_VOID = {"br", "hr", "input", "meta", "link", "img"}


@dataclass
class FormOnPage:
    """One form: where it goes, what it holds, and what its button says."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""


class Page(HTMLParser):
    """What is on a page: forms, links, and the text. A tag that is not closed fails the test."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self.links: dict[str, str] = {}
        self.title = ""
        self._open: list[str] = []
        self._text: list[str] = []
        self._href = ""
        self._area = ""
        self.feed(markup)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    @property
    def text(self) -> str:
        """All that a person reads, in one line."""
        return " ".join("".join(self._text).split())

    def form(self, button: str, action: str = "") -> FormOnPage:
        """Return the first form with that *button* (and *action*)."""
        for each in self.forms:
            if each.button == button and action in {"", each.action}:
                return each
        raise AssertionError(f"no form {button!r} among {[each.button for each in self.forms]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what opens."""
        values = {name: value or "" for name, value in attrs}
        assert not any(name.startswith("on") for name in values), "a script in an attribute"
        assert tag != "script", "a script"
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self.forms.append(FormOnPage(values["method"], values["action"]))
        elif tag == "input" and self.forms and values.get("name"):  # else it is not sent
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "textarea":
            self._area = values["name"]
            self.forms[-1].fields[self._area] = ""
        elif tag == "a":
            self._href = values["href"]

    def handle_endtag(self, tag: str) -> None:
        """Note what closes."""
        assert self._open.pop() == tag, f"</{tag}> closes nothing"
        if tag == "textarea":
            fields = self.forms[-1].fields
            fields[self._area] = fields[self._area].removeprefix("\n")

    def handle_data(self, data: str) -> None:
        """Note what is written."""
        within = self._open[-1] if self._open else ""
        if within == "title":
            self.title = data
        elif within == "button":
            self.forms[-1].button += data
        elif within == "textarea":
            self.forms[-1].fields[self._area] += data
        elif within == "a":
            self.links[data] = self._href
        if within != "style":
            self._text.append(f"{data} ")


def page_of(response: Response) -> Page:
    """Return the page that *response* carries."""
    assert response.header("content-type") == "text/html; charset=utf-8", response.body
    assert isinstance(response.body, bytes)
    return Page(response.body.decode())


class Visitor:
    """Somebody who looks at the site with a browser that runs no scripts."""

    def __init__(self, browser: Client) -> None:
        self.browser = browser
        self.page = Page("")
        self.answer = Response()
        """The answer to what was last done, before any redirect was followed."""

    async def open(self, path: str) -> Page:
        """Open the page at *path*."""
        self.answer = await self._get(path)
        return self._show(self.answer)

    async def submit(self, button: str, action: str = "", /, **fields: str) -> Page:
        """Fill *fields* into the form with that *button*, press it, and follow a redirect."""
        form = self.page.form(button, action)
        assert fields.keys() <= form.fields.keys(), f"the form has {[*form.fields]}"
        assert form.method == "post"
        self.answer = await self.browser.post(
            form.action, form=form.fields | fields, headers={"accept": ACCEPT}
        )
        if self.answer.status != 303:
            return self._show(self.answer)
        path, _, _ = (self.answer.header("location") or "").partition("#")
        return self._show(await self._get(path))

    async def _get(self, path: str) -> Response:
        return await self.browser.get(path, headers={"accept": ACCEPT})

    def _show(self, response: Response) -> Page:
        self.page = page_of(response)
        return self.page
