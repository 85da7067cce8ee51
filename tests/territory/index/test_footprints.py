"""What shares footprints have: exact, whatever edge comes near, and cut only where one does."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

from gis.territory import index
from gis.territory.index import cut
from gis.territory.index.memory import over
from tests import town
from tests.territory.index.grounds import Ground, grounds


@st.composite
def footprints(draw: st.DrawFn) -> BaseGeometry:
    """Draw a house, an L, a ring about a yard, or a line, in parts of the ground they are put on."""
    x, y, size = draw(st.floats(-0.1, 1)), draw(st.floats(-0.1, 1)), draw(st.sampled_from([0.003, 0.05, 0.4, 1.3]))
    whole, corner = box(x, y, x + size, y + size), box(x + size / 2, y + size / 2, x + size, y + size)
    kind = draw(st.sampled_from(["house", "L", "ring", "line", "tilted"]))
    if kind == "line":
        return LineString([(x, y), (x + size, y), (x + size / 3, y + size)])
    if kind == "tilted":
        return Polygon([(x, y), (x + size, y + size / 3), (x + size / 2, y + size)])
    yard = box(x + size / 3, y + size / 3, x + size / 2, y + size / 2)
    return {"house": whole, "L": whole.difference(corner), "ring": whole.difference(yard)}[kind]


def put(footprint: BaseGeometry, ground: Ground) -> BaseGeometry:
    west, south, east, north = shapely.total_bounds(ground)
    put_: BaseGeometry = shapely.transform(footprint, lambda at: at * [east - west, north - south] + [west, south])
    return put_


@given(ground=grounds(), drawn=st.lists(footprints(), min_size=1, max_size=5))
def test_shares_are_those_of_every_unit_asked_one_by_one(ground: Ground, drawn: list[BaseGeometry]) -> None:
    if not ground:
        return
    placed = np.array([put(each, ground) for each in drawn], dtype=object)
    placed = placed[shapely.is_valid(placed)]
    found = over(ground).shares(placed)
    ours = np.zeros((len(placed), len(ground)))
    ours[found.footprint, found.row] = found.share
    units = np.array(ground, dtype=object)
    for nth, footprint in enumerate(placed):
        held = np.full(len(units), footprint, dtype=object)
        theirs = np.where(shapely.covers(units, footprint), 1.0, cut.share(held, units))
        # An edge that touches, or comes as near as rounding, may be cut or not.
        assert ours[nth] == pytest.approx(theirs, abs=1e-9)


def test_what_no_edge_comes_to_need_not_be_cut() -> None:
    units = over([town.field(0, 0, 2, 2), town.field(2, 0, 4, 2)])
    beside = Polygon([town.lonlat(1.9, 0.1), town.lonlat(1.9, 1.9), town.lonlat(1.999, 1)])
    across = town.field(1, 1, 3, 1.5)
    footprints = np.array([town.field(1, 1, 1.5, 1.5), beside, town.field(6, 6, 7, 7), across])
    assert units.whole(footprints).tolist() == [0, 0, index.NONE, index.SEVERAL]


def test_a_unit_that_lies_whole_inside_a_footprint_counts() -> None:
    yard = town.field(1, 1, 2, 2)
    found = over([town.field(0, 0, 3, 3).difference(yard), yard]).shares(np.array([town.field(0.5, 0.5, 2.5, 2.5)]))
    assert found.share == pytest.approx([0.75, 0.25], abs=1e-12)


def test_a_footprint_with_a_yard_about_a_unit_does_not_hold_it() -> None:
    yard = town.field(1, 1, 2, 2)
    ring = town.field(0.5, 0.5, 2.5, 2.5).difference(town.field(0.9, 0.9, 2.1, 2.1))
    units = over([town.field(0, 0, 3, 3).difference(yard), yard])
    assert units.whole(np.array([ring])).tolist() == [0]


def test_a_footprint_on_nobodys_ground_has_no_share() -> None:
    assert over([town.field(0, 0, 1, 1)]).shares(np.array([town.field(5, 5, 6, 6)])).share.tolist() == []


def test_an_empty_footprint_has_no_share() -> None:
    assert over([town.field(0, 0, 1, 1)]).shares(np.array([Polygon()])).share.tolist() == []


def test_no_footprints_have_no_shares() -> None:
    units = over([town.field(0, 0, 1, 1)])
    assert units.shares(np.empty(0, dtype=object)).share.tolist() == []
    assert units.whole(np.empty(0, dtype=object)).tolist() == []


@pytest.mark.parametrize("spot", [shapely.Point(1, 1), shapely.LineString([(1, 1), (1, 1)])])
def test_what_has_no_size_is_wholly_in_every_unit_that_it_touches(spot: BaseGeometry) -> None:
    four = over([box(x, y, x + 1, y + 1) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))])
    found = four.shares(np.array([spot], dtype=object))
    assert (found.row.tolist(), found.share.tolist()) == ([0, 1, 2, 3], [1.0] * 4)
