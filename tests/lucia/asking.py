"""What the tests of this folder do again and again. Knows no table."""

import itertools
from collections.abc import Sequence
from typing import Final

from framework.testing import Client
from tests.lucia.hashes import PASSWORD
from tests.lucia.places import Place

__all__ = [
    "NEW_PASSWORD",
    "attributes_of",
    "cookies_of",
    "credentials",
    "lucias_cookie",
    "names",
    "signed_in",
]

NEW_PASSWORD: Final = "battery staple"

names: Final = (f"person{number}" for number in itertools.count())
"""A name for each user, as none may be twice in a place."""


def lucias_cookie(session_id: str) -> dict[str, str]:
    return {"cookie": f"auth_session={session_id}"}


def cookies_of(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return what each Set-Cookie header says, by the cookie's name."""
    sent = [value.partition("=") for name, value in headers if name == "set-cookie"]
    return {name: rest for name, _, rest in sent}


def attributes_of(header: str) -> set[str]:
    """Return a cookie's attributes but its age, which each of the two writes in its own way."""
    parts = {part.strip().lower() for part in header.split(";")[1:]}
    return {part for part in parts if not part.startswith(("expires=", "max-age="))}


def credentials(username: str, password: str = PASSWORD) -> dict[str, str]:
    return {"username": username, "password": password}


async def signed_in(place: Place, path: str, username: str, password: str = PASSWORD) -> Client:
    browser = place.browser()
    answer = await browser.post(f"{path}/sign-in", json=credentials(username, password))
    assert answer.status == 200, answer.body
    return browser
