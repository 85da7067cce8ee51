"""The exact index: edges and vertices, shares that add up, distances in metres; PostGIS is the oracle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import coords, index, units
from gis.territory.index import LevelIndex
from gis.territory.index.memory import over
from tests import town


def level(*geometries: BaseGeometry) -> LevelIndex:
    return over(geometries)


def xy(points: Sequence[Point]) -> tuple[np.ndarray, np.ndarray]:
    return shapely.get_x(points), shapely.get_y(points)


WEST, EAST = town.field(0, 0, 2, 2), town.field(2, 0, 4, 2)
DISTRICTS = level(WEST, EAST)


def rows(at: Point) -> list[int]:
    return [int(row) for row in DISTRICTS.covering(*xy([at]))[1]]


def test_a_point_inside_is_covered_by_one_unit() -> None:
    assert rows(town.at(1, 1)) == [0]


def test_a_point_on_a_shared_edge_is_covered_by_both_sides_in_order_of_code() -> None:
    assert rows(town.at(2, 1)) == [0, 1]


def test_a_point_on_a_shared_vertex_is_covered_by_both_sides() -> None:
    assert rows(town.at(2, 2)) == [0, 1]


def test_one_ulp_beside_the_edge_is_one_side_only() -> None:
    lon, lat = town.lonlat(2, 1)
    assert rows(Point(np.nextafter(lon, 0), lat)) == [0]
    assert rows(Point(np.nextafter(lon, 999), lat)) == [1]


def test_a_point_outside_is_covered_by_nothing() -> None:
    assert rows(town.at(5, 1)) == []


def test_a_hole_is_not_covered_and_its_edge_is() -> None:
    ring = level(town.field(0, 0, 3, 3).difference(town.field(1, 1, 2, 2)))
    assert ring.covering(*xy([town.at(1.5, 1.5)]))[1].tolist() == []
    assert ring.covering(*xy([town.at(1, 1.5)]))[1].tolist() == [0]


def test_a_building_one_third_in_and_two_thirds_out_has_these_shares() -> None:
    shares = DISTRICTS.shares(np.array([town.field(1.9, 0.5, 2.2, 0.6)], dtype=object))
    assert shares.share.tolist() == pytest.approx([1 / 3, 2 / 3], abs=1e-9)


def test_a_footprint_that_only_touches_a_unit_has_no_share_in_it() -> None:
    shares = DISTRICTS.shares(np.array([town.field(1.9, 0.5, 2.0, 0.6)], dtype=object))
    assert (shares.row.tolist(), shares.share.tolist()) == ([0], [1.0])


def test_a_line_along_the_border_belongs_to_both_sides_whole() -> None:
    line = LineString([town.lonlat(2, 0.5), town.lonlat(2, 1.5)])
    shares = DISTRICTS.shares(np.array([line], dtype=object))
    assert shares.share.tolist() == pytest.approx([1.0, 1.0])
    uncovered, overlap = DISTRICTS.uncovered(line, shares.row)
    assert shares.share.sum() + uncovered - overlap == pytest.approx(1, abs=1e-9)


def test_a_footprint_half_outside_is_half_uncovered() -> None:
    footprint = town.field(3.5, 0.5, 4.5, 1)
    assert DISTRICTS.uncovered(footprint, np.array([1])) == pytest.approx((0.5, 0.0), abs=1e-9)


def test_a_footprint_on_ground_drawn_twice_overlaps() -> None:
    twice = level(town.field(0, 0, 2, 2), town.field(1, 0, 3, 2))
    footprint = town.field(1, 0.5, 2, 1)
    assert twice.uncovered(footprint, np.array([0, 1])) == pytest.approx((0.0, 1.0), abs=1e-9)


whole = st.integers(-2, 12)


@st.composite
def footprints(draw: st.DrawFn) -> BaseGeometry:
    corners = draw(st.lists(st.tuples(whole, whole), min_size=2, max_size=6, unique=True))
    points = [town.lonlat(x / 2 + 0.05, y / 4 + 0.03) for x, y in corners]
    if draw(st.booleans()):
        return LineString(points)
    hull = shapely.convex_hull(shapely.multipoints(points))
    # A sliver thinner than a part in ten thousand has no area that 16 digits could share out to 1e-9.
    return hull if isinstance(hull, Polygon) and hull.area > 1e-4 * hull.length**2 else LineString(points)


@given(footprint=footprints())
def test_shares_plus_uncovered_minus_overlap_is_one(footprint: BaseGeometry) -> None:
    ground = level(WEST, EAST, town.field(1, 0.5, 2.5, 1.5))
    shares = ground.shares(np.array([footprint], dtype=object))
    uncovered, overlap = ground.uncovered(footprint, shares.row) if len(shares.row) else (1.0, 0.0)
    assert shares.share.sum() + uncovered - overlap == pytest.approx(1, abs=1e-9)


@given(footprint=footprints())
def test_shares_do_not_depend_on_the_direction_of_the_vertices(footprint: BaseGeometry) -> None:
    both = DISTRICTS.shares(np.array([footprint, shapely.reverse(footprint)], dtype=np.object_))
    assert both.share[both.footprint == 0] == pytest.approx(both.share[both.footprint == 1], abs=1e-12)


def test_the_distance_to_the_boundary_is_in_metres_on_the_ellipsoid() -> None:
    lon, lat = town.lonlat(1.99, 1)
    metres, _ = DISTRICTS.nearest(np.array([lon]), np.array([lat]))
    geodesic = coords.GEOD.inv(lon, lat, town.lonlat(2, 1)[0], lat)[2]
    assert metres[0] == pytest.approx(geodesic, abs=0.001)


def test_the_nearest_boundary_is_by_metres_not_by_degrees() -> None:
    # 0.0100 degrees of longitude are 964 m here, 0.0095 of latitude 1,053 m.
    lon, lat = 121.0, 30.0
    ground = level(box(lon + 0.0100, lat - 1, lon + 0.02, lat + 1), box(lon - 1, lat + 0.0095, lon + 0.005, lat + 1))
    metres, row = ground.nearest(np.array([lon]), np.array([lat]))
    assert row.tolist() == [0]
    assert metres[0] == pytest.approx(964.9, abs=0.5)


def test_the_distance_on_an_edge_is_zero() -> None:
    lon, lat = town.lonlat(2, 1.37)
    assert DISTRICTS.nearest(np.array([lon]), np.array([lat]))[0][0] == pytest.approx(0, abs=1e-6)


def test_a_level_without_units_answers_nothing() -> None:
    empty = level()
    assert empty.covering(*xy([town.at(1, 1)]))[1].tolist() == []
    assert np.isinf(empty.nearest(np.array([120.0]), np.array([30.0]))[0]).all()


def test_a_line_that_is_cut_keeps_its_length_to_the_last_digit() -> None:
    line = LineString([(120.0, 30.0), (120.13, 30.11)])
    pieces = [LineString([(120.0, 30.0), (120.052, 30.044)]), LineString([(120.052, 30.044), (120.13, 30.11)])]
    lengths = index.path_lengths_m(np.array([line, *pieces], dtype=object))
    assert lengths[1] + lengths[2] == pytest.approx(lengths[0], rel=1e-12)
    assert lengths[0] == pytest.approx(coords.length_m(line), rel=1e-6)


def test_every_vertex_edge_and_neighbour_of_the_town_is_answered_as_postgis_answers(session: Session) -> None:
    town.build(session)
    halves = [(x / 4, y / 4) for x in range(-1, 18) for y in range(-1, 10)]
    points = [town.at(x, y) for x, y in halves]
    ground = index.build(session, units.in_force(session, town.SINCE)[0])
    for name, found in ground.levels.items():
        point, row = found.covering(*xy(points))
        ours = {(int(p), found.refs[r].id) for p, r in zip(point, row, strict=True)}
        oracle = session.execute(
            text(
                "SELECT p.n - 1, u.id FROM unnest(CAST(:points AS text[])) WITH ORDINALITY p(wkt, n)"
                " JOIN unit u ON ST_Covers(u.geom, ST_GeomFromText(p.wkt, 4326))"
                " WHERE u.net = 'admin' AND u.level = :level"
            ),
            {"points": [shapely.to_wkt(p, rounding_precision=-1) for p in points], "level": name},
        )
        assert ours == {tuple(pair) for pair in oracle}


def test_units_close_by_are_by_distance_and_not_by_its_square() -> None:
    ground = level(town.field(1, 1, 2, 2), town.field(2, 0, 3, 0.5))
    lon, lat = (np.array([each]) for each in town.lonlat(0.98, 0.98))
    # 0.02 east is 19 m and 0.02 north 22 m: the corner of the first unit is 29 m away.
    assert ground.within(lon, lat, 25.0)[1].tolist() == []
    assert ground.within(lon, lat, 30.0)[1].tolist() == [0]


@given(x=st.integers(-20, 420), y=st.integers(-20, 220), reach_m=st.sampled_from([5.0, 30.0, 400.0]))
def test_units_close_by_are_those_within_the_distance(x: int, y: int, reach_m: float) -> None:
    ground = level(WEST, EAST, town.field(1, 0.5, 2.5, 1.5))
    lon, lat = (np.array([each]) for each in town.lonlat(x / 100 + 0.003, y / 100 + 0.004))
    plane = coords.Plane(lon[0], lat[0])
    units = ground.geometry(range(3))
    flat = [plane.to_plane(shapely.boundary(unit)) for unit in units]
    far = [
        0.0 if units[row].covers(Point(lon[0], lat[0])) else line.distance(Point(0, 0))
        for row, line in enumerate(flat)
    ]
    _, row, metres = ground.within(lon, lat, reach_m)
    assert row.tolist() == [nth for nth, each in enumerate(far) if each <= reach_m]
    assert metres == pytest.approx([each for each in far if each <= reach_m], abs=1e-9)
