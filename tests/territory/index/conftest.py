"""The first question of all waits for the compiler; no test of a law should."""

import pytest
from hypothesis import settings

from gis.territory.index import memory

# No test of ours judges by the clock.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    memory.warm()
