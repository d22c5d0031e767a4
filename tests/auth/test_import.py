"""What the Worker refuses while it imports an application is not asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

REFUSE = """
import os, random, secrets, sys, time, uuid

def refuse(*_, **__):
    raise RuntimeError("refused at import")

os.urandom = os.getrandom = refuse
random.SystemRandom.random = random.SystemRandom.getrandbits = refuse
secrets.token_bytes = secrets.token_hex = secrets.token_urlsafe = secrets.choice = refuse
uuid.uuid4 = uuid.uuid1 = refuse
time.time = time.time_ns = refuse
"""


@pytest.mark.parametrize(
    "module",
    [
        "from framework.auth import Auth; auth = Auth(); auth.guard(); auth.recent();"
        " auth.bearer_guard(); auth.users; auth.keys; auth.sessions",
        "import app",
    ],
)
def test_neither_chance_nor_the_clock_is_needed_at_import(module: str) -> None:
    command = [sys.executable, "-B", "-W", "error", "-c", f"{REFUSE}\n{module}"]

    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr


def test_chance_is_asked_of_the_system_in_the_request() -> None:
    program = f"{REFUSE}\nfrom framework.auth import tokens\ntokens.new_token()"
    command = [sys.executable, "-B", "-c", program]

    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "refused at import" in finished.stderr
