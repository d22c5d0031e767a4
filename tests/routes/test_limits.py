"""Who signs in too often from one address is told so, where the limiter of wrangler.toml is bound."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import app
from framework.local.environment import close_environment, make_environment
from framework.local.mail import EMAIL, ConsoleMail
from framework.local.rate_limit import LocalRateLimiter
from framework.response import Response
from framework.testing import Client, json_of

ROOT = Path(__file__).parents[2]
CONFIGURATION = tomllib.loads((ROOT / "wrangler.toml").read_text("utf-8"))
LIMITERS = [each["name"] for each in CONFIGURATION["ratelimits"]]
ASKING = {
    "/sign-up": {"username": "grace", "password": "correct horse"},
    "/sign-in": {"username": "ada", "password": "correct horse"},
    "/password-reset": {"account": "ada"},
}
SIGN_INS_OF_THE_SUITE = 300
"""As many as `tests/e2e` makes from one address, in less than a minute, and some more."""


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The bindings that `kagari dev` makes of this repository."""
    env, _ = make_environment(ROOT, tmp_path / "dev.sqlite3")
    env[EMAIL] = ConsoleMail()
    yield env
    close_environment(env)


async def ask(client: Client, path: str) -> Response:
    accept = {"accept": "application/json"}
    return await client.fork().post(path, json=ASKING[path], headers=accept)


@pytest.mark.parametrize("path", ASKING)
async def test_what_wrangler_binds_is_what_the_app_asks(env: dict[str, Any], path: str) -> None:
    client = Client(app, env=env)
    await client.post("/sign-up", json=ASKING["/sign-in"])
    env |= {name: LocalRateLimiter(1, 60) for name in LIMITERS}

    first, second = await ask(client, path), await ask(client, path)

    assert first.status < 500
    assert first.status != 429
    assert (second.status, json_of(second)["code"]) == (429, "too-many-requests")
    assert second.header("retry-after") == "60"


@pytest.mark.parametrize("path", ASKING)
async def test_without_the_binding_it_works_as_before(env: dict[str, Any], path: str) -> None:
    client = Client(app, env=env)
    await client.post("/sign-up", json=ASKING["/sign-in"])
    for name in LIMITERS:
        del env[name]

    statuses = {(await ask(client, path)).status for _ in range(3)}

    assert statuses <= {200, 201, 202, 204, 409}


def test_the_limit_is_one_that_wrangler_takes_and_the_suite_keeps() -> None:
    [limiter] = CONFIGURATION["ratelimits"]

    assert limiter.keys() == {"name", "namespace_id", "simple"}
    assert limiter["simple"].keys() == {"limit", "period"}
    assert limiter["simple"]["period"] in {10, 60}
    assert limiter["simple"]["limit"] * 60 / limiter["simple"]["period"] > 2 * SIGN_INS_OF_THE_SUITE
    assert isinstance(limiter["namespace_id"], str)
    assert LIMITERS == ["SIGN_IN_LIMITER"]
