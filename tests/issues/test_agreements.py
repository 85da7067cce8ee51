"""Standing agreements: added without code, and asked by place and day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from shapely.geometry import LineString, Point, mapping
from sqlalchemy.orm import Session

from gis.errors import Conflict, NotFound, Problems
from gis.issues import agreements, categories, drafts
from gis.territory import coords
from tests import town

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ON = date(2026, 6, 1)
WEST, EAST = "admin:district:990101", "admin:district:990102"


@pytest.fixture
def city(session: Session) -> None:
    town.build(session)
    categories.load(session, categories.DATA / "cg-2013.csv")


def said(**changes: object) -> dict[str, object]:
    return {
        "title": "沿河路",
        "geometry": mapping(town.field(1.5, 0, 2.5, 1)),
        "parties": [WEST, EAST],
        "lead": EAST,
        "valid_from": "2026-01-01",
    } | changes


def added(session: Session, **changes: object) -> str:
    return agreements.add(session, drafts.parse(said(**changes)), by="ann", now=NOW)


def codes_at(session: Session, x: float, y: float, on: date = ON) -> list[str]:
    return [pact.code for pact in agreements.at(session, town.at(x, y), on)]


def problems_of(**changes: object) -> list[str]:
    with pytest.raises(Problems) as raised:
        drafts.parse(said(**changes))
    return [problem.code.removeprefix("agreements.") for problem in raised.value.problems]


def test_an_agreement_added_is_found_at_its_place(session: Session, city: None) -> None:
    code = added(session)
    assert codes_at(session, 1.6, 0.5) == [code]


def test_a_place_outside_its_ground_has_none(session: Session, city: None) -> None:
    added(session)
    assert codes_at(session, 1.4, 0.5) == []


def test_its_edge_belongs_to_it(session: Session, city: None) -> None:
    added(session)
    assert len(codes_at(session, 1.5, 0.5)) == 1


@pytest.mark.parametrize(("day", "n"), [((2025, 12, 31), 0), ((2026, 1, 1), 1), ((2026, 6, 30), 1), ((2026, 7, 1), 0)])
def test_it_holds_from_its_first_day_to_before_its_last(
    session: Session, city: None, day: tuple[int, int, int], n: int
) -> None:
    added(session, valid_to="2026-07-01")
    assert len(codes_at(session, 2, 0.5, date(*day))) == n


def test_withdrawn_it_speaks_no_more_and_stays_on_record(session: Session, city: None) -> None:
    code = added(session)
    agreements.withdraw(session, code, now=NOW)
    assert codes_at(session, 2, 0.5) == []
    assert [(each.code, each.withdrawn_at) for each in agreements.find(session)] == [(code, NOW)]


def test_it_is_withdrawn_once(session: Session, city: None) -> None:
    code = added(session)
    agreements.withdraw(session, code, now=NOW)
    with pytest.raises(Conflict):
        agreements.withdraw(session, code, now=NOW)


def test_an_unknown_one_cannot_be_withdrawn(session: Session) -> None:
    with pytest.raises(NotFound):
        agreements.withdraw(session, "XY2026-009", now=NOW)


def test_its_units_come_with_what_stands_above_them(session: Session, city: None) -> None:
    added(session, parties=["admin:subdistrict:990101001", EAST])
    [pact] = agreements.at(session, town.at(2, 0.5), ON)
    assert pact.parties[0].above == (WEST, "admin:city:9901")
    assert pact.lead.above == ("admin:city:9901",)


def test_codes_count_within_the_year(session: Session, city: None) -> None:
    assert [added(session), added(session), added(session, valid_from="2027-01-01")] == [
        "XY2026-001", "XY2026-002", "XY2027-001",
    ]  # fmt: skip


def test_a_street_segment_becomes_a_strip_of_its_width(session: Session, city: None) -> None:
    line = LineString([town.lonlat(2, 0.2), town.lonlat(2, 0.8)])
    draft = drafts.parse(said(geometry=mapping(line), width_m=20))
    assert coords.area_m2(draft.geometry) == pytest.approx(20 * coords.length_m(line), rel=1e-3)


@pytest.mark.parametrize(("west", "found"), [(2.4, 1), (2.46, 0)])
def test_a_footprint_is_spoken_for_when_half_of_it_lies_on_the_ground(
    session: Session, city: None, west: float, found: int
) -> None:
    added(session)
    footprint = town.field(west, 0.2, west + 0.1, 0.3)
    assert len(agreements.at(session, footprint, ON)) == found


@pytest.mark.parametrize(("west", "speaks"), [(2.4, True), (2.46, False)])
def test_a_draft_speaks_for_what_it_would_once_added(west: float, speaks: bool) -> None:
    assert drafts.speaks_for(drafts.parse(said()), town.field(west, 0.2, west + 0.1, 0.3)) is speaks


def test_many_places_are_answered_as_each_alone(session: Session, city: None) -> None:
    added(session)
    added(session, geometry=mapping(town.field(0, 0, 1, 1)), valid_to="2026-02-01")
    places = [town.at(2, 0.5), None, town.at(0.5, 0.5), town.field(0, 0, 1, 1), town.at(9, 9), town.at(0.5, 0.5)]
    days = [ON, ON, ON, date(2026, 1, 2), ON, date(2026, 1, 2)]
    each = [agreements.at(session, place, day) for place, day in zip(places, days, strict=True)]
    assert agreements.at_many(session, places, days) == each
    assert [len(found) for found in each] == [1, 0, 0, 1, 0, 1]


def test_everything_missing_is_told_at_once() -> None:
    with pytest.raises(Problems) as raised:
        drafts.parse({})
    names = {problem.params["name"] for problem in raised.value.problems}
    assert {"title", "geometry", "lead", "valid_from"} <= names


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lead": "admin:city:9901"}, "lead_is_no_party"),
        ({"parties": [EAST]}, "one_party"),
        ({"parties": [EAST, "west"]}, "not_a_key"),
        ({"valid_to": "2025-01-01"}, "dates"),
        ({"valid_from": "soon"}, "unreadable"),
        ({"parties": [1, 2]}, "unreadable"),
        ({"geometry": mapping(Point(120, 30))}, "wrong_geometry"),
        ({"geometry": "here"}, "no_geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, "crossing"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [900, 0], [900, 1], [0, 0]]]}}, "not_degrees"),
        ({"geometry": {"type": "LineString", "coordinates": [[120, 30], [120.1, 30]]}}, "width"),
        ({"geometry": {"type": "LineString", "coordinates": [[120, 30], [120.1, 30]]}, "width_m": "NaN"}, "width"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], problem: str) -> None:
    assert problem in problems_of(**changes)


def test_units_and_categories_that_do_not_exist_are_refused(session: Session, city: None) -> None:
    draft = drafts.parse(said(parties=[EAST, "admin:district:999999"], categories=["E0101", "X1"]))
    with pytest.raises(Problems) as raised:
        agreements.add(session, draft, by="ann", now=NOW)
    assert [problem.code for problem in raised.value.problems] == [
        "agreements.unknown_unit", "agreements.unknown_category",
    ]  # fmt: skip


def test_a_title_with_markup_is_kept_as_it_is(session: Session, city: None) -> None:
    added(session, title="<script>alert(1)</script>'; DROP TABLE agreement;--")
    assert agreements.find(session)[0].title.startswith("<script>")


def test_its_ground_is_told_as_geojson(session: Session, city: None) -> None:
    added(session)
    assert json.loads(agreements.find(session)[0].geometry)["type"] == "Polygon"
