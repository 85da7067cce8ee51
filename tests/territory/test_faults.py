"""Faults planted in a small town of whole numbers are found, with their place and size, and nothing else is."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis import language
from gis.territory import coords, faults
from gis.territory.faults import Fault, LevelRule, Tolerance
from tests.territory.plots import STEP, plot

PLOT, PARENT = LevelRule("plot"), LevelRule("parent")
ONE = plot(0, 0, 1, 1)


def town(*units: tuple[str, BaseGeometry | None], parent_code: str | None = None) -> gpd.GeoDataFrame:
    codes, shapes = zip(*units, strict=True)
    table = {"level": "plot", "code": list(codes), "parent_code": parent_code}
    return gpd.GeoDataFrame(table, geometry=list(shapes), crs=4326)


def row_of(*lengths: float) -> list[tuple[str, Polygon]]:
    edges = [sum(lengths[:end]) for end in range(len(lengths) + 1)]
    return [
        (str(at), plot(*pair, 1)) for at, pair in enumerate(zip(edges, [0] * len(lengths), edges[1:], strict=False))
    ]


def found(units: gpd.GeoDataFrame, *rules: LevelRule, parents: gpd.GeoDataFrame | None = None) -> list[Fault]:
    return faults.find(units, rules or (PLOT,), tolerance=Tolerance(), parents=parents)


def kinds(units: gpd.GeoDataFrame, *rules: LevelRule, parents: gpd.GeoDataFrame | None = None) -> list[str]:
    return [fault.kind for fault in found(units, *rules, parents=parents)]


def nested(child: BaseGeometry, parent: BaseGeometry = ONE, parent_code: str | None = "p") -> gpd.GeoDataFrame:
    shapes, levels = [parent, child], ["parent", "plot"]
    table = {"level": levels, "code": ["p", "c"], "parent_code": [None, parent_code]}
    return gpd.GeoDataFrame(table, geometry=shapes, crs=4326)


def test_plots_that_share_their_lines_have_no_fault() -> None:
    assert found(town(("a", plot(0, 0, 1, 1)), ("b", plot(1, 0, 2, 1)), ("c", plot(0, 1, 2, 2)))) == []


def test_no_units_have_no_fault() -> None:
    assert found(town(("a", ONE)).iloc[:0]) == []


def test_an_overlap_is_found_with_its_size() -> None:
    (fault,) = found(town(("a", plot(0, 0, 2, 1)), ("b", plot(1, 0, 3, 1))))
    assert (fault.kind, fault.codes) == ("overlap", ("a", "b"))
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(1, 0, 2, 1)))


def test_the_place_of_an_overlap_lies_in_it() -> None:
    (fault,) = found(town(("a", plot(0, 0, 2, 1)), ("b", plot(1, 0, 3, 1))))
    assert plot(1, 0, 2, 1).contains(shapely.Point(fault.lonlat or (0, 0)))


def test_two_units_on_the_very_same_ground_overlap() -> None:
    assert kinds(town(("a", ONE), ("b", ONE))) == ["overlap"]


def test_a_unit_inside_another_overlaps_it() -> None:
    assert kinds(town(("a", plot(0, 0, 3, 3)), ("b", plot(1, 1, 2, 2)))) == ["overlap"]


def test_plots_that_touch_in_a_corner_do_not_overlap() -> None:
    assert kinds(town(("a", plot(0, 0, 1, 1)), ("b", plot(1, 1, 2, 2)))) == []


def test_a_hole_inside_the_whole_is_a_gap_and_names_its_neighbours() -> None:
    ring = plot(0, 0, 3, 3).difference(plot(1, 1, 2, 2))
    (fault,) = found(town(("a", ring)))
    assert (fault.kind, fault.codes) == ("gap", ("a",))
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(1, 1, 2, 2)))


def test_an_island_in_a_hole_is_no_part_of_the_gap() -> None:
    ring = plot(0, 0, 5, 5).difference(plot(1, 1, 4, 4))
    (fault,) = found(town(("a", ring), ("b", plot(2, 2, 3, 3))))
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(1, 1, 4, 4) - plot(2, 2, 3, 3)))


def test_ground_of_the_parent_that_no_child_has_is_a_gap_even_at_its_edge() -> None:
    (fault,) = found(nested(plot(0, 0, 0.75, 1)), PARENT, PLOT)
    assert (fault.kind, fault.level) == ("gap", "plot")
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(0.75, 0, 1, 1)), rel=1e-4)


def test_a_parent_without_any_child_is_not_one_great_gap() -> None:
    units = nested(ONE)
    empty = gpd.GeoDataFrame(
        {"level": ["parent"], "code": ["q"], "parent_code": [None]}, geometry=[plot(5, 5, 9, 9)], crs=4326
    )
    assert kinds(gpd.GeoDataFrame(pd.concat([units, empty])), PARENT, PLOT) == []


def test_a_narrow_overlap_is_a_sliver() -> None:
    thin = 0.3 / 96_000 / STEP
    (fault,) = found(town(("a", plot(0, 0, 1 + thin, 1)), ("b", plot(1, 0, 2, 1))))
    assert (fault.kind, fault.params["of"]) == ("sliver", "overlap")
    assert fault.params["width_m"] == pytest.approx(0.3, abs=0.01)


def test_what_is_narrower_than_a_line_is_told_as_one_mismatch_in_millimetres() -> None:
    thin = 0.004 / 96_000 / STEP
    (fault,) = found(town(("a", plot(0, 0, 1 + thin, 1)), ("b", plot(1, 0, 2, 1))))
    assert fault.kind == "mismatch"
    assert fault.params["width_mm"] == pytest.approx(4, abs=0.1)


def test_a_code_that_two_units_have_is_found_once() -> None:
    (fault,) = found(town(("a", plot(0, 0, 1, 1)), ("a", plot(1, 0, 2, 1)), ("b", plot(2, 0, 3, 1))))
    assert (fault.kind, fault.codes, fault.params["count"]) == ("duplicate_code", ("a",), 2)


@pytest.mark.parametrize("code", ["", "a b", "a:b", "990101001001"])
def test_a_malformed_code_is_found(code: str) -> None:
    assert kinds(town((code, ONE)), LevelRule("plot", digits=15)) == ["malformed_code"]


def test_a_bow_tie_is_an_invalid_ring_and_its_crossing_is_the_place() -> None:
    x, y = 114.0, 30.0
    tie = Polygon([(x, y), (x + STEP, y + STEP), (x + STEP, y), (x, y + STEP)])
    (fault,) = found(town(("a", tie)))
    assert fault.kind == "invalid_ring"
    assert fault.lonlat == pytest.approx((x + STEP / 2, y + STEP / 2))


@pytest.mark.parametrize("shape", [None, MultiPolygon()])
def test_a_unit_without_ground_is_empty(shape: BaseGeometry | None) -> None:
    assert kinds(town(("a", shape), ("b", ONE))) == ["empty"]


def test_a_part_apart_from_the_rest_is_an_exclave_beside_its_neighbour() -> None:
    parted = MultiPolygon([plot(0, 0, 2, 1), plot(3, 0, 4, 1)])
    (fault,) = found(town(("a", parted), ("b", plot(2, 0, 3, 1))))
    assert (fault.kind, fault.codes, fault.params["touching"]) == ("exclave", ("a",), "b")
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(3, 0, 4, 1)))


def test_an_island_touches_nobody() -> None:
    (fault,) = found(town(("a", MultiPolygon([plot(0, 0, 2, 1), plot(3, 0, 4, 1)]))))
    assert fault.sentence == "fault.island"


def test_a_child_that_leaves_its_parent_is_found_with_the_part_outside() -> None:
    (fault,) = found(nested(plot(0, 0, 1.5, 1)), PARENT, PLOT)
    assert (fault.kind, fault.codes) == ("outside_parent", ("c",))
    assert fault.area_m2 == pytest.approx(coords.area_m2(plot(1, 0, 1.5, 1)))


def test_a_child_on_its_parents_line_is_inside() -> None:
    assert kinds(nested(ONE), PARENT, PLOT) == []


def test_a_child_whose_parent_does_not_exist_is_found() -> None:
    assert "no_parent" in kinds(nested(ONE, parent_code="nobody"), PARENT, PLOT)


def test_parents_of_another_net_count_for_the_coarsest_level() -> None:
    parents = gpd.GeoDataFrame({"code": ["p"]}, geometry=[plot(0, 0, 1, 1)], crs=4326)
    assert kinds(town(("a", plot(0, 0, 2, 1)), parent_code="p"), parents=parents) == ["outside_parent"]


def test_a_fault_below_the_tolerance_stops_no_load() -> None:
    (fault,) = found(town(("a", plot(0, 0, 2, 1)), ("b", plot(1, 0, 3, 1))))
    assert fault.is_above(Tolerance(overlap_m2=1))
    assert not fault.is_above(Tolerance(overlap_m2=20_000))


def test_exclaves_and_mismatches_stop_no_load() -> None:
    (fault,) = found(town(("a", MultiPolygon([plot(0, 0, 2, 1), plot(3, 0, 4, 1)]))))
    assert not fault.is_above(Tolerance(overlap_m2=0, gap_m2=0, outside_m2=0))


def test_faults_come_out_as_geojson_with_place_and_size() -> None:
    collection = faults.as_geojson(found(town(("a", plot(0, 0, 2, 1)), ("b", plot(1, 0, 3, 1)))))
    (feature,) = collection["features"]
    assert shapely.geometry.shape(feature["geometry"]).equals(plot(1, 0, 2, 1))
    assert feature["properties"]["codes"] == ["a", "b"]
    assert feature["properties"]["area_m2"] > 0


@pytest.mark.parametrize("locale", language.LOCALES)
def test_every_fault_is_a_whole_sentence(locale: str) -> None:
    thin = plot(0, 0, 1 + 0.3 / 96_000 / STEP, 1)
    tie = Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])
    parted = MultiPolygon([plot(7, 0, 9, 1), plot(10, 0, 11, 1)])
    crowd = town(
        ("a", thin), ("b", plot(1, 0, 2, 1)), ("b", plot(1.5, 0, 3, 1)), ("", tie), ("x y", None), ("e", parted)
    )
    told = [language.say(f.sentence, locale, **f.told) for f in found(crowd.assign(file="f", row=1))]
    told += [language.say(f.sentence, locale, **f.told) for f in found(nested(plot(0.5, 0, 1.5, 1)), PARENT, PLOT)]
    assert all("{" not in each and not each.startswith("fault.") for each in told)


def test_a_fault_calls_its_level_by_its_name_in_each_language() -> None:
    street = LevelRule("plot", name_zh="街道", name_en="Subdistrict")
    (fault,) = found(town(("a", plot(0, 0, 2, 1)), ("b", plot(1, 0, 3, 1))), street)
    assert "街道级 a, b 重叠" in language.say(fault.sentence, "zh", **fault.told)
    assert "a, b of level Subdistrict share" in language.say(fault.sentence, "en", **fault.told)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=9), st.data())
def test_the_overlap_and_the_gap_that_a_moved_line_leaves_are_its_own_area(
    lengths: list[int], data: st.DataObject
) -> None:
    units = row_of(*lengths)
    at = data.draw(st.integers(0, len(units) - 1))
    code, shape = units[at]
    west, south, east, north = shape.bounds
    moved = data.draw(st.integers(1, 9)) * STEP / 10
    units[at] = (code, shapely.box(west, south, east + moved, north))
    overlaps = [fault for fault in found(town(*units)) if fault.kind == "overlap"]
    strip = shapely.box(east, south, min(east + moved, units[-1][1].bounds[2]), north)
    wanted = 0.0 if at == len(units) - 1 else coords.area_m2(strip)
    assert sum(fault.area_m2 or 0 for fault in overlaps) == pytest.approx(wanted, rel=1e-6)


CORNER = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 4), st.integers(1, 4))


@given(st.lists(CORNER, min_size=2, max_size=5))
def test_all_overlaps_of_any_plots_are_found(corners: list[tuple[int, int, int, int]]) -> None:
    plots = [plot(x, y, x + wide, y + high) for x, y, wide, high in corners]
    overlaps = [f for f in found(town(*((str(at), each) for at, each in enumerate(plots)))) if f.kind == "overlap"]
    common = [one.intersection(other) for at, one in enumerate(plots) for other in plots[:at]]
    assert sum(f.area_m2 or 0 for f in overlaps) == pytest.approx(sum(map(coords.area_m2, common)), rel=1e-6)
