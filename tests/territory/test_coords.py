"""Datums, metres and accuracy: against published pairs, against the geodesic library, and by their laws."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Invalid
from gis.territory import coords

CHINA_LON = st.floats(73, 137)
CHINA_LAT = st.floats(2, 55)
SHIFTED = ("GCJ02", "BD09")


def pair(found: coords.Pair) -> tuple[float, float]:
    return float(found[0]), float(found[1])


def metres_apart(one: coords.Pair, other: tuple[float, float]) -> float:
    return float(coords.GEOD.inv(float(one[0]), float(one[1]), *other)[2])


def test_gcj02_of_a_known_point_is_the_published_one() -> None:
    assert metres_apart(coords.from_wgs84(121.5272106, 31.1774276, "GCJ02"), (121.531541859215, 31.17530398364597)) < 1


def test_cgcs2000_is_wgs84() -> None:
    assert pair(coords.to_wgs84(116.4, 39.9, "CGCS2000")) == (116.4, 39.9)


def test_gcj02_moves_the_middle_of_beijing_by_half_a_kilometre() -> None:
    assert metres_apart(coords.from_wgs84(116.4, 39.9, "GCJ02"), (116.4, 39.9)) == pytest.approx(550, abs=20)


def test_outside_the_rectangle_gcj02_is_wgs84() -> None:
    assert pair(coords.from_wgs84(-74.0, 40.7, "GCJ02")) == (-74.0, 40.7)
    assert pair(coords.to_wgs84(-74.0, 40.7, "GCJ02")) == (-74.0, 40.7)


@given(lon=CHINA_LON, lat=CHINA_LAT, datum=st.sampled_from(SHIFTED))
def test_there_and_back_is_the_same_place(lon: float, lat: float, datum: str) -> None:
    back = coords.to_wgs84(*coords.from_wgs84(lon, lat, datum), datum)
    assert metres_apart(back, (lon, lat)) < 0.001


def test_many_points_are_shifted_like_each_one() -> None:
    lons, lats = np.array([116.4, 121.5, -74.0]), np.array([39.9, 31.2, 40.7])
    together = coords.from_wgs84(lons, lats, "BD09")
    alone = [coords.from_wgs84(lon, lat, "BD09") for lon, lat in zip(lons, lats, strict=True)]
    assert np.array_equal(np.column_stack(together), np.array(alone, dtype=float))


def test_a_geometry_is_shifted_vertex_by_vertex() -> None:
    line = shapely.LineString([(116.4, 39.9), (116.5, 39.9)])
    moved = coords.geometry_to_wgs84(line, "GCJ02")
    assert moved.coords[1] == pair(coords.to_wgs84(116.5, 39.9, "GCJ02"))


def test_not_a_number_stays_not_a_number() -> None:
    assert math.isnan(coords.to_wgs84(math.nan, 39.9, "GCJ02")[0])


def test_an_unknown_datum_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        coords.to_wgs84(116.4, 39.9, "ED50")
    assert refused.value.code == "coords.unknown_datum"


@pytest.mark.parametrize(("kind", "part"), [("radius95", 0.95), ("radius68", 0.68), ("radius50", 0.5)])
def test_a_radius_holds_its_part_of_a_round_normal_error(kind: str, part: float) -> None:
    sigma = coords.sigma_m(10, kind)
    assert 1 - math.exp(-((10 / sigma) ** 2) / 2) == pytest.approx(part, abs=0.001)


def test_sigma_is_kept_and_a_largest_error_is_three_of_it() -> None:
    assert coords.sigma_m(5, "sigma") == 5
    assert coords.sigma_m(15, "max") == 5


@pytest.mark.parametrize(("accuracy_m", "kind"), [(-1, "sigma"), (math.nan, "sigma"), (math.inf, "max"), (5, "feet")])
def test_an_accuracy_that_is_none_is_refused(accuracy_m: float, kind: str) -> None:
    with pytest.raises(Invalid):
        coords.sigma_m(accuracy_m, kind)


@given(lon=st.floats(-179, 179), lat=st.floats(-80, 80), bearing=st.floats(0, 360))
def test_a_hundred_metres_on_the_plane_are_a_hundred_metres_on_the_ground(
    lon: float, lat: float, bearing: float
) -> None:
    far_lon, far_lat, _ = coords.GEOD.fwd(lon, lat, bearing, 100)
    if abs(far_lon - lon) > 180:
        return
    x, y = coords.Plane(lon, lat).xy(far_lon, far_lat)
    assert math.hypot(x, y) == pytest.approx(100, abs=0.01)


def test_the_plane_and_back_is_the_same_place() -> None:
    plane = coords.Plane(116.4, 39.9)
    lon, lat = plane.lonlat(*plane.xy(116.41, 39.91))
    assert pair((lon, lat)) == pytest.approx((116.41, 39.91), abs=1e-12)


def test_a_geometry_goes_to_the_plane_and_back() -> None:
    plane, square = coords.Plane(116.4, 39.9), shapely.box(0, 0, 100, 100)
    assert coords.area_m2(plane.from_plane(square)) == pytest.approx(10_000, rel=1e-4)
    assert plane.to_plane(plane.from_plane(square)).equals_exact(square, 1e-6)


def test_the_area_of_a_cell_is_the_geodesic_one() -> None:
    cell = shapely.box(116.3, 39.9, 116.301, 39.901)
    assert coords.area_m2(cell) == pytest.approx(coords.GEOD.geometry_area_perimeter(cell)[0], rel=1e-9)


def test_a_hole_is_not_area_whichever_way_it_is_drawn() -> None:
    hole = [(116.3004, 39.9004), (116.3006, 39.9004), (116.3006, 39.9006), (116.3004, 39.9006)]
    cell = shapely.box(116.3, 39.9, 116.301, 39.901)
    for drawn in (hole, hole[::-1]):
        holed = shapely.Polygon(cell.exterior, [drawn])
        assert coords.area_m2(holed) == pytest.approx(coords.area_m2(cell) - coords.area_m2(shapely.Polygon(hole)))


def test_each_of_many_areas_is_its_own() -> None:
    cells = [shapely.box(lon, 39.9, lon + 0.001, 39.901) for lon in (116.3, 116.4)]
    both = [*cells, shapely.MultiPolygon(cells), shapely.Point(116.3, 39.9)]
    assert coords.areas_m2(both) == pytest.approx([*map(coords.area_m2, cells), coords.area_m2(cells[0]) * 2, 0])


def test_the_whole_ellipsoid_has_its_known_area() -> None:
    assert coords.area_m2(shapely.box(-180, -90, 180, 90).segmentize(1)) == pytest.approx(510_065_621_724_089, rel=1e-9)


def test_lengths_are_geodesic_and_an_outline_is_a_length() -> None:
    cell = shapely.box(116.3, 39.9, 116.301, 39.901)
    pair = shapely.MultiLineString([[(0, 0), (0, 1)], [(0, 2), (0, 3)]])
    expected = [coords.GEOD.geometry_length(cell.exterior), coords.GEOD.geometry_length(pair), 0]
    assert coords.lengths_m([cell, pair, shapely.Point(0, 0)]) == pytest.approx(expected, rel=1e-12)


@given(lon=st.floats(-180, 179.9), lat=st.floats(-85, 85), z=st.integers(0, 18))
def test_a_tile_holds_the_points_it_is_the_tile_of(lon: float, lat: float, z: int) -> None:
    box = coords.Tile.at(lon, lat, z).bbox
    assert box.west - 1e-9 <= lon <= box.east + 1e-9
    assert box.south - 1e-9 <= lat <= box.north + 1e-9


def test_a_tile_outside_the_pyramid_is_refused() -> None:
    with pytest.raises(Invalid):
        coords.Tile(3, 8, 0)


def test_a_box_grows_by_metres_on_every_side() -> None:
    box = coords.BBox(116.3, 39.9, 116.4, 40.0)
    grown = box.grown(1000)
    assert coords.GEOD.inv(box.west, box.south, grown.west, box.south)[2] >= 1000
    assert coords.GEOD.inv(box.west, box.north, box.west, grown.north)[2] == pytest.approx(1000, rel=1e-3)
