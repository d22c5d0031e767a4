"""The people who use the site."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.browser.browser import Browser
from tests.e2e.people import new_username, sign_up
from tests.e2e.service import Service

__all__ = ["Account", "new_account", "sign_up_aside", "sql"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """What somebody signs up and in with."""

    username: str
    password: str = field(repr=False)

    @property
    def fields(self) -> dict[str, str]:
        """What they type, by label."""
        return {"Username": self.username, "Password": self.password}

    def sign_up(self, browser: Browser) -> None:
        """Make the account, from the home page."""
        browser.open("/")
        browser.submit("Sign up", self.fields)

    def sign_in(self, browser: Browser) -> None:
        """Sign in, from the home page."""
        browser.open("/")
        browser.submit("Sign in", self.fields)


def new_account(service: Service) -> Account:
    """Return what nobody has signed up with; the password must not turn up in a log of *service*."""
    return Account(username=new_username(), password=service.canary.new_password())


def sign_up_aside(browser: Browser, service: Service) -> Account:
    """Make an account without the browser, which is quicker, and hand *browser* the cookies."""
    agent = browser.session.script("return navigator.userAgent")
    person = asyncio.run(sign_up(service.browser(user_agent=agent), service.canary))
    for name, value in person.browser.cookies.items():
        browser.session.devtools(
            "Network.setCookie",
            name=name,
            value=value,
            url=browser.url,
            httpOnly=True,
            sameSite="Lax",
        )
    browser.open("/")
    return Account(username=person.username, password=person.password)


def sql(service: Service, statement: str, *parameters: str | int | None) -> list[dict[str, Any]]:
    """Run *statement* on the database of *service*, behind its back."""
    assert service.backdoor is not None
    return asyncio.run(service.backdoor.sql(statement, *parameters))
