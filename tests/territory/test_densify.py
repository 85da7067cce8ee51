"""Carrying polygons to WGS 84 moves no line by more than a centimetre, and lines that neighbours share stay shared."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.territory import coords
from gis.territory.boundaries import densify
from gis.territory.coords import Floats, Geometries

FOOT_M = 1200 / 3937
TO_DEGREES = Transformer.from_crs("EPSG:2263", "EPSG:4326", always_xy=True)
CENTIMETRE = 0.01
# New York in state-plane feet: a corner of the town, and how long a side is.
EAST, NORTH, SIDE = 950_000.0, 150_000.0, 30_000.0


def from_feet(at: Floats) -> Floats:
    return np.column_stack(TO_DEGREES.transform(at[:, 0], at[:, 1]))


def from_gcj(at: Floats) -> Floats:
    return np.column_stack(coords.to_wgs84(at[:, 0], at[:, 1], "GCJ02"))


def plot(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return shapely.box(EAST + x0 * SIDE, NORTH + y0 * SIDE, EAST + x1 * SIDE, NORTH + y1 * SIDE)


def parts_of(*plots: BaseGeometry) -> Geometries:
    return np.array([MultiPolygon(shapely.get_parts(each).tolist()) for each in plots], dtype=object)


def carried(*plots: BaseGeometry) -> densify.Carried:
    return densify.carry_polygons(parts_of(*plots), from_feet, FOOT_M)


def furthest_m(edges: BaseGeometry, line: BaseGeometry, carry: densify.Carry) -> float:
    """Walk along straight source edges and measure how far each step lies from the carried line."""
    steps = shapely.get_coordinates(shapely.segmentize(edges, shapely.length(edges) / 400))
    points = carry(steps)
    plane = coords.Plane(*points[0])
    flat = np.column_stack(plane.xy(points[:, 0], points[:, 1]))
    return float(shapely.distance(plane.to_plane(line), shapely.points(flat)).max())


def is_shared(found: densify.Carried) -> bool:
    return bool(shapely.coverage_is_valid(found.geometries))


def test_no_point_of_a_ten_kilometre_edge_moves_by_a_centimetre() -> None:
    found = carried(plot(0, 0, 1, 1))
    assert furthest_m(plot(0, 0, 1, 1).exterior, found.geometries[0].boundary, from_feet) < CENTIMETRE


def test_without_more_vertices_it_would_move_by_a_metre() -> None:
    bare = shapely.transform(plot(0, 0, 1, 1), from_feet)
    assert furthest_m(plot(0, 0, 1, 1).exterior, bare.exterior, from_feet) > 1


def test_a_short_edge_gets_no_vertex() -> None:
    assert carried(plot(0, 0, 0.01, 0.01)).added == 0


def test_degrees_stay_as_they_are() -> None:
    square = np.array([MultiPolygon([shapely.box(114, 30, 115, 31)])], dtype=object)
    same = densify.carry_polygons(square, lambda at: at, densify.METRES_PER_DEGREE)
    assert shapely.equals_exact(same.geometries[0], square[0])


def test_two_plots_share_every_vertex_of_their_line() -> None:
    south, north = carried(plot(0, 0, 1, 1), plot(0, 1, 1, 2)).geometries
    common = {tuple(at) for at in shapely.get_coordinates(south)} & {tuple(at) for at in shapely.get_coordinates(north)}
    assert len(common) > 4
    assert is_shared(carried(plot(0, 0, 1, 1), plot(0, 1, 1, 2)))


def test_the_way_a_ring_is_drawn_does_not_matter() -> None:
    (forth,), (back,) = (carried(each).geometries for each in (plot(0, 0, 1, 1), plot(0, 0, 1, 1).reverse()))
    assert shapely.normalize(forth) == shapely.normalize(back)


def test_a_corner_on_a_neighbours_long_edge_becomes_the_neighbours_vertex() -> None:
    assert is_shared(carried(plot(0, 0, 1, 1), plot(0, 1, 0.37, 2), plot(0.37, 1, 1, 2)))


def test_levels_share_their_lines_too() -> None:
    parent, *children = carried(plot(0, 0, 2, 1), plot(0, 0, 0.7, 1), plot(0.7, 0, 2, 1)).geometries
    assert shapely.union_all(children).equals(parent)


def test_holes_and_parts_are_kept() -> None:
    parted = shapely.union(plot(0, 0, 1, 1) - plot(0.2, 0.2, 0.4, 0.4), plot(2, 0, 3, 1))
    (found,) = carried(parted).geometries
    assert [len(part.interiors) for part in found.geoms] == [1, 0]


def test_the_shift_of_gcj02_bends_edges_and_is_followed() -> None:
    square = shapely.box(116.0, 39.5, 117.0, 40.5)
    shifted = shapely.transform(square, lambda at: np.column_stack(coords.from_wgs84(at[:, 0], at[:, 1], "GCJ02")))
    (found,) = densify.carry_polygons(parts_of(shifted), from_gcj, densify.METRES_PER_DEGREE).geometries
    assert furthest_m(shifted.exterior, found.boundary, from_gcj) < CENTIMETRE


@given(cuts=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4, unique=True), turn=st.booleans())
def test_any_row_of_plots_beside_a_long_one_stays_shared(cuts: list[float], turn: bool) -> None:
    ends = [0.0, *sorted(cuts), 1.0]
    row = [plot(low, 1, high, 2) for low, high in pairwise(ends) if high - low > 0.001]
    if len(row) == len(ends) - 1:
        assert is_shared(carried(plot(0, 0, 1, 1).reverse() if turn else plot(0, 0, 1, 1), *row))


@pytest.mark.parametrize("angle", [0.3, 1.1, 2.0])
def test_slanted_lines_stay_shared_within_the_snapping_distance(angle: float) -> None:
    turned = [
        shapely.affinity.rotate(each, angle, origin=(EAST, NORTH), use_radians=True)
        for each in (plot(0, 0, 1, 1), plot(0, 1, 0.37, 2), plot(0.37, 1, 1, 2))
    ]
    assert is_shared(carried(*turned))
