"""The made-up city, drawn once for all tests of it."""

import pytest

from gis.demo import city
from gis.demo.city import City


@pytest.fixture(scope="session")
def hechuan() -> City:
    return city.make()
