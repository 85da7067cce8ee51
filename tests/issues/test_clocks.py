"""The clocks of issues: set at filing with their reason, moved by appending, and honest where there is no limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis import db
from gis.errors import Conflict, Invalid, NotFound
from gis.issues import calendars, clocks, intake, journal, listing, standards
from gis.issues.clerk import Clerk
from gis.issues.clocks import Kept
from gis.issues.intake import Accepted, Report
from gis.issues.listing import Filters
from gis.issues.reports import WorkOrder
from gis.issues.standards import Condition, OrderLimit, Reading, Title
from gis.issues.worktime import URGENT_HOUR, WORK_DAY, WORK_HOUR, Limit
from gis.settings import Settings
from tests import town
from tests.issues import filed, test_intake

# Monday, 11:00 in the city; shifts 08:00-12:00 and 14:00-18:00.
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
CLERK = Clerk("wu", NOW, Settings(city_code="990100"))
LIMITS = (Limit(Fraction(2), URGENT_HOUR), Limit(Fraction(4), WORK_HOUR), Limit(Fraction(250), WORK_DAY), None)
NOWHERE: dict[str, Any] = {}

Load = Callable[[str, str], None]


def condition(number: int, limit: Limit | None) -> Condition:
    return Condition("0501", number, f"条件{number}", "", limit, f"said {number}", f"恢复{number}", row=number)


def calendar(session: Session, folder: Path) -> None:
    (folder / "CN-shifts.csv").write_text(
        "from,weekdays,spans,source\n2026-01-01,1 2 3 4 5,08:00-12:00 14:00-18:00,city\n", "utf-8"
    )
    (folder / "CN-2026.csv").write_text("day,kind,name_zh,source\n2026-05-01,holiday,劳动节,notice\n", "utf-8")
    for name in ("CN-shifts", "CN-2026"):
        calendars.load(session, folder / f"{name}.csv", by="wu", now=NOW)


def standard(session: Session) -> None:
    reading = Reading(tuple(condition(nth, limit) for nth, limit in enumerate(LIMITS, start=1)), (), 4)
    standards.load(session, Title("city", "2026", "gb", "1"), reading, by="wu", now=NOW)
    standards.activate(session, "city", "2026", date(2026, 1, 1))


def orders(session: Session) -> None:
    said = (("sign", 2), ("contact", 8), ("reply", 24))
    limits = [
        OrderLimit("990100", "complain", "general", name, Limit(Fraction(hours), WORK_HOUR), f"{hours}工作时", 2)
        for name, hours in said
    ]
    standards.load_orders(session, Title("orders", "1", "", ""), limits, by="wu", now=NOW)
    standards.activate(session, "orders", "1", date(2026, 1, 1))


@pytest.fixture
def city(session: Session, tmp_path: Path) -> Session:
    town.build(session)
    filed.people(session)
    calendar(session, tmp_path)
    standard(session)
    return session


def report(**changes: Any) -> Report:
    return replace(test_intake.report(), **{"reported_at": NOW, "condition": 1, **changes})


def accept(session: Session, **changes: Any) -> Accepted:
    [outcome] = intake.accept_many(session, [report(**changes)], CLERK)
    if not isinstance(outcome, Accepted):
        raise outcome
    return outcome


def handling(session: Session, issue_id: int) -> Kept:
    return clocks.of_issue(session, issue_id)[0]


def row(session: Session, issue_id: int) -> tuple[datetime | None, datetime | None]:
    found = session.execute(text("SELECT due_at, warn_at FROM issue WHERE id = :id"), {"id": issue_id}).one()
    return found.due_at, found.warn_at


def later(hours: float) -> Clerk:
    return replace(CLERK, now=NOW + timedelta(hours=hours))


def test_the_condition_decides_when_an_issue_is_due(city: Session) -> None:
    dues = [handling(city, accept(city, external_id=str(nth), condition=nth).id).clock.due_at for nth in (1, 2)]
    # two hours round the clock; one hour before noon and three after
    assert dues == [NOW + timedelta(hours=2), NOW + timedelta(hours=6)]


def test_a_clock_says_by_what_it_was_set(city: Session) -> None:
    kept = handling(city, accept(city, condition=2).id)
    said = kept.clock.reason.params
    assert (kept.event, kept.clock.reason.code, kept.by) == ("started", "clock.by_condition", "wu")
    assert (said["standard"], said["version"], said["category"], said["condition"]) == ("city", "2026", "0501", 2)
    assert (said["text_zh"], said["closing_zh"], said["limit_said"]) == ("条件2", "恢复2", "said 2")
    assert kept.clock.calendar == {"code": "CN", "parts": {"2026": 1, "shifts": 1}}


def test_the_issue_says_when_it_is_due_and_when_a_fifth_of_the_time_is_left(city: Session) -> None:
    issue = accept(city)
    assert row(city, issue.id) == (NOW + timedelta(hours=2), NOW + timedelta(minutes=96))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"condition": None}, "clock.no_condition"),
        ({"condition": 4}, "clock.limit_unread"),
        ({"place": NOWHERE}, "clock.waits_for_place"),
    ],
)
def test_without_a_limit_nothing_is_due_and_the_reason_is_said(
    city: Session, changes: dict[str, Any], code: str
) -> None:
    issue = accept(city, **changes)
    kept = handling(city, issue.id)
    assert (kept.event, kept.clock.due_at, kept.clock.reason.code) == ("unset", None, code)
    assert row(city, issue.id) == (None, None)


def test_a_class_of_no_standard_has_no_limit_and_its_condition_is_kept(city: Session) -> None:
    city.execute(text("INSERT INTO category VALUES ('gb', '1', '0502', NULL, '路灯', 'Lamp', NULL, 0)"))
    issue = accept(city, category=intake.CategoryKey("gb", "1", "0502"), condition=7)
    assert handling(city, issue.id).clock.reason.code == "clock.no_standard"
    assert listing.get(city, issue.code)["condition"] == 7


def test_a_condition_there_is_not_is_refused_with_those_there_are(city: Session) -> None:
    with pytest.raises(Invalid) as refused:
        accept(city, condition=9)
    assert (refused.value.code, refused.value.params["known"]) == ("clock.unknown_condition", "1, 2, 3, 4")


def test_a_limit_beyond_the_known_years_is_not_set_until_they_are_known(city: Session, tmp_path: Path) -> None:
    issue = accept(city, condition=3)
    kept = handling(city, issue.id)
    assert kept.clock.due_at is None
    assert kept.clock.lacking is not None
    assert (kept.clock.lacking.code, kept.clock.lacking.params["year"]) == ("worktime.no_year", 2027)
    path = tmp_path / "CN-2027.csv"
    path.write_text("day,kind,name_zh,source\n2027-01-01,holiday,元旦,notice\n", "utf-8")
    calendars.load(city, path, by="wu", now=NOW)
    assert clocks.set_anew(city, later(1)) == 1
    kept = handling(city, issue.id)
    assert (kept.event, kept.version, kept.clock.lacking) == ("set_anew", 2, None)
    assert row(city, issue.id)[0] == kept.clock.due_at is not None


def test_clocks_that_a_mended_calendar_does_not_move_are_left_alone(city: Session) -> None:
    accept(city, condition=2)
    assert clocks.set_anew(city, later(1)) == 0


def test_the_clock_of_an_issue_without_a_place_starts_when_it_is_placed(city: Session) -> None:
    issue = accept(city, place=NOWHERE)
    lon, lat = town.lonlat(0.25, 0.25)
    intake.place(city, issue.code, {"lon": lon, "lat": lat}, later(5))
    kept = handling(city, issue.id)
    assert (kept.event, kept.clock.started_at) == ("started", NOW + timedelta(hours=5))
    assert row(city, issue.id)[0] == NOW + timedelta(hours=7)


def test_moving_an_issue_does_not_start_its_clock_anew(city: Session) -> None:
    issue = accept(city)
    lon, lat = town.lonlat(2.25, 0.25)
    intake.place(city, issue.code, {"lon": lon, "lat": lat}, later(1))
    assert [kept.version for kept in clocks.history(city, issue.id)] == [1]


def test_a_condition_named_later_starts_the_clock_then(city: Session) -> None:
    issue = accept(city, condition=None)
    kept = clocks.name(city, issue.code, 1, later(3))
    assert (kept.event, kept.clock.due_at) == ("started", NOW + timedelta(hours=5))
    assert row(city, issue.id)[0] == kept.clock.due_at
    assert journal.history(city, issue.id)[-1]["kind"] == "condition_named"


def test_another_condition_counts_from_when_the_clock_started(city: Session) -> None:
    issue = accept(city, condition=1)
    kept = clocks.name(city, issue.code, 2, later(1))
    assert (kept.event, kept.clock.started_at, kept.clock.due_at) == ("set_anew", NOW, NOW + timedelta(hours=6))
    assert [each.event for each in clocks.history(city, issue.id)] == ["started", "set_anew"]


def test_an_issue_older_than_clocks_gets_its_first_one_by_naming(city: Session) -> None:
    filed.issue(city, 1)
    assert clocks.name(city, "990101000001", 1, CLERK).version == 1


def test_a_condition_cannot_be_named_where_no_standard_holds(city: Session) -> None:
    filed.issue(city, 1, category="0599")
    with pytest.raises(Conflict) as refused:
        clocks.name(city, "990101000001", 1, CLERK)
    assert refused.value.code == "clock.no_standard"


def test_an_unknown_issue_is_not_found(city: Session) -> None:
    with pytest.raises(NotFound):
        clocks.choices(city, "none", CLERK)


def test_the_conditions_to_choose_from_are_those_in_force(city: Session) -> None:
    issue = accept(city, condition=None)
    found = clocks.choices(city, issue.code, CLERK)
    assert found is not None
    assert [each.number for each in found.conditions] == [1, 2, 3, 4]


def test_a_suspension_moves_the_due_time_and_the_clock_before_it_stays_on_record(city: Session) -> None:
    issue = accept(city)
    day = timedelta(days=1)
    clocks.suspend(city, handling(city, issue.id), NOW + timedelta(hours=1) + day, later(1))
    assert row(city, issue.id)[0] == NOW + timedelta(hours=2) + day
    was, now = clocks.history(city, issue.id)
    assert (was.clock.due_at, now.event) == (NOW + timedelta(hours=2), "suspended")
    assert [now.clock.state(NOW + timedelta(hours=at)) for at in (2, 26, 27)] == ["suspended", "soon", "overdue"]


def test_a_suspension_without_an_end_leaves_nothing_due_until_it_is_resumed(city: Session) -> None:
    issue = accept(city)
    held = clocks.suspend(city, handling(city, issue.id), None, later(1))
    assert row(city, issue.id) == (None, None)
    clocks.resume(city, held, later(10))
    assert row(city, issue.id)[0] == NOW + timedelta(hours=11)


def test_an_extension_adds_its_limit_once_more(city: Session) -> None:
    issue = accept(city)
    kept = clocks.extend(city, handling(city, issue.id), later(1))
    assert (kept.clock.extensions, kept.clock.due_at) == (1, NOW + timedelta(hours=4))


def test_a_clock_that_has_stopped_keeps_whether_it_was_late(city: Session) -> None:
    issue = accept(city)
    kept = clocks.stop(city, handling(city, issue.id), later(3))
    assert kept.clock.state(NOW + timedelta(days=9)) == "late"
    assert row(city, issue.id) == (None, None)


@pytest.mark.parametrize("act", [clocks.extend, clocks.stop, lambda s, k, c: clocks.suspend(s, k, None, c)])
def test_a_clock_that_has_stopped_does_not_move(city: Session, act: Callable[..., Kept]) -> None:
    stopped = clocks.stop(city, handling(city, accept(city).id), later(1))
    with pytest.raises(Conflict) as refused:
        act(city, stopped, later(2))
    assert refused.value.code == "clock.not_running"


def test_a_clock_that_is_not_suspended_is_not_resumed(city: Session) -> None:
    with pytest.raises(Conflict):
        clocks.resume(city, handling(city, accept(city).id), later(1))


def test_a_work_order_runs_on_its_own_clocks_and_keeps_the_deadline_from_outside(city: Session) -> None:
    orders(city)
    outside = NOW + timedelta(minutes=90)
    issue = accept(city, work_order=WorkOrder("投诉", "一般", outside))
    kept = {each.clock.name: each.clock for each in clocks.of_issue(city, issue.id)}
    hours = {name: clock.due_at and (clock.due_at - NOW) / timedelta(hours=1) for name, clock in kept.items()}
    # Monday 11:00: two working hours end at 15:00, eight on Tuesday at 11:00, twenty-four on Thursday at 11:00
    assert hours == {"handle": 2, "sign": 4, "contact": 24, "reply": 72, "outside": 1.5}
    assert row(city, issue.id)[0] == outside
    assert listing.get(city, issue.code)["work_order"] == {
        "type": "投诉", "urgency": "一般", "due_at": outside.isoformat(),
    }  # fmt: skip


def test_a_work_order_the_city_has_no_limit_for_says_so(city: Session) -> None:
    orders(city)
    issue = accept(city, work_order=WorkOrder("咨询"))
    assert [each.clock.reason.code for each in clocks.of_issue(city, issue.id)][1:] == ["clock.no_order_limit"]


def test_an_old_class_is_timed_by_the_class_it_became(city: Session) -> None:
    city.execute(text("INSERT INTO category VALUES ('old', '2007', '0101', NULL, '井盖', 'Manhole', NULL, 0)"))
    city.execute(text("INSERT INTO crosswalk VALUES ('old', '2007', '0101', 'gb', '1', '0501', 'same', '')"))
    kept = handling(city, accept(city, category=intake.CategoryKey("old", "2007", "0101")).id)
    assert kept.clock.due_at == NOW + timedelta(hours=2)
    assert kept.clock.reason.params["walked"] == "old 2007 0101"


def test_lists_part_what_is_overdue_from_what_is_due_soon(city: Session) -> None:
    for nth, number in enumerate((1, 2, None), start=1):
        accept(city, external_id=str(nth), condition=number)
    asked = {"dues": ("overdue", "soon", "later", "unset")}

    def due(hours: float, *names: str) -> list[str]:
        filters = Filters(dues=names, at=NOW + timedelta(hours=hours))
        return sorted(each["external_id"] for each in listing.rows(city, filters))

    assert [due(3, name) for name in asked["dues"]] == [["1"], [], ["2"], ["3"]]
    assert [due(5.9, name) for name in asked["dues"]] == [["1"], ["2"], [], ["3"]]
    assert due(7, "overdue", "unset") == ["1", "2", "3"]
    assert listing.counts(city, Filters(at=NOW + timedelta(hours=3)))["due"] == {"overdue": 1, "later": 1, "unset": 1}


def test_a_list_by_due_time_begins_with_what_is_due_first(city: Session) -> None:
    for nth, number in enumerate((None, 2, 1), start=1):
        accept(city, external_id=str(nth), condition=number)
    assert [each["external_id"] for each in listing.rows(city, Filters(), order="due")] == ["3", "2", "1"]


def test_an_order_there_is_not_is_refused() -> None:
    with pytest.raises(Invalid):
        listing.parse_order({"order": "wildly"})


def test_the_scan_finds_what_is_overdue_the_longest_first(city: Session) -> None:
    codes = [accept(city, external_id=str(nth), condition=nth).code for nth in (2, 1)]
    found = clocks.scan(city, now=NOW + timedelta(hours=7))
    assert [each.code for each in found] == codes[::-1]
    assert [each.code for each in clocks.scan(city, now=NOW + timedelta(hours=1.7), soon=True)] == codes[1:]


def test_a_clock_is_seen_by_who_sees_its_issue(clean_db: Engine, tmp_path: Path) -> None:
    with db.session(clean_db, db.EVERYTHING) as session:
        town.build(session)
        filed.people(session)
        calendar(session, tmp_path)
        standard(session)
        accept(session)
        session.commit()
    seen = {}
    for code in ("990101", "990102"):
        with db.session(clean_db, db.Scope(units=(("admin", "district", code),))) as session:
            seen[code] = session.scalar(text("SELECT count(*) FROM clock"))
    assert seen == {"990101": 1, "990102": 0}


def test_a_due_time_query_goes_to_the_index_under_row_level_security(city: Session) -> None:
    city.execute(text("SET LOCAL enable_seqscan = off"))
    db.see_as(city, db.Scope(units=(("admin", "district", "990101"),)))
    where, values = listing.condition(Filters(dues=("overdue",)))
    plan = "\n".join(city.scalars(text(f"EXPLAIN SELECT code FROM issue WHERE {where}"), values))
    assert "issue_due" in plan
