"""The mass of a normal error over polygons: closed forms, corners, holes, conservation, and a Monte Carlo."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from gis.territory import coords, probability

LON, LAT = 116.3, 39.9
PLANE = coords.Plane(LON, LAT)
FAR_M = 5_000.0


def phi(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))


def rectangle(west_m: float, south_m: float, east_m: float, north_m: float) -> BaseGeometry:
    return PLANE.from_plane(box(west_m, south_m, east_m, north_m))


def test_three_metres_inside_a_straight_edge_at_sigma_five_is_0_726() -> None:
    west_half = rectangle(-FAR_M, -FAR_M, 3.0, FAR_M)
    assert probability.within(west_half, LON, LAT, 5.0) == pytest.approx(phi(0.6), abs=1e-9)
    assert round(probability.within(west_half, LON, LAT, 5.0), 3) == 0.726


def test_a_fix_on_a_straight_edge_is_half_on_each_side() -> None:
    assert probability.within(rectangle(-FAR_M, -FAR_M, 0.0, FAR_M), LON, LAT, 5.0) == pytest.approx(0.5, abs=1e-9)
    assert probability.within(rectangle(0.0, -FAR_M, FAR_M, FAR_M), LON, LAT, 5.0) == pytest.approx(0.5, abs=1e-9)


def test_a_fix_on_a_vertex_of_four_squares_is_a_quarter_in_each() -> None:
    assert probability.within(rectangle(0.0, 0.0, FAR_M, FAR_M), LON, LAT, 7.0) == pytest.approx(0.25, abs=1e-9)


def test_a_corner_is_the_product_of_its_two_edges() -> None:
    corner = rectangle(-FAR_M, -FAR_M, 4.0, -2.0)
    assert probability.within(corner, LON, LAT, 5.0) == pytest.approx(phi(0.8) * phi(-0.4), abs=1e-9)


def test_a_hole_is_taken_away() -> None:
    ring = rectangle(-FAR_M, -FAR_M, FAR_M, FAR_M).difference(rectangle(-5.0, -5.0, 5.0, 5.0))
    inner = (phi(1.0) - phi(-1.0)) ** 2
    assert probability.within(ring, LON, LAT, 5.0) == pytest.approx(1 - inner, abs=1e-9)


def test_a_polygon_out_of_reach_has_nothing() -> None:
    assert probability.within(rectangle(1_000, 1_000, 2_000, 2_000), LON, LAT, 5.0) == 0.0


def test_the_direction_of_the_rings_does_not_matter() -> None:
    square = rectangle(-3.0, -8.0, 20.0, 9.0)
    turned = probability.within(square.reverse(), LON, LAT, 5.0)
    assert probability.within(square, LON, LAT, 5.0) == pytest.approx(turned)


def test_the_line_has_an_error_of_its_own() -> None:
    assert probability.total_sigma_m(3.0, 4.0) == 5.0


metres = st.floats(-30, 30).map(lambda value: round(value, 2))


@given(x=metres, y=metres, sigma=st.floats(0.5, 20))
def test_four_quarters_of_the_ground_hold_all_of_the_mass(x: float, y: float, sigma: float) -> None:
    quarters = [
        rectangle(-FAR_M, -FAR_M, x, y),
        rectangle(x, -FAR_M, FAR_M, y),
        rectangle(-FAR_M, y, x, FAR_M),
        rectangle(x, y, FAR_M, FAR_M),
    ]
    assert sum(probability.within(quarter, LON, LAT, sigma) for quarter in quarters) == pytest.approx(1, abs=1e-9)


@given(x=metres, y=metres, sigma=st.floats(0.5, 20))
def test_a_rectangle_is_a_product_of_normal_intervals(x: float, y: float, sigma: float) -> None:
    wide = probability.within(rectangle(x, y, x + 12, y + 7), LON, LAT, sigma)
    across = phi((x + 12) / sigma) - phi(x / sigma)
    up = phi((y + 7) / sigma) - phi(y / sigma)
    assert wide == pytest.approx(across * up, abs=1e-8)


def test_a_crooked_polygon_agrees_with_a_million_throws() -> None:
    crooked = Polygon([(-9, -4), (2, -7), (1, 1), (12, 3), (3, 9), (0, 2), (-6, 8)])
    throws = np.random.default_rng(7).normal(0.0, 5.0, (1_000_000, 2))
    hits = shapely.contains_xy(crooked, throws[:, 0], throws[:, 1]).mean()
    assert probability.within(PLANE.from_plane(crooked), LON, LAT, 5.0) == pytest.approx(hits, abs=0.002)
