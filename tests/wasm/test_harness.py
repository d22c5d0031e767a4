"""npm's Pyodide in workerd is what workerd would start. Says nothing of the framework."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret_raw

from tests.startup_cases import ADVANCES, ALLOWED, CLOCKS, REFUSED

from .launcher import RunningWorker, WorkerFailed, serve

PROBE = Path(__file__).with_name("probe")


@pytest.fixture(scope="module")
def worker() -> Iterator[RunningWorker]:
    with serve(PROBE, schema=PROBE / "schema.sql") as running:
        yield running


def get(worker: RunningWorker, path: str) -> str:
    with urlopen(worker.url + path) as response:
        body: bytes = response.read()
    return body.decode()


def raw(
    worker: RunningWorker, method: str, path: str, *, headers: tuple[tuple[str, str], ...] = ()
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    try:
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


def test_chance_is_refused_while_the_worker_is_imported(worker: RunningWorker) -> None:
    answers = json.loads(get(worker, "/chances"))["import"]

    reasons = "Randomness is not allowed", "outside of request context", "within global scope"
    assert {name for name, text in answers.items() if not any(r in text for r in reasons)} == set()


def test_chance_is_allowed_in_a_request(worker: RunningWorker) -> None:
    answers = json.loads(get(worker, "/chances"))["request"]

    assert {name for name, text in answers.items() if not text.startswith("allowed")} == set()


def test_the_clock_stands_still_while_the_worker_is_imported(worker: RunningWorker) -> None:
    assert json.loads(get(worker, "/chances"))["time"] == 0


WORKER = "from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint): ..."


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os; os.urandom(8)", "Randomness is not allowed while a Worker is starting"),
        (f"{WORKER}\n{ADVANCES}", "random seed in bad state"),
        ("x =", "SyntaxError"),
        ("", 'no WorkerEntrypoint class that is named "Default"'),
        ("from workers import WorkerEntrypoint as E\nclass Other(E): ...", "found: Other"),
    ],
    ids=["urandom", "drawn unseen", "broken", "no class", "another name"],
)
def test_a_worker_that_may_not_start_does_not(tmp_path: Path, source: str, reason: str) -> None:
    (tmp_path / "worker.py").write_text(source)

    with pytest.raises(WorkerFailed, match=reason), serve(tmp_path):
        pass


STARTING = """
from workers import WorkerEntrypoint
import js, json

def attempt(source):
    try:
        exec(source, {"__name__": "tried"})
    except Exception as refused:
        return f"{type(refused).__name__}: {refused}"
    return "allowed"

OUTCOMES = {source: attempt(source) for source in SOURCES}

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return js.Response.new(json.dumps(OUTCOMES))
"""


def test_what_may_be_done_while_it_starts_is_as_it_is_written_down(tmp_path: Path) -> None:
    sources = [*REFUSED, *ALLOWED, *CLOCKS]
    (tmp_path / "worker.py").write_text(f"SOURCES = {sources!r}\n{STARTING}")

    with serve(tmp_path) as worker:
        outcomes = json.loads(get(worker, "/"))

    refused = {source: outcomes.pop(source) for source in REFUSED}
    assert {source: text.partition(":")[0] for source, text in refused.items()} == REFUSED
    assert set(outcomes.values()) == {"allowed"}


def test_hashes_made_in_the_worker_verify_outside(worker: RunningWorker) -> None:
    stored = get(worker, "/hash?correct%20horse")

    assert PasswordHasher().verify(stored, "correct horse")


def test_hashes_made_outside_verify_in_the_worker(worker: RunningWorker) -> None:
    stored = PasswordHasher(time_cost=2, memory_cost=512, parallelism=1).hash("battery")

    assert get(worker, f"/verify?{quote(f'{stored} battery')}") == "True"
    assert "does not match" in get(worker, f"/verify?{quote(f'{stored} staple')}")


def test_raw_hashes_are_the_same_bytes(worker: RunningWorker) -> None:
    here = hash_secret_raw("pässword".encode(), b"saltsalt", 1, 64, 1, 16, Type.ID)

    assert get(worker, f"/raw?{quote('pässword')}") == here.hex()


def test_the_request_is_what_workerd_would_hand_over(worker: RunningWorker) -> None:
    headers = (
        ("Cookie", "a=1"),
        ("Cookie", "b=2"),
        ("X-Forwarded-Proto", "https"),
        ("CF-Connecting-IP", "203.0.113.7"),
    )

    _, _, body = raw(worker, "PATCH", "/request?q=%20", headers=headers)

    request = json.loads(body)
    assert request["method"] == "PATCH"
    host = urlsplit(worker.url).netloc
    assert request["url"] == f"https://{host}/request?q=%20"
    assert request["country"] == "US"
    assert request["headers"]["cookie"] == "a=1, b=2"
    assert request["headers"]["host"] == host
    assert request["headers"]["cf-connecting-ip"] == "203.0.113.7"


def test_a_path_with_two_slashes_names_no_host(worker: RunningWorker) -> None:
    status, _, body = raw(worker, "GET", "//request/../request")

    assert (status, json.loads(body)["url"]) == (200, f"{worker.url}//request")


def test_cookies_stay_apart(worker: RunningWorker) -> None:
    _, headers, _ = raw(worker, "GET", "/cookies")

    cookies = [value for name, value in headers if name.lower() == "set-cookie"]
    assert cookies == ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]


@pytest.mark.parametrize(("size", "status"), [(300_000, 200), (30_000_000, 413)])
def test_a_body_arrives_piece_by_piece(worker: RunningWorker, size: int, status: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    pieces = (b"x" * 100_000 for _ in range(size // 100_000))
    with suppress(BrokenPipeError, ConnectionResetError):  # it may be refused before all is sent
        connection.request("POST", "/upload?1000000", body=pieces, encode_chunked=True)
    response = connection.getresponse()
    read = int(response.read())
    connection.close()

    assert response.status == status
    assert read == size if status == 200 else read < 2_000_000


@pytest.mark.parametrize("status", [204, 205, 304])
def test_some_answers_have_no_body(worker: RunningWorker, status: int) -> None:
    answered, headers, body = raw(worker, "GET", f"/status?{status}")

    assert (answered, body) == (status, b"")
    assert "content-type" not in {name.lower() for name, _ in headers}


def test_a_head_request_gets_no_body(worker: RunningWorker) -> None:
    assert raw(worker, "HEAD", "/sleep?0")[::2] == (200, b"")


def test_requests_are_answered_side_by_side(worker: RunningWorker) -> None:
    started = time.monotonic()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: get(worker, "/sleep?0.4"), range(5)))

    assert answers == ["slept"] * 5
    assert time.monotonic() - started < 1.5


def test_what_waits_until_later_is_done(worker: RunningWorker) -> None:
    get(worker, "/later?done")

    deadline = time.monotonic() + 5
    while not (rows := worker.sql("SELECT note FROM probe WHERE id = 'later'")):
        assert time.monotonic() < deadline
    assert rows == [{"note": "done"}]


def test_the_scheduled_handler_gets_all_three_arguments(worker: RunningWorker) -> None:
    worker.scheduled("*/5 * * * *")

    rows = worker.sql("SELECT note FROM probe WHERE id = ?", "*/5 * * * *")
    assert rows == [{"note": "None None"}]


def test_null_in_a_row_is_none(worker: RunningWorker) -> None:
    assert json.loads(get(worker, "/first?null")) == {"id": "null", "note": None}
    assert get(worker, "/first?absent") == "null"


def test_text_does_not_become_code(worker: RunningWorker) -> None:
    assert "Code generation from strings disallowed" in get(worker, "/eval")


def test_an_exception_is_a_500_and_its_traceback_goes_to_the_log(worker: RunningWorker) -> None:
    status, _, body = raw(worker, "GET", "/fail?on-purpose")

    assert (status, b"ValueError: on-purpose" in body) == (500, True)
    assert worker.logs("raise ValueError(text)")
