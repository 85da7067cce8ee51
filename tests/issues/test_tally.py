"""The wall's figures: the totals of ledgers now, and what those ledgers would have said a day ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg2.extras import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import db
from gis.db import Scope
from gis.issues import paging, tally
from gis.issues.ledgers import asking
from gis.issues.ledgers.asking import Moment
from tests import town
from tests.issues import filed

ZONE = ZoneInfo("Asia/Shanghai")
# 10:00 in the city
NOW = Moment(datetime(2024, 5, 6, 2, tzinfo=UTC), ZONE)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEST, EAST = "admin:subdistrict:990101001", "admin:subdistrict:990102001"


@pytest.fixture
def session(session: Session) -> Session:
    town.build(session)
    filed.people(session)
    return session


def put(session: Session, nth: int, ago: timedelta, state: str = "filed", **more: Any) -> int:
    """File an issue some time ago; due: how long after now it is due."""
    due = more.pop("due", None)
    at = NOW.now - ago
    issue_id = filed.issue(session, nth, state=state, reported_at=at, at=at, **more)
    due_at = None if due is None else NOW.now + due
    session.execute(text("UPDATE issue SET due_at = :due WHERE id = :id"), {"due": due_at, "id": issue_id})
    return issue_id


def move(session: Session, issue_id: int, ago: timedelta, before: str, after: str) -> None:
    row = {"id": issue_id, "from": before, "to": after, "at": NOW.now - ago}
    session.execute(
        text(
            "INSERT INTO move (issue_id, version, name, from_state, to_state, actor, role, at, said_at, fields)"
            " VALUES (:id, (SELECT count(*) + 1 FROM move WHERE issue_id = :id), 'sign',"
            " :from, :to, 'li', 'operator', :at, :at, '{}')"
        ),
        row,
    )


def clock(session: Session, issue_id: int, ago: timedelta, due: timedelta, *, stopped: bool = False) -> None:
    row = {
        "id": issue_id, "event": "stopped" if stopped else "started", "due": NOW.now + due,
        "stopped": NOW.now - ago if stopped else None, "at": NOW.now - ago, "reason": Json({"code": "x", "params": {}}),
    }  # fmt: skip
    session.execute(
        text(
            "INSERT INTO clock (issue_id, name, department, version, event, started_at, extensions, pauses, due_at,"
            " stopped_at, reason, at, by)"
            " VALUES (:id, 'handle', '', (SELECT count(*) + 1 FROM clock WHERE issue_id = :id), :event, :at, 0,"
            " '[]', :due, :stopped, :reason, :at, 'li')"
        ),
        row,
    )


def now(session: Session) -> tally.Figures:
    figures = tally.at(session, NOW)
    assert figures
    return figures


def before(session: Session) -> tally.Figures | None:
    return tally.at(session, tally.yesterday(NOW))


def listed(session: Session, said: dict[str, str]) -> int:
    """Count what a ledger holds that is asked now."""
    asked = asking.read(said, NOW)
    return paging.total(session, replace(asked, filters=replace(asked.filters, at=NOW.now)))


def furnish(session: Session) -> None:
    put(session, 1, HOUR, due=-HOUR / 2)
    put(session, 2, 2 * HOUR, "handling", due=HOUR)
    put(session, 3, 11 * HOUR, "closed")
    put(session, 4, 3 * DAY, "dispatched", due=-DAY, ground=[EAST])
    put(session, 5, 4 * DAY, "evaluated")
    put(session, 6, 5 * DAY, "rejected")
    put(session, 7, 29 * DAY, "self_handled")
    put(session, 8, 40 * DAY, "closed", due=-DAY)
    put(session, 9, 50 * DAY, "suspended")


@pytest.mark.parametrize("name", ["open", "new", "overdue", "closed"])
@pytest.mark.parametrize("scope", [db.EVERYTHING, Scope(units=(("admin", "subdistrict", "990102001"),))])
def test_each_number_is_the_total_of_its_ledger(session: Session, name: str, scope: Scope) -> None:
    furnish(session)
    db.see_as(session, scope)
    assert getattr(now(session), name) == listed(session, tally.ledgers(NOW)[name])


def test_the_numbers_of_a_small_city(session: Session) -> None:
    furnish(session)
    # the third was reported at 23:00 of the day before; the sixth was dropped, the eighth and ninth are too old
    assert now(session) == tally.Figures(open=4, new=2, overdue=2, closed=3, counted=6)


def test_without_anything_received_by_then_there_is_no_yesterday(session: Session) -> None:
    put(session, 1, HOUR)
    assert before(session) is None


def test_what_was_moved_since_counts_as_it_stood(session: Session) -> None:
    issue_id = put(session, 1, 3 * DAY, "closed")
    move(session, issue_id, 2 * DAY, "filed", "handling")
    move(session, issue_id, 3 * HOUR, "handling", "fed_back")
    move(session, issue_id, HOUR, "fed_back", "closed")
    assert (now(session).open, now(session).closed) == (0, 1)
    was = before(session)
    assert was
    assert (was.open, was.closed, was.counted) == (1, 0, 1)


def test_what_was_reopened_since_was_closed(session: Session) -> None:
    issue_id = put(session, 1, 3 * DAY, "handling")
    move(session, issue_id, HOUR, "closed", "handling")
    was = before(session)
    assert was
    assert (was.open, was.closed) == (0, 1)


def test_what_ran_out_since_was_not_late_then(session: Session) -> None:
    put(session, 1, 3 * DAY, due=-HOUR)
    put(session, 2, 3 * DAY, due=-2 * DAY)
    was = before(session)
    assert was
    assert (now(session).overdue, was.overdue) == (2, 1)


def test_what_was_extended_since_was_late_then(session: Session) -> None:
    issue_id = put(session, 1, 5 * DAY, due=3 * DAY)
    clock(session, issue_id, 5 * DAY, -2 * DAY)
    clock(session, issue_id, HOUR, 3 * DAY)
    was = before(session)
    assert was
    assert (now(session).overdue, was.overdue) == (0, 1)


def test_what_was_closed_late_since_was_overdue_then(session: Session) -> None:
    issue_id = put(session, 1, 5 * DAY, "closed")
    move(session, issue_id, HOUR, "handling", "closed")
    clock(session, issue_id, 5 * DAY, -2 * DAY)
    clock(session, issue_id, HOUR, -2 * DAY, stopped=True)
    was = before(session)
    assert was
    assert (now(session).overdue, was.overdue) == (0, 1)


def test_yesterday_has_its_own_day_and_its_own_window(session: Session) -> None:
    put(session, 1, 26 * HOUR)
    put(session, 2, 20 * HOUR)
    put(session, 3, 30 * DAY, "closed")
    was = before(session)
    assert was
    # at 10:00 yesterday: reported at 08:00 then; at 14:00 it was not there yet; the third still fell into the window
    assert (was.new, was.open, was.closed) == (1, 1, 1)
    assert now(session).closed == 0


def test_the_same_time_of_the_day_before_is_by_the_citys_clock() -> None:
    # the clocks of New York went forward on 2024-03-10
    at = Moment(datetime(2024, 3, 10, 16, tzinfo=UTC), ZoneInfo("America/New_York"))
    assert (at.now - tally.yesterday(at).now) == timedelta(hours=23)


def test_units_are_listed_with_the_most_overdue_first_and_then_the_longest(session: Session) -> None:
    put(session, 1, 3 * DAY, due=-HOUR, ground=[WEST])
    put(session, 2, 3 * DAY, due=-DAY, ground=[EAST])
    put(session, 3, 3 * DAY, due=-2 * HOUR, ground=[EAST])
    put(session, 4, 3 * DAY, due=-DAY, ground=["admin:subdistrict:990101002"])
    put(session, 5, 3 * DAY, "closed", due=-DAY, ground=[WEST])
    found = tally.overdue_by_unit(session, NOW, ("admin", "subdistrict"))
    assert [(unit.name, unit.overdue) for unit in found] == [
        ("subdistrict 990102001", 2), ("subdistrict 990101002", 1), ("subdistrict 990101001", 1),
    ]  # fmt: skip
    assert found[0].first_due_at == NOW.now - DAY


def test_an_issue_across_a_line_is_late_on_both_sides(session: Session) -> None:
    put(session, 1, 3 * DAY, due=-HOUR, ground=[WEST, EAST])
    assert [unit.overdue for unit in tally.overdue_by_unit(session, NOW, ("admin", "subdistrict"))] == [1, 1]


def test_what_is_late_in_no_unit_is_counted_apart(session: Session) -> None:
    put(session, 1, 3 * DAY, due=-HOUR, ground=[WEST])
    put(session, 2, 3 * DAY, "to_locate", due=-DAY, ground=[])
    put(session, 3, 3 * DAY, due=-HOUR, ground=["police:precinct:1"])
    put(session, 4, 3 * DAY, due=HOUR, ground=[])
    nowhere = tally.overdue_nowhere(session, NOW, ("admin", "subdistrict"))
    assert nowhere is not None
    assert (nowhere.overdue, nowhere.first_due_at) == (2, NOW.now - DAY)


def test_what_is_late_in_no_unit_is_nothing_where_all_lies_in_one(session: Session) -> None:
    put(session, 1, 3 * DAY, due=-HOUR, ground=[WEST])
    assert tally.overdue_nowhere(session, NOW, ("admin", "subdistrict")) is None


@pytest.mark.parametrize("unit", [WEST, EAST])
def test_a_units_number_is_the_total_of_its_ledger(session: Session, unit: str) -> None:
    for nth, ground in enumerate(([WEST], [EAST], [WEST, EAST], [WEST]), start=1):
        put(session, nth, 3 * DAY, due=-HOUR, ground=ground)
    said = tally.ledgers(NOW)["overdue"] | {"units": unit}
    counted = {each.key: each.overdue for each in tally.overdue_by_unit(session, NOW, ("admin", "subdistrict"))}
    assert counted[unit] == listed(session, said)


def test_whoever_sees_a_part_counts_that_part(session: Session) -> None:
    put(session, 1, HOUR, ground=[WEST])
    put(session, 2, HOUR, ground=[EAST])
    db.see_as(session, Scope(units=(("admin", "subdistrict", "990102001"),)))
    assert now(session).open == 1
