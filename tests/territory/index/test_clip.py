"""The plain cut: the same shares as GEOS to the last bits where lines cross, and nothing said where they only touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from gis.territory.index import clip, cut
from gis.territory.index.memory import GridLevel, over
from tests import town

CITY = (120.5, 30.25)
QUARTERS = [box(x, y, x + 1, y + 1) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]


def placed(shape: BaseGeometry, size_deg: float) -> BaseGeometry:
    moved: BaseGeometry = shapely.transform(shape, lambda at: at * size_deg + CITY)
    return moved


def cut_of(units: Sequence[BaseGeometry], footprint: BaseGeometry) -> tuple[dict[int, float], bool]:
    """Return the shares told by the plain cut, by row, and whether it told any."""
    level = over(units)
    assert isinstance(level, GridLevel)
    found, is_cut = level._clipped(np.array([footprint], dtype=object))
    return dict(zip(found.row.tolist(), found.share.tolist(), strict=True)), bool(is_cut[0])


def by_geos(units: Sequence[BaseGeometry], footprint: BaseGeometry) -> dict[int, float]:
    held = np.full(len(units), footprint, dtype=object)
    shares = cut.share(held, np.array(units, dtype=object))
    return {row: share for row, share in enumerate(shares.tolist()) if share > 0}


@st.composite
def crooked(draw: st.DrawFn) -> BaseGeometry:
    """Draw a crooked ring of any numbers about somewhere, with a yard in it or not, or two of them apart."""
    x, y, reach = draw(st.floats(-0.5, 0.5)), draw(st.floats(-0.5, 0.5)), draw(st.floats(0.01, 1.5))
    far = np.array(draw(st.lists(st.floats(0.5, 1), min_size=3, max_size=9)))
    turn = np.linspace(0, 2 * np.pi, len(far), endpoint=False) + draw(st.floats(0, 6))
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * far[:, None]
    shell = Polygon(ring * reach + [x, y])
    kind = draw(st.sampled_from(["plain", "turned", "yard", "two"]))
    if kind == "yard":
        return Polygon(shell.exterior, [ring * reach / 3 + [x, y]])
    if kind == "two":
        return MultiPolygon([shell, Polygon(ring * reach + [x + 3 * reach, y])])
    return shapely.reverse(shell) if kind == "turned" else shell


thousandths = st.integers(-1000, 1000).map(lambda number: number / 1000)


@given(seeds=st.lists(st.tuples(thousandths, thousandths), min_size=1, max_size=7, unique=True),
       footprint=crooked(), size_deg=st.sampled_from([0.1, 1e-3, 1e-5]))  # fmt: skip
def test_shares_are_those_of_geos_to_the_last_bits(
    seeds: list[tuple[float, float]], footprint: BaseGeometry, size_deg: float
) -> None:
    parts = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=box(-2, -2, 2, 2)))
    units = [placed(part, size_deg) for part in parts]
    on_ground = placed(footprint, size_deg)
    if not shapely.is_valid(on_ground) or not all(shapely.is_valid(unit) for unit in units):
        return
    ours, is_cut = cut_of(units, on_ground)
    if is_cut:
        assert ours == pytest.approx(by_geos(units, on_ground), abs=1e-12)


def test_a_house_across_a_line_has_a_third_here_and_two_thirds_there() -> None:
    shares, is_cut = cut_of([town.field(0, 0, 2, 2), town.field(2, 0, 4, 2)], town.field(1.5, 0.5, 3, 1))
    assert is_cut
    assert shares == pytest.approx({0: 1 / 3, 1: 2 / 3}, abs=1e-12)


def test_a_unit_whole_inside_a_footprint_counts() -> None:
    shares, is_cut = cut_of([*QUARTERS, box(2, 0, 3, 1)], box(0.5, -0.5, 3.5, 0.5))
    assert is_cut
    assert shares == pytest.approx({0: 0.25 / 3, 1: 0.5 / 3, 4: 0.5 / 3}, abs=1e-15)


def test_a_yard_is_nobodys_share() -> None:
    house = box(3, 1, 6, 3).difference(box(4.5, 1.5, 5, 2))
    shares, _ = cut_of([box(0, 0, 4, 4), box(4, 0, 8, 4)], house)
    assert shares == pytest.approx({0: 2 / 5.75, 1: 3.75 / 5.75}, abs=1e-15)


def test_of_ground_half_of_which_is_nobodys_half_is_told() -> None:
    assert cut_of([box(0, 0, 1, 1)], box(0.5, 0.25, 1.5, 0.75)) == ({0: 0.5}, True)


def test_a_footprint_that_no_edge_comes_to_is_all_of_one() -> None:
    assert cut_of(QUARTERS, box(0.25, 0.25, 0.7, 0.3)) == ({0: 1.0}, True)


@pytest.mark.parametrize(
    "footprint",
    [
        pytest.param(box(0.5, 0.5, 1, 0.75), id="a side on the line"),
        pytest.param(Polygon([(0.5, 0.25), (1, 0.5), (0.5, 0.75)]), id="a corner on the line"),
        pytest.param(Polygon([(0.5, 0.5), (1.5, 0.5), (1.5, 1.5)]), id="a side through the corner of four"),
    ],
)
def test_what_touches_a_line_is_not_for_the_plain_cut(footprint: BaseGeometry) -> None:
    assert cut_of(QUARTERS, footprint) == ({}, False)


def test_ground_that_two_cover_is_not_for_the_plain_cut() -> None:
    assert cut_of([box(0, 0, 2, 2), box(1, 0, 3, 2)], box(0.5, 0.5, 1.5, 1)) == ({}, False)


def test_a_footprint_that_more_edges_come_to_than_there_is_room_is_not_for_the_plain_cut() -> None:
    steps = np.linspace(0, 1, 2 * clip.MOST_EDGES)
    zigzag = np.column_stack([0.5 + 0.01 * (np.arange(len(steps)) % 2), steps])
    west = Polygon([(0, 0), *zigzag, (0, 1)])
    assert cut_of([west, box(0, 0, 1, 1).difference(west)], box(0.25, 0.001, 0.75, 0.999)) == ({}, False)


def test_shares_of_both_sides_of_every_line_add_up_to_one() -> None:
    cells = [placed(box(x, y, x + 1, y + 1), 1e-3) for x in range(9) for y in range(9)]
    shares, is_cut = cut_of(cells, placed(Polygon([(0.3, 0.2), (8.7, 3.1), (7.3, 8.8), (1.1, 5.7)]), 1e-3))
    assert is_cut
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
