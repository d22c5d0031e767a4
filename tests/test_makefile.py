"""What the targets run, and that each is listed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def make(*arguments: str) -> list[str]:
    """Return the lines that `make` prints when it is called by a person, not by the `make` of these tests."""
    done = subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "MAKE" not in name},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["worker"], "pywrangler dev"),
        (["deploy"], "pywrangler deploy"),
        (["worker", "ARGS=--env staging"], "pywrangler dev --env staging"),
        (["deploy", "ARGS=--env staging"], "pywrangler deploy --env staging"),
        (["database"], "npx wrangler d1 create kagari"),
        (["database", "ARGS=--location weur"], "npx wrangler d1 create kagari --location weur"),
        (["schema"], "npx wrangler d1 execute DB --local --file=schema.sql"),
        (["schema-production"], "npx wrangler d1 execute DB --remote --file=schema.sql"),
        (
            ["schema", "ARGS=--env staging"],
            "npx wrangler d1 execute DB --local --file=schema.sql --env staging",
        ),
        (
            ["schema-production", "ARGS=--env staging"],
            "npx wrangler d1 execute DB --remote --file=schema.sql --env staging",
        ),
        (["wrangler", "ARGS=secret put CODE_SECRET"], "npx wrangler secret put CODE_SECRET"),
        (["wrangler"], "npx wrangler"),
    ],
)
def test_a_target_runs_its_command_with_the_tools_of_the_project(
    arguments: list[str], command: str
) -> None:
    last = make("--dry-run", *arguments)[-1].strip()

    assert last == f'PATH="{ROOT}/.venv/bin:$PATH" .venv/bin/{command}'


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("database", "d1 create shop-production"),
        ("schema", "d1 execute database --local --file=schema.sql"),
        ("schema-production", "d1 execute database --remote --file=schema.sql"),
    ],
)
def test_a_database_is_called_what_wrangler_toml_calls_it(
    tmp_path: Path, target: str, command: str
) -> None:
    (tmp_path / "wrangler.toml").write_text(
        '[[kv_namespaces]]\nbinding = "CACHE"\n\n'
        '[[ d1_databases ]]\nbinding = "database"   # as Lucia has it\n'
        'database_name = "shop-production"\n\n'
        '[[d1_databases]]\nbinding = "ARCHIVE"\ndatabase_name = "archive"\n'
    )
    for name in ("pyproject.toml", "package-lock.json"):
        (tmp_path / name).touch()

    last = make("--dry-run", "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), target)[-2].strip()

    assert last.endswith(f".venv/bin/npx wrangler {command}")


@pytest.mark.parametrize(
    ("files", "checks"),
    [
        ([], ["mypy app.py", 'echo "there is no test yet: put the first one into tests/']),
        (["tests/data.txt"], ["mypy app.py", 'echo "there is no test yet']),
        (["tests/test_notes.py"], ["mypy", ".venv/bin/pytest"]),
        (["tests/routes/test_notes.py"], ["mypy", ".venv/bin/pytest"]),
        (["tests/unit/routes/api/test_notes.py"], ["mypy", ".venv/bin/pytest"]),
    ],
)
def test_a_new_app_is_checked_before_it_has_a_test(
    tmp_path: Path, files: list[str], checks: list[str]
) -> None:
    for name in ("pyproject.toml", "package-lock.json", "app.py", *files):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    lines = make("--dry-run", "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), "test")

    types, tests = checks
    assert f".venv/bin/{types}" in map(str.strip, lines)
    assert [line for line in lines if tests in line]
    assert any("bin/pytest" in line for line in lines) == ("bin/pytest" in tests)


def test_every_target_that_people_call_is_listed() -> None:
    declared = re.findall(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)
    listed = [line.split()[1] for line in make("help")]

    assert [sorted(names.split()) for names in declared] == [sorted(listed)]


@pytest.mark.parametrize("name", ["wrangler.toml", "schema.sql"])
def test_what_has_to_be_typed_is_a_target_of_this_makefile(name: str) -> None:
    named = re.findall(r"`?make ([a-z-]+)", (ROOT / name).read_text("utf-8"))

    assert named
    assert set(named) <= {line.split()[1] for line in make("help")}


@pytest.mark.parametrize(
    ("made_in", "is_kept"), [("", True), ("/elsewhere", False), ("/sub", False)]
)
def test_an_environment_that_was_made_for_another_folder_is_made_anew(
    tmp_path: Path, made_in: str, is_kept: bool
) -> None:
    root = tmp_path / "it's mine"
    (root / ".venv").mkdir(parents=True)
    (root / "Makefile").write_text(MAKEFILE)
    (root / ".venv/pyvenv.cfg").write_text(
        f"command = python3 -m venv --clear {root}{made_in}/.venv\n"
    )
    stamps = [root / ".venv" / name for name in ("made.stamp", "local.stamp", "dev.stamp")]
    for stamp in stamps:
        stamp.touch()

    subprocess.run(["make", "help"], cwd=root, capture_output=True, check=True)

    assert [stamp.exists() for stamp in stamps] == [is_kept] * 3
