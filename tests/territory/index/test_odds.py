"""The odds of many fixes: edge by edge the same as over each polygon whole, on lines and a hair beside them too."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import owens_t
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from gis.territory import probability
from gis.territory.index import many, odds
from gis.territory.index.memory import over

EAST, NORTH, STEP = 120.5, 30.25, 0.001


def plot(*corners: tuple[float, float]) -> Polygon:
    return Polygon([(EAST + x * STEP, NORTH + y * STEP) for x, y in corners])


def field(west: float, south: float, east: float, north: float) -> Polygon:
    return plot((west, south), (east, south), (east, north), (west, north))


# Neighbours, one with a hole that a third fills, one drawn over its neighbour, and a piece of nobody's ground between.
HOLED = field(0, 0, 2, 2).difference(field(0.5, 0.5, 1, 1))
TWO_PARTS = shapely.union(field(2, 0, 3, 1), field(2.5, 1.5, 3, 2))
PLOTS: list[BaseGeometry] = [
    HOLED,
    field(0.5, 0.5, 1, 1),
    TWO_PARTS,
    plot((2, 1), (2.4, 1.3), (3, 1), (3, 1.2), (2, 2)),
    field(1.8, 1.5, 2.2, 2.5),
]
LEVEL = over(PLOTS)


def assert_whole(lon: list[float], lat: list[float], sigma_m: list[float]) -> None:
    """Compare with the mass over each polygon, which is cut at a square first: cuts are rounded to nanometres."""
    point, row, found = many.odds(LEVEL, np.array(lon), np.array(lat), np.array(sigma_m))
    told = dict(zip(zip(point.tolist(), row.tolist(), strict=True), found.tolist(), strict=True))
    for nth, fix in enumerate(zip(lon, lat, sigma_m, strict=True)):
        for unit, ground in enumerate(PLOTS):
            whole = pytest.approx(probability.within(ground, *fix), abs=1e-11 + 3e-9 / fix[2])
            assert told.get((nth, unit), 0.0) == whole, (fix, unit)


@settings(max_examples=200, deadline=None)
@given(st.floats(-0.5, 3.5), st.floats(-0.5, 3), st.floats(0.01, 300))
def test_any_fix_has_the_odds_of_the_polygons_whole(x: float, y: float, sigma_m: float) -> None:
    assert_whole([EAST + x * STEP], [NORTH + y * STEP], [sigma_m])


def test_on_vertices_and_edges_and_a_step_beside_them_the_odds_are_those_of_the_polygons() -> None:
    corners = shapely.get_coordinates(PLOTS)
    middles = (corners[1:] + corners[:-1]) / 2
    steps = [(dx, dy) for dx in (0.0, 1e-14, -1e-14, 3e-10, -3e-10, 1e-8, 2e-8) for dy in (0.0, dx)]
    spots = np.concatenate([corners, middles])[:, None] + np.array(steps)
    lon, lat = spots.reshape(-1, 2).T.tolist()
    for sigma_m in (0.5, 40.0):
        assert_whole(lon, lat, [sigma_m] * len(lon))


def test_many_fixes_of_different_errors_are_told_each_by_its_own() -> None:
    made = np.random.default_rng(7)
    lon, lat = EAST + made.uniform(0, 3, 300) * STEP, NORTH + made.uniform(0, 2, 300) * STEP
    assert_whole(lon.tolist(), lat.tolist(), made.uniform(0.1, 100, 300).tolist())


@given(st.floats(-9, 0.9), st.floats(-8, 8), st.floats(0, 16))
def test_what_a_piece_of_line_takes_is_owen_s_t(exponent: float, begin: float, length: float) -> None:
    off = 10.0**exponent
    taken = owens_t(off, (begin + length) / off) - owens_t(off, begin / off)
    assert odds.integral(off, begin, begin + length) == pytest.approx(taken, abs=1e-14)
