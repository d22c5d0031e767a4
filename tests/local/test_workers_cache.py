"""Where Cloudflare is told to keep answers, the build says which ones it keeps that nobody meant."""

import shutil
import tomllib
from pathlib import Path

import pytest

import framework
from framework import App, Router, guard, public
from framework.cli import main
from framework.local.workers_cache import find_kept
from framework.middleware.cache import cache
from framework.middleware.no_cache import no_cache

ENABLED = "[cache]\nenabled = true\n"
UNSAID = (
    "wrangler.toml: [cache] is enabled for the top level, and what says nothing of caches is kept for two"
    " hours and sent to everybody, also what depends on a cookie: app.use(no_cache()), of"
    " framework.middleware.no_cache, before all other layers"
)
HOSTS = (
    "wrangler.toml: [cache] is enabled for the top level, and tells no hosts apart: what cache(...) allows"
    " is sent to whoever asks for that path, :tenant.example.com among them"
)


@guard
async def anybody() -> None:
    return None


def make_app() -> App:
    app = App()

    @app.get("/", guard=public)
    async def index() -> str:
        return ""

    return app


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        (ENABLED, "the top level"),
        (f"{ENABLED}[env.staging]", "the top level and env.staging"),
        (f"{ENABLED}[env.staging.cache]\nenabled = false", "the top level"),
        (f"[env.staging]\n[env.live.{ENABLED[1:]}", "env.live"),
        ("exports.default = { type = 'worker', cache = { enabled = true } }", "the top level"),
        (f"exports.default = {{ type = 'worker' }}\n{ENABLED}", "the top level"),
    ],
)
def test_it_is_said_where_answers_are_kept(settings: str, places: str) -> None:
    said = find_kept(make_app(), tomllib.loads(settings))

    assert said == [UNSAID.replace("the top level", places)]


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "[cache]\nenabled = false",
        "[cache]\ncross_version_cache = true",
        f"exports.default = {{ type = 'worker', cache = {{ enabled = false }} }}\n{ENABLED}",
        "exports.Admin = { type = 'worker', cache = { enabled = true } }",
        "cache = true",
        "exports = []",
    ],
)
def test_where_none_are_kept_nothing_is_said(settings: str) -> None:
    assert find_kept(make_app(), tomllib.loads(settings)) == []


def test_what_says_how_it_is_kept_is_no_matter() -> None:
    app = make_app()
    app.use(no_cache(), cache(60))

    assert find_kept(app, tomllib.loads(ENABLED)) == []


def test_what_is_guarded_or_changes_something_is_no_matter() -> None:
    app = App()
    app.get("/", guard=anybody)(anybody_may)
    app.post("/", guard=public)(anybody_may)

    assert find_kept(app, tomllib.loads(ENABLED)) == []


async def anybody_may() -> str:
    return ""


@pytest.mark.parametrize("is_on_router", [True, False])
def test_a_host_is_told_from_no_other(is_on_router: bool) -> None:
    app, tenants = App(), Router(host=":tenant.example.com")
    app.use(no_cache())
    tenants.get("/", guard=public)(anybody_may)
    app.mount(tenants)
    assert find_kept(app, tomllib.loads(ENABLED)) == []

    (tenants if is_on_router else app).use(cache(60))

    assert find_kept(app, tomllib.loads(ENABLED)) == [HOSTS]


def test_the_build_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(framework.__file__).parent, tmp_path / "framework", ignore=left_out)
    (tmp_path / "wrangler.toml").write_text(ENABLED)
    app = (
        "from framework import App, public\n{}app = App()\n{}\n"
        '@app.get("/", guard=public)\nasync def index() -> str:\n    return ""\n'
    )
    monkeypatch.chdir(tmp_path)

    (tmp_path / "app.py").write_text(app.format("", ""))
    assert main(["build"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [UNSAID]

    imported = "from framework.middleware.no_cache import no_cache\n"
    (tmp_path / "app.py").write_text(app.format(imported, "app.use(no_cache())"))
    assert main(["build"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == []
