"""Which units cover a point: as GEOS says, on every vertex and edge and one ulp beside, on any ground."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given

from gis.territory import index
from gis.territory.index.memory import over
from tests.territory.index.grounds import Ground, grounds, spots

TRIED = np.random.default_rng(7).random((60, 2)) * 1.2 - 0.1


def pairs(point: index.Ints, row: index.Rows) -> list[tuple[int, int]]:
    return list(zip(point.tolist(), row.tolist(), strict=True))


def expected(ground: Ground, lon: index.Floats, lat: index.Floats) -> list[tuple[int, int]]:
    hit = np.array([shapely.intersects_xy(unit, lon, lat) for unit in ground])
    return [(int(point), int(row)) for point, row in np.argwhere(hit.T)]


@given(ground=grounds())
def test_a_point_is_covered_by_the_units_that_cover_it(ground: Ground) -> None:
    if ground:
        lon, lat = spots(ground, TRIED)
        assert pairs(*over(ground).covering(lon, lat)) == expected(ground, lon, lat)


@given(ground=grounds())
def test_one_point_alone_has_the_unit_it_has_among_others(ground: Ground) -> None:
    if ground:
        lon, lat = spots(ground, TRIED)
        level = over(ground)
        alone = [level.one(*point) for point in zip(lon.tolist(), lat.tolist(), strict=True)]
        assert alone == level.only(lon, lat).tolist()
