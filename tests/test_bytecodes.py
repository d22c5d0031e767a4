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
        "plaintext": 533,
        "json_param": 643,
        "post_model": 1138,
        "mw5": 687,
        "mw5_header": 1856,
        "mw5_highlevel": 1856,
        "auth": 1032,
        "t400_first": 533,
        "t400_mid": 580,
        "t400_last": 755,
        "t400_miss": 1131,
        "miss404": 1109,
        "miss405": 1180,
    },
    (3, 12): {
        "plaintext": 490,
        "json_param": 591,
        "post_model": 1017,
        "mw5": 634,
        "mw5_header": 1722,
        "mw5_highlevel": 1723,
        "auth": 947,
        "t400_first": 490,
        "t400_mid": 535,
        "t400_last": 691,
        "t400_miss": 1030,
        "miss404": 1018,
        "miss405": 1088,
    },
    (3, 13): {
        "plaintext": 472,
        "json_param": 579,
        "post_model": 1009,
        "mw5": 616,
        "mw5_header": 1659,
        "mw5_highlevel": 1659,
        "auth": 934,
        "t400_first": 472,
        "t400_mid": 515,
        "t400_last": 668,
        "t400_miss": 1014,
        "miss404": 1000,
        "miss405": 1061,
    },
}

TOLERANCE = 0.02
"""Of the count, either way: better is a change too, and is pinned as the new limit."""

LEEWAY = 1.15
"""How much more another Python may count than the most of those pinned: versions differ so much."""


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    # What the edge remembers is bounded, and tests before this one have filled it.
    edge._known_headers.clear()
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
