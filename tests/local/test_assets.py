"""Where Cloudflare's static assets answer in place of the app, the build says which routes they hide."""

import shutil
import tomllib
from pathlib import Path

import pytest

import framework
from framework import App, public
from framework.cli import main
from framework.local.assets import find_hidden

PAGE = '[assets]\ndirectory = "dist"\nnot_found_handling = "single-page-application"\n'
NAVIGATED = (
    "wrangler.toml: [assets] answers in place of the app what a browser opens by a link, a redirect or a"
    " form, {}"
)
UNMATCHED = (
    "wrangler.toml: [assets] answers in place of the app what run_worker_first does not match, {}"
)


def make_app(*paths: str, method: str = "GET") -> App:
    app = App()

    @app.on(method, *paths, guard=public)
    async def answer() -> str:
        return ""

    return app


def said_of(settings: str, *paths: str, method: str = "GET") -> list[str]:
    return find_hidden(make_app(*paths, method=method), Path("nowhere"), tomllib.loads(settings))


@pytest.mark.parametrize(
    ("paths", "shown", "rules"),
    [
        (["/api/me"], "GET /api/me", '["/api/*"]'),
        (["/api", "/api/:id", "/oauth"], "GET /api and 2 more", '["/api", "/api/*", "/oauth"]'),
        (["/"], "GET /", '["/"]'),
        (["/notes/:page?"], "GET /notes/:page?", '["/notes", "/notes/*"]'),
        (["/files/:file{.+}"], "GET /files/:file{.+}", '["/files/*"]'),
        (["/api/me", "/*"], "GET /api/me", '["/api/*"]'),
    ],
)
def test_what_a_browser_navigates_to_is_the_page(paths: list[str], shown: str, rules: str) -> None:
    said = said_of(PAGE, *paths)

    assert said == [NAVIGATED.format(f"{shown}: write run_worker_first = {rules}")]


@pytest.mark.parametrize(
    ("rules", "path", "remedy"),
    [
        ('["/api/*"]', "/health", '["/api/*", "/health"]'),
        ('["/api/*"]', "/api", '["/api/*", "/api"]'),
        ('["/api/*"]', "/apis/:id", '["/api/*", "/apis/*"]'),
        ('["/x", "/api/v1/*", "/api/me"]', "/api/health", '["/x", "/api/*"]'),
        ('["/health"]', "/healthy", '["/health", "/healthy"]'),
    ],
)
def test_what_a_list_does_not_match_is_the_page(rules: str, path: str, remedy: str) -> None:
    said = said_of(f"{PAGE}run_worker_first = {rules}", path)

    assert said == [UNMATCHED.format(f"GET {path}: write run_worker_first = {remedy}")]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ("", "/api/me"),
        ("assets = 'dist'", "/api/me"),
        ("[assets]\ndirectory = 'dist'", "/api/me"),
        (PAGE.replace("single-page-application", "none"), "/api/me"),
        (f"{PAGE}run_worker_first = true", "/api/me"),
        (f"compatibility_flags = ['assets_navigation_has_no_effect']\n{PAGE}", "/api/me"),
        (f"{PAGE}run_worker_first = ['/api/*']", "/api/me"),
        (f"{PAGE}run_worker_first = ['/api/*']", "/api/:id"),
        (f"{PAGE}run_worker_first = ['/api/*', '!/api/docs']", "/api/:id"),
        (f"{PAGE}run_worker_first = ['/api/*', '!/api/docs/*']", "/api/docs/:page"),
        (f"{PAGE}run_worker_first = ['/api*']", "/api"),
        (f"{PAGE}run_worker_first = ['/*/api']", "/v1/api"),
        (f"{PAGE}run_worker_first = ['/notes/a*']", "/notes/:id"),
        (f"{PAGE}run_worker_first = ['/api/*']", "/*"),
        (f"{PAGE}run_worker_first = ['/api/*']", "/:page"),
        (PAGE, "/café"),
        ("[assets]\ndirectory = 5", "/api/me"),
    ],
)
def test_of_what_the_worker_is_asked_nothing_is_said(settings: str, path: str) -> None:
    assert said_of(settings, path) == []


def test_flags_of_another_shape_are_wranglers_to_refuse() -> None:
    assert said_of(f"compatibility_flags = 5\n{PAGE}", "/api/me") != []


@pytest.mark.parametrize("value", ["[]", "3", "true"])
def test_values_of_another_shape_are_wranglers_to_refuse(value: str) -> None:
    assert said_of(f'[assets]\ndirectory = "dist"\nnot_found_handling = {value}\n', "/a") == []


def test_a_path_that_no_file_can_have_has_none(tmp_path: Path) -> None:
    app = make_app(f"/{'a' * 300}")

    assert find_hidden(app, tmp_path, {"assets": {"directory": "."}}) == []


def test_a_script_alone_sends_other_methods_and_its_requests_reach_the_worker() -> None:
    assert said_of(PAGE, "/api/me", method="PUT") == []
    assert said_of(PAGE, "/sign-in", method="POST") != []
    assert said_of(f"{PAGE}run_worker_first = ['/api/*']", "/me", method="PUT") != []


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/feed.xml", "feed.xml"),
        ("/admin", "admin/index.html"),
        ("/about", "about.html"),
    ],
)
def test_a_file_answers_before_the_guard(tmp_path: Path, path: str, file: str) -> None:
    (tmp_path / "dist/admin").mkdir(parents=True)
    settings = tomllib.loads("[assets]\ndirectory = 'dist'")
    first = tomllib.loads(f"[assets]\ndirectory = 'dist'\nrun_worker_first = ['{path}']")
    app = make_app(path)
    assert find_hidden(app, tmp_path, settings) == []

    (tmp_path / "dist" / file).touch()

    said = f"[assets] answers in place of the app what it has a file of, GET {path}: write"
    assert find_hidden(app, tmp_path, settings) == [
        f'wrangler.toml: {said} run_worker_first = ["{path}"]'
    ]
    assert find_hidden(app, tmp_path, first) == []
    assert find_hidden(make_app(path, method="PUT"), tmp_path, settings) != []


def test_a_page_is_found_by_its_whole_name_alone_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/about.html").touch()
    settings = tomllib.loads("[assets]\ndirectory = 'dist'\nhtml_handling = 'none'")

    assert find_hidden(make_app("/about"), tmp_path, settings) == []
    assert find_hidden(make_app("/about.html"), tmp_path, settings) != []


def test_an_environment_has_the_assets_of_the_top_level_or_its_own() -> None:
    own = PAGE.replace("[assets]", "[env.staging.assets]")

    assert len(said_of(f"{PAGE}[env.live]", "/api/me")) == 1
    [said] = said_of(f"[env.live]\n{own}", "/api/me")
    assert said.startswith("wrangler.toml: env.staging: [assets] answers")


def test_the_build_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(framework.__file__).parent, tmp_path / "framework", ignore=left_out)
    (tmp_path / "wrangler.toml").write_text(PAGE)
    (tmp_path / "app.py").write_text(
        "from framework import App, public\napp = App()\n"
        '@app.get("/health", guard=public)\nasync def health() -> str:\n    return "up"\n'
    )
    monkeypatch.chdir(tmp_path)

    assert main(["build"]) == 0

    said = NAVIGATED.format('GET /health: write run_worker_first = ["/health"]')
    assert capsys.readouterr().out.splitlines()[1:] == [said]
