"""Rosters: dated data, exact at the edges of shifts and days, loaded whole or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from gis.errors import Problems
from gis.people import rosters
from gis.people.rosters import Entry
from tests import town
from tests.issues import filed

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SOUTH = "admin:subdistrict:990101001"
ROW = {
    "net": "admin", "level": "subdistrict", "unit_code": "990101001", "platform": "5", "department": "cg",
    "person": "老赵", "rank": "队长", "phone": "13900000001", "standing": "resident", "valid_from": "2026-01-01",
}  # fmt: skip


@pytest.fixture
def city(session: Session) -> Session:
    town.build(session)
    filed.people(session)
    return session


def load(session: Session, *rows: dict[str, Any]) -> int:
    return rosters.load(session, enumerate(rows, 2), by="test", now=NOW)


def entry(hours: str = "", weekdays: str = "", valid_from: str = "2026-01-01", valid_to: str = "") -> Entry:
    said = ROW | {"hours": hours, "weekdays": weekdays, "valid_from": valid_from, "valid_to": valid_to}
    return rosters._read(2, said)


def reachable(each: Entry, at: str) -> bool:
    return each.is_reachable(datetime.fromisoformat(at))


# 2026-06-01 is a Monday.
@pytest.mark.parametrize(
    ("at", "is_there"),
    [("2026-06-01T08:29", False), ("2026-06-01T08:30", True), ("2026-06-01T17:29", True), ("2026-06-01T17:30", False)],
)
def test_a_shift_holds_its_first_minute_and_not_its_last(at: str, *, is_there: bool) -> None:
    assert reachable(entry("08:30-17:30"), at) is is_there


@pytest.mark.parametrize(
    ("at", "is_there"),
    [
        ("2026-06-05T21:59", False), ("2026-06-05T22:00", True), ("2026-06-06T05:59", True),
        ("2026-06-06T06:00", False),
        ("2026-06-06T22:00", False), ("2026-06-01T05:00", False),
    ],
)  # fmt: skip
def test_a_night_belongs_to_the_day_on_which_it_begins(at: str, *, is_there: bool) -> None:
    assert reachable(entry("22:00-06:00", "12345"), at) is is_there


def test_the_night_before_the_first_day_is_nobodys(city: Session) -> None:
    first = entry("22:00-06:00", valid_from="2026-06-02")
    assert (reachable(first, "2026-06-02T05:00"), reachable(first, "2026-06-03T05:00")) == (False, True)
    assert city is not None


@pytest.mark.parametrize(("day", "is_there"), [("2026-05-31", False), ("2026-06-01", True), ("2026-06-03", False)])
def test_dates_are_half_open(day: str, *, is_there: bool) -> None:
    assert reachable(entry(valid_from="2026-06-01", valid_to="2026-06-03"), f"{day}T12:00") is is_there


def test_without_hours_somebody_is_there_round_the_clock() -> None:
    assert reachable(entry(), "2026-06-06T03:00")


def test_a_roster_is_found_for_its_unit_and_day(city: Session) -> None:
    load(city, ROW, ROW | {"department": "sw", "standing": "on_call", "person": "小李"})
    found = rosters.find(city, [SOUTH], date(2026, 6, 1))
    assert [(each.department, each.standing) for each in found] == [("cg", "resident"), ("sw", "on_call")]
    assert rosters.departments_of(city, SOUTH, date(2025, 6, 1)) == frozenset()


def test_a_new_roster_ends_the_one_before_from_its_first_day(city: Session) -> None:
    load(city, ROW)
    load(city, ROW | {"person": "老钱", "valid_from": "2026-07-01"})
    days = (date(2026, 6, 30), date(2026, 7, 1))
    assert [[each.person for each in rosters.find(city, [SOUTH], day)] for day in days] == [["老赵"], ["老钱"]]


def test_the_same_roster_twice_is_one(city: Session) -> None:
    load(city, ROW)
    load(city, ROW)
    assert len(rosters.find(city, [SOUTH], date(2026, 6, 1))) == 1


def test_who_is_left_out_of_a_corrected_roster_never_was_on_it(city: Session) -> None:
    load(city, ROW, ROW | {"person": "小李"})
    load(city, ROW)
    assert [each.person for each in rosters.find(city, [SOUTH], date(2026, 1, 1))] == ["老赵"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"standing": "sometimes"}, "rosters.standing"), ({"person": ""}, "rosters.missing"),
        ({"valid_from": "tomorrow"}, "rosters.bad_day"), ({"valid_to": "2026-01-01"}, "rosters.dates"),
        ({"hours": "8-17"}, "rosters.bad_hours"), ({"hours": "08:00-08:00"}, "rosters.bad_hours"),
        ({"hours": "25:00-26:00"}, "rosters.bad_hours"), ({"weekdays": "128"}, "rosters.bad_weekdays"),
        ({"department": "nobody"}, "dispatch.no_department"), ({"unit_code": "1"}, "agreements.unknown_unit"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_and_nothing_is_taken_in(city: Session, wrong: dict[str, str], code: str) -> None:
    with pytest.raises(Problems) as refused:
        load(city, ROW, ROW | wrong)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert rosters.find(city, None, date(2026, 6, 1)) == []


def test_the_citys_time_is_the_citys() -> None:
    assert rosters.city_time(NOW, "Asia/Shanghai") == NOW.astimezone(ZoneInfo("Asia/Shanghai"))
