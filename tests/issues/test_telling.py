"""Who is told of an issue that is filed and dispatched at once: its departments, once; of history nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.issues import intake
from gis.issues.intake import CategoryKey, Clerk, Report
from tests import town
from tests.issues import filed

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
CLERK = Clerk("wu", NOW)


@pytest.fixture
def city(session: Session) -> Session:
    """Give the town a duty list: manholes are the urban managers'."""
    town.build(session)
    filed.people(session)
    list_id = session.scalar(
        text("""
        INSERT INTO duty_list (name, version, state, valid_from, loaded_at, loaded_by)
        VALUES ('city', '1', 'active', '2024-01-01', :now, 'li') RETURNING id
        """),
        {"now": NOW},
    )
    session.execute(
        text("""
        INSERT INTO duty (list_id, row, scheme, category, condition, leads, assists)
        VALUES (:list_id, 1, 'gb', '0501', '{}', '{CG}', '{SW}')
        """),
        {"list_id": list_id},
    )
    return session


def report(external_id: str = "1") -> Report:
    lon, lat = town.lonlat(0.25, 0.25)
    return Report("12345", external_id, CategoryKey("gb", "1", "0501"), "井盖破损", NOW, {"lon": lon, "lat": lat})


def told(session: Session) -> list[tuple[str, str]]:
    return [tuple(row) for row in session.execute(text("SELECT event, recipient FROM message ORDER BY id"))]


def test_the_departments_of_a_report_that_is_dispatched_at_once_are_called(city: Session) -> None:
    intake.accept(city, report(), by="wu", now=NOW)
    assert city.scalar(text("SELECT state FROM issue")) == "dispatched"
    assert told(city) == [("called", "department:cg"), ("called", "department:sw")]


def test_the_same_report_again_tells_nobody_again(city: Session) -> None:
    for _ in range(2):
        intake.accept(city, report(), by="wu", now=NOW)
    assert len(told(city)) == 2


def test_of_history_nobody_is_told(city: Session) -> None:
    intake.accept_many(city, [report(str(nth)) for nth in range(3)], replace(CLERK, quiet=True))
    assert told(city) == []


def test_who_was_called_before_is_not_called_anew_when_it_finds_its_place(city: Session) -> None:
    code = intake.accept(city, report(), by="wu", now=NOW).code
    lon, lat = town.lonlat(0.75, 0.75)
    intake.place(city, code, {"lon": lon, "lat": lat}, CLERK)
    assert len(told(city)) == 2
