"""Codes and links are written to the tables that ship: another kind of store cannot go with them."""

from typing import Any

import pytest

from framework import ConfigurationError
from framework.auth import Auth, Session, User
from framework.auth.store import Store
from tests.auth.recovering import Mailbox


class Discreet(Store[User]):
    """A store of the tables that ship."""


def elsewhere(user: type[Any], session: type[Session]) -> Any:
    """Return what might be a store of other tables."""
    return Store(user, session)


def test_mails_go_with_the_tables_that_ship() -> None:
    Auth(mailer=Mailbox(), store=Discreet)
    Auth(store=elsewhere)

    with pytest.raises(ConfigurationError, match="mailer= writes to the tables"):
        Auth(mailer=Mailbox(), store=elsewhere)
