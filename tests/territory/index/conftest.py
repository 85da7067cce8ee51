"""The first question of all waits for the compiler; no test of a law should."""

import pytest

from gis.territory.index import memory


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    memory.warm()
