"""What an app imports when it starts is known by name, and is little."""

import pytest

from bench.imports import modules_of

PACKAGES = "import msgspec, argon2"

# Of the standard library, beside what msgspec and argon2 bring along. Each is there for a reason:
EXPECTED = {
    "base64",  # tokens, and what a policy says of a style
    "binascii",  # comes with base64
    "hashlib",  # what is stored instead of a token
    "ipaddress",  # limits by network
    "struct",  # comes with base64
    "unicodedata",  # passwords and names that are typed in different ways
}

# In C, and on older Pythons among what msgspec brings along.
SOMETIMES = {"math"}

NEVER = (
    "argparse", "asyncio", "email", "html", "http", "http.client", "json", "logging", "pathlib",
    "random", "secrets", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading",
    "unittest", "urllib.parse", "urllib.request",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return modules_of("import app\napp.app.prepare()")


@pytest.fixture(scope="module")
def extra(loaded: set[str]) -> set[str]:
    return loaded - modules_of(PACKAGES)


def test_the_app_loads_what_is_listed_of_the_standard_library(extra: set[str]) -> None:
    ours = ("app", "framework", "routes")
    others = {name for name in extra if name.partition(".")[0] not in ours}

    assert {name for name in others if not name.startswith("_")} - SOMETIMES == EXPECTED


@pytest.mark.parametrize("name", NEVER)
def test_what_is_heavy_is_not_loaded(extra: set[str], name: str) -> None:
    assert name not in extra


@pytest.mark.parametrize(
    "name",
    [
        "framework.cli",
        "framework.local",
        "framework.middleware.cors",
        "framework.openapi",
        "framework.scrypt",
        "framework.testing",
        "framework.workers",
        "routes.docs_page",
        "routes.docs_parts",
    ],
)
def test_what_the_first_request_may_do_without_is_not_loaded(loaded: set[str], name: str) -> None:
    assert [each for each in loaded if each == name or each.startswith(f"{name}.")] == []
