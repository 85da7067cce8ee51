"""How far are the lines: as measured on every unit's boundary in the tangent plane at the point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from gis.territory import coords, index
from gis.territory.index import memory
from gis.territory.index.memory import over
from tests.territory.index.grounds import Ground, grounds, spots

TRIED = np.random.default_rng(5).random((25, 2)) * 1.6 - 0.3
REACHES_M = st.sampled_from([0.0, 0.5, 20.0, 150.0, 3000.0])


def lines(ground: Ground, lon: float, lat: float) -> list[float]:
    """Measure how far each unit's boundary is."""
    plane = coords.Plane(lon, lat)
    here = shapely.Point(0, 0)
    return [float(plane.to_plane(shapely.boundary(unit)).distance(here)) for unit in ground]


@given(ground=grounds(), reach_m=REACHES_M)
def test_units_within_reach_are_those_and_as_far_as_they_are(ground: Ground, reach_m: float) -> None:
    if not ground:
        return
    lon, lat = (column[::7] for column in spots(ground, TRIED))
    point, row, metres = over(ground).within(lon, lat, reach_m)
    for nth in range(len(lon)):
        covered = [bool(shapely.intersects_xy(unit, lon[nth], lat[nth])) for unit in ground]
        far = np.where(covered, 0.0, lines(ground, lon[nth], lat[nth]))
        found = dict(zip(row[point == nth].tolist(), metres[point == nth].tolist(), strict=True))
        # At the very reach a rounding decides.
        sure = set(np.flatnonzero(covered | (far <= reach_m - 1e-9)))
        assert sure <= set(found) <= set(np.flatnonzero(far <= reach_m + 1e-9))
        assert [found[unit] for unit in sorted(found)] == pytest.approx([far[unit] for unit in sorted(found)], abs=1e-9)


@given(ground=grounds())
def test_the_nearest_boundary_is_as_far_as_the_nearest_of_all(ground: Ground) -> None:
    if not ground:
        return
    lon, lat = (column[::7] for column in spots(ground, TRIED))
    units = over(ground)
    metres, row = units.nearest(lon, lat)
    for nth in range(len(lon)):
        far = lines(ground, lon[nth], lat[nth])
        assert metres[nth] == pytest.approx(min(far), abs=1e-9)
        assert far[row[nth]] == pytest.approx(min(far), abs=1e-9)


@given(ground=grounds(), reach_m=REACHES_M)
def test_near_is_what_the_nearest_boundary_says(ground: Ground, reach_m: float) -> None:
    if ground:
        lon, lat = (column[::7] for column in spots(ground, TRIED))
        units = over(ground)
        metres = units.nearest(lon, lat)[0]
        assert (units.is_near(lon, lat, reach_m) == (metres <= reach_m)).all()


def test_every_point_may_have_its_own_reach() -> None:
    unit = over([box(120, 30, 121, 31)])
    lon, lat, reach_m = [120.001, 120.001, 120.001], [30.5, 30.5, 30.5], [90.0, 100.0, 0.0]
    assert unit.is_near(lon, lat, reach_m).tolist() == [False, True, False]
    assert unit.within(lon, lat, reach_m)[2].tolist() == [0.0, 0.0, 0.0]


def test_a_boundary_far_away_is_found() -> None:
    unit = over([box(120, 30, 120.001, 30.001)])
    metres, row = unit.nearest([100.0], [30.0])
    assert row.tolist() == [0]
    assert metres[0] == pytest.approx(20 * coords.metres_per_degree(30.0)[0], rel=1e-12)


def test_without_units_there_is_no_nearest() -> None:
    metres, row = over([]).nearest([120.0], [30.0])
    assert (metres.tolist(), row.tolist()) == ([np.inf], [index.NONE])


def test_at_a_pole_a_degree_of_longitude_is_nothing() -> None:
    unit = over([box(10, 89.9, 20, 90)])
    assert unit.is_near([-170.0], [90.0], 1.0).tolist() == [True]
    assert unit.only([15.0, -170.0], [90.0, 90.0]).tolist() == [0, index.NONE]


def test_distances_do_not_reach_across_the_date_line() -> None:
    unit = over([box(179.9, -17, 180, -16)])
    assert unit.only([180.0, -180.0], [-16.5, -16.5]).tolist() == [0, index.NONE]
    assert unit.is_near([-180.0], [-16.5], 1000.0).tolist() == [False]


def test_points_by_the_thousand_are_answered_in_the_order_they_came() -> None:
    level = over([box(x, y, x + 1, y + 1) for x in range(6) for y in range(6)])
    lon, lat = np.random.default_rng(11).uniform(-0.5, 6.5, (2, 2 * memory.SWEPT_POINTS))
    parts = [slice(start, start + 1000) for start in range(0, len(lon), 1000)]
    point, row, metres = level.within(lon, lat, 9000.0)
    few = [level.within(lon[part], lat[part], 9000.0) for part in parts]
    assert point.tolist() == [part.start + at for part, answer in zip(parts, few, strict=True) for at in answer[0]]
    assert row.tolist() == [each for answer in few for each in answer[1]]
    assert metres.tolist() == [each for answer in few for each in answer[2]]
    distance_m, nearest = level.nearest(lon, lat)
    some = [level.nearest(lon[part], lat[part]) for part in parts]
    assert distance_m.tolist() == [each for answer in some for each in answer[0]]
    assert nearest.tolist() == [each for answer in some for each in answer[1]]
