"""Where issues gather: each counts for one place, most first, with the departments called there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues.listing import Filters
from gis.planning import hotspots
from gis.planning.hotspots import Hotspot
from tests import town
from tests.issues import filed

ON = town.SINCE


@pytest.fixture(autouse=True)
def _town(session: Session) -> None:
    town.build(session)
    filed.people(session)


def found_at(
    session: Session, nth: int, estate: str = "", street: tuple[str, float] | None = None, **more: object
) -> None:
    """File an issue whose finding names an estate, a street with its distance, and the cell under (1, 0.5)."""
    issue_id = filed.issue(session, nth, **more)  # type: ignore[arg-type]
    cell = {"level": "cell", "primary": "990101001001002", "units": [{"code": "990101001001002", "name": "cell"}]}
    location = {
        "estate": {"id": estate, "name": estate, "name_en": estate, "distance_m": 0} if estate else None,
        "street": {"id": street[0], "name": street[0], "name_en": "", "distance_m": street[1]} if street else None,
        "nets": [{"net": "unit_grid", "levels": [cell]}],
    }
    session.execute(
        text("INSERT INTO finding VALUES (:id, 1, :location, :at, 'test')"),
        {"id": issue_id, "location": Json(location), "at": filed.AT},
    )


def found(session: Session, **more: object) -> list[Hotspot]:
    return hotspots.find(session, Filters(**more), on=ON)  # type: ignore[arg-type]


def test_an_issue_in_an_estate_counts_for_the_estate_alone(session: Session) -> None:
    for nth in (1, 2):
        found_at(session, nth, estate="garden", street=("main", 5.0))
    assert [(spot.kind, spot.key, spot.issues_n) for spot in found(session)] == [("estate", "garden", 2)]


def test_an_issue_outside_estates_counts_for_its_street(session: Session) -> None:
    for nth in (1, 2):
        found_at(session, nth, street=("main", 30.0))
    assert [(spot.kind, spot.key) for spot in found(session)] == [("street", "main")]


def test_an_issue_far_from_any_street_counts_for_its_cell(session: Session) -> None:
    for nth in (1, 2):
        found_at(session, nth, street=("main", 30.1))
    assert [(spot.kind, spot.key) for spot in found(session)] == [("cell", "990101001001002")]


def test_one_issue_is_no_gathering(session: Session) -> None:
    found_at(session, 1, estate="garden")
    assert found(session) == []


def test_most_comes_first(session: Session) -> None:
    for nth in (1, 2):
        found_at(session, nth, estate="few")
    for nth in (3, 4, 5):
        found_at(session, nth, estate="many")
    assert [spot.name for spot in found(session)] == ["many", "few"]


def test_departments_are_counted_most_first(session: Session) -> None:
    found_at(session, 1, estate="garden", departments=["cg", "sw"])
    found_at(session, 2, estate="garden", departments=["sw"])
    assert found(session)[0].departments == (("sw", 2), ("cg", 1))


def test_the_filters_of_the_list_hold_here_too(session: Session) -> None:
    for nth in (1, 2):
        found_at(session, nth, estate="old", reported_at=filed.AT - timedelta(days=40))
    assert found(session, since=filed.AT - timedelta(days=7)) == []


def test_the_last_finding_counts(session: Session) -> None:
    for nth in (1, 2):
        found_at(session, nth, estate="first")
    session.execute(
        text(
            "INSERT INTO finding SELECT issue_id, 2, jsonb_set(location, '{estate}', :moved), found_at, found_by"
            " FROM finding"
        ),
        {"moved": Json({"id": "second", "name": "second", "name_en": "", "distance_m": 0})},
    )
    assert [spot.key for spot in found(session)] == ["second"]


def test_the_box_holds_its_issues(session: Session) -> None:
    found_at(session, 1, estate="garden", x=1.0, y=0.25)
    found_at(session, 2, estate="garden", x=1.5, y=0.75)
    assert found(session)[0].box == pytest.approx((*town.lonlat(1.0, 0.25), *town.lonlat(1.5, 0.75)))


def test_the_finest_level_is_the_one_with_the_smallest_units(session: Session) -> None:
    assert hotspots.finest_level(session, ON) == ("unit_grid", "cell")


def test_without_ground_there_is_no_finest_level(session: Session) -> None:
    assert hotspots.finest_level(session, town.SINCE - timedelta(days=1)) == ("", "")
