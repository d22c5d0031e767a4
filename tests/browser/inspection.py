"""Looks at a page: what every page of the site has to be, whatever is on it."""

from typing import Any, Final

from tests.browser.chromedriver import Session

__all__ = ["faults", "log_of"]

_LOOK: Final = """
const texts = (list) => list.map((node) => node.outerHTML.slice(0, 120));
const all = (selector) => [...document.querySelectorAll(selector)];
const levels = all('h1, h2, h3, h4, h5, h6').map((node) => Number(node.tagName[1]));
const ids = all('[id]').map((node) => node.id);
return {
  'no title': document.title.trim() ? [] : ['<title>'],
  'no language': document.documentElement.lang ? [] : ['<html>'],
  'not one h1': levels.filter((level) => level === 1).length === 1 ? [] : [levels],
  'a heading skips a level': levels.filter((level, at) => at && level > levels[at - 1] + 1),
  'no label': texts(all('input:not([type=hidden]), textarea, select').filter(
    (node) => !node.labels.length || !node.labels[0].textContent.trim())),
  'no text': texts(all('a, button, summary').filter((node) => !node.textContent.trim())),
  'an id twice': ids.filter((id, at) => ids.indexOf(id) !== at),
  'a link to nothing': texts(all('a[href^="#"]').filter(
    (node) => !document.getElementById(decodeURIComponent(node.hash.slice(1))))),
  'scrolls sideways': document.documentElement.scrollWidth > innerWidth
    ? [`${document.documentElement.scrollWidth} > ${innerWidth}`] : [],
  'outside of the landmarks': texts(all('body > *').filter(
    (node) => !node.matches('header, nav, main, footer, script'))),
  'a script': texts(all('script')),
};
"""


def faults(session: Session) -> dict[str, list[Any]]:
    """Return what is wrong with the page that *session* shows, by kind; empty where nothing is."""
    found: dict[str, list[Any]] = session.script(_LOOK)
    return {kind: where for kind, where in found.items() if where}


def log_of(session: Session) -> list[str]:
    """Return the errors and warnings of the console since it was last asked, oldest first."""
    entries = session.command("POST", "/se/log", type="browser")
    return [
        f"{entry['source']}: {entry['message']}"
        for entry in entries
        if entry["level"] in {"SEVERE", "WARNING"}
    ]
