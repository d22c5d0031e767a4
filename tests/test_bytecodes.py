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
from framework.shared_headers import SharedHeaders

PINNED: dict[tuple[int, int], dict[str, int]] = {
    (3, 11): {
        "plaintext": 362,
        "json_param": 440,
        "post_model": 792,
        "mw5": 554,
        "mw5_header": 784,
        "mw5_highlevel": 784,
        "auth": 636,
        "t400_first": 362,
        "t400_mid": 412,
        "t400_last": 465,
        "t400_miss": 497,
        "miss404": 535,
        "miss405": 589,
    },
    (3, 13): {
        "plaintext": 326,
        "json_param": 397,
        "post_model": 709,
        "mw5": 501,
        "mw5_header": 701,
        "mw5_highlevel": 701,
        "auth": 578,
        "t400_first": 326,
        "t400_mid": 372,
        "t400_last": 424,
        "t400_miss": 447,
        "miss404": 479,
        "miss405": 527,
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
    SharedHeaders.made = 0
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
