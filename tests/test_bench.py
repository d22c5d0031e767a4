"""What the benchmarks time is what they say: every answer is looked at first."""

import sqlite3
from pathlib import Path

import pytest

from bench.growth import fill, measure, session_id
from bench.router.process import Timer, WrongAnswer
from bench.router.routers import ROUTERS
from bench.router.table import WORKLOADS


async def test_every_look_up_is_timed_in_every_table(tmp_path: Path) -> None:
    took = await measure(tmp_path, [5, 40], rounds=2)

    assert {size: len(samples) for size, samples in took.items()} == {"5": 2, "40": 2}
    assert all(sample > 0 for samples in took.values() for sample in samples)


def test_ids_are_those_that_the_table_holds(tmp_path: Path) -> None:
    fill(tmp_path / "a.sqlite3", 7)

    connection = sqlite3.connect(tmp_path / "a.sqlite3")
    found = [id for (id,) in connection.execute("SELECT id FROM user_session ORDER BY id")]
    connection.close()
    assert found == [session_id(number) for number in range(7)]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_our_router_answers_right_before_it_is_timed(workload: str) -> None:
    assert Timer(ROUTERS["kagari"]).time(40, workload, 0.0001) > 0


def test_a_router_that_answers_wrong_is_not_timed() -> None:
    wrong = ROUTERS["kagari"]._replace(read=lambda _: (1, {"id": "another"}))

    with pytest.raises(WrongAnswer, match="of 40"):
        Timer(wrong).time(40, "mixed", 0.001)
