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
        "plaintext": 466,
        "json_param": 556,
        "post_model": 986,
        "mw5": 647,
        "mw5_header": 1382,
        "mw5_highlevel": 1382,
        "auth": 766,
        "t400_first": 466,
        "t400_mid": 514,
        "t400_last": 627,
        "t400_miss": 840,
        "miss404": 872,
        "miss405": 953,
    },
    (3, 13): {
        "plaintext": 426,
        "json_param": 509,
        "post_model": 880,
        "mw5": 597,
        "mw5_header": 1226,
        "mw5_highlevel": 1226,
        "auth": 696,
        "t400_first": 426,
        "t400_mid": 470,
        "t400_last": 579,
        "t400_miss": 769,
        "miss404": 799,
        "miss405": 868,
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
