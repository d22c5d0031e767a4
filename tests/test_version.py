"""The version stands in one place, and the licence goes along with it."""

import tomllib
from pathlib import Path

import pytest

import framework
from framework.cli import main

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_command_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])

    assert left.value.code == 0
    assert capsys.readouterr().out == f"kagari {framework.__version__}\n"


def test_the_package_has_its_version_from_the_framework() -> None:
    assert SETTINGS["project"]["dynamic"] == ["version"]
    assert "version" not in SETTINGS["project"]
    assert SETTINGS["tool"]["setuptools"]["dynamic"] == {
        "version": {"attr": "framework.__version__"}
    }


def test_the_licence_is_there_and_is_the_one_that_is_named() -> None:
    files = SETTINGS["project"]["license-files"]

    assert SETTINGS["project"]["license"] == "MIT"
    assert [(ROOT / name).read_text("utf-8").partition("\n")[0] for name in files] == [
        "MIT License"
    ]
