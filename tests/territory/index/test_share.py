"""Which units share a line, and how long it is."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from gis.territory import index
from gis.territory.index.memory import over
from tests import town
from tests.territory.index.grounds import Ground, cells, coverage

# Whole numbers and halves of them: what lies on one line does so to the last bit.
GROUNDS = st.lists(st.one_of(coverage(), cells()), min_size=1, max_size=2).map(lambda kinds: [*chain(*kinds)])


def shared(*units: BaseGeometry) -> dict[tuple[int, int], float]:
    a, b, metres = over(units).contiguity()
    return dict(zip(zip(a.tolist(), b.tolist(), strict=True), metres.tolist(), strict=True))


def length_m(*line: tuple[float, float]) -> float:
    return float(index.path_lengths_m(np.array([shapely.LineString(line)]))[0])


def test_neighbours_share_their_edge_in_metres() -> None:
    expected = length_m(town.lonlat(2, 0), town.lonlat(2, 2))
    assert shared(town.field(0, 0, 2, 2), town.field(2, 0, 4, 2)) == {(0, 1): pytest.approx(expected, rel=1e-14)}


def test_a_corner_is_no_line() -> None:
    assert shared(town.field(0, 0, 1, 1), town.field(1, 1, 2, 2)) == {}


def test_neighbours_with_vertices_of_their_own_share_what_they_have_in_common() -> None:
    found = shared(town.field(0, 0, 2, 2), town.field(2, 0, 4, 1), town.field(2, 1, 4, 3))
    half = length_m(town.lonlat(2, 0), town.lonlat(2, 1))
    assert found.keys() == {(0, 1), (0, 2), (1, 2)}
    assert [found[0, 1], found[0, 2]] == pytest.approx([half, half], rel=1e-5)


def test_a_unit_drawn_twice_shares_all_its_boundary_with_itself() -> None:
    unit = town.field(0, 0, 1, 1)
    around = float(index.path_lengths_m(np.array([shapely.boundary(unit)]))[0])
    assert shared(unit, unit) == {(0, 1): pytest.approx(around, rel=1e-12)}


def test_a_hole_is_shared_with_what_fills_it() -> None:
    filling = town.field(1, 1, 2, 2)
    assert shared(town.field(0, 0, 3, 3).difference(filling), filling).keys() == {(0, 1)}


def test_a_line_across_many_degrees_keeps_its_length() -> None:
    found = shared(box(10, -60, 20, 70), box(20, -60, 30, 70))
    assert found[0, 1] == pytest.approx(length_m((20, -60), (20, 70)), rel=1e-12)


@given(ground=GROUNDS)
def test_those_that_share_a_line_are_those_whose_boundaries_meet_in_one(ground: Ground) -> None:
    units = [shapely.transform(unit, lambda at: at * 2**-7 + [120.5, 30.25]) for unit in ground]
    lines = [shapely.boundary(unit) for unit in units]
    expected = {}
    for a in range(len(units)):
        for b in range(a + 1, len(units)):
            if shapely.relate_pattern(units[a], units[b], "****1****"):
                line = shapely.intersection(lines[a], lines[b])
                expected[a, b] = float(index.path_lengths_m(np.array([line]))[0])
    found = shared(*units)
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx([expected[pair] for pair in found], rel=1e-9)
