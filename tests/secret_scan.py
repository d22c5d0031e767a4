"""Looks for every secret that a test issued in all that was logged, raised or answered meanwhile."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from framework.database import DatabaseError, ParameterError
from framework.errors import ConfigurationError, HTTPError
from framework.response import Response

__all__ = ["assert_answer_shows_none", "nothing_shown"]

SECRET: Final = re.compile(
    r"(?<![a-z0-9])[a-z2-7]{40}(?![a-z0-9])"  # a token: of a session, a browser, a link
    r"|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"  # what is stored of one
    r"|(?<![0-9a-z.])[0-9]{8}(?![0-9a-z])"  # a code
    r"|\$argon2|s2:[A-Za-z0-9]{16}"  # what is stored of a password
    r"|correct horse|battery staple|wrong horse"
)
"""By their shape: whatever is issued has one, and nothing else that is shown."""

_OURS: Final = (HTTPError, DatabaseError, ParameterError, ConfigurationError)
"""Where the errors that we make begin. What others make is logged, with what it says."""


@contextmanager
def nothing_shown(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look, at the end, at every line that was logged and every error that was made."""
    made: list[Exception] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in (None, "kagari"):  # whatever a test that started a server has left there
            caplog.set_level(logging.DEBUG, name)
        patch.setattr(logging.getLogger("kagari"), "propagate", True)
        for kind in _OURS:
            patch.setattr(kind, "__init__", _remembering(kind.__init__, made))
        yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            shown = logging.Formatter().format(record)
            assert not SECRET.search(shown), "a secret was logged"
    for error in made:
        shown = f"{error} {error!r} {error.args!r} {vars(error)!r}"
        assert not SECRET.search(shown), f"a secret is in a {type(error).__name__}"


def _remembering(make: Any, made: list[Exception]) -> Any:
    def remember(self: Exception, *values: Any, **named: Any) -> None:
        make(self, *values, **named)
        made.append(self)

    return remember


def assert_answer_shows_none(answer: Response) -> None:
    """Look at all of *answer* but the cookies it sets."""
    headers = [pair for pair in answer.headers if pair[0] != "set-cookie"]
    shown = f"{answer.body!r} {headers}"
    assert not SECRET.search(shown), "a secret was answered"
