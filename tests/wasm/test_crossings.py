"""A request crosses into JavaScript as often as it is written here, and leaves nothing behind."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .launcher import find_node
from .prepare import ROOT, prepare

SCRIPT = Path(__file__).with_name("crossings.mjs")
WORKER = Path(__file__).with_name("crossings") / "worker.py"
LOCAL_ONLY = shutil.ignore_patterns("local", "cli.py", "testing.py", "__pycache__")

URL = ["request.url", "request.method"]
QUERY = ["setTimeout()", "clearTimeout()"]
HELD = ["Promise.withResolvers()", "withResolvers.promise", "ctx.waitUntil()"]
"""What lets a request that waits for something come to its end when its client goes."""
SENT = ["withResolvers.resolve()", "new Response()"]
FIRST_QUERY = ["setTimeout()", *HELD, "clearTimeout()"]
ONE_STATEMENT = ["env.DB", "DB.prepare()", "prepare.bind()", "bind.all()", *FIRST_QUERY]
BODY = [
    "request.headers",
    "headers.get(sec-fetch-site)",
    "headers.get(content-type)",
    "headers.get(content-encoding)",
    "headers.get(content-length)",
    "request.body",
]
PIECE = ["answer.value", "answer.done"]
ROOM = ["new Uint8Array()", "JSON.parse()", "getReader.read()"]

ROWS = ["prepare.all()", *FIRST_QUERY, "answer.results", "JSON.stringify()"]

CROSSINGS = {
    "public": ["200", *URL, "new Response()"],
    "guarded": [
        "200",
        *URL,
        "request.headers",
        "headers.get(cookie)",
        *ONE_STATEMENT,
        "JSON.stringify()",
        *SENT,
    ],
    "guarded, nobody signed in": [
        "401",
        *URL,
        "request.headers",
        "headers.get(cookie)",
        *("headers.get(cf-connecting-ip)", "headers.get(cf-ray)"),  # for the security log
        "new Response()",
    ],
    "body": [
        "200",
        *URL,
        *BODY,
        "body.getReader()",
        "getReader.read()",
        *HELD,
        *PIECE,
        *SENT,
    ],
    "long body": [
        "200",
        *URL,
        *BODY,
        "JSON.parse()",
        "body.getReader()",
        *ROOM,
        *HELD,
        *PIECE,
        *ROOM,
        *PIECE,
        *SENT,
    ],
    "rows": [
        "200",
        *URL,
        "env.DB",
        "DB.prepare()",
        *ROWS,
        *SENT,
    ],
    "guarded nearby": [
        "200",
        *URL,
        "request.headers",
        "headers.get(cookie)",
        "env.DB",
        "headers.get(authorization)",
        "DB.withSession()",
        "withSession.prepare()",
        *ONE_STATEMENT[2:],
        "JSON.stringify()",
        *SENT,
    ],
    "rows nearby": [
        "200",
        *URL,
        "env.DB",
        "request.headers",
        "headers.get(cookie)",
        "headers.get(authorization)",
        "DB.withSession()",
        "withSession.prepare()",
        *ROWS,
        *SENT,
    ],
    "rows for who wrote": [
        "200",
        *URL,
        "env.DB",
        "request.headers",
        "headers.get(cookie)",
        "DB.prepare()",
        *ROWS,
        *SENT,
    ],
    "a write": [
        "200",
        *URL,
        "request.headers",
        "headers.get(sec-fetch-site)",
        "headers.get(content-length)",
        "env.DB",
        "DB.prepare()",
        *ROWS,
        "DB.prepare()",
        "prepare.all()",
        *QUERY,
        "answer.meta",
        "meta.changes",
        SENT[0],
        "Object.fromEntries()",  # the cookie is in no shared headers
        "new Response()",
    ],
    "nothing there": ["404", *URL, "new Response()"],
}
"""The status, then all that is read of, called on or made in JavaScript, in order."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Send every request to the Worker, and then thousands, and return what was written down."""
    prepare()
    bundle = tmp_path_factory.mktemp("bundle")
    shutil.copy(WORKER, bundle)
    shutil.copytree(ROOT / "framework", bundle / "framework", ignore=LOCAL_ONLY)
    command = [find_node(), "--experimental-wasm-jspi", "--expose-gc", str(SCRIPT), str(bundle)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr[-4000:]
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


@pytest.mark.parametrize("name", CROSSINGS)
def test_a_request_crosses_no_more_often_than_it_must(name: str, report: Mapping[str, Any]) -> None:
    assert report["crossings"][name] == CROSSINGS[name]


def test_no_request_is_sent_that_is_not_pinned(report: Mapping[str, Any]) -> None:
    assert list(report["crossings"]) == list(CROSSINGS)


@pytest.mark.parametrize("name", ["guarded", "guarded nearby"])
def test_a_guarded_request_makes_one_trip(name: str, report: Mapping[str, Any]) -> None:
    calls = [each for each in report["crossings"][name] if each.endswith((".all()", "batch()"))]

    assert calls == ["bind.all()"]


@pytest.mark.parametrize("name", ["guarded", "guarded nearby"])
def test_thousands_of_guarded_requests_leave_nothing_behind(
    name: str, report: Mapping[str, Any]
) -> None:
    left = report["left"][name]

    assert left["held"] < 20, "objects of JavaScript's that Python holds on to"
    assert left["objects"] < 50, "objects of Python's"
    assert left["bytes"] == 0
