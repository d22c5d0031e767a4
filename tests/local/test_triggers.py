"""A cron or a queue that only the app or only wrangler.toml knows of keeps the app from being deployed."""

import shutil
from pathlib import Path

import pytest

import framework
from framework.local.stage import StageError, stage
from framework.local.triggers import mismatches

BOTH = """
[triggers]
crons = ["17 3 * * *"]
[[queues.consumers]]
queue = "mails"
"""
STAGING = '[env.staging.triggers]\ncrons = ["17 3 * * *"]\n[[env.staging.queues.consumers]]\nqueue = "mails"'


@pytest.mark.parametrize(
    ("text", "crons", "queues", "said"),
    [
        (BOTH, ["17 3 * * *"], ["mails"], []),
        (STAGING, ["17 3 * * *"], ["mails"], []),
        ("", [], [], []),
        ("", ["0 0 * * *"], [], ["never runs"]),
        ("", [], ["mails"], ["gets nothing"]),
        (BOTH, [], ["mails"], ["no function runs at it"]),
        (BOTH, ["17 3 * * *"], [], ["no function does"]),
        (
            BOTH,
            ["17 4 * * *"],
            ["mail"],
            ["never runs", "runs at it", "gets nothing", "no function does"],
        ),
    ],
)
def test_what_is_missing_on_a_side(
    tmp_path: Path, text: str, crons: list[str], queues: list[str], said: list[str]
) -> None:
    file = tmp_path / "wrangler.toml"
    file.write_text(text, "utf-8")

    found = list(mismatches(file, crons, queues))

    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


def test_without_the_file_nothing_is_compared(tmp_path: Path) -> None:
    assert list(mismatches(tmp_path / "wrangler.toml", ["0 0 * * *"], [])) == []


ROOT = Path(framework.__file__).parents[1]
APP = """
from framework import App

app = App()

@app.cron("17 3 * * *")
async def purge(job): ...
"""


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        ('[triggers]\ncrons = ["17 3 * * *"]\n', ""),
        ('[triggers]\ncrons = ["17 4 * * *"]\n', "@app.cron('17 3 * * *') never runs"),
    ],
)
def test_an_app_with_idle_triggers_is_not_staged(
    tmp_path: Path, configuration: str, problem: str
) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "__init__.py").touch()
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "wrangler.toml").write_text(configuration)

    if not problem:
        assert "app.py" in stage(tmp_path).files
        return
    with pytest.raises(StageError) as caught:
        stage(tmp_path)
    assert problem in str(caught.value)
