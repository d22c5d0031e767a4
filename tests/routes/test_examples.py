"""The example in `Client`'s docstring is of this app, and answers as it says."""

import inspect
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from framework.testing import Client


async def test_the_example_of_the_client_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    example = inspect.cleandoc(Client.__doc__ or "").partition("\n\n    ")[2]
    names: dict[str, Any] = {}
    exec(dedent("    " + example), names)

    await names["test_who_signs_up_is_signed_in"]()
