"""A world for each test."""

from collections.abc import Iterator

import pytest

from tests.auth.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """An application with nothing but sign-in."""
    world = World()
    yield world
    world.close()
