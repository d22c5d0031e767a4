"""What a request costs in bytecode instructions, pinned: free of noise, so that it cannot creep.

After a change that is meant: ``python -m bench.bytecodes --pins``, on each Python below.
"""

import sys
from collections.abc import Iterator

import pytest

from bench.asgi.serving import Serving
from bench.asgi.workloads import WORKLOADS
from bench.bytecodes import count
from framework.local import asgi as edge

PINNED: dict[tuple[int, int], dict[str, int]] = {
    (3, 11): {
        "plaintext": 450,
        "json_param": 547,
        "post_model": 938,
        "mw5": 631,
        "mw5_header": 1366,
        "mw5_highlevel": 1366,
        "auth": 836,
        "t400_first": 450,
        "t400_mid": 505,
        "t400_last": 628,
        "t400_miss": 843,
        "miss404": 867,
        "miss405": 938,
    },
    (3, 13): {
        "plaintext": 408,
        "json_param": 496,
        "post_model": 834,
        "mw5": 579,
        "mw5_header": 1208,
        "mw5_highlevel": 1208,
        "auth": 754,
        "t400_first": 408,
        "t400_mid": 457,
        "t400_last": 570,
        "t400_miss": 763,
        "miss404": 787,
        "miss405": 848,
    },
}

TOLERANCE = 0.02
"""Of the count, either way: better is a change too, and is pinned as the new limit."""

LEEWAY = 1.15
"""How much more another Python may count than the most of those pinned: versions differ so much."""


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    # What the edge remembers is bounded, and tests before this one have filled it.
    for hosts in edge._known_hosts.values():
        hosts.clear()
    serving = Serving("kagari")
    yield serving
    serving.close()


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_request_runs_as_many_instructions_as_are_pinned(serving: Serving, name: str) -> None:
    cost = count(serving, WORKLOADS[name])

    pinned = PINNED.get(sys.version_info[:2])
    if pinned is None:
        assert cost.instructions <= LEEWAY * max(pins[name] for pins in PINNED.values())
    else:
        assert cost.instructions == pytest.approx(pinned[name], rel=TOLERANCE), cost.functions
