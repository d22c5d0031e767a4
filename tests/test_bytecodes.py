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
        "plaintext": 337,
        "json_param": 415,
        "post_model": 839,
        "mw5": 529,
        "mw5_header": 759,
        "mw5_highlevel": 759,
        "auth": 631,
        "t400_first": 337,
        "t400_mid": 387,
        "t400_last": 440,
        "t400_miss": 473,
        "miss404": 511,
        "miss405": 565,
    },
    (3, 13): {
        "plaintext": 302,
        "json_param": 373,
        "post_model": 752,
        "mw5": 477,
        "mw5_header": 677,
        "mw5_highlevel": 677,
        "auth": 572,
        "t400_first": 302,
        "t400_mid": 348,
        "t400_last": 400,
        "t400_miss": 427,
        "miss404": 459,
        "miss405": 506,
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
