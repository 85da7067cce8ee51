"""Lateness is a fact: written once, told once, never gone; an appeal exempts it in the counts and erases nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Conflict, Forbidden
from gis.issues import appeals, audit, calendars, clocks, lateness
from gis.issues.clerk import Clerk
from gis.issues.matter import Actor, Matter
from gis.issues.worktime import Limit
from tests.issues import looped
from tests.issues.looped import CG, CHIEF, DISPATCHER, NOW, SW, Way

DUE = NOW + timedelta(hours=5)
PERIOD = (NOW - timedelta(days=30), NOW + timedelta(days=30))


@pytest.fixture
def way(session: Session) -> Way:
    """Give an issue across the line whose clock runs five hours round the clock."""
    looped.people(session)
    for name in ("CN-shifts.csv", "CN-2026.csv"):
        calendars.load(session, calendars.DATA / name, by="li", now=NOW)
    made = looped.across(session)
    session.execute(
        text("""
        INSERT INTO clock (issue_id, name, department, version, event, started_at, limit_value, limit_unit, extensions,
                           pauses, due_at, warn_at, reason, at, by)
        VALUES (:id, 'handle', '', 1, 'started', :now, 5, 'urgent_hour', 0, '[]', :due_at, :now, CAST(
            '{"code": "x", "params": {}, "calendar": null, "lacking": null}' AS jsonb), :now, 'x')
        """),
        {"id": made.issue_id, "now": NOW, "due_at": DUE},
    )
    session.execute(text("UPDATE issue SET due_at = :due_at, warn_at = :now"), {"due_at": DUE, "now": NOW})
    return made


def scan(way: Way, at: Any) -> int:
    return lateness.note(way.session, lateness.find(way.session, at, 100), Clerk("system", at))


def facts(way: Way) -> list[tuple[str, str]]:
    return [(fact["department"], fact["clock"]) for fact in lateness.of_issue(way.session, way.issue_id)]


def look(way: Way) -> Matter:
    return way.loop.look(way.session, way.code, way.now)


def appealed(way: Way, by: Actor = CG) -> int:
    return appeals.ask(look(way), "暴雨", by=by, now=way.now)


def answered(way: Way, *, granted: bool, by: Actor = CHIEF) -> int:
    return appeals.decide(look(way), granted=granted, reason="属实", by=by, now=way.now)


def test_at_its_last_moment_nothing_is_late(way: Way) -> None:
    assert scan(way, DUE) == 0


def test_behind_it_the_issue_is_late_once(way: Way) -> None:
    late = DUE + timedelta(microseconds=1)
    assert [scan(way, late), scan(way, late), facts(way)] == [1, 0, [("", "handle")]]


def test_what_was_done_late_between_two_scans_is_late(way: Way) -> None:
    way.after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "x"}))
    way.now = DUE
    way.make("feed_back", CG, {"done": "x"})
    assert facts(way) == [("", "handle")]


def test_what_was_done_in_time_is_not(way: Way) -> None:
    way.after(("sign", CG), ("sign", SW), ("feed_back", SW, {"done": "x"}), ("feed_back", CG, {"done": "x"}))
    assert (scan(way, DUE + timedelta(days=9)), facts(way)) == (0, [])


def test_an_extension_granted_too_late_does_not_undo_it(way: Way) -> None:
    way.after(("sign", CG), ("ask_extension", CG, {"reason": "x"}), ("endorse", DISPATCHER))
    way.now = DUE
    way.make("grant", CHIEF)
    assert (facts(way), scan(way, way.now)) == ([("", "handle")], 0)


def test_a_later_due_time_that_runs_out_too_is_a_second_fact(way: Way) -> None:
    way.after(("sign", CG), ("ask_extension", CG, {"reason": "x"}), ("endorse", DISPATCHER))
    way.now = DUE
    way.make("grant", CHIEF)
    assert scan(way, DUE + timedelta(hours=6)) == 1


def test_a_department_with_a_clock_of_its_own_is_late_by_it(way: Way) -> None:
    clerk = Clerk("x", NOW)
    [kept] = clocks.of_issue(way.session, way.issue_id)
    own = clocks.Kept(way.issue_id, "sw", 0, "", kept.clock, NOW, "x")
    clocks.record.change(way.session, own, "started", kept.clock, clerk)
    scan(way, DUE + timedelta(hours=1))
    assert sorted(facts(way)) == [("", "handle"), ("sw", "handle")]


def test_a_clock_set_anew_by_a_mended_calendar_is_in_the_history_and_bound_to_it(way: Way) -> None:
    [kept] = clocks.of_issue(way.session, way.issue_id)
    earlier = replace(kept.clock, due_at=NOW)
    clocks.record.append(way.session, kept, "started", earlier, Clerk("li", NOW))
    assert clocks.set_anew(way.session, Clerk("li", way.now)) == 1
    kinds = way.session.scalars(text("SELECT kind FROM entry")).all()
    assert (kinds, list(audit.unbound(way.session))) == (["clock_set_anew"], [])


def test_it_is_told_in_the_history_of_the_issue(way: Way) -> None:
    scan(way, DUE + timedelta(hours=1))
    kinds = way.session.scalars(text("SELECT kind FROM entry WHERE kind = 'overdue'")).all()
    assert kinds == ["overdue"]


class TestAppeals:
    @pytest.fixture(autouse=True)
    def late(self, way: Way) -> None:
        scan(way, DUE + timedelta(hours=1))
        way.now = DUE + timedelta(hours=2)

    def counted(self, way: Way) -> list[tuple[str, int, int, int]]:
        found = lateness.counts(way.session, *PERIOD)
        return [(each.department, each.late_n, each.exempted_n, each.counted_n) for each in found]

    def test_late_it_counts_against_who_leads(self, way: Way) -> None:
        assert self.counted(way) == [("cg", 1, 0, 1)]

    def test_an_appeal_alone_changes_no_count(self, way: Way) -> None:
        appealed(way)
        assert self.counted(way) == [("cg", 1, 0, 1)]

    def test_granted_it_is_exempted_and_still_there(self, way: Way) -> None:
        appealed(way)
        answered(way, granted=True)
        assert (self.counted(way), facts(way)) == ([("cg", 1, 1, 0)], [("", "handle")])

    def test_declined_it_counts(self, way: Way) -> None:
        appealed(way)
        answered(way, granted=False)
        assert self.counted(way) == [("cg", 1, 0, 1)]

    def test_it_is_not_asked_twice(self, way: Way) -> None:
        appealed(way)
        with pytest.raises(Conflict, match="nothing_late"):
            appealed(way)

    def test_an_assistant_cannot_appeal_against_what_is_the_leads(self, way: Way) -> None:
        with pytest.raises(Conflict, match="nothing_late"):
            appealed(way, SW)

    def test_an_answer_is_not_changed(self, way: Way) -> None:
        appealed(way)
        answered(way, granted=False)
        with pytest.raises(Conflict, match="none_waits"):
            answered(way, granted=True)

    def test_who_handled_it_does_not_decide(self, way: Way) -> None:
        appealed(way)
        with pytest.raises(Forbidden, match="handler_may_not"):
            answered(way, granted=True, by=Actor("x", "shift_leader", "cg"))

    def test_who_asked_does_not_decide(self, way: Way) -> None:
        appealed(way)
        with pytest.raises(Forbidden, match="handler_may_not"):
            answered(way, granted=True, by=Actor(CG.username, "shift_leader"))

    def test_both_are_in_the_history_and_told(self, way: Way) -> None:
        appealed(way)
        answered(way, granted=True)
        kinds = way.session.scalars(text("SELECT kind FROM entry WHERE kind LIKE 'appeal%' ORDER BY id")).all()
        told = way.session.scalars(text("SELECT recipient FROM message WHERE event LIKE 'appeal%' ORDER BY id")).all()
        assert (kinds, told) == (["appeal_asked", "appeal_granted"], ["role:shift_leader", "department:cg"])


class TestClocksThatEndNothing:
    @pytest.fixture(autouse=True)
    def signing(self, way: Way) -> None:
        """Give the issue an hour to be signed in."""
        [kept] = clocks.of_issue(way.session, way.issue_id)
        hour = replace(kept.clock, name="sign", limit=Limit(Fraction(1), "urgent_hour"), due_at=self.DUE)
        clocks.start(way.session, [(way.issue_id, [hour])], Clerk("x", NOW))

    DUE = NOW + timedelta(hours=1)

    def test_signing_is_late_as_soon_as_its_time_has_passed(self, way: Way) -> None:
        assert [scan(way, self.DUE), scan(way, self.DUE + timedelta(seconds=1)), facts(way)] == [0, 1, [("", "sign")]]

    def test_signed_too_late_it_is_one_fact(self, way: Way) -> None:
        way.now = self.DUE + timedelta(hours=1)
        scan(way, way.now)
        way.make("sign", CG)
        assert (facts(way), scan(way, way.now)) == ([("", "sign")], 0)

    def test_signed_in_time_it_is_none(self, way: Way) -> None:
        way.make("sign", CG)
        assert scan(way, self.DUE + timedelta(hours=1)) == 0

    def test_what_has_ended_is_signed_by_nobody_any_more(self, way: Way) -> None:
        assert scan(way.in_state("voided"), self.DUE + timedelta(hours=1)) == 0
