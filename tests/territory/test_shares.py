"""Exact shares of places in units, and what lies across a line."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.affinity import rotate
from shapely.geometry import MultiPolygon, Polygon, box
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Invalid, NotFound
from gis.territory import places
from gis.territory.index.memory import over
from gis.territory.places import Sliver
from tests.territory.plots import EAST, NORTH, STEP, add_building, add_edition, add_net, add_unit, plot
from tests.territory.test_geocode import add_street

SINCE = date(2023, 1, 1)


@pytest.fixture
def edition_id(session: Session) -> int:
    """Two districts, W from 0 to 4 and E from 4 to 8; a gap from 8 to 9; G beyond, which overlaps H from 10 to 11."""
    add_net(session, "admin", "district")
    made = add_edition(session, "admin", "2023", SINCE)
    for code, west, east in (("W", 0, 4), ("E", 4, 8), ("G", 9, 11), ("H", 10, 12)):
        add_unit(session, made, "district", code, plot(west, 0, east, 4))
    return made.id


def shares_of(session: Session, external_id: str) -> dict[str, float]:
    rows = session.execute(
        text("""
            SELECT u.code, s.share FROM place_share s JOIN unit u ON u.id = s.unit_id
            JOIN building b ON b.id = s.place_id AND s.kind = 'building' WHERE b.external_id = :external_id
        """),
        {"external_id": external_id},
    )
    return dict(rows.tuples().all())


def shared(session: Session, edition_id: int, ground: Polygon | MultiPolygon) -> dict[str, float]:
    add_building(session, "house", ground)
    places.share_all(session, [edition_id])
    return shares_of(session, "house")


def test_a_building_within_a_unit_lies_there_whole(session: Session, edition_id: int) -> None:
    assert shared(session, edition_id, plot(1, 1, 2, 2)) == {"W": 1.0}


def test_a_building_up_to_the_line_lies_on_one_side_only(session: Session, edition_id: int) -> None:
    assert shared(session, edition_id, plot(3, 1, 4, 2)) == {"W": 1.0}


def test_a_third_and_two_thirds(session: Session, edition_id: int) -> None:
    assert shared(session, edition_id, plot(3, 1, 6, 2)) == pytest.approx({"W": 1 / 3, "E": 2 / 3}, abs=1e-9)


def test_the_part_in_a_gap_belongs_to_nobody(session: Session, edition_id: int) -> None:
    assert shared(session, edition_id, plot(7, 1, 9, 2)) == pytest.approx({"E": 0.5}, abs=1e-9)


def test_the_part_in_an_overlap_counts_on_both_sides(session: Session, edition_id: int) -> None:
    assert shared(session, edition_id, plot(9.5, 1, 10.5, 2)) == pytest.approx({"G": 1.0, "H": 0.5}, abs=1e-9)


def test_all_parts_and_holes_of_a_building_count(session: Session, edition_id: int) -> None:
    ring = Polygon(plot(1, 1, 3, 3).exterior, [plot(1.5, 1.5, 2.5, 2.5).exterior])
    ground = MultiPolygon([ring, plot(5, 1, 6, 2)])
    assert shared(session, edition_id, ground) == pytest.approx({"W": 0.75, "E": 0.25}, abs=1e-9)


def test_sharing_again_changes_nothing(session: Session, edition_id: int) -> None:
    first = shared(session, edition_id, plot(3, 1, 6, 2))
    assert places.share_all(session, [edition_id]) == 2
    assert shares_of(session, "house") == first


def test_the_database_finds_the_same_shares(session: Session, edition_id: int) -> None:
    add_building(session, "house", rotate(plot(3, 1, 6, 2), 33))
    places.share_all(session, [edition_id])
    worst = session.scalar(
        text("""
            SELECT max(abs(s.share - ST_Area(ST_Intersection(b.geom, u.geom)) / ST_Area(b.geom)))
            FROM place_share s JOIN unit u ON u.id = s.unit_id JOIN building b ON b.id = s.place_id
        """)
    )
    assert worst < 1e-9


# Lines of a made-up border from south to north, and turned rectangles of a kiosk's to a stadium's size about it.
BORDERS = st.lists(st.floats(-0.001, 0.001), min_size=2, max_size=9)
SIZES = st.floats(5e-6, 4e-3)


@given(BORDERS, SIZES, SIZES, st.floats(0, 180), st.floats(-0.002, 0.002))
def test_shares_add_up_to_one_where_units_cover(
    bends: list[float], a: float, b: float, turn: float, off: float
) -> None:
    line = [(EAST + bend, NORTH + 0.02 * step / (len(bends) - 1) - 0.01) for step, bend in enumerate(bends)]
    west = Polygon([(EAST - 0.02, NORTH - 0.01), *line, (EAST - 0.02, NORTH + 0.01)])
    east = Polygon([(EAST + 0.02, NORTH - 0.01), *line, (EAST + 0.02, NORTH + 0.01)])
    house = rotate(box(EAST + off - a / 2, NORTH - b / 2, EAST + off + a / 2, NORTH + b / 2), turn)
    sides = np.array([west, east])
    held = over([west, east]).shares(np.array([house]))
    assert held.share.sum() == pytest.approx(1.0, abs=1e-9)
    expected = shapely.area(shapely.intersection(sides, house)) / house.area
    found = np.zeros(2)
    found[held.row] = held.share
    # the reference itself rounds: a coordinate near 114 is good to 1.4e-14 degrees
    assert found == pytest.approx(expected, abs=1e-9 + 1.5e-14 * (1 / a + 1 / b))
    assert set(held.footprint) == {0}


def test_a_place_across_a_line_is_listed_with_its_parts(session: Session, edition_id: int) -> None:
    add_building(session, "across", plot(3, 1, 6, 2), name="东西楼")
    add_building(session, "inside", plot(1, 1, 2, 2))
    places.share_all(session, [edition_id])
    (found,) = places.straddlers(session, edition_id, "district", "building")
    assert (found.external_id, found.name) == ("across", "东西楼")
    assert [part.unit.code for part in found.parts] == ["E", "W"]
    assert [part.share for part in found.parts] == pytest.approx([2 / 3, 1 / 3], abs=1e-9)
    assert found.geometry.equals(plot(3, 1, 6, 2))


def test_a_building_without_a_name_is_listed_by_its_street_and_number(session: Session, edition_id: int) -> None:
    add_building(session, "across", plot(3, 1, 6, 2), name="", street_name="通河街", house_number="12号")
    places.share_all(session, [edition_id])
    (found,) = places.straddlers(session, edition_id, "district", "building")
    assert found.name == "通河街12号"


def test_in_english_it_goes_by_the_english_name_of_its_street(session: Session, edition_id: int) -> None:
    add_building(session, "across", plot(3, 1, 6, 2), name="", name_en="", street_name="通河街", house_number="12号")
    add_street(session, "通河街", plot(3, 0, 6, 0.5), "Tonghe Street")
    places.share_all(session, [edition_id])
    (found,) = places.straddlers(session, edition_id, "district", "building")
    assert (found.name, found.name_en) == ("通河街12号", "Tonghe Street, No. 12")


def test_one_place_across_a_line_is_found_by_its_number(session: Session, edition_id: int) -> None:
    add_building(session, "across", plot(3, 1, 6, 2))
    add_building(session, "inside", plot(1, 1, 2, 2))
    places.share_all(session, [edition_id])
    (listed,) = places.straddlers(session, edition_id, "district", "building")
    assert places.straddler(session, edition_id, "district", ("building", listed.id)) == listed
    with pytest.raises(NotFound):
        places.straddler(session, edition_id, "district", ("building", listed.id + 1))


def test_a_sliver_across_the_line_does_not_count(session: Session, edition_id: int) -> None:
    add_building(session, "one in two hundred", plot(2.01, 1, 4.01, 2), area_m2=800.0)
    places.share_all(session, [edition_id])
    assert places.straddlers(session, edition_id, "district", "building") == ()


def test_a_small_share_of_a_large_place_counts(session: Session, edition_id: int) -> None:
    add_building(session, "one in two hundred", plot(2.01, 1, 4.01, 2), area_m2=2000.0)
    places.share_all(session, [edition_id])
    assert len(places.straddlers(session, edition_id, "district", "building")) == 1
    assert places.straddlers(session, edition_id, "district", "building", Sliver(0.01, 20.0)) == ()


def test_the_most_evenly_divided_comes_first(session: Session, edition_id: int) -> None:
    add_building(session, "a tenth", plot(3.1, 1, 4.1, 2))
    add_building(session, "half", plot(3.5, 2, 4.5, 3))
    places.share_all(session, [edition_id])
    found = places.straddlers(session, edition_id, "district", "building")
    assert [each.external_id for each in found] == ["half", "a tenth"]


def test_a_place_half_on_nobodys_ground_lies_across_no_line_between_units(session: Session, edition_id: int) -> None:
    add_building(session, "edge", plot(7, 1, 9, 2))
    places.share_all(session, [edition_id])
    assert places.straddlers(session, edition_id, "district", "building") == ()


def test_only_known_kinds_are_asked_for(session: Session, edition_id: int) -> None:
    with pytest.raises(Invalid, match=r"places\.unknown_kind"):
        places.straddlers(session, edition_id, "district", "unit; DROP TABLE unit")


def test_small_things_are_cut_as_exactly_as_large_ones() -> None:
    line = EAST + 0.3 * 1e-6
    sides = over([box(EAST - STEP, NORTH, line, NORTH + STEP), box(line, NORTH, EAST + STEP, NORTH + STEP)])
    kiosk = np.array([rotate(box(EAST - 5e-6, NORTH + 5e-6, EAST + 5e-6, NORTH + 1e-5), 17)])
    assert sides.shares(kiosk).share.sum() == pytest.approx(1.0, abs=1e-12)
