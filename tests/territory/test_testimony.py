"""A person found out on which side of a line a place is: what follows from the place is narrowed, the place stays."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from gis.errors import Invalid
from gis.territory import locate
from gis.territory.location import LevelAnswer, Location
from tests import town

ON = date(2026, 6, 1)
# Ten metres west of the line between the districts, with an error that reaches across it and across no other.
NEAR = {"lon": 120.52 - 10 / 96_000, "lat": 30.2555, "accuracy_m": 30, "accuracy_kind": "radius95"}
EAST, WEST = "admin:district:990102", "admin:district:990101"


@pytest.fixture
def city(session: Session) -> Session:
    town.build(session)
    return session


def level(found: Location, net: str, code: str) -> LevelAnswer:
    answer = found.net(net)
    assert answer
    return next(each for each in answer.levels if each.level == code)


def on_side(session: Session, unit: str, said: dict[str, object] | None = None) -> Location:
    return locate.on_side(session, locate.parse(said or NEAR), unit, ON)


def test_before_it_is_found_out_both_sides_are_likely(city: Session) -> None:
    found = locate.at(city, locate.parse(NEAR), ON)
    assert {each.unit.code for each in level(found, "admin", "district").probable} == {"990101", "990102"}
    assert "near_boundary" in found.flags


@pytest.mark.parametrize("unit", [EAST, WEST])
def test_the_side_found_out_is_certain(city: Session, unit: str) -> None:
    answer = level(on_side(city, unit), "admin", "district")
    assert [(each.unit.key, each.probability) for each in answer.probable] == [(unit, 1.0)]
    assert answer.primary
    assert answer.primary.key == unit


def test_where_it_was_reported_stays(city: Session) -> None:
    place = on_side(city, EAST).place
    assert place.middle == (NEAR["lon"], NEAR["lat"])
    assert place.accuracy_m == 30


def test_a_subdistrict_brings_its_district_and_what_lies_in_it(city: Session) -> None:
    found = on_side(city, "admin:subdistrict:990102001")
    admin = found.net("admin")
    assert admin
    assert [unit.code for unit in admin.chain] == ["9901", "990102", "990102001", "990102001001"]


def test_nets_drawn_inside_follow_and_others_stay(city: Session) -> None:
    before = locate.at(city, locate.parse(NEAR), ON)
    found = on_side(city, EAST)
    grid = level(found, "governance", "grid").primary
    assert grid
    assert grid.code == "990102001001001"
    assert found.net("police") == before.net("police")


def test_it_is_near_no_line_any_more(city: Session) -> None:
    assert on_side(city, EAST).flags == ()


def test_a_fix_without_accuracy_can_be_on_either_side_that_is_near(city: Session) -> None:
    said = {"lon": NEAR["lon"], "lat": NEAR["lat"]}
    primary = level(on_side(city, EAST, said), "admin", "district").primary
    assert primary
    assert primary.key == EAST


@pytest.mark.parametrize("unit", ["admin:district:990103", "admin:nothing:990101", "nowhere", "", "police:precinct:p1"])
def test_a_unit_out_of_reach_is_refused(city: Session, unit: str) -> None:
    with pytest.raises(Invalid, match=r"sides\.no_candidate"):
        on_side(city, unit)


def test_what_lies_on_both_sides_has_no_one_side(city: Session) -> None:
    line = {"type": "LineString", "coordinates": [town.lonlat(1.9, 0.5), town.lonlat(2.1, 0.5)]}
    with pytest.raises(Invalid, match=r"sides\.has_parts"):
        on_side(city, EAST, {"geometry": line})


def test_on_a_corner_the_odds_of_what_is_left_add_up(city: Session) -> None:
    lon, lat = town.lonlat(2.0, 1.0)
    found = on_side(city, EAST, {"lon": lon, "lat": lat, "accuracy_m": 30})
    left = level(found, "admin", "subdistrict").probable
    assert {each.unit.code for each in left} == {"990102001", "990102002"}
    assert sum(each.probability or 0 for each in left) == pytest.approx(1)
