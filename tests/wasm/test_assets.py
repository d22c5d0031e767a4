"""Which routes the static assets of a Worker hide: what the build says is what the asset worker does."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from framework import App, public
from framework.local.assets import find_hidden
from tests.wasm.launcher import find_node

SCRIPT = Path(__file__).with_name("assets.mjs")
PAGE = {"not_found_handling": "single-page-application"}
PATHS = ["/", "/about", "/admin", "/api", "/api/me", "/api/docs/a", "/feed.xml", "/oauth", "/apis"]
TABLES: list[dict[str, Any]] = [
    {},
    {"html_handling": "none"},
    {"run_worker_first": True},
    {"run_worker_first": ["/about", "/feed*"]},
    PAGE,
    {**PAGE, "run_worker_first": True},
    {**PAGE, "run_worker_first": ["/api/*"]},
    {**PAGE, "run_worker_first": ["/api*", "/"]},
    {"not_found_handling": "404-page"},
    {"not_found_handling": "404-page", "run_worker_first": ["/*/me", "/oauth"]},
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("assets")
    (root / "dist/admin").mkdir(parents=True)
    for name in ("index.html", "about.html", "admin/index.html", "feed.xml", "404.html"):
        (root / "dist" / name).write_text(name)
    return root


@pytest.fixture(scope="module")
def hidden(project: Path) -> list[set[tuple[str, str]]]:
    """The methods and paths that a browser navigates to in vain, for each of the tables."""
    requests = [[method, path, "navigate"] for path in PATHS for method in ("GET", "POST")]
    lines = [json.dumps([table, requests]) for table in TABLES]
    command: list[str | Path] = [find_node(), SCRIPT, project / "dist"]
    done = subprocess.run(
        command, input="\n".join(lines), text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [
        {
            (method, path)
            for (method, path, _), who in zip(requests, json.loads(line), strict=True)
            if who != "app"
        }
        for line in done.stdout.splitlines()
    ]


def said_to_be_hidden(project: Path, table: dict[str, Any]) -> set[tuple[str, str]]:
    found = set()
    for path in PATHS:
        for method in ("GET", "POST"):
            app = App()

            @app.on(method, path, guard=public)
            async def answer() -> str:
                return ""

            if find_hidden(app, project, {"assets": {"directory": "dist", **table}}):
                found.add((method, path))
    return found


@pytest.mark.parametrize("number", range(len(TABLES)), ids=[json.dumps(each) for each in TABLES])
def test_what_the_build_says_is_what_the_asset_worker_does(
    number: int, hidden: list[set[tuple[str, str]]], project: Path
) -> None:
    assert said_to_be_hidden(project, TABLES[number]) == hidden[number]
