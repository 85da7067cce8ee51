"""The first question of all waits for the compiler; no test of a law should."""

import pytest
from hypothesis import settings
from shapely.geometry import box

from gis.territory.index.memory import over

# No test of ours judges by the clock.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    tried = over([box(120, 30, 121, 31), box(121, 30, 122, 31)])
    tried.covering([120.5, 121.0], [30.5, 30.5])
    tried.interior([0], [120.5], [30.5])
    tried.within([120.5], [30.5], 10.0)
    tried.nearest([120.5], [30.5])
    tried.is_near([120.5], [30.5], 10.0)
    tried.shares(tried.geometry([0]))
