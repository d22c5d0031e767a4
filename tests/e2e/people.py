"""People who have an account at the server under test, each with a browser."""

import secrets
from dataclasses import dataclass

from framework.response import Response
from framework.testing import Client, json_of
from tests.e2e.canary import Canary

__all__ = ["Person", "new_username", "sign_up"]


def new_username() -> str:
    """Return a username that nobody has."""
    return f"e2e-{secrets.token_hex(8)}"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account, signed in with *browser*."""

    browser: Client
    username: str
    password: str
    id: str

    async def sign_in(self, browser: Client) -> Response:
        """Sign in with another *browser*, and return what the server answered."""
        return await browser.post(
            "/sign-in", json={"username": self.username, "password": self.password}
        )

    def __repr__(self) -> str:
        return f"<Person {self.username}>"


async def sign_up(browser: Client, canary: Canary) -> Person:
    """Return somebody new, signed in with *browser*."""
    username, password = new_username(), canary.new_password()
    answer = await browser.post("/sign-up", json={"username": username, "password": password})
    assert answer.status == 201, answer.body
    user = json_of(answer)["user"]
    return Person(browser=browser, username=username, password=password, id=user["id"])
