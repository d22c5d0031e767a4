"""Finds the routes that Cloudflare's static assets answer in place of the app. Reads no files.

A file answers before the Worker, without any guard, and 405 to what does not only read. Where `[assets]` has
a page for whatever it has no file of, that does as well. With a list in `run_worker_first` this is all
that the list does not match. Without one it is what a browser navigates to: a link, a redirect, a form; a
script's requests reach the Worker. Source: the asset worker and the router worker, as Miniflare has them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os.path import isfile
from pathlib import Path
from re import escape, fullmatch
from typing import Any

from framework.application import App
from framework.local.configuration import FILE
from framework.route import Route

__all__ = ["find_hidden"]

Table = Mapping[str, Any]

_WITH_A_PAGE = ("single-page-application", "404-page")
_OFF = "assets_navigation_has_no_effect"
"""The compatibility flag with which it does not matter what a browser navigates to."""
_NAVIGATED = {"GET", "POST"}


def find_hidden(app: App, root: Path, settings: Table) -> list[str]:
    """Return which routes of *app* are not asked, by what *settings* say.

    *settings* are what ``wrangler.toml`` in *root* says, as `configuration.py` reads it.
    """
    places = {"": settings}
    for name, place in settings.get("env", {}).items():
        if {"assets", "compatibility_flags"} & {*place}:  # else it inherits both
            places[f"env.{name}: "] = {**settings, **place}
    notes = {title: _note(app.routes, root, place) for title, place in places.items()}
    return [f"{FILE}: {title}{note}" for title, note in notes.items() if note]


def _note(routes: Iterable[Route], root: Path, place: Table) -> str:
    assets = place.get("assets")
    if not isinstance(assets, dict):
        return ""
    first = assets.get("run_worker_first")
    if first is True:
        return ""
    rules = [rule for rule in first if isinstance(rule, str)] if isinstance(first, list) else []
    # A list cannot name the others without the files, and what matches any path may be for the rest.
    left = [
        each for each in routes if _can_be_named(each.path) and not _is_matched(each.path, rules)
    ]
    if assets.get("not_found_handling") not in _WITH_A_PAGE:
        hidden = [each for each in left if _has_file(each.path, root, assets)]
        what = "it has a file of"
    elif rules:
        hidden = left
        what = "run_worker_first does not match"
    else:
        flags = place.get("compatibility_flags")
        is_off = isinstance(flags, list) and _OFF in flags
        hidden = [each for each in left if _NAVIGATED & {*each.methods} and not is_off]
        what = "a browser opens by a link, a redirect or a form"
    if not hidden:
        return ""
    shown = f"{hidden[0].methods[0]} {hidden[0].path}"
    more = f" and {len(hidden) - 1} more" if hidden[1:] else ""
    added = [*_rules_for([each.path for each in hidden])]
    # Wrangler takes no rule that another makes redundant.
    kept = [rule for rule in rules if not any(_matches_all(new, rule, rule) for new in added)]
    remedy = f"run_worker_first = {json.dumps([*kept, *added])}"
    return f"[assets] answers in place of the app what {what}, {shown}{more}: write {remedy}"


def _has_file(path: str, root: Path, assets: Table) -> bool:
    """Return whether *assets* have a file for *path*, as far as they are built by now."""
    directory = assets.get("directory")
    if not isinstance(directory, str) or path != _fixed(path):
        return False
    names = [path, f"{path}/index.html", f"{path}.html"]
    if assets.get("html_handling") == "none":
        names = [path]
    return any(isfile(root / directory / name.lstrip("/")) for name in names)


def _is_matched(path: str, rules: Sequence[str]) -> bool:
    """Return whether *rules* say who answers *path*, for all of its texts or some of them."""
    fixed = _fixed(path)
    return any(
        _matches_all(rule.removeprefix("!"), path, fixed)
        or (fixed != path and rule.startswith(fixed))
        for rule in rules
    )


def _matches_all(rule: str, path: str, fixed: str) -> bool:
    """Return whether *rule* matches whatever *path* does; its ``*`` stands for any text."""
    if fixed == path:
        return fullmatch(".*".join(map(escape, rule.split("*"))), path) is not None
    before, star, _ = rule.partition("*")
    return bool(star) and fixed.startswith(before)


def _fixed(path: str) -> str:
    """Return *path* up to what may be several texts."""
    return path.partition(":")[0].partition("*")[0]


def _can_be_named(path: str) -> bool:
    fixed = _fixed(path)
    return path.isascii() and (fixed == path or "/" in fixed[1:])


def _rules_for(paths: Iterable[str]) -> Iterator[str]:
    """Yield what matches *paths*, by the first part of each."""
    below: dict[str, list[str]] = {}
    for path in paths:
        below.setdefault(path.split("/")[1], []).append(path)
    for first, all_of_it in below.items():
        if any(path == f"/{first}" or "?" in path for path in all_of_it):
            yield f"/{first}"
        if any(path != f"/{first}" for path in all_of_it):
            yield f"/{first}/*"
