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
        "json_param": 630,
        "post_model": 1021,
        "mw5": 714,
        "mw5_header": 1449,
        "mw5_highlevel": 1449,
        "auth": 919,
        "t400_first": 533,
        "t400_mid": 588,
        "t400_last": 711,
        "t400_miss": 1000,
        "miss404": 1024,
        "miss405": 1076,
    },
    (3, 13): {
        "plaintext": 477,
        "json_param": 565,
        "post_model": 903,
        "mw5": 648,
        "mw5_header": 1277,
        "mw5_highlevel": 1277,
        "auth": 823,
        "t400_first": 477,
        "t400_mid": 526,
        "t400_last": 639,
        "t400_miss": 898,
        "miss404": 923,
        "miss405": 967,
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
