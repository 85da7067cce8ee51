"""A stretch of a street: cut from its centre line between two places, as wide as said."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry

from gis.errors import Invalid
from gis.territory import coords
from gis.territory.places import streets

PLANE = coords.Plane(120.5, 30.25)
ROAD = LineString([(0, 0), (400, 0), (400, 300)])
TURNS = [2 * math.pi * nth / 72 for nth in range(73)]
RING = LineString([(100 * math.cos(turn), 100 * math.sin(turn)) for turn in TURNS[:-1]] + [(100, 0)])


def lonlat(x: float, y: float) -> tuple[float, float]:
    lon, lat = PLANE.lonlat(x, y)
    return float(lon), float(lat)


def stretch(line: BaseGeometry, start: tuple[float, float], end: tuple[float, float], width_m: float = 10) -> float:
    """Return how many square metres the stretch has."""
    return coords.area_m2(streets.stretch(PLANE.from_plane(line), (lonlat(*start), lonlat(*end)), width_m))


def test_a_stretch_runs_from_one_place_to_the_other() -> None:
    made = streets.stretch(PLANE.from_plane(ROAD), (lonlat(100, 3), lonlat(300, -2)), 10)
    west, south, east, north = PLANE.to_plane(made).bounds
    assert (west, south, east, north) == pytest.approx((100, -5, 300, 5), abs=0.01)


def test_it_follows_the_bends() -> None:
    made = PLANE.to_plane(streets.stretch(PLANE.from_plane(ROAD), (lonlat(300, 0), lonlat(400, 100)), 10))
    assert made.covers(Point(399, 0))
    assert not made.intersects(Point(360, 40))


@given(start=st.integers(0, 390), length=st.integers(5, 300), width_m=st.integers(1, 30))
def test_its_area_is_its_length_times_its_width(start: int, length: int, width_m: int) -> None:
    straight = LineString([(0, 0), (1000, 0)])
    assert stretch(straight, (start, 0), (start + length, 0), width_m) == pytest.approx(length * width_m, rel=0.002)


def test_which_end_is_named_first_does_not_matter() -> None:
    assert stretch(ROAD, (50, 0), (400, 50)) == pytest.approx(stretch(ROAD, (400, 50), (50, 0)), rel=1e-6)


def test_of_a_ring_road_it_is_the_shorter_way_round() -> None:
    quarter = 2 * math.pi * 100 / 4 * 10
    # the ring begins at (100, 0), in the middle of this stretch
    assert stretch(RING, (70.7, 70.7), (70.7, -70.7)) == pytest.approx(quarter, rel=0.01)
    assert stretch(RING, (0, 100), (-100, 0)) == pytest.approx(quarter, rel=0.01)


def test_of_a_street_in_parts_it_is_the_part_both_places_are_near() -> None:
    parts = MultiLineString([[(0, 0), (100, 0)], [(0, 500), (100, 500)]])
    made = streets.stretch(PLANE.from_plane(parts), (lonlat(20, 490), lonlat(60, 510)), 10)
    assert PLANE.to_plane(made).bounds[1] == pytest.approx(495, abs=0.01)


@pytest.mark.parametrize(
    ("end", "width_m", "code"),
    [
        ((100, 0.5), 10.0, "places.one_place"),
        ((300, 0), 0.0, "places.bad_width"),
        ((300, 0), 500.0, "places.bad_width"),
    ],
)
def test_what_is_no_stretch_is_told(end: tuple[float, float], width_m: float, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        stretch(ROAD, (100, 0), end, width_m)
    assert caught.value.code == code
