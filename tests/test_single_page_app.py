"""What docs/single-page-app.md has beside Python: its settings hide no route, and its script runs."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from framework.errors import Conflict, HTTPError, Invalid, InvalidField
from framework.local.assets import find_hidden
from framework.middleware.secure_headers import HTML_POLICY
from framework.problem import problem
from tests.test_docs import run_blocks
from tests.wasm.launcher import find_node

PAGE = Path(__file__).parent.parent / "docs" / "single-page-app.md"


def blocks(language: str) -> list[str]:
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.M
    )
    return found


def test_its_settings_hide_no_route_of_its_app() -> None:
    [settings] = blocks("toml")

    assert find_hidden(run_blocks(PAGE)["app"], PAGE.parent, tomllib.loads(settings)) == []


def test_its_headers_have_the_policy_of_the_layer() -> None:
    assert f"  Content-Security-Policy: {HTML_POLICY}\n" in PAGE.read_text()


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            Invalid(
                errors=[
                    InvalidField("Required.", pointer="/steps/0/text"),
                    InvalidField("Odd.", pointer="/a~1b~0c"),
                    InvalidField("Unknown.", pointer=""),
                    InvalidField("Too many.", parameter="query:limit"),
                ]
            ),
            {"steps.0.text": "Required.", "a/b~c": "Odd.", "root": "Too many."},
        ),
        (Conflict("Taken.", code="duplicate-key"), {"username": "Taken."}),
        (HTTPError(500), {"root": "Internal Server Error"}),
    ],
)
def test_its_script_puts_errors_beside_fields(
    error: HTTPError, shown: dict[str, str], tmp_path: Path
) -> None:
    [script] = [block for block in blocks("ts") if "showProblem" in block]
    body: Any = problem(error).body
    call = f"showProblem({body.decode()}, (field, {{ message }}) => (shown[field] = message));"
    show = "console.log(JSON.stringify(shown));"
    (tmp_path / "page.ts").write_text(f"{script}\nconst shown = {{}};\n{call}\n{show}\n")

    done = subprocess.run([find_node(), tmp_path / "page.ts"], text=True, capture_output=True)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == shown
