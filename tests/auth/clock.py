"""A clock that stands still until it is moved."""

__all__ = ["START", "Clock"]

START = 1_800_000_000_000
"""When every test begins, in Unix milliseconds."""


class Clock:
    """Returns *now*, in Unix milliseconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now
