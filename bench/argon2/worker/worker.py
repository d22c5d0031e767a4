"""A Worker that does nothing but hash. Its function is called past HTTP."""

from argon2.low_level import Type, hash_secret_raw
from workers import WorkerEntrypoint


def hash_once(memory: int, time: int) -> None:
    """Hash a password with *memory* KiB and *time* passes."""
    hash_secret_raw(b"correct horse battery", b"sixteen bytes ok", time, memory, 1, 32, Type.ID)


class Default(WorkerEntrypoint):
    """Has to be here."""
