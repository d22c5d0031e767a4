"""Measures what one Argon2id hash costs on this machine. Knows nothing of users and of stored hashes."""

from statistics import median
from time import process_time
from typing import NamedTuple

from argon2.low_level import Type, hash_secret_raw

from framework.auth.passwords import MEMORY_KIB, PARALLELISM, TIME_COST

__all__ = ["KAGARI_PARAMETERS", "OWASP_PARAMETERS", "Parameters", "cost_lines", "hash_milliseconds"]

WORKER_MILLISECONDS = (30, 50)
"""What a hash with Kagari's parameters takes in the Worker; docs/performance.md has the figures."""


class Parameters(NamedTuple):
    """What Argon2id is asked for: memory in KiB, passes over it, lanes."""

    memory_kib: int
    passes: int
    lanes: int = 1

    def __str__(self) -> str:
        return f"m={self.memory_kib} t={self.passes} p={self.lanes}"


KAGARI_PARAMETERS = Parameters(MEMORY_KIB, TIME_COST, PARALLELISM)
"""What passwords are hashed with unless an app brings a hasher of its own."""

OWASP_PARAMETERS = tuple(
    Parameters(*values)
    for values in ((47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5))
)
"""The sets that OWASP's Password Storage Cheat Sheet lists, which it holds equally good."""


def hash_milliseconds(parameters: Parameters, rounds: int) -> float:
    """Return the median CPU time of *rounds* hashes with *parameters*, after one that warms up."""
    took = []
    for _ in range(rounds + 1):
        started = process_time()
        hash_secret_raw(
            b"correct horse battery",
            b"a salt of 16 b. ",
            time_cost=parameters.passes,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.lanes,
            hash_len=32,
            type=Type.ID,
        )
        took.append((process_time() - started) * 1000)
    return median(took[1:])


def cost_lines(rounds: int) -> list[str]:
    """Return the measured costs as a table, and what they say of the Worker."""
    listed = dict.fromkeys([*OWASP_PARAMETERS, KAGARI_PARAMETERS])
    took = {parameters: hash_milliseconds(parameters, rounds) for parameters in listed}
    low, high = (bound / took[KAGARI_PARAMETERS] for bound in WORKER_MILLISECONDS)
    return [
        f"{'ARGON2ID':<18} {'MEMORY':>9}  {'CPU TIME':>9}",
        *(
            f"{parameters!s:<18} {parameters.memory_kib / 1024:>5.1f} MiB  {milliseconds:>6.1f} ms"
            f"{'  Kagari' * (parameters == KAGARI_PARAMETERS)}"
            for parameters, milliseconds in took.items()
        ),
        "",
        f"Medians of {rounds}, on this machine. OWASP holds its five sets equally good: less memory,",
        "more time. Kagari's takes {} to {} ms in the Worker, {:.1f} to {:.1f} times as long as".format(
            *WORKER_MILLISECONDS, low, high
        ),
        "here. That is more than the 10 ms a request may take on the free plan. An isolate has 128 MB,",
        "which all requests that hash at a time share. Signing up, signing in and changing the",
        "password hash; a request with a session does not.",
    ]
