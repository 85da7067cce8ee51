"""What may be asked, and how the index refuses the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from shapely.geometry import LineString, Point, Polygon, box

from gis.errors import Invalid
from gis.territory import index
from gis.territory.index.memory import over

UNITS = over([box(120, 30, 121, 31), box(121, 30, 122, 31)])
LON, LAT = np.array([120.5, 121.5, 125.0]), np.array([30.5, 30.5, 30.5])


@pytest.mark.parametrize(
    "made",
    [
        lambda column: column.astype(np.float32),
        lambda column: column.tolist(),
        lambda column: column.astype(object),
        lambda column: np.repeat(column, 2)[::2],
        lambda column: column[::-1][::-1],
        lambda column: np.asfortranarray(column).astype(">f8"),
    ],
    ids=["float32", "list", "objects", "with gaps", "backwards twice", "big-endian"],
)
def test_numbers_of_any_kind_are_columns(made: Callable[[index.Floats], npt.ArrayLike]) -> None:
    assert UNITS.only(made(LON), made(LAT)).tolist() == [0, 1, index.NONE]


def test_whole_numbers_are_degrees() -> None:
    assert over([box(119, 29, 121, 31)]).only([120], [30]).tolist() == [0]


def test_a_column_that_may_not_be_written_to_is_read() -> None:
    lon = LON.copy()
    lon.flags.writeable = False
    assert UNITS.only(lon, LAT).tolist() == [0, 1, index.NONE]


def test_no_points_are_no_answers() -> None:
    assert UNITS.only([], []).tolist() == []
    assert [column.tolist() for column in UNITS.within([], [], 10.0)] == [[], [], []]
    assert UNITS.is_near([], [], 10.0).tolist() == []


@pytest.mark.parametrize("lon", [np.nan, np.inf, -np.inf, 180.0000001, -181.0, 1e300])
def test_the_first_point_that_is_not_on_earth_is_named(lon: float) -> None:
    with pytest.raises(Invalid) as refused:
        UNITS.only([120.5, lon, np.nan], [30.5, 30.5, 30.5])
    assert (refused.value.code, refused.value.params["position"]) == ("index.not_on_earth", 1)


@pytest.mark.parametrize(("lon", "lat"), [(np.nan, 30.5), (np.inf, 30.5), (120.5, -91.0), (30.5, 120.5)])
def test_one_point_alone_that_is_not_on_earth_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(Invalid) as refused:
        UNITS.one(lon, lat)
    assert refused.value.code == "index.not_on_earth"


@pytest.mark.parametrize("ask", ["covering", "nearest"])
def test_swapped_columns_are_not_on_earth(ask: str) -> None:
    with pytest.raises(Invalid) as refused:
        getattr(UNITS, ask)(LAT, LON)
    assert refused.value.code == "index.not_on_earth"


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (["a"], [30.0], "index.not_numbers"),
        ([True], [True], "index.not_numbers"),
        ([120 + 1j], [30.0], "index.not_numbers"),
        (np.array(["120"], dtype=object), [30.0], "index.not_numbers"),
        ([{}], [30.0], "index.not_numbers"),
        ([None], [30.0], "index.not_on_earth"),
        ([[120.0]], [[30.0]], "index.not_a_column"),
        (120.0, 30.0, "index.not_a_column"),
        ([120.0, 121.0], [30.0], "index.columns_differ"),
    ],
)
def test_what_is_no_column_is_refused(lon: npt.ArrayLike, lat: npt.ArrayLike, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        UNITS.only(lon, lat)
    assert refused.value.code == code


@pytest.mark.parametrize("reach_m", [-1.0, np.nan, np.inf, [1.0, 2.0]])
def test_a_reach_that_is_none_is_refused(reach_m: npt.ArrayLike) -> None:
    with pytest.raises(Invalid) as refused:
        UNITS.within(LON, LAT, reach_m)
    assert refused.value.code == "index.no_reach"


@pytest.mark.parametrize("shape", [Point(120, 30), LineString([(120, 30), (121, 31)])])
def test_only_polygons_are_units(shape: Point | LineString) -> None:
    with pytest.raises(Invalid) as refused:
        over([box(120, 30, 121, 31), shape])
    assert (refused.value.code, refused.value.params["row"]) == ("index.not_polygons", 1)


@pytest.mark.parametrize("lon", [200.0, np.inf, 1e-40])
def test_a_unit_with_a_vertex_nowhere_is_refused_by_its_row(lon: float) -> None:
    with pytest.raises(Invalid) as refused:
        over([box(120, 30, 121, 31), Polygon([(lon, 30), (121, 30), (121, 31)])])
    assert (refused.value.code, refused.value.params["row"]) == ("index.bad_vertex", 1)


def test_a_unit_without_ground_covers_nothing() -> None:
    assert over([Polygon(), box(120, 30, 121, 31)]).only([120.5], [30.5]).tolist() == [1]


def test_a_unit_of_a_million_vertices_is_a_unit() -> None:
    turn = np.linspace(0, 2 * np.pi, 1_000_001)
    unit = over([Polygon(np.column_stack([120 + np.cos(turn), 30 + np.sin(turn)]))])
    assert unit.only([120.0, 120.7, 120.8], [30.0, 30.7, 30.8]).tolist() == [0, 0, index.NONE]
