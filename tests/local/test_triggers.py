"""A cron or a queue that only the app or only wrangler.toml knows of keeps the app from being deployed."""

import re
import shutil
from pathlib import Path

import pytest

import framework
from framework.local.configuration import read_configuration
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
        ("", [], ["mails"], ['wrangler.toml has no [[queues.consumers]] with queue = "mails"']),
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
    (tmp_path / "wrangler.toml").write_text(text, "utf-8")

    found = list(mismatches(read_configuration(tmp_path) or {}, crons, queues))

    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


ROOT = Path(framework.__file__).parents[1]


def test_what_the_docs_declare_is_triggered_by_what_they_show(tmp_path: Path) -> None:
    text = (ROOT / "docs/routing.md").read_text("utf-8")
    [shown] = re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "wrangler.toml").write_text(shown, "utf-8")
    crons, queues = (
        re.findall(rf'^@app\.{each}\("(.*)"\)$', text, re.M) for each in ("cron", "queue")
    )

    assert (len(crons), len(queues)) == (1, 2)
    assert list(mismatches(read_configuration(tmp_path) or {}, crons, queues)) == []


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
        (None, ""),
        (
            '[triggers]\ncrons = ["17 4 * * *"]\n',
            "the app and wrangler.toml do not name the same crons and queues\n"
            "@app.cron('17 3 * * *') never runs: wrangler.toml does not list it under [triggers]"
            " crons\nwrangler.toml triggers the cron '17 4 * * *', and no function runs at it:"
            " @app.cron('17 4 * * *')",
        ),
    ],
)
def test_an_app_with_idle_triggers_is_not_staged(
    tmp_path: Path, configuration: str | None, problem: str
) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "__init__.py").touch()
    (tmp_path / "app.py").write_text(APP)
    if configuration is not None:
        (tmp_path / "wrangler.toml").write_text(configuration)

    if not problem:
        assert "app.py" in stage(tmp_path).files
        return
    with pytest.raises(StageError) as caught:
        stage(tmp_path)
    assert str(caught.value) == problem
