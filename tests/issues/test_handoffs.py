"""Hand-offs: who gave what to whom and why, and the piece of the line between their units near the issue."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely
from shapely import wkb
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.territory import coords
from tests import town
from tests.issues import looped
from tests.issues.looped import CG, DISPATCHER, LAW, Way


@pytest.fixture
def way(session: Session) -> Way:
    town.build(session)
    looped.people(session)
    return looped.plain(session, x=1.999)


def handed(way: Way, lead: str) -> list[object]:
    way.after(("return", CG, LAW), ("dispatch", DISPATCHER, {"lead": lead, "reason": "改派"}))
    asked = text("SELECT *, ST_AsBinary(geom) AS line FROM handoff")
    return list(way.session.execute(asked).all())


def test_a_hand_off_names_both_departments_their_units_and_the_reason(way: Way) -> None:
    [row] = handed(way, "sw")
    told = (row.from_department, row.to_department, row.from_unit, row.to_unit, row.reason, row.by)  # type: ignore[attr-defined]
    assert told == ("cg", "sw", "admin:district:990101", "admin:district:990102", "改派", "dispatcher")


def test_it_keeps_the_line_between_the_units_near_the_issue(way: Way) -> None:
    [row] = handed(way, "sw")
    line = wkb.loads(bytes(row.line))  # type: ignore[attr-defined]
    border = town.lonlat(2, 0)[0]
    assert {round(lon, 9) for lon, _ in shapely.get_coordinates(line).tolist()} == {round(border, 9)}
    assert coords.length_m(line) == pytest.approx(400, rel=0.15)


def test_where_a_department_serves_the_whole_city_there_is_no_line(way: Way) -> None:
    [row] = handed(way, "zf")
    assert (row.to_unit, row.line) == (None, None)  # type: ignore[attr-defined]


def test_the_units_are_those_of_the_citys_day_though_it_is_still_yesterday_in_utc(way: Way) -> None:
    way.session.execute(text("UPDATE edition SET valid_from = '2026-06-01' WHERE net = 'admin'"))
    way.now = datetime(2026, 5, 31, 20, tzinfo=UTC)
    [row] = handed(way, "sw")
    assert (row.from_unit, row.to_unit) == ("admin:district:990101", "admin:district:990102")  # type: ignore[attr-defined]


def test_the_same_department_sent_again_is_no_hand_off(way: Way) -> None:
    assert handed(way, "cg") == []


def test_what_is_sent_from_the_desk_for_the_first_time_is_no_hand_off(way: Way) -> None:
    way.in_state("filed").make("dispatch", DISPATCHER, {"lead": "sw"})
    assert way.session.scalar(text("SELECT count(*) FROM handoff")) == 0
